"""Batches of any format made into ``TraceData``.

Here, for all formats alike: ends are moved to starts, keys and a window are chosen, bins
get their width and whole counts, rows are put in order, and a file of which too much
cannot be used is refused.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from costsim.errors import TraceError
from costsim.traffic.formats.bins import WholeCounts
from costsim.traffic.formats.intake import Intake
from costsim.traffic.formats.moments import NS_PER_S
from costsim.traffic.formats.reasons import (
    binned_notes,
    refuse_if_unusable,
    row_notes,
)
from costsim.traffic.formats.spool import TIME, FileTable, Spool
from costsim.traffic.formats.zones import instants, ns_of, wall_clock
from costsim.traffic.trace import VALUE_FIELDS, TraceData
from costsim.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import tzinfo

    from costsim.records import Floats
    from costsim.scenario.trace import Trace
    from costsim.spec import Moment
    from costsim.traffic.formats.batch import Account, Batch
    from costsim.traffic.formats.spool import Table

_FOREVER = 2**62
_FEW = 100
"""Rows below which whole seconds may be chance."""
_WORDS = {
    "duration_s": "durations",
    "input_tokens": "input tokens",
    "output_tokens": "output tokens",
}


def assemble(
    batches: Iterable[Batch], account: Account, spec: Trace, name: str
) -> TraceData:
    """Return the requests in some batches.

    Parameters
    ----------
    batches : iterable of Batch
        What the format's reader makes of the file.
    account : Account
        What it says of the file; complete once the batches are used up.
    spec : Trace
        The user's choices.
    name : str
        Name of the format.

    Raises
    ------
    TraceError
        If the file cannot be used.
    """
    intake = Intake(account, spec)
    spool = Spool(spec.path)
    for batch in batches:
        table = intake.table(batch)
        if len(table[TIME]):
            spool.add(table)
    refuse_if_unusable(account, spec.max_dropped)
    intake.refuse_unknown_keys()
    _refuse_missing(intake, account)
    return _finished(spool, intake, account, spec, name)


def _refuse_missing(intake: Intake, account: Account) -> None:
    """Raise ``TraceError`` if a field that is needed has no value in any row."""
    for name in VALUE_FIELDS if account.needs is not None else ():
        if account.wants(name) and name not in intake.has_values:
            message = (
                f"has no {_WORDS[name]}; "
                f"traffic.trace.columns.{name.removesuffix('_s')} names their column"
            )
            raise TraceError(message, path=account.path)


def _finished(
    spool: Spool, intake: Intake, account: Account, spec: Trace, name: str
) -> TraceData:
    """Return the rows in the order of time, as the simulation takes them."""
    finish = _Finish(intake, account, spec)
    blocks = _without_empty(finish.blocks(spool.blocks()))
    first = next(blocks, None)
    if first is None or (intake.binned and not intake.any_requests):
        raise _nothing_left(intake, account, spec)
    owner: object = None
    columns: dict[str, Any]
    if spool.spilled:
        stored = FileTable(spec.path)
        stored.append(first)
        for block in blocks:
            stored.append(block)
        columns, owner = stored.columns(), stored.owner
    else:
        columns = first
    resolution_s, resolution_notes = _resolution(intake, account, spec, columns)
    data = TraceData(
        **columns,
        keys=intake.keys,
        resolution_s=resolution_s,
        start=finish.start,
        format=name,
        owner=owner,
    )
    bin_notes, bin_warnings = binned_notes(data)
    notes = (
        _summary(data),
        *account.notes,
        *bin_notes,
        *resolution_notes,
        *row_notes(account, intake.n_late, intake.first_late),
    )
    return replace(data, notes=notes, warnings=(*account.warnings, *bin_warnings))


def _without_empty(blocks: Iterator[Table]) -> Iterator[Table]:
    """Yield rows without empty bins, but for the first and the last of all.

    Those stay, so that a log covers what it covered.
    """
    following, is_first = next(blocks, None), True
    while following is not None:
        block, following = following, next(blocks, None)
        if "count" in block:
            keep = block["count"] > 0
            keep[0] |= is_first
            keep[-1] |= following is None
            block = {name: column[keep] for name, column in block.items()}
        is_first = False
        if len(block["arrival_s"]):
            yield block


class _Finish:
    """Turns tables in the order of time into columns of ``TraceData``."""

    def __init__(self, intake: Intake, account: Account, spec: Trace) -> None:
        self._intake = intake
        self._account = account
        self._spec = spec
        self._first: int | None = None
        n_keys = len(intake.keys)
        self._whole = WholeCounts(n_keys)
        self._n_keys = n_keys
        self._widths: Floats | None = None

    @property
    def start(self) -> datetime | None:
        """When the first request arrived, if that is known."""
        if self._first is None or self._account.epoch != "unix":
            return None
        zone = self._intake.zone
        clock = self._account.clock
        if zone is UTC and clock is not None and clock.offset is not None:
            zone = clock.offset
        return wall_clock(self._first, zone)

    def blocks(self, tables: Iterator[Table]) -> Iterator[Table]:
        """Yield the rows in the window; none without a row."""
        window = None
        for table in tables:
            if window is None:
                window = _window(
                    int(table[TIME][0]), self._intake.zone, self._account, self._spec
                )
            begin, end = np.searchsorted(table[TIME], window).tolist()
            part = {name: column[begin:end] for name, column in table.items()}
            part = self._counted(part)
            if len(part[TIME]):
                yield self._columns(part)

    def _columns(self, table: Table) -> Table:
        time = table.pop(TIME)
        if self._first is None:
            self._first = int(time[0])
        empty = set(VALUE_FIELDS) - self._intake.has_values
        kept = {name: column for name, column in table.items() if name not in empty}
        return {"arrival_s": (time - self._first) / NS_PER_S, **kept}

    def _counted(self, table: Table) -> Table:
        """Return the rows, with the width of their bins and whole counts."""
        if "count" not in table:
            return table
        key = table.get("key", np.full(len(table[TIME]), -1)).astype(np.int64)
        whole = self._whole.take(key, table["count"]) if len(key) else table["count"]
        return {**table, "count": whole.astype(np.int64), "width_s": self._of(table)}

    def _of(self, table: Table) -> Floats:
        """Return the width of each row's bin. [s]"""
        n = len(table[TIME])
        if self._spec.bin is not None:
            return np.full(n, self._spec.bin)
        known = np.asarray(table.get("width_s", np.full(n, np.nan)))
        if np.isfinite(known).all():
            return known
        if self._widths is None:
            self._widths = self._intake.widths.of(self._n_keys, self._spec.path)
        key = table.get("key", np.full(n, -1))
        return np.where(np.isfinite(known), known, self._widths[key])


