"""What ``validate`` prints, and which keys ``schema`` knows."""

from __future__ import annotations

import json

from golden_outputs import FOLDER, PRICES


def _paths(node, where, definitions, inside=()):
    """Tell the keys below a part of a JSON schema, each with its type."""
    name = node.get("$ref", "").rpartition("/")[2]
    if name in inside:
        yield f"{where} -> {name}"
        return
    if name:
        yield from _paths(definitions[name], where, definitions, (*inside, name))
        return
    if "type" in node or "const" in node:
        yield f"{where} {node.get('type', '')} {node.get('const', '')}".rstrip()
    for word in ("anyOf", "oneOf", "allOf"):
        for one in node.get(word, ()):
            yield from _paths(one, where, definitions, inside)
    for key, one in node.get("properties", {}).items():
        yield from _paths(one, f"{where}.{key}", definitions, inside)
    for word, mark in (("items", "[]"), ("additionalProperties", ".*")):
        if isinstance(node.get(word), dict):
            yield from _paths(node[word], f"{where}{mark}", definitions, inside)


def test_the_keys_of_a_scenario_and_their_types(invoke, golden):
    schema = json.loads(invoke("schema").out)
    told = sorted(set(_paths(schema, "", schema["$defs"])))

    golden("schema.txt", "".join(f"{line}\n" for line in told))


def test_a_valid_scenario(invoke, golden, monkeypatch):
    monkeypatch.chdir(FOLDER)

    answer = invoke("validate", "scenario.yaml", *PRICES)

    golden("validate.txt", answer.out + answer.err)


def test_every_problem_of_a_scenario(invoke, golden, monkeypatch):
    monkeypatch.chdir(FOLDER)
    wrong = (
        *("--set", "setup=-20s", "--set", "horizon=6 days ago"),
        *("--set", "deployments.modal L4.settings.max_container=3"),
        *("--set", "slo.p95=12"),
    )

    answer = invoke("validate", "scenario.yaml", *PRICES, *wrong)

    assert answer.exit_code == 2
    golden("validate-problems.txt", answer.out + answer.err)
