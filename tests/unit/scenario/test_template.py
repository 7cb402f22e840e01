from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from costsim.catalog.platform import load_catalog
from costsim.errors import InputError
from costsim.scenario.deployment import resolve
from costsim.scenario.load import load_scenario, scenario_warnings
from costsim.scenario.template import render_template, template_names

if TYPE_CHECKING:
    from pathlib import Path

_NAMES = ["spiky-llm", "batch", "image", "trace"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with all templates and the trace that one of them replays."""
    for name in _NAMES:
        (tmp_path / f"{name}.yaml").write_text(render_template(name), "utf-8")
    log = "timestamp,duration\n2026-03-02T09:00:00Z,1.5\n2026-03-02T09:00:07Z,0.5\n"
    (tmp_path / "requests.csv").write_text(log)
    return tmp_path


def test_the_default_template_comes_first() -> None:
    assert template_names() == _NAMES
    assert render_template() == render_template("spiky-llm")


@pytest.mark.parametrize("name", _NAMES)
def test_a_template_loads_and_its_deployments_exist(folder: Path, name: str) -> None:
    scenario = load_scenario(folder / f"{name}.yaml")

    resolution = resolve(scenario, load_catalog())

    assert scenario.name == name
    assert len(resolution.deployments) == len(scenario.deployments)
    assert scenario_warnings(scenario) == []
    assert resolution.warnings == ()


@pytest.mark.parametrize("name", _NAMES)
def test_a_template_fits_an_editor(name: str) -> None:
    text = render_template(name, schema="https://example.org/s.json")

    assert text.startswith(
        "# yaml-language-server: $schema=https://example.org/s.json\n# "
    )
    assert text.endswith("\n")
    assert max(len(line) for line in text.splitlines()) <= 120
    assert text.isascii()


def test_the_trace_of_the_template_is_beside_it(folder: Path) -> None:
    trace = load_scenario(folder / "trace.yaml").traffic.trace

    assert trace is not None
    assert trace.path == str(folder / "requests.csv")


def test_an_unknown_template_names_the_known_ones() -> None:
    with pytest.raises(
        InputError, match=r"unknown template 'btach' \(did you mean 'batch'\?\)"
    ):
        render_template("btach")
