"""Estimators find what the generators were told, at fixed seeds."""

from datetime import UTC, datetime

import numpy as np
import pytest
from fitted_logs import DAY, arrivals_of, log_of

from costsim.traffic.counting import Counts
from costsim.traffic.fit.adjusting import adjusted
from costsim.traffic.fit.base import fit_bases
from costsim.traffic.fit.batches import fit_batches
from costsim.traffic.fit.evidence import gather_evidence
from costsim.traffic.fit.hawkes import fit_hawkes
from costsim.traffic.fit.mmpp import fit_mmpp
from costsim.traffic.fit.noise import fit_noise
from costsim.traffic.fit.onoff import fit_onoff
from costsim.traffic.fit.profile import fit_profile
from costsim.traffic.fit.renewal import gamma_shape, weibull_shape
from costsim.traffic.fit.sessions import cut_by_gap, cut_by_key, session_process
from costsim.traffic.fit.spikes import fit_spikes
from costsim.traffic.fit.stages import fit_stages, stages_section
from costsim.units import parse_duration, parse_rate

MONDAY = "2026-03-02T00:00+00:00"
START = datetime(2026, 3, 2, tzinfo=UTC)
HOURS = [0.2] * 6 + [1.0, 1.4, 1.8, 2.0, 2.0, 1.8] + [1.4] * 6 + [1.0, 0.8] + [0.4] * 4


def counted(arrival_s, width_s, span_s):
    counts = Counts(width_s, span_s)
    counts.add(arrival_s)
    return counts


@pytest.mark.parametrize("shape", [0.2, 0.85, 3.0])
def test_gamma_shapes_are_found(shape):
    process = {"process": "gamma", "burstiness": shape}
    arrival_s = arrivals_of(process, rate="2 rps", horizon_s=10_000.0)

    assert gamma_shape(np.diff(arrival_s)) == pytest.approx(shape, rel=0.05)


@pytest.mark.parametrize("shape", [0.45, 1.0, 2.0])
def test_weibull_shapes_are_found(shape):
    process = {"process": "weibull", "shape": shape}
    arrival_s = arrivals_of(process, rate="1 rps", horizon_s=20_000.0)

    assert weibull_shape(np.diff(arrival_s)) == pytest.approx(shape, rel=0.03)


@pytest.mark.parametrize(("branching", "decay_s"), [(0.3, 10.0), (0.7, 60.0)])
def test_branching_and_decay_of_a_hawkes_process_are_found(branching, decay_s):
    process = {"process": "hawkes", "branching": branching, "decay_time": f"{decay_s}s"}
    arrival_s = arrivals_of(process, rate="0.1 rps", horizon_s=300_000.0)

    found = fit_hawkes(arrival_s, np.ones(arrival_s.size), 300_000.0, 5.0)

    assert found.branching == pytest.approx(branching, abs=0.04)
    assert found.decay_time_s == pytest.approx(decay_s, rel=0.12)
    assert found.log_likelihood > found.poisson_log_likelihood + 100


def test_a_poisson_log_has_no_children():
    arrival_s = arrivals_of({"process": "poisson"}, rate="0.1 rps", horizon_s=200_000.0)

    found = fit_hawkes(arrival_s, np.ones(arrival_s.size), 200_000.0, 5.0)

    assert found.branching < 0.02


def test_states_of_a_modulated_process_are_found():
    states = [
        {"rate": "1.5 rps", "mean_sojourn": "198s"},
        {"rate": "27 rps", "mean_sojourn": "20s"},
    ]
    # The rate that these states have together.
    process = {"process": "mmpp", "states": states}
    mean = (1.5 * 198 + 27 * 20) / 218
    arrival_s = arrivals_of(process, rate=f"{mean} rps", horizon_s=40_000.0)
    counts = counted(arrival_s, 1.0, 40_000.0).counts.astype(float)

    found = fit_mmpp(counts, np.ones(counts.size), 1.0, 2)

    assert found.rates_per_s == pytest.approx((1.5, 27.0), rel=0.07)
    assert found.sojourns_s == pytest.approx((198.0, 20.0), rel=0.2)


def test_a_third_state_is_worth_its_parameters_only_if_there_is_one():
    states = [
        {"rate": "1 rps", "mean_sojourn": "300s"},
        {"rate": "20 rps", "mean_sojourn": "300s"},
    ]
    process = {"process": "mmpp", "states": states}
    arrival_s = arrivals_of(process, rate="10.5 rps", horizon_s=40_000.0)
    counts = counted(arrival_s, 10.0, 40_000.0).counts.astype(float)
    exposure_s = np.full(counts.size, 10.0)

    one = fit_mmpp(counts, exposure_s, 10.0, 2)
    shuffled = fit_mmpp(
        np.random.default_rng(1).permutation(counts), exposure_s, 10.0, 2
    )

    assert one.log_likelihood > shuffled.log_likelihood + 1000


