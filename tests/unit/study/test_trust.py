"""Warnings: each where it is due, and none where it is not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from small_study import always_on, answer, batches, own

from costsim.catalog.provenance import age_days

BUSY = {"traffic": {"streams": [{"name": "users", "rate": "0.3/s"}]}}
"""2,160 requests in two hours: enough for quantiles."""

CALM = {**BUSY, "service": {"time": "200ms"}}


def warnings_of(*deployments, **other):
    return list(answer(*deployments, **other).warnings)


def test_a_run_with_enough_of_everything_has_no_warning():
    assert warnings_of(always_on(), **CALM) == []


def test_few_requests_are_warned_of_with_their_number():
    found = answer(always_on(), replications=2)

    (warning,) = found.warnings
    assert warning.startswith("a replication has only 1")
    assert warning.endswith("need about 2,000: lengthen the horizon")


def test_requests_of_the_warm_up_do_not_count():
    (warning,) = warnings_of(always_on(), **CALM, warm_up="30m")

    assert "requests after the warm-up; quantiles" in warning


def test_a_replication_without_requests_is_warned_of():
    (warning,) = warnings_of(always_on(), traffic=batches("3h"))

    assert warning == "there is a replication without a single request"


def test_one_replication_is_warned_of_whatever_else_is():
    assert warnings_of(always_on(), **CALM, replications=1) == [
        "one replication gives no intervals; set replications to 10 or more"
    ]
    assert len(warnings_of(always_on(), replications=1)) == 2


def near_tail(*, cold: int, of: int) -> list[str]:
    """Return the warnings on a tail of a pool with this share of cold requests.

    Batches of `of` requests every hour, of which `cold` wait for a setup: those that the
    slots of one warm replica have no room for.
    """
    deployment = own(
        min_replicas=1, max_replicas=2, concurrency_limit=of - cold, idle_timeout="1m"
    )
    found = answer(
        deployment, traffic=batches("1h", of), horizon="30h", service={"time": "20s"}
    )
    (row,) = found.rows
    assert row.cold_start_fraction == pytest.approx(cold / of)
    return [text for text in found.warnings if "next to the tail" in text]


@pytest.mark.parametrize(
    ("cold", "percent"), [(1, 99), (4, 95), (5, 95), (6, 95), (8, 90), (12, 90)]
)
def test_a_cold_share_next_to_a_tail_is_warned_of(cold, percent):
    (warning,) = near_tail(cold=cold, of=100)

    assert warning.startswith(f"own: {cold}% of requests are cold")
    assert f"p{percent} jumps between warm and cold times" in warning


@pytest.mark.parametrize("cold", [2, 3, 7, 13, 40])
def test_a_cold_share_between_tails_is_not(cold):
    assert near_tail(cold=cold, of=100) == []


def lost_warnings(*, kept: int, of: int = 4000) -> list[str]:
    found = warnings_of(always_on(max_queued=kept - 1), traffic=batches("1h", of))
    return [text for text in found if "not served" in text]


def test_lost_requests_are_warned_of_beyond_one_in_a_thousand():
    assert lost_warnings(kept=3996) == []
    assert lost_warnings(kept=3995) == [
        "always on: 0.1% of requests were not served (rejected 5); response times are of "
        "the others"
    ]


def test_the_ways_to_get_lost_are_told_apart():
    found = warnings_of(
        always_on("a", max_queued=1, queue_timeout="1s"),
        own("b", max_replicas=0),
        traffic=batches("1h", 4000),
    )

    assert [text for text in found if "not served" in text] == [
        "a: 100% of requests were not served (rejected 3,998, timed out 1); response "
        "times are of the others",
        "b: 100% of requests were not served (never begun 4,000); response times are of "
        "the others",
    ]


def test_a_pool_that_cannot_keep_up_is_warned_of():
    found = warnings_of(always_on(), **BUSY, service={"time": "4s"})

    (warning,) = [text for text in found if "keep up" in text]
    assert warning.startswith("always on: cannot keep up: requests wait ")
    assert warning.endswith(
        "with all replicas that it may have (1) at work; raise the maximum"
    )


def test_a_pool_that_has_a_short_wait_can_keep_up():
    # The mean wait of M/D/1 at 0.9 is 13.5 s: below a hundredth of two hours.
    found = warnings_of(always_on(), **BUSY, service={"time": "3s"})

    assert [text for text in found if "cannot keep up" in text] == []


def test_a_pool_without_a_maximum_is_not_said_to_be_overloaded():
    found = warnings_of(own(), **BUSY, service={"time": "4s"}, setup="10m")

    assert [text for text in found if "keep up" in text] == []


def launch_warnings(n: int) -> list[str]:
    """Return the warnings on launches of three replications with n launches each."""
    found = warnings_of(
        own(idle_timeout="1s"), traffic=batches("1h"), horizon=f"{n * 3600 + 60}s"
    )
    return [text for text in found if "in all replications" in text]


def test_fewer_than_a_hundred_launches_in_all_are_warned_of():
    assert launch_warnings(33) == [
        "own: only 99 launches in all replications: the share of cold requests is a rough "
        "figure"
    ]
    assert launch_warnings(34) == []


def test_no_launch_at_all_is_no_rough_figure():
    assert launch_warnings(0) == []


def tail_warnings(horizon: str) -> list[str]:
    """Return the warnings on the tail of a replica that serves until 4,600 s."""
    found = warnings_of(
        always_on(),
        traffic=batches("1h", 1000),
        service={"time": "1s"},
        horizon=horizon,
    )
    return [text for text in found if "after the horizon" in text]


def test_a_tail_that_is_more_than_a_hundredth_is_warned_of():
    # 3,600 s and 1,000 s: until 4,600 s, of which 1.3 % or 0.87 % are after the horizon.
    (warning,) = tail_warnings("4540s")

    assert warning.startswith("always on: 1.3% of the replica time lies after the hor")
    assert tail_warnings("4560s") == []


def test_old_prices_are_warned_of_where_they_are_used():
    theirs = {
        "name": "theirs",
        "platform": "baseten",
        "instance": "L4:4x16",
        "settings": {"max_replica": 2},
    }

    found = answer(theirs, always_on(), **CALM)

    days = age_days(found.prices_as_of, datetime.now(UTC).date())
    stale = [text for text in found.warnings if "days old" in text]
    assert len(stale) == (days > 90)


def test_a_warning_of_a_deployment_begins_with_its_name_cut_to_size():
    name = "x" * 10_000

    (warning,) = warnings_of(own(name, max_replicas=0), **CALM)

    assert warning.startswith(f"{'x' * 37}...: 100%")


def sessions(size, **other):
    arrivals = {
        "process": "sessions",
        "requests_per_session": size,
        "think_time": "1s",
    }
    return {"name": "users", "rate": "0.5/s", "arrivals": arrivals, **other}


@pytest.mark.parametrize(("size", "few"), [(20, False), (100, True)])
def test_few_sessions_are_warned_of_however_many_requests(size, few):
    found = warnings_of(
        always_on(), **{**CALM, "traffic": {"streams": [sessions(size)]}}
    )

    assert [text.startswith("users: only about ") for text in found] == [True] * few


def test_a_few_sessions_among_many_other_requests_do_not_matter():
    rare = sessions(100, name="rare", rate="0.02/s")
    streams = [{"name": "users", "rate": "0.4/s"}, rare]

    assert warnings_of(always_on(), **{**CALM, "traffic": {"streams": streams}}) == []


@pytest.mark.parametrize(("service", "heavy"), [("2.2s", False), ("2.7s", True)])
def test_a_heavy_load_needs_more_requests(service, heavy):
    found = warnings_of(always_on(), **{**BUSY, "service": {"time": service}})

    assert [text.startswith("always on: slots are busy ") for text in found] == (
        [True] * heavy
    )


def test_a_pool_that_can_grow_is_not_heavily_loaded():
    keys = {**BUSY, "service": {"time": "2.7s"}, "setup": "0s"}
    found = warnings_of(own(idle_timeout="0s"), **keys)

    assert [text for text in found if "slots are busy" in text] == []
