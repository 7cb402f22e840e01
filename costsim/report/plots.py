"""Pictures of characters for the terminal: columns, a heat map, bars."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from costsim.report.glyphs import regrouped
from costsim.units import format_duration, format_fraction, format_rate

if TYPE_CHECKING:
    from datetime import datetime

    from costsim.records import Floats

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_ASCII_EIGHTHS = " ...::::#"
_SHADES = " ░▒▓█"
_ASCII_SHADES = " .:*#"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_ROWS = 8
_LABEL_WIDTH = 9
_FULL = 0.95
"""Share of the hours of a week that are below the darkest shade."""


def rate_plot(
    rate_per_s: Floats,
    span_s: float,
    start: datetime | None,
    *,
    width: int,
    unicode: bool,
) -> list[str]:
    """Return the rate over time as columns, eight lines high, with an axis below.

    Parameters
    ----------
    rate_per_s : ndarray of float64
        Mean rate in bins of equal length. [requests/s]
    span_s : float
        Length of all of them. [s]
    start : datetime or None
        The moment at which they begin, for the axis.
    width : int
        Characters of a line.
    unicode : bool
        Whether the stream takes block characters.
    """
    glyphs = _EIGHTHS if unicode else _ASCII_EIGHTHS
    rates = regrouped(rate_per_s, width - _LABEL_WIDTH)
    top = float(rates.max(initial=0.0))
    # The smallest something shows; zero is empty.
    eighths = np.ceil(rates / top * _ROWS * 8).astype(int) if top > 0 else rates * 0
    lines = []
    for row in range(_ROWS - 1, -1, -1):
        steps = np.clip(eighths - 8 * row, 0, 8).astype(int)
        label = ""
        if row == _ROWS - 1:
            label = format_rate(top)
        lines.append(f"{label:>{_LABEL_WIDTH - 1}} {''.join(glyphs[s] for s in steps)}")
    lines.append(_axis(span_s, start, len(rates)))
    return lines


def week_plot(rate_per_s: Floats, *, unicode: bool) -> list[str]:
    """Return the rate by hour of the week as shades, a line a day.

    Parameters
    ----------
    rate_per_s : ndarray of float64, shape (7, 24)
        Mean rate of each hour, Monday 00:00 first; NaN where there is none. [requests/s]
    unicode : bool
        Whether the stream takes block characters.
    """
    shades = _SHADES if unicode else _ASCII_SHADES
    # The busiest hours do not count, or one event would make all others look alike.
    top = float(np.nanquantile(rate_per_s, _FULL)) or float(np.nanmax(rate_per_s))
    # Two characters an hour, so that a day is wide enough to be read.
    lines = [f"{'':>{_LABEL_WIDTH}}{''.join(f'{h:<12}' for h in (0, 6, 12, 18))}24"]
    for day, rates in zip(_DAYS, rate_per_s, strict=True):
        cells = "".join(2 * _shade(rate, top, shades) for rate in rates.tolist())
        lines.append(f"{day:>{_LABEL_WIDTH - 1}} {cells}".rstrip())
    full = f"{2 * shades[-1]} = {format_rate(top)} and more"
    return [*lines, f"{'':>{_LABEL_WIDTH}}{full}"]


def gap_plot(
    edges_s: Floats, share: Floats, poisson_share: Floats, *, width: int, unicode: bool
) -> list[str]:
    """Return the distribution of gaps as bars, with the share of Poisson arrivals.

    Parameters
    ----------
    edges_s : ndarray of float64, shape (n + 1,)
        Ends of the bins. [s]
    share, poisson_share : ndarray of float64, shape (n,)
        Share of gaps in each, and of Poisson arrivals of the same mean rate. [1]
    width : int
        Characters of a line.
    unicode : bool
        Whether the stream takes block characters.
    """
    block = "█" if unicode else "#"
    labels = [f"< {format_duration(edge)}" for edge in edges_s[1:].tolist()]
    room = width - max(map(len, labels)) - 4 - 2 * 9
    top = max(float(share.max()), 1e-9)
    lines = [f"  {'GAP':<{max(map(len, labels))}}{'SHARE':>9}{'POISSON':>9}"]
    for label, own, other in zip(
        labels, share.tolist(), poisson_share.tolist(), strict=True
    ):
        bar = block * round(own / top * room)
        shares = f"{format_fraction(own):>9}{format_fraction(other):>9}"
        lines.append(f"  {label:<{max(map(len, labels))}}{shares}  {bar}".rstrip())
    return lines


def _shade(rate: float, top: float, shades: str) -> str:
    if not rate > 0 or top <= 0:  # nothing, or not seen
        return shades[0]
    step = int(np.ceil(rate / top * (len(shades) - 1)))
    return shades[min(max(1, step), len(shades) - 1)]


def _axis(span_s: float, start: datetime | None, width: int) -> str:
    """Return a line with the beginning and the end of the time shown."""
    if start is None:
        first, last = "0", format_duration(span_s)
    else:
        form = "%Y-%m-%d %H:%M"
        first = start.strftime(form)
        last = (start + timedelta(seconds=span_s)).strftime(form)
    return f"{'':>{_LABEL_WIDTH}}{first}{last:>{max(0, width - len(first))}}"
