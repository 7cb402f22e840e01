"""Kubernetes' autoscaler by moments: counts, metrics, the count that it answers with.

Tables named after a test in github.com/kubernetes/kubernetes, pkg/controller/
podautoscaler, have its numbers.
"""

import pytest
from compiled_policies import Hpa, checked

NOW_S = 1000.0

# --- replica_calculator_test.go: average value of an external or object metric

REQUESTS = {
    # replicas, total, target per replica, proposal
    "ScaleUpCMPerPodObject": (3, 20000, 5000, 4),
    "ScaleUpPerPodCMExternal": (3, 8600, 2150, 4),
    "ScaleDownPerPodCMObject": (5, 6000, 2000, 3),
    "ScaleDownPerPodCMExternal": (5, 8600, 2867, 3),
    "TolerancePerPodCMObject": (4, 20166, 5000, 4),
    "TolerancePerPodCMExternal": (3, 8600, 2900, 3),
    "at zero": (0, 7, 2, 4),
    "at zero with nothing to do": (0, 0, 2, 0),
    "nothing to do": (3, 0, 2, 0),
    "at the upper edge of the tolerance": (10, 11, 1, 10),
    "at the lower edge of the tolerance": (10, 9, 1, 10),
    "beyond the upper edge": (10, 12, 1, 12),
}


@pytest.mark.parametrize(
    ("alive", "total", "target", "expected"), REQUESTS.values(), ids=REQUESTS
)
def test_proposal_for_requests_in_system(alive, total, target, expected):
    assert Hpa(target=target).for_requests(total, alive) == expected


# --- replica_calculator_test.go: utilization of a resource, requests of 1.0

BUSY = {
    # utilization of the pods that count, target, pods, proposal
    "ScaleUp": ([0.3, 0.5, 0.7], 0.3, 3, 5),
    "ScaleUpUnreadyLessScale": ([0.5, 0.7], 0.3, 3, 4),
    "ScaleUpHotCpuLessScale": ([0.5, 0.7], 0.3, 3, 4),
    "ScaleUpUnreadyNoScale": ([0.4], 0.3, 3, 3),
    "ScaleUpIgnoresFailedPods": ([0.5, 0.7], 0.3, 2, 4),
    "ScaleDown": ([0.1, 0.3, 0.5, 0.25, 0.25], 0.5, 5, 3),
    "ScaleDownIncludeUnreadyPods": ([0.1, 0.3, 0.5], 0.5, 5, 2),
    "ScaleDownExcludeUnscheduledPods": ([0.1], 0.5, 5, 1),
    "ScaleDownIgnoreHotCpuPods": ([0.1, 0.3, 0.5], 0.5, 5, 2),
    "Tolerance": ([1.02] * 3, 1.0, 3, 3),
    "SuperfluousMetrics": ([4.0, 9.5, 3.0, 7.0], 1.0, 4, 24),
    "ComputedToleranceAlgImplementation": ([0.5] * 10, 0.56, 10, 9),
    "ComputedToleranceAlgImplementation, unscaling": ([0.5] * 10, 0.55, 10, 10),
    "no metrics": ([], 0.5, 4, 4),
    "whole per cent, rounded down": ([0.5599] * 10, 0.5, 10, 10),  # 55, not 56
}


@pytest.mark.parametrize(
    ("busy", "target", "alive", "expected"), BUSY.values(), ids=BUSY
)
def test_proposal_for_the_busy_fraction(busy, target, alive, expected):
    policy = Hpa({"min_replicas": 1}, metric="busy", target=target)

    assert policy.for_busy(busy, alive) == expected


def test_tolerance_has_two_sides():
    policy = Hpa(scale_up={"tolerance": 0.5}, scale_down={"tolerance": 0.0})

    assert [policy.for_requests(n, 10) for n in (15, 16, 10, 9)] == [10, 16, 10, 9]


# --- horizontal_test.go, TestScalingWithRules


def limits(replicas=0, replicas_period=15, fraction=0.0, fraction_period=15, **rest):
    """Return limits as `generateScalingRules` takes them, per cent as fractions."""
    return {
        "stabilization_s": 0,
        "replicas": replicas or None,
        "replicas_period_s": replicas_period,
        "fraction": fraction or None,
        "fraction_period_s": fraction_period,
        **rest,
    }


def spread(changes, period_s=120):
    """Return changes as `generateEventsUniformDistribution` has them: (time, change)."""
    gap_s = period_s / len(changes) if changes else 0.0
    ends_s = [NOW_S - period_s + gap_s * (i + 0.5) for i in range(len(changes))]
    return list(zip(ends_s, changes, strict=True))


