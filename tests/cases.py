"""Small random pools full of ties, for a kernel to agree with the reference on.

Those that slow down with load have no ties but the ones that every rounding keeps: two
sums of the same times, in another order, need not tie. `make_case` and its kin ask a
chooser for every decision, so that the same cases come out of a seeded generator (fast)
and out of hypothesis (which shrinks what it finds).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from autoscaler_cases import FROM_SOURCE, REMOVING, make_autoscaler, needs_a_replica

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
MOST_INITIAL = 9
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
    unit_s: float = 1.0

    def run(self, simulate, **changed):
        settings = {**self.settings, **changed}
        n_setups = N_SETUPS + SETUPS_PER_REQUEST * len(self.arrival_s)
        if settings.get("failures"):
            # a pattern as well, for the launched and the initial ones
            failures = settings["failures"]
            lifetime_s = np.resize(failures["lifetime_s"], n_setups + MOST_INITIAL)
            settings["failures"] = {**failures, "lifetime_s": lifetime_s}
        setup_time_s = np.resize(self.setup_pattern_s, n_setups)
        arrays = (np.array(self.arrival_s), np.array(self.service_time_s))
        return simulate(*arrays, setup_time_s, **settings)


def random_case(seed, number, longest=12):
    """Return the same case for the same two numbers."""
    return make_case(seeded(seed, number), longest)


def slowdown_case(seed, number, longest=12):
    """Return a case whose service slows down with load."""
    return make_slowdown_case(seeded(seed, number), longest)


def failure_case(seed, number, longest=12):
    """Return a case whose replicas fail."""
    return make_failure_case(seeded(seed, number), longest)


def slow_and_failing_case(seed, number, longest=12):
    """Return a case of both."""
    return make_slow_and_failing_case(seeded(seed, number), longest)


def seeded(seed, number):
    return RandomChooser(np.random.default_rng((seed, number)))


def make_case(choose, longest=12):
    """Return a valid case of at most `longest` requests.

    Times are multiples of a unit, so that ties abound. 0.1 s has no exact double: there
    ties come about by rounding or not at all, which convicts any comparison that
    rounds otherwise than clause 3.2.
    """
    unit_s = choose.pick((1.0, 1.0, 0.25, 0.1))
    kind = choose.pick(
        ("on_demand",) * 6
        + ("fixed", "concurrency_window", "concurrency_window")
        + ("queue_delay", "request_count", "request_rate", "step_tracking")
        + ("knative", "hpa", "keda") * 2
    )
    n_requests = choose.integer(choose.pick((0, longest // 2)), longest)
    arrivals = make_arrivals(choose, n_requests)
    settings = {"autoscaler": make_autoscaler(choose, kind, unit_s)}
    lowest = int(needs_a_replica(settings["autoscaler"]))
    settings |= make_bounds(choose, kind, arrivals, unit_s, lowest)
    settings |= make_service_settings(choose, kind, unit_s)
    settings |= make_admission(choose, kind, unit_s)
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
        unit_s=unit_s,
    )


def make_slowdown_case(choose, longest=12):
    return slowed(choose, make_case(choose, longest))


def make_failure_case(choose, longest=12):
    case = make_case(choose, longest)
    failures = make_failures(choose, case)
    return replace(case, settings={**case.settings, "failures": failures})


def make_slow_and_failing_case(choose, longest=12):
    return slowed(choose, make_failure_case(choose, longest))


def make_failures(choose, case):
    """Return failures under which the case ends."""
    unit_s = case.unit_s
    options = choose.pick(((1, 1, 3), (1, 2, 5, 9), (1, 4, 20), (5, 13, 34)))
    lifetimes = [choose.pick(options) for _ in range(5)]
    bounds = case.settings.get("bounds", ())
    lowest = [case.settings["min_replicas"], *(lower for _, lower, _ in bounds)]
    if max(lowest) > 0 or kind_of(case) in REMOVING or choose.integer(0, 1) == 0:
        # one that lives for ever, or those of min, or those that a loop wants until it
        # has seen one without load, might die and be replaced for ever
        lifetimes[choose.integer(0, 4)] = INF
    failures = {
        "lifetime_s": [x * unit_s for x in lifetimes],
        "max_attempts": choose.pick((1, 2, 3, 5)),
        "backoff_s": choose.pick((0, 0, 1, 2, 5)) * unit_s,
        "backoff_factor": choose.pick((1.0, 1.5, 2.0, 3.0)),
    }
    left_out = choose.pick((None, None, "max_attempts", "backoff_s", "backoff_factor"))
    return {name: value for name, value in failures.items() if name != left_out}


def slowed(choose, case):
    """Return a case with more slots, a slowdown, and each time drawn around its value."""
    rng = np.random.default_rng(choose.integer(0, 2**32 - 1))
    settings = {name: around(rng, x, name) for name, x in case.settings.items()}
    if kind_of(case) in FROM_SOURCE:
        settings["autoscaler"] = case.settings["autoscaler"]  # its times have rules
    fewest = math.ceil(settings.get("concurrency_target", 1))
    settings["concurrency_limit"] = choose.integer(fewest, max(fewest, 8))
    settings["slowdown"] = choose.pick((0.01, 0.1, 0.25, 0.5, 1.0, 3.0))
    gaps_s = np.diff(case.arrival_s, prepend=0.0)
    gaps_s = around(rng, gaps_s) + rng.uniform(0.0, 0.3 * case.unit_s, len(gaps_s))
    return Case(
        arrival_s=np.cumsum(gaps_s).tolist(),
        service_time_s=around(rng, np.array(case.service_time_s)).tolist(),
        setup_pattern_s=around(rng, np.array(case.setup_pattern_s)).tolist(),
        settings=settings,
        exact=False,
        unit_s=case.unit_s,
    )


def kind_of(case):
    autoscaler = case.settings["autoscaler"]
    return autoscaler if isinstance(autoscaler, str) else autoscaler["kind"]


def around(rng, value, name="_s"):
    """Draw each time of a setting anew, near its value; 0 and inf stay what they are."""
    if isinstance(value, dict):
        return {key: around(rng, x, key) for key, x in value.items()}
    if name == "bounds":
        return [(around(rng, time_s), *pair) for time_s, *pair in value]
    if name == "at_zero" and isinstance(value, tuple):
        return ("hold_for", around(rng, value[1]))
    if not name.endswith("_s") or value is None:
        return value
    drawn = np.asarray(value) * rng.uniform(0.8, 1.25, np.shape(value))
    return drawn if np.ndim(value) else float(drawn)


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


def make_pair(choose, kind, lowest):
    """Return a lower and an upper bound on replicas, none below `lowest`."""
    if kind == "fixed":
        return (choose.integer(0, 4),) * 2
    # one that multiplies what there is would launch without end
    most = 9 if kind == "step_tracking" else None
    upper = choose.pick((most, most, 0, 1, 2, 3, 5))
    lower = choose.pick((0, 0, 0, 1, 2, 3))
    if upper is None:
        return max(lower, lowest), None
    upper = max(upper, lowest)
    return max(min(lower, upper), lowest), upper


def make_bounds(choose, kind, arrivals, unit_s, lowest):
    lower, upper = make_pair(choose, kind, lowest)
    settings = {"min_replicas": lower, "max_replicas": upper}
    often = 2 if kind in REMOVING else 0  # to see more replicas drain
    if kind != "fixed" and choose.integer(0, 2) <= often:
        initial = lower + choose.integer(0, 3)
        settings["initial_replicas"] = initial if upper is None else min(initial, upper)
    if choose.integer(0, 3) == 0:
        last = max(arrivals, default=0)
        times = [choose.integer(0, last + 9) for _ in range(choose.integer(1, 3))]
        settings["bounds"] = [
            (t * unit_s, *make_pair(choose, kind, lowest)) for t in times
        ]
    return settings


def make_service_settings(choose, kind, unit_s):
    limit = choose.pick((1, 1, 2, 3, 4))
    settings = {"concurrency_limit": limit, "routing": choose.pick(ROUTINGS)}
    # 1: 0 would re-arm a timer at once and for ever where a target is below the limit
    timeouts = (0, 0, 1, 2, 5, 13, INF)
    if (
        kind in ("on_demand", "fixed", "concurrency_window", "knative")
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
    if kind not in REMOVING:
        settings["idle_timeout_s"] = choose.pick(timeouts) * unit_s
    return settings


def make_admission(choose, kind, unit_s):
    settings = {}
    if choose.integer(0, 3) == 0:
        settings["max_queued"] = choose.integer(0, 3)
    if choose.integer(0, 3) == 0:
        settings["queue_timeout_s"] = choose.pick((0, 1, 2, 3, 8)) * unit_s
    if choose.integer(0, 5) == 0:
        rate = choose.pick((0.25, 0.5, 1.0, 2.0)) / unit_s
        settings["rate_limit"] = (rate, choose.pick((1.0, 1.5, 2.0, 3.0)))
    patience_s = choose.pick((0, 1, 2, 5)) * unit_s
    rejects = () if kind == "keda" else ("reject",)
    settings["at_zero"] = choose.pick(
        ("hold",) * 3 + (("hold_for", patience_s), *rejects)
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


def near_differences(actual, expected):
    """Return what differs between two pools: times by more than 1e-9 of their value."""
    found = {}
    if not same_within(1e-9, actual.end_s, expected.end_s):
        found["end_s"] = (actual.end_s, expected.end_s)
    for table in ("requests", "replicas"):
        rows = [getattr(pool, table) for pool in (actual, expected)]
        for name in rows[1].dtype.names:
            pair = [np.array(row[name]) for row in rows]
            if not same_within(1e-9 if name.endswith("_s") else 0.0, *pair):
                found[name] = pair
    return found


def same_within(relative, actual, expected):
    """Whether two arrays of times or counts agree; NaN equals NaN."""
    if np.shape(actual) != np.shape(expected):
        return False
    slack_s = relative * 1e-3  # a time that should be 0 may be off by rounding alone
    return np.allclose(actual, expected, rtol=relative, atol=slack_s, equal_nan=True)
