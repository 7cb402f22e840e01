from datetime import UTC, datetime

import numpy as np
import pytest
from fitted_logs import DAY, log_of

from costsim.errors import InputError
from costsim.scenario.schema import Scenario
from costsim.study.bench import reference_deployments, relative_error
from costsim.study.fitting import Fit, fit
from costsim.study.selfcheck import check
from costsim.study.window import cut_window
from costsim.traffic.trace import TraceData

SERVICE = {"time": {"distribution": "lognormal", "median": "2s", "sigma": 0.5}}


def model(process, rate, log, **stream):
    """Return a model that nobody fitted."""
    streams = [{"name": "users", "rate": rate, "arrivals": process, **stream}]
    return Fit(
        traffic={"streams": streams},
        service=SERVICE,
        start=None,
        horizon_s=log.span_s,
        process=process["process"],
        tried=(),
        notes=(),
        warnings=(),
    )


@pytest.fixture(scope="module")
def poisson_log():
    return log_of({"process": "poisson"}, rate="0.006 rps", horizon_s=170_000.0)


@pytest.fixture(scope="module")
def bursty_log():
    states = [
        {"rate": "0.002 rps", "mean_sojourn": "10m"},
        {"rate": "0.4 rps", "mean_sojourn": "1m"},
    ]
    process = {"process": "mmpp", "states": states}
    return log_of(process, rate="0.0382 rps", horizon_s=170_000.0)


@pytest.fixture(scope="module")
def poisson_fit(poisson_log):
    return fit(poisson_log, service=SERVICE, effort=0.05)


def test_the_model_that_made_a_log_is_used(poisson_log):
    found = check(poisson_log, model({"process": "poisson"}, "0.006 rps", poisson_log))

    assert found.use
    assert found.verdict.startswith("use the model: on all 2 pools")
    assert found.seeds == found.realizations >= 5
    assert all(abs(pool.cost_error) < 0.1 for pool in found.pools)


def test_a_model_with_twice_the_rate_is_not_used(poisson_log):
    found = check(poisson_log, model({"process": "poisson"}, "0.012 rps", poisson_log))

    assert not found.use
    assert found.verdict.startswith("replay the log: with idle timeout ")
    assert "too low" in found.verdict


def test_a_poisson_model_of_bursts_is_not_used(bursty_log):
    rate = f"{bursty_log.n_requests / bursty_log.span_s} rps"

    found = check(bursty_log, model({"process": "poisson"}, rate, bursty_log))

    assert not found.use
    assert max(abs(pool.cost_error) for pool in found.pools) > 0.1
    dispersion = next(
        one
        for one in found.figures
        if (one.figure, one.window_s) == ("dispersion", 60.0)
    )
    assert dispersion.log > 10
    assert dispersion.model_low <= dispersion.model <= dispersion.model_high < 1.3


def test_pools_of_the_user_are_checked_instead(poisson_log):
    pools = [
        {
            "name": "mine",
            "pool": {"idle_timeout": "2m", "concurrency_limit": 4},
            "billing": {"price": "2 USD/h"},
        }
    ]

    found = check(
        poisson_log,
        model({"process": "poisson"}, "0.006 rps", poisson_log),
        deployments=pools,
        setup="20s",
    )

    assert [pool.deployment for pool in found.pools] == ["mine"]
    assert "the pool tried" in found.verdict


def test_a_model_that_cannot_run_is_refused(poisson_log):
    with pytest.raises((InputError, ValueError), match="rate"):
        check(poisson_log, model({"process": "poisson"}, "nothing", poisson_log))


def test_too_few_requests_are_replayed():
    log = log_of({"process": "poisson"}, rate="0.01 rps", horizon_s=10_000.0)

    found = check(log, model({"process": "poisson"}, "0.01 rps", log))

    assert not found.use
    assert "a model needs 200 at least" in found.verdict


def test_a_poisson_log_gets_a_poisson_model(poisson_log, poisson_fit):
    found = poisson_fit

    assert found.process == "poisson"
    assert found.traffic["streams"][0]["arrivals"] == {"process": "poisson"}
    assert check(poisson_log, found).use
    assert any("less than two days" in warning for warning in found.warnings)


def test_a_bursty_log_gets_a_model_that_can_be_used(bursty_log):
    found = fit(bursty_log, service=SERVICE, effort=0.08)

    assert found.process != "poisson"
    assert found.tried[0].name == found.process
    assert check(bursty_log, found).use