def _window(
    first: int, zone: tzinfo | None, account: Account, spec: Trace
) -> tuple[int, int]:
    """Return from when to when requests are wanted. [ns]"""
    begin, end = spec.window.begin, spec.window.end
    return (
        -_FOREVER if begin is None else _moment(begin, first, zone, account),
        _FOREVER if end is None else _moment(end, first, zone, account),
    )


def _moment(moment: Moment, first: int, zone: tzinfo | None, account: Account) -> int:
    """Return one end of a window. [ns]"""
    if not isinstance(moment, datetime):
        return first + round(moment * NS_PER_S)
    ns, why = ns_of(moment), ""
    if account.epoch != "unix":
        why = "the file has no dates; give durations after its first request"
    elif zone is None and moment.tzinfo is not None:
        why = (
            "the file's dates have no offset; leave it out here too, or set "
            "traffic.trace.time_zone"
        )
    if why:
        message = f"cannot be cut at {moment.isoformat()}: {why}"
        raise TraceError(message, path=account.path)
    if moment.tzinfo is None and zone is not None:
        return int(instants(np.array([ns]), zone)[0])
    return ns


def _nothing_left(intake: Intake, account: Account, spec: Trace) -> TraceError:
    if spec.window.begin is not None or spec.window.end is not None:
        message = "has no requests in the window that traffic.trace.window gives"
    elif intake.binned:
        message = "has no requests: all counts are 0"
    else:
        left_out = ", ".join(f"{n:,} {what}" for what, n in account.skipped.items())
        message = "has no requests" + (f", only {left_out}" if left_out else "")
    return TraceError(message, path=account.path)


def _resolution(
    intake: Intake, account: Account, spec: Trace, columns: dict[str, Any]
) -> tuple[float, list[str]]:
    """Return the span to which stamps were cut, and what to say about it. [s]"""
    if spec.resolution is not None:
        return spec.resolution, []
    span = account.resolution_s
    if intake.binned:
        return 0.0, []
    if span == 0 and intake.whole_seconds and len(columns["arrival_s"]) >= _FEW:
        span = 1.0
    if span == 0:
        return 0.0, []
    return span, [
        f"times are in steps of {format_duration(span)}: requests are spread over them; "
        "traffic.trace.resolution: 0s would keep them together"
    ]


def _summary(data: TraceData) -> str:
    n = data.n_requests
    begins = (
        ""
        if data.start is None
        else f" from {data.start.isoformat(timespec='seconds')}"
    )
    requests = "1 request" if n == 1 else f"{n:,} requests"
    return f"{requests} in {format_duration(data.span_s)}{begins}"
