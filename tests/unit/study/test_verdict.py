"""The verdict: what it chooses, what it calls a tie, and that it says nothing false."""

from __future__ import annotations

import math
from typing import Any

import pytest
from small_study import always_on, answer, own

from costsim.scenario.schema import Slo
from costsim.study.result import DeploymentRow
from costsim.study.statistics import Estimate
from costsim.study.verdict import check, decide, describe_slo, limits


def row(
    name: str, usd: float, meets: bool | None = None, **other: Any
) -> DeploymentRow:
    """Return a row with a cost for a month of 730 h like its two hours."""
    fields = dict.fromkeys(DeploymentRow.__dataclass_fields__, 0.0)
    fields.update(
        deployment=name,
        requests=1000.0,
        served=1000.0,
        cost_usd=usd,
        cost_usd_per_month=365 * usd,
        p95_s=1.5,
        meets_slo=meets,
    )
    fields.update(other)
    return DeploymentRow(**fields)


SLO = Slo.model_validate({"p95": "2s"})


def test_the_cheapest_is_named_with_its_margin():
    found = decide(
        [row("dear", 4.0), row("cheap", 1.0)],
        {"dear": [4.0, 4.1], "cheap": [1.0, 1.1]},
        None,
    )

    assert found.cheapest == "cheap"
    assert found.tie == ()
    assert found.sentence == (
        "Cheapest: cheap, $365.00 a month, $1,095 (75%) less than the next, dear."
    )


def test_the_cheapest_that_meets_the_slo_wins_over_a_cheaper_one_that_misses_it():
    rows = [row("dear", 4.0, True), row("slow", 1.0, False), row("good", 2.0, True)]
    costs = {"dear": [4.0, 4.1], "slow": [1.0, 1.1], "good": [2.0, 2.1]}

    found = decide(rows, costs, SLO)

    assert found.cheapest == "good"
    assert found.sentence == (
        "Cheapest that meets p95 <= 2s: good, $730.00 a month, $730.00 (50%) less than "
        "the next, dear. 1 cheaper one misses the SLO."
    )


def test_cheaper_ones_that_miss_are_counted():
    rows = [row("a", 1.0, False), row("b", 1.5, False), row("good", 2.0, True)]
    costs = {"a": [1.0, 1.1], "b": [1.5, 1.6], "good": [2.0, 2.1]}

    assert decide(rows, costs, SLO).sentence == (
        "The only one that meets p95 <= 2s: good, $730.00 a month. 2 cheaper ones miss "
        "the SLO."
    )


def test_a_difference_within_the_noise_is_a_tie():
    # Differences +1 and -0.9: their interval contains zero.
    found = decide(
        [row("a", 2.0), row("b", 2.05)], {"a": [1.0, 3.0], "b": [2.0, 2.1]}, None
    )

    assert found.tie == ("a", "b")
    assert found.sentence == (
        "Tie: a and b cost $730.00 to $748.25 a month; the difference is within the "
        "noise."
    )


def test_a_difference_that_is_small_and_the_same_in_every_replication_is_none():
    # Costs vary a hundred times as much as their difference: paired, it is certain.
    base = [1.0, 3.0, 2.0, 2.5]

    found = decide(
        [row("a", 2.125), row("b", 2.145)],
        {"a": base, "b": [x + 0.02 + 0.001 * i for i, x in enumerate(base)]},
        None,
    )

    assert found.cheapest == "a"
    assert found.tie == ()


def test_rounding_errors_are_no_difference():
    found = decide(
        [row("a", 2.0), row("b", 2.0)],
        {"a": [1.0, 3.0], "b": [1.0 + 1e-15, 3.0 + 4e-16]},
        None,
    )

    assert found.tie == ("a", "b")


def test_with_more_to_compare_a_tie_needs_less():
    # t = 5.20 with two degrees: beyond 4.30 (one comparison at 95 %), not beyond 6.21
    # (two of them, Bonferroni).
    differences = [1.0, 1.5, 2.0]
    costs = {"best": [0.0] * 3, "other": differences, "third": [90.0, 91.0, 92.0]}
    rows = [row("best", 0.0), row("other", 1.5), row("third", 91.0)]

    assert decide(rows[:2], costs, None).tie == ()
    assert decide(rows, costs, None).tie == ("best", "other")


