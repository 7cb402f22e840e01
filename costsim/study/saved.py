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
_STUDIES = ("breakeven.json", "tune.json")
_EMBEDDED = re.compile(
    r'<script type="application/json" id="costsim-result">(.*?)</script>', re.DOTALL
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
    content = _json_of(file)
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


def study_json(
    answer: Mapping[str, Any], sentence: str, chart: Mapping[str, Any]
) -> str:
    """Return the answer of a study as JSON that ``read_study`` takes.

    Parameters
    ----------
    answer : mapping
        Its own JSON form.
    sentence : str
        The verdict.
    chart : mapping
        In Vega-Lite.
    """
    content = {**answer, "sentence": sentence, "chart": chart}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def read_study(path: str | Path) -> dict[str, Any]:
    """Return the name, the sentence and the chart of a break-even or a tuning.

    Parameters
    ----------
    path : str or Path
        A ``breakeven.json`` or ``tune.json``, or the folder that has one.

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
    keys = ("sentence", "chart")
    if not isinstance(content, dict) or not all(key in content for key in keys):
        message = (
            "is no study; name a breakeven.json or tune.json that 'costsim breakeven "
            "--out DIR' or 'costsim tune --out DIR' wrote"
        )
        raise InputError(message, path=str(file))
    title = "Break-even" if "regimes" in content else "Settings"
    return {"title": title, **{key: content[key] for key in keys}}
