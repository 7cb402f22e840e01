"""Arrival processes against their theory, at fixed seeds.

Intervals are 99.9 % ones: a few dozen tests with honest intervals rarely fail, and a
wrong process fails them by far.
"""

import numpy as np
import pytest
from scipy import stats
from traffic_scenario import first_rate, mmpp, read_all, scenario_with, stream_of
from whole_traffic import generate

from costsim.scenario.processes import MmppState
from costsim.traffic import arrivals, modulation
from costsim.traffic.rates import RateFunction
from costsim.traffic.streams import stream_rng

HOUR = 3600.0
DAY = 86400.0
N_SECTIONS = 20
T_QUANTILE = stats.t.ppf(0.9995, N_SECTIONS - 1)
DAYTIME = [0.0] * 6 + [1.0, 2.0, 4.0, 6.0, 8.0, 8.0] + [5.0] * 6 + [3.0, 2.0, 1.0] * 2


def constant(rate_per_s, horizon_s):
    return RateFunction(
        np.array([0.0, horizon_s]), np.array([0.0, rate_per_s * horizon_s])
    )


def rng(index, purpose="arrivals"):
    return stream_rng(2026, 0, purpose, index)


def assert_sections_agree(values, theory):
    """Check that theory lies in the interval of N_SECTIONS nearly independent values."""
    half_width = T_QUANTILE * np.std(values, ddof=1) / np.sqrt(len(values))
    assert np.mean(values) == pytest.approx(theory, abs=half_width)
    assert half_width < 0.25 * theory


