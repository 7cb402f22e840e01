from datetime import datetime
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from traffic_scenario import first_rate, scenario_with, stream_of, times_of

from costsim.errors import InputError
from costsim.traffic.rates import RateFunction, weekly_weights

HOUR = 3600.0
DAY = 86400.0
MONTH = 730 * HOUR
DAYTIME = [0.0] * 8 + [1.0] * 12 + [0.0] * 4


def rate_of(traffic, horizon_s=DAY, start="2026-03-02T00:00+01:00"):
    scenario = scenario_with(traffic, start=start)
    at = None if start is None else datetime.fromisoformat(start)
    return first_rate(scenario, at, horizon_s)


def with_spike(rate="2/s", **spike):
    return {**stream_of(rate), "spikes": [{"at": "1h", **spike}]}


def expected_between(rate, first_s, last_s):
    return np.diff(np.interp([first_s, last_s], rate.edges_s, rate.expected))[0]


def test_a_constant_rate_is_one_exact_cell():
    rate = rate_of(stream_of("48/h"), 14 * DAY, start=None)

    assert rate.edges_s.tolist() == [0.0, 14 * DAY]
    assert rate.total == 48 / HOUR * (14 * DAY)


def test_hourly_rates_are_exact():
    weights = np.arange(24.0)

    rate = rate_of(stream_of("2/s", seasonal={"hour_of_day": weights.tolist()}))

    np.testing.assert_allclose(rate.edges_s, np.arange(25) * HOUR, rtol=0)
    np.testing.assert_allclose(rate.rates_per_s, 2 * weights / 11.5, rtol=1e-13)


def test_the_mean_over_a_week_is_the_rate():
    seasonal = {
        "hour_of_day": np.arange(1.0, 25).tolist(),
        "day_of_week": [1.25] * 5 + [0.47, 0.3],
    }

    rate = rate_of(stream_of("3/s", seasonal=seasonal), 7 * DAY)

    assert rate.total == pytest.approx(3 * 7 * DAY, rel=1e-13)


def test_weights_are_by_hour_and_day_with_monday_first():
    scenario = scenario_with(
        stream_of(seasonal={"hour_of_day": DAYTIME, "day_of_week": [0] * 6 + [1]})
    )

    weights = weekly_weights(scenario.traffic.streams[0].seasonal)

    assert np.flatnonzero(weights).tolist() == list(range(6 * 24 + 8, 6 * 24 + 20))
    assert weights[6 * 24 + 8] == pytest.approx(7 * 2)


def test_hours_are_those_of_the_clock_of_the_start():
    # Thursday 07:20 in Tokyo: the day's traffic begins 40 minutes later.
    rate = rate_of(
        stream_of("2/s", seasonal={"hour_of_day": DAYTIME}),
        start="2026-03-05T07:20+09:00",
    )

    assert expected_between(rate, 0, 40 * 60) == 0
    assert expected_between(rate, 40 * 60, HOUR) == pytest.approx(2 * 2 * 1200)
    assert expected_between(rate, 0, DAY) == pytest.approx(2 * DAY)


def test_days_are_those_of_the_clock_of_the_start():
    # Sunday 23:00: Monday's weight begins an hour later.
    weekday = {"day_of_week": [7] + [0] * 6}

    rate = rate_of(stream_of("1/s", seasonal=weekday), start="2026-03-08T23:00-05:00")

    assert expected_between(rate, 0, HOUR) == 0
    assert expected_between(rate, HOUR, 2 * HOUR) == pytest.approx(7 * HOUR)


def test_growth_compounds_by_the_month():
    rate = rate_of(stream_of("1/s", trend={"growth_per_month": 0.2}), 3 * MONTH)

    integral = MONTH * (1.2**3 - 1) / np.log(1.2)
    assert rate.total == pytest.approx(integral, rel=1e-12)
    assert rate.rates_per_s[0] == pytest.approx(1.0, rel=1e-3)


def test_an_event_adds_the_area_of_its_shape():
    event = {"rise": "45m", "hold": "90m", "fall_half_life": "11m", "magnitude": 8}

    rate = rate_of(with_spike(shape="event", **event), 2 * DAY)

    area = 45 * 60 / 2 + 90 * 60 + 11 * 60 / np.log(2)
    assert rate.total == pytest.approx(2 * 2 * DAY + 7 * 2 * area, rel=1e-9)


