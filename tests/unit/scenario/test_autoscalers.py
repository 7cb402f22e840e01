"""Autoscalers in a scenario: what is read, and what is refused at which key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from costsim.errors import ScenarioError
from costsim.scenario.autoscalers import Hpa, Knative, StepTracking
from costsim.scenario.load import load_scenario
from costsim.scenario.pool import Pool
from costsim.simulation.scaling import check_autoscaler
from costsim.study.pools import pool_arguments

if TYPE_CHECKING:
    from pathlib import Path


def read(**autoscaler: Any) -> Any:
    return Pool.model_validate({"autoscaler": autoscaler}).autoscaler


MINIMAL = {
    "knative": {},
    "hpa": {"target": 2.0},
    "keda": {"target": 2.0},
    "request_rate": {"target": "2/s"},
    "step_tracking": {"target": 2.0},
}


@pytest.mark.parametrize(("kind", "required"), MINIMAL.items())
def test_defaults_are_those_of_the_engine(kind, required):
    pool = Pool.model_validate({"autoscaler": {"kind": kind, **required}})
    spelled_out = pool_arguments(pool)["autoscaler"]
    brief = {name: spelled_out[name] for name in ("kind", *required)}

    assert check_autoscaler(spelled_out) == check_autoscaler(brief)


def test_knative_by_default_panics_over_a_tenth_of_a_minute():
    knative = read(kind="knative")

    assert isinstance(knative, Knative)
    assert (knative.scaling_window, knative.panic_window_s) == (60.0, 6)


def test_the_panic_window_is_rounded_to_whole_seconds():
    knative = read(kind="knative", scaling_window="25s", panic_window_fraction=0.1)

    assert knative.panic_window_s == 3  # 2.5


def test_behavior_is_nested_as_in_kubernetes():
    hpa = read(
        kind="hpa", target=4.0, scale_down={"stabilization": "1m", "replicas": 1}
    )

    assert isinstance(hpa, Hpa)
    assert (hpa.scale_down.stabilization, hpa.scale_down.replicas) == (60.0, 1)
    assert hpa.scale_up.stabilization is None


def test_invocations_are_a_rate_with_a_unit():
    tracking = read(kind="step_tracking", target_rate="120/m")

    assert isinstance(tracking, StepTracking)
    assert tracking.target_rate == 2.0


SCENARIO = """\
name: example
horizon: 1d
traffic:
  streams:
    - {name: users, rate: 48/h}
service: {time: 900ms}
setup: 20s
deployments:
  - name: mine
    billing: {price: 1.20 USD/h}
    pool:
      concurrency_limit: 4
      autoscaler:
"""
REFUSED = {
    "a window shorter than Knative's": (
        ["kind: knative", "scaling_window: 5s"],
        *(15, "scaling_window: must be at least 6"),
    ),
    "a window of part of a second": (
        ["kind: knative", "scaling_window: 60.5s"],
        *(15, "scaling_window: must be whole seconds"),
    ),
    "a panic window shorter than a tick": (
        ["kind: knative", "scaling_window: 10s", "panic_window_fraction: 0.1"],
        *(16, "gives a panic window of 1s; it must be at least one scaling_interval"),
    ),
    "a burst capacity between always and never": (
        ["kind: knative", "target_burst_capacity: -0.5"],
        *(15, "target_burst_capacity: must be -1 (always in the path) or at least 0"),
    ),
    "a share of time above 1": (
        ["kind: hpa", "metric: busy", "target: 80"],
        *(16, "target: (80) is a share of time with metric 'busy': at most 1"),
    ),
    "a period of no limit": (
        ["kind: hpa", "target: 1", "scale_up: {replicas: 2, fraction_period: 1m}"],
        *(16, "fraction_period: has no use without fraction"),
    ),
    "a target without a unit": (
        ["kind: request_rate", "target: 5"],
        *(15, "is not a rate; write a number and a unit"),
    ),
    "a window shorter than the interval": (
        ["kind: request_rate", "target: 5/s", "scaling_window: 5s"],
        *(16, "scaling_window: must be at least one scaling_interval (10s)"),
    ),
    "two targets": (
        ["kind: step_tracking", "target: 5", "target_rate: 5/s"],
        *(16, "needs exactly one of target and target_rate"),
    ),
    "no target": (
        ["kind: step_tracking"],
        *(13, "needs exactly one of target and target_rate"),
    ),
    "a word of another autoscaler": (
        ["kind: keda", "target: 5", "metric: busy"],
        *(16, "metric: unknown key"),
    ),
}


@pytest.mark.parametrize(("lines", "line", "message"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_go_together_is_refused_at_its_line(
    tmp_path: Path, lines, line, message
):
    path = tmp_path / "scenario.yaml"
    path.write_text(SCENARIO + "".join(f"        {x}\n" for x in lines), "utf-8")

    with pytest.raises(ScenarioError) as refusal:
        load_scenario(path)

    (problem,) = refusal.value.problems
    assert problem.line == line
    assert message in f"{problem.key}: {problem.message}"


def test_the_longest_delay_with_the_shortest_interval_fits():
    delayed = {"scaling_interval": "10ms", "scale_down_delay": "1h"}

    assert read(kind="knative", **delayed).scale_down_delay == 3600.0


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValidationError, match="'knativ'"):
        read(kind="knativ")
