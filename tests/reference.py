"""A slow simulator of one pool, written from docs/model.md alone, never from the kernel.

Obvious beats short and short beats fast: an event is a tuple on a heap, a request and
a replica are objects, and whatever can be counted is counted anew. Numbers in comments
are its clauses.
"""

import heapq
import math

import numpy as np
from reference_autoscalers import LOOPS
from reference_billing import merged, metered_s
from reference_keep_alive import KeepAlive
from reference_records import (
    ARRIVAL,
    BOUNDS,
    COMPLETION,
    FAILURE,
    GIVE_UP,
    IDLE_TIMEOUT,
    READY,
    REJECTED,
    REPLICA_DTYPE,
    REQUEST_DTYPE,
    SERVED,
    TICK,
    TIMED_OUT,
    Pool,
    Replica,
    Request,
    Service,
    Settings,
)
from reference_service import Failures, Slowdown

__all__ = ["metered_s", "simulate_pool"]

GUARD = 1e-9  # 9, last line
INF = math.inf


def simulate_pool(arrival_s, service_time_s, setup_time_s, **settings):
    """Simulate one pool; keywords and defaults as in `costsim.simulate_pool`."""
    simulator = Simulator(arrival_s, service_time_s, setup_time_s, Settings(**settings))
    simulator.run()
    return simulator.pool()


