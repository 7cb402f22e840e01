"""The recorded traces of all points: each is read once, and brought to workers once."""

from __future__ import annotations

import hashlib
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from costsim.errors import InputError
from costsim.traffic.source import load_trace
from costsim.traffic.trace import slices
from costsim.traffic.work import trace_needs

if TYPE_CHECKING:
    from costsim.scenario.schema import Scenario
    from costsim.traffic.trace import TraceData

_OF_REPLAY = {"scale_rate", "scale_time", "repeat", "jitter"}
"""Keys that say how a trace is replayed, not how it is read."""
_NOT_CONTENT = {"notes", "warnings", "owner"}


def trace_name(scenario: Scenario) -> str | None:
    """Return what tells the scenario's trace from others, read in other ways too."""
    spec = scenario.traffic.trace
    if spec is None:
        return None
    needs = ",".join(sorted(trace_needs(scenario.service)))
    return f"{spec.model_dump_json(exclude=_OF_REPLAY)} {needs}"


class Traces:
    """Every trace that some point needs."""

    def __init__(self) -> None:
        self._read: dict[str, TraceData | InputError] = {}

    def of(self, scenario: Scenario) -> TraceData | None:
        """Return the trace of a scenario.

        Raises
        ------
        TraceError
            If it cannot be used; each time anew, but it is read only once.
        """
        name = trace_name(scenario)
        if name is None:
            return None
        if name not in self._read:
            try:
                self._read[name] = _loaded(scenario)
            except InputError as error:
                self._read[name] = error
        found = self._read[name]
        if isinstance(found, InputError):
            raise found
        return found

    def for_workers(self) -> dict[str, TraceData]:
        """Return the traces by name, in memory whatever their size."""
        return {name: _in_memory(one) for name, one in self._usable()}

    def fingerprints(self) -> list[str]:
        """Return what changes when a request of a trace does, whatever file it is in."""
        return sorted(_fingerprint(one) for _, one in self._usable())

    def _usable(self) -> list[tuple[str, TraceData]]:
        return [
            (name, one)
            for name, one in self._read.items()
            if not isinstance(one, InputError)
        ]


def _columns(trace: TraceData) -> dict[str, Any]:
    """Return what a trace holds of each row, by field."""
    found = {one.name: getattr(trace, one.name) for one in fields(trace)}
    return {
        name: value
        for name, value in found.items()
        if hasattr(value, "__getitem__") and not isinstance(value, (str, tuple))
    }


def _in_memory(trace: TraceData) -> TraceData:
    # Columns on disk are open files of this process.
    whole: dict[str, Any] = {
        name: np.asarray(column[:]) for name, column in _columns(trace).items()
    }
    return replace(trace, **whole, owner=None)


def _fingerprint(trace: TraceData) -> str:
    columns = _columns(trace)
    digest = hashlib.sha256()
    for one in fields(trace):
        if one.name in _NOT_CONTENT:
            continue
        digest.update(f"{one.name}\0".encode())
        if one.name in columns:
            for part in slices(columns[one.name]):
                digest.update(np.ascontiguousarray(part).tobytes())
        else:
            digest.update(repr(getattr(trace, one.name)).encode())
    return digest.hexdigest()[:16]


def _loaded(scenario: Scenario) -> TraceData:
    trace = load_trace(scenario)
    if trace is None:
        message = "only a scenario with a trace has one to load"
        raise ValueError(message)
    return trace