def test_a_tie_may_skip_a_deployment_in_between():
    # `sure` costs 0.1 more every time; `wild` costs 0.2 more or less.
    base = [1.0, 2.0, 3.0]
    costs = {
        "best": base,
        "sure": [x + 0.1 for x in base],
        "wild": [1.9, 1.5, 3.4],
    }

    found = decide([row("best", 2.0), row("sure", 2.1), row("wild", 2.3)], costs, None)

    assert found.tie == ("best", "wild")
    assert found.sentence.startswith("Tie: best and wild cost $730.00 to $839.50")


def test_only_those_that_meet_the_slo_can_tie():
    rows = [row("slow", 2.0, False), row("good", 2.0, True), row("dear", 9.0, True)]
    costs = {"slow": [1.0, 3.0], "good": [2.0, 2.0], "dear": [8.9, 9.1]}

    found = decide(rows, costs, SLO)

    assert (found.cheapest, found.tie) == ("good", ())


def test_if_none_meets_the_slo_the_sentence_says_so():
    found = decide(
        [row("a", 2.0, False), row("b", 1.0, False, p95_s=7.25)],
        {"a": [2.0, 2.1], "b": [1.0, 1.1]},
        SLO,
    )

    assert found.cheapest == "b"
    assert found.sentence == (
        "No deployment meets p95 <= 2s; the cheapest, b, costs $365.00 a month with p95 "
        "7.25s."
    )


@pytest.mark.parametrize(
    ("meets", "slo", "end"),
    [
        (None, None, "."),
        (True, SLO, ", which meets p95 <= 2s."),
        (False, SLO, ", which misses p95 <= 2s."),
    ],
)
def test_a_single_deployment_is_compared_with_the_slo_alone(meets, slo, end):
    found = decide([row("mine", 1.0, meets)], {"mine": [1.0, 1.1]}, slo)

    assert found.cheapest == "mine"
    assert found.tie == ()
    assert found.sentence == f"mine costs $365.00 a month with p95 1.5s{end}"


def test_a_bound_on_lost_requests_that_decides_is_said():
    # Its p95 is fine: to say that it misses p95 <= 2s would be false.
    lossy = row("lossy", 1.0, False, served=900.0, rejected=60.0, timed_out=40.0)

    assert decide([lossy], {"lossy": [1.0]}, SLO).sentence == (
        "lossy costs $365.00 a month with p95 1.5s, which misses p95 <= 2s and at most "
        "1% lost."
    )
    assert decide(
        [lossy, row("good", 2.0, True)], {"lossy": [1.0], "good": [2.0]}, SLO
    ).sentence == (
        "The only one that meets p95 <= 2s and at most 1% lost: good, $730.00 a month. 1 "
        "cheaper one misses the SLO."
    )


def test_without_other_bounds_lost_requests_are_the_slo():
    lossy = row("lossy", 1.0, False, served=900.0, rejected=100.0)

    found = decide([lossy, lossy], {"lossy": [1.0]}, Slo())

    assert found.sentence.startswith(
        "No deployment meets at most 1% lost; the cheapest"
    )


def test_one_replication_finds_the_cheapest_but_no_tie_of_different_costs():
    found = decide([row("a", 2.0), row("b", 2.01)], {"a": [2.0], "b": [2.01]}, None)

    assert (found.cheapest, found.tie) == ("a", ())


def test_one_replication_of_equal_costs_is_a_tie():
    found = decide([row("a", 2.0), row("b", 2.0)], {"a": [2.0], "b": [2.0]}, None)

    assert found.tie == ("a", "b")


def test_free_deployments_tie_without_a_division_by_zero():
    found = decide(
        [row("a", 0.0), row("b", 0.0)], {"a": [0.0, 0.0], "b": [0.0, 5e-18]}, None
    )

    assert found.tie == ("a", "b")


def test_names_in_the_sentence_are_short_and_printable():
    hostile = "\x1b[2J\u202e" + "x" * 10_000

    found = decide([row(hostile, 1.0)], {hostile: [1.0]}, None)

    assert found.cheapest == hostile
    assert found.sentence.isprintable()
    assert len(found.sentence) < 120


def test_deployments_that_differ_in_name_alone_tie_in_a_run():
    found = answer(own("a"), own("b"))

    assert found.verdict.tie == ("a", "b")
    assert found.verdict.sentence.startswith("Tie: a and b cost about $")


def test_deployments_of_nearly_the_same_price_tie_in_a_run():
    # On demand or always on at the price at which both cost the same on average:
    # what the first costs depends on the traffic of each replication.
    found = answer(
        own("on demand", idle_timeout="60s"),
        always_on(price=f"{found_price():.6f} USD/h"),
        replications=4,
    )

    costs = [row.cost_usd for row in found.rows]
    assert costs[0] != costs[1]
    assert costs[0] == pytest.approx(costs[1], rel=0.02)
    assert set(found.verdict.tie) == {"on demand", "always on"}


