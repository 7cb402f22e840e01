"""What a change of the input must do to the output, exactly, on small pools full of ties."""

import importlib

import numpy as np
import pytest
from cases import Case, differences, kind_of, random_case
from reference_autoscalers import DEFAULTS, WAYS

N_CASES = 300
SEED = 8


@pytest.fixture(params=["reference", "costsim"])
def engine(request):
    return importlib.import_module(request.param)


class Stretched:
    """The records of a pool with every time multiplied."""

    def __init__(self, pool, factor):
        self.requests, self.replicas = pool.requests.copy(), pool.replicas.copy()
        self.end_s = pool.end_s * factor
        for table in (self.requests, self.replicas):
            for name in [n for n in table.dtype.names if n.endswith("_s")]:
                table[name] *= factor


def scaled(case, factor):
    """The same case with every time multiplied, and every rate divided."""
    settings = {
        name: value * factor if name.endswith("_s") else value
        for name, value in case.settings.items()
    }
    if "rate_limit" in settings:
        rate, burst = settings["rate_limit"]
        settings["rate_limit"] = (rate / factor, burst)
    if isinstance(settings["at_zero"], tuple):
        settings["at_zero"] = ("hold_for", settings["at_zero"][1] * factor)
    if "bounds" in settings:
        settings["bounds"] = [(t * factor, *pair) for t, *pair in settings["bounds"]]
    if isinstance(settings["autoscaler"], dict):
        settings["autoscaler"] = scaled_loop(spelled_out(case), factor)
    return Case(
        [t * factor for t in case.arrival_s],
        [t * factor for t in case.service_time_s],
        [t * factor for t in case.setup_pattern_s],
        settings,
        case.exact,
    )


def scaled_loop(loop, factor):
    rates = (
        "target_rate_per_s",
        *(("target",) if loop.get("kind") == "request_rate" else ()),
    )
    changed = {}
    for name, value in loop.items():
        if isinstance(value, dict):
            changed[name] = scaled_loop(value, factor)
        elif name in rates:
            changed[name] = value / factor
        else:
            changed[name] = value * factor if name.endswith("_s") else value
    return changed


def spelled_out(case):
    """An autoscaler with the times that it has by default."""
    kind, loop = kind_of(case), case.settings["autoscaler"]
    loop = {**DEFAULTS.get(kind, {}), **loop}
    if kind == "keda":
        del loop["metric"]
    for key in WAYS if kind in ("hpa", "keda") else ():
        times = {"replicas_period_s": 15.0, "fraction_period_s": 15.0}
        times["stabilization_s"] = WAYS[key]["stabilization_s"]
        loop[key] = times | loop.get(key, {})
    return loop


@pytest.mark.parametrize("factor", [0.25, 8.0])
def test_a_power_of_two_scales_every_time_and_nothing_else(engine, factor):
    found = {}
    cases = [random_case(SEED, number) for number in range(N_CASES)]
    # Knative counts in seconds.
    scalable = [case for case in cases if kind_of(case) != "knative"]
    for number, case in enumerate(scalable):
        expected = Stretched(case.run(engine.simulate_pool), factor)
        pool = scaled(case, factor).run(engine.simulate_pool)
        found[number] = differences(pool, expected, exact=True)

    assert {n: fields for n, fields in found.items() if fields} == {}


class Head:
    """The first requests of a pool, and the replicas that stopped by a time."""

    def __init__(self, pool, n_requests, end_s):
        self.requests = pool.requests[:n_requests]
        self.replicas = pool.replicas[pool.replicas["stop_s"] <= end_s]
        self.end_s = end_s


def with_one_more(case, arrival_s):
    settings = dict(case.settings)
    if "first_service_time_s" in settings:
        first = np.append(settings["first_service_time_s"], 1.0)
        settings["first_service_time_s"] = first
    return Case(
        [*case.arrival_s, arrival_s],
        [*case.service_time_s, 1.0],
        case.setup_pattern_s,
        settings,
        case.exact,
    )


def test_a_request_after_the_end_changes_nothing_before(engine):
    found = {}
    for number in range(N_CASES):
        case = random_case(SEED, number)
        for name in ("horizon_s", "end"):
            case.settings.pop(name, None)
        pool = case.run(engine.simulate_pool)
        later = with_one_more(case, pool.end_s + 1.0).run(engine.simulate_pool)
        heads = (Head(p, len(pool.requests), pool.end_s) for p in (later, pool))
        found[number] = differences(*heads, exact=True)

    assert {n: fields for n, fields in found.items() if fields} == {}


@pytest.mark.parametrize("max_replicas", [1, 2, 3, None])
def test_without_setup_a_longer_idle_timeout_never_adds_launches(engine, max_replicas):
    rng = np.random.default_rng(SEED)
    arrival_s = np.cumsum(rng.exponential(1.0, 800))
    service_time_s = rng.exponential(1.5, 800)
    timeouts_s = (0.0, 0.5, 1.0, 2.0, 5.0, 20.0, 1000.0)

    launches = [
        len(
            engine.simulate_pool(
                arrival_s,
                service_time_s,
                np.zeros(800),
                idle_timeout_s=timeout_s,
                max_replicas=max_replicas,
            ).replicas
        )
        for timeout_s in timeouts_s
    ]

    assert launches == sorted(launches, reverse=True)
    assert launches[0] > launches[-1]


@pytest.mark.parametrize("limit", [1, 2])
def test_more_slots_in_a_warm_pool_never_delay_a_start(engine, limit):
    rng = np.random.default_rng(SEED)
    arrays = (np.cumsum(rng.exponential(1.0, 800)), rng.exponential(1.6, 800))

    starts = [
        engine.simulate_pool(
            *arrays, [], min_replicas=n, max_replicas=n, concurrency_limit=limit
        ).requests["start_s"]
        for n in (2, 3, 4)
    ]

    assert (np.diff(starts, axis=0) <= 0).all()
    assert (np.diff(starts, axis=0) < 0).any()


def test_with_setup_a_second_replica_can_delay_a_request(engine):
    arrays = ([0, 1, 6, 13, 15, 18], [4, 4, 3, 2, 1, 4], [6] * 6)
    arrays = [np.array(x, dtype=float) for x in arrays]

    one, two = (
        engine.simulate_pool(*arrays, max_replicas=n, idle_timeout_s=0.0).requests
        for n in (1, 2)
    )

    assert (one["start_s"][3], two["start_s"][3]) == (17.0, 19.0)
