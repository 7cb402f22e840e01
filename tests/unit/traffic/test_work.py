import numpy as np
import pytest
from pydantic import TypeAdapter
from scipy import stats
from traffic_scenario import filled

from costsim.errors import InputError
from costsim.scenario.distributions import DurationDistribution
from costsim.scenario.schema import Service
from costsim.traffic.laws import quantile, sampler, uniforms
from costsim.traffic.recorded import RecordedWork
from costsim.traffic.streams import stream_rng
from costsim.traffic.trace import TraceData
from costsim.traffic.work import service_times, trace_needs

N = 20_000
LAWS = {
    "exponential": ({"distribution": "exponential", "mean": "2s"}, stats.expon(0, 2)),
    "lognormal": (
        {"distribution": "lognormal", "median": "900ms", "sigma": 0.5},
        stats.lognorm(0.5, 0, 0.9),
    ),
    "lognormal-mean": (
        {"distribution": "lognormal", "mean": "3s", "sigma": 1.2},
        stats.lognorm(1.2, 0, 3 * np.exp(-0.72)),
    ),
    "gamma": (
        {"distribution": "gamma", "mean": "2s", "shape": 3.0},
        stats.gamma(3, 0, 2 / 3),
    ),
    "gamma-cv": (
        {"distribution": "gamma", "mean": "2s", "cv": 2.0},
        stats.gamma(0.25, 0, 8),
    ),
}
EMPIRICAL = {
    "distribution": "empirical",
    "values": ["3s", "1s", "2s"],
    "weights": [1.0, 0.0, 3.0],
}


def law(keys):
    return TypeAdapter(DurationDistribution).validate_python(keys)


def rng(index=0):
    return stream_rng(5, 0, "work", index)


def work_of(service, trace=None):
    needs = sorted(trace_needs(service))
    recorded = None
    if needs:
        resample = stream_rng(5, 0, "resample"), stream_rng(5, 0, "resample", 1)
        recorded = RecordedWork(trace, needs, *resample)
    return service_times(service, (rng(0), rng(1)), recorded)


def times_of(service, n, trace=None):
    """Return the service times of n requests, of the first n rows of a trace."""
    out = np.empty(n)
    rows = None if trace is None else np.arange(n)
    work_of(service, trace)(out, rows)
    return out


@pytest.mark.parametrize("name", LAWS)
def test_samples_follow_their_law(name):
    keys, theory = LAWS[name]

    values = filled(sampler(law(keys), rng()), N)

    # Kolmogorov and Smirnov at a fixed seed, level 0.1 %.
    assert stats.kstest(values, theory.cdf).pvalue > 1e-3
    assert values.mean() == pytest.approx(
        theory.mean(), abs=4 * theory.std() / np.sqrt(N)
    )


@pytest.mark.parametrize("name", LAWS)
def test_quantiles_agree_with_scipy(name):
    keys, theory = LAWS[name]
    u = np.array([1e-6, 0.01, 0.25, 0.5, 0.75, 0.99, 1 - 1e-6])

    np.testing.assert_allclose(quantile(law(keys), u), theory.ppf(u), rtol=1e-9)


@pytest.mark.parametrize("name", LAWS)
def test_quantiles_of_uniforms_follow_the_law(name):
    keys, theory = LAWS[name]

    values = quantile(law(keys), uniforms(N, rng()))

    assert stats.kstest(values, theory.cdf).pvalue > 1e-3


def test_a_constant_is_always_itself():
    assert filled(sampler(law("25s"), rng()), 3).tolist() == [25.0, 25.0, 25.0]
    assert quantile(law("25s"), np.array([0.1, 0.9])).tolist() == [25.0, 25.0]


def test_an_empirical_quantile_is_the_smallest_value_that_reaches_u():
    u = np.array([1e-9, 0.75, 0.7500001, 1 - 1e-9])

    assert quantile(law(EMPIRICAL), u).tolist() == [2.0, 2.0, 3.0, 3.0]


def test_an_empirical_sample_has_the_weights():
    values = filled(sampler(law(EMPIRICAL), rng()), N)

    twos = int((values == 2).sum())
    assert set(values) == {2.0, 3.0}
    assert stats.binomtest(twos, N, 0.75).pvalue > 1e-3


def test_an_empirical_law_without_weights_takes_all_values_equally():
    two = law({"distribution": "empirical", "values": ["1s", "4s"]})

    values = filled(sampler(two, rng()), N)

    assert stats.binomtest(int((values == 4).sum()), N, 0.5).pvalue > 1e-3


def test_huge_weights_do_not_overflow():
    keys = {**EMPIRICAL, "weights": [1e308, 1e308, 1e308]}

    assert quantile(law(keys), np.array([0.5])).tolist() == [2.0]


def test_uniforms_are_uniform_and_never_at_the_ends():
    u = uniforms(N, rng())

    assert stats.kstest(u, "uniform").pvalue > 1e-3
    assert u.min() > 0
    assert u.max() < 1


def test_a_uniform_of_zero_is_moved_inside():
    class Zeros:
        def random(self, n):
            return np.zeros(n)

    assert uniforms(2, Zeros()).tolist() == [2.0**-54, 2.0**-54]


