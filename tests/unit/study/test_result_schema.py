"""The schema of result.json: what is written fits it, and what is wrong does not."""

from __future__ import annotations

import copy
import json
from dataclasses import fields

import jsonschema
import pytest
from small_study import always_on, answer, own

from costsim.study.attribute_docs import attribute_docs
from costsim.study.result import DeploymentRow
from costsim.study.result_schema import result_schema

_SCHEMA = result_schema()


@pytest.fixture(scope="module")
def content():
    result = answer(own(idle_timeout="20s"), always_on(), slo={"p95": "5s"})
    return json.loads(result.to_json())


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(_SCHEMA)


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"slo": {"p95": "5s", "cold_start_fraction": 0.1}},
        {"start": "2026-03-02T00:00:00"},
        {"replications": 1},
        {"traffic": {"streams": [{"rate": "0.001/h"}]}},
    ],
    ids=["plain", "bounds", "clock", "one replication", "nobody came"],
)
def test_every_result_fits_it(other):
    result = answer(own(), always_on(), **other)

    jsonschema.validate(json.loads(result.to_json()), _SCHEMA)


def test_it_knows_every_key_and_no_other(content):
    assert list(_SCHEMA["properties"]) == [*content, "studies"]
    row = _SCHEMA["properties"]["deployments"]["items"]["properties"]
    assert list(row) == list(content["deployments"][0])


@pytest.mark.parametrize(
    ("way", "value"),
    [
        (("schema_version",), 2),
        (("seed",), "7"),
        (("deployments", 0, "cost_usd"), "12.5"),
        (("deployments", 0, "deployment"), None),
        (("thresholds", 0, "ok"), "yes"),
        (("timeline", "deployments", "own", "ready_replicas", 3), "1"),
        (("latency", "share"), None),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_what_is_wrong_does_not_fit(content, way, value):
    wrong = copy.deepcopy(content)
    inner = wrong
    for key in way[:-1]:
        inner = inner[key]
    inner[way[-1]] = value

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, _SCHEMA)


def test_every_column_says_what_it_is_and_in_which_unit():
    docs = attribute_docs(DeploymentRow)

    assert list(docs) == [one.name for one in fields(DeploymentRow)]
    numbers = [one.name for one in fields(DeploymentRow) if one.type == "float"]
    assert [name for name in numbers if not docs[name].endswith("]")] == []


def test_the_command_prints_it(invoke):
    assert json.loads(invoke("schema", "result").out) == _SCHEMA
