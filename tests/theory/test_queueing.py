"""The closed forms against reference numbers, limit cases and laws.

The numbers were computed elsewhere, compared with simulations, and printed to nine
digits; hence the relative tolerance of 1e-8.
"""

import math
import subprocess
import sys
from fractions import Fraction
from functools import partial

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from costsim import queueing as q
from costsim.errors import UnstableQueueError

approx = partial(pytest.approx, rel=1e-8, abs=1e-15)
fixed_seed = settings(derandomize=True, deadline=None)


def row(name, *values):
    return pytest.param(*values, id=name)


# Reference numbers: many servers


@pytest.mark.parametrize(
    ("servers", "arrival_rate", "service_time", "expected"),
    [
        # waiting probability, mean wait, mean response, mean in system,
        # response p50, p95, p99, wait p95
        row("M/M/1 rho=.3", 1, 0.3, 1, (0.3, 0.428571429, 1.42857143, 0.428571429, 0.990210258, 4.27961753, 6.57881455, 2.55965638)),
        row("M/M/1 rho=.5", 1, 0.5, 1, (0.5, 1, 2, 1, 1.38629436, 5.99146455, 9.21034037, 4.60517019)),
        row("M/M/1 rho=.8", 1, 0.8, 1, (0.8, 4, 5, 4, 3.4657359, 14.9786614, 23.0258509, 13.8629436)),
        row("M/M/1 rho=.95", 1, 0.95, 1, (0.95, 19, 20, 19, 13.8629436, 59.9146455, 92.1034037, 58.8887796)),
        row("M/M/1 fast", 1, 45, 1 / 50, (0.9, 0.18, 0.2, 9, 0.138629436, 0.599146455, 0.921034037, 0.578074352)),
        row("M/M/2", 2, 1.6, 1, (0.711111111, 1.77777778, 2.77777778, 4.44444444, 2.04003145, 7.91068425, 11.9373702, 6.63701422)),
        row("M/M/4 equal rates", 4, 3, 1, (0.509433962, 0.509433962, 1.50943396, 4.52830189, 1.15628363, 4.1280998, 6.00630818, 2.32127723)),
        row("M/M/10", 10, 8, 1, (0.409180151, 0.204590075, 1.20459008, 9.6367206, 0.912144611, 3.32827468, 4.94611133, 1.05106626)),
        row("M/M/20", 20, 18, 1, (0.550769005, 0.275384502, 1.2753845, 22.956921, 0.990437083, 3.42283031, 5.04162301, 1.19964624)),
        row("M/M/100", 100, 90, 1, (0.216940481, 0.0216940481, 1.02169405, 91.9524643, 0.716928637, 3.01955084, 4.62898876, 0.146760003)),
    ],
)  # fmt: skip
def test_mmc_matches_reference(servers, arrival_rate, service_time, expected):
    queue = (servers, arrival_rate, service_time)

    mean_wait = q.mmc_mean_waiting_time(*queue)
    found = (
        q.erlang_c(servers, arrival_rate * service_time),
        mean_wait,
        mean_wait + service_time,
        arrival_rate * (mean_wait + service_time),
        *(q.mmc_response_time_quantile(*queue, p) for p in (0.5, 0.95, 0.99)),
        q.mmc_waiting_time_quantile(*queue, 0.95),
    )

    assert found == approx(expected)


@pytest.mark.parametrize(
    ("arrival_rate", "servers", "capacity", "expected"),
    [
        # loss, throughput, mean in system, mean response, mean wait, wait probability
        row("M/M/3/3", 2, 3, 3, (0.210526316, 1.57894737, 1.57894737, 1, 0, 0)),
        row("M/M/10/10", 8, 10, 10, (0.121661064, 7.02671149, 7.02671149, 1, 0, 0)),
        row("M/M/10/15", 8, 10, 15, (0.0300380337, 7.75969573, 8.39155046, 1.08142777, 0.0814277716, 0.317696839)),
        row("M/M/2/6 overload", 3, 2, 6, (0.359644795, 1.92106561, 4.50518007, 2.34514638, 1.34514638, 0.901386749)),
        row("M/M/100/110 overload", 120, 100, 110, (0.170828006, 99.5006392, 105.45317, 1.05982404, 0.0598240427, 0.863743172)),
    ],
)  # fmt: skip
def test_mmck_matches_reference(arrival_rate, servers, capacity, expected):
    queue = q.mmck(servers, capacity, arrival_rate, 1.0)

    throughput = arrival_rate * (1 - queue.loss_probability)
    found = (
        queue.loss_probability,
        throughput,
        throughput * queue.mean_response_time_s,
        queue.mean_response_time_s,
        queue.mean_waiting_time_s,
        queue.waiting_probability,
    )
    assert found == approx(expected)


