"""Random autoscalers for random cases: parameters in their ranges, small and full of ties."""

INTERVALS = (1, 1, 2, 3, 5)
REMOVING = (
    *("concurrency_window", "knative", "hpa", "keda"),
    *("request_rate", "step_tracking"),
)
"""Loops that remove replicas; they have no idle timers."""
FROM_SOURCE = REMOVING[1:]
"""Those written from somebody's source, whose times are not drawn anew for slowdown."""


def make_autoscaler(choose, kind, unit_s):
    if kind in ("on_demand", "fixed"):
        return choose.pick((kind, {"kind": kind}))
    loop = {"kind": kind, "scaling_interval_s": choose.pick(INTERVALS) * unit_s}
    return loop | MAKERS[kind](choose, unit_s, loop["scaling_interval_s"])


def make_queue_delay(choose, unit_s, _):
    return {"threshold_s": choose.pick((0, 1, 2, 5)) * unit_s}


def make_request_count(choose, _, __):
    return {"requests_per_replica": choose.pick((0.5, 1, 1.5, 2, 3))}


def make_window(choose, unit_s, _):
    return {
        "scaling_window_s": choose.pick((1, 2, 4, 7, 10, 20)) * unit_s,
        "target_utilization": choose.pick((0.25, 0.5, 0.7, 1.0)),
        "scale_down_delay_s": choose.pick((0, 0, 1, 3, 10)) * unit_s,
        # the last one: floor needs its guard to take 2 of 3
        "max_scale_down_fraction": choose.pick((0.1, 0.3, 0.5, 1.0, 0.66666666666)),
    }


def make_knative(choose, unit_s, interval_s):
    window_s = choose.pick((6, 6, 7, 10, 20))
    fractions = (0.1, 0.2, 0.35, 0.5, 1.0)
    long_enough = [x for x in fractions if int(window_s * x + 0.5) >= interval_s]
    parameters = {
        "panic_threshold": choose.pick((1.1, 1.5, 2.0, 3.0)),
        "target_utilization": choose.pick((0.25, 0.5, 0.7, 1.0)),
        "max_scale_up_rate": choose.pick((1.1, 1.5, 2.0, 10.0)),
        "max_scale_down_rate": choose.pick((1.1, 1.5, 2.0, 10.0)),
        "scale_down_delay_s": choose.pick((0, 0, 1, 3, 10)),
        "activation_scale": choose.pick((1, 1, 2, 3)),
        "target_burst_capacity": choose.pick((-1, 0, 1, 2.5, 211)),
        "grace_period_s": choose.pick((1, 3, 8, 30)) * unit_s,
        "retention_s": choose.pick((0, 0, 2, 9)) * unit_s,
    }
    return some(choose, parameters) | {
        "scaling_window_s": window_s,
        "panic_window_fraction": choose.pick(long_enough),
    }


def some(choose, parameters):
    """Return all parameters or all but one, which then has its default."""
    left_out = choose.pick((None, *parameters))
    return {name: value for name, value in parameters.items() if name != left_out}


def make_way(choose, unit_s):
    """Return how far and how fast the way up or down is."""
    if choose.integer(0, 3) == 0:
        return {}
    parameters = {
        "stabilization_s": choose.pick((0, 0, 1, 3, 8)) * unit_s,
        "tolerance": choose.pick((0.0, 0.1, 0.1, 0.5)),
        "select": choose.pick(("max", "max", "min", "disabled")),
        "replicas": choose.pick((None, 1, 2, 4)),
        "replicas_period_s": choose.pick((1, 2, 5, 15)) * unit_s,
        "fraction": choose.pick((None, 0.1, 0.5, 1.0, 2.0)),
        "fraction_period_s": choose.pick((1, 2, 5, 15)) * unit_s,
    }
    return some(choose, parameters)


def make_hpa(choose, unit_s, _):
    busy = choose.integer(0, 1) == 0
    targets = (0.1, 0.3, 0.5, 0.8, 1.0) if busy else (0.5, 1, 1.5, 2, 3)
    return {
        "metric": "busy" if busy else "requests",
        "target": choose.pick(targets),
        "scale_up": make_way(choose, unit_s),
        "scale_down": make_way(choose, unit_s),
    }


def make_keda(choose, unit_s, _):
    parameters = {
        "initial_cooldown_s": choose.pick((0, 0, 4)) * unit_s,
        "activation_threshold": choose.pick((0, 0, 0, 1, 2)),
        "scale_up": make_way(choose, unit_s),
        "scale_down": make_way(choose, unit_s),
    }
    return some(choose, parameters) | {
        "target": choose.pick((0.5, 1, 1.5, 2, 3)),
        "polling_interval_s": choose.pick((1, 2, 3, 5)) * unit_s,
        "cooldown_s": choose.pick((0, 1, 3, 10)) * unit_s,
    }


def make_request_rate(choose, unit_s, interval_s):
    return {
        "target": choose.pick((0.1, 0.25, 0.5, 1.0, 2.0)) / unit_s,
        "scaling_window_s": max(interval_s, choose.pick((1, 2, 4, 7, 20)) * unit_s),
        "up_delay_s": choose.pick((0, 1, 3, 10)) * unit_s,
        "down_delay_s": choose.pick((0, 1, 3, 10)) * unit_s,
    }


def make_step_tracking(choose, unit_s, _):
    target = choose.pick((0.25, 0.5, 1.0, 2.0))
    tracked = {"target": target}
    if choose.integer(0, 1) == 0:
        tracked = {"target_rate_per_s": target / unit_s}
    parameters = {
        "high_datapoints": choose.pick((1, 2, 3)),
        "low_fraction": choose.pick((0.5, 0.9, 1.0)),
        "up_cooldown_s": choose.pick((0, 2, 5, 10)) * unit_s,
        "down_cooldown_s": choose.pick((0, 2, 5, 10)) * unit_s,
    }
    return (
        tracked
        | some(choose, parameters)
        | {"low_datapoints": choose.pick((1, 2, 3, 5))}
    )


MAKERS = {
    "queue_delay": make_queue_delay,
    "request_count": make_request_count,
    "concurrency_window": make_window,
    "knative": make_knative,
    "hpa": make_hpa,
    "keda": make_keda,
    "request_rate": make_request_rate,
    "step_tracking": make_step_tracking,
}


def needs_a_replica(autoscaler):
    """Whether it has nothing to measure without a replica, so that min must be 1."""
    return isinstance(autoscaler, dict) and autoscaler.get("metric") == "busy"
