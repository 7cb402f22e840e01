"""Autoscalers by themselves: their compiled functions, called from Python.

Each `Policy` holds what one decision leaves for the next; a test gives it moments.
"""

import numba
import numpy as np
from pool_defaults import settings_of

from costsim.simulation.policies import hpa, keda, knative, request_rate, step_tracking
from costsim.simulation.policies.memory import fresh_memory
from costsim.simulation.policies.sliding import NOTE_DTYPE, largest_since
from costsim.simulation.rules import RULES_DTYPE


def checked(autoscaler, **pool):
    """Return an autoscaler's rules; keywords are those of `simulate_pool`."""
    pool = {"concurrency_limit": 1000, **pool}
    return settings_of(**pool, autoscaler=autoscaler).rules


def called(function):
    """Return a function that Python can call, of one that only compiled code can."""

    @numba.njit
    def call(*arguments):
        return function(*arguments)

    return call


class Policy:
    def __init__(self, autoscaler, started_with=0, **pool):
        rules = checked(autoscaler, **pool)
        self.memory, self.ring = fresh_memory(rules, started_with)
        self.rules = np.array([rules], dtype=RULES_DTYPE)[0]


_close_second = called(knative.close_second)
_poke = called(knative.poke)
_mean_load = called(knative.mean_load)
_knative_desired = called(knative.knative_desired)
_knative_applied = called(knative.knative_applied)
_lacks_burst_capacity = called(knative.lacks_burst_capacity)


class Knative(Policy):
    """Knative; `kind` and an interval of 2 s are taken as given."""

    def __init__(self, started_with=0, pool=None, **parameters):
        autoscaler = {"kind": "knative", **parameters}
        super().__init__(autoscaler, started_with, **(pool or {}))
        self.samples = np.zeros(2 * (int(self.rules["scaling_window_s"]) + 2))

    def desired(self, now_s, ready, stable, panic):
        slot = int(now_s // 2)
        return _knative_desired(
            self.rules,
            self.memory,
            self.ring,
            float(now_s),
            slot,
            ready,
            float(stable),
            float(panic),
        )

    def applied(self, now_s, desired, ready=1, alive=1, enough=1, short=False):
        return _knative_applied(
            self.rules, self.memory, float(now_s), desired, ready, alive, enough, short
        )

    def lacks_burst_capacity(self, ready, panic):
        return _lacks_burst_capacity(self.rules, ready, float(panic))

    def close(self, second, load, ready=0):
        _close_second(self.rules, self.memory, self.samples, second, float(load), ready)

    def poke(self, second):
        _poke(self.rules, self.memory, second)

    def means(self, complete):
        """Return the mean load of the stable and of the panic window."""
        return tuple(
            _mean_load(
                self.memory,
                self.samples,
                int(self.memory[f"first_{name}"]),
                float(self.rules[window]),
                complete,
            )
            for name, window in (
                ("stable", "scaling_window_s"),
                ("panic", "panic_window_s"),
            )
        )


_hpa_desired = called(hpa.hpa_desired)
_note_change = called(hpa._note_change)
_requests_proposal = called(hpa.requests_proposal)
_busy_proposal = called(hpa.busy_proposal)


class Hpa(Policy):
    """Kubernetes' autoscaler; `kind` and a target of 1 are taken as given."""

    def __init__(self, pool=None, **parameters):
        super().__init__({"kind": "hpa", "target": 1, **parameters}, **(pool or {}))

    def desired(self, now_s, alive, proposal, bounds=(0, 10**9), in_system=0):
        return _hpa_desired(
            self.rules,
            self.memory,
            self.ring,
            float(now_s),
            alive,
            in_system,
            *bounds,
            proposal,
        )

    def changed(self, at_s, by):
        """Have it remember that it changed the count."""
        _note_change(self.memory, self.ring, float(at_s), by)

    def for_requests(self, in_system, alive):
        return _requests_proposal(self.rules, in_system, alive)

    def for_busy(self, busy, alive=None):
        """Propose for the busy fractions of those measured, of so many alive."""
        alive = len(busy) if alive is None else alive
        return _busy_proposal(self.rules, float(sum(busy)), len(busy), alive)


_keda_desired = called(keda.keda_desired)


class Keda(Policy):
    def __init__(self, **parameters):
        super().__init__({"kind": "keda", "target": 1, **parameters})

    def polled(self, now_s, in_system, alive, min_replicas=0):
        return _keda_desired(
            self.rules, self.memory, float(now_s), in_system, alive, min_replicas
        )


_rate_desired = called(request_rate.rate_desired)


class RequestRate(Policy):
    def __init__(self, **parameters):
        super().__init__({"kind": "request_rate", "target": 10, **parameters})

    def desired(self, now_s, rate_per_s, alive, bounds=(0, 5), in_system=0):
        arrivals = int(rate_per_s * self.rules["scaling_window_s"])
        return _rate_desired(
            self.rules, self.memory, float(now_s), arrivals, alive, in_system, *bounds
        )


_tracking_desired = called(step_tracking.tracking_desired)


class StepTracking(Policy):
    def __init__(self, **parameters):
        super().__init__({"kind": "step_tracking", "target": 10, **parameters})

    def desired(self, now_s, load, alive, ready=None, bounds=(0, 10**9), in_system=0):
        ready = alive if ready is None else ready
        return _tracking_desired(
            self.rules,
            self.memory,
            float(now_s),
            float(load),
            ready,
            alive,
            in_system,
            *bounds,
        )


_largest_since = called(largest_since)


def sliding_largest(moments, length, size):
    """Note values at their times; return the largest of the last `length` after each."""
    ring = np.zeros(size, dtype=NOTE_DTYPE)
    window = np.array([0, size, 0, 0])
    return [
        int(_largest_since(ring, window, float(at), value, float(at - length)))
        for at, value in moments
    ]
