"""Schedules of deployments on a platform: what the platform allows, and where it stops."""

from __future__ import annotations

from dataclasses import replace

import pytest

from costsim.catalog.platform import Catalog, load_catalog
from costsim.errors import ScenarioError
from costsim.scenario.deployment import resolve
from costsim.scenario.load import load_scenario, scenario_warnings
from costsim.scenario.schema import Scenario

CATALOG = load_catalog()
MODAL = {"name": "m", "platform": "modal", "gpu": "L4"}
BASETEN = {"name": "b", "platform": "baseten", "instance": "L4:4x16"}
EC2 = {"name": "e", "platform": "ec2", "instance": "g6.xlarge"}
OFFICE = {"when": "Mon-Fri 08:00-18:00 Europe/Paris", "min_replicas": 2}


def one(deployment, *schedule, catalog=CATALOG, **keys):
    """Resolve a single deployment with a schedule."""
    document = {
        "name": "test",
        "start": "2026-03-02T00:00+01:00",
        "horizon": "7d",
        "traffic": {"streams": [{"rate": "48/h"}]},
        "service": {"time": "900ms"},
        "setup": "25s",
        "deployments": [{**deployment, "schedule": list(schedule)}],
    }
    scenario = Scenario.model_validate(document | keys)
    return resolve(scenario, catalog).deployments[0]


def problem(deployment, *schedule, **keys):
    """Return key and message of the one thing that is wrong."""
    with pytest.raises(ScenarioError) as raised:
        one(deployment, *schedule, **keys)
    (found,) = raised.value.problems
    return found.key, found.message


@pytest.mark.parametrize(
    "deployment",
    [MODAL, {**BASETEN, "settings": {"max_replica": 4}}],
    ids=["modal", "baseten"],
)
def test_a_schedule_reaches_the_pool_of_a_platform(deployment):
    resolved = one(deployment, OFFICE)

    assert [entry.min_replicas for entry in resolved.pool.schedule] == [2]
    assert resolved.pool.min_replicas == 0


def test_a_minimum_above_the_maximum_of_the_settings_is_refused():
    settings = {"max_containers": 3}

    key, message = problem(
        {**MODAL, "settings": settings}, {**OFFICE, "min_replicas": 4}
    )

    assert key == "deployments.0.schedule.0.min_replicas"
    assert "min_replicas (4, of entry 0) must not exceed max_replicas (3" in message


def test_a_minimum_above_what_the_plan_gives_is_refused():
    key, message = problem(MODAL, {**OFFICE, "min_replicas": 11})

    assert key == "deployments.0.schedule.0.min_replicas"
    assert message.startswith("min_replicas (11) must not exceed 10: plan starter")


def test_a_maximum_above_what_the_plan_gives_is_cut_with_a_warning():
    resolved = one(MODAL, {**OFFICE, "max_replicas": 50})

    assert resolved.pool.schedule[0].max_replicas == 10
    assert (
        "schedule.0.max_replicas 50 is cut to 10: plan starter with 10 GPUs"
        in resolved.warnings
    )


def test_a_bound_that_the_vendors_own_setting_would_not_take_is_refused():
    key, message = problem(MODAL, {"when": "daily", "max_replicas": 0})

    assert key == "deployments.0.schedule.0.max_replicas"
    assert message.startswith("as max_containers of Modal")
    assert "0 is out of range; allowed is a whole number from 1" in message


def test_instances_that_are_always_on_can_be_so_by_the_clock():
    ten = {"when": "Mon-Fri 08:00-18:00", "min_replicas": 3, "max_replicas": 3}

    resolved = one({**EC2, "settings": {"instances": 1}}, ten)

    assert (resolved.pool.min_replicas, resolved.pool.most_replicas) == (1, 3)


def test_instances_by_the_clock_need_both_bounds():
    key, message = problem(EC2, OFFICE)

    assert key == "deployments.0.schedule.0.min_replicas"
    assert "must equal, in a fixed pool, max_replicas (1, the pool's own)" in message


def test_instances_by_the_clock_are_launched_and_so_need_a_setup_time():
    ten = {"when": "Mon-Fri 08:00-18:00", "min_replicas": 3, "max_replicas": 3}

    key, message = problem(EC2, ten, setup=None)

    assert key == "deployments.0.setup"
    assert message.startswith("is missing")
    assert one(EC2, setup=None).setup_plan.law.value == 0.0


