from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from scipy import stats
from traffic_scenario import scenario_with, stream_of
from whole_traffic import generate

from costsim.errors import InputError
from costsim.traffic.source import (
    CHUNK_SIZE,
    arrival_chunks,
    expected_requests,
    horizon_s,
    load_trace,
    trace_warnings,
)
from costsim.traffic.trace import TraceData

USERS = {"name": "users", "rate": "0.5/s"}
AGENTS = {
    "name": "agents",
    "rate": "0.2/s",
    "arrivals": {"process": "gamma", "burstiness": 0.3},
}
BURSTS = {
    "name": "bursts",
    "rate": "0.2/s",
    "arrivals": {
        "process": "mmpp",
        "states": [
            {"rate": "1/s", "mean_sojourn": "200s"},
            {"rate": "20/s", "mean_sojourn": "9s"},
        ],
    },
}
NIGHTLY = {
    "name": "nightly",
    "arrivals": {
        "process": "cron",
        "schedule": "0 2 * * *",
        "batch_size": 200,
        "jitter": "30s",
    },
}


THREE = TraceData(
    np.array([0.0, 10.0, 40.0]),
    duration_s=np.array([5.0, 6.0, 7.0]),
    notes=("3 requests in 40s",),
)
REPLAYED = {"path": "requests.csv"}


def arrivals_of(arrivals, name):
    return arrivals.arrival_s[arrivals.source == arrivals.sources.index(name)]


def test_all_streams_are_merged_in_the_order_of_time():
    scenario = scenario_with({"streams": [USERS, AGENTS, BURSTS, NIGHTLY]})

    arrivals = generate(scenario, 0)

    assert arrivals.sources == ("users", "agents", "bursts", "nightly")
    assert np.all(np.diff(arrivals.arrival_s) >= 0)
    assert arrivals.arrival_s[0] >= 0
    assert arrivals.arrival_s[-1] < arrivals.horizon_s == 86400
    assert len(arrivals_of(arrivals, "nightly")) == 200
    assert arrivals.n_requests == len(arrivals.service_time_s) == len(arrivals.source)
    assert arrivals.mean_rate_per_s == arrivals.n_requests / 86400


@pytest.mark.parametrize("name", ["users", "agents", "bursts", "nightly"])
def test_adding_streams_leaves_the_others_as_they_are(name):
    streams = {one["name"]: one for one in (USERS, AGENTS, BURSTS, NIGHTLY)}
    alone = generate(scenario_with({"streams": [streams[name]]}), 3)

    together = generate(scenario_with({"streams": [*streams.values()]}), 3)

    assert np.array_equal(arrivals_of(together, name), alone.arrival_s)


def test_the_order_of_streams_does_not_matter():
    forth = generate(scenario_with({"streams": [USERS, AGENTS]}), 0)
    back = generate(scenario_with({"streams": [AGENTS, USERS]}), 0)

    assert np.array_equal(forth.arrival_s, back.arrival_s)


def test_the_same_seed_and_replication_give_the_same_requests():
    scenario = scenario_with({"streams": [USERS, AGENTS, BURSTS, NIGHTLY]})

    first, second = generate(scenario, 4), generate(scenario, 4)

    assert np.array_equal(first.arrival_s, second.arrival_s)
    assert np.array_equal(first.service_time_s, second.service_time_s)


@pytest.mark.parametrize("stream", [USERS, AGENTS, BURSTS, NIGHTLY])
@pytest.mark.parametrize(("seed", "replication"), [(11, 1), (12, 0)])
def test_replications_and_seeds_differ(stream, seed, replication):
    first = generate(scenario_with({"streams": [stream]}), 0)

    other = generate(scenario_with({"streams": [stream]}, seed=seed), replication)

    n = min(first.n_requests, other.n_requests)
    assert not np.array_equal(first.arrival_s[:n], other.arrival_s[:n])


def test_two_streams_alike_but_for_their_names_are_independent():
    twins = [{"name": "a", "rate": "0.5/s"}, {"name": "b", "rate": "0.5/s"}]

    arrivals = generate(scenario_with({"streams": twins}), 0)

    assert len(np.intersect1d(*(arrivals_of(arrivals, name) for name in "ab"))) == 0


def test_the_work_does_not_change_the_arrivals_nor_they_the_work():
    time = {"distribution": "lognormal", "median": "2s", "sigma": 0.5}
    plain = generate(scenario_with(stream_of("0.5/s")), 0)
    heavy = generate(scenario_with(stream_of("0.5/s"), service={"time": time}), 0)
    other = generate(scenario_with(stream_of("0.6/s"), service={"time": time}), 0)

    assert np.array_equal(plain.arrival_s, heavy.arrival_s)
    n = min(heavy.n_requests, other.n_requests)
    assert np.array_equal(heavy.service_time_s[:n], other.service_time_s[:n])