def test_two_laws_meet_the_same_luck():
    u = uniforms(1000, rng())

    fast = quantile(law({"distribution": "lognormal", "median": "5s", "sigma": 0.3}), u)
    slow = quantile(law({"distribution": "exponential", "mean": "60s"}), u)

    assert np.array_equal(np.argsort(fast), np.argsort(slow))


def test_service_times_are_drawn_from_the_time():
    service = Service.model_validate({"time": "2s"})

    assert times_of(service, 2).tolist() == [2.0, 2.0]


def test_service_times_are_those_of_the_trace_if_asked():
    service = Service.model_validate({"time": "trace"})
    trace = TraceData(np.zeros(2), duration_s=np.array([3.0, 4.0]))

    assert times_of(service, 2, trace).tolist() == [3.0, 4.0]


def test_tokens_take_their_time_to_be_read_and_written():
    tokens = {
        "input": 1000,
        "output": 90,
        "prefill": "8000 tokens/s",
        "decode": "45 tokens/s",
    }
    service = Service.model_validate({"tokens": tokens})

    assert times_of(service, 2).tolist() == [2.125, 2.125]


def test_tokens_are_those_of_the_trace_by_default():
    tokens = {"prefill": "100 tokens/s", "decode": "10 tokens/s"}
    service = Service.model_validate({"tokens": tokens})
    trace = TraceData(
        np.zeros(2),
        input_tokens=np.array([100.0, 200.0]),
        output_tokens=np.array([10.0, 0.0]),
    )

    assert times_of(service, 2, trace).tolist() == [2.0, 2.0]


def test_tokens_may_come_half_from_the_trace():
    tokens = {"output": 10, "prefill": "100 tokens/s", "decode": "10 tokens/s"}
    service = Service.model_validate({"tokens": tokens})
    trace = TraceData(np.zeros(1), input_tokens=np.array([300.0]))

    assert times_of(service, 1, trace).tolist() == [4.0]
    assert trace_needs(service) == {"input_tokens"}


@pytest.mark.parametrize(
    ("keys", "needs"),
    [
        ({"time": "2s"}, set()),
        ({"time": "trace"}, {"duration_s"}),
        (
            {"tokens": {"prefill": "1 tokens/s", "decode": "1 tokens/s"}},
            {"input_tokens", "output_tokens"},
        ),
    ],
    ids=["own", "duration", "tokens"],
)
def test_needs_are_what_the_service_takes_from_the_trace(keys, needs):
    assert trace_needs(Service.model_validate(keys)) == needs


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"time": "trace"}, "service.time is 'trace', but no durations"),
        (
            {"tokens": {"prefill": "1 tokens/s", "decode": "1 tokens/s"}},
            "service.tokens.input is 'trace', but no input tokens",
        ),
        (
            {"tokens": {"input": 1, "prefill": "1 tokens/s", "decode": "1 tokens/s"}},
            "service.tokens.output is 'trace', but no output tokens",
        ),
    ],
    ids=["duration", "input", "output"],
)
def test_what_was_not_recorded_cannot_be_used(keys, message):
    service = Service.model_validate(keys)

    with pytest.raises(InputError, match=message):
        times_of(service, 1, TraceData(np.zeros(1)))


def test_each_request_has_the_values_of_its_row_wherever_the_row_is_cut():
    service = Service.model_validate({"time": "trace"})
    trace = TraceData(np.zeros(3), duration_s=np.array([3.0, 4.0, 5.0]))
    fill, out = work_of(service, trace), np.empty(4)

    fill(out[:1], np.array([2]))
    fill(out[1:], np.array([2, 0, 1]))

    assert out.tolist() == [5.0, 5.0, 3.0, 4.0]


@pytest.mark.parametrize("rows", [None, np.array([0, 1])], ids=["none", "few"])
def test_as_many_rows_as_requests_must_be_given(rows):
    service = Service.model_validate({"time": "trace"})
    trace = TraceData(np.zeros(2), duration_s=np.array([3.0, 4.0]))

    with pytest.raises(ValueError, match="recorded rows for 3 requests"):
        work_of(service, trace)(np.empty(3), rows)


SKEWED = {
    "distribution": "empirical",
    "values": [f"{i}s" for i in range(1, 301)],
    "weights": [float(i % 7 == 0) / i for i in range(1, 301)],
}


@pytest.mark.parametrize(
    "keys",
    [EMPIRICAL, SKEWED, {"distribution": "empirical", "values": ["7s"]}],
    ids=["three", "many", "one"],
)
def test_an_empirical_sample_is_the_quantiles_of_uniforms(keys):
    values = filled(sampler(law(keys), rng()), N)

    assert np.array_equal(values, quantile(law(keys), uniforms(N, rng())))


def test_the_tokens_written_do_not_hang_on_those_read():
    ours = {"distribution": "lognormal", "median": 90, "sigma": 0.5}
    speeds = {"prefill": "1M tokens/s", "decode": "1 tokens/s"}
    few = Service.model_validate({"tokens": {"input": 0, "output": ours, **speeds}})
    many = Service.model_validate({"tokens": {"input": ours, "output": ours, **speeds}})

    alone, beside = times_of(few, 1000), times_of(many, 1000)

    np.testing.assert_allclose(alone, beside, rtol=0, atol=1e-2)
    read = 1e6 * (beside - alone)
    assert abs(np.corrcoef(read, alone)[0, 1]) < 4 / np.sqrt(1000)
