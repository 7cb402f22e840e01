"""From keyword arguments to the numbers the kernel takes; every refusal stands here.

Whatever docs/model.md 1 does not allow is a ``ValueError`` that names the argument;
nothing is clipped or ignored.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from costsim.simulation.autoscaler import Policy
from costsim.simulation.rules import AtZero, Routing, Rules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from costsim.records import Floats, Ints

UNLIMITED = 2**62
"""Stands for no bound on a count."""

_CONTROL_LOOP = {"scaling_interval_s": 1.0}
_AUTOSCALERS: dict[str, tuple[Policy, dict[str, float]]] = {
    "on_demand": (Policy.ON_DEMAND, {}),
    "fixed": (Policy.ON_DEMAND, {}),
    "concurrency_window": (
        Policy.CONCURRENCY_WINDOW,
        {
            "scaling_interval_s": 5.0,
            "scaling_window_s": 60.0,
            "target_utilization": 0.7,
            "scale_down_delay_s": 900.0,
            "max_scale_down_fraction": 0.5,
        },
    ),
    "queue_delay": (Policy.QUEUE_DELAY, {**_CONTROL_LOOP, "threshold_s": 4.0}),
    "request_count": (
        Policy.REQUEST_COUNT,
        {**_CONTROL_LOOP, "requests_per_replica": 1.0},
    ),
}
_UNIT_INTERVAL = ("target_utilization", "max_scale_down_fraction")
_MAY_BE_ZERO = ("scale_down_delay_s", "threshold_s")


@dataclass(frozen=True)
class Settings:
    """A pool's settings, checked."""

    rules: Rules
    min_replicas: int
    max_replicas: int
    initial_replicas: int
    bounds_s: Floats
    bounds_min: Ints
    bounds_max: Ints


class TooFewSetupTimesError(ValueError):
    """The run launched more replicas than there were setup times for."""

    def __init__(self, given: int) -> None:
        super().__init__(
            f"setup_time_s must be long enough for every launch, got {given!r}"
        )


def refuse(argument: str, requirement: str, found: object) -> ValueError:
    """Return the error for an argument that is not allowed."""
    return ValueError(f"{argument} must be {requirement}, got {found!r}")


def times(argument: str, values: object, *, size: int | None = None) -> Floats:
    """Return an array of finite times >= 0.

    Raises
    ------
    ValueError
        If it is not one-dimensional, not of the size, negative or not finite.
    """
    array = np.ascontiguousarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise refuse(argument, "one-dimensional", array.shape)
    if size is not None and array.size != size:
        raise refuse(argument, f"of length {size}, one for each request", array.size)
    # Two passes that allocate nothing; NaN fails any comparison.
    if array.size and not (array.min() >= 0 and array.max() < np.inf):
        index = int(np.argmin(np.isfinite(array) & (array >= 0)))
        raise refuse(f"{argument}[{index}]", "finite and >= 0", float(array[index]))
    return array


def arrival_times(values: object) -> Floats:
    """Return non-decreasing finite times >= 0."""
    array = times("arrival_s", values)
    falls = array[1:] < array[:-1]
    if falls.any():
        index = int(np.argmax(falls)) + 1
        raise refuse(
            f"arrival_s[{index}]", "no earlier than the one before", array[index]
        )
    return array