def test_bursts_and_silence_are_found():
    process = {
        "process": "onoff",
        "on_time": {"distribution": "exponential", "mean": "20s"},
        "off_time": {"distribution": "lognormal", "median": "300s", "sigma": 0.5},
    }
    mean = 5.0 * 20 / (20 + 300 * np.exp(0.125))
    arrival_s = arrivals_of(process, rate=f"{mean} rps", horizon_s=300_000.0)

    found = fit_onoff(arrival_s, 15.0)

    assert found.rate_per_s == pytest.approx(5.0, rel=0.05)
    assert found.on_s.mean() == pytest.approx(20.0, rel=0.1)
    assert np.median(found.off_s) == pytest.approx(300.0, rel=0.1)


def test_sessions_are_found_by_their_key():
    rng = np.random.default_rng(3)
    begin_s = np.sort(2e6 * rng.random(3000))
    sizes = rng.geometric(1 / 4.5, begin_s.size)
    user = np.repeat(np.arange(begin_s.size) % 900, sizes)
    gaps_s = rng.lognormal(np.log(70.0), 1.0, sizes.sum())
    first = np.cumsum(sizes) - sizes
    gaps_s[first] = 0.0
    since_s = np.cumsum(gaps_s) - np.repeat(np.cumsum(gaps_s)[first], sizes)
    when = np.repeat(begin_s, sizes) + since_s
    order = np.argsort(when)

    cut = cut_by_key(when[order], user[order])
    process = session_process(cut)

    assert cut.sizes.size == pytest.approx(3000, rel=0.03)
    assert process["requests_per_session"] == pytest.approx(4.5, rel=0.06)
    assert process["think_time"]["distribution"] == "lognormal"
    assert float(process["think_time"]["median"][:-1]) == pytest.approx(70.0, rel=0.06)
    assert process["think_time"]["sigma"] == pytest.approx(1.0, abs=0.05)


def test_sessions_that_seldom_overlap_are_found_by_gaps():
    process = {
        "process": "sessions",
        "requests_per_session": 5,
        "think_time": {"distribution": "lognormal", "median": "3s", "sigma": 0.4},
    }
    arrival_s = arrivals_of(process, rate="10/h", horizon_s=3e6)

    cut = cut_by_gap(arrival_s, 60.0)

    assert cut.mean_size == pytest.approx(5.0, rel=0.08)
    assert np.median(cut.gaps_s) == pytest.approx(3.0, rel=0.03)


def test_noise_is_found():
    span_s = 60 * DAY
    arrival_s = arrivals_of(
        {"process": "poisson"},
        rate="0.5 rps",
        horizon_s=span_s,
        noise={"sigma": 0.6, "correlation_time": "1h"},
    )
    counts = counted(arrival_s, 60.0, span_s).counts.astype(float)

    terms = fit_noise(counts, np.full(counts.size, counts.mean()), 60.0)

    variance = sum(term.sigma**2 for term in terms)
    time_s = sum(term.sigma**2 * term.correlation_time_s for term in terms) / variance
    assert np.sqrt(variance) == pytest.approx(0.6, rel=0.1)
    assert time_s == pytest.approx(3600.0, rel=0.3)


def test_a_poisson_log_has_no_noise():
    arrival_s = arrivals_of({"process": "poisson"}, rate="0.5 rps", horizon_s=10 * DAY)
    counts = counted(arrival_s, 60.0, 10 * DAY).counts.astype(float)

    terms = fit_noise(counts, np.full(counts.size, counts.mean()), 60.0)

    assert sum(term.sigma**2 for term in terms) < 0.01


def test_hours_and_days_are_found():
    span_s = 28 * DAY
    arrival_s = arrivals_of(
        {"process": "poisson"},
        rate="0.05 rps",
        horizon_s=span_s,
        start=MONDAY,
        seasonal={"hour_of_day": HOURS, "day_of_week": [1, 1, 1, 1, 1, 0.5, 0.5]},
    )
    minutes = counted(arrival_s, 60.0, span_s)

    found = fit_profile(minutes.counts, 60.0, START)

    expected = np.array(HOURS) / np.mean(HOURS)
    np.testing.assert_allclose(found.hour_of_day, expected, atol=0.08)
    days = np.array([1, 1, 1, 1, 1, 0.5, 0.5]) / (6 / 7)
    np.testing.assert_allclose(found.day_of_week, days, atol=0.05)
    assert found.growth_per_month == 0.0


def test_few_requests_give_a_flat_profile():
    rng = np.random.default_rng(1)
    counts = np.zeros(3 * 1440, dtype=np.int64)
    counts[rng.integers(0, counts.size, 30)] = 1

    found = fit_profile(counts, 60.0, START)

    assert np.abs(np.array(found.hour_of_day) - 1.0).max() < 0.25


