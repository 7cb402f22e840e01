"""What can be turned at a deployment, and where it stands."""

from typing import Any

import pytest
from small_study import always_on, own

from costsim.catalog.platform import load_catalog
from costsim.errors import InputError
from costsim.scenario.deployment import ResolvedDeployment, resolve
from costsim.scenario.knobs import KNOBS, Knob, find_knobs, turned
from costsim.scenario.schema import Deployment, Scenario

_CATALOG = load_catalog()
_SCENARIO: dict[str, Any] = {
    "name": "knobs",
    "horizon": "1h",
    "traffic": {"streams": [{"rate": "60/h"}]},
    "service": {"time": "1s"},
    "setup": "10s",
}


def _on(platform: str, **keys: Any) -> Deployment:
    return Deployment.model_validate({"name": "one", "platform": platform, **keys})


def _knobs(deployment: Deployment) -> dict[str, Knob]:
    platform = deployment.platform
    return find_knobs(deployment, _CATALOG.find(platform) if platform else None)


def _pool(**keys: Any) -> Deployment:
    return Deployment.model_validate(own(**keys))


def _resolved(deployment: Deployment) -> ResolvedDeployment:
    scenario = Scenario.model_validate({**_SCENARIO, "deployments": [own()]})
    scenario = scenario.model_copy(update={"deployments": (deployment,)})
    return resolve(scenario, _CATALOG).deployments[0]


@pytest.mark.parametrize(
    ("platform", "word"),
    [
        ("modal", "scaledown_window"),
        ("baseten", "scale_down_delay"),
        ("runpod", "idle_timeout"),
        ("fireworks", "scale_down_window"),
        ("sagemaker", "scale_in_cooldown"),
        ("azure-container-apps", "cooldown"),
        ("keda", "cooldownPeriod"),
        ("hpa", "scaleDown_stabilizationWindowSeconds"),
    ],
)
def test_idle_timeout_of_a_platform_is_the_setting_that_fills_it(
    platform: str, word: str
) -> None:
    assert _knobs(_on(platform))["idle_timeout"].word == word


@pytest.mark.parametrize(
    ("autoscaler", "key"),
    [
        ({"kind": "on_demand"}, "idle_timeout"),
        ({"kind": "queue_delay"}, "idle_timeout"),
        ({"kind": "concurrency_window"}, "autoscaler.scale_down_delay"),
        ({"kind": "knative"}, "autoscaler.scale_down_delay"),
        ({"kind": "step_tracking", "target": 1.0}, "autoscaler.down_cooldown"),
        ({"kind": "request_rate", "target": "1/s"}, "autoscaler.down_delay"),
        ({"kind": "keda", "target": 1.0}, "autoscaler.cooldown"),
        ({"kind": "hpa", "target": 1.0}, "autoscaler.scale_down.stabilization"),
    ],
    ids=lambda value: value if isinstance(value, str) else value["kind"],
)
def test_idle_timeout_of_a_pool_is_the_key_that_its_autoscaler_heeds(
    autoscaler: dict[str, Any], key: str
) -> None:
    assert _knobs(_pool(autoscaler=autoscaler))["idle_timeout"].word == key


def test_a_choice_in_a_platform_file_is_made_by_the_deployment() -> None:
    metric = _on("keda", settings={"trigger": "http_add_on"})

    words = {name: knob.word for name, knob in _knobs(metric).items()}

    assert (words["idle_timeout"], words["concurrency_target"]) == (
        "scaledownPeriod",
        "targetValue",
    )


def test_no_word_is_two_knobs_on_any_platform() -> None:
    words = {
        name: [knob.word for knob in _knobs(_on(name)).values()]
        for name in _CATALOG.names
    }

    assert {name: sorted(set(one)) for name, one in words.items()} == {
        name: sorted(one) for name, one in words.items()
    }


def test_knobs_come_in_one_order() -> None:
    found = [list(_knobs(_on(name))) for name in _CATALOG.names]

    assert found == [sorted(one, key=KNOBS.index) for one in found]


def test_a_target_that_is_a_share_of_busy_time_is_no_concurrency_target() -> None:
    share = {"kind": "hpa", "metric": "busy", "target": 0.6}

    assert "concurrency_target" not in _knobs(_pool(autoscaler=share))


def test_a_learned_keep_alive_has_no_idle_timeout() -> None:
    assert "idle_timeout" not in _knobs(_pool(keep_alive={"kind": "histogram"}))


