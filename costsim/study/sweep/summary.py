"""What a sweep says: the best point, and what each key does to cost and latency.

The marginal effect of a key is the mean over all points that have one of its values, for
each value: what the key does whatever the others are. In a grid that is the main effect of
a factorial design (Box, Hunter and Hunter, Statistics for Experimenters, 2005, ch. 5); of
values that are drawn, those near each other are taken together.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from costsim.study.sweep.axis import Axis
    from costsim.study.sweep.table import Parameter

    Row = Mapping[str, Any]

_GROUPS = 5
"""Groups of values that were drawn."""


@dataclass(frozen=True)
class Level:
    """A value of a key, or a group of values that were drawn; means over its points."""

    text: str
    """The value, or ``low..high``."""
    points: int
    cost_usd_per_month: float
    p95_s: float
    meets_slo_fraction: float
    """Share of its points that meet the SLO; NaN without one. [1]"""


@dataclass(frozen=True)
class Effect:
    """What a key does to one deployment."""

    key: str
    deployment: str
    levels: tuple[Level, ...]
    """In the order in which they were written."""


@dataclass(frozen=True)
class Best:
    """The cheapest row of a deployment that meets the SLO; of all, if none does."""

    deployment: str
    point: int
    values: Mapping[str, str]
    cost_usd_per_month: float
    p95_s: float
    meets_slo: bool | None
    """None: there is no SLO."""
    meeting: int
    """Points at which the deployment meets the SLO."""
    wins: int
    """Points at which it is the cheapest that meets the SLO."""
    points: int
    """All points at which it was simulated."""


def effects(
    axes: Sequence[Axis],
    parameters: Sequence[Parameter],
    texts: Mapping[int, Sequence[str]],
    rows: Sequence[Row],
) -> list[Effect]:
    """Return what each key does to each deployment.

    Parameters
    ----------
    axes : sequence of Axis
        What is varied.
    parameters : sequence of Parameter
        The same as columns.
    texts : mapping of int to sequence of str
        The values of each point.
    rows : sequence of mapping
        All results.
    """
    return [
        Effect(axis.key, deployment, _levels(position, axis, parameter, texts, some))
        for position, (axis, parameter) in enumerate(zip(axes, parameters, strict=True))
        for deployment, some in _by_deployment(rows).items()
    ]


def best_rows(
    axes: Sequence[Axis], texts: Mapping[int, Sequence[str]], rows: Sequence[Row]
) -> list[Best]:
    """Return the best row of each deployment, the cheapest deployment first.

    Those that meet the SLO come before those that do not.
    """
    keys = [axis.key for axis in axes]
    found = []
    for deployment, some in _by_deployment(rows).items():
        meeting = [row for row in some if row["meets_slo"] is not False]
        row = min(meeting or some, key=lambda one: one["cost_usd_per_month"])
        point = row["point"]
        found.append(
            Best(
                deployment=deployment,
                point=point,
                values=dict(zip(keys, texts[point], strict=True)),
                cost_usd_per_month=row["cost_usd_per_month"],
                p95_s=_number(row["p95_s"]),
                meets_slo=row["meets_slo"],
                meeting=len(meeting),
                wins=sum(one["cheapest"] for one in meeting),
                points=len(some),
            )
        )
    return sorted(
        found, key=lambda one: (one.meets_slo is False, one.cost_usd_per_month)
    )


def _by_deployment(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["deployment"]].append(row)
    return found


def _levels(
    position: int,
    axis: Axis,
    parameter: Parameter,
    texts: Mapping[int, Sequence[str]],
    rows: Sequence[Row],
) -> tuple[Level, ...]:
    groups: dict[str, list[Row]] = {text: [] for text in axis.values}
    if axis.span is None:
        for row in rows:
            groups[texts[row["point"]][position]].append(row)
    else:
        ordered = sorted(
            rows, key=lambda row: parameter.number(texts[row["point"]][position])
        )
        for some in np.array_split(np.arange(len(ordered)), _GROUPS):
            if some.size:
                first, last = (
                    texts[ordered[index]["point"]][position]
                    for index in (some[0], some[-1])
                )
                group = [ordered[index] for index in some]
                groups.setdefault(f"{first}..{last}", []).extend(group)
    return tuple(_level(text, some) for text, some in groups.items() if some)


def _level(text: str, rows: Sequence[Row]) -> Level:
    judged = [row["meets_slo"] for row in rows if row["meets_slo"] is not None]
    return Level(
        text=text,
        points=len(rows),
        cost_usd_per_month=_mean([row["cost_usd_per_month"] for row in rows]),
        p95_s=_mean([row["p95_s"] for row in rows]),
        meets_slo_fraction=sum(judged) / len(judged) if judged else math.nan,
    )


def _mean(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else math.nan


def _number(value: float | None) -> float:
    return math.nan if value is None else value
