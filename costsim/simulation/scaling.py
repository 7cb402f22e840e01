"""The parameters of each autoscaler: names, defaults, ranges (docs/model.md 9)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from costsim.simulation.arguments import check_choice, check_number, refuse
from costsim.simulation.autoscaler import GUARD, Policy
from costsim.simulation.policies.hpa import Select

MOST_DECISIONS = 1_000_000
"""Most decisions that a loop is asked to remember."""

_SLOWEST_RATE = 1.001
"""Any nearer to 1 and a pool might stay where it is."""


@dataclass(frozen=True)
class Scaling:
    """An autoscaler, checked."""

    kind: str
    policy: Policy
    parameters: dict[str, Any]
    """Fields of ``Rules``."""


@dataclass(frozen=True)
class Parameter:
    """A number that an autoscaler takes."""

    default: float | None
    """None: it must be given."""
    at_least: float = 0.0
    above: float | None = None
    at_most: float = math.inf
    whole: bool = False

    def checked(self, name: str, value: object) -> float:
        """Return the value as a number of the range, or refuse it by its name."""
        if value is None:
            raise refuse(name, "given", value)
        number = check_number(
            name, value, at_least=self.at_least, above=self.above, at_most=self.at_most
        )
        if not self.whole:
            return number
        if number != math.floor(number):
            raise refuse(name, "a whole number", value)
        return int(number)


def _positive(default: float | None = None) -> Parameter:
    return Parameter(default, above=0.0)


def _share(default: float) -> Parameter:
    return Parameter(default, above=0.0, at_most=1.0)


def _whole_seconds(default: float, at_least: float = 0.0) -> Parameter:
    return Parameter(default, at_least, at_most=3600.0, whole=True)


def _datapoints(default: int) -> Parameter:
    return Parameter(default, at_least=1.0, at_most=MOST_DECISIONS, whole=True)


_AUTOSCALERS: dict[str, tuple[Policy, dict[str, Parameter]]] = {
    "on_demand": (Policy.ON_DEMAND, {}),
    "fixed": (Policy.ON_DEMAND, {}),
    "concurrency_window": (
        Policy.CONCURRENCY_WINDOW,
        {
            "scaling_interval_s": _positive(5.0),
            "scaling_window_s": _positive(60.0),
            "target_utilization": _share(0.7),
            "scale_down_delay_s": Parameter(900.0),
            "max_scale_down_fraction": _share(0.5),
        },
    ),
    "queue_delay": (
        Policy.QUEUE_DELAY,
        {"scaling_interval_s": _positive(1.0), "threshold_s": Parameter(4.0)},
    ),
    "request_count": (
        Policy.REQUEST_COUNT,
        {"scaling_interval_s": _positive(1.0), "requests_per_replica": _positive(1.0)},
    ),
    "knative": (
        Policy.KNATIVE,
        {
            "scaling_interval_s": _positive(2.0),
            "scaling_window_s": _whole_seconds(60.0, at_least=6.0),
            "panic_window_fraction": Parameter(0.1, at_least=0.01, at_most=1.0),
            "panic_threshold": Parameter(2.0, at_least=1.1, at_most=10.0),
            "target_utilization": _share(0.7),
            "max_scale_up_rate": Parameter(1000.0, at_least=_SLOWEST_RATE),
            "max_scale_down_rate": Parameter(2.0, at_least=_SLOWEST_RATE),
            "scale_down_delay_s": _whole_seconds(0.0),
            "activation_scale": Parameter(
                1, at_least=1.0, at_most=MOST_DECISIONS, whole=True
            ),
            "target_burst_capacity": Parameter(211.0, at_least=-1.0),
            "grace_period_s": _positive(30.0),
            "retention_s": Parameter(0.0),
        },
    ),
    "hpa": (
        Policy.HPA,
        {"scaling_interval_s": _positive(15.0), "target": _positive()},
    ),
    "keda": (
        Policy.KEDA,
        {
            "scaling_interval_s": _positive(15.0),
            "target": _positive(),
            "polling_interval_s": _positive(30.0),
            "cooldown_s": Parameter(300.0),
            "initial_cooldown_s": Parameter(0.0),
            "activation_threshold": Parameter(0.0),
        },
    ),
    "request_rate": (
        Policy.REQUEST_RATE,
        {
            "scaling_interval_s": _positive(10.0),
            "scaling_window_s": _positive(60.0),
            "target": _positive(),
            "up_delay_s": Parameter(300.0),
            "down_delay_s": Parameter(600.0),
        },
    ),
    "step_tracking": (
        Policy.STEP_TRACKING,
        {
            "scaling_interval_s": _positive(60.0),
            "high_datapoints": _datapoints(3),
            "low_datapoints": _datapoints(15),
            "low_fraction": Parameter(0.9, at_least=0.01, at_most=1.0),
            "up_cooldown_s": Parameter(300.0),
            "down_cooldown_s": Parameter(300.0),
        },
    ),
}
_MORE_NAMES = {
    "hpa": ("metric", "scale_up", "scale_down"),
    "keda": ("scale_up", "scale_down"),
    "step_tracking": ("target", "target_rate_per_s"),
}
"""Parameters that are not simply numbers."""

_REMOVING = frozenset(
    {"concurrency_window", "knative", "hpa", "keda", "request_rate", "step_tracking"}
)
_WAKING_ITSELF = frozenset({"keda", "step_tracking"})
_OBSERVING = frozenset(
    {"concurrency_window", "knative", "request_rate", "step_tracking"}
)
HAS_OWN_TARGET = frozenset({"hpa", "keda", "request_rate", "step_tracking"})
"""Autoscalers that do not aim at the pool's concurrency target."""