def test_a_longer_horizon_begins_with_the_same_requests():
    traffic = {"streams": [USERS, AGENTS, BURSTS, NIGHTLY]}
    short = generate(scenario_with(traffic, horizon="1d"), 0)
    long = generate(scenario_with(traffic, horizon="3d"), 0)

    np.testing.assert_allclose(
        long.arrival_s[: short.n_requests], short.arrival_s, rtol=1e-12
    )


def test_requests_at_one_moment_stand_in_the_order_of_the_streams():
    batch = {"process": "cron", "every": "1h", "batch_size": 2}
    streams = [{"name": "b", "arrivals": batch}, {"name": "a", "arrivals": batch}]

    arrivals = generate(scenario_with({"streams": streams}, horizon="90m"), 0)

    assert arrivals.arrival_s.tolist() == [3600] * 4
    assert arrivals.source.tolist() == [0, 0, 1, 1]


def test_a_spike_acts_on_rates_and_not_on_cron():
    traffic = {"streams": [USERS, NIGHTLY], "spikes": [{"shape": "event", "at": "1h"}]}
    traffic["spikes"][0]["magnitude"] = 10

    arrivals = generate(scenario_with(traffic), 0)
    calm = generate(scenario_with({"streams": [USERS, NIGHTLY]}), 0)

    assert len(arrivals_of(arrivals, "nightly")) == 200
    assert len(arrivals_of(arrivals, "users")) > 1.2 * len(arrivals_of(calm, "users"))


def test_jitter_past_the_horizon_is_cut():
    batch = {"process": "cron", "every": "1h", "batch_size": 1000, "jitter": "2m"}

    arrivals = generate(
        scenario_with(stream_of(None, arrivals=batch), horizon="61m"), 0
    )

    assert 400 < arrivals.n_requests < 600
    assert arrivals.arrival_s[-1] < 3660


def test_a_spike_after_the_horizon_is_told():
    traffic = stream_of()
    traffic["spikes"] = [{"shape": "viral", "at": "2d", "magnitude": 3}]

    assert generate(scenario_with(traffic), 0).notes == (
        "the spike 2d after the start begins after the horizon: no effect",
    )


PINNED = {
    "users": [1.0536216285164135, 5.2291298447686705, 8.95311903459829],
    "agents": [18.474649595440575, 25.535589359869334, 25.64260317269758],
    "bursts": [10.544968342143465, 13.326393105954855, 19.70668470655797],
    "nightly": [7200.112704550045, 7200.1843032880615, 7200.771337779789],
}


@pytest.mark.parametrize(
    "stream", [USERS, AGENTS, BURSTS, NIGHTLY], ids=lambda one: one["name"]
)
def test_requests_stay_as_they_are_from_version_to_version(stream):
    # Results are reproduced from the seed: a change here changes every result.
    arrivals = generate(scenario_with({"streams": [stream]}), 0)

    np.testing.assert_allclose(
        arrivals.arrival_s[:3], PINNED[stream["name"]], rtol=1e-13
    )


def test_no_requests_are_no_trouble():
    arrivals = generate(scenario_with(stream_of("0/s")), 0)

    assert arrivals.n_requests == 0
    assert arrivals.mean_rate_per_s == 0


def test_a_trace_is_read_with_what_the_service_takes(tmp_path):
    path = tmp_path / "requests.csv"
    path.write_text("arrival,duration\n0,5\n10,6\n40,7\n")
    scenario = scenario_with({"trace": {"path": str(path)}}, service={"time": "trace"})

    trace = load_trace(scenario)

    assert np.asarray(trace.arrival_s[0:3]).tolist() == [0, 10, 40]
    assert np.asarray(trace.duration_s[0:3]).tolist() == [5, 6, 7]
    assert load_trace(scenario_with(stream_of())) is None


def test_a_trace_gives_the_horizon():
    scenario = scenario_with(
        {"trace": REPLAYED}, horizon=None, service={"time": "trace"}
    )

    arrivals = generate(scenario, 0, THREE)

    assert arrivals.horizon_s == horizon_s(scenario, THREE) == 60
    assert arrivals.arrival_s.tolist() == [0, 10, 40]
    assert arrivals.service_time_s.tolist() == [5, 6, 7]
    assert arrivals.sources == ("trace",)
    assert arrivals.notes == ("3 requests in 40s",)


def test_a_stretched_trace_gives_a_longer_horizon():
    scenario = scenario_with({"trace": {**REPLAYED, "scale_time": 3.0}}, horizon=None)

    assert horizon_s(scenario, THREE) == 180


