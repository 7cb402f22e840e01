from __future__ import annotations

from typing import Any

import pytest

from costsim.errors import ScenarioError
from costsim.scenario.load import load_scenario
from costsim.scenario.overrides import apply_overrides, split_key
from costsim.yaml_source import read_yaml

_TEXT = """\
name: example
horizon: 14d
slo:
traffic: {streams: [{name: users, rate: 48/h}]}
service: {time: 900ms}
deployments:
  - name: modal L4
    platform: modal
    settings: {scaledown_window: 60s, autoscaling: 0, autoscaling.knative.dev/min-scale: 1}
  - name: qwen2.5 L4
    platform: modal
"""


def _changed(*options: str) -> Any:
    document, problems = apply_overrides(read_yaml(_TEXT, path="file.yaml"), options)
    assert problems == []
    return document.value


def _refusal(*options: str) -> list[str]:
    _, problems = apply_overrides(read_yaml(_TEXT, path="file.yaml"), options)
    return [problem.message for problem in problems]


def _loading_refusal(tmp_path: Any, *options: str) -> list[str]:
    path = tmp_path / "scenario.yaml"
    path.write_text(_TEXT)
    with pytest.raises(ScenarioError) as refusal:
        load_scenario(path, overrides=options)
    assert {problem.line for problem in refusal.value.problems} == {None}
    return str(refusal.value).splitlines()


@pytest.mark.parametrize(
    ("option", "loc", "value"),
    [
        ("seed=7", ("seed",), 7),
        (" horizon =7d", ("horizon",), "7d"),
        ("slo.p95=2s", ("slo", "p95"), "2s"),
        ("slo.over.seconds=2s", ("slo", "over", "seconds"), "2s"),
        ("slo={p95: 2s}", ("slo",), {"p95": "2s"}),
        ("requirements=[rollback]", ("requirements",), ["rollback"]),
        ("description=a = b", ("description",), "a = b"),
        ("description='5'", ("description",), "5"),
        ("horizon=", ("horizon",), None),
        ("traffic.streams.0.rate=5/h", ("traffic", "streams", 0, "rate"), "5/h"),
        ("traffic.streams.users.rate=5/h", ("traffic", "streams", 0, "rate"), "5/h"),
        (
            "deployments.modal L4.settings.scaledown_window=5m",
            ("deployments", 0, "settings", "scaledown_window"),
            "5m",
        ),
        ("deployments.qwen2.5 L4.gpu=L4", ("deployments", 1, "gpu"), "L4"),
        ("deployments.1.setup.mean=2s", ("deployments", 1, "setup", "mean"), "2s"),
        (
            "deployments.0.settings.autoscaling.knative.dev/min-scale=2",
            ("deployments", 0, "settings", "autoscaling.knative.dev/min-scale"),
            2,
        ),
        ("deployments.0={name: new}", ("deployments", 0), {"name": "new"}),
    ],
)
def test_a_key_sets_one_value(option: str, loc: tuple[Any, ...], value: Any) -> None:
    changed = _changed(option)

    for part in loc:
        changed = changed[part]
    assert changed == value


def test_later_options_win() -> None:
    assert _changed("seed=1", "seed=2")["seed"] == 2


def test_the_document_itself_does_not_change() -> None:
    document = read_yaml(_TEXT, path="file.yaml")

    apply_overrides(document, ["deployments.0.settings.scaledown_window=5m"])

    assert document.value == read_yaml(_TEXT, path="file.yaml").value


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("seed", "--set seed: write KEY=VALUE, such as seed=7"),
        ("=7", "--set =7: write KEY=VALUE, such as seed=7"),
        ("slo..p95=2s", "a part of the key is empty"),
        ("deployments.2.gpu=L4", "'deployments' has no '2'; it has items 0 to 1"),
        ("deployments.-1.gpu=L4", "'deployments' has no '-1'"),
        ("deployments.modl L4.gpu=L4", "(did you mean 'modal L4'?)"),
        (
            "traffic.streams.1={rate: 1/s}",
            "'traffic.streams' has no '1'; it has item 0",
        ),
        ("name.first=x", "'name' is 'example', so it has no 'first'"),
        ("service.time.mean=1s", "'service.time' is '900ms', so it has no 'mean'"),
        ("name=a: b", "is a block of YAML; write {a: b} or [a, b], or quote it"),
        ("name=- a", "is a block of YAML"),
        ("name=[a", "the '[' that opens here is never closed"),
        ("name=*x", "no anchor of this name"),
        ("name=!!python/none x", "the tag !!python/none is not supported"),
        ("name=\x1b[31m", "U+001B is not allowed"),
    ],
)
def test_an_option_that_cannot_be_applied_says_why(option: str, words: str) -> None:
    [message] = _refusal(option)

    assert message.startswith("--set ")
    assert words in message
    assert message.isprintable()


def test_every_unusable_option_is_reported() -> None:
    assert len(_refusal("seed", "a..b=1", "seed=5")) == 2


def test_a_wrong_value_names_the_option_and_no_line(tmp_path: Any) -> None:
    lines = _loading_refusal(
        tmp_path,
        "horizon=5",
        "deployments.0.settings=5",
        "slo.over.seconds=2s",
        "service.tme=2s",
        "seed",
    )

    assert lines == [
        "--set seed: write KEY=VALUE, such as seed=7",
        "--set horizon=5: '5' is not a duration; write a number and a unit, such as "
        "'90s', '5m' or '1h30m'",
        "--set service.tme=2s: unknown key (did you mean 'time'?); allowed: time, tokens",
        "--set slo.over.seconds=2s: missing key 'fraction'",
        "--set deployments.0.settings=5: expected a mapping, found 5",
    ]


def test_a_wrong_value_names_the_last_option_that_set_it(tmp_path: Any) -> None:
    lines = _loading_refusal(tmp_path, "horizon=4", "horizon=5", "seed=1")

    assert [line.partition(":")[0] for line in lines] == ["--set horizon=5"]


@pytest.mark.parametrize(
    ("key", "loc"),
    [
        ("", ()),
        ("slo", ("slo",)),
        ("deployments.1", ("deployments", 1)),
        ("deployments.1.nothing.here", ("deployments", 1, "nothing", "here")),
        ("deployments.9.gpu", ("deployments", "9", "gpu")),
    ],
)
def test_dotted_keys_are_split_as_far_as_the_value_goes(
    key: str, loc: tuple[Any, ...]
) -> None:
    assert split_key(key, read_yaml(_TEXT, path="file.yaml").value) == loc
