"""The histogram keep-alive policy in the reference simulator.

Written from section 9.6 of docs/model.md alone; numbers in comments are its clauses.
Every idle time is kept, and the histogram is made anew each time it is asked.
"""

from reference_records import PREWARM

DEFAULTS = {
    "bin_s": 60.0,
    "range_s": 14_400.0,
    "head": 0.05,
    "tail": 0.99,
    "margin": 0.1,
    "cv_threshold": 2.0,
    "most_out_of_bounds": 0.5,
}


def histogram(idle_times_s, policy):  # 9.6.1
    """Return the counts of the bins."""
    counts = [0] * number_of_bins(policy)
    for idle_s in idle_times_s:
        if idle_s < policy["bin_s"] * len(counts):
            # rounding may make a quotient of what is just below the range
            counts[min(int(idle_s / policy["bin_s"]), len(counts) - 1)] += 1
    return counts


def number_of_bins(policy):
    return round(policy["range_s"] / policy["bin_s"])


def is_known(counts, n_out_of_bounds, policy):  # 9.6.2
    """Whether the histogram says anything."""
    n = sum(counts)
    if n == 0 or n_out_of_bounds >= policy["most_out_of_bounds"] * (
        n + n_out_of_bounds
    ):
        return False
    squares = sum(count * count for count in counts)
    squared_cv = len(counts) * squares / (n * n) - 1.0
    return squared_cv >= policy["cv_threshold"] ** 2


def bin_of(share, counts):  # 9.6.2
    """Return the first bin up to which there is this share of the idle times."""
    return next(
        number
        for number in range(len(counts))
        if sum(counts[: number + 1]) >= share * sum(counts)
    )


def windows_s(idle_times_s, policy):  # 9.6.2
    """Return until when to unload and until when to keep, from being empty on."""
    counts = histogram(idle_times_s, policy)
    if not is_known(counts, len(idle_times_s) - sum(counts), policy):
        return 0.0, len(counts) * policy["bin_s"]
    lower_s = bin_of(policy["head"], counts) * policy["bin_s"]
    upper_s = (bin_of(policy["tail"], counts) + 1) * policy["bin_s"]
    return lower_s * (1.0 - policy["margin"]), upper_s * (1.0 + policy["margin"])


class KeepAlive:
    """The part of a simulator that learns how long replicas are kept (9.6)."""

    keep_alive = None
    """The policy's parameters, if there is one."""

    def start_to_learn(self):
        if self.settings.keep_alive is None:
            return
        self.keep_alive = DEFAULTS | dict(self.settings.keep_alive)
        self.idle_times_s = []
        self.idle_since_s = None  # the start of the idle period under way
        self.idle_periods = 0
        self.unloaded = False
        _, self.keep_alive_s = windows_s([], self.keep_alive)

    def idle_deadline_s(self):  # 4.5, 9.6.3 to 9.6.5
        """Return when a replica that goes idle now, and stays so, stops."""
        if self.keep_alive is None:
            return self.now_s + self.settings.idle_timeout_s
        if self.idle_since_s is None:
            return self.now_s + self.keep_alive_s
        if self.unloaded:
            return self.now_s
        return max(self.now_s, self.idle_since_s + self.keep_alive_s)

    def end_idle_period(self):  # 9.6.1
        if self.keep_alive is None or self.idle_since_s is None:
            return
        self.idle_times_s.append(self.now_s - self.idle_since_s)
        self.idle_since_s, self.unloaded = None, False

    def begin_idle_period_if_empty(self):  # 9.6.2, 9.6.3
        if self.keep_alive is None or self.in_system() > 0:
            return
        self.idle_since_s = self.now_s
        self.idle_periods += 1
        prewarm_s, self.keep_alive_s = windows_s(self.idle_times_s, self.keep_alive)
        self.unloaded = prewarm_s > 0
        if self.unloaded:
            self.push(self.now_s + prewarm_s, PREWARM, self.idle_periods)
        for replica in [x for x in self.running if x.timer is not None]:
            self.go_idle(replica)

    def will_prewarm(self, idle_period):
        return self.idle_since_s is not None and idle_period == self.idle_periods

    def prewarm(self, idle_period, _):  # 9.6.4
        if not self.will_prewarm(idle_period):
            return False
        self.unloaded = False
        if self.alive() > 0 or self.max == 0:
            return False
        self.launch()
        return True