class Simulator(Slowdown, Failures, KeepAlive):
    def __init__(self, arrival_s, service_time_s, setup_time_s, settings):
        self.settings = settings
        self.now_s = self.last_change_s = 0.0
        self.step = 0
        self.events = []
        self.requests = []
        self.replicas = []
        self.running = []  # the replicas that have not stopped, in id order
        self.queue = []
        self.service_time_s = [float(x) for x in service_time_s]
        self.setup_time_s = [float(x) for x in setup_time_s]
        self.launches = self.stamps = self.timers = 0
        self.last_round_robin = -1
        autoscaler = settings.autoscaler
        self.loop = {} if isinstance(autoscaler, str) else autoscaler
        self.kind = autoscaler if isinstance(autoscaler, str) else autoscaler["kind"]
        self.on_demand = self.kind in ("on_demand", "fixed")  # 9.5: fixed is on demand
        self.limit = settings.concurrency_limit
        self.target = settings.concurrency_target or self.limit
        self.min = settings.min_replicas
        self.max = self.upper_bound(settings.max_replicas)
        self.scaler = None  # the autoscaler, if it is one of 9.2, 9.3 and 9.5
        self.load = [(0.0, 0)]  # (since when, in system), for 9.1
        self.below_since_s = None  # u of 9.1
        self.tokens = settings.rate_limit[1] if settings.rate_limit else None
        self.previous_arrival_s = 0.0
        horizon_s = settings.horizon_s
        self.horizon_s = INF if horizon_s is None else float(horizon_s)
        self.start(arrival_s)

    def upper_bound(self, max_replicas):
        return INF if max_replicas is None else max_replicas

    def start(self, arrival_s):
        bounds = self.settings.bounds or []
        # 7: arrivals and BOUNDS at the horizon or later are dropped, by either end
        self.requests = [
            Request(i, float(t)) for i, t in enumerate(arrival_s) if t < self.horizon_s
        ]
        kept = [i for i, entry in enumerate(bounds) if entry[0] < self.horizon_s]
        for request in self.requests:
            self.push(request.arrival_s, ARRIVAL, request.index)
        for entry in kept:
            self.push(float(bounds[entry][0]), BOUNDS, entry)
        self.to_come = len(self.requests) + len(kept)
        self.start_to_learn()
        initial = self.settings.initial_replicas
        for _ in range(self.min if initial is None else initial):  # 6
            replica = self.new_replica()
            replica.state, replica.ready_s = "ready", 0.0
            self.put_stamp(replica)
            self.arm_failure(replica)
            self.go_idle(replica)
        if self.kind in LOOPS:
            self.scaler = LOOPS[self.kind](self, {"kind": self.kind, **self.loop})
            self.push(self.scaler.next_tick_s(), TICK, 1)
        elif not self.on_demand:
            self.push(self.loop["scaling_interval_s"], TICK, 1)  # 9: k x interval

    def run(self):
        handlers = (
            self.completion,
            self.ready,
            self.failure,
            self.retry,
            self.prewarm,
            self.idle_timeout,
            self.give_up,
            self.arrival,
            self.change_bounds,
            self.tick,
        )
        cut = self.settings.end == "cut" and self.horizon_s < INF
        while (upcoming := self.next_event()) is not None:
            time_s, event, number, timer = upcoming
            if cut and (time_s, event) >= (self.horizon_s, ARRIVAL):  # 7
                break
            if event == FAILURE and self.is_at_rest(time_s):  # 11.6
                continue
            self.progress_until(time_s)
            self.now_s = time_s
            self.step += 1
            changed = handlers[event](number, timer)
            if changed:
                self.last_change_s = time_s  # 7
            self.load.append((time_s, self.in_system()))
            if self.scaler is not None:
                self.scaler.after_event()
        self.end_s = self.last_change_s
        if self.horizon_s < INF:
            self.end_s = self.horizon_s if cut else max(self.horizon_s, self.end_s)

    def push(self, time_s, event, number, timer=0):
        heapq.heappush(self.events, (time_s, event, number, timer))  # 3.1

    # What is counted

    def in_state(self, state):
        return [x for x in self.running if x.state == state]

    def alive(self):
        return sum(x.alive for x in self.running)

    def in_system(self):  # 4.9
        here = [len(x.glued) + len(x.in_service) for x in self.running if x.alive]
        return len(self.queue) + sum(here)

    def needed(self):  # 4.9
        in_system = self.in_system()
        if in_system == 0:
            return 0
        return max(1, ceil(in_system / self.target)) + self.settings.buffer_replicas

    # Arrivals

    def arrival(self, index, _):  # 4.1
        self.to_come -= 1
        if self.admitted_by_rate_limit():  # a
            self.admit(self.requests[index])
        else:
            self.requests[index].outcome = REJECTED
        return True

    def admit(self, request):  # 4.1 b to g; 11 for a retry
        request.arrived_at_step, request.waits_since_s = self.step, self.now_s
        self.end_idle_period()
        launches_before = self.launches
        self.place(request)
        request.launched += self.launches - launches_before

    def admitted_by_rate_limit(self):
        if self.settings.rate_limit is None:
            return True
        rate, burst = self.settings.rate_limit
        gap_s = self.now_s - self.previous_arrival_s
        self.previous_arrival_s = self.now_s
        self.tokens = min(burst, self.tokens + rate * gap_s)
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

    def place(self, request):
        ready = self.in_state("ready")
        free = [x for x in ready if len(x.in_service) < self.limit]
        if free:  # b
            self.begin(self.route(free), request)
        elif not ready and self.settings.at_zero == "reject":  # c
            request.outcome = REJECTED
            self.wake()
            return
        elif self.settings.binding == "bound" and self.has_room_to_glue():  # d
            self.glue(request)
            self.arm_give_up(request, ready)
        elif len(self.queue) == self.settings.max_queued:  # e
            request.outcome = REJECTED
            return
        else:
            self.queue.append(request)
            self.arm_give_up(request, ready)
        if self.on_demand:  # f
            self.launch_up_to_needed()
        else:  # g
            self.wake()

    def wake(self):  # 4.1c, g
        if self.alive() > 0:
            return
        if self.scaler is not None:
            self.scaler.at_zero()
        if self.max == 0 or (self.scaler is not None and not self.scaler.wakes_at_once):
            return
        for _ in range(1 if self.scaler is None else self.scaler.on_wake()):
            self.launch()

    def open_to_glue(self):
        starting = self.in_state("starting")
        return [x for x in starting if len(x.glued) < self.limit]

    def has_room_to_glue(self):
        return bool(self.open_to_glue()) or self.alive() < self.max

    def glue(self, request):
        replica = self.open_to_glue()[0] if self.open_to_glue() else self.launch()
        replica.glued.append(request)
        request.waits_for = replica

    def arm_give_up(self, request, ready):  # 4.11
        patience_s = self.settings.queue_timeout_s
        if not ready and isinstance(self.settings.at_zero, tuple):
            patience_s = self.settings.at_zero[1]
        request.give_up_timer += 1  # even without patience: an earlier one is void
        if patience_s is not None:
            due_s = request.waits_since_s + patience_s
            self.push(due_s, GIVE_UP, request.index, request.give_up_timer)

    def will_give_up(self, request, timer):
        glued = request.waits_for is not None and request in request.waits_for.glued
        return timer == request.give_up_timer and (request in self.queue or glued)

    def give_up(self, index, timer):  # 4.11
        request = self.requests[index]
        if not self.will_give_up(request, timer):
            return False
        waiting = self.queue if request in self.queue else request.waits_for.glued
        waiting.remove(request)
        request.outcome = TIMED_OUT
        self.begin_idle_period_if_empty()
        self.cancel_surplus()
        return True

    def route(self, free):  # 5
        rule = self.settings.routing
        if rule == "most_recently_used":
            return max(free, key=lambda x: x.stamp)
        if rule == "least_recently_used":
            return min(free, key=lambda x: x.stamp)
        if rule == "newest":
            return max(free, key=lambda x: x.id)
        if rule == "oldest":
            return min(free, key=lambda x: x.id)
        if rule == "least_loaded":
            return min(free, key=lambda x: (len(x.in_service), x.id))
        if rule == "most_loaded":
            return min(free, key=lambda x: (-len(x.in_service), x.id))
        later = [x for x in free if x.id > self.last_round_robin]
        chosen = min(later or free, key=lambda x: x.id)
        self.last_round_robin = chosen.id
        return chosen

    # Service

    def begin(self, replica, request):  # 4.4
        first = not replica.begun
        first_service_time_s = self.settings.first_service_time_s
        duration_s = self.service_time_s[request.index]
        if first and first_service_time_s is not None:
            duration_s = float(first_service_time_s[request.index])
        request.start_s = self.now_s
        request.replica = replica.id
        request.cold = replica.ready_at_step > request.arrived_at_step  # 4.7
        request.n_begun += 1
        request.service = Service(self.now_s, duration_s)
        replica.in_service.append(request)
        replica.begun.append(request.service)
        replica.timer, replica.pinned = None, False
        if self.settings.slowdown == 0:
            due_s = self.now_s + duration_s  # 3.2
            self.push(due_s, COMPLETION, request.index, request.n_begun)

    def leave(self, replica, request):
        request.service.stop_s = self.now_s
        request.service = None
        replica.in_service.remove(request)

    def completion(self, index, nth_begun):  # 4.2
        request = self.requests[index]
        if request.service is None or request.n_begun != nth_begun:
            return False  # 11: its replica has failed
        replica = self.replicas[request.replica]
        request.departure_s = self.now_s
        request.outcome = SERVED
        request.service.completed = True
        self.leave(replica, request)
        self.put_stamp(replica)
        self.begin_idle_period_if_empty()
        if replica.state != "draining":
            self.feed(replica)
        if not replica.in_service:
            if replica.state == "draining":
                self.stop(replica)
            else:
                self.go_idle(replica)
        self.cancel_surplus()
        return True

    def feed(self, replica):
        while self.queue and len(replica.in_service) < self.limit:
            self.begin(replica, self.queue.pop(0))

    def put_stamp(self, replica):  # 5.1
        replica.stamp = self.stamps
        self.stamps += 1

    # The life of a replica

    def new_replica(self):
        replica = Replica(len(self.replicas), self.now_s)
        self.replicas.append(replica)
        self.running.append(replica)
        return replica

    def launch(self):  # 4.3
        if self.launches == len(self.setup_time_s):
            raise ValueError("setup_time_s has too few entries")  # 1
        replica = self.new_replica()
        setup_time_s = self.setup_time_s[self.launches]
        self.launches += 1
        self.push(self.now_s + setup_time_s, READY, replica.id)
        return replica

    def launch_up_to_needed(self):
        while self.alive() < min(self.needed(), self.max):
            self.launch()

    def ready(self, replica_id, _):  # 4.3
        replica = self.replicas[replica_id]
        if replica.state == "stopped":
            return False
        replica.state, replica.ready_s = "ready", self.now_s
        replica.ready_at_step = self.step
        self.put_stamp(replica)
        self.arm_failure(replica)
        for request in replica.glued:
            self.begin(replica, request)
        replica.glued = []
        self.feed(replica)
        if not replica.in_service:
            self.go_idle(replica)
        self.cancel_surplus()
        return True

    def go_idle(self, replica):  # 4.5
        has_timers = self.on_demand or self.kind in ("queue_delay", "request_count")
        due_s = self.idle_deadline_s()
        if has_timers and due_s < INF:
            self.timers += 1
            replica.timer, replica.pinned = self.timers, False
            self.push(due_s, IDLE_TIMEOUT, replica.id, self.timers)

    def idle_timeout(self, replica_id, timer):  # 4.5
        replica = self.replicas[replica_id]
        if timer != replica.timer:
            return False
        replica.timer = None
        if len(self.in_state("ready")) <= self.min:
            replica.pinned = True
            return False
        if self.on_demand and self.alive() <= min(self.needed(), self.max):
            self.go_idle(replica)
            return False
        self.stop(replica)
        return True

    def stop(self, replica):
        replica.state, replica.stop_s, replica.timer = "stopped", self.now_s, None
        self.running.remove(replica)

    def cancel_surplus(self):  # 4.6
        if not self.settings.cancel_setups:
            return
        wanted = max(self.min, min(self.needed(), self.max))
        while self.in_state("starting") and self.alive() > wanted:
            self.stop(self.in_state("starting")[-1])

    def change_bounds(self, entry, _):  # 4.10
        self.to_come -= 1
        _, new_min, new_max = self.settings.bounds[entry]
        min_fell = new_min < self.min
        self.min, self.max = new_min, self.upper_bound(new_max)
        running_before, launches_before = len(self.running), self.launches
        while self.alive() < self.min:
            self.launch()
        if self.on_demand:
            self.launch_up_to_needed()
        if min_fell:
            for replica in [x for x in self.running if x.pinned]:
                self.go_idle(replica)
        launched = self.launches - launches_before
        self.cancel_surplus()
        return launched > 0 or len(self.running) != running_before + launched

    # Control loops

    def tick(self, number, _):  # 9
        running_before, launches_before = list(self.running), self.launches
        desired = self.desired()
        if self.in_system() > 0 and self.kind != "keda":  # 9.3.6
            desired = max(desired, 1)
        desired = min(max(desired, self.min), self.max)
        alive = self.alive()
        for _launch in range(desired - alive):
            self.launch()
        drained = self.scale_down(desired, alive)
        if not self.is_last_tick():
            self.push(self.next_tick_s(number + 1), TICK, number + 1)
        launched = self.launches > launches_before
        return launched or drained or self.running != running_before

    def next_tick_s(self, number):
        if self.scaler is not None:
            return self.scaler.next_tick_s()
        return number * self.loop["scaling_interval_s"]

    def desired(self):
        if self.scaler is not None:
            return self.scaler.tick()
        if self.kind == "concurrency_window":  # 9.1
            per_replica = self.target * self.loop["target_utilization"]
            return ceil(self.average_load() / per_replica)
        if self.kind == "request_count":  # 9.4
            return ceil(self.in_system() / self.loop["requests_per_replica"])
        threshold_s = self.loop["threshold_s"]  # 9.4, queue_delay
        late = self.queue and self.now_s > self.queue[0].waits_since_s + threshold_s
        return self.alive() + 1 if late else self.alive()

    def average_load(self):  # 9.1
        window_s = self.loop["scaling_window_s"]
        area, until_s = 0.0, self.now_s
        for since_s, in_system in reversed(self.load):
            area += in_system * (until_s - max(since_s, self.now_s - window_s))
            until_s = since_s
            if since_s <= self.now_s - window_s:
                break
        return area / window_s

    def scale_down(self, desired, alive):  # 9.1
        if self.scaler is not None:
            self.remove(max(alive - desired, 0))
            return desired < alive
        if self.kind != "concurrency_window" or desired >= alive:
            self.below_since_s = None
            return False
        if self.below_since_s is None:
            self.below_since_s = self.now_s
        if self.now_s < self.below_since_s + self.loop["scale_down_delay_s"]:
            return False
        self.below_since_s = self.now_s
        part = math.floor(alive * self.loop["max_scale_down_fraction"] + GUARD)
        self.remove(min(alive - desired, max(1, part)))
        return True

    def remove(self, count):  # 9, removal order
        newest_first = sorted(self.running, key=lambda x: -x.id)
        starting = [x for x in newest_first if x.state == "starting"]
        ready = [x for x in newest_first if x.state == "ready"]
        fewest_first = sorted(ready, key=lambda x: len(x.in_service))  # idle: 0
        for replica in (starting + fewest_first)[:count]:
            if replica.in_service:
                replica.state = "draining"
            else:
                self.stop(replica)

    def is_last_tick(self):  # 7
        nothing_to_do = self.in_system() == 0 or self.max == 0
        removes = self.kind == "concurrency_window"
        settled = self.alive() == self.min or not removes
        if self.scaler is not None:
            nothing_to_do = not self.scaler.may_serve() or self.max == 0
            settled = not self.scaler.may_go_down()
        return self.to_come + self.backing_off == 0 and nothing_to_do and settled

    # Records

    def pool(self):
        names = REQUEST_DTYPE.names
        rows = [tuple(getattr(r, name) for name in names) for r in self.requests]
        requests = np.array(rows, dtype=REQUEST_DTYPE)
        rows = [self.replica_record(x) for x in self.replicas]
        return Pool(requests, np.array(rows, dtype=REPLICA_DTYPE), self.end_s)

    def replica_record(self, replica):
        # 7: what is unfinished is clipped at the horizon
        spans = [(x.start_s, min(x.stop_s, self.end_s)) for x in replica.begun]
        busy_s = sum(stop_s - start_s for start_s, stop_s in merged(spans))
        slot_s = sum(stop_s - start_s for start_s, stop_s in spans)
        n_served = sum(x.completed for x in replica.begun)
        times = (replica.launch_s, replica.ready_s, replica.stop_s)
        return (*times, busy_s, slot_s, n_served)


def ceil(quotient):
    return math.ceil(quotient - GUARD)  # 9, last line
