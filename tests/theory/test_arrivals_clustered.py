"""Weibull, sessions, Hawkes, on-off and noise against their theory, at fixed seeds.

Intervals are 99.9 % ones, as in ``test_arrivals.py``.
"""

import math

import numpy as np
import pytest
from scipy import integrate, stats
from traffic_scenario import filled, first_rate, read_all, scenario_with, stream_of
from whole_traffic import generate

from costsim.scenario.distributions import Pareto, Weibull
from costsim.scenario.processes import Hawkes, OnOff, Sessions
from costsim.scenario.rates import Noise
from costsim.traffic import arrivals, clusters, laws, modulation, sizes
from costsim.traffic.rates import RateFunction
from costsim.traffic.streams import stream_rng

N_SECTIONS = 20
T_QUANTILE = stats.t.ppf(0.9995, N_SECTIONS - 1)
DAYTIME = [0.0] * 6 + [1.0, 2.0, 4.0, 6.0, 8.0, 8.0] + [5.0] * 6 + [3.0, 2.0, 1.0] * 2
THINK = {"distribution": "lognormal", "median": "3s", "sigma": 1.0}


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


def dispersion_by_section(arrival_s, window_s, horizon_s, mean):
    """Return variance / mean of the counts in windows, about the mean that is known."""
    n_windows = int(horizon_s / window_s)
    counts, _ = np.histogram(arrival_s, n_windows, (0, n_windows * window_s))
    sections = counts[: n_windows // N_SECTIONS * N_SECTIONS].reshape(N_SECTIONS, -1)
    return ((sections - mean) ** 2).mean(axis=1) / mean


def assert_mean(numbers, theory):
    """Check a mean of many independent numbers."""
    standard_error = np.std(numbers) / np.sqrt(len(numbers))
    assert np.mean(numbers) == pytest.approx(theory, abs=3.3 * standard_error)
    assert standard_error < 0.1 * theory


def sessions_of(size, think=THINK):
    return Sessions.model_validate(
        {"process": "sessions", "requests_per_session": size, "think_time": think}
    )


def hawkes_of(branching, decay_time="5s"):
    return Hawkes.model_validate(
        {"process": "hawkes", "branching": branching, "decay_time": decay_time}
    )


def on_off_of(on_time, off_time, off_share=0.0):
    return OnOff.model_validate(
        {
            "process": "onoff",
            "on_time": on_time,
            "off_time": off_time,
            "off_share": off_share,
        }
    )


SESSIONS = {
    "geometric": sessions_of(4.0),
    "lognormal": sessions_of(
        {"distribution": "lognormal", "median": 2.7, "sigma": 0.9}
    ),
    "empirical": sessions_of(
        {"distribution": "empirical", "values": [1, 2, 12], "weights": [5, 3, 2]},
        {"distribution": "gamma", "mean": "5s", "shape": 0.5},
    ),
    "cut": sessions_of(4.0, {**THINK, "max": "6s"}),
    "pareto": sessions_of(
        3.0, {"distribution": "pareto", "minimum": "2s", "alpha": 2.5}
    ),
}
ON_OFF = on_off_of(
    {"distribution": "gamma", "mean": "4s", "shape": 2.0},
    {"distribution": "lognormal", "mean": "12s", "sigma": 0.8},
    0.1,
)
MAKERS = {
    **{
        f"sessions-{name}": lambda rate, i, one=one: clusters.sessions(
            rate, one, rng(i), rng(i, "sessions")
        )
        for name, one in SESSIONS.items()
    },
    "hawkes": lambda rate, i: clusters.hawkes(rate, hawkes_of(0.7), rng(i)),
    "weibull": lambda rate, i: arrivals.weibull(rate, 0.45, rng(i)),
    "onoff": lambda rate, i: on_off(rate, ON_OFF, i),
}


def on_off(rate, process, i):
    steps = modulation.on_off_steps(process, rate.horizon_s, rng(i, "modulation"))
    return arrivals.poisson(rate.modulated(steps), rng(i))


def noisy(rate, noises, i):
    rngs = rng(i, "noise").spawn(len(noises))
    steps = modulation.noise_steps(noises, rate.horizon_s, rngs)
    return arrivals.poisson(rate.modulated(steps), rng(i))


# ---- laws


@pytest.mark.parametrize(
    ("law", "theory"),
    [
        (
            Weibull[float](distribution="weibull", shape=0.45, scale=3.0),
            stats.weibull_min(0.45, scale=3),
        ),
        (
            Weibull[float](distribution="weibull", shape=2.5, mean=3.0),
            stats.weibull_min(2.5, scale=3 / math.gamma(1.4)),
        ),
        (
            Pareto[float](distribution="pareto", minimum=2.0, alpha=1.5),
            stats.pareto(1.5, scale=2),
        ),
    ],
    ids=["heavy", "regular", "pareto"],
)
class TestLaws:
    def test_samples_follow_the_law(self, law, theory):
        sample = filled(laws.sampler(law, rng(1)), 20_000)

        assert stats.kstest(sample, theory.cdf).pvalue > 1e-3

    def test_quantiles_are_those_of_the_law(self, law, theory):
        u = np.array([1e-9, 0.01, 0.5, 0.99, 1 - 1e-9])

        np.testing.assert_allclose(laws.quantile(law, u), theory.ppf(u), rtol=1e-7)

    def test_the_mean_is_that_of_the_law(self, law, theory):
        assert laws.mean_of(law) == pytest.approx(theory.mean())


def think_time(**keys):
    return sessions_of(2, keys).think_time


RESIDUAL_LAWS = {
    "constant": (think_time(distribution="constant", value="3s"), None),
    "exponential": (
        think_time(distribution="exponential", mean="3s"),
        stats.expon(scale=3),
    ),
    "lognormal": (think_time(**THINK), stats.lognorm(1.0, scale=3)),
    "cut": (think_time(**THINK, max="6s"), stats.lognorm(1.0, scale=3)),
    "gamma": (
        think_time(distribution="gamma", mean="3s", shape=0.5),
        stats.gamma(0.5, scale=6),
    ),
    "weibull": (
        think_time(distribution="weibull", scale="3s", shape=0.6),
        stats.weibull_min(0.6, scale=3),
    ),
    "pareto": (
        think_time(distribution="pareto", minimum="3s", alpha=2.5),
        stats.pareto(2.5, scale=3),
    ),
}


@pytest.mark.parametrize("name", RESIDUAL_LAWS)
def test_residuals_follow_the_equilibrium_law(name):
    law, theory = RESIDUAL_LAWS[name]
    theory = theory or stats.uniform(3.0, 1e-9)
    most = getattr(law, "max", None) or np.inf
    mass = theory.cdf(most)
    grid = np.concatenate([[0.0], np.geomspace(1e-6, min(most, 1e6), 40_000)])
    survival = np.maximum(1.0 - theory.cdf(grid) / mass, 0.0)
    area = integrate.cumulative_trapezoid(survival, grid, initial=0.0)

    sample = laws.residuals(law, 5000, rng(2))

    found = stats.kstest(sample, lambda x: np.interp(x, grid, area / area[-1]))
    assert found.pvalue > 1e-3


def test_a_think_time_that_is_cut_follows_the_law_below_its_end():
    law = think_time(**THINK, max="6s")
    theory = stats.lognorm(1.0, scale=3)

    sample = filled(laws.sampler(law, rng(3)), 20_000)

    cdf = lambda x: theory.cdf(x) / theory.cdf(6)  # noqa: E731
    assert stats.kstest(sample, cdf).pvalue > 1e-3
    assert sample.max() <= 6
    partial_mean = theory.expect(lambda x: x, ub=6) / theory.cdf(6)
    assert laws.mean_of(law) == pytest.approx(partial_mean, rel=1e-6)


@pytest.mark.parametrize("cv", [0.3, 1.0, 2.5, 10.0])
def test_a_weibull_shape_has_the_variation_it_is_made_for(cv):
    law = stats.weibull_min(laws.weibull_shape(cv))

    assert law.std() / law.mean() == pytest.approx(cv, rel=1e-6)


@pytest.mark.parametrize("name", ["geometric", "lognormal", "empirical"])
def test_session_sizes_have_their_law(name):
    law = SESSIONS[name].requests_per_session
    theory = {
        "geometric": stats.geom(0.25).cdf,
        "lognormal": lambda k: stats.lognorm(0.9, scale=2.7).cdf(k),
        "empirical": lambda k: np.interp(k, [1, 2, 11, 12], [0.5, 0.8, 0.8, 1.0]),
    }[name]

    sample = sizes.sizes(law, rng(4))(20_000)

    edges = np.array([1, 2, 5, 11, 10**6])
    expected = np.diff([0.0, *theory(edges)])
    observed = np.histogram(sample, [0.5, *(edges + 0.5)])[0]
    used = expected > 0
    statistic = (
        (observed - 20_000 * expected)[used] ** 2 / (20_000 * expected[used])
    ).sum()
    assert stats.chi2(used.sum() - 1).sf(statistic) > 1e-3
    assert observed[~used].sum() == 0
    assert_mean(sample, sizes.mean_size(law))


@pytest.mark.parametrize(("median", "sigma"), [(2.7, 0.92), (300.0, 2.0), (5.5, 0.0)])
def test_the_mean_of_rounded_sizes_is_the_sum_of_their_tail(median, sigma):
    law = sessions_of(
        {"distribution": "lognormal", "median": median, "sigma": sigma}
    ).requests_per_session
    r = np.arange(1, 1_000_000)
    theory = stats.lognorm(max(sigma, 1e-9), scale=median).sf(r).sum() + 1

    assert sizes.mean_size(law) == pytest.approx(theory, rel=1e-9)


@pytest.mark.parametrize("name", ["geometric", "lognormal", "empirical"])
def test_what_is_left_of_sessions_has_the_law_of_a_random_moment(name):
    law = SESSIONS[name].requests_per_session
    size = sizes.sizes(law, rng(5))(400_000)
    theory = np.array([(size > r).mean() for r in (1, 2, 3)]) / (size - 1.0).mean()

    left = sizes.remaining(law, 40_000, rng(6))

    observed = [(left == r).mean() for r in (1, 2, 3)]
    np.testing.assert_allclose(observed, theory, atol=0.011)
    assert left.min() == 1


# ---- rates


@pytest.mark.parametrize("name", MAKERS)
def test_the_rate_of_the_stream_is_the_long_run_mean(name):
    horizon_s = 100_000.0
    arrival_s = read_all(MAKERS[name](constant(4.0, horizon_s), 30))

    counts, _ = np.histogram(arrival_s, N_SECTIONS, (0, horizon_s))
    assert_sections_agree(counts / (horizon_s / N_SECTIONS), 4.0)


@pytest.mark.parametrize("name", MAKERS)
def test_the_rate_holds_from_the_first_second_on(name):
    numbers = [len(read_all(MAKERS[name](constant(4.0, 1.0), i))) for i in range(3000)]

    assert_mean(numbers, 4.0)


@pytest.mark.parametrize("name", MAKERS)
def test_every_process_keeps_the_hours_of_the_day(name):
    process = {
        "hawkes": {"process": "hawkes", "branching": 0.7, "decay_time": "5s"},
        "weibull": {"process": "weibull", "shape": 0.45},
        "onoff": ON_OFF.model_dump(mode="json"),
    }.get(name) or SESSIONS[name.partition("-")[2]].model_dump(mode="json")
    traffic = stream_of("0.3/s", seasonal={"hour_of_day": DAYTIME}, arrivals=process)

    arrival_s = generate(scenario_with(traffic, horizon="28d"), 0).arrival_s

    observed = np.bincount((arrival_s // 3600).astype(int) % 24, minlength=24)
    shares = np.array(DAYTIME) / np.sum(DAYTIME)
    np.testing.assert_allclose(observed / observed.sum(), shares, atol=0.01)


# ---- Weibull


@pytest.mark.parametrize("shape", [0.45, 2.0])
def test_weibull_gaps_are_weibull_in_operational_time(shape):
    traffic = stream_of(
        "0.3/s",
        seasonal={"hour_of_day": DAYTIME},
        arrivals={"process": "weibull", "shape": shape},
    )
    scenario = scenario_with(traffic, horizon="2d")
    rate = first_rate(scenario, scenario.start, scenario.horizon)

    arrival_s = generate(scenario, 0).arrival_s

    gaps = np.diff(np.interp(arrival_s, rate.edges_s, rate.expected))
    law = stats.weibull_min(shape, scale=1 / math.gamma(1 + 1 / shape))
    assert stats.kstest(gaps, law.cdf).pvalue > 1e-3


def test_a_weibull_process_begins_in_equilibrium():
    firsts = [
        read_all(arrivals.weibull(constant(1.0, 3000.0), 0.5, rng(i)))[0]
        for i in range(3000)
    ]

    # Of shape 1/2 and mean 1: P(X > x) = exp(-sqrt(2 x)), which integrates to this.
    def cdf(x):
        root = np.sqrt(2 * x)
        return 1 - (1 + root) * np.exp(-root)

    assert stats.kstest(firsts, cdf).pvalue > 1e-3


# ---- sessions


def test_requests_of_a_session_are_apart_by_think_times():
    process = sessions_of(
        50.0, {"distribution": "weibull", "scale": "3s", "shape": 0.7}
    )

    # So rare that sessions hardly ever overlap.
    arrival_s = read_all(
        clusters.sessions(constant(1e-5, 2e9), process, rng(40), rng(40, "sessions"))
    )

    gaps = np.diff(arrival_s)
    within = gaps[gaps < 1000]
    law = stats.weibull_min(0.7, scale=3)
    assert stats.kstest(within[:8000], law.cdf).pvalue > 1e-3
    assert len(arrival_s) / (len(gaps) - len(within) + 1) == pytest.approx(50, rel=0.15)


@pytest.mark.parametrize("window_s", [1.0, 10.0, 60.0])
def test_the_dispersion_of_sessions_is_that_of_a_cluster_process(window_s):
    # Geometric sizes and exponential gaps: a pair k apart is met with p^k, which makes
    # the pairs of an arrival an exponential density of rate (1 - p) / gap after it.
    mean, gap_s, horizon_s = 4.0, 5.0, 200_000.0
    process = sessions_of(mean, {"distribution": "exponential", "mean": "5s"})
    arrival_s = read_all(
        clusters.sessions(
            constant(4.0, horizon_s), process, rng(41), rng(41, "sessions")
        )
    )

    theory = 1 + 2 * excess_pairs(mean - 1, 1 / (mean * gap_s), window_s)
    values = dispersion_by_section(arrival_s, window_s, horizon_s, 4.0 * window_s)
    assert_sections_agree(values, theory)


def excess_pairs(total, decay_per_s, window_s):
    """Return the integral of (1 - u / window) total decay e^(-decay u) over a window."""
    x = decay_per_s * window_s
    return total * (1 - (1 - np.exp(-x)) / x)


# ---- Hawkes


@pytest.mark.parametrize("window_s", [1.0, 10.0, 100.0])
@pytest.mark.parametrize("branching", [0.4, 0.8])
def test_the_dispersion_of_a_hawkes_process_is_that_of_theory(branching, window_s):
    horizon_s = 200_000.0
    arrival_s = read_all(
        clusters.hawkes(constant(4.0, horizon_s), hawkes_of(branching), rng(42))
    )

    # Hawkes (1971): the covariance density is rate x n b (2 - n) / (2 (1 - n)) e^(-b(1-n)u).
    n, decay = branching, 0.2
    total = n * (2 - n) / (2 * (1 - n) ** 2)
    theory = 1 + 2 * excess_pairs(total, decay * (1 - n), window_s)
    values = dispersion_by_section(arrival_s, window_s, horizon_s, 4.0 * window_s)
    assert_sections_agree(values, theory)


def test_the_dispersion_of_a_hawkes_process_tends_to_the_square_of_its_cluster_size():
    horizon_s = 400_000.0
    arrival_s = read_all(
        clusters.hawkes(constant(4.0, horizon_s), hawkes_of(0.5), rng(43))
    )

    values = dispersion_by_section(arrival_s, 1000.0, horizon_s, 4000.0)
    assert_sections_agree(values, 1 / (1 - 0.5) ** 2)


def test_a_hawkes_process_is_as_dispersed_in_its_first_seconds_as_later():
    n, decay = 0.8, 0.2
    numbers = [
        len(read_all(clusters.hawkes(constant(4.0, 10.0), hawkes_of(n), rng(i))))
        for i in range(3000)
    ]

    total = n * (2 - n) / (2 * (1 - n) ** 2)
    theory = 40 * (1 + 2 * excess_pairs(total, decay * (1 - n), 10.0))
    assert np.var(numbers) == pytest.approx(theory, rel=0.15)


def test_counts_of_a_hawkes_process_are_correlated_as_theory_says():
    horizon_s, n, decay = 400_000.0, 0.6, 0.2
    arrival_s = read_all(
        clusters.hawkes(constant(4.0, horizon_s), hawkes_of(n), rng(44))
    )
    counts, _ = np.histogram(arrival_s, 400_000, (0, horizon_s))

    fall = decay * (1 - n)
    pairs = 4.0 * n * decay * (2 - n) / (2 * (1 - n))
    for_lag = pairs * ((1 - np.exp(-fall)) / fall) ** 2 * np.exp(-fall * 4)
    sections = (counts - 4.0).reshape(N_SECTIONS, -1)
    found = (sections[:, :-5] * sections[:, 5:]).mean(axis=1)
    assert_sections_agree(found, for_lag)


def test_without_branching_a_hawkes_process_is_poisson():
    arrival_s = read_all(
        clusters.hawkes(constant(0.5, 60_000.0), hawkes_of(0.0), rng(45))
    )

    assert stats.kstest(np.diff(arrival_s), stats.expon(scale=2).cdf).pvalue > 1e-3


# ---- on and off


def test_on_and_off_with_exponential_times_are_an_interrupted_poisson_process():
    horizon_s, rate, on_s, off_s = 400_000.0, 4.0, 5.0, 15.0
    process = on_off_of(
        {"distribution": "exponential", "mean": "5s"},
        {"distribution": "exponential", "mean": "15s"},
    )
    arrival_s = read_all(on_off(constant(rate, horizon_s), process, 46))

    # While on the rate is 16/s; its covariance is rate^2 (1 - p) / p e^-(1/on + 1/off) u.
    total = 1 / on_s + 1 / off_s
    pairs = rate * 3.0 / total
    theory = 1 + 2 * excess_pairs(pairs, total, 10.0)
    values = dispersion_by_section(arrival_s, 10.0, horizon_s, 40.0)
    assert_sections_agree(values, theory)


def test_the_dispersion_of_on_and_off_tends_to_that_of_a_renewal_reward_process():
    horizon_s = 1_000_000.0
    arrival_s = read_all(on_off(constant(4.0, horizon_s), ON_OFF, 47))

    # Per cycle of on A and off B the excess over the mean rate is (r1 - 4) A + (r0 - 4) B.
    on_share = 0.25
    on = 4.0 / (on_share + 0.1 * (1 - on_share))
    spread = (on - 4.0) ** 2 * 4.0**2 / 2 + (0.1 * on - 4.0) ** 2 * 12.0**2 * (
        math.exp(0.64) - 1
    )
    theory = 1 + spread / 16.0 / 4.0
    values = dispersion_by_section(arrival_s, 1000.0, horizon_s, 4000.0)
    assert_sections_agree(values, theory)


def test_times_on_and_off_have_their_laws():
    pieces = modulation.on_off_steps(ON_OFF, 200_000.0, rng(48, "modulation"))
    until_s, factors = map(np.concatenate, zip(*pieces, strict=True))

    stays, factor = np.diff(until_s)[:-1], factors[1:-1]
    on = stays[factor > 1]
    assert stats.kstest(on, stats.gamma(2, scale=2).cdf).pvalue > 1e-3
    off = stays[factor < 1]
    law = stats.lognorm(0.8, scale=12 / math.exp(0.32))
    assert stats.kstest(off, law.cdf).pvalue > 1e-3
    assert len(on) + len(off) == len(stays)


def test_the_first_time_on_is_what_is_left_of_one_at_a_random_moment():
    begun = [
        next(modulation.on_off_steps(ON_OFF, 1e6, rng(i, "modulation")))
        for i in range(4000)
    ]

    on_s = [float(until_s[0]) for until_s, factor in begun if factor[0] > 1]
    assert len(on_s) == pytest.approx(1000, abs=3.3 * math.sqrt(750))

    # Of two exponential phases one or both are left.
    def cdf(x):
        return 0.5 * (stats.expon(scale=2).cdf(x) + stats.gamma(2, scale=2).cdf(x))

    assert stats.kstest(on_s, cdf).pvalue > 1e-3


# ---- noise


NOISE = Noise(sigma=0.6, correlation_time=50.0)


@pytest.mark.parametrize("window_s", [5.0, 50.0])
def test_the_dispersion_under_noise_is_that_of_a_log_gaussian_cox_process(window_s):
    horizon_s, rate = 400_000.0, 4.0
    arrival_s = read_all(noisy(constant(rate, horizon_s), [NOISE], 50))

    def pairs(u):
        return (1 - u / window_s) * math.expm1(0.36 * math.exp(-u / 50.0))

    theory = 1 + 2 * rate * integrate.quad(pairs, 0, window_s)[0]
    values = dispersion_by_section(arrival_s, window_s, horizon_s, rate * window_s)
    assert_sections_agree(values, theory)


def test_noise_is_log_normal_with_a_mean_of_one_from_the_start():
    firsts = []
    for i in range(4000):
        steps = modulation.noise_steps([NOISE], 1.0, [rng(i, "noise")])
        firsts.append(next(steps)[1][0])

    law = stats.lognorm(0.6, scale=math.exp(-0.18))
    assert stats.kstest(firsts, law.cdf).pvalue > 1e-3
    assert law.mean() == pytest.approx(1.0)


def test_the_logarithm_of_noise_is_correlated_as_an_ornstein_uhlenbeck_process():
    steps = modulation.noise_steps([NOISE], 2_000_000.0, [rng(51, "noise")])
    x = np.log(np.concatenate([factors for _, factors in steps])) + 0.18

    n_lag = modulation.NOISE_CELLS
    sections = x[: len(x) // N_SECTIONS * N_SECTIONS].reshape(N_SECTIONS, -1)
    assert_sections_agree((sections**2).mean(axis=1), 0.36)
    found = (sections[:, :-n_lag] * sections[:, n_lag:]).mean(axis=1)
    assert_sections_agree(found, 0.36 / math.e)


def test_several_noises_are_independent_factors():
    noises = [NOISE, Noise(sigma=0.8, correlation_time=500.0)]
    rngs = rng(52, "noise").spawn(2)
    steps = modulation.noise_steps(noises, 1_000_000.0, rngs)

    log_factor = np.log(np.concatenate([factors for _, factors in steps]))

    sections = log_factor[: len(log_factor) // 20 * 20].reshape(20, -1)
    assert_sections_agree(((sections + 0.5) ** 2).mean(axis=1), 0.36 + 0.64)


def test_the_rate_of_a_noisy_stream_is_its_mean():
    numbers = [
        len(read_all(noisy(constant(4.0, 10.0), [NOISE], i))) for i in range(3000)
    ]

    assert_mean(numbers, 40.0)
