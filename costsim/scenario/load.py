"""A scenario file to a ``Scenario``, or everything that is wrong with it at once."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from costsim.errors import InputError, Problem, ScenarioError
from costsim.scenario.overrides import apply_overrides, split_key
from costsim.scenario.problems import explain, in_order, known_part, place
from costsim.scenario.schema import Scenario
from costsim.scenario.spikes import EventSpike, usual_magnitude
from costsim.scenario.timetable import Zone
from costsim.scenario.traffic import calendar_use
from costsim.units import format_duration
from costsim.yaml_source import examine_yaml, shown
from costsim.yaml_source.characters import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from costsim.scenario.spikes import Spike
    from costsim.scenario.trace import Trace
    from costsim.yaml_source import Document

_RARE_MAGNITUDE = 20.0
"""Recorded traffic rises above this many times the usual for minutes, not for hours."""
_RARE_LENGTH_S = 3600.0

_SMALLEST: dict[str, Any] = {
    "name": "a log",
    "service": {"time": "1s"},
    "deployments": [
        {
            "name": "none",
            "pool": {"autoscaler": {"kind": "on_demand"}, "idle_timeout": "1s"},
            "billing": {"price": "0 USD/h"},
        }
    ],
}
"""What a scenario needs besides its traffic; nothing of it is run."""


def load_scenario(path: str | Path, *, overrides: Sequence[str] = ()) -> Scenario:
    """Return the scenario in a file.

    Parameters
    ----------
    path : str or Path
        A YAML file.
    overrides : sequence of str
        ``KEY=VALUE`` each: values to set before the scenario is checked, such as
        ``deployments.0.settings.scaledown_window=300s``.

    Raises
    ------
    ScenarioError
        With every problem found, in the file's order.
    InputError
        If the file cannot be read.
    """
    return load_document(path, overrides=overrides)[0]


def load_document(
    path: str | Path, *, overrides: Sequence[str] = ()
) -> tuple[Scenario, Document]:
    """Return the scenario in a file, and the file, for ``locate_problems``.

    Parameters, errors: as for ``load_scenario``.
    """
    document, problems = read_document(path, overrides=overrides)
    return check_document(document, problems), document


def read_document(
    path: str | Path, *, overrides: Sequence[str] = ()
) -> tuple[Document, list[Problem]]:
    """Return a scenario file unchecked, and what is wrong with its YAML and the options.

    Parameters, errors: as for ``load_scenario``.
    """
    document, problems = examine_yaml(_read(Path(path)), path=str(path))
    if not isinstance(document.value, dict):
        raise ScenarioError([*problems, _no_mapping(document)], path=str(path))
    document, unusable = apply_overrides(document, overrides)
    return document, problems + unusable


def check_document(document: Document, problems: Sequence[Problem] = ()) -> Scenario:
    """Return the scenario that a document says.

    Parameters
    ----------
    document : Document
        From ``read_document``, perhaps with other values.
    problems : sequence of Problem
        What is wrong with it already.

    Raises
    ------
    ScenarioError
        With every problem, in the file's order.
    """
    problems = list(problems)
    try:
        scenario = Scenario.model_validate(document.value)
    except ValidationError as error:
        # What YAML could not read is empty here, and must not be reported twice.
        taken = {(one.line, one.column) for one in problems if one.line is not None}
        found = explain(error, document)
        problems += [one for one in found if (one.line, one.column) not in taken]
    if problems:
        raise ScenarioError(in_order(problems), path=document.path)
    return _with_trace_beside(scenario, Path(document.path).parent)


def load_trace_keys(path: str | Path, *, overrides: Sequence[str] = ()) -> Trace:
    """Return how a log is read, as the ``trace`` section of a scenario would say it.

    Parameters
    ----------
    path : str or Path
        The log.
    overrides : sequence of str
        ``KEY=VALUE`` each, with the keys of that section, such as
        ``columns.arrival=sent_at``.

    Raises
    ------
    ScenarioError
        With every problem of the overrides.
    """
    content = {**_SMALLEST, "traffic": {"trace": {"path": str(path)}}}
    empty, _ = examine_yaml(b"", path=str(path))
    document = dataclasses.replace(empty, value=content)
    document, problems = apply_overrides(document, overrides, below="traffic.trace.")
    try:
        trace = Scenario.model_validate(document.value).traffic.trace
    except ValidationError as error:
        problems += explain(error, document)
    if problems or trace is None:
        raise ScenarioError(problems, path=str(path))
    return trace


def locate_problems(problems: list[Problem], document: Document) -> list[Problem]:
    """Return problems with the places of their keys, in the file's order.

    Parameters
    ----------
    problems : list of Problem
        Each with a dotted key, such as ``deployments.0.settings.max_replica``. A key
        that the file does not have is placed at what should have it.
    document : Document
        Of the same scenario, from ``load_document``.
    """
    return in_order(_located(problem, document) for problem in problems)


def scenario_hash(scenario: Scenario) -> str:
    """Return 16 hexadecimal digits that change when anything in a scenario does.

    A trace counts by its file name, so that the digits do not depend on the folder.
    """
    content = scenario.model_dump(mode="json")
    trace = content["traffic"]["trace"]
    if trace is not None:
        trace["path"] = Path(trace["path"]).name
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def scenario_warnings(scenario: Scenario) -> list[str]:
    """Return what the user should know before trusting results of this scenario."""
    return [*_rare_spikes(scenario), *_other_clocks(scenario)]


def _rare_spikes(scenario: Scenario) -> list[str]:
    return [
        f"traffic.spikes.{index}: more than {_RARE_MAGNITUDE:g} times the usual traffic "
        f"for {format_duration(length_s)} is not in recorded traces, where such peaks "
        "last minutes; if that is what you expect, give the spike as a peak"
        for index, spike in enumerate(scenario.traffic.spikes)
        if (length_s := _rare_length_s(spike)) > _RARE_LENGTH_S
    ]


def _other_clocks(scenario: Scenario) -> list[str]:
    """Say where a schedule leaves the clock by which the traffic goes."""
    start, horizon_s = scenario.start, scenario.horizon
    if start is None or horizon_s is None or calendar_use(scenario.traffic) is None:
        return []
    return [
        f"{one.name}: its schedule goes by the clock of {zone}, which is not always at "
        f"{start.tzname() or 'UTC'}, the clock of the start, by which the traffic goes"
        for one in scenario.deployments
        for zone in dict.fromkeys(
            entry.zone
            for entry in (one.schedule or (one.pool.schedule if one.pool else ()))
        )
        if Zone(zone, start).leaves_the_start(horizon_s)
    ]


def _read(path: Path) -> bytes:
    """Return the bytes of a file, and one more than the limit of a larger one."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        message = f"no such file{_similar_file(path)}; 'costsim init' writes one"
        raise InputError(message, path=str(path)) from None
    except IsADirectoryError:
        message = "is a folder; name a scenario file in it"
        raise InputError(message, path=str(path)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        message = f"cannot be read: {reason}"
        raise InputError(message, path=str(path)) from None


def _similar_file(path: Path) -> str:
    try:
        names = [file.name for file in path.parent.iterdir() if file.is_file()]
    except OSError:
        return ""
    close = get_close_matches(path.name, names, n=1)
    return f" (did you mean {shown(close[0])}?)" if close else ""


def _no_mapping(document: Document) -> Problem:
    if document.value is None:
        message = "the file is empty; 'costsim init' writes an example"
    else:
        found = shown(document.value)
        message = f"a scenario is a mapping of keys such as 'name:', found {found}"
    return place(Problem(message), (), document, at="value")


def _with_trace_beside(scenario: Scenario, folder: Path) -> Scenario:
    """Return the scenario with the trace's path as seen from here, not from its file."""
    if scenario.traffic.trace is None:
        return scenario
    path = str(folder / scenario.traffic.trace.path)
    trace = scenario.traffic.trace.model_copy(update={"path": path})
    traffic = scenario.traffic.model_copy(update={"trace": trace})
    return scenario.model_copy(update={"traffic": traffic})


def _located(problem: Problem, document: Document) -> Problem:
    loc = split_key(problem.key, document.value)
    # A missing key is shown at what misses it, and what names a key is shown there.
    missing = known_part(loc, document.value)[0] != loc
    about_key = missing or (bool(loc) and shown(loc[-1]) in problem.message)
    return place(problem, loc, document, at="key" if about_key else "value")


def _rare_length_s(spike: Spike) -> float:
    """Return how long a spike stays above the rare magnitude. [s]"""
    magnitude = usual_magnitude(spike)
    if magnitude <= _RARE_MAGNITUDE:
        return 0.0
    if isinstance(spike, EventSpike):
        return spike.hold
    # excess(t) = (magnitude - 1) (1 + t / decay_time)^-exponent
    ratio = (magnitude - 1) / (_RARE_MAGNITUDE - 1)
    return spike.decay_time * float(ratio ** (1 / spike.decay_exponent) - 1)
