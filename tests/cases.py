"""Small random pools full of ties, for a kernel to agree with the reference on.

`make_case` asks a chooser for every decision, so that the same cases come out of a
seeded generator (fast) and out of hypothesis (which shrinks what it finds).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

EXACT_FIELDS = {
    "requests": (
        *("arrival_s", "start_s", "departure_s"),
        *("replica", "cold", "launched", "outcome"),
    ),
    "replicas": ("launch_s", "ready_s", "stop_s", "n_served"),
}
SUMMED_FIELDS = {"replicas": ("busy_s", "slot_s")}
"""Sums of several times: the order of summation is free, so on times that are not
multiples of a power of two they may differ in the last digits."""

ROUTINGS = (
    *("most_recently_used", "least_recently_used", "newest", "oldest"),
    *("least_loaded", "most_loaded", "round_robin"),
)
INF = float("inf")
N_SETUPS = 1000
SETUPS_PER_REQUEST = 60
"""A control loop that launches and removes at each tick needs this many at times."""


class Chooser(Protocol):
    def integer(self, low: int, high: int) -> int: ...

    def pick(self, options: Sequence[Any]) -> Any: ...


class RandomChooser:
    """Decisions from a NumPy generator."""

    def __init__(self, rng):
        self.rng = rng

    def integer(self, low, high):
        return int(self.rng.integers(low, high + 1))

    def pick(self, options):
        return options[int(self.rng.integers(len(options)))]


@dataclass(frozen=True)
class Case:
    """The arguments of one call."""

    arrival_s: list[float]
    service_time_s: list[float]
    setup_pattern_s: list[float]
    """Repeated for as many launches as there may be."""
    settings: dict[str, Any]
    exact: bool
    """Whether all times are multiples of a power of two: their sums are then exact."""

    def run(self, simulate, **changed):
        settings = {**self.settings, **changed}
        n_setups = N_SETUPS + SETUPS_PER_REQUEST * len(self.arrival_s)
        setup_time_s = np.resize(self.setup_pattern_s, n_setups)
        arrays = (np.array(self.arrival_s), np.array(self.service_time_s))
        return simulate(*arrays, setup_time_s, **settings)


def random_case(seed, number, longest=12):
    """Return the same case for the same two numbers."""
    return make_case(RandomChooser(np.random.default_rng((seed, number))), longest)


def make_case(choose, longest=12):
    """Return a valid case of at most `longest` requests.

    Times are multiples of a unit, so that ties abound. 0.1 s has no exact double: there
    ties come about by rounding or not at all, which convicts any comparison that
    rounds otherwise than clause 3.2.
    """
    unit_s = choose.pick((1.0, 1.0, 0.25, 0.1))
    kind = choose.pick(
        ("on_demand",) * 5
        + ("fixed", "concurrency_window", "concurrency_window")
        + ("queue_delay", "request_count")
    )
    n_requests = choose.integer(choose.pick((0, longest // 2)), longest)
    arrivals = make_arrivals(choose, n_requests)
    settings = {"autoscaler": make_autoscaler(choose, kind, unit_s)}
    settings |= make_bounds(choose, kind, arrivals, unit_s)
    settings |= make_service_settings(choose, kind, unit_s)
    settings |= make_admission(choose, unit_s)
    settings |= make_end(choose, arrivals, unit_s)
    if choose.integer(0, 3) == 0:
        first = [choose.pick((0, 1, 2, 4, 9)) * unit_s for _ in arrivals]
        settings["first_service_time_s"] = np.array(first)
    return Case(
        arrival_s=[time * unit_s for time in arrivals],
        service_time_s=make_service_times(choose, n_requests, unit_s),
        setup_pattern_s=make_setup_times(choose, unit_s),
        settings=settings,
        exact=unit_s != 0.1,
    )


def make_arrivals(choose, n_requests):
    longest_gap = choose.pick((1, 3, 9, 25))
    times, now = [], choose.integer(0, 3)
    for _ in range(n_requests):
        times.append(now)
        now += choose.pick((0, 0, 1, 1, 2, longest_gap))
    return times


def make_service_times(choose, n_requests, unit_s):
    longest = choose.pick((1, 3, 8, 21, 34))
    options = (0, 1, 2, 3, longest)
    return [choose.pick(options) * unit_s for _ in range(n_requests)]


def make_setup_times(choose, unit_s):
    options = choose.pick(((0,), (2,), (0, 1, 2, 5), (1, 3, 4, 9), (7, 20, 21)))
    return [choose.pick(options) * unit_s for _ in range(5)]


def make_autoscaler(choose, kind, unit_s):
    if kind in ("on_demand", "fixed"):
        return choose.pick((kind, {"kind": kind}))
    loop = {"kind": kind, "scaling_interval_s": choose.pick((1, 1, 2, 3, 5)) * unit_s}
    if kind == "queue_delay":
        return {**loop, "threshold_s": choose.pick((0, 1, 2, 5)) * unit_s}
    if kind == "request_count":
        return {**loop, "requests_per_replica": choose.pick((0.5, 1, 1.5, 2, 3))}
    return {
        **loop,
        "scaling_window_s": choose.pick((1, 2, 4, 7, 10, 20)) * unit_s,
        "target_utilization": choose.pick((0.25, 0.5, 0.7, 1.0)),
        "scale_down_delay_s": choose.pick((0, 0, 1, 3, 10)) * unit_s,
        # the last one: floor needs its guard to take 2 of 3
        "max_scale_down_fraction": choose.pick((0.1, 0.3, 0.5, 1.0, 0.66666666666)),
    }


def make_pair(choose, kind):
    """Return a lower and an upper bound on replicas."""
    if kind == "fixed":
        return (choose.integer(0, 4),) * 2
    upper = choose.pick((None, None, 0, 1, 2, 3, 5))
    lower = choose.pick((0, 0, 0, 1, 2, 3))
    return (lower if upper is None else min(lower, upper), upper)


def make_bounds(choose, kind, arrivals, unit_s):
    lower, upper = make_pair(choose, kind)
    settings = {"min_replicas": lower, "max_replicas": upper}
    often = 2 if kind == "concurrency_window" else 0  # to see more replicas drain
    if kind != "fixed" and choose.integer(0, 2) <= often:
        initial = lower + choose.integer(0, 3)
        settings["initial_replicas"] = initial if upper is None else min(initial, upper)
    if choose.integer(0, 3) == 0:
        last = max(arrivals, default=0)
        times = [choose.integer(0, last + 9) for _ in range(choose.integer(1, 3))]
        settings["bounds"] = [(t * unit_s, *make_pair(choose, kind)) for t in times]
    return settings


def make_service_settings(choose, kind, unit_s):
    limit = choose.pick((1, 1, 2, 3, 4))
    settings = {"concurrency_limit": limit, "routing": choose.pick(ROUTINGS)}
    # 1: 0 would re-arm a timer at once and for ever where a target is below the limit
    timeouts = (0, 0, 1, 2, 5, 13, INF)
    if (
        kind in ("on_demand", "fixed", "concurrency_window")
        and choose.integer(0, 2) == 0
    ):
        targets = (0.25, 0.3, 0.5, 0.75, 1, 1.5, 2, 7 / 3, 2.5, 3, 4)
        settings["concurrency_target"] = choose.pick([t for t in targets if t <= limit])
        timeouts = timeouts[2:]
    if kind == "on_demand" and choose.integer(0, 3) == 0:
        settings["buffer_replicas"] = choose.integer(1, 2)
        timeouts = timeouts[-5:]
    if kind == "on_demand":
        binding, cancel = choose.pick(
            (("shared", False), ("shared", True), ("bound", False))
        )
        settings |= {"binding": binding, "cancel_setups": cancel}
    if kind != "concurrency_window":
        settings["idle_timeout_s"] = choose.pick(timeouts) * unit_s
    return settings


def make_admission(choose, unit_s):
    settings = {}
    if choose.integer(0, 3) == 0:
        settings["max_queued"] = choose.integer(0, 3)
    if choose.integer(0, 3) == 0:
        settings["queue_timeout_s"] = choose.pick((0, 1, 2, 3, 8)) * unit_s
    if choose.integer(0, 5) == 0:
        rate = choose.pick((0.25, 0.5, 1.0, 2.0)) / unit_s
        settings["rate_limit"] = (rate, choose.pick((1.0, 1.5, 2.0, 3.0)))
    patience_s = choose.pick((0, 1, 2, 5)) * unit_s
    settings["at_zero"] = choose.pick(
        ("hold",) * 3 + ("reject", ("hold_for", patience_s))
    )
    return settings


def make_end(choose, arrivals, unit_s):
    if choose.integer(0, 1) == 0:
        return {}
    horizon = choose.integer(1, max(arrivals, default=0) + 9)
    return {"horizon_s": horizon * unit_s, "end": choose.pick(("cut", "drain"))}


def differences(actual, expected, exact):
    """Return what differs between two pools, field by field; NaN equals NaN."""
    found = {}
    if actual.end_s != expected.end_s:
        found["end_s"] = (actual.end_s, expected.end_s)
    for table, names in EXACT_FIELDS.items():
        for name in names:
            pair = [np.array(getattr(p, table)[name]) for p in (actual, expected)]
            if not np.array_equal(*pair, equal_nan=pair[0].dtype.kind == "f"):
                found[name] = pair
    for table, names in SUMMED_FIELDS.items():
        for name in names:
            pair = [np.array(getattr(p, table)[name]) for p in (actual, expected)]
            if not same_sums(*pair, exact):
                found[name] = pair
    return found


def same_sums(actual, expected, exact):
    if exact or actual.shape != expected.shape:
        return np.array_equal(actual, expected)
    return np.allclose(actual, expected, rtol=1e-12, atol=1e-12)