@pytest.mark.parametrize(
    ("offered_load", "p95", "p99"),
    [
        row("a=1", 0.5 * 2.0, 3, 4),
        row("a=10", 5.0 * 2.0, 15, 18),
        row("a=30", 100.0 * 0.3, 39, 43),
    ],
)
def test_mg_infinity_matches_reference(offered_load, p95, p99):
    found = [q.mg_infinity_busy_quantile(offered_load, p) for p in (0.95, 0.99)]

    assert found == [p95, p99]


@pytest.mark.parametrize(
    ("offered_load", "p_empty"),
    [
        row("a=1", 1.0, 0.367879441),
        row("a=10", 10.0, 4.53999298e-05),
        row("a=30", 30.0, 9.35762297e-14),
    ],
)
def test_mg_infinity_is_empty_with_the_reference_probability(offered_load, p_empty):
    within = q.mg_infinity_busy_quantile(offered_load, p_empty * (1 - 1e-8))
    beyond = q.mg_infinity_busy_quantile(offered_load, p_empty * (1 + 1e-8))

    assert (within, beyond) == (0, 1)


@pytest.mark.parametrize(
    ("arrival_rate", "scv", "mean_wait"),
    [
        row("deterministic", 0.8, 0, 2),
        row("Erlang-2", 0.8, 1 / 2, 3),
        row("gamma scv 2", 0.5, 2, 1.5),
        row("H2 scv 4", 0.7, 4, 5.83333333),
        row("H2 scv 16", 0.7, 16, 19.8333333),
    ],
)
def test_mg1_matches_reference(arrival_rate, scv, mean_wait):
    found = q.mg1_mean_waiting_time(arrival_rate, 1.0, service_time_scv=scv)

    assert found == approx(mean_wait)


# Reference numbers: one replica


@pytest.mark.parametrize(
    ("arrival_rate", "service_rate", "setup_rate", "expected"),
    [
        # mean response, p50, p95, p99, off, starting, busy
        row("lam=.5 alpha=.2", 0.5, 1, 0.2, (7, 5.63692558, 17.5223537, 25.5790492, 0.142857143, 0.357142857, 0.5)),
        row("lam=.8 alpha=.1", 0.8, 1, 0.1, (15, 12.2794718, 36.7613835, 52.9580794, 0.0222222222, 0.177777778, 0.8)),
        row("lam=.1 alpha=.05", 0.1, 1, 0.05, (21.1111111, 15.0061087, 61.0578137, 93.246572, 0.3, 0.6, 0.1)),
        row("equal rates", 2, 4, 2, (1, 0.839173495, 2.37193226, 3.31917603, 0.25, 0.25, 0.5)),
    ],
)  # fmt: skip
def test_setup_without_timeout_matches_reference(
    arrival_rate, service_rate, setup_rate, expected
):
    times = (arrival_rate, 1 / service_rate, 1 / setup_rate, 0.0)

    pool = q.mg1_setup(*times, service_time_scv=1, setup_time_scv=1)
    quantiles = [
        q.mm1_setup_response_time_quantile(*times, p) for p in (0.5, 0.95, 0.99)
    ]

    found = (
        pool.mean_response_time_s,
        *quantiles,
        pool.off_fraction,
        pool.starting_fraction,
        pool.busy_fraction,
    )
    assert found == approx(expected)


@pytest.mark.parametrize(
    ("arrival_rate", "service", "setup", "timeout", "expected"),
    [
        # mean response, launch probability, busy, starting, idle, alive, lifetime
        row("Exp, Det 5, tau=0", 0.5, (1, 1), (5, 0), (0, "constant"), (5.21428571, 0.142857143, 0.5, 0.357142857, 0, 0.857142857, 12)),
        row("Exp, Det 5, tau=2", 0.5, (1, 1), (5, 0), (2, "constant"), (4.15588203, 0.0958169789, 0.5, 0.239542447, 0.164640574, 0.904183021, 18.8731273)),
        row("Exp, Det 20, tau=10", 0.1, (1, 1), (20, 0), (10, "constant"), (9.58877342, 0.190747402, 0.1, 0.381494804, 0.327757794, 0.809252598, 42.4253536)),
        row("Exp, Exp 10, tau=5", 0.8, (1, 1), (10, 1), (5, "constant"), (6.43774217, 0.0031949826, 0.8, 0.0255598608, 0.171245157, 0.996805017, 389.988438)),
        row("Exp, Exp 5, timeout Exp 2", 0.5, (1, 1), (5, 1), (2, "exponential"), (5.88888889, 0.111111111, 0.5, 0.277777778, 0.111111111, 0.888888889, 16)),
        row("rare", 0.01, (2, 1), (30, 0), (60, "constant"), (18.2981531, 0.46180261, 0.02, 0.138540783, 0.379656607, 0.53819739, 116.542735)),
        row("Det, Det 5, tau=2", 0.5, (1, 0), (5, 0), (2, "constant"), (3.65588203, 0.0958169789, 0.5, 0.239542447, 0.164640574, 0.904183021, 18.8731273)),
        row("Erlang-2, Exp 5, tau=2", 0.5, (1, 1 / 2), (5, 1), (2, "constant"), (5.10359426, 0.0958169789, 0.5, 0.239542447, 0.164640574, 0.904183021, 18.8731273)),
        row("H2, Erlang-3 6, tau=4", 0.3, (1, 4), (6, 1 / 3), (4, "constant"), (4.6494947, 0.136715628, 0.3, 0.24608813, 0.317196242, 0.863284372, 21.0481758)),
    ],
)  # fmt: skip
def test_setup_and_delayed_off_match_reference(
    arrival_rate, service, setup, timeout, expected
):
    pool = q.mg1_setup(
        arrival_rate,
        service[0],
        setup[0],
        timeout[0],
        service_time_scv=service[1],
        setup_time_scv=setup[1],
        timeout_distribution=timeout[1],
    )

    found = (
        pool.mean_response_time_s,
        pool.launch_probability,
        pool.busy_fraction,
        pool.starting_fraction,
        pool.idle_fraction,
        pool.alive_fraction,
        pool.mean_lifetime_s,
    )
    assert found == approx(expected)


