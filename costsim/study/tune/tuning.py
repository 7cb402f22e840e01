"""The cheapest settings that meet the SLO: ``costsim.tune``."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from costsim.catalog.lookup import unknown
from costsim.catalog.platform import load_catalog
from costsim.catalog.provenance import UNDATED
from costsim.catalog.quote import stale_sources
from costsim.errors import InputError
from costsim.scenario.configuration import configuration_text
from costsim.scenario.deployment import resolve
from costsim.scenario.load import load_scenario, scenario_hash, scenario_warnings
from costsim.study.executor import THREADS, Workers
from costsim.study.pools import check_pools
from costsim.study.tune.choices import chosen
from costsim.study.tune.families import SCHEDULE, TUNED, find_families
from costsim.study.tune.goal import OBJECTIVES, Goal, compared
from costsim.study.tune.lab import Lab
from costsim.study.tune.overview import front, heat_map
from costsim.study.tune.result import Answer, TuneResult
from costsim.study.tune.saying import needed, verdict
from costsim.study.tune.search import Search
from costsim.study.tune.shifts import shifts
from costsim.study.verdict import limits

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from concurrent.futures import Executor

    from costsim.catalog.platform import Catalog
    from costsim.scenario.deployment import Resolution
    from costsim.scenario.schema import Deployment, Scenario
    from costsim.study.differences import Difference
    from costsim.study.tune.result import Choice
    from costsim.study.tune.space import Point

REPLICATIONS = 32
"""Replications of a setting at most, in the search and again on fresh traffic."""
_LEAST_REPLICATIONS = 4
_TIES = 5
"""Ties that are told one by one."""


def tune(
    scenario: Scenario | str | Path,
    *,
    deployments: Collection[str] = (),
    gpus: Mapping[str, float] | None = None,
    keep: Collection[str] = (),
    minimize: str = "cost",
    confidence: float = 0.95,
    replications: int = REPLICATIONS,
    catalog: Catalog | None = None,
    executor: Executor | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> TuneResult:
    """Find the cheapest settings of a scenario's deployments that meet its SLO.

    Parameters
    ----------
    scenario : Scenario, str or Path
        With an ``slo``; or its file.
    deployments : collection of str
        Names of those to tune; all if empty.
    gpus : mapping of str to float, optional
        Hardware to try besides their own, and its speed: service times are divided by it.
    keep : collection of str
        What is left as it is: ``idle_timeout``, ``retention``, ``min_replicas``,
        ``buffer_replicas``, ``concurrency_target``, ``schedule``.
    minimize : str
        ``cost``, ``p95``, ``p99`` or ``mean``.
    confidence : float
        Share of fresh replications that must meet every bound, in [0.5, 1). [1]
    replications : int
        Replications of the settings that are left in the end.
    catalog : Catalog, optional
        Platforms and prices; the shipped ones if None.
    executor : concurrent.futures.Executor, optional
        Where replications run; all cores of this machine if None.
    on_progress : callable, optional
        Called with (finished, begun) simulations.

    Returns
    -------
    TuneResult
        The same for the same scenario and version, wherever it runs.

    Raises
    ------
    InputError
        If there is no SLO, or a name or a number is not possible.
    SimulationError
        If a run would end in centuries only.
    """
    if isinstance(scenario, (str, Path)):
        scenario = load_scenario(scenario)
    platforms = load_catalog() if catalog is None else catalog
    resolution = resolve(scenario, platforms)
    check_pools(scenario, resolution)
    return tune_resolved(
        scenario,
        resolution,
        platforms,
        goal=goal_of(scenario, minimize, confidence, replications),
        deployments=deployments,
        gpus=gpus,
        keep=keep,
        workers=THREADS if executor is None else Workers(executor=executor),
        on_progress=on_progress,
    )


def goal_of(
    scenario: Scenario, minimize: str, confidence: float, replications: int
) -> Goal:
    """Return what settings must hold.

    Raises
    ------
    InputError
        If there is no SLO, or a word or a number is not possible.
    """
    bounds = limits(scenario.slo)
    if not bounds.keys() - {"lost_fraction"}:
        message = (
            "the scenario has no slo, so the cheapest would be to serve nothing well; add "
            "one, such as slo: {p95: 2s}, or give --set slo.p95=2s"
        )
        raise InputError(message)
    if minimize not in OBJECTIVES:
        raise InputError(unknown("objective", minimize, OBJECTIVES))
    if not 0.5 <= confidence < 1:
        message = f"a confidence of {confidence:g}: write one from 50% to 99.9%"
        raise InputError(message)
    if replications < _LEAST_REPLICATIONS:
        message = (
            f"{replications} replications tell too little; at least "
            f"{_LEAST_REPLICATIONS}, better {REPLICATIONS}"
        )
        raise InputError(message)
    return Goal(bounds, confidence, OBJECTIVES[minimize], replications)


def tune_resolved(
    scenario: Scenario,
    resolution: Resolution,
    catalog: Catalog,
    *,
    goal: Goal,
    deployments: Collection[str] = (),
    gpus: Mapping[str, float] | None = None,
    keep: Collection[str] = (),
    workers: Workers = THREADS,
    on_progress: Callable[[int, int], None] | None = None,
) -> TuneResult:
    """Tune a scenario whose deployments are resolved and checked already; see ``tune``."""
    lab = Lab(scenario, catalog, resolution, workers=workers, on_progress=on_progress)
    wanted = _wanted(scenario, resolution, deployments)
    for word in keep:
        if word not in (*TUNED, SCHEDULE):
            raise InputError(unknown("setting to keep", word, (*TUNED, SCHEDULE)))
    searches = [
        Search(lab, family, goal)
        for family in find_families(lab, catalog, wanted, gpus or {}, keep)
    ]
    found = [(search, _found(search)) for search in searches]
    found.sort(key=lambda one: _merit(one, goal))
    return _result(scenario, resolution, catalog, goal, lab, found)


def _wanted(
    scenario: Scenario, resolution: Resolution, names: Collection[str]
) -> list[Deployment]:
    """Return the deployments to tune: those asked for, of those that are not excluded."""
    kept = {one.name for one in resolution.deployments}
    known = [one for one in scenario.deployments if one.name in kept]
    for name in names:
        if name not in kept:
            raise InputError(unknown("deployment", name, [one.name for one in known]))
    return [one for one in known if not names or one.name in names]


def _found(search: Search) -> Point | None:
    """Search a family; return its best point, confirmed, or None."""
    search.run(search.family.first_points())
    best = search.confirm()
    yours = list(search.family.yours.values())
    if search.family.is_own:
        search.try_afresh(yours)
    if best is None:
        nearest = search.nearest()
        search.try_afresh([] if nearest is None else [nearest])
    return best


def _merit(found: tuple[Search, Point | None], goal: Goal) -> tuple[bool, float]:
    """Order families: those with an answer first, the best first; else the nearest."""
    search, best = found
    if best is not None:
        return (False, search.fresh[best].mean(goal.measure))
    board = search.board()
    if board.nearest is None:
        return (True, float("inf"))
    return (True, goal.excess(search.trials[board.nearest]))


def _answer(search: Search, best: Point | None) -> Answer:
    board = search.board()
    nearest = None if best is not None else board.nearest
    ties = [] if best is None else [one for one in board.ties() if one in search.fresh]
    family = search.family
    return Answer(
        deployment=family.label,
        names=tuple(family.yours),
        best=None if best is None else chosen(search, best),
        nearest=None if nearest is None else chosen(search, nearest),
        ties=tuple(chosen(search, one) for one in ties[:_TIES]),
        idle_words=() if best is None else _idle_words(search, best),
        settings_tried=len(search.trials),
        simulations=search.simulations,
        grid=family.size,
    )


def _idle_words(search: Search, best: Point) -> tuple[str, ...]:
    """Return settings of which every value tried beside the best did the same."""
    alike = set(search.board().alike(best))
    words = []
    for index, axis in enumerate(search.family.axes):
        line = [
            one
            for one in search.trials
            if one != best and one.moved(index, best.values[index]) == best
        ]
        if line and alike.issuperset(line):
            words.append(axis.knob.word)
    return tuple(words)


def _result(
    scenario: Scenario,
    resolution: Resolution,
    catalog: Catalog,
    goal: Goal,
    lab: Lab,
    found: list[tuple[Search, Point | None]],
) -> TuneResult:
    searches = [search for search, _ in found]
    search, best = found[0]
    answers = [_answer(*one) for one in found]
    answers[0] = replace(answers[0], ties=_all_ties(answers, found, goal))
    own = _own(searches, goal)
    reference, saving = _saving(search, best, own, goal)
    moved = () if best is None else shifts(lab, catalog, goal, searches, best)
    dates = [s.as_of for one in resolution.deployments for s in one.sources]
    return TuneResult(
        scenario=scenario,
        scenario_hash=scenario_hash(scenario),
        goal=goal,
        prices_as_of=min((date for date in dates if date != UNDATED), default=None),
        answers=tuple(answers),
        own=tuple(choice for choice, _ in own),
        compared_with=reference,
        saving=saving,
        front=front(searches, best),
        heat_map=heat_map(search, best),
        shifts=moved,
        configuration=_configuration(answers[0].best, catalog),
        sentence=verdict(scenario, goal, answers, reference, saving),
        needed=() if best is not None else needed(lab, goal, search),
        simulations=lab.simulations,
        notes=lab.study.notes,
        warnings=_warnings(scenario, resolution),
    )


def _configuration(best: Choice | None, catalog: Catalog) -> str:
    """Return the answer as its vendor's configuration; empty without an answer."""
    if best is None:
        return ""
    platform = best.asked.platform
    return configuration_text(
        best.asked, None if platform is None else catalog.find(platform)
    )