def check_settings(
    *,
    idle_timeout_s: float,
    min_replicas: int,
    max_replicas: int | None,
    concurrency_limit: int,
    concurrency_target: float | None,
    buffer_replicas: int,
    max_queued: int | None,
    queue_timeout_s: float | None,
    rate_limit: tuple[float, float] | None,
    at_zero: str | tuple[str, float],
    binding: str,
    cancel_setups: bool,
    routing: str,
    initial_replicas: int | None,
    horizon_s: float | None,
    end: str,
    slowdown: float,
    autoscaler: str | Mapping[str, Any],
    bounds: Sequence[tuple[float, int, int | None]] | None,
) -> Settings:
    """Return the settings as numbers.

    Raises
    ------
    ValueError
        If one is out of range or does not go with another; names it.
    """
    kind, policy, parameters = _autoscaler(autoscaler)
    on_demand = policy is Policy.ON_DEMAND
    lowest, highest = _bounds_pair("replicas", min_replicas, max_replicas, kind)
    limit = _count("concurrency_limit", concurrency_limit, at_least=1)
    target = float(limit)
    if concurrency_target is not None:
        target = _number("concurrency_target", concurrency_target, above=0.0)
    if target > limit:
        raise refuse(
            "concurrency_target", f"at most concurrency_limit ({limit})", target
        )
    buffer = _count("buffer_replicas", buffer_replicas)
    timeout_s = _number("idle_timeout_s", idle_timeout_s, may_be_inf=True)
    if on_demand and timeout_s == 0 and (target < limit or buffer > 0):
        requirement = "> 0 with a concurrency_target below the limit or buffer_replicas"
        raise refuse("idle_timeout_s", requirement, idle_timeout_s)
    _choice("binding", binding, ("shared", "bound"))
    _flag("cancel_setups", cancel_setups)
    _on_demand_only(kind, on_demand, binding, buffer, cancel_setups)
    if slowdown != 0:
        raise refuse(
            "slowdown", "0: service that slows down is not modeled yet", slowdown
        )
    _choice("end", end, ("drain", "cut"))
    if end == "cut" and horizon_s is None:
        raise refuse("horizon_s", "given with end='cut'", horizon_s)
    zero, hold_for_s = _at_zero(at_zero)
    rate_per_s, burst = _rate_limit(rate_limit)
    bounds_s, bounds_min, bounds_max = _schedule(bounds, kind)
    rules = Rules(
        policy=int(policy),
        routing=int(_routing(routing)),
        at_zero=int(zero),
        bound=binding == "bound",
        cancel_setups=bool(cancel_setups),
        plain=bool(target == limit and buffer == 0),
        concurrency_limit=limit,
        concurrency_target=target,
        buffer_replicas=buffer,
        max_queued=UNLIMITED
        if max_queued is None
        else _count("max_queued", max_queued),
        # A concurrency window removes replicas itself; it has no idle timers (4.5).
        idle_timeout_s=math.inf if policy is Policy.CONCURRENCY_WINDOW else timeout_s,
        queue_timeout_s=_optional_time("queue_timeout_s", queue_timeout_s),
        hold_for_s=hold_for_s,
        rate_per_s=rate_per_s,
        burst=burst,
        horizon_s=_optional_time("horizon_s", horizon_s),
        cut=end == "cut",
        **parameters,
    )
    initial = (
        lowest
        if initial_replicas is None
        else _count("initial_replicas", initial_replicas)
    )
    if not lowest <= initial <= highest:
        raise refuse(
            "initial_replicas", "between min_replicas and max_replicas", initial
        )
    return Settings(rules, lowest, highest, initial, bounds_s, bounds_min, bounds_max)


def _autoscaler(
    autoscaler: str | Mapping[str, Any],
) -> tuple[str, Policy, dict[str, float]]:
    given = {"kind": autoscaler} if isinstance(autoscaler, str) else dict(autoscaler)
    kind = given.pop("kind", None)
    _choice("autoscaler", kind, tuple(_AUTOSCALERS))
    policy, defaults = _AUTOSCALERS[str(kind)]
    foreign = sorted(set(given) - set(defaults))
    if foreign:
        allowed = ", ".join(defaults) or "no parameter"
        raise refuse(f"autoscaler {kind!r}", f"given {allowed}", foreign[0])
    parameters = dict.fromkeys(Rules._fields[-7:], 0.0)
    for name, default in defaults.items():
        value = given.get(name, default)
        checked = _number(
            f"autoscaler {name}", value, above=None if name in _MAY_BE_ZERO else 0.0
        )
        if name in _UNIT_INTERVAL and checked > 1:
            raise refuse(f"autoscaler {name}", "at most 1", value)
        parameters[name] = checked
    return str(kind), policy, parameters


