"""Every process is the same wherever it is cut, and for whatever horizon it is made."""

import tracemalloc

import numpy as np
import pytest
from traffic_scenario import read_all, scenario_with, stream_of
from whole_traffic import generate

from costsim.traffic import clusters, draws, modulation
from costsim.traffic.synthesis import stream_reader

THINK = {"distribution": "lognormal", "median": "40s", "sigma": 1.0, "max": "10m"}
NOISE = [
    {"sigma": 0.5, "correlation_time": "20m"},
    {"sigma": 0.3, "correlation_time": "90s"},
]
PARETO = {"distribution": "pareto", "minimum": "2s", "alpha": 1.5}
WEIBULL = {"distribution": "weibull", "mean": "9s", "shape": 0.5}
BURSTS = [
    {"rate": "1/s", "mean_sojourn": "20s"},
    {"rate": "20/s", "mean_sojourn": "3s"},
]
PROCESSES = {
    "weibull": {"process": "weibull", "shape": 0.5},
    "sessions": {
        "process": "sessions",
        "requests_per_session": 4.5,
        "think_time": THINK,
    },
    "sessions-lognormal": {
        "process": "sessions",
        "requests_per_session": {
            "distribution": "lognormal",
            "median": 3,
            "sigma": 0.9,
        },
        "think_time": WEIBULL,
    },
    "sessions-empirical": {
        "process": "sessions",
        "requests_per_session": {"distribution": "empirical", "values": [1, 2, 60]},
        "think_time": PARETO,
    },
    "hawkes": {"process": "hawkes", "branching": 0.8, "decay_time": "30s"},
    "onoff": {"process": "onoff", "on_time": PARETO, "off_time": WEIBULL},
    "poisson": {"process": "poisson"},
    "mmpp": {"process": "mmpp", "states": BURSTS},
    "gamma": {"process": "gamma", "burstiness": 0.5},
}
DAYTIME = [0.5] * 6 + [1.0, 2.0, 4.0, 6.0, 8.0, 8.0] + [5.0] * 6 + [3.0, 2.0, 1.0] * 2
SHAPED = {"seasonal": {"hour_of_day": DAYTIME}, "noise": NOISE}
SPIKES = [
    {
        "shape": "viral",
        "per_week": 30,
        "magnitude": {"distribution": "exponential", "mean": 9.0},
    },
    {"shape": "event", "every": "5h", "at": "1h", "requests": 300},
]


def arrivals_of(process, horizon="12h", rate="1/s", size=4096, **other):
    traffic = {**stream_of(rate, arrivals=process, **SHAPED, **other), "spikes": SPIKES}
    scenario = scenario_with(traffic, horizon=horizon)
    stream = scenario.traffic.streams[0]
    reader = stream_reader(scenario, stream, 3, scenario.horizon)
    arrival_s = read_all(reader, size)
    assert reader.read(np.empty(size)) == 0
    return arrival_s


@pytest.mark.parametrize("size", [1, 7, 1000, 1_000_000])
@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_is_the_same_wherever_it_is_cut(name, size):
    usual = arrivals_of(PROCESSES[name], "2h")

    cut = arrivals_of(PROCESSES[name], "2h", size=size)

    assert len(usual) > 1000
    assert np.array_equal(cut, usual)
    assert np.all(np.diff(usual) >= 0)
    assert usual[0] >= 0
    assert usual[-1] < 7200


@pytest.mark.parametrize("name", PROCESSES)
def test_a_longer_horizon_begins_with_the_same_requests(name):
    # Not within a cell of a spike: what is cut off is a cell's mean.
    traffic = stream_of("1/s", arrivals=PROCESSES[name], **SHAPED)
    short = generate(scenario_with(traffic, horizon="5h"), 1).arrival_s

    long = generate(scenario_with(traffic, horizon="9h30m"), 1).arrival_s

    assert len(short) > 2000
    assert np.array_equal(long[long < 18_000], short)


@pytest.mark.parametrize("name", PROCESSES)
def test_replications_and_streams_of_other_names_are_others(name):
    traffic = stream_of("1/s", arrivals=PROCESSES[name])
    renamed = stream_of("1/s", arrivals=PROCESSES[name], name="other")

    one = generate(scenario_with(traffic, horizon="1h"), 0).arrival_s
    two = generate(scenario_with(traffic, horizon="1h"), 1).arrival_s
    other = generate(scenario_with(renamed, horizon="1h"), 0).arrival_s

    assert np.intersect1d(one, two).size == 0
    assert np.intersect1d(one, other).size == 0


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (clusters, "_REQUESTS"),
        (clusters, "_IMMIGRANTS"),
        (draws, "_BLOCK"),
        (modulation, "_NOISE_STEPS"),
        (modulation, "_BLOCKS_OF_VISITS"),
    ],
    ids=lambda one: getattr(one, "__name__", one),
)
@pytest.mark.parametrize("size", [5, 100_000])
def test_how_much_is_drawn_at_once_does_not_matter(monkeypatch, module, name, size):
    usual = [arrivals_of(one, "30m") for one in PROCESSES.values()]

    monkeypatch.setattr(module, name, size)

    drawn = [arrivals_of(one, "30m") for one in PROCESSES.values()]
    assert [len(one) for one in drawn] == [len(one) for one in usual]
    # Functions of arrays may round the last bit differently at another place.
    np.testing.assert_allclose(
        np.concatenate(drawn), np.concatenate(usual), rtol=1e-12, atol=1e-9
    )


def peak_bytes(process, n):
    """Return the most that was allocated while n requests of many were read."""
    traffic = stream_of("20/s", arrivals=process, noise=NOISE)
    scenario = scenario_with(traffic, horizon="3650d")
    reader = stream_reader(scenario, scenario.traffic.streams[0], 0, scenario.horizon)
    out = np.empty(1000)
    tracemalloc.start()
    try:
        read = sum(reader.read(out) for _ in range(n // 1000))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert read == n
    return peak


@pytest.mark.parametrize("name", ["sessions", "hawkes", "onoff", "weibull"])
def test_memory_does_not_grow_with_what_is_read(name):
    first = peak_bytes(PROCESSES[name], 100_000)

    # A million requests are 8 MB as an array.
    assert peak_bytes(PROCESSES[name], 1_000_000) < max(1.5 * first, 4e6)