DEFAULT = {"stabilization_s": 0}
LIMITED = {
    # bounds, way up, way down, replicas added and removed before, current, wanted, allowed
    "prenormalized desired replicas within range": (
        *((3, 8), DEFAULT, DEFAULT, [], []),
        *(5, 7, 7),
    ),
    "prenormalized desired replicas < minReplicas": (
        *((2, 8), DEFAULT, DEFAULT, [], []),
        *(3, 1, 2),
    ),
    "prenormalized desired replicas within range when minReplicas is 0": (
        *((0, 10), DEFAULT, DEFAULT, [], []),
        *(1, 0, 0),
    ),
    "maxReplicas is the limit because maxReplicas < scaleUpLimit": (
        *((1, 10), DEFAULT, DEFAULT, [], []),
        *(20, 1000, 10),
    ),
    "desired replica count is more than the maximum replica count": (
        *((100, 150), DEFAULT, DEFAULT, [], []),
        *(100, 1000, 150),
    ),
    "scaleUpLimit is the limit ... with user policies": (
        *((1, 2000), limits(0, 1, 0.01, 60), DEFAULT, [], []),
        *(3, 1000, 4),
    ),
    "scaleDownLimit is the limit ... with user defined policies": (
        *((3, 2000), DEFAULT, limits(20, 60), [], []),
        *(1000, 3, 980),
    ),
    "scaleUp with default behavior": (
        *((1, 1000), DEFAULT, DEFAULT, [], []),
        *(10, 50, 20),
    ),
    "scaleUp with pods policy larger than percent policy": (
        *((1, 1000), limits(100, 60, 1.0, 60), DEFAULT, [], []),
        *(10, 500, 110),
    ),
    "scaleUp with percent policy larger than pods policy": (
        *((1, 1000), limits(2, 60, 1.0, 60), DEFAULT, [], []),
        *(10, 500, 20),
    ),
    "scaleUp with spec MaxReplicas limitation with large pod policy": (
        *((1, 1000), limits(100, 60), DEFAULT, [], []),
        *(10, 50, 50),
    ),
    "scaleUp with pod policy limitation": (
        *((1, 1000), limits(30, 60), DEFAULT, [], []),
        *(10, 50, 40),
    ),
    "scaleUp with percent policy limitation": (
        *((1, 1000), limits(0, 1, 2.0, 60), DEFAULT, [], []),
        *(10, 50, 30),
    ),
    "scaleDown with percent policy larger than pod policy": (
        *((1, 1000), DEFAULT, limits(20, 60, 0.01, 60), [], []),
        *(100, 2, 80),
    ),
    "scaleDown with pod policy larger than percent policy": (
        *((1, 1000), DEFAULT, limits(2, 60, 0.01, 60), [], []),
        *(100, 2, 98),
    ),
    "scaleDown with spec MinReplicas limitation with large pod policy": (
        *((1, 1000), DEFAULT, limits(100, 60), [], []),
        *(10, 0, 1),
    ),
    "scaleDown with spec MinReplicas limitation with large percent policy": (
        *((5, 1000), DEFAULT, limits(0, 1, 1.0, 60), [], []),
        *(10, 2, 5),
    ),
    "scaleDown with pod policy limitation": (
        *((1, 1000), DEFAULT, limits(5, 60), [], []),
        *(10, 2, 5),
    ),
    "scaleDown with percent policy limitation": (
        *((1, 1000), DEFAULT, limits(0, 1, 0.5, 60), [], []),
        *(10, 5, 5),
    ),
    "scaleUp with spec MaxReplicas limitation with large pod policy and events": (
        *((1, 200), limits(300, 60), DEFAULT, [1, 5, 9], []),
        *(100, 500, 200),
    ),
    "scaleUp with spec MaxReplicas limitation with large percent policy and events": (
        *((1, 200), limits(0, 1, 100.0, 60), DEFAULT, [1, 5, 9], []),
        *(100, 500, 200),
    ),
    "scaleUp with currentReplicas limitation ... a lot of recent scale up events": (
        *((1, 1000), limits(5, 120), DEFAULT, [1, 5, 9], []),
        *(100, 500, 100),
    ),
    "scaleUp with pod policy and previous scale up events": (
        *((1, 1000), limits(150, 120), DEFAULT, [1, 5, 9], []),
        *(100, 500, 235),
    ),
    "scaleUp with percent policy and previous scale up events": (
        *((1, 1000), limits(0, 1, 2.0, 120), DEFAULT, [1, 5, 9], []),
        *(100, 500, 255),
    ),
    "scaleUp with percent policy and previous scale up and down events": (
        *((1, 1000), limits(0, 1, 3.0, 300), DEFAULT, [4], [2]),
        *(6, 24, 16),
    ),
    "scaleDown with default policy and previous events": (
        *((1, 1000), DEFAULT, DEFAULT, [], [1, 5, 9]),
        *(10, 5, 5),
    ),
    "scaleDown with spec MinReplicas limitation with large pod policy and events": (
        *((5, 1000), DEFAULT, limits(130, 120), [], [1, 5, 9]),
        *(100, 0, 5),
    ),
    "scaleDown ... with large percent policy and previous events": (
        *((5, 1000), DEFAULT, limits(0, 1, 1.0, 120), [], [1, 5, 9]),
        *(100, 2, 5),
    ),
    "scaleDown with pod policy limitation and previous events": (
        *((1, 1000), DEFAULT, limits(5, 120), [], [1, 5, 9]),
        *(100, 2, 100),
    ),
    "scaleDown with percent policy limitation and previous events": (
        *((1, 1000), DEFAULT, limits(0, 1, 0.5, 120), [], [2, 4, 6]),
        *(100, 0, 56),
    ),
    "scaleDown with percent policy and previous scale up and down events": (
        *((1, 1000), DEFAULT, limits(0, 1, 0.5, 180), [2], [4]),
        *(10, 1, 6),
    ),
    "scaleDown with previous events preventing further scale down": (
        *((1, 1000), DEFAULT, limits(0, 1, 0.1, 120), [], [10, 10, 10]),
        *(100, 0, 100),
    ),
    "scaleDown with previous events still allowing more scale down": (
        *((1, 1000), DEFAULT, limits(0, 1, 10.0, 120), [], [10, 10, 10]),
        *(10, 5, 5),
    ),
    "check 'outdated' flag for events for one behavior for up": (
        *((1, 1000), limits(1000, 60), DEFAULT, [8, 12, 9, 11], []),
        *(100, 200, 200),
    ),
    "check 'outdated' flag for events for one behavior for down": (
        *((1, 1000), DEFAULT, limits(1000, 60), [], [8, 12, 9, 11]),
        *(100, 5, 5),
    ),
    # TestCalculateScaleUpLimitWithScalingRules, TestCalculateScaleDownLimitWithBehaviors
    "the smaller of two limits up": (
        *((1, 1000), limits(2, 60, 0.5, 60, select="min"), DEFAULT, [], []),
        *(1, 99, 2),
    ),
    "the smaller of two limits down": (
        *((1, 1000), DEFAULT, limits(2, 60, 0.5, 60, select="min"), [], []),
        *(5, 1, 3),
    ),
    "no way up": (
        *((1, 1000), {"select": "disabled"}, DEFAULT, [], []),
        *(5, 9, 5),
    ),
    "no way down": (
        *((1, 1000), DEFAULT, {"select": "disabled", "stabilization_s": 0}, [], []),
        *(5, 1, 5),
    ),
}


