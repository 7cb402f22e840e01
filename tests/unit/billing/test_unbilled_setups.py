"""Each replica's own unbilled part of its setup, on lives worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hand_written import NAN, pool_of

from costsim.billing.meter import measure, metered_s
from costsim.catalog.tariff import MeteringRules

# Replica 0: setup of 10 s, 90 s of life, 45.75 s busy; replica 1: given up after 10 s of
# setup; replica 2: setup of 20 s, and 5 s busy to its end.
LIVES = pool_of(
    [(0, 10, 100), (30, NAN, 40), (40, 60, 65)],
    [(0, 10, 35.5), (0, 50, 60.25), (2, 60, 65)],
)


@pytest.mark.parametrize(
    ("unbilled_s", "scope", "idle_billed", "billed_s"),
    [
        ([0, 0, 0], "replica", True, 100 + 10 + 25),
        ([2.5, 4, 20], "replica", True, 98 + 6 + 5),
        ([10, 10, 20], "replica", True, 90 + 0 + 5),
        ([1000, 0, 30], "replica", True, 90 + 10 + 5),
        ([2.5, 4, 20], "total", True, 109),
        ([2.5, 4, 12], "segment", False, (33 + 11) + 6 + 13),
        ([2.5, 4, 12], "request", True, 33 + 11 + 13),
        ([2.5, 4, 12], "aligned", True, 98 + 6 + 13),
    ],
)
def test_each_replica_is_billed_from_its_own_moment(
    unbilled_s, scope, idle_billed, billed_s
):
    billed = metered_s(
        LIVES,
        scope,
        idle_billed=idle_billed,
        unbilled_setup_s=np.array(unbilled_s, dtype=float),
    )

    assert billed == billed_s


def test_one_number_for_all_replicas_is_the_same_as_the_number_for_each():
    of_all = metered_s(LIVES, unbilled_setup_s=2.5)

    assert metered_s(LIVES, unbilled_setup_s=np.full(3, 2.5)) == of_all


def test_what_each_replica_has_replaces_the_rules_number():
    rules = MeteringRules(unbilled_setup_s=3.0)

    usage = measure(LIVES, rules, unbilled_setup_s=np.array([0.0, 10.0, 5.0]))

    assert usage.setup_s == 10 + 0 + 15
    assert usage.setup_total_s == 40
    assert usage.billed_s == 100 + 0 + 20


def test_where_no_setup_is_billed_the_unbilled_parts_say_nothing():
    rules = MeteringRules(setup_billed=False)

    usage = measure(LIVES, rules, unbilled_setup_s=np.zeros(3))

    assert (usage.setup_s, usage.billed_s) == (0.0, 95.0)


@pytest.mark.parametrize(
    ("unbilled_s", "words"),
    [
        ([0.0, 0.0], r"shape \(2,\); it must be \(3,\)"),
        ([[0.0, 0.0, 0.0]], r"shape \(1, 3\); it must be \(3,\)"),
        ([0.0, -1.0, 0.0], r"unbilled_setup_s\[1\] is -1.0; it must be from 0"),
        ([0.0, 0.0, np.nan], r"unbilled_setup_s\[2\] is nan"),
        ([np.inf, 0.0, 0.0], r"unbilled_setup_s\[0\] is inf"),
    ],
)
def test_what_is_no_time_for_each_replica_is_refused(unbilled_s, words):
    with pytest.raises(ValueError, match=words):
        metered_s(LIVES, unbilled_setup_s=np.array(unbilled_s))
