"""The verdict of a search in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from costsim.study.tune.goal import at_most
from costsim.study.verdict import describe_slo, format_measure, label
from costsim.units import format_duration, format_fraction
from costsim.yaml_source import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from costsim.scenario.schema import Scenario
    from costsim.study.differences import Difference
    from costsim.study.tune.goal import Goal, Trial
    from costsim.study.tune.lab import Lab
    from costsim.study.tune.result import Answer, Choice
    from costsim.study.tune.search import Search

_COST = "cost_usd_per_month"
_TOLD = 3
"""Ties that are named in the verdict."""


def verdict(
    scenario: Scenario,
    goal: Goal,
    answers: Sequence[Answer],
    own: Choice | None,
    saving: Difference | None,
) -> str:
    """Return the verdict.

    Parameters
    ----------
    scenario : Scenario
        What was asked for.
    goal : Goal
        What must hold.
    answers : sequence of Answer
        The best first.
    own : Choice or None
        The scenario's own best.
    saving : Difference or None
        From that to the answer.
    """
    best = answers[0].best
    condition = f"{describe_slo(scenario.slo)} with {_sure(goal)} confidence"
    if best is None:
        return f"Nothing that was tried meets {condition}."
    what = "Cheapest" if goal.measure == _COST else f"Lowest {label(goal.measure)}"
    value = format_measure(goal.measure, best.measures[goal.measure])
    price = (
        f"{value} a month" if goal.measure == _COST else f"{value}, {_monthly(best)}"
    )
    said = [f"{what} that meets {condition}: {named(best)}, {price}."]
    if own is not None and saving is not None:
        said.append(_saved(best, own, saving, goal))
    if answers[0].ties:
        said.append(_tie(best, answers[0].ties))
    if answers[0].idle_words:
        words = " and ".join(answers[0].idle_words)
        said.append(
            f"All values of {words} that were tried there tie: they do the same."
        )
    return " ".join(said)


def named(choice: Choice) -> str:
    """Return a deployment and its settings for people."""
    return f"{shorten(choice.deployment)} with {choice.said}"


def needed(lab: Lab, goal: Goal, search: Search) -> tuple[str, ...]:
    """Return what comes nearest, by how much it misses, and what would be needed.

    Parameters
    ----------
    lab : Lab
        Whose requests are looked at.
    goal : Goal
        What must hold.
    search : Search
        That which came nearest.
    """
    nearest = search.board().nearest
    if nearest is None:
        return ("No settings are possible.",)
    trial = search.fresh.get(nearest, search.trials[nearest])
    parts = ", ".join(f"{k} {v}" for k, v in search.family.settings(nearest).items())
    missed = [
        (measure, limit)
        for measure, limit in goal.bounds.items()
        if not at_most(trial.samples[measure], goal.confidence) <= limit
    ]
    unsure = (
        f"within every bound, but {trial.n} replications are too few to be sure of all "
        "at once (--replications)"
    )
    misses = "; ".join(_miss(*one, trial.mean(one[0])) for one in missed)
    said = [
        f"Nearest: {shorten(search.family.label)} with {parts or 'its settings'}: "
        f"{misses or unsure}. It meets all bounds in {format_fraction(_met(goal, trial))} of "
        "the replications."
    ]
    likely = [
        f"{label(measure)} <= {_rounded(measure, at_most(trial.samples[measure], goal.confidence))}"
        for measure, _ in missed
    ]
    if likely:
        said.append(f"It would meet an SLO of {' and '.join(likely)}.")
    return (*said, *_too_slow(lab, goal, search))


def _met(goal: Goal, trial: Trial) -> float:
    met = goal.meets(trial)
    return sum(met) / len(met)


def _too_slow(lab: Lab, goal: Goal, search: Search) -> Iterator[str]:
    """Say if requests take too long even where none has to wait."""
    speed = search.family.base.speed
    for percent in (50, 90, 95, 99):
        limit_s = goal.bounds.get(f"p{percent}_s")
        if limit_s is None:
            continue
        alone_s = lab.service_quantile_s(percent / 100) / speed
        if alone_s > limit_s:
            yield (
                f"Service alone has a p{percent} of {format_duration(alone_s)}: that needs "
                f"hardware {alone_s / limit_s:.2g} times as fast "
                f"(--gpu NAME:{speed * alone_s / limit_s:.2g}), however many replicas."
            )


def _miss(measure: str, limit: float, value: float) -> str:
    told = f"{label(measure)} {format_measure(measure, value)}, "
    if value > limit:
        over = f" ({format_fraction(value / limit - 1)})" if limit else ""
        return (
            f"{told}{format_measure(measure, value - limit)}{over} above "
            f"{format_measure(measure, limit)}"
        )
    return f"{told}within {format_measure(measure, limit)} on average, but not surely"


def _rounded(measure: str, value: float) -> str:
    """Return a limit that a value is within, for people: rounded up."""
    digits = 2 - int(np.floor(np.log10(value))) if value > 0 else 0
    scale = 10.0**digits
    return format_measure(measure, float(np.ceil(value * scale) / scale))


def _sure(goal: Goal) -> str:
    return format_fraction(goal.confidence)


def _monthly(choice: Choice) -> str:
    return f"{format_measure(_COST, choice.cost_usd_per_month)} a month"


def _saved(best: Choice, own: Choice, saving: Difference, goal: Goal) -> str:
    name = shorten(own.deployment)
    which = "the best of the scenario's own that meets it"
    if not own.meets_slo:
        which = "which misses it, as all of the scenario's own do"
    if best.asked.model_copy(update={"name": ""}) == own.asked.model_copy(
        update={"name": ""}
    ):
        return f"That is how {name} is set already."
    found = saving.absolute
    if saving.is_noise:
        return f"That is no less than {name} within the noise, {which}."
    word = "less" if found.value < 0 else "more"
    amount = format_measure(goal.measure, abs(found.value))
    share = format_fraction(abs(saving.relative.value))
    return f"{amount} ({share}) {word} than {name} as it is set now, {which}."


def _tie(best: Choice, ties: Sequence[Choice]) -> str:
    """Return what ties: other deployments by name, other settings by what differs."""
    others = [shorten(one.deployment) for one in ties if not _is_of(one, best)]
    settings = [_differing(best, one) for one in ties if _is_of(one, best)]
    said = []
    if others:
        names = " and ".join([shorten(best.deployment), *others])
        said.append(f"{names} tie: they do not differ by more than the noise.")
    if settings:
        told = "; or ".join(settings[:_TOLD])
        more = len(settings) - _TOLD
        tail = f"; and {more} more" if more > 0 else ""
        said.append(f"It ties, within the noise, with {told}{tail}.")
    return " ".join(said)


def _is_of(one: Choice, best: Choice) -> bool:
    return one.deployment == best.deployment


def _differing(best: Choice, other: Choice) -> str:
    """Return in which settings another choice of the same deployment differs."""
    parts = [
        f"{word} {value}"
        for word, value in other.settings.items()
        if best.settings[word] != value
    ]
    if other.schedule != best.schedule:
        parts += other.schedule or ("no schedule",)
    return ", ".join(parts)