@pytest.mark.parametrize(
    ("bounds", "up", "down", "added", "removed", "alive", "wanted", "expected"),
    LIMITED.values(),
    ids=LIMITED,
)
def test_limits_of_a_period(bounds, up, down, added, removed, alive, wanted, expected):
    policy = Hpa(scale_up=up, scale_down=down)
    before = spread(added) + [(at_s, -n) for at_s, n in spread(removed)]
    for change in sorted(before):
        policy.changed(*change)

    assert policy.desired(NOW_S, alive, wanted, bounds) == expected


# --- horizontal_test.go, TestNormalizeDesiredReplicas and ...WithBehavior

STABILIZED = {
    # windows up and down, proposals (minutes ago, count), current, proposal, allowed
    "empty recommendations for scaling down": (0, 0, [], 100, 5, 5),
    "simple scale down stabilization": (0, 180, [(2, 4), (1, 5)], 100, 3, 5),
    "simple scale up stabilization": (300, 0, [(2, 4), (1, 5)], 1, 7, 4),
    "no scale down stabilization": (300, 0, [(2, 1), (1, 2)], 100, 3, 3),
    "no scale up stabilization": (0, 300, [(2, 4), (1, 5)], 1, 3, 3),
    "no scale down stabilization, reuse recommendation element": (
        *(0, 0, [(10, 10), (9, 9)]),
        *(100, 3, 3),
    ),
    "no scale up stabilization, reuse recommendation element": (
        *(0, 0, [(10, 10), (9, 9)]),
        *(1, 100, 100),
    ),
    "scale down stabilization, reuse one of obsolete recommendation element": (
        *(0, 180, [(10, 10), (9, 9), (2, 5), (1, 4)]),
        *(100, 3, 5),
    ),
    "scale up stabilization, reuse one of obsolete recommendation element": (
        *(300, 0, [(100, 10), (3, 9), (2, 5), (1, 6)]),
        *(1, 100, 5),
    ),
    "... do not scale up when prenormalized rec goes down": (
        *(300, 300, [(100, 2), (3, 3)]),
        *(2, 1, 2),
    ),
    "... do not scale down when prenormalized rec goes up": (
        *(300, 300, [(100, 2), (3, 1)]),
        *(2, 3, 2),
    ),
    "stabilize": (0, 300, [(2, 4), (1, 5)], 100, 3, 5),
    "no stabilize": (0, 300, [(2, 1), (1, 2)], 100, 3, 3),
    "no stabilize - old recommendations": (0, 300, [(10, 10), (9, 9)], 100, 3, 3),
    "stabilize - old recommendations": (
        *(0, 300, [(10, 10), (9, 9), (2, 5), (1, 4)]),
        *(100, 3, 5),
    ),
    "a proposal as old as the window is forgotten": (0, 300, [(5, 9)], 10, 3, 3),
}
WIDE = {"replicas": 1000, "replicas_period_s": 0.5}


