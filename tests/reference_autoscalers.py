"""The autoscalers of docs/model.md 9.2, 9.3 and 9.5 as plain histories, looked through anew.

Each has the simulator that it belongs to, `pool`, and answers `desired()` at its ticks.
Nothing is kept but what has happened: whenever a window is asked for, all of it is gone
through. Numbers in comments are clauses.
"""

import math

from reference_billing import merged

GUARD = 1e-9  # 9
INF = math.inf


DEFAULTS = {
    "knative": {
        "scaling_interval_s": 2.0,
        "scaling_window_s": 60,
        "panic_window_fraction": 0.1,
        "panic_threshold": 2.0,
        "target_utilization": 0.7,
        "max_scale_up_rate": 1000.0,
        "max_scale_down_rate": 2.0,
        "scale_down_delay_s": 0,
        "activation_scale": 1,
        "target_burst_capacity": 211.0,
        "grace_period_s": 30.0,
        "retention_s": 0.0,
    },
    "hpa": {"scaling_interval_s": 15.0, "metric": "requests"},
    "keda": {
        "scaling_interval_s": 15.0,
        "metric": "requests",
        "polling_interval_s": 30.0,
        "cooldown_s": 300.0,
        "initial_cooldown_s": 0.0,
        "activation_threshold": 0.0,
    },
    "request_rate": {
        "scaling_interval_s": 10.0,
        "scaling_window_s": 60.0,
        "up_delay_s": 300.0,
        "down_delay_s": 600.0,
    },
    "step_tracking": {
        "scaling_interval_s": 60.0,
        "high_datapoints": 3,
        "low_datapoints": 15,
        "low_fraction": 0.9,
        "up_cooldown_s": 300.0,
        "down_cooldown_s": 300.0,
    },
}
WAYS = {
    "scale_up": {"stabilization_s": 0.0, "replicas": 4, "fraction": 1.0},
    "scale_down": {"stabilization_s": 300.0, "replicas": None, "fraction": 1.0},
}


def ceil(x):
    return math.ceil(x - GUARD)


def floor(x):
    return math.floor(x + GUARD)


class Loop:
    """What they have in common: a history of the pool, and clocks."""

    wakes_at_once = True  # 4.1c, g

    def __init__(self, pool, parameters):
        self.pool = pool
        self.at = {**DEFAULTS[parameters["kind"]], **parameters}
        n_ready = len(pool.in_state("ready"))
        self.history = [(0.0, 0, n_ready)]  # (since when, in system, ready)
        self.ticks_s = [0.0]

    def next_tick_s(self):
        return len(self.ticks_s) * self.at["scaling_interval_s"]

    def after_event(self):
        pool = self.pool
        n_ready = len(pool.in_state("ready"))
        self.history.append((pool.now_s, pool.in_system(), n_ready))

    def tick(self):
        desired = self.desired()
        self.ticks_s.append(self.pool.now_s)
        return desired

    def on_wake(self):
        """Return up to how many a request launches that finds nothing alive."""
        return 1

    def at_zero(self):
        """Note a request that finds nothing alive."""

    def may_go_down(self):
        return self.pool.alive() != self.pool.min

    def may_serve(self):
        return self.pool.in_system() > 0

    def bounded(self, desired):
        if self.pool.in_system() > 0:
            desired = max(desired, 1)
        return min(max(desired, self.pool.min), self.pool.max)

    def load_between(self, start_s, stop_s):
        """The integral of requests in system over [start, stop)."""
        total = 0.0
        until_s = INF
        for since_s, in_system, _ in reversed(self.history):
            overlap_s = min(until_s, stop_s) - max(since_s, start_s)
            total += in_system * max(overlap_s, 0.0)
            until_s = since_s
            if since_s <= start_s:
                break
        return total

    def arrivals_between(self, start_s, stop_s):
        """ARRIVALs in (start, stop]."""
        times = [r.arrival_s for r in self.pool.requests]
        return sum(start_s < time_s <= stop_s for time_s in times)


