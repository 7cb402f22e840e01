"""What must hold of any simulated pool, whatever its settings.

Each function is one law, checked from the records alone. A state "at t" is the state
after every event at t: spans are half-open, [launch, stop) or [start, departure).
"""

import math

import numpy as np
from autoscaler_cases import REMOVING
from reference_billing import merged
from reference_records import REJECTED, SERVED, TIMED_OUT, UNFINISHED, Settings


def check_invariants(pool, settings):
    """Raise `AssertionError` if the records of a pool break a law."""
    asked = Settings(**settings)
    check_outcomes(pool)
    check_order(pool, asked)
    check_end(pool, asked)
    check_records_agree(pool)
    check_cold_flags(pool)
    check_slots(pool, asked)
    check_first_come_first_served(pool, asked)
    check_patience(pool, asked)
    check_queue_bound(pool, asked)
    check_work_conservation(pool, asked)
    check_replica_bounds(pool, asked)
    check_enough_alive(pool, asked)
    check_launches(pool, asked)
    check_little(pool)


def check_outcomes(pool):
    """Arrived = served + rejected + timed out + unfinished, each with its fields."""
    requests = pool.requests
    outcome = requests["outcome"]
    begun = requests["replica"] >= 0

    assert np.isin(outcome, (SERVED, REJECTED, TIMED_OUT, UNFINISHED)).all()
    assert np.array_equal(begun, ~np.isnan(requests["start_s"]))
    assert np.array_equal(outcome == SERVED, ~np.isnan(requests["departure_s"]))
    assert begun[outcome == SERVED].all()
    assert not begun[(outcome == REJECTED) | (outcome == TIMED_OUT)].any()
    assert not requests["cold"][~begun].any()


def check_order(pool, asked):
    """Arrival <= start <= departure, launch <= ready <= stop, service within readiness."""
    requests, replicas = pool.requests, pool.replicas
    begun = requests[requests["replica"] >= 0]
    served = begun[begun["outcome"] == SERVED]
    home = replicas[begun["replica"]]

    assert (np.diff(requests["arrival_s"]) >= 0).all()
    assert (begun["arrival_s"] <= begun["start_s"]).all()
    assert (served["start_s"] <= served["departure_s"]).all()
    assert (np.diff(replicas["launch_s"]) >= 0).all()
    assert not (replicas["ready_s"] < replicas["launch_s"]).any()
    assert not (replicas["stop_s"] < replicas["launch_s"]).any()
    assert not (replicas["stop_s"] < replicas["ready_s"]).any()
    assert (home["ready_s"] <= begun["start_s"]).all()
    assert not (home["stop_s"] < end_of_service(pool, begun)).any()


def check_end(pool, asked):
    """Nothing happens after the end, and a horizon is kept as section 7 has it."""
    times = [pool.requests[name] for name in ("arrival_s", "start_s", "departure_s")]
    times += [pool.replicas[name] for name in ("launch_s", "ready_s", "stop_s")]
    every = np.concatenate(times)
    last_s = every[~np.isnan(every)].max(initial=0.0)
    horizon_s = asked.horizon_s or 0.0

    assert pool.end_s >= last_s
    assert pool.end_s >= horizon_s
    assert asked.end == "drain" or pool.end_s == horizon_s
    assert asked.horizon_s is None or (pool.requests["arrival_s"] < horizon_s).all()


def check_records_agree(pool):
    """Replica records are the sums of what their requests say."""
    spans = {number: [] for number in range(len(pool.replicas))}
    for request in pool.requests[pool.requests["replica"] >= 0]:
        stop_s = end_of_service(pool, request)
        spans[int(request["replica"])].append(
            (float(request["start_s"]), float(stop_s))
        )
    slot_s = [sum(stop - start for start, stop in spans[k]) for k in spans]
    busy_s = [sum(stop - start for start, stop in merged(spans[k])) for k in spans]
    served = pool.requests["replica"][pool.requests["outcome"] == SERVED]
    n_served = np.bincount(served, minlength=len(pool.replicas))
    ready_s, stop_s = np.minimum(lifetimes(pool), pool.end_s)
    slack_s = 1e-9 * (1.0 + pool.end_s)

    assert np.allclose(pool.replicas["slot_s"], slot_s, rtol=1e-9, atol=1e-9)
    assert np.allclose(pool.replicas["busy_s"], busy_s, rtol=1e-9, atol=1e-9)
    assert np.array_equal(pool.replicas["n_served"], n_served)
    assert (pool.replicas["busy_s"] <= stop_s - ready_s + slack_s).all()


