"""A model fitted to a log: estimated, tried against the log, adjusted, chosen.

Estimators propose models of several arrival processes. Each is simulated on reference
pools, and the one whose cost, slow responses and cold starts are nearest to those of the
log replayed is taken; a simpler one, if it is about as near. A model that is not near
enough is adjusted: the few numbers that its estimator finds least surely are turned
until the pools agree (indirect inference; Gourieroux, Monfort, Renault, J. Appl.
Econometrics 8, 1993). Seeds of the choice are others than those of the self-check.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from costsim.study.bench import Bench
from costsim.study.choice import MOST_IN_THE_END, MOST_TRIED, Place, Tried, choose
from costsim.study.selfcheck import FEWEST_REQUESTS
from costsim.study.window import Window, cut_window
from costsim.traffic.fit.candidates import fit_candidates
from costsim.traffic.fit.evidence import gather_evidence
from costsim.traffic.fit.service import fit_service, recorded_service
from costsim.traffic.fit.sessions import log_sessions
from costsim.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from costsim.catalog.platform import Catalog
    from costsim.traffic.fit.candidates import Candidate
    from costsim.traffic.fit.evidence import Evidence
    from costsim.traffic.trace import TraceData

_OWN_SEED = 1_000_003
"""Added to the seed for the choice, and twice for the last one."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A model of a log's traffic, as sections of a scenario."""

    traffic: dict[str, Any]
    """The ``traffic`` section."""
    service: dict[str, Any]
    """The ``service`` section."""
    start: datetime | None
    """The scenario's ``start``; None if nothing needs a calendar and the log has none."""
    horizon_s: float
    """The scenario's ``horizon``: the log's span. [s]"""
    process: str
    """The arrival process, and ``+ noise`` if there is some."""
    tried: tuple[Tried, ...]
    """All models that were tried, best first."""
    notes: tuple[str, ...]
    """What was chosen, and why."""
    warnings: tuple[str, ...]
    """What may make the model wrong."""
    own_work: bool = False
    """Whether service is a law of the work in the log: its replay takes the work itself."""

    @property
    def section(self) -> dict[str, Any]:
        """Start, horizon, traffic and service of a scenario, as its file has them."""
        section: dict[str, Any] = {}
        if self.start is not None:
            section["start"] = self.start.isoformat()
        section["horizon"] = format_duration_exactly(self.horizon_s)
        section["traffic"] = self.traffic
        section["service"] = self.service
        return section


def format_duration_exactly(value_s: float) -> str:
    """Return a length of time in seconds, as many digits as it has."""
    return f"{value_s:.12g}s"


def fit(
    trace: TraceData,
    *,
    service: Mapping[str, Any] | None = None,
    prefill: str | None = None,
    decode: str | None = None,
    deployments: Sequence[Mapping[str, Any]] | None = None,
    setup: Any = None,  # noqa: ANN401 - as the scenario has it
    catalog: Catalog | None = None,
    seed: int = 1,
    effort: float = 1.0,
    on_progress: Callable[[str], None] | None = None,
) -> Fit:
    """Return a model of a log's traffic.

    Parameters
    ----------
    trace : TraceData
        The log.
    service : mapping, optional
        A scenario's ``service`` section; from the log if left out.
    prefill, decode : str, optional
        Speeds of tokens, where the log has tokens and no durations.
    deployments : sequence of mapping, optional
        Pools on which models are tried, as a scenario has them; reference pools with
        idle timeouts of 60 s and 300 s if left out.
    setup : optional
        A scenario's ``setup`` section; log-normal with a median of 30 s if left out.
    catalog : Catalog, optional
        Platforms and prices; the shipped ones if None.
    seed : int
        Of all that is random.
    effort : float
        How much is simulated to find the model, relative to the usual.
    on_progress : callable, optional
        Called with what is being done.
    """
    tell = on_progress or (lambda _: None)
    tell("estimating models")
    evidence = gather_evidence(trace, seed)
    sessions = log_sessions(trace, evidence, seed)
    law, note = dict(service or {}), "service as given"
    if service is None:
        law, note = fit_service(trace, prefill, decode)
    candidates = fit_candidates(evidence, sessions)
    tell("trying them")
    small, wide = (
        _place(
            trace,
            evidence,
            candidates[0].start,
            law,
            most,
            own_work=service is None,
            deployments=deployments,
            setup=setup,
            catalog=catalog,
            seed=seed + step * _OWN_SEED,
        )
        for step, most in enumerate((MOST_TRIED, MOST_IN_THE_END), 1)
    )
    chosen, tried = choose(small, wide, candidates, effort, tell)
    return _fitted(trace, evidence, law, note, chosen, tried, wide.window, service)


def _fitted(
    trace: TraceData,
    evidence: Evidence,
    law: dict[str, Any],
    note: str,
    chosen: Candidate,
    tried: tuple[Tried, ...],
    window: Window,
    service: Mapping[str, Any] | None,
) -> Fit:
    return Fit(
        traffic=chosen.traffic,
        service=law,
        start=chosen.start,
        horizon_s=evidence.span_s,
        process=chosen.name,
        tried=tried,
        notes=(*chosen.notes, *_choice_notes(chosen, tried, window), note),
        warnings=_warnings(trace, evidence),
        own_work=service is None,
    )


def _place(
    trace: TraceData,
    evidence: Evidence,
    start: datetime | None,
    law: dict[str, Any],
    most: int,
    *,
    own_work: bool,
    **pools: Any,  # noqa: ANN401 - what Bench takes
) -> Place:
    """Return about so many requests of the log, and pools for them."""
    window = cut_window(trace, evidence.span_s, most, start)
    bench = Bench(
        window.trace,
        law,
        start=window.start,
        horizon_s=window.horizon_s,
        log_service=recorded_service(window.trace, law) if own_work else None,
        **pools,
    )
    return Place(bench, window)


def _choice_notes(
    chosen: Candidate, tried: tuple[Tried, ...], window: Window
) -> list[str]:
    best, others = tried[0], [one for one in tried[1:] if math.isfinite(one.badness)]
    said = f"{chosen.name} is chosen of {len(tried)} models tried"
    if chosen.note:
        said += f" ({chosen.note})"
    if best.adjusted:
        said += ", adjusted so that the pools agree"
    notes = [said]
    if others:
        next_best = min(others, key=lambda one: one.badness)
        notes.append(
            f"largest error on the pools {best.badness:.2f} of what is allowed; "
            f"{next_best.name} has {next_best.badness:.2f}"
        )
    if window.note:
        notes.append(window.note)
    return notes


def _warnings(trace: TraceData, evidence: Evidence) -> tuple[str, ...]:
    found = list(trace.warnings)
    if evidence.n_requests < FEWEST_REQUESTS:
        found.append(
            f"the log has only {evidence.n_requests:,} requests; a model needs some "
            f"{FEWEST_REQUESTS} at least"
        )
    days = evidence.span_s / 86_400.0
    if days < 2:
        found.append(
            f"the log covers {format_duration(evidence.span_s)}, less than two days: it "
            "tells nothing of hours of the day"
        )
    elif days < 14:
        found.append(
            f"the log covers {days:.1f} days, less than two weeks: it tells little of "
            "days of the week"
        )
    if evidence.bin_s > 30.0:
        found.append(
            f"bins of {format_duration(evidence.bin_s)} hide what happens within them: "
            "an idle timeout below twice that may be far off"
        )
    return tuple(found)