class Knative(Loop):  # 9.2
    def __init__(self, pool, parameters):
        super().__init__(pool, parameters)
        self.stable_s = int(self.at["scaling_window_s"])
        half_up = math.floor(self.stable_s * self.at["panic_window_fraction"] + 0.5)
        self.panic_s = max(1, half_up)
        self.seconds = []  # (load, has data) of each second that has ended
        self.pokes = set()  # seconds
        self.before = None  # the decision before
        self.over_s = None  # when the load was last over, in this panic
        self.in_panic = []  # what was desired in this panic
        self.slots = []  # (slot, desired)
        n = len(pool.in_state("ready"))
        if n > 1:
            self.over_s, self.in_panic = 0.0, [n]
        self.status, self.since_s = ("active" if n else "inactive"), 0.0
        self.in_path_since_s = None

    # 9.2.1

    def close_seconds(self):
        while len(self.seconds) + 1 <= self.pool.now_s:
            k = len(self.seconds)
            load = self.load_between(k, k + 1)
            if k in self.pokes:
                load = max(load, 1.0)
            self.seconds.append((load, load > 0 or self.ready_before(k + 1) > 0))

    def ready_before(self, time_s):
        for since_s, _, n_ready in reversed(self.history):
            if since_s < time_s:
                return n_ready
        return self.history[0][2]

    # 9.2.2

    def mean(self, window_s):
        seconds = list(self.seconds)
        if len(seconds) in self.pokes:
            seconds.append((1.0, True))
        with_data = [k for k, (_, has_data) in enumerate(seconds) if has_data]
        if not with_data:
            return 0.0
        first = last = with_data[-1]
        for k in reversed(with_data):
            if first - k >= window_s:
                break
            first = k
        first = max(first, len(seconds) - window_s)
        if last < first:
            return 0.0
        loads = [load for load, _ in seconds[first : last + 1]]
        return floor(math.fsum(loads) / len(loads) * 1e6) / 1e6

    # 9.2.3

    def desired(self):
        return self.decide(slot=len(self.ticks_s))

    def decide(self, slot):
        self.close_seconds()
        data = [k for k, (_, has_data) in enumerate(self.seconds) if has_data]
        data += [k for k in self.pokes if k >= len(self.seconds)]
        panic = self.mean(self.panic_s)
        if data and len(self.seconds) - 1 - max(data) <= self.stable_s:
            self.before = self.decision(self.mean(self.stable_s), panic, slot)
        if self.before is None:
            return self.pool.alive()
        return self.applied(self.bounded(self.before), self.short(panic))

    def decision(self, stable, panic, slot):
        pods = max(1, len(self.pool.in_state("ready")))
        target = max(0.01, self.pool.target * self.at["target_utilization"])
        for_stable, for_panic = ceil(stable / target), ceil(panic / target)
        self.look_for_panic(for_panic / pods >= self.at["panic_threshold"])
        desired = self.held(for_stable, pods)
        if self.over_s is not None:  # 9.2.4
            self.in_panic += [desired, self.held(for_panic, pods)]
            desired = max(self.in_panic)
        delay_s = self.at["scale_down_delay_s"]
        if delay_s > 0:  # 9.2.5
            self.slots.append((slot, desired))
            n_slots = ceil(delay_s / self.at["scaling_interval_s"])
            desired = max(n for k, n in self.slots if k > slot - n_slots)
        return desired

    def held(self, wanted, pods):
        fewest = floor(pods / self.at["max_scale_down_rate"])
        most = ceil(pods * self.at["max_scale_up_rate"])
        held = min(max(wanted, fewest), most)
        return max(held, self.at["activation_scale"]) if wanted > 0 else held

    def look_for_panic(self, over):  # 9.2.4
        now_s = self.pool.now_s
        if over:
            self.over_s = now_s
        elif self.over_s is not None and self.over_s + self.stable_s < now_s:
            self.over_s, self.in_panic = None, []

    # 9.2.6

    def on_wake(self):
        self.close_seconds()
        self.pokes.add(len(self.seconds))
        return min(max(1, self.decide(slot=len(self.ticks_s) - 1)), self.pool.max)

    # 9.2.7

    def short(self, panic):
        burst = self.at["target_burst_capacity"]
        capacity = len(self.pool.in_state("ready")) * self.pool.target
        return burst == -1 or (burst > 0 and capacity - burst - panic < -GUARD)

    def become(self, status):
        if status != self.status:
            self.status, self.since_s = status, self.pool.now_s

    def applied(self, desired, short):
        now_s, count = self.pool.now_s, self.pool.alive()
        enough = len(self.pool.in_state("ready")) >= max(1, self.pool.min)
        if self.status == "activating" and enough:
            self.become("active")
        status_before = self.status
        if desired > 0:
            self.become("active" if enough else "activating")
            count = desired
        elif self.status == "activating" and now_s > self.since_s + 630:
            self.become("inactive")
            count = 0
        elif self.status == "active":
            if now_s >= self.since_s + self.stable_s:
                self.become("inactive")
            else:
                count = 1
        if not (short or self.status == "inactive"):
            self.in_path_since_s = None
        elif self.in_path_since_s is None:
            self.in_path_since_s = now_s
        if desired == 0 and status_before == "inactive" and self.waited_out():
            count = 0
        return count

    def waited_out(self):
        now_s, grace_s = self.pool.now_s, self.at["grace_period_s"]
        retained = now_s >= self.since_s + self.at["retention_s"]
        inactive = now_s >= self.since_s + grace_s
        return retained and (inactive or now_s >= self.in_path_since_s + grace_s)


