"""What a pool is billed, by the most obvious method: integer nanoseconds, plain Python.

Written from section 8 of docs/model.md alone; numbers in comments are its clauses.
"""

import math
from itertools import pairwise

import numpy as np

INF = math.inf


def metered_s(
    pool,
    scope="replica",
    increment_s=1.0,
    minimum_s=0.0,
    setup_billed=True,
    idle_billed=True,
    unbilled_setup_s=0.0,
    min_replicas=0,
    min_idle_billed=True,
    failed_start_billed=True,
    release_lag_s=0.0,
):
    """Return the billed seconds of a pool, rounded as a platform would. [s]

    unbilled_setup_s: of every replica's setup, or of each.
    """
    increment = max(nanoseconds(increment_s), 1)  # 0 s: no coarser than lengths are
    minimum = round_up(nanoseconds(minimum_s), increment)
    free_s = unbilled_setup_s if setup_billed else INF
    frees_s = np.broadcast_to(free_s, len(pool.replicas)).astype(float)
    if not failed_start_billed:
        frees_s = np.where(failed_starts(pool), INF, frees_s)
    if scope == "request":
        items = request_items(pool, frees_s.tolist())
        if min_idle_billed:
            items.append(min_idle_ns(pool, min_replicas))
    else:
        per_replica = [
            with_release(
                billed_spans(
                    pool, x, frees_s[x], idle_billed, min_idle_billed, min_replicas
                ),
                pool.replicas[x],
                releases_ns(pool, failed_start_billed, release_lag_s)[x],
            )
            for x in range(len(pool.replicas))
        ]
        items = span_items(per_replica, scope, increment)
    billed = [max(round_up(item, increment), minimum) for item in items if item > 0]
    return sum(billed) / 10**9


def span_items(per_replica, scope, increment):  # 8.2, all but `request`
    every = [span for spans in per_replica for span in spans]
    if scope == "replica":
        return [sum(map(length, spans)) for spans in per_replica]
    if scope == "segment":
        return [length(span) for span in every]
    if scope == "total":
        return [sum(map(length, every))]
    return [aligned(span, increment) for span in every]


def billed_spans(
    pool, replica, free_s, idle_billed, min_idle_billed, min_replicas
):  # 8.1
    launch_s, setup_end_s, _ = life(pool, replica)
    setup = (min(launch_s + free_s, setup_end_s), setup_end_s)
    least = min_spans(pool, replica, min_replicas)
    surplus = surplus_spans(pool, replica, min_replicas)
    rest = busy_spans(pool, replica)
    rest += surplus if idle_billed else []
    rest += least if min_idle_billed else []
    return merged([setup, *rest])


def life(pool, replica):
    """Launch, end of setup, stop. [s]"""
    record = pool.replicas[replica]
    stop_s = pool.end_s if math.isnan(record["stop_s"]) else float(record["stop_s"])
    ready_s = stop_s if math.isnan(record["ready_s"]) else float(record["ready_s"])
    return float(record["launch_s"]), ready_s, stop_s


def busy_spans(pool, replica):
    here = pool.requests[pool.requests["replica"] == replica]
    return [service_span(pool, request) for request in here]


def service_span(pool, request):  # 8.4
    departure_s = float(request["departure_s"])
    start_s = float(request["start_s"])
    return (start_s, pool.end_s if math.isnan(departure_s) else departure_s)


def request_items(pool, frees_s):  # 8.2 `request`
    seen = set()
    items = []
    begun = [i for i, r in enumerate(pool.requests) if r["replica"] >= 0]
    for i in sorted(begun, key=lambda i: (pool.requests["start_s"][i], i)):
        request = pool.requests[i]
        replica = int(request["replica"])
        item = length(service_span(pool, request))
        if replica not in seen:
            record = pool.replicas[replica]
            launch_s, ready_s = float(record["launch_s"]), float(record["ready_s"])
            item += length((min(launch_s + frees_s[replica], ready_s), ready_s))
        seen.add(replica)
        items.append(item)
    return items


def min_spans(pool, replica, min_replicas):
    """Ready time as one of the min replicas: the lowest ids that are ready."""
    return [span for span, rank in ranked(pool, replica) if rank < min_replicas]