@pytest.mark.parametrize(
    ("arguments", "distribution", "p95"),
    [
        row("constant timeout", (0.8, 1, 10, 5), "constant", 20.3087334),
        row("exponential timeout", (0.5, 1, 5, 2), "exponential", 16.2675297),
    ],
)
def test_setup_p95_with_a_timeout_matches_reference(arguments, distribution, p95):
    found = q.mm1_setup_response_time_quantile(
        *arguments, 0.95, timeout_distribution=distribution
    )

    assert found == approx(p95)


@pytest.mark.parametrize(
    ("idle_timeout", "expected"),
    [
        # cold-start fraction, idle time per request, lifetime, idle replicas
        row("tau=3", 3, (0.740818221, 2.59181779, 3.49858808, 0.259181779)),
        row("tau=10", 10, (0.367879441, 6.32120559, 17.1828183, 0.632120559)),
        row("tau=30", 30, (0.0497870684, 9.50212932, 190.855369, 0.950212932)),
    ],
)
def test_idle_timeout_matches_reference(idle_timeout, expected):
    pool = q.idle_timeout_pool(1 / 10, idle_timeout)

    found = (
        pool.cold_start_fraction,
        pool.idle_fraction / pool.arrival_rate_per_s,
        pool.mean_lifetime_s,
        pool.idle_fraction,
    )
    assert found == approx(expected)


@pytest.mark.parametrize(
    ("arrival_rate", "service_time", "idle_timeout", "expected"),
    [
        # cold-start fraction, alive, busy, idle, lifetime, requests in a lifetime
        row("lam=.5", 0.5, 2, 3, (0.0820849986, 0.917915001, 0.632120559, 0.285794443, 22.3649879, 12.182494)),
        row("lam=1", 1, 1, 1.5, (0.0820849986, 0.917915001, 0.632120559, 0.285794443, 11.182494, 12.182494)),
        row("lam=.01", 0.01, 0.5, 300, (0.0495387543, 0.950461246, 0.00498752081, 0.945473725, 1918.62161, 20.1862161)),
        row("lam=.02", 0.02, 10, 60, (0.246596964, 0.753403036, 0.181269247, 0.572133789, 152.759998, 4.05519997)),
    ],
)  # fmt: skip
def test_unlimited_concurrency_matches_reference(
    arrival_rate, service_time, idle_timeout, expected
):
    pool = q.unlimited_concurrency_pool(arrival_rate, service_time, idle_timeout)

    found = (
        pool.cold_start_fraction,
        pool.alive_fraction,
        pool.busy_fraction,
        pool.idle_fraction,
        pool.mean_lifetime_s,
        1 / pool.launch_probability,
    )
    assert found == approx(expected)


# Reference numbers: money


@pytest.mark.parametrize(
    ("mean_time", "increment", "billed"),
    [
        row("250 ms by 100 ms", 0.25, 0.1, 0.303324478),
        row("250 ms by 1 ms", 0.25, 0.001, 0.250500333),
        row("90 s by 1 min", 90, 60, 123.3089),
        row("90 s by 1 h", 90, 3600, 3600),
        row("2 h by 1 h", 7200, 3600, 9149.3787),
    ],
)
def test_rounded_exponential_matches_reference(mean_time, increment, billed):
    found = q.exponential_mean_billed_time(mean_time, increment)

    assert found == approx(billed)


PRICES = (0.8, 0.0005)
"""Always-on [USD/h] and by the second [USD/s]."""


def test_break_even_utilization_matches_reference():
    assert q.break_even_utilization(*PRICES) == approx(0.444444444)