def check_cold_flags(pool):
    """Cold: begun by a replica that was not ready at the arrival (4.7)."""
    begun = pool.requests[pool.requests["replica"] >= 0]
    ready_s = pool.replicas["ready_s"][begun["replica"]]
    cold = begun["cold"]

    assert (ready_s[cold] >= begun["arrival_s"][cold]).all()
    assert (ready_s[~cold] <= begun["arrival_s"][~cold]).all()


def check_slots(pool, asked):
    """No replica serves more requests at once than it has slots."""
    times = instants(pool, asked)
    begun = pool.requests[pool.requests["replica"] >= 0]
    in_service = in_service_at(pool, begun, times)

    assert (in_service <= asked.concurrency_limit).all()


def check_first_come_first_served(pool, asked):
    """Under a shared queue, requests start in the order they came."""
    start_s = pool.requests["start_s"][pool.requests["replica"] >= 0]

    assert asked.binding == "bound" or (np.diff(start_s) >= 0).all()


def check_patience(pool, asked):
    """Nobody starts after giving up."""
    begun = pool.requests[pool.requests["replica"] >= 0]
    patience_s = math.inf if asked.queue_timeout_s is None else asked.queue_timeout_s
    if isinstance(asked.at_zero, tuple):
        patience_s = max(patience_s, asked.at_zero[1])

    assert (begun["start_s"] <= begun["arrival_s"] + patience_s).all()


def check_queue_bound(pool, asked):
    """The queue never holds more than it may."""
    if asked.max_queued is None or asked.binding == "bound":
        return  # a glued request waits without being queued, which no record tells
    waiting = waiting_at(pool, instants(pool, asked))

    assert (waiting <= asked.max_queued).all()


def check_work_conservation(pool, asked):
    """While somebody is queued, every ready replica is full (4.8)."""
    if asked.binding == "bound" or may_drain(asked):
        return
    times = instants(pool, asked)
    times = times[waiting_at(pool, times) > 0]
    begun = pool.requests[pool.requests["replica"] >= 0]
    in_service = in_service_at(pool, begun, times)
    ready_s, stop_s = lifetimes(pool)
    ready = (ready_s[:, None] <= times) & (times < stop_s[:, None])

    assert (in_service[ready] == asked.concurrency_limit).all()


def check_replica_bounds(pool, asked):
    """Min <= ready and alive <= max (4.8), unless a schedule moves them."""
    if asked.bounds:
        return
    times = instants(pool, asked)
    ready_s, stop_s = lifetimes(pool)
    alive = covered(pool.replicas["launch_s"], stop_s, times)
    upper = math.inf if asked.max_replicas is None else asked.max_replicas

    begun = pool.requests[pool.requests["replica"] >= 0]
    # A replica that drains is above no bound, and it is busy.
    busy = (in_service_at(pool, begun, times) > 0).sum(axis=0)

    assert (covered(ready_s, stop_s, times) >= asked.min_replicas).all()
    assert (alive - busy * may_drain(asked) <= upper).all()


def check_enough_alive(pool, asked):
    """On demand, alive >= min(needed, max) at all times (4.8)."""
    left = pool.requests["outcome"] == TIMED_OUT
    if kind(asked) not in ("on_demand", "fixed") or asked.bounds or left.any():
        return  # when a request gave up is not recorded
    times = instants(pool, asked)
    admitted = pool.requests[pool.requests["outcome"] != REJECTED]
    leaves_s = np.where(
        admitted["outcome"] == SERVED, admitted["departure_s"], math.inf
    )
    in_system = covered(admitted["arrival_s"], leaves_s, times)
    target = asked.concurrency_target or asked.concurrency_limit
    needed = np.maximum(1, np.ceil(in_system / target - 1e-9)) + asked.buffer_replicas
    upper = math.inf if asked.max_replicas is None else asked.max_replicas
    alive = covered(pool.replicas["launch_s"], lifetimes(pool)[1], times)

    assert (alive >= np.where(in_system > 0, np.minimum(needed, upper), 0)).all()


