"""From keyword arguments to the numbers the kernel takes; every refusal stands here.

Whatever docs/model.md 1 does not allow is a ``ValueError`` that names the argument;
nothing is clipped or ignored.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from costsim.simulation.arguments import (
    UNLIMITED,
    check_choice,
    check_count,
    check_flag,
    check_number,
    refuse,
)
from costsim.simulation.autoscaler import Policy
from costsim.simulation.mappings import (
    failure_rules,
    keep_alive_rules,
    mixture_rules,
)
from costsim.simulation.rules import AtZero, Routing, Rules
from costsim.simulation.scaling import HAS_OWN_TARGET, Scaling, check_autoscaler

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from costsim.records import Floats, Ints


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
    histogram_bins: int
    """Bins of idle times; 0: the idle timeout is not learned."""


class TooFewSetupTimesError(ValueError):
    """The run launched more replicas than there were setup times for."""

    def __init__(self, given: int) -> None:
        super().__init__(
            f"setup_time_s must be long enough for every launch, got {given!r}"
        )


class TooFewLifetimesError(ValueError):
    """More replicas became ready than there were lifetimes for."""

    def __init__(self, given: int) -> None:
        super().__init__(
            f"failures lifetime_s must be long enough for every replica, got {given!r}"
        )


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
    failures: Mapping[str, Any] | None = None,
    setup_mixture: Mapping[str, Any] | None = None,
    keep_alive: Mapping[str, Any] | None = None,
    records: bool = False,
) -> Settings:
    """Return the settings as numbers.

    Raises
    ------
    ValueError
        If one is out of range or does not go with another; names it.
    """
    scaling = check_autoscaler(autoscaler)
    kind = scaling.kind
    on_demand = scaling.policy is Policy.ON_DEMAND
    lowest, highest = _bounds_pair("replicas", min_replicas, max_replicas, kind)
    limit = check_count("concurrency_limit", concurrency_limit, at_least=1)
    target = float(limit)
    if concurrency_target is not None:
        target = check_number("concurrency_target", concurrency_target, above=0.0)
    if target > limit:
        raise refuse(
            "concurrency_target", f"at most concurrency_limit ({limit})", target
        )
    buffer = check_count("buffer_replicas", buffer_replicas)
    timeout_s = check_number("idle_timeout_s", idle_timeout_s, may_be_inf=True)
    if on_demand and timeout_s == 0 and (target < limit or buffer > 0):
        requirement = "> 0 with a concurrency_target below the limit or buffer_replicas"
        raise refuse("idle_timeout_s", requirement, idle_timeout_s)
    check_choice("binding", binding, ("shared", "bound"))
    check_flag("cancel_setups", cancel_setups)
    _on_demand_only(kind, on_demand, binding, buffer, cancel_setups)
    slower = check_number("slowdown", slowdown)
    learned, histogram_bins = keep_alive_rules(keep_alive)
    if keep_alive is not None and (kind != "on_demand" or target < limit or buffer):
        requirement = "left out but on demand, with the target at the limit, no buffer"
        raise refuse("keep_alive", requirement, keep_alive)
    check_choice("end", end, ("drain", "cut"))
    if end == "cut" and horizon_s is None:
        raise refuse("horizon_s", "given with end='cut'", horizon_s)
    zero, hold_for_s = _at_zero(at_zero)
    rate_per_s, burst = _rate_limit(rate_limit)
    bounds_s, bounds_min, bounds_max = _schedule(bounds, kind)
    _of_the_loop(scaling, concurrency_target, zero, [lowest, *bounds_min.tolist()])
    rules = Rules(
        policy=int(scaling.policy),
        routing=int(_routing(routing, limit)),
        at_zero=int(zero),
        bound=binding == "bound",
        cancel_setups=bool(cancel_setups),
        plain=bool(target == limit and buffer == 0),
        concurrency_limit=limit,
        concurrency_target=target,
        buffer_replicas=buffer,
        max_queued=UNLIMITED
        if max_queued is None
        else check_count("max_queued", max_queued),
        # A loop that removes replicas itself has no idle timers (4.5).
        idle_timeout_s=math.inf if scaling.parameters["removes"] else timeout_s,
        queue_timeout_s=_optional_time("queue_timeout_s", queue_timeout_s),
        hold_for_s=hold_for_s,
        rate_per_s=rate_per_s,
        burst=burst,
        horizon_s=_optional_time("horizon_s", horizon_s),
        cut=end == "cut",
        cut_s=_optional_time("horizon_s", horizon_s) if end == "cut" else math.inf,
        slowdown=slower,
        tracked=slower > 0 or failures is not None,
        records=records,
        **failure_rules(failures),
        **mixture_rules(setup_mixture),
        **learned,
        **scaling.parameters,
    )
    initial = (
        lowest
        if initial_replicas is None
        else check_count("initial_replicas", initial_replicas)
    )
    if not lowest <= initial <= highest:
        raise refuse(
            "initial_replicas", "between min_replicas and max_replicas", initial
        )
    return Settings(
        rules,
        lowest,
        highest,
        initial,
        bounds_s,
        bounds_min,
        bounds_max,
        histogram_bins,
    )


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


def _of_the_loop(
    scaling: Scaling,
    concurrency_target: float | None,
    at_zero: AtZero,
    min_replicas: list[int],
) -> None:
    """Refuse what does not go with a control loop (9)."""
    if scaling.kind in HAS_OWN_TARGET and concurrency_target is not None:
        requirement = f"left out: {scaling.kind!r} has a target of its own"
        raise refuse("concurrency_target", requirement, concurrency_target)
    if scaling.kind == "keda" and at_zero is AtZero.REJECT:
        requirement = "'hold' or ('hold_for', seconds): 'keda' counts who waits"
        raise refuse("at_zero", requirement, "reject")
    if scaling.parameters.get("measures_busy") and min(min_replicas) == 0:
        requirement = "at least 1, in bounds too, with metric 'busy'"
        raise refuse("min_replicas", requirement, 0)


def _bounds_pair(what: str, low: object, high: object, kind: str) -> tuple[int, int]:
    lowest = check_count(f"min_{what}", low)
    highest = UNLIMITED if high is None else check_count(f"max_{what}", high)
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
        time_s = check_number(f"bounds[{index}] time_s", entry[0])
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
        return AtZero.HOLD_FOR, check_number(
            "at_zero hold_for", pair[1], may_be_inf=True
        )
    raise refuse("at_zero", "'hold', 'reject' or ('hold_for', seconds)", at_zero)


def _rate_limit(rate_limit: object) -> tuple[float, float]:
    if rate_limit is None:
        return math.inf, math.inf
    if not isinstance(rate_limit, tuple | list) or len(rate_limit) != 2:
        raise refuse("rate_limit", "(rate_per_s, burst)", rate_limit)
    rate_per_s = check_number("rate_limit rate_per_s", rate_limit[0])
    return rate_per_s, check_number("rate_limit burst", rate_limit[1])


def _routing(name: str, concurrency_limit: int) -> Routing:
    check_choice("routing", name, tuple(routing.name.lower() for routing in Routing))
    routing = Routing[name.upper()]
    by_load = routing in (Routing.LEAST_LOADED, Routing.MOST_LOADED)
    # With one slot whoever has one free has no load: what is left is the smallest id.
    return Routing.OLDEST if by_load and concurrency_limit == 1 else routing


def _optional_time(argument: str, value: object) -> float:
    return math.inf if value is None else check_number(argument, value, may_be_inf=True)