@pytest.mark.parametrize(
    ("times", "setup_billed", "rate", "per_hour"),
    [
        row("busy billed, .2 s", (0.2, 0, 0), True, 2.22222222, 8000),
        row("busy billed, 5 s", (5, 0, 0), True, 0.0888888889, 320),
        row("alive billed, tau=30", (5, 3, 30), True, 0.0158662849, 57.1186256),
        row("alive billed, tau=300", (5, 3, 300), True, 0.00191642722, 6.89913799),
        row("setup free, tau=30", (5, 3, 30), False, 0.0172549763, 62.1179147),
    ],
)
def test_break_even_rate_matches_reference(times, setup_billed, rate, per_hour):
    found = q.break_even_arrival_rate(*PRICES, *times, setup_billed=setup_billed)

    assert (found, 3600 * found) == approx((rate, per_hour))


def test_periodic_break_even_rate_matches_reference():
    found = q.periodic_break_even_rate(*PRICES, 1, 3, 30)

    assert (found, 3600 * found) == approx((0.0130718954, 47.0588235))


# Independent calculations


@pytest.mark.parametrize("servers", [1, 2, 7, 25])
def test_erlang_b_equals_its_definition_in_exact_arithmetic(servers):
    load = Fraction(13, 4)

    terms = [load**n / math.factorial(n) for n in range(servers + 1)]

    assert q.erlang_b(servers, float(load)) == approx(float(terms[-1] / sum(terms)))


@pytest.mark.parametrize("offered_load", [4000.0, 4900.0, 4999.5])
def test_erlang_c_of_thousands_of_servers_equals_its_definition_in_logs(offered_load):
    servers = 5000
    top = servers * math.log(offered_load) - math.lgamma(servers + 1)
    below = math.fsum(
        math.exp(n * math.log(offered_load) - math.lgamma(n + 1) - top)
        for n in range(servers)
    )
    queue = servers / (servers - offered_load)

    found = q.erlang_c(servers, offered_load)

    assert found == pytest.approx(queue / (queue + below), rel=1e-9)


def test_mmck_equals_its_definition_in_exact_arithmetic():
    servers, capacity, load = 3, 8, Fraction(7, 2)
    weights = [Fraction(1)]
    for n in range(1, capacity + 1):
        weights.append(weights[-1] * load / min(n, servers))
    found_by_accepted = [weight / sum(weights[:-1]) for weight in weights[:-1]]
    mean_wait = sum(
        p * max(0, n - servers + 1) for n, p in enumerate(found_by_accepted)
    ) / Fraction(servers)

    queue = q.mmck(servers, capacity, float(load), 1.0)

    assert queue == approx(
        (
            float(weights[-1] / sum(weights)),
            float(sum(found_by_accepted[servers:])),
            float(mean_wait),
            float(mean_wait + 1),
        )
    )


def test_mmck_survives_a_huge_overload():
    queue = q.mmck(2000, 50_000, 1e9, 1.0)

    # Nearly always full: an accepted request waits for all but its own place.
    assert queue.loss_probability == approx(1 - 2000 / 1e9)
    assert queue.mean_response_time_s == pytest.approx(50_000 / 2000, rel=1e-5)


@fixed_seed
@given(mean=st.floats(0.01, 300), probability=st.floats(1e-9, 1 - 1e-9))
def test_busy_quantile_is_the_least_count_that_suffices(mean, probability):
    pmf = [
        math.exp(n * math.log(mean) - mean - math.lgamma(n + 1)) for n in range(1000)
    ]

    n = q.mg_infinity_busy_quantile(mean, probability)

    # Each side is summed from its own end; 1e-11 is the error of lgamma.
    assert math.fsum(pmf[:n]) <= probability * (1 + 1e-11)
    assert math.fsum(pmf[n + 1 :]) <= (1 - probability) * (1 + 1e-11)


def test_busy_quantile_resolves_the_smallest_tails():
    mean = 100.0
    pmf = [
        math.exp(n * math.log(mean) - mean - math.lgamma(n + 1)) for n in range(1000)
    ]
    low = next(n for n in range(1000) if math.fsum(pmf[: n + 1]) >= 1e-30)
    high = next(n for n in range(1000) if math.fsum(pmf[n + 1 :]) <= 2**-52)

    found = [q.mg_infinity_busy_quantile(mean, p) for p in (1e-30, 1 - 2**-52)]

    assert found == [low, high]


def test_busy_quantile_of_a_large_pool_is_nearly_normal():
    n = q.mg_infinity_busy_quantile(1e6, 0.975)

    assert n == pytest.approx(1e6 + 1.959964 * 1e3, abs=2)


# Limit cases