def test_the_last_bin_ends_the_horizon():
    trace = TraceData(
        np.array([0.0, 60.0]), count=np.array([5, 9]), width_s=np.full(2, 60.0)
    )

    assert horizon_s(scenario_with({"trace": REPLAYED}, horizon=None), trace) == 120


def test_warnings_of_the_trace_are_told():
    trace = replace(THREE, warnings=("these are results of a load test",))

    assert trace_warnings(trace) == ("these are results of a load test",)
    assert trace_warnings(None) == ()


def test_recorded_work_follows_its_request():
    trace = TraceData(np.zeros(500), duration_s=np.arange(500.0))
    keys = {**REPLAYED, "jitter": "10s", "scale_rate": 1.5}
    scenario = scenario_with({"trace": keys}, horizon="1h", service={"time": "trace"})

    arrivals = generate(scenario, 0, trace)

    counts = np.bincount(arrivals.service_time_s.astype(int), minlength=500)
    assert set(counts) == {1, 2}
    assert np.all(np.diff(arrivals.arrival_s) >= 0)


def test_a_trace_without_jitter_arrives_alike_and_is_served_differently():
    time = {"distribution": "exponential", "mean": "1s"}
    scenario = scenario_with({"trace": REPLAYED}, service={"time": time})

    first, second = generate(scenario, 0, THREE), generate(scenario, 1, THREE)

    assert np.array_equal(first.arrival_s, second.arrival_s)
    assert not np.array_equal(first.service_time_s, second.service_time_s)


def test_bins_arrive_differently_in_each_replication():
    trace = TraceData(np.zeros(1), count=np.array([9]), width_s=np.array([60.0]))
    scenario = scenario_with({"trace": REPLAYED}, horizon="1m")

    first, second = generate(scenario, 0, trace), generate(scenario, 1, trace)

    assert len(first.arrival_s) == len(second.arrival_s) == 9
    assert not np.any(first.arrival_s == second.arrival_s)


def test_a_trace_beside_streams_leaves_them_as_they_are():
    traffic = {"streams": [USERS], "trace": REPLAYED}

    arrivals = generate(scenario_with(traffic), 0, THREE)

    alone = generate(scenario_with({"streams": [USERS]}), 0)
    assert np.array_equal(arrivals_of(arrivals, "users"), alone.arrival_s)
    assert arrivals_of(arrivals, "trace").tolist() == [0, 10, 40]


def test_a_trace_keeps_its_place_in_the_calendar():
    trace = replace(THREE, start=datetime(2026, 3, 2, 1, tzinfo=UTC))

    arrivals = generate(scenario_with({"trace": REPLAYED}), 0, trace)

    # The scenario starts at midnight of a clock that is one hour ahead.
    assert arrivals.arrival_s.tolist() == [7200, 7210, 7240]


def test_times_without_an_offset_are_those_of_the_clock_of_the_start():
    trace = replace(THREE, start=datetime(2026, 3, 2, 1))  # noqa: DTZ001

    arrivals = generate(scenario_with({"trace": REPLAYED}), 0, trace)

    assert arrivals.arrival_s.tolist() == [3600, 3610, 3640]


TOKENS = {"prefill": "8000 tokens/s", "decode": "45 tokens/s"}


def test_tokens_of_a_trace_become_service_times():
    trace = TraceData(
        np.array([0.0, 10.0]),
        input_tokens=np.array([800, 0]),
        output_tokens=np.array([90, 45]),
    )
    scenario = scenario_with(
        {"trace": REPLAYED}, service={"tokens": TOKENS}, horizon=None
    )

    np.testing.assert_allclose(generate(scenario, 0, trace).service_time_s, [2.1, 1.0])


def test_requests_of_streams_are_served_like_those_of_the_trace_beside_them():
    traffic = {"streams": [USERS], "trace": REPLAYED}
    scenario = scenario_with(traffic, service={"time": "trace"})

    arrivals = generate(scenario, 0, THREE)

    of_trace = arrivals.source == 1
    assert arrivals.service_time_s[of_trace].tolist() == [5, 6, 7]
    others = arrivals.service_time_s[~of_trace]
    n = np.bincount(others.astype(int), minlength=8)[5:]
    assert n.sum() == len(others) > 10_000
    assert stats.chisquare(n).pvalue > 1e-3


def test_resampled_work_differs_between_replications():
    traffic = {"streams": [USERS], "trace": REPLAYED}
    scenario = scenario_with(traffic, service={"time": "trace"})

    first, second = generate(scenario, 0, THREE), generate(scenario, 1, THREE)

    assert not np.array_equal(first.service_time_s[:99], second.service_time_s[:99])


