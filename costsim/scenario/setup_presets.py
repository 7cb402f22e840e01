"""Setups that somebody measured or published, each with its source."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import yaml
from pydantic import TypeAdapter

from costsim.catalog.provenance import Sourced, complete
from costsim.scenario.setup import MeasuredSetup  # noqa: TC001 - pydantic evaluates it


class SetupPreset(Sourced):
    """A setup with its source."""

    what: str
    """What was started, and how."""
    setup: MeasuredSetup
    """How long that took."""


@cache
def setup_presets() -> dict[str, SetupPreset]:
    """Return the presets that come with costsim, by name."""
    text = (resources.files("costsim.scenario") / "setups.yaml").read_text("utf-8")
    presets = TypeAdapter(dict[str, SetupPreset])
    loaded: Any = yaml.safe_load(text)
    return {
        name: complete(preset)
        for name, preset in presets.validate_python(loaded).items()
    }