def test_turned_setting_reaches_the_pool() -> None:
    modal = _on("modal", gpu="L4", resources={"cpu": 1, "memory": "16 GiB"})
    knobs = _knobs(modal)

    modal = turned(modal, knobs["idle_timeout"], 90.0)
    modal = turned(modal, knobs["min_replicas"], 2)

    pool = _resolved(modal).pool
    assert (pool.idle_timeout, pool.min_replicas) == (90.0, 2)


def test_turned_key_reaches_the_pool() -> None:
    loop = _pool(autoscaler={"kind": "hpa", "target": 1.0}, min_replicas=1)

    changed = turned(loop, _knobs(loop)["idle_timeout"], 45.0).pool

    assert changed is not None
    assert changed.autoscaler.scale_down.stabilization == 45.0  # type: ignore[union-attr]


def test_turning_leaves_the_deployment_as_it_was() -> None:
    before = _pool(idle_timeout="60s")

    turned(before, _knobs(before)["idle_timeout"], 90.0)

    assert before == _pool(idle_timeout="60s")


def test_turning_to_what_is_there_changes_nothing_in_effect() -> None:
    deployments = [
        _on("baseten", instance="L4:4x16", settings={"max_replica": 4}),
        _pool(autoscaler={"kind": "concurrency_window"}, max_replicas=3),
    ]

    again = [
        turned(one, knob, knob.value)
        for one in deployments
        for knob in _knobs(one).values()
        if knob.value is not None
    ]

    pools = {_resolved(one).pool.model_dump_json() for one in again}
    assert pools == {_resolved(one).pool.model_dump_json() for one in deployments}


def test_a_number_of_replicas_that_stays_is_both_bounds() -> None:
    fixed = Deployment.model_validate(always_on())
    vendor = _on("ec2", instance="g6.xlarge")

    pools = [
        _resolved(turned(one, _knobs(one)["min_replicas"], 3)).pool
        for one in (fixed, vendor)
    ]

    assert [(one.min_replicas, one.max_replicas) for one in pools] == [(3, 3), (3, 3)]


def test_a_maximum_that_is_left_out_follows_the_minimum_it_is_taken_from() -> None:
    assert "max_replicas" in _knobs(_on("vertex"))["min_replicas"].moves


def test_turning_a_target_leaves_the_slots_of_a_replica() -> None:
    four = _on("baseten", instance="L4:4x16", settings={"concurrency_target": 4})

    pool = _resolved(turned(four, _knobs(four)["concurrency_target"], 2)).pool

    assert (pool.concurrency_target, pool.concurrency_limit) == (2, 4)


def test_a_share_in_per_cent_is_turned_in_requests_per_replica() -> None:
    gcp = _on("cloud-run", settings={"max_concurrency": 10})
    knob = _knobs(gcp)["concurrency_target"]

    changed = turned(gcp, knob, 5.0)

    assert changed.settings["concurrency_utilization"] == 50
    assert knob.said(5.0) == "concurrency_utilization 50"


def test_a_request_count_is_a_target() -> None:
    settings = {"scaler_type": "REQUEST_COUNT", "scaler_value": 3}
    knob = _knobs(_on("runpod", settings=settings))["concurrency_target"]

    assert (knob.word, knob.value) == ("scaler_value", 3.0)


@pytest.mark.parametrize(
    ("value", "said"),
    [(30 * 60.0, "scaledown_window 30m is not allowed"), (0.5, "from 2s to 20m")],
)
def test_what_a_setting_does_not_take_is_refused(value: float, said: str) -> None:
    modal = _on("modal")

    with pytest.raises(InputError, match=said):
        turned(modal, _knobs(modal)["idle_timeout"], value)


def test_what_a_pool_forbids_is_refused_with_its_rule() -> None:
    most = _pool(max_replicas=2)

    with pytest.raises(InputError, match=r"min_replicas 3.*must not exceed"):
        turned(most, _knobs(most)["min_replicas"], 3)


@pytest.mark.parametrize("text", ["90", "soon", "never", "21m", ""])
def test_a_text_that_is_no_value_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="write a duration from 2s to 20m"):
        _knobs(_on("modal"))["idle_timeout"].read(text)


def test_half_a_replica_is_refused() -> None:
    with pytest.raises(InputError, match="a whole number"):
        _knobs(_pool())["min_replicas"].read("0.5")


def test_an_idle_timeout_of_ones_own_may_be_endless() -> None:
    endless = _pool()
    knob = _knobs(endless)["idle_timeout"]

    changed = turned(endless, knob, knob.read("never")).pool

    assert changed is not None
    assert changed.idle_timeout == float("inf")