def test_where_min_replicas_idle_free_a_schedule_is_refused():
    free = CATALOG.platform("modal")
    phases = free.billing.phases
    rule = phases.min_replicas_idle.model_copy(update={"billed": "no"})
    phases = phases.model_copy(update={"min_replicas_idle": rule})
    billing = free.billing.model_copy(update={"phases": phases})
    free = free.model_copy(update={"billing": billing})
    catalog = replace(CATALOG, platforms={**CATALOG.platforms, "modal": free})
    assert isinstance(catalog, Catalog)

    key, message = problem(MODAL, OFFICE, catalog=catalog)

    assert key == "deployments.0.schedule"
    assert "has another price for the min replicas" in message


def test_a_trace_without_a_horizon_is_checked_for_a_year():
    late = {"when": "0 0 1 2 *", "for": "1d", "min_replicas": 20, "max_replicas": 30}
    trace = {"trace": {"path": "x.csv"}}

    key, message = problem(
        BASETEN, late, {"when": "daily", "max_replicas": 9}, horizon=None, traffic=trace
    )

    assert key == "deployments.0.schedule.1.max_replicas"
    assert message.startswith("from 2027-02-01T00:00 on min_replicas (20, of entry 0)")


_FILE = """name: x
start: 2026-03-02T00:00+01:00
horizon: 7d
traffic: {streams: [{rate: 5/h}]}
service: {time: 2s}
setup: 9s
deployments:
  - name: platform
    platform: modal
    schedule:
      - {when: Mon-Fri 08:00-18:00, min_replicas: 5}
      - {when: Wed, max_replicas: 4}
"""

_OWN = """name: x
start: 2026-03-02T00:00+01:00
horizon: 7d
traffic: {streams: [{rate: 5/h}]}
service: {time: 2s}
setup: 9s
deployments:
  - name: own
    pool:
      max_replicas: 4
      schedule:
        - when: Mon-Fri 08:00-18:00
          min_replicas: 5
    billing: {price: 1 USD/h}
"""


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (_FILE, ":12:35: deployments.0.schedule.1.max_replicas: "),
        (_OWN, ":13:25: deployments.0.pool.schedule.0.min_replicas: "),
    ],
)
def test_a_contradiction_is_shown_at_its_line(invoke, tmp_path, text, place):
    path = tmp_path / "scenario.yaml"
    path.write_text(text)

    answer = invoke("validate", path)

    assert answer.exit_code == 2
    assert answer.err.startswith(f"error: {path}{place}from 2026-03-0")


def test_a_schedule_is_written_back_as_it_was_read(tmp_path):
    path = tmp_path / "scenario.yaml"
    path.write_text(
        _OWN.replace("Mon-Fri 08:00-18:00", "'0 6 * * *'\n          for: 2h")
    )

    scenario = load_scenario(path)

    written = scenario.model_dump(mode="json", exclude_none=True)
    assert Scenario.model_validate(written) == scenario
    entry = written["deployments"][0]["pool"]["schedule"][0]
    assert entry == {
        "when": "0 6 * * *",
        "for": "7200.0s",
        "min_replicas": 5,
        "prewarm": "0.0s",
    }


_SEASON = {"streams": [{"rate": "5/h", "seasonal": {"day_of_week": [1.0] * 7}}]}


@pytest.mark.parametrize(
    ("zone", "horizon", "traffic", "n_warnings"),
    [
        ("Europe/Paris", "7d", _SEASON, 0),
        ("Europe/Paris", "30d", _SEASON, 1),  # summer time begins on 29 March
        ("Asia/Tokyo", "7d", _SEASON, 1),
        ("Asia/Tokyo", "7d", {"streams": [{"rate": "5/h"}]}, 0),
        (None, "30d", _SEASON, 0),
    ],
)
def test_a_schedule_by_another_clock_than_the_traffics_is_told(
    zone, horizon, traffic, n_warnings
):
    entry = {"when": "daily 08:00-18:00", "time_zone": zone, "min_replicas": 1}
    scenario = Scenario.model_validate(
        {
            "name": "test",
            "start": "2026-03-02T00:00+01:00",
            "horizon": horizon,
            "traffic": traffic,
            "service": {"time": "1s"},
            "setup": "9s",
            "deployments": [{**MODAL, "schedule": [entry]}],
        }
    )

    warnings = scenario_warnings(scenario)

    assert (
        warnings
        == [
            f"m: its schedule goes by the clock of {zone}, which is not always at "
            "UTC+01:00, the clock of the start, by which the traffic goes"
        ]
        * n_warnings
    )
