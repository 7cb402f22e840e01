"""Slowdown, failures and keep-alive of a scenario's pool: what they do, by hand.

And what does not go together is told at its line.
"""

from __future__ import annotations

import math

import pytest
from small_study import batches, only_row, own

LONG = {"horizon": "12h", "replications": 2}
DAY = {"horizon": "1d", "replications": 1, "traffic": batches("1h")}
"""An hourly request of 2 s, 23 of them, the first at 3600 s; setups take 10 s."""


def test_a_slowdown_makes_two_at_once_take_twice_as_long():
    two_at_once = {"horizon": "1h", "traffic": batches("40m", batch_size=2)}

    alone = only_row(own(concurrency_limit=2), **two_at_once)
    slowed = only_row(own(concurrency_limit=2, slowdown=1.0), **two_at_once)

    # A setup of 10 s, and 2 s of work each.
    assert (alone.mean_s, alone.launches) == (12.0, 1)
    assert (slowed.mean_s, slowed.launches) == (14.0, 1)


# Failures


def failing(mean_lifetime, **other):
    return own(idle_timeout="0s", failures={"mean_lifetime": mean_lifetime, **other})


def test_replicas_that_outlive_the_run_change_nothing():
    for_ever = only_row(failing("10000d"), **LONG)

    assert for_ever == only_row(own(idle_timeout="0s"), **LONG)
    assert for_ever.launches > 300


def test_requests_are_lost_with_their_replicas():
    row = only_row(failing("1s"), **LONG)

    # 2 s of service on a replica that lives 1 s on average.
    assert row.failed / row.requests == pytest.approx(1 - math.exp(-2), abs=0.04)
    assert row.served + row.failed == row.requests > 500


def test_who_may_begin_often_enough_is_served():
    row = only_row(failing("1s", max_attempts=1000), **LONG)

    # It begins exp(2) times on average, each time on another replica.
    assert (row.failed, row.served) == (0.0, row.requests)
    assert row.launches / row.requests == pytest.approx(math.exp(2), rel=0.15)


def test_a_backoff_comes_before_each_further_attempt():
    keys = {"max_attempts": 1000, "backoff_factor": 1.0}

    at_once = only_row(failing("1s", **keys), **LONG)
    later = only_row(failing("1s", backoff="100s", **keys), **LONG)

    # exp(2) - 1 times on average.
    waited_s = (later.mean_s - at_once.mean_s) / 100
    assert waited_s == pytest.approx(math.exp(2) - 1, rel=0.15)


def test_a_backoff_grows():
    keys = {"max_attempts": 3, "backoff": "1s"}

    even = only_row(failing("1s", backoff_factor=1.0, **keys), **LONG)
    growing = only_row(failing("1s", backoff_factor=200.0, **keys), **LONG)

    # Who is served the third time has waited 200 s longer before it.
    assert growing.p99_s - even.p99_s > 150


# Keep-alive


def test_a_pool_learns_that_requests_come_every_hour():
    row = only_row(own(keep_alive={"kind": "histogram"}), **DAY)

    # Only the first is cold. Its replica is kept from 3600 on, and unloads at 7202. The
    # idle times are 3588 and 3598 s, of the minute from 3540 s on: the next 21 replicas
    # are launched 3540 x 0.9 = 3186 s after the last request, and stop with the next,
    # 3600 s after the one before. One more is kept until 3600 x 1.1 s after the last.
    lives_s = 3602 + 21 * (3600 - 3186) + (3960 - 3186)
    assert row.cold_start_fraction == pytest.approx(1 / 23)
    assert row.launches == 23
    assert row.cost_usd == pytest.approx(0.001 * lives_s, rel=1e-9)