@pytest.mark.parametrize("load", [0.0, 0.1, 0.5, 0.999])
def test_one_server_is_mm1(load):
    service_time = 2.0
    queue = (1, load / service_time, service_time)

    rate = (1 - load) / service_time
    found = (
        q.erlang_c(1, load),
        q.mmc_mean_waiting_time(*queue),
        q.mmc_response_time_quantile(*queue, 0.9),
        1 - q.mmc_response_time_cdf(*queue, 3.0),
    )
    expected = (load, load / rate, math.log(10) / rate, math.exp(-3 * rate))
    assert found == approx(expected)


@pytest.mark.parametrize("load", [0.0, 0.3, 0.9])
def test_mg1_with_exponential_service_is_mm1(load):
    found = q.mg1_mean_waiting_time(load, 1.0, service_time_scv=1)

    assert found == approx(q.mmc_mean_waiting_time(1, load, 1.0))


def test_no_room_to_wait_is_erlang_b():
    queue = q.mmck(20, 20, 6.0, 3.0)

    assert queue == approx((q.erlang_b(20, 18.0), 0, 0, 3))


def test_much_room_to_wait_is_mmc():
    queue = q.mmck(4, 4000, 3.0, 1.0)

    mean_wait = q.mmc_mean_waiting_time(4, 3.0, 1.0)
    assert queue == approx((0, q.erlang_c(4, 3.0), mean_wait, mean_wait + 1))


def test_short_waits_have_a_quantile_of_zero():
    p_wait = q.erlang_c(100, 90.0)

    found = [
        q.mmc_waiting_time_quantile(100, 90.0, 1.0, p)
        for p in (0.5, 1 - 1.001 * p_wait, 1 - 0.999 * p_wait)
    ]

    assert found[:2] == [0, 0]
    assert found[2] > 0


def test_response_time_cdf_is_smooth_where_the_rates_meet():
    found = [
        q.mmc_response_time_cdf(4, rate, 1.0, 2.3) for rate in (3 - 1e-12, 3, 3 + 1e-12)
    ]

    assert found == pytest.approx([found[1]] * 3, rel=1e-8)


@pytest.mark.parametrize("distribution", ["constant", "exponential"])
def test_replica_that_never_stops_is_mg1(distribution):
    pool = q.mg1_setup(
        0.5,
        1.0,
        30.0,
        math.inf,
        service_time_scv=3,
        setup_time_scv=1,
        timeout_distribution=distribution,
    )

    assert pool == q.OneReplicaPool(
        arrival_rate_per_s=0.5,
        mean_response_time_s=approx(1 + 2),
        starting_fraction=0,
        busy_fraction=0.5,
        idle_fraction=0.5,
        off_fraction=0,
    )
    assert pool.mean_lifetime_s == math.inf


@pytest.mark.parametrize("distribution", ["constant", "exponential"])
def test_replica_that_stops_at_once_adds_one_setup(distribution):
    pool = q.mg1_setup(
        0.5,
        1.0,
        30.0,
        0.0,
        service_time_scv=1,
        setup_time_scv=1,
        timeout_distribution=distribution,
    )

    assert pool.mean_response_time_s == approx(1 / (1 - 0.5) + 30)
    assert pool.idle_fraction == 0
    assert pool.cold_start_fraction == approx(1 - 0.5)


def test_free_setup_is_mm1_whatever_the_timeout():
    pool = q.mg1_setup(0.5, 1.0, 0.0, 7.0, service_time_scv=1, setup_time_scv=1)
    p95 = q.mm1_setup_response_time_quantile(0.5, 1.0, 0.0, 7.0, 0.95)

    assert pool.mean_response_time_s == approx(2)
    assert pool.starting_fraction == 0
    assert p95 == approx(q.mmc_response_time_quantile(1, 0.5, 1.0, 0.95))


def test_unlimited_concurrency_of_instant_requests_is_the_idle_timeout_model():
    pool = q.unlimited_concurrency_pool(0.1, 1e-12, 10.0)

    limit = q.idle_timeout_pool(0.1, 10.0)
    assert pool.off_fraction == approx(limit.off_fraction)
    assert pool.mean_lifetime_s == approx(limit.mean_lifetime_s)


def test_lifetime_beyond_the_range_of_floats_is_infinite():
    pool = q.idle_timeout_pool(1.0, 1e4)

    assert (pool.off_fraction, pool.mean_lifetime_s) == (0, math.inf)


def test_fine_increments_add_half_of_one():
    billed = q.exponential_mean_billed_time(100.0, 0.01)

    assert billed == pytest.approx(100.005, rel=1e-8)


@pytest.mark.parametrize("always_on", [1.8, 2.5])
def test_price_per_second_that_is_never_higher_has_no_break_even(always_on):
    assert q.break_even_arrival_rate(always_on, 0.0005, 1, 3, 30) == math.inf


