"""Small random pools that learn how long to keep replicas; ties abound (`cases`).

Requests come in a few gaps, again and again, so that there is something to learn, with
histograms so small and thresholds so low that some know and others do not.
"""

from dataclasses import replace

from cases import make_case, make_failures, seeded, slowed


def keep_alive_case(seed, number, longest=30):
    """Return the same case for the same two numbers."""
    return make_keep_alive_case(seeded(seed, number), longest)


def failing_keep_alive_case(seed, number, longest=30):
    """Return a case whose replicas fail as well."""
    return make_failing_keep_alive_case(seeded(seed, number), longest)


def slow_keep_alive_case(seed, number, longest=30):
    """Return a case of all that: it learns, fails and slows down."""
    return make_slow_keep_alive_case(seeded(seed, number), longest)


def make_keep_alive_case(choose, longest=30):
    return learning(choose, on_demand(choose, make_case(choose, longest)))


def make_failing_keep_alive_case(choose, longest=30):
    case = make_keep_alive_case(choose, longest)
    failures = make_failures(choose, case)
    return replace(case, settings={**case.settings, "failures": failures})


def make_slow_keep_alive_case(choose, longest=30):
    case = make_failing_keep_alive_case(choose, longest)
    policy = case.settings["keep_alive"]
    case = slowed(choose, case)
    # bins of the width that they had: only times are drawn anew
    return replace(case, settings={**case.settings, "keep_alive": policy})


def on_demand(choose, case):
    """Return a case that the policy may be part of: on demand, target = limit."""
    foreign = ("concurrency_target", "buffer_replicas", "idle_timeout_s")
    settings = {k: x for k, x in case.settings.items() if k not in foreign}
    binding, cancel = choose.pick(
        (("shared", False), ("shared", True), ("bound", False))
    )
    settings |= {"binding": binding, "cancel_setups": cancel}
    return replace(case, settings={**settings, "autoscaler": "on_demand"})


def learning(choose, case):
    """Return a case with the policy, and with idle times between its requests."""
    unit_s = case.unit_s
    gaps = make_gaps(choose, len(case.arrival_s))
    arrivals = [sum(gaps[: n + 1]) for n in range(len(gaps))]
    options = choose.pick(((0, 1), (0, 1, 2), (1, 2, 5)))
    services = [choose.pick(options) * unit_s for _ in gaps]
    settings = {**case.settings, "keep_alive": make_policy(choose, unit_s)}
    if settings.get("horizon_s"):
        horizon = choose.integer(1, max(arrivals, default=0) + 30)
        settings["horizon_s"] = horizon * unit_s
    return replace(
        case,
        arrival_s=[time * unit_s for time in arrivals],
        service_time_s=services,
        settings=settings,
        exact=case.exact and settings["keep_alive"].get("margin", 0.1) != 0.1,
    )


def make_gaps(choose, n):
    """Return gaps of which one is much more frequent than the others."""
    usual = choose.integer(2, 18)
    others = (0, 1, usual + 1, 2 * usual, choose.integer(1, 90))
    share = choose.pick((2, 5, 15))
    return [choose.pick((*others, *(usual,) * share)) for _ in range(n)]


def make_policy(choose, unit_s):
    width = choose.pick((1, 1, 2, 3, 4))
    policy = {
        "bin_s": width * unit_s,
        # not always a whole number of bins
        "range_s": (choose.integer(3, 16) * width + choose.pick((0, 0, 1))) * unit_s,
        "head": choose.pick((0.0, 0.05, 0.25, 0.5)),
        "tail": choose.pick((0.5, 0.75, 0.99, 1.0)),
        "margin": choose.pick((0.0, 0.0, 0.1, 0.25, 0.5, 1.0)),
        "cv_threshold": choose.pick((0.0, 0.5, 1.0, 1.5, 2.0, 4.0)),
        "most_out_of_bounds": choose.pick((0.0, 0.25, 0.5, 0.75, 1.0, 1.0)),
    }
    left_out = choose.pick(
        (*(None,) * 6, "head", "tail", "margin", "cv_threshold", "most_out_of_bounds")
    )
    return {name: value for name, value in policy.items() if name != left_out}
