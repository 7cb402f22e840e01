import math
from datetime import datetime

import numpy as np
import pytest
from scipy import stats
from traffic_scenario import first_rate, scenario_with, stream_of
from whole_traffic import generate

from costsim.errors import InputError
from costsim.traffic.spikes import excesses, mean_effect
from costsim.traffic.streams import stream_rng
from costsim.traffic.synthesis import asked_rate, stream_notes

HOUR, DAY, WEEK = 3600.0, 86400.0, 604800.0
START = "2026-03-02T00:00+01:00"


def with_spikes(*spikes, rate="1/s", horizon="70d", **other):
    traffic = {
        **stream_of(rate),
        "spikes": [{"shape": "viral", **one} for one in spikes],
    }
    return scenario_with(traffic, horizon=horizon, **other)


def happening(scenario, replication=0):
    return excesses(
        scenario.traffic.spikes,
        "requests",
        scenario.start,
        scenario.horizon,
        lambda i: stream_rng(scenario.seed, replication, "spikes", i),
    )


def moments(scenario, replication=0):
    return [one.begin_s for one in happening(scenario, replication)]


def asked(scenario):
    return asked_rate(scenario, scenario.traffic.streams[0], scenario.horizon)


def test_a_recurring_spike_comes_first_after_one_period():
    scenario = with_spikes({"every": "7d", "magnitude": 5}, horizon="30d")

    assert moments(scenario) == [7 * DAY, 14 * DAY, 21 * DAY, 28 * DAY]


def test_a_recurring_spike_comes_first_at_its_moment():
    spike = {"every": "7d", "at": "2026-03-03T09:00+01:00", "magnitude": 5}

    found = moments(with_spikes(spike, horizon="15d"))

    assert found == [33 * HOUR, 33 * HOUR + WEEK]


def test_a_spike_that_recurs_since_long_before_is_followed_for_a_week_only():
    spike = {"every": "2d", "at": "2016-03-02T00:00+01:00", "magnitude": 5}

    found = moments(with_spikes(spike, horizon="3d"))

    assert min(found) >= -WEEK
    assert np.diff(found).tolist() == [2 * DAY] * (len(found) - 1)


def test_random_spikes_come_as_a_poisson_process():
    scenario = with_spikes({"per_week": 6, "magnitude": 5})
    found = [np.array(moments(scenario, i)) for i in range(200)]

    numbers = [(one >= 0).sum() for one in found]
    assert np.mean(numbers) == pytest.approx(60, abs=3.3 * math.sqrt(60 / 200))
    assert np.var(numbers) == pytest.approx(60, rel=0.35)
    gaps = np.concatenate([np.diff(one) for one in found])
    assert stats.kstest(gaps, stats.expon(scale=WEEK / 6).cdf).pvalue > 1e-3
    assert all(one.min() > -WEEK and one.max() < 70 * DAY for one in found)


def test_random_spikes_are_the_same_for_all_streams_and_longer_horizons():
    short = with_spikes({"per_week": 6, "magnitude": 5}, horizon="20d")
    long = with_spikes({"per_week": 6, "magnitude": 5}, horizon="40d")

    found = np.array(moments(long))

    assert np.array_equal(found[found < 20 * DAY], moments(short))
    assert moments(short, 1) != moments(short, 0)


def test_random_magnitudes_follow_their_law():
    law = {"distribution": "lognormal", "median": 8, "sigma": 0.3}
    scenario = with_spikes({"per_week": 100, "magnitude": law}, horizon="140d")

    found = [one.magnitude for one in happening(scenario)]

    assert len(found) > 1500
    assert stats.kstest(found, stats.lognorm(0.3, scale=8).cdf).pvalue > 1e-3


def test_a_magnitude_that_is_drawn_below_one_is_one():
    law = {"distribution": "exponential", "mean": 1.0}
    scenario = with_spikes({"per_week": 100, "magnitude": law})

    found = np.array([one.magnitude for one in happening(scenario)])

    assert found.min() == 1
    assert np.mean(found == 1) == pytest.approx(1 - math.exp(-1), abs=0.05)


@pytest.mark.parametrize(
    "shape",
    [
        {"shape": "viral", "decay_exponent": 4},
        {"shape": "event"},
        {"shape": "event", "rise": "0s", "hold": "10m", "fall_half_life": "0s"},
    ],
    ids=["viral", "event", "block"],
)
@pytest.mark.parametrize("again", [{}, {"every": "300d"}], ids=["once", "of many"])
def test_the_excess_of_a_spike_integrates_to_its_requests(shape, again):
    plain = with_spikes(horizon="40d")
    spiked = with_spikes(
        {"at": "1d", "requests": 5000, **shape, **again}, horizon="40d"
    )

    start = datetime.fromisoformat(START)
    extra = first_rate(spiked, start, 40 * DAY).total
    extra -= first_rate(plain, start, 40 * DAY).total

    assert extra == pytest.approx(5000, rel=1e-4)


def test_many_random_spikes_bring_the_requests_that_are_asked_for():
    law = {"distribution": "lognormal", "median": 8, "sigma": 0.3}
    scenario = with_spikes(
        {"per_week": 20, "magnitude": law, "decay_exponent": 3},
        {"shape": "event", "per_week": 5, "requests": 2000},
    )
    start = datetime.fromisoformat(START)
    totals = [first_rate(scenario, start, 70 * DAY, i).total for i in range(20)]

    standard_error = np.std(totals) / math.sqrt(20)
    expected = asked(scenario) * 70 * DAY
    assert np.mean(totals) == pytest.approx(expected, abs=3.3 * standard_error)
    assert standard_error < 0.01 * expected
    assert expected > 1.02 * 70 * DAY


def test_the_mean_effect_of_random_spikes_is_that_of_their_overlap():
    [spike] = with_spikes({"per_week": 6, "magnitude": 9}).traffic.spikes

    factor, added_per_s = mean_effect([spike], "requests")

    # 90 s of rise and 456 s of fall, 8 times the usual above it.
    assert factor == pytest.approx(math.exp(6 / WEEK * 546 * 8))
    assert added_per_s == 0


def test_what_is_asked_has_profile_growth_and_spikes():
    spike = {"shape": "event", "at": "1d", "rise": "0s", "hold": "1h"}
    scenario = with_spikes(
        {**spike, "fall_half_life": "0s", "magnitude": 25}, horizon="2d"
    )

    assert asked(scenario) == pytest.approx(1.5)


def test_the_realized_rate_is_near_the_one_that_is_asked_for():
    scenario = with_spikes({"every": "3h", "requests": 3000}, horizon="2d")

    realized = generate(scenario, 0).mean_rate_per_s

    half_width = 3.3 * math.sqrt(asked(scenario) / scenario.horizon)
    assert realized == pytest.approx(asked(scenario), abs=half_width)
    assert asked(scenario) > 1.2


def test_too_many_spikes_at_once_are_refused():
    scenario = with_spikes({"every": "1m", "magnitude": 2}, horizon="365d")

    with pytest.raises(InputError) as caught:
        generate(scenario, 0)

    assert str(caught.value).startswith("about 5.36e+05 spikes of a kind, ")


def test_a_spike_after_the_horizon_is_noted():
    scenario = with_spikes({"at": "3d", "magnitude": 2}, horizon="1d")

    assert stream_notes(scenario, scenario.horizon) == [
        "the spike 3d after the start begins after the horizon: no effect"
    ]
