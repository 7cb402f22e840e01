"""Whole runs: common random numbers, conservation, units, and nothing that depends on
where or in which order the work is done."""

from __future__ import annotations

import gc
import weakref
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from small_study import always_on, answer, batches, only_row, own, small
from whole_traffic import generate

import costsim
from costsim.errors import ScenarioError, SimulationError
from costsim.simulation.stream import PoolRun
from costsim.study import replicate as replicate_module
from costsim.study.run import run
from costsim.traffic.source import arrival_chunks

VARIED = {
    "service": {"time": {"distribution": "exponential", "mean": "20s"}},
    "setup": {"distribution": "exponential", "mean": "30s"},
}
"""Enough variety that nothing agrees by accident."""


class Spied(PoolRun):
    """A pool run that remembers what it was given."""

    def __init__(self, settings, draw_setups, observer, **other):
        self.chunks, self.draws = [], []

        def draw(launches):
            self.draws.append(draw_setups(launches))
            return self.draws[-1]

        super().__init__(settings, draw, observer, **other)

    def feed(self, arrival_s, service_time_s, first_service_time_s=None):
        self.chunks.append((arrival_s.copy(), service_time_s.copy()))
        super().feed(arrival_s, service_time_s, first_service_time_s)

    @property
    def arrival_s(self):
        return np.concatenate([chunk[0] for chunk in self.chunks])

    @property
    def service_time_s(self):
        return np.concatenate([chunk[1] for chunk in self.chunks])

    @property
    def setup_time_s(self):
        return np.concatenate([draw.setup_time_s for draw in self.draws])


@pytest.fixture
def pool_runs(monkeypatch) -> list[Spied]:
    """Return every pool run, in the order of replications and deployments."""
    runs = []

    def spy(*arguments, **keywords):
        runs.append(Spied(*arguments, **keywords))
        return runs[-1]

    monkeypatch.setattr("costsim.study.replicate.PoolRun", spy)
    return runs


def test_all_deployments_meet_the_same_arrivals_and_the_same_work(pool_runs):
    answer(own("a"), own("b", max_replicas=1), always_on("c"), replications=1)

    (a, b, c) = pool_runs
    assert a.arrival_s.tobytes() == b.arrival_s.tobytes() == c.arrival_s.tobytes()
    assert (
        a.service_time_s.tobytes()
        == b.service_time_s.tobytes()
        == c.service_time_s.tobytes()
    )
    assert a.arrival_s.size > 50


def test_the_nth_launch_has_the_same_luck_under_each_setup_law(pool_runs):
    slow = {**own("slow"), "setup": {"distribution": "exponential", "mean": "60s"}}

    answer(own("quick"), slow, replications=1, **VARIED)

    (quick, slow) = pool_runs
    assert slow.setup_time_s == pytest.approx(2 * quick.setup_time_s, rel=1e-12)
    assert np.unique(quick.setup_time_s).size > 1000


def test_replications_have_traffic_work_and_luck_of_their_own(pool_runs):
    answer(own(), replications=2, **VARIED)

    (first, second) = pool_runs
    assert not set(first.arrival_s) & set(second.arrival_s)
    assert not set(first.service_time_s) & set(second.service_time_s)
    assert not set(first.setup_time_s) & set(second.setup_time_s)


def test_a_deployments_speed_divides_its_service_times(pool_runs):
    answer(own("a"), {**own("b"), "speed": 4.0}, replications=1, **VARIED)

    (a, b) = pool_runs
    assert (b.service_time_s == a.service_time_s / 4).all()


def test_a_row_depends_neither_on_the_order_nor_on_the_company():
    alone = answer(own("a"), **VARIED)
    third = answer(always_on("c"), own("b", max_replicas=1), own("a"), **VARIED)

    assert third.rows[2] == alone.rows[0]
    assert [row.deployment for row in third.rows] == ["c", "b", "a"]


def test_launches_drawn_one_by_one_change_nothing(monkeypatch, pool_runs):
    before = only_row(own(idle_timeout="1s"), replications=1, **VARIED)
    monkeypatch.setattr("costsim.study.replicate._LAUNCHES", 1)
    after = only_row(own(idle_timeout="1s"), replications=1, **VARIED)

    assert len(pool_runs[0].draws) == 1
    assert len(pool_runs[1].draws) == before.launches > 50
    assert after == before


