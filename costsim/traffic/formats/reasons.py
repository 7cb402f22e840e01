"""What must be said of a file besides its requests: rows left out, sorted, or coarse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from costsim.errors import TraceError
from costsim.traffic.formats.shown import shown
from costsim.traffic.trace import slices
from costsim.units import format_duration

if TYPE_CHECKING:
    from costsim.traffic.formats.batch import Account, Fault
    from costsim.traffic.trace import TraceData

COARSE_S = 10.0
"""Bins wider than this hide the bursts that programs make. [s]"""

_EXPECTED = (
    "a number has a decimal point, a date is written as 2026-03-05T18:00:00+01:00"
)


def refuse_if_unusable(account: Account, max_dropped: float) -> None:
    """Raise ``TraceError`` if there are no rows, or too many that cannot be used."""
    if account.n_rows == 0:
        left_out = ", ".join(f"{n:,} {what}" for what, n in account.skipped.items())
        message = "has no requests" + (f", only {left_out}" if left_out else "")
        raise TraceError(message, path=account.path)
    n = sum(fault.n for fault in account.faults.values())
    if n <= max_dropped * account.n_rows:
        return
    faults = account.faults.values()
    hint = f"; {_EXPECTED}" if any(fault.example for fault in faults) else ""
    message = (
        f"{n:,} of {account.n_rows:,} rows cannot be used, more than "
        f"{100 * max_dropped:.3g}%: {'; '.join(_reasons(account))}{hint}; "
        "traffic.trace.max_dropped would allow more"
    )
    first = min(fault.lines[0] for fault in faults if fault.lines)
    raise TraceError(message, path=account.path, line=first)


def row_notes(account: Account, n_late: int, first_late: int) -> list[str]:
    """Return what must be said about rows left out and sorted."""
    notes = [f"rows left out: {reason}" for reason in _reasons(account)]
    notes += [f"left out on purpose: {n:,} {w}" for w, n in account.skipped.items()]
    if n_late:
        what = "1 row out of order was"
        if n_late > 1:
            what = f"{n_late:,} rows out of order were"
        notes.append(f"{what} sorted; first at line {first_late}")
    return notes


def binned_notes(data: TraceData) -> tuple[list[str], list[str]]:
    """Return notes and warnings on rows that are bins."""
    if data.width_s is None:
        return [], []
    widths = np.unique(np.concatenate([np.unique(w) for w in slices(data.width_s)]))
    low, high = (format_duration(float(w)) for w in (widths[0], widths[-1]))
    width = low if low == high else f"{low} to {high}"
    note = f"rows are bins of {width}: requests are scattered at random inside each"
    if widths[-1] <= COARSE_S:
        return [note], []
    warning = (
        f"rows are bins of {width}: bursts inside a bin are lost, which makes scaling "
        "look cheaper than it is; a log with a row for each request shows them"
    )
    return [note], [warning]


def _reasons(account: Account) -> list[str]:
    return [
        f"{fault.n:,} with {reason} ({_where(fault)})"
        for reason, fault in account.faults.items()
    ]


def _where(fault: Fault) -> str:
    """Return the first lines at fault, and an example."""
    first = ", ".join(map(str, fault.lines[:3]))
    lines = f"line{'' if fault.n == 1 else 's'} {first}"
    more = ", ..." if fault.n > 3 else ""
    example = f": {shown(fault.example)}" if fault.example else ""
    return lines + more + example
