"""The closed forms of shared and of failing replicas against limit cases and laws.

`test_processor_sharing.py` and `test_breakdowns.py` hold simulations against them.
"""

import math
from fractions import Fraction
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costsim import queueing as q
from costsim.errors import UnstableQueueError

approx = partial(pytest.approx, rel=1e-9, abs=1e-15)
fixed_seed = settings(derandomize=True, deadline=None)

slowdowns = st.floats(0, 5)
utilizations = st.floats(0.01, 0.98)
limits = st.integers(1, 60)
spans = st.floats(0.1, 100)


def capacity(limit, slowdown):
    return limit / (1 + slowdown * (limit - 1))


# Processor sharing


@pytest.mark.parametrize("load", [0.0, 0.3, 0.9])
def test_full_slowdown_is_mm1(load):
    found = q.processor_sharing_mean_response_time(load / 2.0, 2.0, 1.0)

    assert found == approx(2.0 / (1 - load))


@pytest.mark.parametrize("load", [0.0, 3.0, 1e6])
def test_no_slowdown_is_a_server_for_each(load):
    assert q.processor_sharing_mean_response_time(load / 2.0, 2.0, 0.0) == 2.0


@pytest.mark.parametrize("slowdown", [0.1, 1.0, 2.0])
def test_mean_number_is_that_of_the_negative_binomial_law(slowdown):
    load = 0.6 / slowdown
    terms = [1.0]  # p(n) / p(0), by the balance of the birth-death process
    for n in range(1, 400):
        terms.append(terms[-1] * load * (1 + slowdown * (n - 1)) / n)
    mean_number = math.fsum(n * p for n, p in enumerate(terms)) / math.fsum(terms)

    found = q.processor_sharing_mean_response_time(load / 2.0, 2.0, slowdown)

    assert found == approx(mean_number / (load / 2.0))


@fixed_seed
@given(limit=limits, utilization=utilizations)
def test_limited_sharing_without_slowdown_is_mmc(limit, utilization):
    queue = (limit, utilization * limit / 3.0, 3.0)

    found = q.limited_processor_sharing(*queue, 0.0)

    waiting = q.mmc_mean_waiting_time(*queue)
    assert found.waiting_probability == approx(q.erlang_c(limit, utilization * limit))
    assert found.mean_waiting_time_s == approx(waiting)
    assert found.mean_response_time_s == approx(waiting + 3.0)


@fixed_seed
@given(limit=limits, utilization=utilizations)
def test_limited_sharing_at_full_slowdown_is_mm1(limit, utilization):
    found = q.limited_processor_sharing(limit, utilization, 1.0, 1.0)

    assert found.waiting_probability == approx(utilization**limit)
    assert found.mean_response_time_s == approx(1 / (1 - utilization))


@fixed_seed
@given(utilization=utilizations, slowdown=slowdowns)
def test_limited_sharing_one_at_a_time_is_mm1(utilization, slowdown):
    found = q.limited_processor_sharing(1, utilization, 1.0, slowdown)

    assert found.waiting_probability == approx(utilization)
    assert found.mean_waiting_time_s == approx(utilization / (1 - utilization))


@pytest.mark.parametrize("slowdown", [0.05, 0.5, 1.0])
def test_a_limit_that_is_never_reached_is_none(slowdown):
    load = 0.6 / slowdown

    found = q.limited_processor_sharing(3000, load, 1.0, slowdown)

    unlimited = q.processor_sharing_mean_response_time(load, 1.0, slowdown)
    assert found == approx((0, 0, unlimited))


def test_limited_sharing_equals_its_definition_in_exact_arithmetic():
    limit, slowdown, load = 3, Fraction(1, 4), Fraction(7, 5)
    terms = [Fraction(1)]
    for n in range(1, limit + 1):
        terms.append(terms[-1] * load * (1 + slowdown * (n - 1)) / n)
    ratio = load * (1 + slowdown * (limit - 1)) / limit
    total = sum(terms[:-1]) + terms[-1] / (1 - ratio)
    full = terms[-1] / (1 - ratio) / total
    queued = full * ratio / (1 - ratio)
    serving = sum(n * p for n, p in enumerate(terms[:-1])) / total + limit * full

    found = q.limited_processor_sharing(limit, float(load), 1.0, float(slowdown))

    expected = (full, queued / load, (queued + serving) / load)
    assert found == approx(tuple(map(float, expected)))