@pytest.mark.parametrize(
    ("up_s", "down_s", "before", "alive", "proposal", "expected"),
    STABILIZED.values(),
    ids=STABILIZED,
)
def test_recent_proposals_hold_it_back(up_s, down_s, before, alive, proposal, expected):
    now_s = 10_000.0
    policy = Hpa(
        scale_up={**WIDE, "stabilization_s": up_s},
        scale_down={**WIDE, "stabilization_s": down_s},
    )
    for minutes, earlier in before:
        policy.desired(now_s - 60 * minutes, alive, earlier)

    assert policy.desired(now_s, alive, proposal) == expected


# --- Through time, with the defaults


def followed(policy, proposals, alive, interval_s=15.0):
    """Return the counts when each proposal comes an interval after the one before."""
    counts = []
    for k, proposal in enumerate(proposals, 1):
        alive = policy.desired(k * interval_s, alive, proposal, (1, 1000))
        counts.append(alive)
    return counts


def test_by_default_it_grows_by_four_or_doubles_every_15_seconds():
    assert followed(Hpa(), [100] * 6, alive=1) == [5, 10, 20, 40, 80, 100]


def test_by_default_the_way_down_waits_five_minutes_for_the_highest_proposal():
    proposals = [8, 8, 3, *[1] * 25]

    counts = followed(Hpa(), proposals, alive=8)

    # 8 was last proposed at 30 s, 3 at 45 s: both are forgotten 300 s later
    assert counts[20:] == [8, 3, 1, 1, 1, 1, 1, 1]


def test_a_limit_down_is_per_period():
    down = {"stabilization_s": 0, "replicas": 1, "replicas_period_s": 60.0}

    counts = followed(Hpa(scale_down=down), [1] * 10, alive=4)

    assert counts == [3, 3, 3, 3, 2, 2, 2, 2, 1, 1]


def test_what_others_change_does_not_count_into_the_period():
    policy = Hpa()
    policy.desired(15.0, 1, 5)

    # of the 50 it has added 4: there were 46 at the start of the period
    assert policy.desired(20.0, 50, 500) == 92


def test_work_keeps_one_alive():
    assert Hpa(scale_down=DEFAULT).desired(15.0, 1, 0, (0, 9), in_system=1) == 1


# --- What is refused


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"target": 0}, "autoscaler target must be finite and > 0"),
        ({"target": None}, "autoscaler target must be given"),
        ({"metric": "cpu"}, "autoscaler metric must be one of"),
        ({"metric": "busy", "target": 1.5}, "autoscaler target must be at most 1"),
        ({"metric": "busy", "target": 0.5}, "min_replicas must be at least 1"),
        ({"scale_up": {"replicas": 0}}, "scale_up replicas must be finite and >= 1"),
        ({"scale_up": {"replicas": 1.5}}, "scale_up replicas must be a whole number"),
        ({"scale_down": {"fraction": 0.0}}, "scale_down fraction must be"),
        ({"scale_down": {"tolerance": 1.0}}, "scale_down tolerance must be at most"),
        ({"scale_down": {"stabilization_s": 3601}}, "stabilization_s must be at most"),
        ({"scale_up": {"replicas_period_s": 0}}, "replicas_period_s must be finite"),
        ({"scale_up": {"select": "most"}}, "scale_up select must be one of"),
        ({"scale_up": {"percent": 1}}, "got 'percent'"),
        ({"scale_up": 4}, "scale_up must be a mapping"),
        ({"scaling_interval_s": 0.001}, "at most 1,000,000 scaling intervals"),
    ],
)
def test_a_parameter_out_of_range_is_refused_by_its_name(parameters, message):
    given = {"kind": "hpa", "target": 1, **parameters}
    if parameters == {"scaling_interval_s": 0.001}:
        given["scale_down"] = {"stabilization_s": 3600}
    with pytest.raises(ValueError, match=message):
        checked(given)
