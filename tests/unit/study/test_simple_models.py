"""What is simple comes out as simple; the replay is the log itself."""

from datetime import UTC, datetime

import numpy as np
import pytest
from fitted_logs import DAY, arrivals_of

from costsim.study.bench import Measured, PoolCheck
from costsim.study.fitting import Fit, fit
from costsim.study.selfcheck import check
from costsim.traffic.fit.plain import (
    counts_are_independent,
    gaps_are_exponential,
    rate_changes,
)
from costsim.traffic.fit.service import fit_service
from costsim.traffic.trace import TraceData

HOURS = [0.2] * 6 + [1.0, 1.4, 1.8, 2.0, 2.0, 1.8] + [1.4] * 6 + [1.0, 0.8] + [0.4] * 4


@pytest.mark.parametrize("mean_gap_s", [20.0, 60.0])
def test_a_constant_rate_is_plain_poisson(mean_gap_s):
    rng = np.random.default_rng(1)
    arrival_s = np.cumsum(rng.exponential(mean_gap_s, 1500))
    log = TraceData(
        arrival_s - arrival_s[0], duration_s=rng.lognormal(1.0, 0.6, arrival_s.size)
    )

    found = fit(log)

    (stream,) = found.traffic["streams"]
    assert found.process == "poisson"
    assert stream.keys() == {"name", "rate", "arrivals"}
    assert stream["arrivals"] == {"process": "poisson"}


def test_day_and_night_are_poisson_with_a_profile():
    arrival_s = arrivals_of(
        {"process": "poisson"},
        rate="0.005 rps",
        horizon_s=14 * DAY,
        start="2026-03-02T00:00+00:00",
        seasonal={"hour_of_day": HOURS},
    )
    log = TraceData(arrival_s - arrival_s[0], start=datetime(2026, 3, 2, tzinfo=UTC))

    found = fit(log)

    (stream,) = found.traffic["streams"]
    assert found.process == "poisson"
    assert "noise" not in stream
    assert len(stream["seasonal"]["hour_of_day"]) == 24
    assert check(log, found).use


def sessions_log():
    rng = np.random.default_rng(3)
    begin_s = np.sort(2 * DAY * rng.random(800))
    sizes = rng.geometric(1 / 4.5, begin_s.size)
    user = np.repeat(np.arange(begin_s.size), sizes)
    gaps_s = rng.lognormal(np.log(70.0), 1.0, sizes.sum())
    first = np.cumsum(sizes) - sizes
    gaps_s[first] = 0.0
    since_s = np.cumsum(gaps_s) - np.repeat(np.cumsum(gaps_s)[first], sizes)
    arrival_s = np.repeat(begin_s, sizes) + since_s
    order = np.argsort(arrival_s)
    arrival_s = arrival_s[order]
    return TraceData(arrival_s - arrival_s[0], session=user[order])


def test_sessions_with_a_key_are_sessions():
    found = fit(sessions_log(), effort=0.05)

    assert found.process == "sessions"
    arrivals = found.traffic["streams"][0]["arrivals"]
    assert arrivals["requests_per_session"] == pytest.approx(4.5, rel=0.1)


@pytest.mark.parametrize(
    ("shape", "exponential"), [(1.0, True), (0.8, False), (1.3, False)]
)
def test_gaps_tell_other_renewals_from_poisson(shape, exponential):
    rng = np.random.default_rng(2)

    found = gaps_are_exponential(np.cumsum(rng.gamma(shape, 1.0, 5000)))

    assert found is exponential


@pytest.mark.parametrize(("sigma", "independent"), [(0.0, True), (0.2, False)])
def test_counts_tell_a_changing_rate_from_poisson(sigma, independent):
    rng = np.random.default_rng(2)
    rates = 10.0 * np.exp(sigma * np.repeat(rng.normal(size=50), 40))

    found = counts_are_independent(rng.poisson(rates), np.full(2000, 10.0))

    assert found is independent


@pytest.mark.parametrize(("last", "changes"), [(10.0, False), (14.0, True)])
def test_stages_need_a_rate_that_changes(last, changes):
    rng = np.random.default_rng(2)

    found = rate_changes(rng.poisson(np.linspace(10.0, last, 240)), 6)

    assert found is changes


def long_work_in_a_rush():
    """Return a log whose requests take longer where they come faster."""
    rng = np.random.default_rng(4)
    calm, rush = rng.exponential(100.0, 300), rng.exponential(4.0, 300)
    gaps_s = np.concatenate([part for _ in range(3) for part in (calm, rush)])
    work_s = np.tile(np.repeat([1.0, 20.0], 300), 3)
    arrival_s = np.cumsum(gaps_s)
    return TraceData(arrival_s - arrival_s[0], duration_s=work_s)


def model(log, service, *, own_work):
    streams = [
        {"name": "users", "rate": "0.02 rps", "arrivals": {"process": "poisson"}}
    ]
    return Fit(
        traffic={"streams": streams},
        service=service,
        start=None,
        horizon_s=log.span_s,
        process="poisson",
        tried=(),
        notes=(),
        warnings=(),
        own_work=own_work,
    )


def p95_of_replays(log):
    """Return the replay's p95 with the log's own work, and with its law."""
    service, _ = fit_service(log)
    return [
        check(log, model(log, service, own_work=own_work), seeds=3).pools[0].log.p95_s
        for own_work in (True, False)
    ]


def test_the_replay_takes_the_work_of_the_log():
    own, law = p95_of_replays(long_work_in_a_rush())

    assert own < 0.85 * law


def test_the_replay_takes_the_tokens_of_the_log():
    log = long_work_in_a_rush()
    tokens = TraceData(
        log.arrival_s,
        input_tokens=np.full(log.n_requests, 100.0),
        output_tokens=40.0 * log.duration_s,
    )

    own, law = p95_of_replays(tokens)

    assert own < 0.85 * law


def test_a_service_that_is_given_is_that_of_the_replay_too():
    log = TraceData(np.arange(5) * 600.0, duration_s=np.full(5, 5.0))

    assert fit(log, effort=0.02).own_work
    assert not fit(log, effort=0.02, service={"time": "1s"}).own_work


def pool_check(log_cold, model_cold, cold_spread=0.0):
    log, model = (
        Measured(1500.0, 1.0, 1.0, 2.0, cold / 1500, cold)
        for cold in (log_cold, model_cold)
    )
    nothing = (0.0, 0.0)
    return PoolCheck(
        "idle timeout 5m", log, model, nothing, nothing, nothing, (0, 0, cold_spread)
    )


def test_a_handful_of_cold_starts_does_not_choose_a_model():
    few, many = pool_check(2.0, 3.0), pool_check(200.0, 300.0)

    assert few.badness == pytest.approx(2.5)
    assert few.telling_badness < 0.5
    assert many.telling_badness == many.badness == pytest.approx(2.5)


def test_an_error_within_the_spread_of_the_seeds_is_luck():
    assert pool_check(100.0, 130.0, cold_spread=0.2).is_luck
    assert not pool_check(100.0, 130.0, cold_spread=0.1).is_luck


def test_the_verdict_says_that_cold_starts_are_few():
    rng = np.random.default_rng(3)
    arrival_s = np.cumsum(rng.exponential(20.0, 1500))
    log = TraceData(
        arrival_s - arrival_s[0], duration_s=rng.lognormal(1.0, 0.6, arrival_s.size)
    )

    answer = check(log, fit(log))

    assert not answer.use
    assert "cold starts are too few to compare (" in answer.verdict
    assert " in 1,500)" in answer.verdict