def _on_demand_only(
    kind: str, on_demand: bool, binding: str, buffer: int, cancel_setups: bool
) -> None:
    if not on_demand:
        for argument, used in (
            ("binding", binding == "bound"),
            ("buffer_replicas", buffer > 0),
            ("cancel_setups", cancel_setups),
        ):
            if used:
                raise refuse(argument, "left out: it goes with 'on_demand'", kind)
    if cancel_setups and binding == "bound":
        raise refuse("cancel_setups", "False with binding='bound'", cancel_setups)


def _bounds_pair(what: str, low: object, high: object, kind: str) -> tuple[int, int]:
    lowest = _count(f"min_{what}", low)
    highest = UNLIMITED if high is None else _count(f"max_{what}", high)
    if lowest > highest:
        raise refuse(f"min_{what}", f"at most max_{what} ({highest})", lowest)
    if kind == "fixed" and lowest != highest:
        raise refuse(f"max_{what}", f"min_{what} ({lowest}) when fixed", high)
    return lowest, highest


def _schedule(
    bounds: Sequence[tuple[float, int, int | None]] | None, kind: str
) -> tuple[Floats, Ints, Ints]:
    entries = []
    for index, entry in enumerate(bounds or ()):
        if len(entry) != 3:
            raise refuse(
                f"bounds[{index}]", "(time_s, min_replicas, max_replicas)", entry
            )
        time_s = _number(f"bounds[{index}] time_s", entry[0])
        entries.append((time_s, *_bounds_pair("replicas", entry[1], entry[2], kind)))
    # The key of a BOUNDS event is (time, class, entry index): a stable sort by time.
    entries.sort(key=lambda entry: entry[0])
    return (
        np.array([entry[0] for entry in entries], dtype=np.float64),
        np.array([entry[1] for entry in entries], dtype=np.int64),
        np.array([entry[2] for entry in entries], dtype=np.int64),
    )


def _at_zero(at_zero: object) -> tuple[AtZero, float]:
    if at_zero == "hold":
        return AtZero.HOLD, math.inf
    if at_zero == "reject":
        return AtZero.REJECT, math.inf
    pair = at_zero if isinstance(at_zero, tuple | list) else ()
    if len(pair) == 2 and pair[0] == "hold_for":
        return AtZero.HOLD_FOR, _number("at_zero hold_for", pair[1], may_be_inf=True)
    raise refuse("at_zero", "'hold', 'reject' or ('hold_for', seconds)", at_zero)


def _rate_limit(rate_limit: object) -> tuple[float, float]:
    if rate_limit is None:
        return math.inf, math.inf
    if not isinstance(rate_limit, tuple | list) or len(rate_limit) != 2:
        raise refuse("rate_limit", "(rate_per_s, burst)", rate_limit)
    rate_per_s = _number("rate_limit rate_per_s", rate_limit[0])
    return rate_per_s, _number("rate_limit burst", rate_limit[1])


def _routing(name: str) -> Routing:
    _choice("routing", name, tuple(routing.name.lower() for routing in Routing))
    return Routing[name.upper()]


def _choice(argument: str, value: object, allowed: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in allowed:
        raise refuse(argument, "one of " + ", ".join(map(repr, allowed)), value)


def _flag(argument: str, value: object) -> None:
    if not isinstance(value, bool | np.bool_):
        raise refuse(argument, "True or False", value)


def _count(argument: str, value: object, *, at_least: int = 0) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < at_least:
        raise refuse(argument, f"a whole number >= {at_least}", value)
    return min(int(value), UNLIMITED)


def _number(
    argument: str,
    value: object,
    *,
    above: float | None = None,
    may_be_inf: bool = False,
) -> float:
    numeric = isinstance(value, Real) and not isinstance(value, bool)
    number = float(value) if numeric else math.nan  # type: ignore[arg-type]
    low_enough = number > above if above is not None else number >= 0
    if not low_enough or (math.isinf(number) and not may_be_inf):
        bound = "> 0" if above is not None else ">= 0"
        raise refuse(argument, f"{'' if may_be_inf else 'finite and '}{bound}", value)
    return number


def _optional_time(argument: str, value: object) -> float:
    return math.inf if value is None else _number(argument, value, may_be_inf=True)