@pytest.mark.parametrize("chunk_size", [1, 1000])
def test_chunks_change_nothing(monkeypatch, chunk_size):
    deployments = own("a"), always_on("b"), own("c", slowdown=0.5, concurrency_limit=4)
    before = answer(*deployments, replications=2, **VARIED)

    def chunks(*arguments):
        return arrival_chunks(*arguments, chunk_size=chunk_size)

    monkeypatch.setattr("costsim.study.replicate.arrival_chunks", chunks)
    after = answer(*deployments, replications=2, **VARIED)

    assert after.to_json() == before.to_json()
    assert str(after.timeline_rows()) == str(before.timeline_rows())


class BackwardsExecutor(Executor):
    """Runs what was submitted last first, all in the thread that waits."""

    def __init__(self):
        self.waiting = []

    def submit(self, work, /, *arguments, **keywords):
        future: Future[Any] = Future()
        self.waiting.append((future, work, arguments))
        if len(self.waiting) == 3:
            for each, each_work, each_arguments in reversed(self.waiting):
                each.set_result(each_work(*each_arguments))
        return future


def test_a_result_does_not_depend_on_where_or_in_which_order_work_is_done():
    scenario = small(own("a"), own("b", max_replicas=1), **VARIED)
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(2) as two:
        found = [run(scenario, executor=place) for place in (None, one, two)]
    found.append(run(scenario, executor=BackwardsExecutor()))

    texts = {one.to_json() for one in found}
    timelines = {str(one.timeline_rows()) for one in found}
    assert len(texts) == len(timelines) == 1


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not():
    first, again, other = (answer(own(), seed=seed, **VARIED) for seed in (7, 7, 8))

    assert first.to_json() == again.to_json()
    assert first.rows[0].cost_usd != other.rows[0].cost_usd
    assert first.rows[0].p95_s != other.rows[0].p95_s


def test_progress_is_told_after_each_replication():
    told = []

    run(small(own()), on_progress=lambda *counts: told.append(counts))

    assert told == [(1, 3), (2, 3), (3, 3)]


LIVES = {
    "on demand": own(idle_timeout="30s"),
    "rounded": own(idle_timeout="30s", billing={"increment": "1m", "minimum": "5m"}),
    "by request": own(
        billing={"scope": "request", "increment": "1s", "per_request": "0.001 USD"}
    ),
    "fees and credit": own(
        billing={"monthly_fee": "20 USD", "monthly_credit": "10 USD"}
    ),
    "busy only": own(billing={"setup": False, "idle": False}),
    "loses requests": own(max_replicas=1, max_queued=1, queue_timeout="10s"),
    "rejects at zero": own(at_zero="reject"),
    "holds for a while": own(at_zero={"hold_for": "15s"}),
    "limits the rate": own(rate_limit={"rate": "30/h", "burst": 2.0}),
    "always on": always_on(n=2),
    "window": own(
        autoscaler={"kind": "concurrency_window", "scale_down_delay": "60s"},
        min_replicas=1,
        max_replicas=4,
    ),
    "closed": own(max_replicas=0),
}


@pytest.mark.parametrize("name", LIVES)
def test_nothing_is_lost_on_the_way_to_a_row(name):
    found = answer(LIVES[name], **VARIED)
    (row,) = found.rows

    unfinished = row.requests - row.served - row.rejected - row.timed_out
    assert unfinished == pytest.approx(row.requests * (name == "closed"), abs=1e-9)
    parts = [row.busy_usd, row.idle_usd, row.setup_usd, row.rounding_usd, row.fees_usd,
             row.credits_usd]  # fmt: skip
    assert sum(parts) == pytest.approx(row.cost_usd, rel=1e-9, abs=1e-12)
    assert sum(line.cost_usd for line in found.bill_lines) == pytest.approx(
        row.cost_usd, rel=1e-9, abs=1e-12
    )
    assert row.cost_usd_low <= row.cost_usd <= row.cost_usd_high
    assert row.credits_usd <= 0 <= min(parts[:-1])