def test_periodic_requests_without_gaps_break_even_at_equal_prices():
    rates = [
        q.periodic_break_even_rate(usd_per_hour, 0.0005, 1, 3, 30)
        for usd_per_hour in (1.8, 1.8001)
    ]

    assert rates == [approx(1 / 34), math.inf]


def test_replica_that_never_stops_breaks_even_at_once():
    assert q.break_even_arrival_rate(*PRICES, 1, 3, math.inf) == 0


def test_break_even_next_to_full_load_is_below_it():
    rate = q.break_even_arrival_rate(math.nextafter(1.8, 0), 0.0005, 3, 3, 30)

    assert rate <= 1 / 3


# Laws

servers_ = st.integers(1, 60)
utilizations = st.floats(0.01, 0.98)
rates = st.floats(1e-3, 0.95)
spans = st.floats(0.1, 100)
timeouts = st.floats(0, 50)
scvs = st.floats(0, 20)
probabilities = st.floats(1e-6, 1 - 1e-6)


@fixed_seed
@given(servers=servers_, utilization=utilizations)
def test_more_servers_or_less_load_never_make_waiting_likelier(servers, utilization):
    load = utilization * servers

    waiting = q.erlang_c(servers, load)

    assert q.erlang_b(servers, load) <= waiting <= 1
    assert q.erlang_c(servers + 1, load) <= waiting
    assert q.erlang_c(servers, 0.99 * load) <= waiting


@fixed_seed
@given(servers=servers_, utilization=utilizations, probability=probabilities)
def test_response_time_quantile_inverts_the_cdf(servers, utilization, probability):
    queue = (servers, utilization * servers / 3.0, 3.0)

    quantile = q.mmc_response_time_quantile(*queue, probability)

    assert q.mmc_response_time_cdf(*queue, quantile) == pytest.approx(probability)


@fixed_seed
@given(servers=servers_, utilization=utilizations, time=spans, more=spans)
def test_response_time_cdf_never_falls(servers, utilization, time, more):
    queue = (servers, utilization * servers / 3.0, 3.0)

    earlier, later = (q.mmc_response_time_cdf(*queue, t) for t in (time, time + more))

    assert 0 <= earlier <= later <= 1


@fixed_seed
@given(servers=servers_, utilization=utilizations, probability=probabilities)
def test_response_quantile_is_at_least_the_waiting_quantile(
    servers, utilization, probability
):
    queue = (servers, utilization * servers, 1.0)

    waiting = q.mmc_waiting_time_quantile(*queue, probability)

    assert q.mmc_response_time_quantile(*queue, probability) >= waiting


@fixed_seed
@given(servers=servers_, room=st.integers(0, 40), utilization=st.floats(0.01, 5))
def test_room_trades_loss_for_waiting(servers, room, utilization):
    tight, roomy = (
        q.mmck(servers, servers + places, utilization * servers, 1.0)
        for places in (room, room + 1)
    )

    assert roomy.loss_probability <= tight.loss_probability
    assert roomy.waiting_probability >= tight.waiting_probability
    assert roomy.mean_response_time_s >= tight.mean_response_time_s


@fixed_seed
@given(
    load=rates,
    setup_time=spans,
    timeout=timeouts,
    more=spans,
    service_scv=scvs,
    setup_scv=scvs,
    distribution=st.sampled_from(["constant", "exponential"]),
)
def test_longer_timeout_trades_money_for_response_time(
    load, setup_time, timeout, more, service_scv, setup_scv, distribution
):
    shorter, longer = (
        q.mg1_setup(
            load,
            1.0,
            setup_time,
            idle_timeout,
            service_time_scv=service_scv,
            setup_time_scv=setup_scv,
            timeout_distribution=distribution,
        )
        for idle_timeout in (timeout, timeout + more)
    )

    assert longer.launch_probability <= shorter.launch_probability
    assert longer.alive_fraction >= shorter.alive_fraction * (1 - 1e-14)
    slowest = shorter.mean_response_time_s * (1 + 1e-14)
    assert longer.mean_response_time_s <= slowest
    assert longer.mean_lifetime_s >= shorter.mean_lifetime_s * (1 - 1e-14)


@fixed_seed
@given(rate=rates, service_time=st.floats(0.1, 1), setup_time=spans, timeout=timeouts)
def test_fractions_of_time_sum_to_one(rate, service_time, setup_time, timeout):
    delayed_off = q.mg1_setup(
        rate, service_time, setup_time, timeout, service_time_scv=1, setup_time_scv=0
    )
    unlimited = q.unlimited_concurrency_pool(rate, service_time, timeout)

    totals = [
        pool.alive_fraction + pool.off_fraction for pool in (delayed_off, unlimited)
    ]

    assert totals == approx([1, 1])


