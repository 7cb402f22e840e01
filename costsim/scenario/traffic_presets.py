"""Streams that somebody measured, each with its source, and how a file's preset is read.

A preset is replaced by what it stands for before anything is checked, so that the rest of
costsim sees streams and spikes only. What it brings is not in the user's file: an error
in it is placed at the key that brought it.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, Field, TypeAdapter

from costsim.catalog.lookup import unknown
from costsim.catalog.provenance import Sourced, complete
from costsim.scenario.rates import Seasonal
from costsim.spec import Name, RuleError, Spec

_Raw = dict[str, Any]


class Companion(Spec):
    """A stream that comes along with a preset."""

    name: Name
    """Follows the name of the stream that has the preset."""
    stream: _Raw
    """Its other keys."""


class TrafficPreset(Sourced):
    """A stream with its source, and what comes along with it."""

    what: str
    """Whose traffic it is."""
    stream: _Raw
    """What the stream has unless it says otherwise."""
    also: tuple[Companion, ...] = Field(default=(), strict=False)
    """Streams that come along."""
    spikes: tuple[_Raw, ...] = Field(default=(), strict=False)
    """Spikes on the stream."""


@cache
def traffic_presets() -> dict[str, TrafficPreset]:
    """Return the presets that come with costsim, by name."""
    folder = resources.files("costsim.scenario")
    text = (folder / "traffic_presets.yaml").read_text("utf-8")
    presets = TypeAdapter(dict[str, TrafficPreset])
    loaded: Any = yaml.safe_load(text)
    return {
        name: complete(preset)
        for name, preset in presets.validate_python(loaded).items()
    }


def preset_names() -> tuple[str, ...]:
    """Return the names of all presets."""
    return tuple(traffic_presets())


def _known_name(name: str) -> str:
    if name not in preset_names():
        raise ValueError(unknown("preset", name, preset_names()))
    return name


PresetName = Annotated[str, AfterValidator(_known_name)]
"""The name of a preset."""


def preset_profile(name: str | None) -> Seasonal | None:
    """Return the profile that a preset brings, if it brings one."""
    preset = _known(name)
    profile = None if preset is None else preset.stream.get("seasonal")
    return None if profile is None else Seasonal.model_validate(profile)


def expanded(traffic: _Raw) -> _Raw:
    """Return a ``traffic`` section in which presets are replaced by what they stand for.

    Parameters
    ----------
    traffic : dict
        As the file has it, not checked yet. What is no preset stays as it is.
    """
    given = traffic.get("streams")
    if traffic.get("preset") is not None:
        if given is not None:
            message = "is short for one stream; with streams, write it on one of them"
            raise RuleError(message, "preset")
        if _known(traffic["preset"]) is None:
            return traffic
        given = [{"preset": traffic["preset"]}]
    if not isinstance(given, (list, tuple)):
        return traffic
    streams = [_filled_in(one) for one in given]
    along = [_companions(one) for one in streams]
    section = {
        **traffic,
        "streams": [*streams, *(one for more, _ in along for one in more)],
    }
    spikes = [spike for _, more in along for spike in more]
    if spikes and isinstance(section.get("spikes", ()), (list, tuple)):
        section["spikes"] = [*section.get("spikes", ()), *spikes]
    return section


def _known(name: Any) -> TrafficPreset | None:  # noqa: ANN401 - whatever the file holds
    return traffic_presets().get(name) if isinstance(name, str) else None


def _filled_in(stream: Any) -> Any:  # noqa: ANN401 - whatever the file holds
    """Return a stream with what its preset has and it has not."""
    preset = _known(stream.get("preset")) if isinstance(stream, dict) else None
    if preset is None:
        return stream
    base = {"name": stream["preset"], **preset.stream}
    if "stages" in stream:
        base = {key: base[key] for key in base.keys() - {"rate", "seasonal", "trend"}}
    return {**base, **stream}


def _companions(stream: Any) -> tuple[list[_Raw], list[_Raw]]:  # noqa: ANN401 - as above
    """Return the streams and the spikes that come along with a stream's preset."""
    preset = _known(stream.get("preset")) if isinstance(stream, dict) else None
    if preset is None or not isinstance(stream["name"], str):
        return [], []
    name = stream["name"]
    streams = [{"name": f"{name} {one.name}", **one.stream} for one in preset.also]
    return streams, [{**spike, "streams": [name]} for spike in preset.spikes]