def test_a_viral_mention_adds_the_area_of_its_shape():
    viral = {"rise": "3m", "decay_time": "4m", "decay_exponent": 1.5, "magnitude": 60}

    rate = rate_of(with_spike(shape="viral", **viral), DAY)

    left = DAY - HOUR - 180
    tail = 240 / 0.5 * (1 - (1 + left / 240) ** -0.5)
    assert rate.total == pytest.approx(2 * DAY + 59 * 2 * (90 + tail), rel=1e-9)


def test_a_peak_adds_requests_per_second_to_any_rate():
    event = {"rise": "0s", "hold": "10m", "fall_half_life": "0s", "peak": "5/s"}

    rate = rate_of(with_spike(rate="0/s", shape="event", **event))

    assert rate.total == pytest.approx(5 * 600)
    assert expected_between(rate, HOUR, HOUR + 600) == pytest.approx(5 * 600)


def test_a_rise_is_linear():
    event = {"rise": "1h", "hold": "0s", "fall_half_life": "0s", "magnitude": 3}

    rate = rate_of(with_spike(shape="event", **event))

    first_quarter = expected_between(rate, HOUR, HOUR + 900)
    assert first_quarter == pytest.approx(2 * 900 + 2 * 2 * 900 * 0.125, rel=1e-9)


def test_the_excess_halves_in_a_half_life():
    event = {"rise": "0s", "hold": "0s", "fall_half_life": "10m", "peak": "1/s"}

    rate = rate_of(with_spike(rate="0/s", shape="event", **event))

    first = expected_between(rate, HOUR, HOUR + 600)
    second = expected_between(rate, HOUR + 600, HOUR + 1200)
    assert second == pytest.approx(first / 2, rel=1e-9)


def test_a_spike_before_the_start_is_met_as_it_falls():
    event = {"at": "-20m", "rise": "0s", "hold": "0s", "fall_half_life": "10m"}

    rate = rate_of(with_spike(rate="0/s", shape="event", **event, peak="1/s"))

    assert rate.total == pytest.approx(0.25 * 600 / np.log(2), rel=1e-9)


def test_a_spike_at_a_date_begins_then():
    event = {"at": "2026-03-02T06:00Z", "shape": "event", "rise": "0s", "hold": "1h"}

    rate = rate_of(with_spike(rate="1/s", **event, fall_half_life="0s", magnitude=2))

    assert expected_between(rate, 7 * HOUR, 8 * HOUR) == pytest.approx(2 * HOUR)
    assert expected_between(rate, 0, 7 * HOUR) == pytest.approx(7 * HOUR)


def test_a_spike_acts_on_the_streams_it_names():
    traffic = {
        "streams": [{"name": "a", "rate": "1/s"}, {"name": "b", "rate": "1/s"}],
        "spikes": [{"at": "1h", "shape": "event", "magnitude": 5, "streams": ["b"]}],
    }

    assert rate_of(traffic).total == DAY


