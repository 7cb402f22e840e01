"""Service in the reference simulator: how fast it goes, and what may end it too soon.

Written from sections 10 and 11 of docs/model.md alone; numbers in comments are its
clauses.
"""

import heapq

from reference_records import (
    COMPLETION,
    FAILED,
    FAILURE,
    NAN,
    RETRY,
)


class Slowdown:
    """The part of a simulator that knows when the next service ends (10).

    With a slowdown no completion is on the heap, for each moves whenever another
    request begins or leaves: all are computed anew at every event.
    """

    def next_event(self):
        """Take the pending event with the smallest key; None: there is none."""
        completion = min(self.moving_completions(), default=None)
        if completion and (not self.events or completion < self.events[0]):
            return completion
        return heapq.heappop(self.events) if self.events else None

    def moving_completions(self):
        if self.settings.slowdown == 0:
            return []
        return [
            (
                self.now_s + request.service.work_left_s / self.rate(replica),
                *(COMPLETION, request.index, request.n_begun),
            )
            for replica in self.running
            for request in replica.in_service
        ]

    def rate(self, replica):
        others = len(replica.in_service) - 1
        return 1.0 / (1.0 + self.settings.slowdown * others)

    def progress_until(self, time_s):
        for replica in self.running:
            for request in replica.in_service:
                done_s = (time_s - self.now_s) * self.rate(replica)
                left_s = request.service.work_left_s - done_s
                request.service.work_left_s = max(0.0, left_s)  # 0 but for rounding


class Failures:
    """The part of a simulator in which replicas die and requests try again (11)."""

    backing_off = 0
    """Requests between a FAILURE and their RETRY."""

    def arm_failure(self, replica):
        if self.settings.failures is None:
            return
        lifetime_s = self.settings.failures["lifetime_s"]
        if replica.id >= len(lifetime_s):
            raise ValueError("lifetime_s has too few entries")  # 1
        fails_s = self.now_s + float(lifetime_s[replica.id])
        if fails_s < float("inf"):
            self.push(fails_s, FAILURE, replica.id)

    def failure(self, replica_id, _):
        replica = self.replicas[replica_id]
        if replica.state == "stopped":
            return False
        interrupted = sorted(replica.in_service, key=lambda request: request.index)
        self.stop(replica)
        for request in interrupted:
            self.leave(replica, request)
            self.try_again_or_fail(request)
        if interrupted:
            self.begin_idle_period_if_empty()
        self.replace_the_dead()
        self.cancel_surplus()
        return True

    def try_again_or_fail(self, request):
        failures = self.settings.failures
        if request.n_begun >= failures.get("max_attempts", 1):
            request.outcome = FAILED
            return
        factor = failures.get("backoff_factor", 2.0) ** (request.n_begun - 1)
        backoff_s = failures.get("backoff_s", 0.0) * factor
        self.push(self.now_s + backoff_s, RETRY, request.index)
        self.backing_off += 1

    def replace_the_dead(self):
        while self.alive() < self.min:
            self.launch()
        if self.on_demand:
            self.launch_up_to_needed()
        elif self.alive() == 0 < self.max and self.in_system() > 0:
            self.launch()

    def retry(self, index, _):
        request = self.requests[index]
        self.backing_off -= 1
        # like any request that has not begun
        request.start_s, request.replica, request.cold = NAN, -1, False
        self.admit(request)
        return True

    def is_at_rest(self, time_s):
        """Whether a FAILURE comes when all is done: it is void then (11.6)."""
        late = self.settings.horizon_s is None or time_s >= self.horizon_s
        in_service = any(replica.in_service for replica in self.running)
        busy = self.in_system() or in_service or self.backing_off
        return late and not busy and self.to_come == 0