def found_price() -> float:
    """Return the price of a warm replica that costs what the one on demand costs."""
    (on_demand,) = answer(own(idle_timeout="60s"), replications=4).rows
    return on_demand.cost_usd / 2 * 1.001


def test_the_slo_of_a_run_decides_and_is_told_with_its_bounds():
    found = answer(own("slow"), always_on("quick"), slo={"p95": "11s"})

    slow, quick = found.rows
    assert (slow.meets_slo, quick.meets_slo) == (False, True)
    assert found.verdict.cheapest == "quick"
    assert not found.meets_slo
    told = {
        (one.deployment, one.measure): (one.limit, one.ok) for one in found.thresholds
    }
    assert told == {
        ("slow", "lost_fraction"): (0.01, True),
        ("slow", "p95_s"): (11.0, False),
        ("quick", "lost_fraction"): (0.01, True),
        ("quick", "p95_s"): (11.0, True),
    }


def test_without_an_slo_nothing_is_met_or_missed():
    found = answer(own())

    assert found.rows[0].meets_slo is None
    assert (found.thresholds, found.meets_slo) == ((), True)
    assert math.isnan(found.rows[0].over_slo_fraction)


def test_every_bound_of_an_slo_has_its_measure():
    slo = Slo.model_validate(
        {
            **dict.fromkeys(("mean", "p50", "p90", "p95", "p99"), "2s"),
            "over": {"seconds": "3s", "fraction": 0.05},
            "cold_start_fraction": 0.1,
            "lost_fraction": 0.02,
            "cost_usd_per_month": 900,
        }
    )

    assert limits(slo) == {
        **dict.fromkeys(("mean_s", "p50_s", "p90_s", "p95_s", "p99_s"), 2.0),
        "over_slo_fraction": 0.05,
        "cold_start_fraction": 0.1,
        "lost_fraction": 0.02,
        "cost_usd_per_month": 900.0,
    }
    assert describe_slo(slo) == (
        "mean <= 2s and p50 <= 2s and p90 <= 2s and p95 <= 2s and p99 <= 2s and cold "
        "starts <= 10% and cost a month <= $900.00 and at most 5% over 3s"
    )


def test_every_measure_that_can_be_bound_is_measured_in_a_run():
    found = answer(
        own(max_replicas=1, queue_timeout="11s"),
        slo={
            **dict.fromkeys(("mean", "p50", "p90", "p95", "p99"), "1ms"),
            "over": {"seconds": "3s", "fraction": 0.0},
            "cold_start_fraction": 0.0,
            "lost_fraction": 0.0,
            "cost_usd_per_month": 0.0,
        },
    )

    (row,) = found.rows
    told = {one.measure: one.value for one in found.thresholds}
    assert not any(one.ok for one in found.thresholds)
    assert told.pop("lost_fraction") == pytest.approx(row.timed_out / row.requests)
    assert told == pytest.approx({key: getattr(row, key) for key in told})
    assert len(told) == 8


@pytest.mark.parametrize(
    ("found", "ok", "certain"),
    [
        (Estimate(1.0, 0.5, 1.5), True, True),
        (Estimate(1.9, 1.5, 2.3), True, False),
        (Estimate(2.1, 1.8, 2.4), False, False),
        (Estimate(3.0, 2.5, 3.5), False, True),
        (Estimate(2.0, 2.0, 2.0), True, True),
        (Estimate(1.0, math.nan, math.nan), True, None),
        (Estimate(math.nan, math.nan, math.nan), False, None),
    ],
)
def test_a_bound_is_certain_where_the_interval_does_not_contain_it(found, ok, certain):
    (threshold,) = check("a", {"p95_s": 2.0}, {"p95_s": found})

    assert (threshold.ok, threshold.certain) == (ok, certain)


def test_one_request_in_a_hundred_may_be_lost_and_no_more():
    # Batches of 100 requests, of which all but 99 or 98 are rejected.
    lost = {
        n: answer(
            always_on(max_queued=n - 1),
            slo={"mean": "10h"},
            traffic={
                "streams": [
                    {
                        "name": "clock",
                        "arrivals": {
                            "process": "cron",
                            "every": "1h",
                            "batch_size": 100,
                        },
                    }
                ]
            },
        )
        for n in (98, 99)
    }

    assert lost[99].rows[0].rejected == 1
    assert lost[99].meets_slo
    assert lost[98].rows[0].rejected == 2
    assert not lost[98].meets_slo