def test_a_trace_without_the_work_that_is_asked_for_is_refused():
    scenario = scenario_with({"trace": REPLAYED}, service={"time": "trace"})

    with pytest.raises(InputError, match=r"service\.time is 'trace', but no durations"):
        generate(scenario, 0, TraceData(np.array([0.0, 10.0])))


def test_work_from_a_trace_that_is_not_there_is_refused():
    with pytest.raises(InputError, match=r"service\.time is 'trace', but no durations"):
        generate(scenario_with(stream_of(), service={"time": "trace"}), 0)


def test_a_repeated_trace_needs_a_horizon():
    scenario = scenario_with({"trace": {**REPLAYED, "repeat": True}}, horizon=None)

    with pytest.raises(InputError, match="a trace that repeats needs the scenario's"):
        generate(scenario, 0, THREE)


def test_a_single_request_gives_no_horizon_and_cannot_repeat():
    one = TraceData(np.zeros(1))

    with pytest.raises(InputError, match="the trace gives no horizon"):
        generate(scenario_with({"trace": REPLAYED}, horizon=None), 0, one)
    with pytest.raises(InputError, match="repeat needs a trace with requests at two"):
        generate(scenario_with({"trace": {**REPLAYED, "repeat": True}}), 0, one)
    assert generate(scenario_with({"trace": REPLAYED}), 0, one).n_requests == 1


def test_a_warm_up_must_be_shorter_than_the_trace():
    scenario = scenario_with({"trace": REPLAYED}, horizon=None, warm_up="1m")

    with pytest.raises(InputError, match=r"warm_up \(60s\) must be shorter than the"):
        generate(scenario, 0, THREE)


EVERY_MICROSECOND = {"process": "cron", "every": "1us", "batch_size": 1}
A_MILLION_A_MINUTE = {
    "process": "cron",
    "schedule": "* * * * *",
    "batch_size": 10**6,
}
RESTLESS = {
    "process": "mmpp",
    "states": [{"rate": "1/s", "mean_sojourn": "1us"}] * 2,
}


MADE_AT_ONCE = "at most 250,000,000 fit in memory"
DRAWN = "at most 17,179,869,183 can be simulated"


@pytest.mark.parametrize(
    ("traffic", "refusal"),
    [
        (stream_of("1M/s"), DRAWN),
        (stream_of("1/s", trend={"growth_per_month": 1000}), DRAWN),
        (stream_of(None, arrivals=EVERY_MICROSECOND), MADE_AT_ONCE),
        (stream_of(None, arrivals=A_MILLION_A_MINUTE), MADE_AT_ONCE),
        (stream_of("1/day", arrivals=RESTLESS), DRAWN),
    ],
    ids=["rate", "growth", "period", "batch", "states"],
)
def test_more_requests_than_can_be_made_are_refused_at_once(traffic, refusal):
    horizon = "1000000h" if "trend" in traffic["streams"][0] else "1d"

    with pytest.raises(InputError, match=refusal):
        arrival_chunks(scenario_with(traffic, horizon=horizon), 0)


def test_a_trace_repeated_too_often_is_refused():
    trace = TraceData(np.array([0.0, 0.01]))
    keys = {**REPLAYED, "repeat": True}
    scenario = scenario_with({"trace": keys}, horizon="100d")

    with pytest.raises(InputError, match=DRAWN):
        arrival_chunks(scenario_with({"trace": keys}, horizon="3000d"), 0, trace)
    # More than fit in memory can be made all the same, piece by piece.
    assert len(next(arrival_chunks(scenario, 0, trace)).arrival_s) == CHUNK_SIZE


def test_a_trace_that_was_not_loaded_is_a_mistake():
    scenario = scenario_with({"trace": REPLAYED})

    with pytest.raises(ValueError, match="is read by load_trace and passed on"):
        generate(scenario, 0)


def test_requests_of_a_trace_are_expected_by_their_number_in_bins():
    keys = {**REPLAYED, "scale_rate": 0.5}
    scenario = scenario_with({"streams": [USERS], "trace": keys})
    trace = TraceData(
        np.array([0.0, 86_340.0]), count=np.array([300, 60]), width_s=np.full(2, 120.0)
    )

    # Half of the second bin is after the horizon.
    assert expected_requests(scenario, trace, 86_400.0) == pytest.approx(
        43_200 + 0.5 * (300 + 30)
    )


def test_a_schedule_of_few_days_is_counted_exactly():
    yearly = {"process": "cron", "schedule": "0 0 1 1 *", "batch_size": 10**6}
    scenario = scenario_with(stream_of(None, arrivals=yearly))

    assert expected_requests(scenario, None, 10 * 365 * 86400.0) == 10**7
