"""Where each way of serving is the cheapest: ``costsim.breakeven``."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from costsim.catalog.platform import load_catalog
from costsim.catalog.quote import stale_sources
from costsim.scenario.load import read_document, scenario_warnings
from costsim.scenario.template import shipped
from costsim.study.breakeven.axis import OVER, REQUESTS, read_axis
from costsim.study.breakeven.base import read_base
from costsim.study.breakeven.crossings import find_crossings, find_edges
from costsim.study.breakeven.curve import Curve, most_requests
from costsim.study.breakeven.refining import refine
from costsim.study.breakeven.regimes import find_regimes
from costsim.study.breakeven.result import BreakEven
from costsim.study.breakeven.theory import closed_forms
from costsim.study.executor import THREADS, Workers
from costsim.study.precision import FEWEST_REPLICATIONS, MOST_REPLICATIONS
from costsim.study.verdict import describe_slo
from costsim.traffic.source import trace_warnings
from costsim.units import SECONDS_PER_DAY, format_fraction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor
    from pathlib import Path

    from costsim.catalog.platform import Catalog
    from costsim.study.breakeven.base import Base

FEW_REQUESTS = 2000
"""Below this in a replication, coverage of a quantile's interval falls short."""
_TOP_S = 0.6
"""Work of the last point, on one core, that decides the range where none is given. [s]"""
_REFINING_S = 5.0
"""Work of making the grid finer, on one core. [s]"""


def breakeven(
    path: str | Path,
    *,
    over: str = REQUESTS,
    overrides: Sequence[str] = (),
    catalog: Catalog | None = None,
    precision: float | None = None,
    executor: Executor | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> BreakEven:
    """Return where each deployment of a scenario is the cheapest.

    Parameters
    ----------
    path : str or Path
        The scenario file.
    over : str
        What is varied: ``requests`` (a day), ``service_time``, ``idle_timeout``, each with
        a range such as ``=100..1e6`` or without, or ``KEY=LOW..HIGH``.
    overrides : sequence of str
        ``KEY=VALUE`` each, as for ``load_scenario``.
    catalog : Catalog, optional
        Platforms and prices; the shipped ones if None.
    precision : float, optional
        More replications than the scenario says, until every decisive crossing is known
        to this share of its value on either side. [1]
    executor : concurrent.futures.Executor, optional
        Where replications run; all cores of this machine if None.
    on_progress : callable, optional
        Called with (finished, begun) points.

    Returns
    -------
    BreakEven
        The same for the same scenario, options and version, wherever it runs.

    Raises
    ------
    InputError
        If the scenario or what is varied cannot be used.
    SimulationError
        If a run would end in centuries only.
    """
    document, problems = read_document(shipped(str(path)), overrides=overrides)
    base = read_base(document, catalog or load_catalog(), problems)
    n = len(base.resolution.deployments)
    axis = read_axis(over, base, most_requests(n, _TOP_S))
    workers = THREADS if executor is None else Workers(executor=executor)

    names = tuple(one.name for one in base.resolution.deployments)
    wanted = base.scenario.replications
    if precision is not None:
        wanted = max(wanted, FEWEST_REPLICATIONS)
        axis = replace(axis, close=min(axis.close, precision / 4))
    while True:
        # Who asks for more replications has the time for them.
        patience = wanted / base.scenario.replications
        curve = Curve(
            axis,
            names,
            wanted,
            patience=patience,
            workers=workers,
            on_progress=on_progress,
        )
        curve.evaluate(axis.grid())
        enough = refine(curve, _REFINING_S * patience)
        more = _more_replications(curve, wanted, precision)
        if more == wanted:
            return _answer(base, curve, wanted, precision, enough=enough)
        wanted = more


def _more_replications(curve: Curve, n: int, precision: float | None) -> int:
    """Return how many replications to have next; as many as there are: enough."""
    if precision is None:
        return n
    widest = max(_widths(curve), default=0.0)
    if widest <= precision:
        return n
    asked = min(max(n * (widest / precision) ** 2, 1.5 * n), 4.0 * n)
    return max(n, min(MOST_REPLICATIONS, math.ceil(asked)))


def _widths(curve: Curve) -> list[float]:
    """Return half of each decisive crossing's interval, as a share of its value. [1]"""
    found = (one for one in find_crossings(curve) if one.is_decisive)
    return [(one.high - one.low) / 2 / abs(one.value) for one in found if one.value]


def _answer(
    base: Base, curve: Curve, wanted: int, precision: float | None, *, enough: bool
) -> BreakEven:
    scenario, resolution = base.scenario, base.resolution
    sources = tuple(s for one in resolution.deployments for s in one.sources)
    over_requests = curve.axis.word == REQUESTS
    notes = [
        *_range_notes(curve, wanted, enough=enough),
        *(
            f"{one.name} is left out, it lacks {one.feature}: {one.reason}"
            for one in resolution.excluded
        ),
    ]
    widest = max(_widths(curve), default=0.0)
    imprecise = precision is not None and widest > precision
    warnings = [
        *scenario_warnings(scenario),
        *trace_warnings(base.trace),
        *([_imprecise(widest)] if imprecise else []),
        *_few(base, curve, wanted),
        *resolution.warnings,
        *stale_sources(sources, datetime.now(UTC).date()),
    ]
    return BreakEven(
        scenario=scenario.name,
        seed=scenario.seed,
        slo=describe_slo(scenario.slo),
        axis=curve.axis,
        names=curve.names,
        points=tuple(curve.points),
        crossings=tuple(find_crossings(curve)),
        regimes=tuple(find_regimes(curve)),
        edges=tuple(find_edges(curve)),
        closed_forms=tuple(closed_forms(base.own)) if over_requests else (),
        notes=tuple(dict.fromkeys(notes)),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _few(base: Base, curve: Curve, wanted: int) -> list[str]:
    """Say where there are too few requests or replications for intervals."""
    found = []
    if wanted == 1:
        text = "one replication gives no intervals; set replications to 10 or more"
        found.append(text)
    enough = FEW_REQUESTS / (base.own.horizon_s / SECONDS_PER_DAY)
    if any(one.requests_per_day < enough for one in curve.points):
        found.append(
            f"below {enough:,.0f} requests a day a replication has fewer than "
            f"{FEW_REQUESTS:,}: p95, its interval and the SLO's ends are rough there; "
            "lengthen the horizon"
        )
    return found


def _imprecise(widest: float) -> str:
    return (
        f"a crossing is known to +-{format_fraction(widest)} only; lengthen the horizon, "
        f"or narrow the range ({OVER})"
    )


def _range_notes(curve: Curve, wanted: int, *, enough: bool) -> list[str]:
    """Say what was left out so that the study does not take long."""
    axis, points = curve.axis, curve.points
    fewer = [one for one in points if one.replications < wanted]
    notes = []
    if axis.is_default:
        notes.append(
            f"covered are {axis.show(axis.low)} to {axis.show(axis.high)} "
            f"{axis.label}; for another range give {OVER} {axis.word}=LOW..HIGH"
        )
    if fewer:
        least = min(one.replications for one in fewer)
        notes.append(
            f"{len(fewer)} of {len(points)} points have fewer than {wanted} replications, "
            f"down to {least}, for the sake of time: a shorter horizon "
            "(--set horizon=2d) or --precision gives more"
        )
    if not enough:
        notes.append(
            "not every change was narrowed down, for the sake of time: give a narrower "
            f"range ({OVER}), or a shorter horizon"
        )
    return notes
