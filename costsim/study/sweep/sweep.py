"""A scenario at many points: ``costsim.sweep``."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from costsim import __version__
from costsim.catalog.platform import load_catalog
from costsim.errors import ScenarioError
from costsim.scenario.load import read_document
from costsim.scenario.template import shipped
from costsim.study.executor import THREADS, Workers, each_result
from costsim.study.places import prepare_processes
from costsim.study.sweep.axis import read_axes
from costsim.study.sweep.base import Base
from costsim.study.sweep.check import check_points
from costsim.study.sweep.design import grid, latin_hypercube
from costsim.study.sweep.folder import Folder, check_writable
from costsim.study.sweep.parts import share_out
from costsim.study.sweep.result import collect
from costsim.study.sweep.table import parameters_of
from costsim.study.sweep.traces import Traces
from costsim.study.sweep.work import Shared, run_part
from costsim.study.tabular import export

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from costsim.study.sweep.axis import Axis
    from costsim.study.sweep.check import Checked
    from costsim.study.sweep.design import Point
    from costsim.study.sweep.parts import Part
    from costsim.study.sweep.result import SweepResult

    OnProgress = Callable[[int, int], None]

_PREPARE_FROM = 100
"""Points from which processes are needed; they start while the points are checked."""
_ALONE_S = 2.0
"""Work that threads have done before processes would have started. [s]"""


@dataclass(frozen=True)
class _Plan:
    """What there is to do."""

    scenario: str
    axes: tuple[Axis, ...]
    points: list[Point]
    checked: Checked
    parts: list[Part]
    shared: Shared
    traces: list[str]
    """Fingerprints."""


def sweep(
    path: str | Path,
    vary: Mapping[str, str | Iterable[object]],
    *,
    draw: int | None = None,
    overrides: Sequence[str] = (),
    prices: Sequence[str | Path] | None = None,
    out: str | Path | None = None,
    workers: Workers | None = None,
    on_check: OnProgress | None = None,
    on_progress: OnProgress | None = None,
) -> SweepResult:
    """Simulate a scenario at every combination of some values, or at some of them.

    Parameters
    ----------
    path : str or Path
        The scenario file.
    vary : mapping of str to str or iterable
        Values by dotted key: a text in the syntax of ``--vary``, such as ``1,2,4``,
        ``1..8`` or ``30s..15m:6:log``, or the values themselves.
    draw : int, optional
        Draw so many points, a Latin hypercube; all combinations if None.
    overrides : sequence of str
        ``KEY=VALUE`` each, for all points.
    prices : sequence of str or Path, optional
        Files over the shipped prices.
    out : str or Path, optional
        Folder for the results; a sweep that was stopped goes on in it.
    workers : Workers, optional
        Where points run; the cores of this machine if None.
    on_check, on_progress : callable, optional
        Called with (finished, all) points that are checked, or simulated.

    Returns
    -------
    SweepResult
        The same wherever it runs, and however often it was stopped.

    Raises
    ------
    InputError
        If the scenario or a value cannot be used, or the folder holds another sweep.
    SimulationError
        If workers vanish again and again.
    """
    if out is not None:
        check_writable(out)
    plan = _plan(path, vary, draw, overrides, prices, on_check)
    if out is None:
        contents: dict[int, bytes] = {}
        _run(plan, plan.parts, workers, contents.__setitem__, on_progress)
        return _collected(plan, map(contents.__getitem__, range(len(plan.parts))))
    folder = Folder(out, _binding(plan, draw, overrides, prices))
    with folder.locked():
        finished = folder.finished(plan.parts)
        todo = [part for part in plan.parts if part.number not in finished]
        _run(plan, todo, workers, folder.write_part, on_progress)
        result = _collected(
            plan, (folder.read_part(part.number) for part in plan.parts)
        )
        _write(folder, result)
    return result


def _plan(
    path: str | Path,
    vary: Mapping[str, str | Iterable[object]],
    draw: int | None,
    overrides: Sequence[str],
    prices: Sequence[str | Path] | None,
    on_check: OnProgress | None,
) -> _Plan:
    """Return what there is to do; everything that can be wrong is found here."""
    axes = read_axes(vary, drawn=draw is not None)
    document, problems = read_document(shipped(str(path)), overrides=overrides)
    if problems:
        raise ScenarioError(problems, path=str(path))
    base = Base(document, tuple(axis.key for axis in axes), load_catalog(prices))
    seed = document.value.get("seed")
    points = (
        grid(axes)
        if draw is None
        else latin_hypercube(axes, draw, seed if isinstance(seed, int) else 0)
    )
    if len(points) >= _PREPARE_FROM:
        prepare_processes()
    traces = Traces()
    checked = check_points(
        axes, points, base, traces, crossed=draw is None, on_progress=on_check
    )
    shared = Shared(base.for_workers(), traces.for_workers(), parameters_of(axes))
    return _Plan(
        scenario=str(document.value.get("name", path)),
        axes=axes,
        points=points,
        checked=checked,
        parts=share_out(checked.possible),
        shared=shared,
        traces=traces.fingerprints(),
    )


def _run(
    plan: _Plan,
    todo: Sequence[Part],
    workers: Workers | None,
    keep: Callable[[int, bytes], None],
    on_progress: OnProgress | None,
) -> None:
    """Have parts finished, and each kept as soon as it is."""
    total = len(plan.checked.possible)
    done = total - sum(len(part.points) for part in todo)

    def on_result(index: int, content: bytes) -> None:
        nonlocal done
        keep(todo[index].number, content)
        done += len(todo[index].points)
        if on_progress is not None:
            on_progress(done, total)

    each_result(
        run_part,
        plan.shared,
        todo,
        workers=workers or _fitting(plan),
        on_result=on_result,
    )


def _fitting(plan: _Plan) -> Workers:
    """Return threads for what is over at once, processes for all else."""
    work_s = math.fsum(one.work_s for one in plan.checked.possible)
    return THREADS if work_s < _ALONE_S else Workers(processes=True)


def _collected(plan: _Plan, contents: Iterator[bytes]) -> SweepResult:
    return collect(
        plan.scenario,
        plan.axes,
        plan.shared.parameters,
        plan.points,
        plan.checked,
        contents,
    )


def _binding(
    plan: _Plan,
    draw: int | None,
    overrides: Sequence[str],
    prices: Sequence[str | Path] | None,
) -> dict[str, Any]:
    """Return what tells a sweep from others."""
    content = plan.shared.base.document.value
    return {
        "schema_version": 1,
        "costsim_version": __version__,
        "scenario": _digest(json.dumps(content, default=str).encode()),
        "overrides": list(overrides),
        "prices": [_digest(Path(one).read_bytes()) for one in prices or ()],
        "traces": plan.traces,
        "vary": {axis.key: axis.text for axis in plan.axes},
        "draw": draw,
        "points": len(plan.checked.possible),
        "parts": len(plan.parts),
    }


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _write(folder: Folder, result: SweepResult) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    sink = pa.BufferOutputStream()
    parquet.write_table(result.table, sink)
    folder.write("results.parquet", sink.getvalue().to_pybytes())
    folder.write("results.csv", export(result.to_rows(), "csv").encode())
    folder.write(result.file, result.to_json().encode())
