"""What a pool is billed, by the most obvious method: integer nanoseconds, plain Python.

Written from section 8 of docs/model.md alone; numbers in comments are its clauses.
"""

import math

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
):
    """Return the billed seconds of a pool, rounded as a platform would. [s]

    unbilled_setup_s: of every replica's setup, or of each.
    """
    increment = max(nanoseconds(increment_s), 1)  # 0 s: no coarser than lengths are
    minimum = round_up(nanoseconds(minimum_s), increment)
    free_s = unbilled_setup_s if setup_billed else INF
    frees_s = np.broadcast_to(free_s, len(pool.replicas)).tolist()
    if scope == "request":
        items = request_items(pool, frees_s)
    else:
        items = span_items(pool, scope, frees_s, idle_billed, increment)
    billed = [max(round_up(item, increment), minimum) for item in items if item > 0]
    return sum(billed) / 10**9


def span_items(pool, scope, frees_s, idle_billed, increment):  # 8.2, all but `request`
    per_replica = [
        billed_spans(pool, replica, frees_s[replica], idle_billed)
        for replica in range(len(pool.replicas))
    ]
    every = [span for spans in per_replica for span in spans]
    if scope == "replica":
        return [sum(map(length, spans)) for spans in per_replica]
    if scope == "segment":
        return [length(span) for span in every]
    if scope == "total":
        return [sum(map(length, every))]
    return [aligned(span, increment) for span in every]


def billed_spans(pool, replica, free_s, idle_billed):  # 8.1
    record = pool.replicas[replica]
    stop_s = pool.end_s if math.isnan(record["stop_s"]) else float(record["stop_s"])
    setup_end_s = stop_s if math.isnan(record["ready_s"]) else float(record["ready_s"])
    setup = (min(float(record["launch_s"]) + free_s, setup_end_s), setup_end_s)
    rest = [(setup_end_s, stop_s)] if idle_billed else busy_spans(pool, replica)
    return merged([setup, *rest])


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


def nanoseconds(time_s):
    return round(time_s * 1e9)  # 8.3: half to even


def length(span):
    return nanoseconds(span[1] - span[0])


def aligned(span, increment):  # 8.2, 8.3: clock slots touched, times the slot
    start, stop = nanoseconds(span[0]), nanoseconds(span[1])
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
