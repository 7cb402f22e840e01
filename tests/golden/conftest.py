"""A clock that stands still: the ages of prices are part of what is printed."""

from __future__ import annotations

import pytest
from golden_outputs import FixedClock

_READ_THE_CLOCK = (
    "costsim.study.run",
    "costsim.study.breakeven.study",
    "costsim.study.tune.tuning",
    "costsim.study.sweep.check",
    "costsim.report.price_rows",
    "costsim.report.platforms",
)


@pytest.fixture(autouse=True, scope="module")
def fixed_clock():
    with pytest.MonkeyPatch.context() as patch:
        for module in _READ_THE_CLOCK:
            patch.setattr(f"{module}.datetime", FixedClock)
        yield