class Hpa(Loop):  # 9.3
    def __init__(self, pool, parameters):
        super().__init__(pool, parameters)
        self.ready_before = pool.in_state("ready")  # at the last tick
        self.proposals = []  # (when, count)
        self.changes = []  # (when, by how much)
        self.up, self.down = (self.way(key) for key in WAYS)

    def way(self, key):
        given = dict(self.at.get(key) or {})
        rules = dict(WAYS[key])
        if given.get("replicas") is not None or given.get("fraction") is not None:
            rules |= {"replicas": None, "fraction": None}
        rules |= {"tolerance": 0.1, "select": "max"}
        rules |= {"replicas_period_s": 15.0, "fraction_period_s": 15.0}
        return rules | {k: x for k, x in given.items() if x is not None}

    def may_go_down(self):
        return super().may_go_down() and self.down["select"] != "disabled"

    def desired(self):
        return self.for_min(self.pool.min)

    def for_min(self, lowest):
        count, now_s = self.pool.alive(), self.pool.now_s
        desired = count
        busy = self.at["metric"] == "busy"
        proposal = self.for_busy() if busy else self.for_requests()
        if lowest <= count <= self.pool.max:  # 9.3.3
            self.proposals.append((now_s, proposal))
            low = min(self.proposed_since(now_s - self.up["stabilization_s"]))
            high = max(self.proposed_since(now_s - self.down["stabilization_s"]))
            desired = self.limited(min(max(count, low), high), count)
        if self.pool.in_system() > 0:  # 9.3.5
            desired = max(desired, 1)
        desired = min(max(desired, lowest), self.pool.max)
        if desired != count:
            self.changes.append((now_s, desired - count))
        return desired

    def proposed_since(self, time_s):
        later = [n for when_s, n in self.proposals if when_s > time_s]
        return [*later, self.proposals[-1][1]]

    def tolerable(self, ratio):
        low, high = 1 - self.down["tolerance"], 1 + self.up["tolerance"]
        return low - GUARD <= ratio <= high + GUARD

    def for_requests(self):  # 9.3.1
        count, in_system = self.pool.alive(), self.pool.in_system()
        if count and self.tolerable(in_system / (self.at["target"] * count)):
            return count
        return ceil(in_system / self.at["target"])

    def for_busy(self):  # 9.3.2
        count = self.pool.alive()
        since_s = self.ticks_s[-1]
        ready = self.pool.in_state("ready")
        measured = [x for x in ready if x in self.ready_before]
        self.ready_before = ready
        if not measured:
            return count
        busy = sum(self.busy_fraction(x, since_s) for x in measured)
        ratio = self.ratio_of(busy, len(measured))
        if ratio <= 1 + GUARD or len(measured) == count:
            return count if self.tolerable(ratio) else ceil(ratio * len(measured))
        ratio = self.ratio_of(busy, count)
        if ratio < 1 - GUARD or self.tolerable(ratio):
            return count
        return max(ceil(ratio * count), count)

    def ratio_of(self, busy, n):
        return floor(100 * busy / n) / (100 * self.at["target"])

    def busy_fraction(self, replica, since_s):
        now_s = self.pool.now_s
        spans = merged((x.start_s, min(x.stop_s, now_s)) for x in replica.begun)
        overlaps = [stop_s - max(start_s, since_s) for start_s, stop_s in spans]
        return sum(max(x, 0.0) for x in overlaps) / self.at["scaling_interval_s"]

    def limited(self, desired, count):  # 9.3.4
        if desired > count:
            return min(desired, max(count, self.limit(self.up, count, 1, ceil, max)))
        if desired < count:
            return max(
                desired, min(count, self.limit(self.down, count, -1, floor, min))
            )
        return count

    def limit(self, way, count, sign, rounded, further):
        if way["select"] == "disabled":
            return count
        limits = []
        if way["replicas"] is not None:
            start = count - self.changed_since(way["replicas_period_s"])
            limits.append(start + sign * way["replicas"])
        if way["fraction"] is not None:
            start = count - self.changed_since(way["fraction_period_s"])
            limits.append(rounded(start * (1 + sign * way["fraction"])))
        nearer = {max: min, min: max}[further]
        return nearer(limits) if way["select"] == "min" else further(limits)

    def changed_since(self, period_s):
        now_s = self.pool.now_s
        return sum(n for when_s, n in self.changes if when_s > now_s - period_s)