def test_the_bills_lines_are_quantities_times_prices_by_phase():
    found = answer(LIVES["fees and credit"], **VARIED)
    (row,) = found.rows

    by_phase = {line.phase: line for line in found.bill_lines}
    assert by_phase["busy"].cost_usd == pytest.approx(row.busy_usd, rel=1e-12)
    assert by_phase["busy"].usd_per_unit == 3.6
    assert by_phase["busy"].quantity == pytest.approx(row.busy_usd / 3.6, rel=1e-12)
    assert by_phase["fee"].quantity == pytest.approx(2 / 730, rel=1e-12)
    assert by_phase["credit"].cost_usd == pytest.approx(row.credits_usd, rel=1e-12)


def test_some_requests_are_lost_in_each_of_the_ways_tried():
    lost = [
        (row.rejected > 0, row.timed_out > 0)
        for row in answer(
            *(
                {**LIVES[name], "name": name}
                for name in (
                    "loses requests",
                    "rejects at zero",
                    "holds for a while",
                    "limits the rate",
                )
            ),
            **VARIED,
        ).rows
    ]

    assert lost == [(True, True), (True, False), (False, True), (True, False)]


def test_twice_the_price_is_twice_the_cost_and_nothing_else():
    once, twice = (
        answer(own(price=price), **VARIED).to_rows()[0]
        for price in ("1.50 USD/h", "3.00 USD/h")
    )

    # Exactly: a factor of two changes no float's digits.
    assert twice == {
        key: 2 * value if "_usd" in key else value for key, value in once.items()
    }


def test_a_month_is_730_hours_like_these():
    row = only_row(own(), horizon="5h")

    assert row.cost_usd_per_month == pytest.approx(row.cost_usd * 146, rel=1e-12)


def test_the_warm_up_is_cut_from_latency_and_not_from_the_bill():
    # A cold request at 30 min, a warm one at 60 min and one at 90 min.
    timed = {"traffic": batches("30m"), "horizon": "100m"}

    whole = only_row(own(idle_timeout="40m"), **timed)
    cut = only_row(own(idle_timeout="40m"), **timed, warm_up="45m")

    assert (whole.mean_s, whole.p99_s) == ((12 + 2 + 2) / 3, 12.0)
    assert (cut.mean_s, cut.p99_s) == (2.0, 2.0)
    assert cut.cost_usd == whole.cost_usd
    assert (cut.requests, cut.served) == (whole.requests, whole.served) == (3, 3)


def test_cold_requests_of_the_warm_up_are_not_counted_as_cold():
    row = only_row(
        own(idle_timeout="40m"),
        traffic=batches("30m"),
        horizon="100m",
        warm_up="45m",
    )

    # The first of three requests is cold and within the warm-up.
    assert (row.requests, row.launches, row.cold_start_fraction) == (3, 1, 0.0)
    assert row.p99_s == 2.0


def test_rows_are_named_for_their_platform_and_gpu():
    mine = {**own("mine"), "gpu": "H100", "gpu_count": 2}
    theirs = {
        "name": "theirs",
        "platform": "modal",
        "gpu": "L4",
        "resources": {"cpu": 1, "memory": "16 GiB"},
    }

    rows = answer(mine, theirs).rows

    assert [(row.deployment, row.platform, row.gpu) for row in rows] == [
        ("mine", "custom", "2x H100"),
        ("theirs", "Modal", "L4"),
    ]


def test_a_deployment_that_lacks_a_requirement_is_left_out_and_named():
    theirs = {
        "name": "theirs",
        "platform": "baseten",
        "instance": "L4:4x16",
        "settings": {"max_replica": 2},
    }

    found = answer(theirs, own("mine"), requirements=["cron"])

    assert [row.deployment for row in found.rows] == ["mine"]
    assert "theirs is left out, it lacks cron: Baseten does not offer it" in found.notes
    assert found.verdict.cheapest == "mine"


def test_the_timeline_adds_up_to_the_first_replication():
    scenario = small(own(max_replicas=2, queue_timeout="20s"), **VARIED)
    found = run(scenario)

    (timeline,) = found.timelines
    arrivals = generate(scenario, 0)
    assert timeline.arrivals.size == 240
    assert timeline.bin_s == 30.0
    assert timeline.arrivals.sum() * timeline.bin_s == pytest.approx(
        arrivals.n_requests
    )