def check_launches(pool, asked):
    """Every replica is initial, or launched by an arrival, a tick, BOUNDS or a PREWARM."""
    initial = asked.initial_replicas
    n_initial = asked.min_replicas if initial is None else initial
    n_launches = len(pool.replicas) - n_initial
    by_arrivals = int(pool.requests["launched"].sum())
    others_launch = bool(asked.bounds) or kind(asked) not in ("on_demand", "fixed")
    others_launch = others_launch or bool(asked.keep_alive)

    assert (pool.requests["launched"] >= 0).all()
    assert by_arrivals <= n_launches
    assert others_launch or by_arrivals == n_launches


def check_little(pool):
    """The integral of a count is the sum of the times it counts (I1, I2)."""
    begun = pool.requests[pool.requests["replica"] >= 0]
    waited_s = begun["start_s"] - begun["arrival_s"]
    stays_s = end_of_service(pool, begun) - begun["arrival_s"]
    ready_s, stop_s = lifetimes(pool)
    launch_s = pool.replicas["launch_s"]
    stop_s = np.minimum(stop_s, pool.end_s)
    setup_s = np.minimum(ready_s, stop_s) - launch_s
    idle_s = stop_s - np.minimum(ready_s, stop_s) - pool.replicas["busy_s"]
    alive_s = setup_s + pool.replicas["busy_s"] + idle_s
    in_system = integral(begun["arrival_s"], end_of_service(pool, begun))
    slack_s = 1e-9 * (1.0 + pool.end_s) * (1 + len(begun) + len(launch_s))

    assert abs(in_system - waited_s.sum() - pool.replicas["slot_s"].sum()) <= slack_s
    assert abs(in_system - stays_s.sum()) <= slack_s
    assert abs(integral(launch_s, stop_s) - alive_s.sum()) <= slack_s
    assert (idle_s >= -slack_s).all()


def kind(asked):
    return (
        asked.autoscaler
        if isinstance(asked.autoscaler, str)
        else asked.autoscaler["kind"]
    )


def may_drain(asked):
    """Whether replicas may drain: the records do not tell a draining one from a ready one."""
    return kind(asked) in REMOVING


def end_of_service(pool, begun):
    """A departure, or the end of the run for a request that it cut short. [s]"""
    return np.where(np.isnan(begun["departure_s"]), pool.end_s, begun["departure_s"])


def lifetimes(pool):
    """When each replica was ready and stopped; inf: it did not come to that. [s]"""
    stop_s = np.nan_to_num(pool.replicas["stop_s"], nan=math.inf)
    # a replica stopped while starting was ready for no time
    ready_s = pool.replicas["ready_s"]
    return np.where(np.isnan(ready_s), stop_s, ready_s), stop_s


def instants(pool, asked):
    """Every time at which something happened, less a cut horizon: there half happened."""
    names = ("arrival_s", "start_s", "departure_s")
    times = [pool.requests[name] for name in names]
    times += [pool.replicas[name] for name in ("launch_s", "ready_s", "stop_s")]
    every = np.unique(np.concatenate(times))
    every = every[~np.isnan(every)]
    return every[every < pool.end_s] if asked.end == "cut" else every


def covered(start_s, stop_s, times):
    """How many of the spans [start, stop) each time lies in."""
    inside = (start_s[:, None] <= times) & (times < stop_s[:, None])
    return inside.sum(axis=0)


def in_service_at(pool, begun, times):
    """Requests in service, by replica and time."""
    inside = (begun["start_s"][:, None] <= times) & (
        times < end_of_service(pool, begun)[:, None]
    )
    counts = np.zeros((len(pool.replicas), len(times)), dtype=int)
    np.add.at(counts, begun["replica"], inside)
    return counts


def waiting_at(pool, times):
    """Requests that wait and will not give up, by time."""
    requests = pool.requests[pool.requests["outcome"] != REJECTED]
    requests = requests[requests["outcome"] != TIMED_OUT]
    start_s = np.nan_to_num(requests["start_s"], nan=math.inf)
    return covered(requests["arrival_s"], start_s, times)


def integral(start_s, stop_s):
    """The integral over time of the number of spans open. [s]"""
    times = np.concatenate([start_s, stop_s])
    steps = np.concatenate([np.ones(len(start_s)), -np.ones(len(stop_s))])
    order = np.argsort(times, kind="stable")
    times, open_spans = times[order], np.cumsum(steps[order])
    return float((open_spans[:-1] * np.diff(times)).sum())