@fixed_seed
@given(load=rates, setup_time=spans, timeout=timeouts, p=probabilities, scale=spans)
def test_quantile_scales_with_time(load, setup_time, timeout, p, scale):
    found = q.mm1_setup_response_time_quantile(load, 1.0, setup_time, timeout, p)

    scaled = q.mm1_setup_response_time_quantile(
        load / scale, scale, scale * setup_time, scale * timeout, p
    )
    assert scaled == pytest.approx(scale * found, rel=1e-6)


@fixed_seed
@given(mean_time=spans, increment=st.floats(1e-3, 1e3), factor=st.integers(1, 20))
def test_coarser_increments_never_bill_less(mean_time, increment, factor):
    billed = q.exponential_mean_billed_time(mean_time, increment)

    assert mean_time <= billed * (1 + 1e-14)
    assert billed <= (mean_time + increment) * (1 + 1e-14)
    coarser = q.exponential_mean_billed_time(mean_time, factor * increment)
    assert coarser >= billed * (1 - 1e-14)


@fixed_seed
@given(
    share=st.floats(1e-3, 0.999),
    service_time=spans,
    setup_time=spans,
    timeout=timeouts,
)
def test_costs_are_equal_at_the_break_even_rate(
    share, service_time, setup_time, timeout
):
    times = (service_time, setup_time, timeout)
    rate = q.break_even_arrival_rate(3600 * share, 1.0, *times)
    assume(rate * service_time < 1)

    pool = q.mg1_setup(rate, *times, service_time_scv=1, setup_time_scv=1)

    assert pool.alive_fraction == approx(share)


@fixed_seed
@given(share=st.floats(1e-3, 0.9), times=st.tuples(spans, spans, timeouts))
def test_free_setup_never_lowers_the_break_even_rate(share, times):
    billed, free = (
        q.break_even_arrival_rate(3600 * share, 1.0, *times, setup_billed=setup_billed)
        for setup_billed in (True, False)
    )

    assert billed <= free


# Errors

VALID = {
    q.erlang_b: {"servers": 2, "offered_load": 1.0},
    q.erlang_c: {"servers": 2, "offered_load": 1.0},
    q.mmc_mean_waiting_time: {
        "servers": 2,
        "arrival_rate_per_s": 1.0,
        "mean_service_time_s": 1.0,
    },
    q.mmc_waiting_time_quantile: {
        "servers": 2,
        "arrival_rate_per_s": 1.0,
        "mean_service_time_s": 1.0,
        "probability": 0.9,
    },
    q.mmc_response_time_cdf: {
        "servers": 2,
        "arrival_rate_per_s": 1.0,
        "mean_service_time_s": 1.0,
        "response_time_s": 1.0,
    },
    q.mmc_response_time_quantile: {
        "servers": 2,
        "arrival_rate_per_s": 1.0,
        "mean_service_time_s": 1.0,
        "probability": 0.9,
    },
    q.mmck: {
        "servers": 2,
        "capacity": 5,
        "arrival_rate_per_s": 1.0,
        "mean_service_time_s": 1.0,
    },
    q.mg_infinity_busy_quantile: {"offered_load": 1.0, "probability": 0.9},
    q.mg1_mean_waiting_time: {
        "arrival_rate_per_s": 0.5,
        "mean_service_time_s": 1.0,
        "service_time_scv": 1.0,
    },
    q.mg1_setup: {
        "arrival_rate_per_s": 0.5,
        "mean_service_time_s": 1.0,
        "mean_setup_time_s": 5.0,
        "idle_timeout_s": 2.0,
        "service_time_scv": 1.0,
        "setup_time_scv": 1.0,
    },
    q.mm1_setup_response_time_quantile: {
        "arrival_rate_per_s": 0.5,
        "mean_service_time_s": 1.0,
        "mean_setup_time_s": 5.0,
        "idle_timeout_s": 2.0,
        "probability": 0.9,
    },
    q.unlimited_concurrency_pool: {
        "arrival_rate_per_s": 0.5,
        "mean_service_time_s": 1.0,
        "idle_timeout_s": 2.0,
    },
    q.idle_timeout_pool: {"arrival_rate_per_s": 0.5, "idle_timeout_s": 2.0},
    q.processor_sharing_mean_response_time: {
        "arrival_rate_per_s": 0.5,
        "mean_service_time_s": 1.0,
        "slowdown": 1.0,
    },
    q.limited_processor_sharing: {
        "concurrency_limit": 2,
        "arrival_rate_per_s": 0.5,
        "mean_service_time_s": 1.0,
        "slowdown": 1.0,
    },
    q.availability: {"mean_lifetime_s": 10.0, "mean_setup_time_s": 5.0},
    q.mean_completion_time: {
        "service_time_s": 1.0,
        "mean_lifetime_s": 10.0,
        "mean_setup_time_s": 5.0,
    },
    q.md1_breakdowns_mean_response_time: {
        "arrival_rate_per_s": 0.1,
        "service_time_s": 1.0,
        "mean_lifetime_s": 10.0,
        "mean_setup_time_s": 5.0,
    },
    q.exponential_mean_billed_time: {"mean_time_s": 1.0, "increment_s": 1.0},
    q.break_even_utilization: {
        "always_on_usd_per_hour": 1.0,
        "alive_usd_per_s": 0.001,
    },
    q.break_even_arrival_rate: {
        "always_on_usd_per_hour": 1.0,
        "alive_usd_per_s": 0.001,
        "mean_service_time_s": 1.0,
        "mean_setup_time_s": 5.0,
        "idle_timeout_s": 2.0,
    },
    q.periodic_break_even_rate: {
        "always_on_usd_per_hour": 1.0,
        "alive_usd_per_s": 0.001,
        "service_time_s": 1.0,
        "setup_time_s": 5.0,
        "idle_timeout_s": 2.0,
    },
}