def dispersion_by_section(arrival_s, window_s, horizon_s):
    """Return variance / mean of the counts in windows, for each section of the time."""
    n_windows = int(horizon_s / window_s)
    counts, _ = np.histogram(arrival_s, n_windows, (0, n_windows * window_s))
    sections = counts[: n_windows // N_SECTIONS * N_SECTIONS].reshape(N_SECTIONS, -1)
    return sections.var(axis=1, ddof=1) / sections.mean()


def gamma_equilibrium_cdf(shape):
    """Return the law of the time from a random moment to the next arrival.

    With unit mean gaps, F_e(x) = x (1 - F_k(x)) + F_{k+1}(x), both of scale 1 / k.
    """

    def cdf(x):
        gap = stats.gamma(shape, scale=1 / shape)
        longer_gap = stats.gamma(shape + 1, scale=1 / shape)
        return x * gap.sf(x) + longer_gap.cdf(x)

    return cdf


def test_poisson_gaps_are_exponential():
    arrival_s = read_all(arrivals.poisson(constant(0.5, 60_000.0), rng(1)))

    assert stats.kstest(np.diff(arrival_s), stats.expon(scale=2).cdf).pvalue > 1e-3


def test_poisson_counts_are_poisson():
    arrival_s = read_all(arrivals.poisson(constant(3.0, 20_000.0), rng(2)))

    counts, _ = np.histogram(arrival_s, 20_000, (0, 20_000))
    observed = np.bincount(counts, minlength=11)
    observed = np.append(observed[:10], observed[10:].sum())
    expected = np.append(stats.poisson(3).pmf(range(10)), stats.poisson(3).sf(9))
    assert stats.chisquare(observed, 20_000 * expected).pvalue > 1e-3


def test_the_number_of_poisson_arrivals_is_poisson():
    numbers = [
        len(read_all(arrivals.poisson(constant(2.0, 50.0), rng(i))))
        for i in range(2000)
    ]

    assert np.mean(numbers) == pytest.approx(100, abs=3.3 * 10 / np.sqrt(2000))
    assert np.var(numbers) == pytest.approx(100, rel=3.3 * np.sqrt(2 / 2000))


def test_poisson_arrivals_are_uniform_given_their_number():
    arrival_s = read_all(arrivals.poisson(constant(2.0, 10_000.0), rng(3)))

    assert stats.kstest(arrival_s, stats.uniform(0, 10_000).cdf).pvalue > 1e-3


@pytest.mark.parametrize("shape", [0.25, 0.8, 4.0])
def test_gamma_gaps_are_gamma(shape):
    arrival_s = read_all(arrivals.gamma(constant(0.5, 40_000.0), shape, rng(10)))

    law = stats.gamma(shape, scale=2 / shape)
    assert stats.kstest(np.diff(arrival_s), law.cdf).pvalue > 1e-3


@pytest.mark.parametrize("shape", [0.25, 4.0])
def test_a_gamma_process_begins_in_equilibrium(shape):
    firsts = [
        read_all(arrivals.gamma(constant(1.0, 500.0), shape, rng(i)))[0]
        for i in range(3000)
    ]

    assert stats.kstest(firsts, gamma_equilibrium_cdf(shape)).pvalue > 1e-3


@pytest.mark.parametrize("shape", [0.25, 4.0])
def test_the_mean_rate_of_a_gamma_process_holds_at_once(shape):
    # From an arrival on, the first second would have 1.9 or 0.6 instead of 1.
    numbers = [
        len(read_all(arrivals.gamma(constant(1.0, 1.0), shape, rng(i))))
        for i in range(6000)
    ]

    standard_error = np.std(numbers) / np.sqrt(len(numbers))
    assert np.mean(numbers) == pytest.approx(1.0, abs=3.3 * standard_error)


@pytest.mark.parametrize("shape", [0.5, 1.0, 2.0, 4.0])
def test_the_dispersion_of_a_gamma_process_tends_to_its_squared_variation(shape):
    horizon_s = 400_000.0
    arrival_s = read_all(arrivals.gamma(constant(1.0, horizon_s), shape, rng(11)))

    # A renewal process has variance t c^2 + (1 - c^4) / 6 + ... of its counts, with
    # c^2 = 1/k and a term of the third moment that vanishes against t = 200.
    assert_sections_agree(dispersion_by_section(arrival_s, 200.0, horizon_s), 1 / shape)


def test_gamma_with_shape_one_is_poisson():
    arrival_s = read_all(arrivals.gamma(constant(0.5, 60_000.0), 1.0, rng(12)))

    assert stats.kstest(np.diff(arrival_s), stats.expon(scale=2).cdf).pvalue > 1e-3


def states_of(*pairs):
    return [
        MmppState.model_validate({"rate": f"{rate}/s", "mean_sojourn": f"{sojourn}s"})
        for rate, sojourn in pairs
    ]


CALM_AND_BURST = states_of((1.0, 20.0), (10.0, 5.0))


def mmpp2_dispersion(calm, burst, t):
    """Return the index of dispersion of counts over t of a stationary MMPP(2).

    Fischer, W. and Meier-Hellstern, K. (1993). The Markov-modulated Poisson process
    (MMPP) cookbook. Performance Evaluation 18, 149-171.
    """
    (rate1, sojourn1), (rate2, sojourn2) = calm, burst
    out1, out2 = 1 / sojourn1, 1 / sojourn2
    total = out1 + out2
    limit = 2 * out1 * out2 * (rate1 - rate2) ** 2
    limit /= total**2 * (rate1 * out2 + rate2 * out1)
    return 1 + limit * (1 - (1 - np.exp(-total * t)) / (total * t))


@pytest.mark.parametrize("window_s", [1.0, 10.0, 100.0])
def test_the_dispersion_of_an_mmpp_is_that_of_theory(window_s):
    horizon_s = 400_000.0
    arrival_s = read_all(
        mmpp(constant(4.0, horizon_s), CALM_AND_BURST, rng(20), rng(20, "modulation"))
    )

    # The mean factor is 2.8, so a rate of 4 makes the states 1/0.7 and 10/0.7.
    theory = mmpp2_dispersion((1 / 0.7, 20.0), (10 / 0.7, 5.0), window_s)
    assert_sections_agree(dispersion_by_section(arrival_s, window_s, horizon_s), theory)


@pytest.mark.parametrize(
    "states",
    [
        CALM_AND_BURST,
        states_of((0.0, 30.0), (5.0, 10.0)),
        states_of((1.0, 20.0), (3.0, 5.0), (30.0, 2.0), (0.0, 9.0)),
    ],
    ids=["two", "on-off", "four"],
)
def test_the_rate_of_the_stream_is_the_long_run_mean_of_an_mmpp(states):
    horizon_s = 400_000.0
    arrival_s = read_all(
        mmpp(constant(4.0, horizon_s), states, rng(21), rng(21, "modulation"))
    )

    counts, _ = np.histogram(arrival_s, N_SECTIONS, (0, horizon_s))
    assert_sections_agree(counts / (horizon_s / N_SECTIONS), 4.0)


def test_an_mmpp_begins_in_its_stationary_distribution():
    numbers = [
        len(
            read_all(
                mmpp(constant(4.0, 1.0), CALM_AND_BURST, rng(i), rng(i, "modulation"))
            )
        )
        for i in range(4000)
    ]

    standard_error = np.std(numbers) / np.sqrt(len(numbers))
    assert np.mean(numbers) == pytest.approx(4.0, abs=3.3 * standard_error)
    # Begun always in the calm state, the mean would be near 1.4 + a bit.
    assert standard_error < 0.1


def visits(sojourn_s, horizon_s, state_rng):
    """Return until when each visit lasts, and the states."""
    pieces = modulation.visits(sojourn_s, horizon_s, state_rng)
    return map(np.concatenate, zip(*pieces, strict=True))


def test_each_other_state_follows_equally_often():
    sojourn_s = np.array([1.0, 2.0, 3.0, 4.0])

    _, visited = visits(sojourn_s, 50_000.0, rng(22))

    pairs, counts = np.unique(
        np.stack([visited[:-1], visited[1:]]), axis=1, return_counts=True
    )
    assert pairs.shape[1] == 12
    assert stats.chisquare(counts).pvalue > 1e-3


def test_sojourns_are_exponential_with_their_means():
    sojourn_s = np.array([2.0, 7.0, 1.0])

    until_s, visited = visits(sojourn_s, 50_000.0, rng(23))

    stays = np.diff(until_s[:-1])
    in_second = stays[visited[1:-1] == 1]
    assert stats.kstest(in_second, stats.expon(scale=7).cdf).pvalue > 1e-3


def hours_of(arrivals_s):
    return np.bincount((arrivals_s // HOUR).astype(int) % 24, minlength=24)


@pytest.mark.parametrize(
    ("process", "dispersion"),
    [
        ({"process": "poisson"}, 1.0),
        ({"process": "gamma", "burstiness": 0.5}, 2.0),
        ({"process": "gamma", "cv": 0.5}, 0.25),
    ],
    ids=["poisson", "bursty", "regular"],
)
def test_the_hours_of_the_day_keep_their_shares(process, dispersion):
    traffic = stream_of("0.3/s", seasonal={"hour_of_day": DAYTIME}, arrivals=process)

    observed = hours_of(generate(scenario_with(traffic, horizon="7d"), 0).arrival_s)

    expected = 0.3 * 7 * DAY * np.array(DAYTIME) / np.sum(DAYTIME)
    busy = expected > 0
    # Counts of an hour have the variance dispersion x mean, and are independent here:
    # their number is not given.
    statistic = np.sum((observed[busy] - expected[busy]) ** 2 / expected[busy])
    assert stats.chi2(busy.sum()).sf(statistic / dispersion) > 1e-3
    assert observed[~busy].sum() == 0


def test_the_days_of_the_week_keep_their_shares():
    weights = [1.0, 2.0, 3.0, 4.0, 3.0, 0.0, 1.0]
    traffic = stream_of("0.2/s", seasonal={"day_of_week": weights})

    arrival_s = generate(scenario_with(traffic, horizon="7d"), 0).arrival_s

    observed = np.bincount((arrival_s // DAY).astype(int), minlength=7)
    expected = 0.2 * 7 * DAY * np.array(weights) / 14
    assert observed[5] == 0
    busy = expected > 0
    statistic = np.sum((observed[busy] - expected[busy]) ** 2 / expected[busy])
    assert stats.chi2(6).sf(statistic) > 1e-3


def test_an_mmpp_keeps_the_hours_of_the_day():
    states = [
        {"rate": "1/s", "mean_sojourn": "20s"},
        {"rate": "10/s", "mean_sojourn": "5s"},
    ]
    traffic = stream_of(
        "0.3/s",
        seasonal={"hour_of_day": DAYTIME},
        arrivals={"process": "mmpp", "states": states},
    )

    observed = hours_of(generate(scenario_with(traffic, horizon="28d"), 0).arrival_s)

    shares = np.array(DAYTIME) / np.sum(DAYTIME)
    assert observed[shares == 0].sum() == 0
    np.testing.assert_allclose(observed / observed.sum(), shares, atol=0.01)


def test_arrivals_in_a_spike_follow_its_shape():
    traffic = stream_of("1/s")
    traffic["spikes"] = [{"shape": "viral", "at": "1h", "magnitude": 60}]
    scenario = scenario_with(traffic, horizon="3h")
    rate = first_rate(scenario, scenario.start, 3 * HOUR)

    arrival_s = np.concatenate([generate(scenario, i).arrival_s for i in range(20)])

    operational = np.interp(arrival_s, rate.edges_s, rate.expected)
    assert stats.kstest(operational / rate.total, "uniform").pvalue > 1e-3


def test_growth_shows_in_the_counts():
    month_s = 730 * HOUR
    traffic = stream_of("0.01/s", trend={"growth_per_month": 1.0})

    arrival_s = generate(scenario_with(traffic, horizon="1460h"), 0).arrival_s

    first, second = np.histogram(arrival_s, 2, (0, 2 * month_s))[0]
    share = first / (first + second)
    assert share == pytest.approx(1 / 3, abs=3.3 * np.sqrt(2 / 9 / len(arrival_s)))


def test_the_mean_rate_of_many_replications_is_the_rate():
    traffic = stream_of("0.02/s", arrivals={"process": "gamma", "cv": 2.0})
    scenario = scenario_with(traffic, horizon="5000s")

    rates = [generate(scenario, i).mean_rate_per_s for i in range(1000)]

    standard_error = np.std(rates) / np.sqrt(1000)
    assert np.mean(rates) == pytest.approx(0.02, abs=3.3 * standard_error)