def check_autoscaler(autoscaler: str | Mapping[str, Any]) -> Scaling:
    """Return an autoscaler as numbers.

    Raises
    ------
    ValueError
        If there is no such one, or a parameter is not its own or out of range.
    """
    given = {"kind": autoscaler} if isinstance(autoscaler, str) else dict(autoscaler)
    kind = given.pop("kind", None)
    check_choice("autoscaler", kind, tuple(_AUTOSCALERS))
    kind = str(kind)
    policy, numbers = _AUTOSCALERS[kind]
    names = (*numbers, *_MORE_NAMES.get(kind, ()))
    foreign = sorted(set(given) - set(names))
    if foreign:
        allowed = ", ".join(names) or "no parameter"
        raise refuse(f"autoscaler {kind!r}", f"given {allowed}", foreign[0])
    parameters: dict[str, Any] = {
        name: number.checked(f"autoscaler {name}", given.get(name, number.default))
        for name, number in numbers.items()
    }
    parameters |= {
        "removes": kind in _REMOVING,
        "wakes_itself": kind in _WAKING_ITSELF,
        "observes": kind in _OBSERVING,
    }
    if kind == "knative":
        _derive_knative(parameters)
    elif kind in ("hpa", "keda"):
        parameters |= _hpa(given, parameters)
    elif kind == "request_rate":
        _at_least_an_interval("scaling_window_s", parameters)
    elif kind == "step_tracking":
        parameters |= _tracked(given)
    _check_memory(parameters)
    return Scaling(kind, policy, parameters)


def _at_least_an_interval(name: str, parameters: dict[str, Any]) -> None:
    interval_s = parameters["scaling_interval_s"]
    if parameters[name] < interval_s:
        requirement = f"at least scaling_interval_s ({interval_s:g})"
        raise refuse(f"autoscaler {name}", requirement, parameters[name])


def _check_memory(parameters: dict[str, Any]) -> None:
    """Refuse windows of more decisions than a loop is asked to remember."""
    interval_s = parameters.get("scaling_interval_s", math.inf)
    names = list(_BEHAVIOR_TIMES)
    # Knative counts its windows in seconds.
    names.append(
        "scale_down_delay_s" if "delay_slots" in parameters else "scaling_window_s"
    )
    for name in names:
        if parameters.get(name, 0.0) > MOST_DECISIONS * interval_s:
            requirement = f"at most {MOST_DECISIONS:,} scaling intervals"
            raise refuse(f"autoscaler {name}", requirement, parameters[name])


# --- Knative


