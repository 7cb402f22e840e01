"""Requests a day, by hand for each kind of traffic."""

from __future__ import annotations

import pytest
from traffic_scenario import scenario_with, stream_of

from costsim.traffic.source import horizon_s, load_trace
from costsim.traffic.volume import volume_per_day

BOX = {"shape": "event", "rise": "0s", "hold": "1h", "fall_half_life": "0s"}


def volume(traffic, **other):
    scenario = scenario_with(traffic, **other)
    trace = load_trace(scenario)
    return volume_per_day(scenario, trace, horizon_s(scenario, trace))


def trace_of(tmp_path, times_s, **other):
    log = tmp_path / "log.csv"
    log.write_text("time\n" + "".join(f"{one}\n" for one in times_s), "utf-8")
    columns = {"arrival": "time"}
    return {"trace": {"path": str(log), "format": "csv", "columns": columns, **other}}


def test_a_rate_is_so_many_a_day():
    assert volume(stream_of("40/h")) == pytest.approx(960)


def test_streams_add_up():
    rates = [{"name": "a", "rate": "40/h"}, {"name": "b", "rate": "1/min"}]

    assert volume({"streams": rates}) == pytest.approx(960 + 1440)


def test_a_profile_counts_as_far_as_the_run_goes():
    # Half of the weights before noon, none after it.
    by_hour = [2.0] * 12 + [0.0] * 12
    traffic = stream_of("40/h", seasonal={"hour_of_day": by_hour})

    # A scenario begins at 00:00.
    assert volume(traffic, horizon="12h") == pytest.approx(2 * 960)
    assert volume(traffic, horizon="1d") == pytest.approx(960)


def test_a_ramp_has_the_mean_of_its_ends():
    ramp = [{"target": "80/h", "duration": "24h"}]
    traffic = stream_of(None, start_rate="20/h", stages=ramp)

    assert volume(traffic, horizon=None) == pytest.approx(50 * 24)


def test_batches_count_by_their_size():
    cron = {"process": "cron", "every": "3h", "batch_size": 7}

    # The first comes after a period, the eighth would be at the end.
    assert volume(stream_of(None, arrivals=cron)) == pytest.approx(7 * 7)


def test_a_spike_comes_on_top():
    spike = {"at": "3h", **BOX, "requests": 200}

    found = volume({**stream_of("40/h"), "spikes": [spike]})

    assert found == pytest.approx(960 + 200)


def test_a_trace_is_what_is_replayed(tmp_path):
    times_s = [600.0 * i for i in range(144)]  # a day

    assert volume(trace_of(tmp_path, times_s), horizon="1d") == pytest.approx(144)
    half = volume(trace_of(tmp_path, times_s, scale_rate=0.5), horizon="1d")
    assert half == pytest.approx(72)


def test_a_trace_that_ends_early_brings_no_more(tmp_path):
    times_s = [600.0 * i for i in range(144)]

    assert volume(trace_of(tmp_path, times_s), horizon="2d") == pytest.approx(72)


def test_a_trace_that_repeats_goes_on(tmp_path):
    times_s = [600.0 * i for i in range(144)]
    traffic = trace_of(tmp_path, times_s, repeat=True)

    assert volume(traffic, horizon="10d") == pytest.approx(144)