def _warnings(scenario: Scenario, resolution: Resolution) -> tuple[str, ...]:
    sources = tuple(s for one in resolution.deployments for s in one.sources)
    found = [
        *scenario_warnings(scenario),
        *resolution.warnings,
        *stale_sources(sources, datetime.now(UTC).date()),
    ]
    return tuple(dict.fromkeys(found))


def _own(searches: Sequence[Search], goal: Goal) -> list[tuple[Choice, Search]]:
    """Return the scenario's own settings, those that meet the SLO first, the best first."""
    found = [
        (replace(chosen(search, point), deployment=name), search)
        for search in searches
        if search.family.is_own
        for name, point in search.family.yours.items()
    ]
    measure = goal.measure
    return sorted(found, key=lambda x: (not x[0].meets_slo, x[0].measures[measure]))


def _saving(
    search: Search,
    best: Point | None,
    own: Sequence[tuple[Choice, Search]],
    goal: Goal,
) -> tuple[Choice | None, Difference | None]:
    """Return the scenario's own best, and by how much the answer is below it."""
    if best is None or not own:
        return None, None
    choice, home = own[0]
    theirs = home.fresh[home.family.yours[choice.deployment]]
    return choice, compared(theirs, search.fresh[best], goal.measure)


def _all_ties(
    answers: Sequence[Answer],
    found: Sequence[tuple[Search, Point | None]],
    goal: Goal,
) -> tuple[Choice, ...]:
    """Return what is not told from the answer, of its own deployment and of others."""
    search, best = found[0]
    if best is None:
        return ()
    ours = search.fresh[best]
    others = [
        answer.best
        for answer, (other, point) in zip(answers[1:], found[1:], strict=True)
        if answer.best is not None
        and point is not None
        and compared(ours, other.fresh[point], goal.measure).absolute.low <= 0
    ]
    return (*answers[0].ties, *others)