def _derive_knative(parameters: dict[str, Any]) -> None:
    """Replace what Knative's words say by what its rules count in."""
    window_s = parameters["scaling_window_s"]
    interval_s = parameters["scaling_interval_s"]
    fraction = parameters.pop("panic_window_fraction")
    parameters["panic_window_s"] = max(1, math.floor(window_s * fraction + 0.5))
    if parameters["panic_window_s"] < interval_s:
        least = f"at least scaling_interval_s / scaling_window_s ({interval_s / window_s:g})"
        raise refuse("autoscaler panic_window_fraction", least, fraction)
    burst = parameters["target_burst_capacity"]
    if -1 < burst < 0:
        raise refuse("autoscaler target_burst_capacity", "-1 or >= 0", burst)
    delay = parameters["scale_down_delay_s"] / interval_s
    parameters["delay_slots"] = math.ceil(delay - GUARD)


# --- The horizontal pod autoscaler

_BEHAVIOR: dict[str, Parameter] = {
    "stabilization_s": Parameter(0.0, at_most=3600.0),
    "tolerance": Parameter(0.1, at_most=0.999),
    "replicas": Parameter(0, at_least=1.0, at_most=MOST_DECISIONS, whole=True),
    "replicas_period_s": Parameter(15.0, above=0.0, at_most=1800.0),
    "fraction": Parameter(0.0, at_least=0.01, at_most=1e4),
    "fraction_period_s": Parameter(15.0, above=0.0, at_most=1800.0),
}
_BEHAVIOR_TIMES = tuple(
    f"{way}_{name}"
    for way in ("up", "down")
    for name in _BEHAVIOR
    if name.endswith("_s")
)
_BY_DEFAULT: dict[str, dict[str, float]] = {
    "scale_up": {"stabilization_s": 0.0, "replicas": 4, "fraction": 1.0},
    "scale_down": {"stabilization_s": 300.0, "replicas": 0, "fraction": 1.0},
}


def _hpa(given: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    metric = given.get("metric", "requests")
    check_choice("autoscaler metric", metric, ("requests", "busy"))
    if metric == "busy" and parameters["target"] > 1:
        requirement = "at most 1, a share, with metric 'busy'"
        raise refuse("autoscaler target", requirement, parameters["target"])
    behavior = {"measures_busy": metric == "busy"}
    for key, prefix in (("scale_up", "up"), ("scale_down", "down")):
        rules = _scaling_rules(key, given.get(key) or {})
        behavior |= {f"{prefix}_{name}": value for name, value in rules.items()}
    return behavior


def _scaling_rules(key: str, given: object) -> dict[str, Any]:
    """Return what limits the way up or the way down."""
    if not isinstance(given, Mapping):
        raise refuse(f"autoscaler {key}", "a mapping", given)
    foreign = sorted(set(given) - set(_BEHAVIOR) - {"select"})
    if foreign:
        allowed = ", ".join((*_BEHAVIOR, "select"))
        raise refuse(f"autoscaler {key}", f"given {allowed}", foreign[0])
    select = given.get("select", "max")
    check_choice(f"autoscaler {key} select", select, tuple(_SELECTS))
    rules: dict[str, Any] = {"select": int(_SELECTS[str(select)])}
    defaults = dict(_BY_DEFAULT[key])
    if any(given.get(name) is not None for name in ("replicas", "fraction")):
        # As in Kubernetes: one of one's own, and those of the house are gone.
        del defaults["replicas"], defaults["fraction"]
    for name, number in _BEHAVIOR.items():
        value = given.get(name)
        if value is None:
            rules[name] = defaults.get(name, number.default)
        else:
            rules[name] = number.checked(f"autoscaler {key} {name}", value)
    return rules


_SELECTS = {select.name.lower(): select for select in Select}


# --- Tracking by alarms


def _tracked(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is tracked: requests in system, or the rate of arrivals."""
    names = ("target", "target_rate_per_s")
    found = [name for name in names if given.get(name) is not None]
    if len(found) != 1:
        requirement = "given either target or target_rate_per_s"
        raise refuse("autoscaler 'step_tracking'", requirement, found)
    name = found[0]
    return {
        "target": _positive().checked(f"autoscaler {name}", given[name]),
        "counts_arrivals": name == "target_rate_per_s",
    }