def test_what_is_kept_may_be_asked_for_in_all_of_its_words():
    policy = {
        "kind": "histogram",
        "range": "2h",
        "bin": "10m",
        "head": 0.5,
        "tail": 0.5,
        "margin": 0.0,
        "cv_threshold": 0.0,
        "most_out_of_bounds": 1.0,
    }

    row = only_row(own(keep_alive=policy), **DAY)

    # The bin of [3000, 3600) s, as it is: each is launched 3000 s after the last request,
    # and the last one is kept for 600 s.
    lives_s = 3602 + 21 * 600 + 600
    assert row.cost_usd == pytest.approx(0.001 * lives_s, rel=1e-9)


def test_a_range_below_an_hour_learns_nothing_of_it():
    policy = {"kind": "histogram", "range": "30m"}

    row = only_row(own(keep_alive=policy), **DAY)

    # Cold each time, and kept for the whole range.
    assert row.cold_start_fraction == 1.0
    assert row.cost_usd == pytest.approx(0.001 * 23 * (10 + 2 + 1800), rel=1e-9)


def test_an_idle_timeout_beside_it_is_not_looked_at():
    policy = {"kind": "histogram"}

    short = only_row(own(keep_alive=policy, idle_timeout="1s"), **DAY)
    long = only_row(own(keep_alive=policy, idle_timeout="never"), **DAY)

    assert short == long


# What does not go together

HEAD = """\
name: x
horizon: 1d
traffic: {streams: [{rate: 5/h}]}
service: {time: 2s}
setup: 5s
deployments:
  - name: a
    pool:
"""
TAIL = "\n    billing: {price: 1 USD/h}\n"
REFUSED = {
    "a control loop": (
        ["autoscaler: {kind: queue_delay}", "keep_alive: {kind: histogram}"],
        "10:19: deployments.0.pool.keep_alive: keep_alive must be left out but on demand",
    ),
    "a fixed pool": (
        [
            "keep_alive: {kind: histogram}",
            "autoscaler: {kind: fixed}",
            "min_replicas: 1",
            "max_replicas: 1",
        ],
        "9:19: deployments.0.pool.keep_alive: keep_alive must be left out but on demand",
    ),
    "a buffer": (
        ["keep_alive: {kind: histogram}", "buffer_replicas: 1"],
        "9:19: deployments.0.pool.keep_alive: keep_alive must be left out but on demand",
    ),
    "a target below the limit": (
        [
            "concurrency_limit: 4",
            "concurrency_target: 3",
            "keep_alive: {kind: histogram}",
        ],
        "11:19: deployments.0.pool.keep_alive: keep_alive must be left out but on demand",
    ),
    "a head above the tail": (
        ["keep_alive:", "  kind: histogram", "  head: 0.9", "  tail: 0.5"],
        "11:15: deployments.0.pool.keep_alive.head: (0.9) must not exceed the tail (0.5)",
    ),
    "a head above the tail that it has by default": (
        ["keep_alive: {kind: histogram, head: 1.0}"],
        "9:43: deployments.0.pool.keep_alive.head: (1) must not exceed the tail (0.99)",
    ),
    "no attempt": (
        ["failures:", "  mean_lifetime: 2h", "  max_attempts: 0"],
        "11:23: deployments.0.pool.failures.max_attempts: must be at least 1, found 0",
    ),
    "a backoff that shrinks": (
        ["failures: {mean_lifetime: 2h, backoff_factor: 0.5}"],
        "9:53: deployments.0.pool.failures.backoff_factor: must be at least 1, found 0.5",
    ),
    "a slowdown below 0": (
        ["slowdown: -0.1"],
        "9:17: deployments.0.pool.slowdown: must be at least 0, found -0.1",
    ),
}


@pytest.mark.parametrize("command", ["run", "validate"])
@pytest.mark.parametrize(("keys", "message"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_go_together_is_told_at_its_line(
    invoke, tmp_path, command, keys, message
):
    path = tmp_path / "scenario.yaml"
    path.write_text(HEAD + "\n".join(f"      {key}" for key in keys) + TAIL)

    answer = invoke(command, path)

    assert answer.exit_code == 2
    assert f"{path}:{message}" in answer.err
