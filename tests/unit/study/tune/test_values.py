"""Which values are tried: ladders of durations and counts, and hours of the week."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from small_study import always_on, own, small

from costsim.catalog.platform import load_catalog
from costsim.scenario.deployment import resolve
from costsim.scenario.knobs import find_knobs
from costsim.scenario.schema import Deployment
from costsim.study.tune import ladders
from costsim.study.tune.families import find_families
from costsim.study.tune.hours import Hours, Warmth, busy_hours, prewarm_s
from costsim.study.tune.lab import Lab
from costsim.study.tune.space import Point

_MODAL = {
    "name": "modal",
    "platform": "modal",
    "gpu": "L4",
    "resources": {"cpu": 2, "memory": "16 GiB"},
}
_MONDAY = "2026-03-02T00:00+00:00"


def knob_of(name, deployment):
    one = Deployment.model_validate(deployment)
    platform = None if one.platform is None else load_catalog().find(one.platform)
    return find_knobs(one, platform)[name]


def families_of(*deployments, gpus=None, kept=(), **other):
    catalog = load_catalog()
    scenario = small(*deployments, **other)
    lab = Lab(scenario, catalog, resolve(scenario, catalog))
    return find_families(lab, catalog, scenario.deployments, gpus, kept)


def streams(hour_of_day, day_of_week=None):
    seasonal = {"hour_of_day": hour_of_day}
    if day_of_week:
        seasonal["day_of_week"] = day_of_week
    return {"streams": [{"name": "users", "rate": "60/h", "seasonal": seasonal}]}


# Ladders


def test_durations_stay_within_what_the_platform_allows():
    knob = knob_of("idle_timeout", _MODAL)
    first, fine = ladders.durations(knob)

    assert (first[0], first[-1]) == (fine[0], fine[-1]) == (knob.minimum, knob.maximum)
    assert set(first) <= set(fine)


def test_durations_are_close_enough_to_matter_little():
    _, fine = ladders.durations(knob_of("idle_timeout", own()))

    assert max(b / a for a, b in pairwise(fine) if a >= 10) <= 1.21


def test_counts_begin_with_all_the_small_ones():
    first, fine = ladders.counts(0, 20)

    assert first == [0, 1, 2, 3, 5, 7, 10, 14, 20]
    assert fine == [float(n) for n in range(21)]


def test_targets_are_at_most_the_slots():
    knob = knob_of("concurrency_target", own(concurrency_limit=64))
    first, fine = ladders.targets(knob, 64)

    assert first == [16.0, 32.0, 48.0, 64.0]
    assert fine == [64 * n / 16 for n in range(4, 17)]


# Hours


def test_hours_of_the_week_are_found_from_the_profile():
    office = [0.0] * 9 + [3.0] * 8 + [0.0] * 7
    quiet = [1.4, 1.4, 1.4, 1.4, 1.4, 0, 0]

    found = busy_hours(small(start=_MONDAY, traffic=streams(office, quiet)), None)

    assert found == [(Hours("Mon-Fri", 9, 17),)]


def test_hours_that_wrap_around_midnight_are_one_stretch():
    night = [3.0] * 4 + [0.0] * 16 + [3.0] * 4

    assert busy_hours(small(start=_MONDAY, traffic=streams(night)), None) == [
        (Hours("", 20, 4),)
    ]


@pytest.mark.parametrize("other", [{"start": _MONDAY}, {}], ids=["even", "no calendar"])
def test_without_busy_hours_there_is_no_schedule(other):
    assert busy_hours(small(**other), None) == []


def test_traffic_without_a_rate_is_counted():
    clock = {"process": "cron", "schedule": "30 10 * * *", "batch_size": 40}
    traffic = {"streams": [{"name": "job", "arrivals": clock}]}

    found = busy_hours(small(start=_MONDAY, horizon="7d", traffic=traffic), None)

    assert found == [(Hours("", 10, 11),)]


def test_an_entry_says_days_hours_and_how_early():
    (entry,) = Warmth((Hours("Mon-Fri", 9, 17),), 2, 120.0).schedule

    assert (entry.when, entry.min_replicas, entry.prewarm) == (
        *("Mon-Fri 09:00-17:00", 2, 120.0),
    )


def test_neighbors_differ_by_a_replica_or_an_hour():
    found = list(Warmth((Hours("", 9, 17),), 1, 60.0).neighbors(2))

    assert [one.replicas for one in found] == [2, 1, 1, 1, 1]
    assert {one.hours[0] for one in found[1:]} == {
        *(Hours("", 8, 17), Hours("", 10, 17), Hours("", 9, 16), Hours("", 9, 18)),
    }


def test_hours_never_shrink_to_nothing():
    assert Hours("", 9, 10).moved(1, 0) is None
    assert Hours("", 0, 24).moved(-1, 0) is None


def test_replicas_are_launched_early_enough_for_19_of_20():
    catalog = load_catalog()
    law = {"distribution": "exponential", "mean": "60s"}
    (one,) = resolve(small(own(), setup=law), catalog).deployments

    # The 95 % quantile is 60 s * ln 20 = 180 s; of 1,024 draws, give or take a minute.
    assert prewarm_s(one.setup_plan) == pytest.approx(60 * math.log(20), abs=61)
    assert prewarm_s(one.setup_plan) % 60 == 0


# Families


def test_only_what_the_pool_heeds_is_turned():
    busy = {"start": _MONDAY, "traffic": streams([0.0] * 12 + [2.0] * 12)}
    (fixed,) = families_of(always_on(), **busy)
    (demand,) = families_of(own(max_replicas=3))

    assert [axis.name for axis in fixed.axes] == ["min_replicas"]
    assert [axis.name for axis in demand.axes] == [
        *("idle_timeout", "min_replicas", "buffer_replicas")
    ]
    assert fixed.warmths == ()


def test_the_grid_is_all_values_of_all_axes_with_all_schedules():
    office = [0.0] * 9 + [3.0] * 8 + [0.0] * 7
    (family,) = families_of(
        own(max_replicas=2), start=_MONDAY, horizon="2d", traffic=streams(office)
    )

    sizes = [len(axis.fine) for axis in family.axes]
    assert sizes[1:] == [3, 3]
    assert family.size == math.prod(sizes) * (1 + 1 * 2)


def test_a_point_of_the_scenario_is_the_deployment_as_it_stands():
    (family,) = families_of(own("a", idle_timeout="65s"), own("b", min_replicas=1))

    (a, b) = (family.deployment(point) for point in family.yours.values())
    assert a == family.base
    assert (b.pool.idle_timeout, b.pool.min_replicas) == (60.0, 1)
    assert 65.0 in family.axes[0].fine


def test_deployments_that_differ_in_more_are_families_of_their_own():
    found = families_of(
        own("a"), own("b", concurrency_limit=2), own("c", min_replicas=1)
    )

    assert [list(one.yours) for one in found] == [["a", "c"], ["b"]]
    assert [one.label for one in found] == ["a and 1 more", "b"]


def test_platforms_name_families_of_several():
    found = families_of(
        _MODAL, {**_MODAL, "name": "warm", "settings": {"min_containers": 1}}
    )

    assert [one.label for one in found] == ["Modal L4"]


def test_hardware_is_tried_beside_the_own():
    found = families_of(_MODAL, gpus={"T4": 0.5})

    assert [(one.label, one.is_own) for one in found] == [
        *(("modal", True), ("modal on T4", False))
    ]
    assert (found[1].base.gpu, found[1].base.speed) == ("T4", 0.5)


def test_an_instance_is_hardware_too():
    baseten = {"name": "baseten", "platform": "baseten", "instance": "L4:4x16"}

    _, gpu = families_of(baseten, gpus={"T4": 1.0})
    _, instance = families_of(baseten, gpus={"T4x4x16": 1.0})

    assert (gpu.base.gpu, gpu.base.instance) == ("T4", None)
    assert instance.base.instance == "T4x4x16"


def test_what_is_kept_is_no_axis_and_a_kept_schedule_no_warmth():
    office = [0.0] * 9 + [3.0] * 8 + [0.0] * 7
    traffic = {"start": _MONDAY, "horizon": "2d", "traffic": streams(office)}

    (family,) = families_of(own(), kept=["schedule", "min_replicas"], **traffic)

    assert [axis.name for axis in family.axes] == ["idle_timeout", "buffer_replicas"]
    assert family.warmths == ()


def test_schedules_around_a_point_have_more_in_busy_hours_and_shorter_timeouts():
    office = [0.0] * 9 + [3.0] * 8 + [0.0] * 7
    (family,) = families_of(
        own(max_replicas=3, idle_timeout="5m"),
        start=_MONDAY,
        horizon="2d",
        traffic=streams(office),
        kept=["buffer_replicas"],
    )
    found = list(family.scheduled_around(Point((300.0, 1.0))))

    shapes = {(one.values[1], one.warmth.replicas) for one in found}
    assert shapes == {(0.0, 1), (0.0, 2), (1.0, 2), (1.0, 3)}
    assert {one.values[0] for one in found} == {0.0, 60.0, 300.0}
    assert {one.warmth.hours for one in found} == {(Hours("", 9, 17),)}
