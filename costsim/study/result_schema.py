"""The JSON Schema of ``result.json``, from the classes whose content it is."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from costsim.catalog.quote import PriceSource
from costsim.study.attribute_docs import attribute_docs
from costsim.study.bill_lines import BillLine
from costsim.study.result import (
    SCHEMA_VERSION,
    DeploymentRow,
    Threshold,
    Verdict,
)
from costsim.traffic.source import SourceRate

Schema = dict[str, Any]

_ANY: Schema = {"type": "object"}
_STRING: Schema = {"type": "string"}
_INTEGER: Schema = {"type": "integer"}
_NUMBER: Schema = {"type": ["number", "null"]}
"""What is not known, such as a quantile of nothing, is null."""
_KINDS: dict[str, Schema] = {
    "str": _STRING,
    "str | None": {"type": ["string", "null"]},
    "int": _INTEGER,
    "float": _NUMBER,
    "float | None": _NUMBER,
    "bool": {"type": "boolean"},
    "bool | None": {"type": ["boolean", "null"]},
    "tuple[str, ...]": {"type": "array", "items": _STRING},
}


def result_schema() -> Schema:
    """Return the schema of what ``RunResult.to_json`` writes."""
    properties: dict[str, Schema] = {
        "schema_version": {
            "const": SCHEMA_VERSION,
            "description": "Additions keep it, anything else raises it.",
        },
        "costsim_version": _STRING,
        "scenario": _object({"name": _STRING, "hash": _STRING}),
        "seed": _INTEGER,
        "horizon_s": {"type": "number", "description": "The simulated span. [s]"},
        "traffic": _list(_record(SourceRate)),
        "prices_as_of": {
            **_KINDS["str | None"],
            "description": "Oldest price used; null: all are the user's own.",
        },
        "quantile_method": {"enum": ["exact", "histogram"]},
        "deployments": _list(_record(DeploymentRow)),
        "verdict": _record(Verdict),
        "thresholds": _list(_record(Threshold)),
        "warnings": _list(_STRING),
        "notes": _list(_STRING),
        "bill": _list(_record(BillLine)),
        "samples": _map(
            _map(_list(_NUMBER)),
            "Each measure in each replication alone, by deployment.",
        ),
        "latency": {
            **_object({"share": _list(_NUMBER), "response_s": _map(_list(_NUMBER))}),
            "description": "Shares of requests, and the response times that they were "
            "answered within, by deployment; all replications.",
        },
        "timeline": {
            "oneOf": [{"type": "null"}, _timeline()],
            "description": "The first replication over time, in bins of equal width.",
        },
        "prices": _list(_record(PriceSource)),
        "resolved_scenario": {
            "type": "object",
            "description": "The scenario with its defaults: 'costsim schema scenario'.",
        },
    }
    studies = _object({"title": _STRING, "sentence": _STRING, "chart": _ANY})
    known = _object(properties)
    known["properties"] = {
        **properties,
        "studies": {
            **_list(studies),
            "description": "Break-evens and tunings that were added to a page.",
        },
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "costsim result",
        **known,
    }


def _timeline() -> Schema:
    levels = ("ready_replicas", "busy_replicas", "starting_replicas")
    others = ("waiting", "cold_per_s")
    return _object(
        {
            "start": {
                **_KINDS["str | None"],
                "description": "Begin of the first bin by the clock; null: not said.",
            },
            "bin_s": {"type": "number", "description": "Width of a bin. [s]"},
            "arrivals_per_s": _list(_NUMBER),
            "deployments": _map(
                _object({name: _list(_NUMBER) for name in (*levels, *others)})
            ),
        }
    )


def _record(kind: type) -> Schema:
    """Return the schema of a dataclass as JSON has it."""
    docs = attribute_docs(kind)
    properties = {}
    for one in fields(kind):
        schema = dict(_KINDS[str(one.type)])
        if one.name in docs:
            schema["description"] = docs[one.name]
        properties[one.name] = schema
    return _object(properties)


def _object(properties: dict[str, Schema]) -> Schema:
    # Additions keep the version: who reads it must not refuse what is new.
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": True,
    }


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _map(values: Schema, description: str = "") -> Schema:
    schema: Schema = {"type": "object", "additionalProperties": values}
    return {**schema, "description": description} if description else schema