def test_a_fit_is_the_same_each_time(poisson_log, poisson_fit):
    again = fit(poisson_log, service=SERVICE, effort=0.05)

    assert again.section == poisson_fit.section
    assert again.tried == poisson_fit.tried


def test_the_section_of_a_fit_is_a_scenario():
    rng = np.random.default_rng(1)
    arrival_s = np.sort(4 * DAY * rng.random(1000))
    arrival_s = arrival_s[(arrival_s % DAY) > DAY / 3]
    log = TraceData(
        arrival_s - arrival_s[0],
        duration_s=rng.lognormal(1.0, 0.5, arrival_s.size),
        start=datetime(2026, 3, 2, tzinfo=UTC),
    )

    found = fit(log, effort=0.02)
    scenario = Scenario.model_validate(
        {"name": "fitted", "deployments": reference_deployments(), **found.section}
    )

    assert scenario.horizon == pytest.approx(log.span_s + log.mean_gap_s)
    assert scenario.traffic.streams[0].seasonal.hour_of_day is not None
    assert scenario.service.time.distribution == "lognormal"
    assert scenario.service.time.sigma == pytest.approx(0.5, abs=0.03)


def test_cron_is_found():
    log = TraceData(np.arange(300) * 600.0)

    found = fit(log, service=SERVICE, effort=0.02)

    assert found.process == "cron"
    assert check(log, found).use


@pytest.mark.parametrize(
    "log",
    [
        TraceData(np.zeros(1)),
        TraceData(np.zeros(300)),
        TraceData(np.array([0.0, 100.0])),
        TraceData(np.array([0.0, 1.0, 3e7])),
        TraceData(np.zeros(1), count=np.array([500]), width_s=np.array([60.0])),
        TraceData(
            np.arange(50) * 60.0,
            count=np.array([1] + 49 * [0]),
            width_s=np.full(50, 60.0),
        ),
    ],
    ids=["one", "one moment", "two", "a year of three", "one bin", "empty bins"],
)
def test_logs_that_tell_little_are_fitted_and_checked(log):
    found = fit(log, effort=0.02)

    assert check(log, found).verdict
    assert found.horizon_s >= 1.0


def test_a_window_keeps_the_middle_days_and_their_level():
    log = TraceData(np.arange(0, 9 * DAY, 10.0))

    window = cut_window(log, 9 * DAY, 26_000, datetime(2026, 3, 2, tzinfo=UTC))

    assert window.begin_s == 3 * DAY
    assert window.horizon_s == 3 * DAY
    assert window.start == "2026-03-05T00:00:00+00:00"
    assert window.level == pytest.approx(1.0, rel=0.001)
    assert window.trace.n_requests == pytest.approx(3 * 8640, abs=1)


def test_a_model_for_a_window_has_its_rate_and_its_spikes():
    arrival_s = np.concatenate(
        [np.arange(0, 4 * DAY, 20.0), np.arange(4 * DAY, 8 * DAY, 10.0)]
    )
    window = cut_window(TraceData(arrival_s), 8 * DAY, 13_000, None)
    traffic = {
        "streams": [{"name": "users", "rate": "1 rps"}],
        "spikes": [{"at": "1d"}, {"at": "4d"}],
    }

    moved = window.model(traffic)

    assert moved["streams"][0]["rate"] == f"{window.level!r} rps"
    assert moved["spikes"] == [{"at": f"{4 * DAY - window.begin_s!r}s"}]


def test_a_window_goes_where_the_requests_are():
    burst = 5 * DAY + np.arange(40_000) * 0.01
    log = TraceData(np.concatenate([[0.0], burst, [30 * DAY]]))

    window = cut_window(log, 30 * DAY, 10_000, None)

    assert window.trace.n_requests == pytest.approx(10_000, rel=0.01)
    assert window.begin_s > 5 * DAY


@pytest.mark.parametrize(
    ("model_value", "log_value", "error"),
    [(1.2, 1.0, 0.2), (0.0, 0.0, 0.0), (1.0, 0.0, np.inf), (np.nan, 1.0, np.inf)],
)
def test_errors_are_relative_to_the_log(model_value, log_value, error):
    assert relative_error(model_value, log_value) == pytest.approx(error)


def test_errors_without_a_value_are_none():
    assert relative_error(np.nan, np.nan) == 0.0