def test_everything_at_once_is_the_product_of_its_factors():
    traffic = stream_of(
        "2/s",
        seasonal={"hour_of_day": [*range(1, 25)], "day_of_week": [*range(1, 8)]},
        trend={"growth_per_month": 0.5},
    )
    traffic["spikes"] = [
        {"shape": "event", "at": "5h", "magnitude": 8, "rise": "45m", "hold": "90m"},
        {"shape": "viral", "at": "6h", "magnitude": 20},
        {"shape": "viral", "at": "5h30m", "peak": "3/s", "decay_exponent": 1.1},
    ]

    def event(t):
        t = t - 5 * HOUR
        fall = 0.5 ** (max(t - 8100, 0) / 660)
        return min(max(t / 2700, 0), 1) * fall

    def viral(t, begin, exponent):
        t = t - begin
        fall = (1 + max(t - 180, 0) / 228) ** -exponent
        return min(max(t / 180, 0), 1) * fall

    def formula(t):
        seasonal = (int(t // HOUR) % 24 + 1) / 12.5 * (int(t // DAY) % 7 + 1) / 4
        rate = 2 * seasonal * 1.5 ** (t / MONTH)
        rate *= (1 + 7 * event(t)) * (1 + 19 * viral(t, 6 * HOUR, 1.5))
        return rate + 3 * viral(t, 5.5 * HOUR, 1.1)

    rate = rate_of(traffic, 30 * HOUR)

    kinks = [18000, 19800, 19980, 20700, 21600, 21780, 26100]
    ends = sorted({*kinks, *np.arange(0, 30 * HOUR + 1, HOUR)})
    exact = np.cumsum([quad(formula, a, b, epsrel=1e-11)[0] for a, b in pairwise(ends)])
    ours = np.interp(ends[1:], rate.edges_s, rate.expected)
    np.testing.assert_allclose(ours, exact, rtol=1e-9)


def test_cells_of_a_spike_are_narrow_where_it_is_steep():
    rate = rate_of(with_spike(shape="viral", magnitude=60), DAY)

    steps = np.abs(np.diff(rate.rates_per_s))
    # A cell is 1/64 of the rise to 59 times the rate, or 4 % of the fall.
    assert steps.max() < 2 * 59 * 0.05


def test_times_invert_the_integral():
    rate = rate_of(stream_of("2/s", seasonal={"hour_of_day": [*range(24)]}))
    operational = np.linspace(0, rate.total * (1 - 1e-9), 1000)

    times = times_of(rate, operational)

    back = np.interp(times, rate.edges_s, rate.expected)
    np.testing.assert_allclose(back, operational, atol=1e-6)


def test_times_ascend_across_an_edge_in_spite_of_rounding():
    edge_s = 938.5000000000001
    rate = RateFunction(
        np.array([0.0, 614.3000000000001, edge_s, 939.5000000000001]),
        np.array([0.0, 43.4, 119.63, 120.63]),
    )
    around = np.array([np.nextafter(119.63, 0), 119.63])

    times = times_of(rate, around)

    # Plain interpolation meets this edge one rounding error late from the left.
    assert np.interp(around, rate.expected, rate.edges_s)[0] > edge_s
    assert times[1] >= times[0]


def test_no_time_falls_into_an_hour_without_traffic():
    rate = rate_of(stream_of("2/s", seasonal={"hour_of_day": DAYTIME}))

    times = times_of(rate, np.linspace(0, rate.total * (1 - 1e-12), 10_000))

    assert times.min() >= 8 * HOUR
    assert times.max() <= 20 * HOUR


def step(until_s, factors):
    return np.array(until_s), np.array(factors)


def test_a_step_function_multiplies_the_rate():
    rate = RateFunction(np.array([0.0, 10.0, 20.0]), np.array([0.0, 10.0, 40.0]))

    (modulated,) = rate.modulated([step([5.0, 15.0, 20.0], [2.0, 0.0, 1.0])])

    assert modulated.edges_s.tolist() == [0, 5, 10, 15, 20]
    assert modulated.rates_per_s.tolist() == [2, 0, 0, 3]


def test_a_step_function_in_pieces_multiplies_the_rate_piece_by_piece():
    rate = RateFunction(np.array([0.0, 10.0, 20.0]), np.array([0.0, 10.0, 40.0]))
    steps = [step([5.0, 10.0], [2.0, 0.0]), step([10.0, 15.0, 20.0], [9.0, 0.0, 1.0])]

    first, second = rate.modulated(steps)

    assert first.edges_s.tolist() == [0, 5, 10]
    assert first.expected.tolist() == [0, 10, 10]
    assert second.edges_s.tolist() == [10, 15, 20]
    assert second.expected.tolist() == [10, 10, 25]


def test_a_rate_of_zero_expects_nothing():
    assert rate_of(stream_of("0/s")).total == 0


def test_an_absurd_horizon_is_refused_before_it_fills_the_memory():
    with pytest.raises(InputError, match="too long for rates by the hour"):
        rate_of(stream_of(trend={"growth_per_month": 0.1}), 1e15)


def test_an_endless_growth_has_no_finite_total():
    rate = rate_of(stream_of(trend={"growth_per_month": 1000}), 200 * MONTH)

    assert not np.isfinite(rate.total)