def test_growth_is_found():
    arrival_s = arrivals_of(
        {"process": "poisson"},
        rate="0.05 rps",
        horizon_s=70 * DAY,
        start=MONDAY,
        trend={"growth_per_month": 0.5},
    )
    minutes = counted(arrival_s, 60.0, 70 * DAY)

    found = fit_profile(minutes.counts, 60.0, START)

    assert found.growth_per_month == pytest.approx(0.5, abs=0.05)


def test_spikes_are_found_and_masked():
    spike = {
        "shape": "event",
        "per_week": 6,
        "magnitude": {"distribution": "lognormal", "median": 12, "sigma": 0.15},
        "rise": "0s",
        "hold": "15m",
        "fall_half_life": "0s",
    }
    span_s = 70 * DAY
    arrival_s = arrivals_of(
        {"process": "poisson"}, rate="0.1 rps", horizon_s=span_s, spikes=[spike]
    )

    found = fit_spikes(counted(arrival_s, 60.0, span_s), span_s, 0.0)

    (section,) = found.section
    assert section["per_week"] == pytest.approx(6.0, rel=0.25)
    heights = [surge.magnitude for surge in found.surges]
    assert np.median(heights) == pytest.approx(12.0, rel=0.15)
    assert section["magnitude"]["distribution"] in ("lognormal", "empirical")
    assert float(section["hold"][:-1]) == pytest.approx(900.0, rel=0.2)
    assert (~found.used).mean() == pytest.approx(6 * 900 / (7 * DAY), rel=0.6)


def test_bursts_that_take_much_of_the_time_are_no_spikes():
    usual = np.arange(0.0, 2 * DAY, 100.0)
    bursts = np.add.outer(np.arange(48) * 3600.0, np.arange(0.0, 600.0, 5.0)).ravel()
    arrival_s = np.sort(np.concatenate([usual, bursts]))

    found = fit_spikes(counted(arrival_s, 60.0, 2 * DAY), 2 * DAY, 0.0)

    assert found.section == ()
    assert found.used.all()


def test_ramps_are_found():
    counts = np.random.default_rng(2).poisson(np.linspace(10.0, 50.0, 240))

    rates = fit_stages(counts, 15.0, 4)

    np.testing.assert_allclose(rates * 15.0, [10, 20, 30, 40, 50], rtol=0.15)


def test_batches_are_found():
    rng = np.random.default_rng(1)
    begin_s = np.arange(48) * 3600.0
    arrival_s = np.sort(np.repeat(begin_s, 20) + 30.0 * rng.random(48 * 20))

    found = fit_batches(arrival_s)

    assert found["batch_size"] == 20
    assert float(found["every"][:-1]) == pytest.approx(3600.0, rel=0.001)
    assert float(found["jitter"][:-1]) == pytest.approx(29.0, rel=0.1)


def test_a_poisson_log_has_no_batches():
    arrival_s = arrivals_of({"process": "poisson"}, rate="0.1 rps", horizon_s=1e5)

    assert fit_batches(arrival_s) is None


def test_the_mean_rate_is_that_without_spikes():
    spikes = [
        {
            "shape": "event",
            "at": f"{day}d",
            "magnitude": 20,
            "rise": "0s",
            "hold": "30m",
        }
        for day in (2, 5)
    ]
    log = log_of(
        {"process": "poisson"}, rate="0.1 rps", horizon_s=9 * DAY, spikes=spikes
    )

    base = fit_bases(gather_evidence(log))[0]

    assert base.rate_per_s == pytest.approx(0.1, rel=0.02)
    assert [spike["shape"] for spike in base.spikes.section] == ["event", "event"]


def test_ramps_cover_the_whole_log_and_turning_their_start_keeps_the_requests():
    section = stages_section(np.array([1.0, 3.0, 2.0]), 600.0, 610.0)
    traffic = {"streams": [{**section, "arrivals": {"process": "poisson"}}]}

    turned = adjusted(traffic, {"start rate": 2.0})["streams"][0]

    assert [one["duration"] for one in section["stages"]] == ["300s", "300s", "10s"]
    assert requests_of(section) == pytest.approx(600 + 750 + 20)
    assert requests_of(turned) == pytest.approx(1370, rel=1e-4)
    ratio = parse_rate(turned["start_rate"]) / parse_rate(turned["stages"][0]["target"])
    assert ratio == pytest.approx(2 * 1 / 3, rel=1e-4)


def requests_of(stream):
    ends = [stream["start_rate"], *(one["target"] for one in stream["stages"])]
    rates = [parse_rate(one) for one in ends]
    lengths = [parse_duration(one["duration"]) for one in stream["stages"]]
    return sum(
        (a + b) / 2 * length
        for a, b, length in zip(rates, rates[1:], lengths, strict=False)
    )
