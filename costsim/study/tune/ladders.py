"""The values that a knob is tried at: few at first, then finer ones between them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from costsim.scenario.knobs import Knob

_SECONDS = (
    *(0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 18, 20, 22, 25, 28, 30, 35, 40, 45),
    *(50, 55, 60, 70, 80, 90, 100, 110, 120, 135, 150, 165, 180, 195, 210, 225, 240),
    *(270, 300, 330, 360, 390, 420, 450, 480, 540, 600, 660, 720, 780, 840, 900, 960),
    *(1020, 1080, 1200, 1320, 1440, 1560, 1680, 1800, 1980, 2100, 2400, 2700, 3000),
    *(3300, 3600, 4200, 4800, 5400, 6000, 6600, 7200, 8100, 9000, 10800, 12600, 14400),
)
"""Durations as people write them, mostly 6 to 12 % apart. [s]"""
_FIRST_SECONDS = (0, 10, 30, 60, 150, 300, 600, 1200, 3600, 14400)
_SHARES = (1.0, 0.75, 0.5, 0.25)
_EVERY_UP_TO = 16
"""Targets that are tried one by one; above it in sixteenths of the slots."""


def durations(knob: Knob) -> tuple[list[float], list[float]]:
    """Return a duration's first values and all of them, ascending. [s]"""
    first, fine = (
        [float(one) for one in values if knob.minimum <= one <= knob.maximum]
        for values in (_FIRST_SECONDS, _SECONDS)
    )
    ends = [knob.minimum, *([knob.maximum] if knob.maximum < _SECONDS[-1] else [])]
    return sorted({*first, *ends}), sorted({*fine, *ends})


def counts(least: int, most: int) -> tuple[list[float], list[float]]:
    """Return a count's first values, ever farther apart, and all of them."""
    fine = [float(n) for n in range(least, most + 1)]
    steps = [least]
    while steps[-1] < most:
        steps.append(min(most, max(steps[-1] + 1, math.ceil(1.4 * steps[-1]))))
    return [float(n) for n in steps], fine


def targets(knob: Knob, slots: int) -> tuple[list[float], list[float]]:
    """Return the first requests per replica to aim at, and all: at most its slots."""
    whole = knob.kind == "count"
    sixteenths = [slots * n / 16 for n in range(4, 17)]
    fine = [float(n) for n in range(1, slots + 1)]
    if slots > _EVERY_UP_TO:
        fine = sixteenths
    allowed = [
        {float(round(one)) if whole else one for one in values}
        for values in ([slots * share for share in _SHARES], fine)
    ]
    return tuple(  # type: ignore[return-value] # of two
        sorted(one for one in values if knob.minimum <= one <= knob.maximum)
        for values in allowed
    )