def test_the_timelines_levels_are_time_averages():
    # Requests at 30 and 60 min: setup 10 s, service 2 s, idle timeout 60 s. A horizon
    # of two hours has bins of 30 s.
    (timeline,) = answer(
        own(idle_timeout="60s"), traffic=batches("30m"), horizon="2h", replications=1
    ).timelines

    at_30_min = slice(60, 64)
    assert timeline.starting[at_30_min] == pytest.approx([10 / 30, 0, 0, 0])
    assert timeline.waiting[at_30_min] == pytest.approx([10 / 30, 0, 0, 0])
    assert timeline.in_service[at_30_min] == pytest.approx([2 / 30, 0, 0, 0])
    assert timeline.ready[at_30_min] == pytest.approx([20 / 30, 1, 12 / 30, 0])
    assert timeline.starting.sum() * timeline.bin_s == pytest.approx(30.0)


WAITS = {
    # Three requests at once every 30 min, three times; one slot, service 2 s.
    "all are served": (always_on(), [0, 2, 4]),
    "who gives up has waited": (always_on(queue_timeout="3s"), [0, 2, 3]),
    "who is rejected has not": (always_on(max_queued=1), [0, 2, 0]),
    "who is held at zero has waited": (own(at_zero={"hold_for": "7s"}), [7, 7, 7]),
}


@pytest.mark.parametrize("case", WAITS)
def test_the_timeline_shows_everybody_who_waits(case):
    deployment, waits_s = WAITS[case]

    (timeline,) = answer(
        deployment, traffic=batches("30m", 3), horizon="2h", replications=1
    ).timelines

    assert timeline.waiting.sum() * timeline.bin_s == pytest.approx(3 * sum(waits_s))


def test_the_timeline_shows_who_waits_for_a_closed_pool_until_the_end():
    (timeline,) = answer(
        own(max_replicas=0), traffic=batches("30m"), horizon="2h", replications=1
    ).timelines

    assert timeline.waiting[-1] == pytest.approx(3.0)


REFUSED = {
    "buffer_replicas": {"autoscaler": {"kind": "queue_delay"}, "buffer_replicas": 2},
    "binding": {"autoscaler": {"kind": "concurrency_window"}, "binding": "bound"},
    "initial_replicas": {"initial_replicas": 5, "max_replicas": 2},
    "cancel_setups": {"cancel_setups": True, "binding": "bound"},
    "idle_timeout": {
        "idle_timeout": "0s",
        "concurrency_limit": 4,
        "concurrency_target": 2.0,
    },
}


@pytest.mark.parametrize("key", REFUSED)
def test_options_that_do_not_go_together_are_refused_at_their_key(key):
    with pytest.raises(ScenarioError) as refusal:
        answer(own("fine"), own("not", **REFUSED[key]))

    (problem,) = refusal.value.problems
    assert problem.key == f"deployments.1.pool.{key}"
    assert problem.message.startswith(f"{key} must be ")


def test_every_pool_that_is_refused_is_named_in_one_go():
    bad = REFUSED["initial_replicas"]

    with pytest.raises(ScenarioError) as refusal:
        answer(own("a", **bad), own("b"), own("c", **bad))

    assert [one.key for one in refusal.value.problems] == [
        "deployments.0.pool.initial_replicas",
        "deployments.2.pool.initial_replicas",
    ]


def test_a_horizon_of_centuries_is_refused():
    with pytest.raises(ValueError, match="less than or equal to 4000000000"):
        answer(own(), horizon="1000000d", traffic={"streams": [{"rate": "0/h"}]})


def test_a_run_that_would_end_in_centuries_cannot_be_completed():
    with pytest.raises(SimulationError, match="own: the run ends only after "):
        answer(own(max_replicas=1), service={"time": "20000d"})


def test_the_public_name_runs_a_scenario():
    scenario = small(own(), **VARIED)

    assert costsim.run(scenario).to_json() == run(scenario).to_json()


def test_a_pool_is_freed_when_it_is_done_and_not_by_the_collector(monkeypatch):
    left = []
    begin = replicate_module._Pool.__init__

    def noted(pool, *arguments, **options):
        begin(pool, *arguments, **options)
        left.append(weakref.ref(pool))

    monkeypatch.setattr(replicate_module._Pool, "__init__", noted)
    gc.disable()
    try:
        answer(own(), always_on())
    finally:
        gc.enable()

    assert len(left) == 6
    assert [pool() for pool in left] == [None] * 6
