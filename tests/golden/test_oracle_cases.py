"""Scenarios computed by hand and random ones with their full output, request by request.

They are judged on the reference as well as on the kernel: an error that both share with
each other would not show when they are compared.
"""

import importlib
import json

import numpy as np
import pytest

OUTCOMES = {"done": 0, "rejected": 1, "waiting": 3, "bound": 3, "in_service": 3}
LIFE = ("launch_s", "ready_s", "stop_s")
BILLING_WORDS = {
    "granularity": "increment_s",
    "minimum": "minimum_s",
    "startup": "setup_billed",
    "idle": "idle_billed",
    "scope": "scope",
}


@pytest.fixture(params=["reference", "costsim"])
def engine(request):
    return importlib.import_module(request.param)


def plain(values):
    """NumPy values as JSON has them: NaN is null."""
    return [None if value != value else value for value in np.asarray(values).tolist()]


def simulate(engine, case):
    timeout = case["settings"].get("idle_timeout_s", 60.0)
    settings = {**case["settings"], "idle_timeout_s": float(timeout)}
    if settings.get("first_service_time_s") is not None:
        settings["first_service_time_s"] = np.array(
            settings["first_service_time_s"], dtype=float
        )
    arrays = [case[k] for k in ("arrival_s", "service_time_s", "setup_time_s")]
    return engine.simulate_pool(*[np.array(a, dtype=float) for a in arrays], **settings)


# The cases computed by hand: each says only what it is about


def golden_expected(case):
    words = ("start_s", "departure_s", "replica", "launched", "end")
    expected = {word: case[word] for word in words if word in case}
    words = ("replicas_launch_ready_stop", "replica_seconds", "bills")
    expected |= {word: case[word] for word in words if word in case}
    if "cold" in case:
        expected["cold"] = [bool(flag) for flag in case["cold"]]
    return expected


def golden_observed(engine, case):
    pool = simulate(engine, case)
    observed = {name: plain(pool.requests[name]) for name in pool.requests.dtype.names}
    lives = zip(*(plain(pool.replicas[k]) for k in LIFE), strict=True)
    observed |= {
        "end": pool.end_s,
        "replicas_launch_ready_stop": [list(life) for life in lives],
        "replica_seconds": replica_seconds(pool),
        "bills": [bill(engine, pool, words) for words, _ in case.get("bills", [])],
    }
    return {name: observed[name] for name in golden_expected(case)}


def replica_seconds(pool):
    replicas = pool.replicas
    stop_s = np.nan_to_num(replicas["stop_s"], nan=pool.end_s)
    alive_s = float((stop_s - replicas["launch_s"]).sum())
    starting_s = float((replicas["ready_s"] - replicas["launch_s"]).sum())
    busy_s = float(replicas["busy_s"].sum())
    return {
        "alive": alive_s,
        "starting": starting_s,
        "busy": busy_s,
        "idle": pytest.approx(alive_s - starting_s - busy_s, abs=1e-12),
    }


def bill(engine, pool, words):
    rules = {BILLING_WORDS[word]: value for word, value in words.items()}
    return [words, engine.metered_s(pool, **rules)]


def test_cases_computed_by_hand(engine, shared_dir):
    cases = json.loads((shared_dir / "oracles" / "golden_cases.json").read_text())
    expected = {case["id"]: golden_expected(case) for case in cases}

    observed = {case["id"]: golden_observed(engine, case) for case in cases}

    assert len(cases) == 32
    assert observed == expected


# The random ones: full output, times are whole numbers


def fixture_expected(case):
    requests, replicas = case["requests"], case["replicas"]
    expected = {name: requests[name] for name in ("start_s", "departure_s", "launched")}
    expected["replica"] = [-1 if k is None else k for k in requests["replica"]]
    expected["cold"] = [bool(flag) for flag in requests["cold"]]
    expected["outcome"] = [OUTCOMES[status] for status in requests["status"]]
    for name in LIFE:
        expected[name] = [replica[name] for replica in replicas]
    expected["busy_s"] = [sum(b - a for a, b in x["busy"]) for x in replicas]
    expected["n_served"] = n_served(case)
    expected["end_s"] = case["end_s"]
    return expected


def n_served(case):
    """As the fixture has it, and where it has it not, as its requests say."""
    homes = zip(case["requests"]["replica"], case["requests"]["status"], strict=True)
    served = [home for home, status in homes if status == "done"]
    return [x.get("n_served", served.count(k)) for k, x in enumerate(case["replicas"])]


def fixture_observed(engine, case):
    pool = simulate(engine, case)
    names = ("start_s", "departure_s", "launched", "replica", "cold", "outcome")
    observed = {name: plain(pool.requests[name]) for name in names}
    for name in (*LIFE, "busy_s", "n_served"):
        observed[name] = plain(pool.replicas[name])
    return {**observed, "end_s": pool.end_s}


def test_random_cases_with_their_full_output(engine, shared_dir):
    cases = json.loads((shared_dir / "oracles" / "fixtures.json").read_text())
    expected = {case["id"]: fixture_expected(case) for case in cases}

    observed = {case["id"]: fixture_observed(engine, case) for case in cases}

    assert len(cases) == 74
    assert observed == expected