def test_limited_sharing_survives_a_large_replica():
    found = q.limited_processor_sharing(20_000, 9000.0, 1.0, 1e-5)

    assert found.mean_response_time_s == approx(1 / (1 - 1e-5 * 9000))


def test_a_replica_without_requests_serves_at_full_speed():
    assert q.limited_processor_sharing(4, 0.0, 3.0, 1.0) == (0, 0, 3)


@fixed_seed
@given(limit=limits, utilization=utilizations, slowdown=slowdowns, more=slowdowns)
def test_more_slowdown_never_helps(limit, utilization, slowdown, more):
    load = utilization * capacity(limit, slowdown + more)

    less, worse = (
        q.limited_processor_sharing(limit, load, 1.0, s)
        for s in (slowdown, slowdown + more)
    )

    assert less.mean_response_time_s <= worse.mean_response_time_s * (1 + 1e-12)
    assert less.waiting_probability <= worse.waiting_probability * (1 + 1e-12)


@pytest.mark.parametrize("excess", [1.0, 1.5])
@pytest.mark.parametrize("slowdown", [0.2, 1.0, 4.0])
def test_a_load_beyond_the_speed_of_a_full_replica_is_refused(slowdown, excess):
    with pytest.raises(UnstableQueueError):
        q.limited_processor_sharing(5, excess * capacity(5, slowdown), 1.0, slowdown)
    with pytest.raises(UnstableQueueError):
        q.processor_sharing_mean_response_time(excess / slowdown, 1.0, slowdown)


# Breakdowns


@pytest.mark.parametrize(("setup_s", "expected"), [(0.0, 1.0), (2.5, 0.8), (10.0, 0.5)])
def test_availability_of_ten_seconds(setup_s, expected):
    assert q.availability(10.0, setup_s) == approx(expected)


def test_completion_time_sums_the_attempts():
    work_s, lifetime_s, setup_s = 3.0, 4.0, 2.0
    done = math.exp(-work_s / lifetime_s)
    # A lifetime below 3 s lasts so long on average:
    short_s = lifetime_s - work_s * done / (1 - done)

    found = q.mean_completion_time(work_s, lifetime_s, setup_s)

    attempts = (1 - done) / done
    assert found == approx(attempts * (short_s + setup_s) + work_s)


@fixed_seed
@given(work=spans, setup=spans)
def test_completion_time_of_a_replica_that_hardly_fails_is_the_service_time(
    work, setup
):
    found = q.mean_completion_time(work, 1e12, setup)

    assert found == pytest.approx(work, rel=1e-8)


def test_work_far_beyond_a_lifetime_never_completes():
    assert q.mean_completion_time(1e4, 1.0, 1.0) == math.inf


@fixed_seed
@given(utilization=utilizations, work=spans, setup=spans)
def test_md1_that_hardly_fails_is_md1(utilization, work, setup):
    rate = utilization / work

    found = q.md1_breakdowns_mean_response_time(rate, work, 1e14, setup)

    waiting = q.mg1_mean_waiting_time(rate, work, service_time_scv=0)
    assert found == pytest.approx(work + waiting, rel=1e-8)


def test_md1_with_rare_requests_waits_for_the_rest_of_a_setup_at_most():
    found = q.md1_breakdowns_mean_response_time(1e-12, 1.0, 6.0, 3.0)

    # A third of the requests finds the replica in setup, with 3 s to go on average.
    completion_s = q.mean_completion_time(1.0, 6.0, 3.0)
    assert found == pytest.approx(1 / 3 * 3.0 + completion_s, rel=1e-8)


@pytest.mark.parametrize("excess", [1.0, 1.5])
def test_a_load_beyond_what_failures_leave_is_refused(excess):
    rate = excess / q.mean_completion_time(1.0, 5.0, 2.0)

    with pytest.raises(UnstableQueueError):
        q.md1_breakdowns_mean_response_time(rate, 1.0, 5.0, 2.0)


@fixed_seed
@given(work=spans, lifetime=spans, setup=spans, scale=spans)
def test_completion_time_scales_with_time(work, lifetime, setup, scale):
    found = q.mean_completion_time(work, lifetime, setup)

    scaled = q.mean_completion_time(scale * work, scale * lifetime, scale * setup)
    assert scaled == pytest.approx(scale * found, rel=1e-9)
