"""Results as they were saved: ``result.json``, the folder that has it, or a page."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from costsim.errors import InputError
from costsim.study.result import SCHEMA_VERSION, DeploymentRow, Threshold, Verdict
from costsim.traffic.source import SourceRate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from costsim.records import Floats

FILE = "result.json"
_STUDIES = ("breakeven.json", "tune.json", "summary.json", "compare.json")
_ROWS = {"breakeven": "points", "tune": "deployments"}
"""Where the rows of a study are."""
_EMBEDDED = re.compile(
    r'<script type="application/json" id="costsim-(?:result|study)">(.*?)</script>',
    re.DOTALL,
)


@dataclass(frozen=True)
class SavedTimeline:
    """What a saved result tells of one deployment over time."""

    arrivals: Floats
    """[requests/s]"""
    bin_s: float
    """[s]"""
    starting: Floats
    ready: Floats


@dataclass(frozen=True)
class SavedScenario:
    """What is shown of a saved result's scenario."""

    name: str


@dataclass(frozen=True)
class SavedRun:
    """A saved result, with the attributes of ``RunResult`` that are shown."""

    costsim_version: str
    scenario: SavedScenario
    seed: int
    horizon_s: float
    traffic: tuple[SourceRate, ...]
    prices_as_of: str | None
    rows: tuple[DeploymentRow, ...]
    verdict: Verdict
    thresholds: tuple[Threshold, ...]
    timelines: tuple[SavedTimeline, ...]


def restored(content: Mapping[str, Any]) -> SavedRun:
    """Return what can be shown of a saved result.

    Parameters
    ----------
    content : mapping
        From ``read_saved``.

    Raises
    ------
    InputError
        If something is missing in it.
    """
    try:
        return _restored(content)
    except (KeyError, TypeError) as error:
        message = f"is no whole result ({error} is missing or wrong); write it again"
        raise InputError(message) from None


def _restored(content: Mapping[str, Any]) -> SavedRun:
    rows = tuple(_known(DeploymentRow, row) for row in content["deployments"])
    timeline = content["timeline"]
    verdict = content["verdict"]
    return SavedRun(
        costsim_version=content["costsim_version"],
        scenario=SavedScenario(content["scenario"]["name"]),
        seed=content["seed"],
        horizon_s=content["horizon_s"],
        traffic=tuple(_known(SourceRate, one) for one in content["traffic"]),
        prices_as_of=content["prices_as_of"],
        rows=rows,
        verdict=Verdict(**{**verdict, "tie": tuple(verdict["tie"])}),
        thresholds=tuple(_known(Threshold, one) for one in content["thresholds"]),
        timelines=()
        if timeline is None
        else tuple(_timeline(timeline, row.deployment) for row in rows),
    )


def _known(kind: Any, values: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any of our dataclasses
    """Return a dataclass as it was: a number that is null was not known."""
    found = {
        one.name: math.nan
        if values[one.name] is None and one.type == "float"
        else values[one.name]
        for one in fields(kind)
    }
    return kind(**found)


def _timeline(timeline: Mapping[str, Any], deployment: str) -> SavedTimeline:
    one = timeline["deployments"][deployment]
    return SavedTimeline(
        arrivals=np.array(timeline["arrivals_per_s"]),
        bin_s=timeline["bin_s"],
        starting=np.array(one["starting_replicas"]),
        ready=np.array(one["ready_replicas"]),
    )


def read_saved(path: str | Path) -> dict[str, Any]:
    """Return what ``RunResult.to_json`` wrote.

    Parameters
    ----------
    path : str or Path
        A ``result.json``, a folder with one, or a page that ``--html`` wrote.

    Raises
    ------
    InputError
        If it cannot be read, or is no result.
    """
    file = Path(path)
    file = file / FILE if file.is_dir() else file
    return _run_of(_json_of(file), file)


def _run_of(content: Any, file: Path) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    version = content.get("schema_version") if isinstance(content, dict) else None
    if version != SCHEMA_VERSION:
        raise InputError(_of_other_version(version), path=str(file))
    found: dict[str, Any] = content
    return found


def _json_of(file: Path) -> Any:  # noqa: ANN401 - whatever is in it
    """Return the JSON in a file, or in a page."""
    try:
        text = file.read_text("utf-8")
        embedded = _EMBEDDED.search(text)
        return json.loads(embedded[1] if embedded else text)
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise InputError(message, path=str(file)) from None
    except (ValueError, RecursionError):
        message = "is no JSON; name a result.json that 'costsim run --out DIR' wrote"
        raise InputError(message, path=str(file)) from None


def _of_other_version(version: object) -> str:
    if isinstance(version, int):
        return f"has schema_version {version}; this costsim reads {SCHEMA_VERSION}"
    return "is no result; name a result.json that 'costsim run --out DIR' wrote"


def read_study(path: str | Path) -> dict[str, Any]:
    """Return a study as it was saved: its ``documents`` are what is told of it.

    Parameters
    ----------
    path : str or Path
        A ``breakeven.json``, ``tune.json``, ``compare.json`` or a sweep's
        ``summary.json``, the folder that has one, or a page.

    Raises
    ------
    InputError
        If it cannot be read, or is none.
    """
    file = Path(path)
    if file.is_dir():
        names = (file / name for name in _STUDIES)
        file = next((one for one in names if one.is_file()), file)
    content = _json_of(file)
    if not is_study(content):
        message = (
            "is no study; name a page, or the folder that 'costsim breakeven --out DIR' "
            "or 'costsim tune --out DIR' wrote"
        )
        raise InputError(message, path=str(file))
    found: dict[str, Any] = content
    return found


def is_study(content: object) -> bool:
    """Return whether something that was saved is a study, and no run."""
    return isinstance(content, dict) and {"study", "documents"} <= content.keys()


def study_rows(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a saved study.

    Raises
    ------
    InputError
        If they have files of their own, as those of a sweep.
    """
    if content["study"] == "compare":
        return [row for one in content["comparisons"] for row in one["changes"]]
    if content["study"] not in _ROWS:
        message = "the rows of a sweep are in its results.parquet and results.csv"
        raise InputError(message)
    rows: list[dict[str, Any]] = content[_ROWS[content["study"]]]
    return rows


def read_any(path: str | Path) -> dict[str, Any]:
    """Return a run or a study as it was saved, whichever it is.

    Parameters
    ----------
    path : str or Path
        As for ``read_saved`` and ``read_study``.

    Raises
    ------
    InputError
        If it cannot be read, or is neither.
    """
    file = Path(path)
    if file.is_dir():
        return read_saved(file) if (file / FILE).is_file() else read_study(file)
    content = _json_of(file)
    return content if is_study(content) else _run_of(content, file)
