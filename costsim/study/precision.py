"""Sequential stopping: as many replications as intervals of a wanted width need.

The number grows by what the widest interval asks for, since widths shrink with the square
root of the number of replications (Law, Simulation Modeling and Analysis, 9.4.1); it is
decided by the results alone, never by time or cores, so that a run can be repeated.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from costsim.study.verdict import label
from costsim.units import format_fraction
from costsim.yaml_source import shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from costsim.study.rows import Measured

MOST_REPLICATIONS = 200
"""Of a run that is asked for precision; ten take 4.5 times as wide an interval."""
FEWEST_REPLICATIONS = 10
"""Below it a width is too uncertain to stop at."""
_WATCHED = ("cost_usd_per_month", "p95_s")
_LEAST_GROWTH, _MOST_GROWTH = 1.2, 2.0


def replications_wanted(found: Sequence[Measured], precision: float) -> int:
    """Return how many replications to have next; as many as there are: enough.

    Parameters
    ----------
    found : sequence of Measured
        Every deployment so far.
    precision : float
        Largest half width of an interval of cost and p95, as a share of the value. [1]
    """
    n = found[0].row.replications
    if n < FEWEST_REPLICATIONS:
        return FEWEST_REPLICATIONS
    widest = max(_width(one, measure) for one in found for measure in _WATCHED)
    if widest <= precision:
        return n
    asked = n * (widest / precision) ** 2
    asked = min(max(asked, _LEAST_GROWTH * n), _MOST_GROWTH * n)
    return min(MOST_REPLICATIONS, math.ceil(asked))


def imprecise(found: Sequence[Measured], precision: float) -> list[str]:
    """Return a warning for each interval that stayed wider than wanted."""
    return [
        f"{shorten(one.row.deployment)}: {label(measure)} is known to "
        f"+-{format_fraction(width)}, not to the {format_fraction(precision)} asked for, "
        f"after {one.row.replications} replications; lengthen the horizon"
        for one in found
        for measure in _WATCHED
        if (width := _width(one, measure)) > precision
    ]


def _width(one: Measured, measure: str) -> float:
    """Return half of an interval as a share of the value; 0 where there is none."""
    estimate = one.estimates[measure]
    half = estimate.half_width
    # What is never measured, as without a served request, becomes no better.
    if not half > 0:
        return 0.0
    return half / abs(estimate.value) if estimate.value else math.inf