ARGUMENTS = [
    pytest.param(function, argument, id=f"{function.__name__}-{argument}")
    for function, arguments in VALID.items()
    for argument in arguments
]


@pytest.mark.parametrize("value", [-1, math.nan])
@pytest.mark.parametrize(("function", "argument"), ARGUMENTS)
def test_invalid_argument_is_refused_by_name(function, argument, value):
    arguments = {**VALID[function], argument: value}

    with pytest.raises(ValueError, match=rf"^{argument} must be .* got {value}$"):
        function(**arguments)


@pytest.mark.parametrize(
    ("function", "argument", "value"),
    [
        (q.erlang_b, "servers", 0),
        (q.erlang_b, "servers", 2.0),
        (q.erlang_b, "offered_load", math.inf),
        (q.mmck, "capacity", 1),
        (q.mmc_mean_waiting_time, "mean_service_time_s", 0),
        (q.mmc_waiting_time_quantile, "probability", 0),
        (q.mmc_response_time_quantile, "probability", 1),
        (q.mg1_setup, "arrival_rate_per_s", 0),
        (q.mg1_setup, "mean_setup_time_s", math.inf),
        (q.mg1_setup, "timeout_distribution", "weibull"),
        (q.idle_timeout_pool, "arrival_rate_per_s", 0),
        (q.processor_sharing_mean_response_time, "slowdown", math.inf),
        (q.limited_processor_sharing, "concurrency_limit", 0),
        (q.availability, "mean_lifetime_s", 0),
        (q.mean_completion_time, "mean_lifetime_s", 0),
        (q.md1_breakdowns_mean_response_time, "service_time_s", 0),
        (q.exponential_mean_billed_time, "increment_s", 0),
        (q.break_even_utilization, "alive_usd_per_s", 0),
        (q.periodic_break_even_rate, "idle_timeout_s", math.inf),
    ],
)
def test_value_at_the_edge_is_refused_by_name(function, argument, value):
    arguments = {**VALID[function], argument: value}

    with pytest.raises(ValueError, match=f"^{argument} must be"):
        function(**arguments)


@pytest.mark.parametrize("excess", [1.0, 1.5])
@pytest.mark.parametrize(
    ("function", "servers", "argument"),
    [
        (q.erlang_c, 2, "offered_load"),
        (q.mmc_mean_waiting_time, 2, "arrival_rate_per_s"),
        (q.mmc_waiting_time_quantile, 2, "arrival_rate_per_s"),
        (q.mmc_response_time_cdf, 2, "arrival_rate_per_s"),
        (q.mmc_response_time_quantile, 2, "arrival_rate_per_s"),
        (q.mg1_mean_waiting_time, 1, "arrival_rate_per_s"),
        (q.mg1_setup, 1, "arrival_rate_per_s"),
        (q.mm1_setup_response_time_quantile, 1, "mean_service_time_s"),
        (q.processor_sharing_mean_response_time, 1, "arrival_rate_per_s"),
        (q.limited_processor_sharing, 1, "arrival_rate_per_s"),
    ],
)
def test_load_without_a_steady_state_is_refused(function, servers, argument, excess):
    load = servers * excess
    per_unit = VALID[function].get("arrival_rate_per_s", 1.0)
    value = load / per_unit if argument == "mean_service_time_s" else load

    with pytest.raises(UnstableQueueError) as raised:
        function(**{**VALID[function], argument: value})

    assert (raised.value.offered_load, raised.value.servers) == (load, servers)


def test_loss_formulas_accept_any_load():
    assert 0.9 < q.erlang_b(2, 100.0) < 1
    assert 0.9 < q.mmck(2, 5, 100.0, 1.0).loss_probability < 1


def test_import_is_light():
    program = (
        "import sys, costsim.queueing;"
        "print(*{'numpy', 'numba', 'scipy', 'pandas', 'pydantic'} & set(sys.modules))"
    )

    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert finished.stdout.strip() == ""
