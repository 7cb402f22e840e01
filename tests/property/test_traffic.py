"""Laws of the traffic that hold for all scenarios and all files."""

import csv
import gzip
import io
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from traffic_scenario import first_rate, scenario_with, times_of
from whole_traffic import generate

from costsim.errors import TraceError
from costsim.scenario.cron import parse_cron
from costsim.scenario.distributions import DurationDistribution
from costsim.scenario.trace import Trace
from costsim.traffic.cron import cron_times
from costsim.traffic.formats.detect import read_trace
from costsim.traffic.laws import quantile

# A file is written anew in each example, so that one folder serves them all.
in_one_folder = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
few = settings(max_examples=60, deadline=None)

weights = st.floats(0, 10).map(lambda x: round(x, 2))
starts = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).flatmap(  # noqa: DTZ001
    lambda t: st.integers(-12, 14).map(
        lambda hours: t.replace(tzinfo=timezone(timedelta(hours=hours)))
    )
)
minutes = st.integers(0, 3 * 1440).map(lambda n: f"{n}m")


@st.composite
def seasonals(draw):
    hours = draw(st.lists(weights, min_size=24, max_size=24))
    days = draw(st.lists(weights, min_size=7, max_size=7))
    return {"hour_of_day": [*hours[:23], 1.0], "day_of_week": [*days[:6], 1.0]}


@st.composite
def spikes(draw):
    height = draw(st.sampled_from([{"magnitude": 7.0}, {"peak": "0.01/s"}]))
    at = {"at": draw(minutes), **height}
    event = {"shape": "event", "rise": draw(minutes), "hold": draw(minutes)}
    viral = {"shape": "viral", "rise": draw(minutes), "decay_exponent": 1.2}
    return {**at, **draw(st.sampled_from([event, viral]))}


@st.composite
def processes(draw):
    return draw(
        st.sampled_from(
            [
                {"process": "poisson"},
                {"process": "gamma", "burstiness": 0.2},
                {"process": "gamma", "cv": 0.1},
                {
                    "process": "mmpp",
                    "states": [
                        {"rate": "0/s", "mean_sojourn": "1h"},
                        {"rate": "3/s", "mean_sojourn": "5m"},
                    ],
                },
            ]
        )
    )


@st.composite
def scenarios(draw):
    stream = {
        "rate": "0.01/s",
        "seasonal": draw(seasonals()),
        "trend": {"growth_per_month": draw(st.floats(-0.9, 3))},
        "arrivals": draw(processes()),
    }
    return scenario_with(
        {"streams": [stream], "spikes": draw(st.lists(spikes(), max_size=2))},
        start=draw(starts).isoformat(),
        horizon=draw(st.integers(1, 10 * 86400).map(lambda n: f"{n}s")),
        seed=draw(st.integers(0, 2**63 - 1)),
    )


def rate_of(scenario):
    return first_rate(scenario, scenario.start, scenario.horizon)


@few
@given(scenarios())
def test_requests_ascend_within_the_horizon(scenario):
    arrivals = generate(scenario, 0)

    assert np.all(np.diff(arrivals.arrival_s) >= 0)
    assert np.all(arrivals.arrival_s >= 0)
    assert np.all(arrivals.arrival_s < scenario.horizon)


@few
@given(scenarios())
def test_nothing_arrives_where_the_rate_is_zero(scenario):
    rate = rate_of(scenario)

    arrival_s = generate(scenario, 0).arrival_s

    cell = np.searchsorted(rate.edges_s, arrival_s, side="right") - 1
    assert np.all(rate.rates_per_s[cell] > 0)


@few
@given(scenarios())
def test_the_integral_of_a_rate_is_inverted(scenario):
    rate = rate_of(scenario)
    operational = np.linspace(0, rate.total, 500)
    operational = operational[operational < rate.total]

    times = times_of(rate, operational)

    assert np.all(np.diff(times) >= 0)
    back = np.interp(times, rate.edges_s, rate.expected)
    np.testing.assert_allclose(back, operational, atol=1e-9 * max(1.0, rate.total))


@few
@given(scenarios(), st.integers(1, 1000).map(lambda n: n / 1000))
def test_a_rate_up_to_an_earlier_end_is_the_same_rate(scenario, share):
    earlier = scenario.model_copy(update={"horizon": scenario.horizon * share})

    whole, part = rate_of(scenario), rate_of(earlier)

    expected = np.interp(part.edges_s, whole.edges_s, whole.expected)
    np.testing.assert_allclose(part.expected[:-1], expected[:-1], rtol=1e-6, atol=1e-6)


LAWS = st.sampled_from(
    [
        {"distribution": "exponential", "mean": "3s"},
        {"distribution": "lognormal", "median": "3s", "sigma": 0.7},
        {"distribution": "gamma", "mean": "3s", "cv": 0.4},
        {"distribution": "gamma", "mean": "3s", "shape": 0.05},
        {
            "distribution": "empirical",
            "values": ["3s", "1s", "9s"],
            "weights": [1, 0, 2],
        },
        {"distribution": "constant", "value": "3s"},
    ]
)