class Keda(Hpa):  # 9.3.6
    wakes_at_once = False

    def __init__(self, pool, parameters):
        super().__init__(pool, parameters)
        self.polls_s = [0.0]
        self.active_polls_s = []

    def next_poll_s(self):
        return len(self.polls_s) * self.at["polling_interval_s"]

    def next_tick_s(self):
        return min(super().next_tick_s(), self.next_poll_s())

    def tick(self):
        now_s, count = self.pool.now_s, self.pool.alive()
        if now_s == super().next_tick_s():
            if count > 0:
                count = self.for_min(max(1, self.pool.min))
            self.ticks_s.append(now_s)
        if now_s == self.next_poll_s():
            self.polls_s.append(now_s)
            count = self.polled(count)
        return count

    def polled(self, count):
        now_s = self.pool.now_s
        if self.pool.in_system() > self.at["activation_threshold"]:
            self.active_polls_s.append(now_s)
            return count if count > 0 else max(1, self.pool.min)
        if self.pool.min > 0:
            return count
        over_s = self.at["initial_cooldown_s"]
        if self.active_polls_s:
            over_s = self.active_polls_s[-1] + self.at["cooldown_s"]
        return 0 if over_s < now_s else count

    def may_go_down(self):
        return self.pool.alive() != self.pool.min and (
            self.pool.min == 0 or super().may_go_down()
        )

    def may_serve(self):
        enough = self.pool.in_system() > self.at["activation_threshold"]
        return enough if self.pool.alive() == 0 else super().may_serve()


class RequestRate(Loop):  # 9.5.2
    def __init__(self, pool, parameters):
        super().__init__(pool, parameters)
        self.changed_s = []

    def on_wake(self):
        self.changed_s.append(self.pool.now_s)
        return 1

    def desired(self):
        now_s, count = self.pool.now_s, self.pool.alive()
        window_s = self.at["scaling_window_s"]
        rate = self.arrivals_between(now_s - window_s, now_s) / window_s
        wanted = self.bounded(ceil(rate / self.at["target"]))
        if count > 0 and self.pool.min <= count <= self.pool.max and self.changed_s:
            delay_s = self.at["up_delay_s" if wanted > count else "down_delay_s"]
            if now_s < self.changed_s[-1] + delay_s:
                return count
        if wanted != count:
            self.changed_s.append(now_s)
        return wanted


class StepTracking(Loop):  # 9.5.3
    wakes_at_once = False

    def __init__(self, pool, parameters):
        super().__init__(pool, parameters)
        self.ratios = []  # of each datapoint; None: it has none
        self.outs = []  # scale-outs: (when, base)
        self.ins_s = []
        self.knocks = 0  # requests since the tick before that found nothing alive

    def at_zero(self):
        self.knocks += 1

    def desired(self):
        count = self.pool.alive()
        knocks, self.knocks = self.knocks, 0
        self.ratios.append(self.ratio())
        if count == 0:
            return 1 if knocks or self.pool.in_system() > 0 else 0
        low = self.at["low_fraction"]
        if self.in_a_row(lambda x: x > 1 + GUARD, self.at["high_datapoints"]):
            return self.scaled_out(count)
        if self.in_a_row(lambda x: x < low - GUARD, self.at["low_datapoints"]):
            return self.scaled_in(count)
        return count

    def ratio(self):
        now_s, since_s = self.pool.now_s, self.ticks_s[-1]
        ready = len(self.pool.in_state("ready"))
        if ready == 0:
            return None
        if self.at.get("target") is not None:
            load, target = self.load_between(since_s, now_s), self.at["target"]
        else:
            first = len(self.ticks_s) == 1  # since the start: those at 0 too
            load = self.arrivals_between(-INF if first else since_s, now_s)
            target = self.at["target_rate_per_s"]
        return load / self.at["scaling_interval_s"] / ready / target

    def in_a_row(self, test, n):
        latest = self.ratios[-n:]
        return len(latest) == n and all(x is not None and test(x) for x in latest)

    def scaled_out(self, count):
        now_s, base = self.pool.now_s, count
        if self.outs and now_s < self.outs[-1][0] + self.at["up_cooldown_s"]:
            base = self.outs[-1][1]
        desired = min(ceil(base * self.ratios[-1]), self.pool.max)
        if desired > count:
            self.outs.append((now_s, base))
        return max(desired, count)

    def scaled_in(self, count):
        now_s = self.pool.now_s
        if self.ins_s and now_s < self.ins_s[-1] + self.at["down_cooldown_s"]:
            return count
        desired = max(ceil(count * self.ratios[-1]), self.pool.min)
        if self.pool.in_system() > 0:
            desired = max(desired, 1)
        if desired < count:
            self.ins_s.append(now_s)
        return min(desired, count)


LOOPS = {
    "knative": Knative,
    "hpa": Hpa,
    "keda": Keda,
    "request_rate": RequestRate,
    "step_tracking": StepTracking,
}
