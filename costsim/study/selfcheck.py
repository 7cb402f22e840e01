"""Is a model of a log's traffic good enough to be used in its place?

The log is replayed, and the model is simulated with several seeds, through the same
pools; the replay with each request's own work, where the log recorded it. What is compared is what the user wants to
know: cost, slow responses, cold starts; figures of burstiness tell why they differ.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from costsim.study.bench import (
    COLD_LIMIT,
    COST_LIMIT,
    P95_LIMIT,
    SEEDS,
    Bench,
    PoolCheck,
)
from costsim.study.window import cut_window
from costsim.traffic.fit.service import recorded_service

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from costsim.catalog.platform import Catalog
    from costsim.study.bench import Measured
    from costsim.study.fitting import Fit
    from costsim.traffic.burstiness import Burstiness
    from costsim.traffic.trace import TraceData

FEWEST_REQUESTS = 200
"""A model of a log with fewer requests is not used."""
MOST_CHECKED = 1_000_000
"""Requests of the part of a long log that a model is checked against, about."""
FIGURES = (
    ("peak_to_mean", 60.0),
    *(("dispersion", window_s) for window_s in (1.0, 60.0, 600.0, 3600.0)),
    *(("idle", window_s) for window_s in (1.0, 60.0, 300.0)),
)
"""Figures that are compared, and their windows [s]."""


@dataclass(frozen=True)
class FigureCheck:
    """A figure of burstiness of the log and of the model; None: span too short."""

    figure: str
    """``peak_to_mean``, ``dispersion`` or ``idle``."""
    window_s: float
    """Of which windows. [s]"""
    log: float | None
    """Mean over the replays."""
    model: float | None
    """Mean over the seeds."""
    model_low: float | None
    """Least of the seeds."""
    model_high: float | None
    """Greatest of the seeds."""


@dataclass(frozen=True)
class SelfCheck:
    """The verdict on a model, and what it rests on."""

    use: bool
    """Whether the model can be used in place of the log."""
    verdict: str
    """The answer in one sentence."""
    pools: tuple[PoolCheck, ...]
    """Each pool that was tried."""
    figures: tuple[FigureCheck, ...]
    """Burstiness of both."""
    seeds: int
    """Seeds of the model."""
    realizations: int
    """Replays of the log."""
    notes: tuple[str, ...] = ()
    """Sentences for the user on how the check was done."""


def check(
    trace: TraceData,
    fit: Fit,
    *,
    deployments: Sequence[Mapping[str, Any]] | None = None,
    setup: Any = None,  # noqa: ANN401 - as the scenario has it
    catalog: Catalog | None = None,
    seeds: int | None = None,
    seed: int = 1,
) -> SelfCheck:
    """Return whether a model is good enough to be used in place of its log.

    Parameters
    ----------
    trace : TraceData
        The log.
    fit : Fit
        The model.
    deployments : sequence of mapping, optional
        Pools to compare them on, as a scenario has them; reference pools with idle
        timeouts of 60 s and 300 s if left out.
    setup : optional
        A scenario's ``setup`` section; log-normal with a median of 30 s if left out.
    catalog : Catalog, optional
        Platforms and prices; the shipped ones if None.
    seeds : int, optional
        Times that the model is simulated, and the log replayed; five if left out, more
        for a short log.
    seed : int
        The first of them.

    Raises
    ------
    InputError
        If the pools or the model cannot be used.
    """
    window = cut_window(trace, fit.horizon_s, MOST_CHECKED, fit.start)
    bench = Bench(
        window.trace,
        fit.service,
        start=window.start,
        horizon_s=window.horizon_s,
        deployments=deployments,
        setup=setup,
        catalog=catalog,
        seed=seed,
        log_service=(
            recorded_service(window.trace, fit.service) if fit.own_work else None
        ),
    )
    seeds = bench.realizations = seeds or bench.realizations
    traffic = window.model(fit.traffic)
    pools = bench.compare(traffic, seeds)
    enough = trace.n_requests >= FEWEST_REQUESTS
    use = enough and all(one.badness <= 1.0 for one in pools)
    return SelfCheck(
        use=use,
        verdict=_verdict(use, pools) if enough else _too_few(trace.n_requests),
        pools=pools,
        figures=_figures(
            bench.burstiness(None, SEEDS), bench.burstiness(traffic, SEEDS)
        ),
        seeds=seeds,
        realizations=bench.realizations,
        notes=(window.note,) if window.note else (),
    )


def _verdict(use: bool, pools: tuple[PoolCheck, ...]) -> str:
    if use:
        return (
            f"use the model: on {_counted(len(pools))} its cost is within "
            f"{COST_LIMIT:.0%} of the log's, its p95 response time within "
            f"{P95_LIMIT:.0%}, its share of cold starts within {COLD_LIMIT:.0%}"
        )
    # An error that is no luck is told rather than one that may be.
    worst = max(
        (one for one in pools if one.badness > 1.0), key=lambda one: one.telling_badness
    )
    errors = (worst.cost_error, worst.p95_error, worst.cold_error)
    cost, p95, cold = worst.errors
    if worst.few_cold_starts:
        cold = 0.0
    what = ("cost", "p95 response time", "share of cold starts")
    said = [
        f"{name} is {_said(error)}"
        for name, error, size in zip(what, errors, (cost, p95, cold), strict=True)
        if size > 1.0
    ]
    parts = [f"the model's {', its '.join(said)}"] if said else []
    if worst.few_cold_starts and worst.errors[-1] > 1.0:
        parts.append(_few_cold_starts(worst.log))
    return f"replay the log: with {worst.deployment}, {'; '.join(parts)}"


def _few_cold_starts(log: Measured) -> str:
    return (
        f"cold starts are too few to compare ({log.cold_starts:.2g} in "
        f"{log.requests:,.0f})"
    )


def _too_few(n: int) -> str:
    return (
        f"replay the log: it has only {n:,} request{'' if n == 1 else 's'}, and a model "
        f"needs {FEWEST_REQUESTS} at least"
    )


def _counted(n: int) -> str:
    return "the pool tried" if n == 1 else f"all {n} pools tried"


def _said(error: float) -> str:
    if not math.isfinite(error):
        return "above 0 where the log's is 0, or not known"
    if error > 1.0:
        return f"{1.0 + error:.1f} times the log's"
    return f"{abs(error):.0%} too {'high' if error > 0 else 'low'}"


def _figures(log: list[Burstiness], model: list[Burstiness]) -> tuple[FigureCheck, ...]:
    found = []
    for name, window_s in FIGURES:
        ours = _known([getattr(one, name)[window_s] for one in log])
        theirs = _known([getattr(one, name)[window_s] for one in model])
        found.append(
            FigureCheck(
                name,
                window_s,
                _mean(ours),
                _mean(theirs),
                min(theirs, default=None),
                max(theirs, default=None),
            )
        )
    return tuple(found)


def _known(values: list[float | None]) -> list[float]:
    return [one for one in values if one is not None]


def _mean(values: list[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None
