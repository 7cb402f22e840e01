"""Answers side by side, and gates on what differs."""

from __future__ import annotations

import json

import pytest
from small_study import always_on, answer, own

from costsim.errors import InputError
from costsim.study.compare import compare, saved_side, side_of
from costsim.study.gates import judged, read_gate


@pytest.fixture(scope="module")
def base():
    return answer(own(), always_on())


def change(comparison, deployment, measure):
    (pair,) = [one for one in comparison.pairs if one.before == deployment]
    (found,) = [one for one in pair.changes if one.measure == measure]
    return found


def test_an_answer_does_not_differ_from_itself(base):
    found = compare(side_of(base, "a"), side_of(base, "b"))

    assert found.paired
    assert all(pair.is_same for pair in found.pairs)
    assert [pair.before for pair in found.pairs] == ["own", "always on"]


def test_a_doubled_price_is_a_doubled_cost_without_any_doubt(base):
    dearer = answer(own(price="7.2 USD/h"), always_on())

    found = compare(side_of(base, "a"), side_of(dearer, "b"))

    cost = change(found, "own", "cost_usd_per_month")
    assert cost.difference.relative.value == pytest.approx(1.0)
    assert cost.difference.relative.half_width == pytest.approx(0.0, abs=1e-9)
    assert change(found, "own", "p95_s").is_same


@pytest.mark.parametrize(
    ("other", "paired"),
    [
        ({"seed": 4}, False),
        ({"replications": 4}, False),
        ({"service": {"time": "3s"}}, False),
        ({"setup": "20s"}, True),
        ({"slo": {"p95": "9s"}}, True),
    ],
)
def test_answers_are_paired_if_they_met_the_same_traffic(base, other, paired):
    found = compare(base, answer(own(), **other))

    assert found.paired is paired
    assert found.only_first == ("always on",)


def test_a_single_deployment_is_compared_whatever_it_is_called():
    first, second = answer(own("today")), answer(own("tomorrow"))

    (pair,) = compare(side_of(first, "a"), side_of(second, "b")).pairs

    assert (pair.before, pair.after) == ("today", "tomorrow")


def test_nothing_in_common_is_refused_with_what_there_is(base):
    other = side_of(answer(own("x"), own("y")), "b")

    with pytest.raises(InputError, match="a has own, always on; b has x, y"):
        compare(side_of(base, "a"), other)


def test_a_saved_answer_is_the_answer(base, tmp_path):
    (tmp_path / "result.json").write_text(base.to_json(), "utf-8")

    found = compare(side_of(base, "a"), saved_side(tmp_path))

    assert all(pair.is_same for pair in found.pairs)
    assert found.to_rows()[0]["before"] == base.rows[0].cost_usd_per_month


def without_samples(content):
    return {key: value for key, value in content.items() if key != "samples"}


@pytest.mark.parametrize(
    ("change_it", "message"),
    [
        (lambda content: [], "is no result"),
        (lambda content: {"schema_version": 7}, "has schema_version 7"),
        (without_samples, "write it again"),
        (lambda content: content | {"deployments": 3}, "write it again"),
    ],
)
def test_what_is_no_result_is_refused(base, tmp_path, change_it, message):
    path = tmp_path / "other.json"
    path.write_text(json.dumps(change_it(json.loads(base.to_json()))), "utf-8")

    with pytest.raises(InputError, match=message):
        saved_side(path)


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_is_refused(tmp_path, content):
    path = tmp_path / "x.json"
    path.write_bytes(content)

    with pytest.raises(InputError, match="is no JSON"):
        saved_side(path)


@pytest.mark.parametrize(
    ("text", "measure", "most", "kind"),
    [
        ("cost +10%", "cost_usd_per_month", 0.1, "relative"),
        ("cost+$50", "cost_usd_per_month", 50.0, "absolute"),
        (" p95 + 200ms ", "p95_s", 0.2, "absolute"),
        ("cold +1.5pp", "cold_start_fraction", 0.015, "absolute"),
        ("slow +0%", "over_slo_fraction", 0.0, "relative"),
    ],
)
def test_gates_are_read(text, measure, most, kind):
    gate = read_gate(text)

    assert (gate.measure, gate.kind) == (measure, kind)
    assert gate.most == pytest.approx(most)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cost", "write such as"),
        ("cost -10%", "write such as"),
        ("costs +10%", "did you mean 'cost'"),
        ("cold +1s", "neither a share"),
        ("p95 +1 USD", "duration"),
        ("cost +10", "amount"),
    ],
)
def test_gates_that_say_nothing_are_refused(text, message):
    with pytest.raises(InputError, match=message):
        read_gate(text)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("cost +99%", ["own"]),
        ("cost +101%", []),
        ("cost +1 USD", ["own"]),
        ("cost +9000 USD", []),
        ("p95 +0s", []),
    ],
)
def test_a_gate_fails_those_that_rose_by_more(base, text, names):
    dearer = answer(own(price="7.2 USD/h"), always_on())
    found = compare(side_of(base, "a"), side_of(dearer, "b"))

    gates = judged([read_gate(text)], found)

    assert [one.deployment for one in gates if not one.ok] == names
    assert sorted(one.deployment for one in gates) == ["always on", "own"]


def test_any_rise_from_nothing_is_more_than_a_share_of_it(base):
    rejecting = own(max_replicas=1, max_queued=0)
    found = compare(side_of(base, "a"), side_of(answer(rejecting, always_on()), "b"))

    gates = judged([read_gate("lost +500%")], found)

    # What fails comes first.
    assert [(one.deployment, one.ok) for one in gates] == [
        ("own", False),
        ("always on", True),
    ]