@few
@given(LAWS, st.lists(st.floats(2.0**-54, 1 - 2.0**-53), min_size=1, max_size=50))
def test_quantiles_rise_and_are_not_negative(keys, u):
    law = TypeAdapter(DurationDistribution).validate_python(
        {k: [float(w) for w in v] if k == "weights" else v for k, v in keys.items()}
    )

    values = quantile(law, np.sort(np.array(u)))

    assert np.all(np.isfinite(values))
    assert np.all(values >= 0)
    # Rising but for rounding.
    assert np.all(np.diff(values) >= -1e-12 * values[1:])


@st.composite
def cron_fields(draw):
    def field(low, high):
        value = st.integers(low, high)
        span = st.tuples(value, value).map(sorted)
        return st.one_of(
            st.just("*"),
            value.map(str),
            st.lists(value, min_size=1, max_size=3).map(
                lambda values: ",".join(map(str, values))
            ),
            span.map(lambda ends: f"{ends[0]}-{ends[1]}"),
            st.integers(1, high - low).map(lambda step: f"*/{step}"),
        )

    bounds = [(0, 59), (0, 23), (1, 28), (1, 12), (0, 6)]
    return " ".join(draw(field(*bound)) for bound in bounds)


def values_of(text, low, high):
    """Return what a field matches, written once more and differently."""
    if text.startswith("*"):
        return set(range(low, high + 1, int(text[2:] or 1)))
    parts = [list(map(int, part.split("-"))) for part in text.split(",")]
    return {value for part in parts for value in range(part[0], part[-1] + 1)}


def matches(text, moment):
    minute, hour, day, month, weekday = text.split()
    by_day = moment.day in values_of(day, 1, 31)
    by_weekday = moment.isoweekday() % 7 in values_of(weekday, 0, 6)
    either = day[0] != "*" and weekday[0] != "*"
    return (
        moment.minute in values_of(minute, 0, 59)
        and moment.hour in values_of(hour, 0, 23)
        and moment.month in values_of(month, 1, 12)
        and (by_day or by_weekday if either else by_day and by_weekday)
    )


@few
@given(cron_fields(), st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1)))  # noqa: DTZ001
def test_cron_happens_in_the_minutes_that_match(text, begin):
    start = begin.replace(second=0, microsecond=0, tzinfo=UTC)
    n_minutes = 3 * 1440
    walk = [start + timedelta(minutes=i) for i in range(n_minutes)]

    times = cron_times(parse_cron(text), start, n_minutes * 60.0)

    assert times.tolist() == [
        60.0 * i for i, moment in enumerate(walk) if matches(text, moment)
    ]


@in_one_folder
@given(
    data=st.data(),
    delimiter=st.sampled_from(",;\t"),
    end=st.sampled_from(["\n", "\r\n"]),
    per_second=st.sampled_from([1, 10**3, 10**6, 10**9]),
    packed=st.booleans(),
    marked=st.booleans(),
)
def test_what_is_written_is_read_back(
    tmp_path, data, delimiter, end, per_second, packed, marked
):
    rows = data.draw(
        st.lists(
            st.tuples(st.integers(0, 10**6), st.integers(0, 10**5)),
            min_size=1,
            max_size=30,
        )
    )
    epoch = 1_772_452_800
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
    writer.writerow(["model", "timestamp", "output_tokens"])
    writer.writerows(['a, b;\t"c"', (epoch + t) * per_second, n] for t, n in rows)
    content = text.getvalue().encode("utf-8-sig" if marked else "utf-8")
    path = tmp_path / "requests.csv"
    path.write_bytes(gzip.compress(content) if packed else content)

    trace = read_trace(Trace(path=str(path)))

    in_order = sorted(rows, key=lambda row: row[0])
    first = in_order[0][0]
    assert trace.arrival_s.tolist() == pytest.approx(
        [t - first for t, _ in in_order], abs=1e-5
    )
    assert trace.output_tokens.tolist() == [n for _, n in in_order]
    assert trace.start == datetime.fromtimestamp(epoch + first, UTC)


def read_or_refused(path):
    try:
        return read_trace(Trace(path=str(path))), None
    except TraceError as error:
        return None, error


@in_one_folder
@given(
    content=st.one_of(
        st.binary(max_size=300),
        st.text(max_size=300).map(str.encode),
        st.text('0123456789.,;-:TZ \n"e', max_size=200).map(
            lambda text: f"arrival,duration\n{text}".encode()
        ),
        st.binary(max_size=60).map(
            lambda junk: gzip.compress(b"arrival\n1\n")[:-9] + junk
        ),
    ),
    name=st.sampled_from(["requests.csv", "requests.csv.gz"]),
)
def test_any_file_is_read_or_refused_with_its_name(tmp_path, content, name):
    path = tmp_path / name
    path.write_bytes(content)

    trace, error = read_or_refused(path)

    assert (trace is None) != (error is None)
    assert error is None or error.path == str(path)
    assert error is None or error.message.isprintable()
    arrival_s = np.zeros(1) if trace is None else trace.arrival_s
    assert arrival_s[0] == 0
    assert np.all(np.diff(arrival_s) >= 0)
    assert np.all(np.isfinite(arrival_s))