def surplus_spans(pool, replica, min_replicas):
    return [span for span, rank in ranked(pool, replica) if rank >= min_replicas]


def ranked(pool, replica):
    """Between two events each, how many replicas below this one are ready with it."""
    lives = [life(pool, x)[1:] for x in range(len(pool.replicas))]
    ready_s, stop_s = lives[replica]
    for span in pairwise(sorted({time_s for one in lives for time_s in one})):
        if ready_s <= span[0] < stop_s:
            yield span, sum(r <= span[0] < s for r, s in lives[:replica])


def min_busy_ns(pool, min_replicas):
    """Time of the min replicas with something in service."""
    return sum(
        overlap(merged(busy_spans(pool, x)), merged(min_spans(pool, x, min_replicas)))
        for x in range(len(pool.replicas))
    )


def min_service_ns(pool, min_replicas):
    """Times in service on the min replicas, each request for itself."""
    return sum(
        overlap([span], merged(min_spans(pool, x, min_replicas)))
        for x in range(len(pool.replicas))
        for span in busy_spans(pool, x)
    )


def min_idle_ns(pool, min_replicas):
    """Time of the min replicas with nothing in service."""
    total = 0
    for x in range(len(pool.replicas)):
        least = merged(min_spans(pool, x, min_replicas))
        busy = overlap(merged(busy_spans(pool, x)), least)
        total += max(sum(map(length, least)) - busy, 0)
    return total


def overlap(spans, others):
    """How much of some spans lies in others: what a pair shares, pair by pair."""
    shared = [
        (max(one[0], other[0]), min(one[1], other[1]))
        for one in spans
        for other in others
    ]
    return sum(length(span) for span in shared if span[0] < span[1])


def failed_starts(pool):
    return np.isnan(pool.replicas["ready_s"]) & ~np.isnan(pool.replicas["stop_s"])


def releases_ns(pool, failed_start_billed, release_lag_s):
    """How long each replica's machine is billed after its stop."""
    gone = ~np.isnan(pool.replicas["stop_s"])
    if not failed_start_billed:
        gone &= ~failed_starts(pool)
    waits = dict.fromkeys(np.flatnonzero(gone).tolist(), release_lag_s)
    stops = pool.replicas["stop_s"].tolist()
    free = dict(waits)
    for x, launch_s in enumerate(life(pool, x)[0] for x in range(len(stops))):
        kept = [m for m in free if m < x and 0 <= launch_s - stops[m] < release_lag_s]
        if kept:  # the one that was vacated last, of equals the latest replica's
            taken = max(kept, key=lambda m: (stops[m], m))
            waits[taken] = launch_s - stops[taken]
            del free[taken]
    return [nanoseconds(waits.get(x, 0.0)) for x in range(len(stops))]


def with_release(spans, record, lag):
    """The spans, the last of them longer if it lasts to the stop; else one more."""
    stop_s = float(record["stop_s"])
    if lag == 0:
        return spans
    if spans and spans[-1][1] == stop_s:
        return [*spans[:-1], (*spans[-1], lag)]
    return [*spans, (stop_s, stop_s, lag)]


def disk_ns(pool, increment_s):
    """Each replica's life, rounded up for its disk."""
    lives = [life(pool, x) for x in range(len(pool.replicas))]
    increment = max(nanoseconds(increment_s), 1)
    return sum(round_up(length((launch, stop)), increment) for launch, _, stop in lives)


def nanoseconds(time_s):
    return round(time_s * 1e9)  # 8.3: half to even


def length(span):
    return nanoseconds(span[1] - span[0]) + sum(span[2:])  # and a lag, if it has one


def aligned(span, increment):  # 8.2, 8.3: clock slots touched, times the slot
    start, stop = nanoseconds(span[0]), nanoseconds(span[1]) + sum(span[2:])
    if start == stop:
        return 0
    return ((stop - 1) // increment - start // increment + 1) * increment


def round_up(amount, increment):  # 8.3
    return -(-amount // increment) * increment


def merged(spans):
    """Join spans that overlap or touch."""
    joined = []
    for start_s, stop_s in sorted(spans):
        if joined and start_s <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], stop_s))
        else:
            joined.append((start_s, stop_s))
    return joined
