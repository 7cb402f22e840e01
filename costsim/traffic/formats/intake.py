"""Batches of any format as tables of numbers: shifted, filtered, with names as codes."""

from __future__ import annotations

from datetime import UTC, tzinfo
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from costsim.errors import TraceError
from costsim.scenario.when import find_zone
from costsim.traffic.formats.bins import Widths
from costsim.traffic.formats.moments import NS_PER_S, Kind
from costsim.traffic.formats.shown import shown
from costsim.traffic.formats.spool import TIME
from costsim.traffic.formats.times import NO_TIME
from costsim.traffic.formats.zones import instants
from costsim.traffic.trace import VALUE_FIELDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from costsim.records import Floats, Ints
    from costsim.scenario.trace import Trace
    from costsim.traffic.formats.batch import Account, Batch
    from costsim.traffic.formats.spool import Table

_COLUMNS = (*VALUE_FIELDS, "count", "width_s", "spacing_shape")


class Intake:
    """Turns batches into tables, and remembers what must be known of all of them.

    Parameters
    ----------
    account : Account
        That of the file.
    spec : Trace
        The user's choices.
    """

    def __init__(self, account: Account, spec: Trace) -> None:
        self._account = account
        self._spec = spec
        self._codes: dict[str, int] = {}
        self._requests_of: dict[str, float] = {}
        self._latest = -(2**63)
        self.n_late = 0
        """Rows that are earlier than one before them."""
        self.first_late = 0
        """Line of the first of them."""
        self.widths = Widths()
        """Widths of bins, where the format does not give them."""
        self.whole_seconds = True
        """Whether all times are whole seconds."""
        self.has_values: set[str] = set()
        """Fields of which some row has a value."""
        self.binned = False
        """Whether rows are bins."""
        self.any_requests = False
        """Whether some bin has a request."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of the keys, by their code."""
        return tuple(self._codes)

    @property
    def zone(self) -> tzinfo | None:
        """Zone of the wall-clock times; UTC if they are instants, None if unknown."""
        clock, given = self._account.clock, self._spec.time_zone
        if self._account.epoch != "unix":
            return None
        instant = self._account.zone is UTC and (
            clock is None or clock.kind is Kind.NUMBER or clock.offset is not None
        )
        if given is not None and not instant:
            return find_zone(given)
        return self._account.zone

    def table(self, batch: Batch) -> Table:
        """Return the rows of a batch that are wanted."""
        keep = np.asarray(batch.time_ns) != NO_TIME
        time = self._arrivals(batch, keep)
        table: Table = {TIME: time}
        for name in _COLUMNS:
            values = getattr(batch, name)
            if values is not None:
                table[name] = np.asarray(values, dtype=np.float64)
        keep &= self._counts(table, batch.line)
        if batch.key is not None:
            table["key"], chosen = self._keys(batch.key, table.get("count"), keep)
            keep &= chosen
        if batch.session is not None and self._account.wants("session"):
            table["session"] = _sessions(batch.session)
        if not keep.all():
            table = {name: column[keep] for name, column in table.items()}
        self._look_at(table, np.asarray(batch.line)[keep])
        return _without_zeros(table)

    def refuse_unknown_keys(self) -> None:
        """Raise ``TraceError`` if a key of the user's is not in the file."""
        missing = [key for key in self._spec.keys if key not in self._requests_of]
        if not missing:
            return
        known = sorted(self._requests_of.items(), key=lambda item: -item[1])
        listed = ", ".join(f"{shown(key)} ({n:,.0f})" for key, n in known[:8])
        more = f" and {len(known) - 8:,} more" if len(known) > 8 else ""
        message = (
            f"has no requests with the key {shown(missing[0])}, which "
            f"traffic.trace.keys names; keys and their requests are {listed}{more}"
            if known
            else "has no keys to choose from; traffic.trace.columns.key names their "
            "column"
        )
        raise TraceError(message, path=self._account.path)

    def _arrivals(self, batch: Batch, keep: npt.NDArray[np.bool_]) -> Ints:
        """Return the instants at which requests arrived."""
        time = np.array(batch.time_ns, dtype=np.int64)
        zone = self.zone
        if zone is not None and zone is not UTC and keep.any():
            time[keep] = instants(time[keep], zone)
        ends = self._account.stamped_end or self._spec.stamped == "end"
        if not ends or self._spec.stamped == "start":
            return time
        spans = self._spans(batch)
        known = np.isfinite(spans)
        for line in np.asarray(batch.line)[keep & ~known].tolist():
            self._account.drop("an end but no duration", line)
        keep &= known
        arrivals: Ints = time - np.rint(np.where(known, spans, 0.0) * NS_PER_S).astype(
            np.int64
        )
        return arrivals

    def _spans(self, batch: Batch) -> Floats:
        """Return what lies between arrival and end of each row: its duration or bin. [s]"""
        if batch.count is not None and self._spec.bin is not None:
            return np.full(len(batch.count), self._spec.bin)
        spans = batch.duration_s if batch.count is None else batch.width_s
        if spans is not None:
            return spans
        message = (
            "has times at which bins end, and no width to take off; set traffic.trace.bin"
            if batch.count is not None
            else "has times at which requests ended, and no durations to take off; name "
            "their column in traffic.trace.columns.duration, or set "
            "traffic.trace.stamped to start to take the ends for arrivals"
        )
        raise TraceError(message, path=self._account.path)

    def _counts(self, table: Table, lines: Ints) -> npt.NDArray[np.bool_]:
        """Say which rows have a count that can be used; bins without one are empty."""
        count = table.get("count")
        if count is None:
            return np.ones(len(table[TIME]), dtype=bool)
        self.binned = True
        self.any_requests = self.any_requests or bool((count > 0).any())
        with np.errstate(invalid="ignore"):
            for line in np.asarray(lines)[count < 0].tolist():
                self._account.drop("a negative count", line)
            return np.asarray((count >= 0) & np.isfinite(count))

    def _keys(
        self,
        names: Sequence[str],
        count: Floats | None,
        keep: npt.NDArray[np.bool_],
    ) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
        """Return the code of each row's key, and whether it is one of the user's."""
        found, places = _distinct(names)
        weights = keep if count is None else np.where(keep, count, 0)
        sums = np.bincount(places, weights=weights, minlength=len(found))
        for name, n in zip(found, sums.tolist(), strict=True):
            if name:
                self._requests_of[name] = self._requests_of.get(name, 0) + n
        chosen = frozenset(self._spec.keys or found)
        wanted = np.array([name in chosen for name in found], dtype=bool)
        codes = [self._code(n) if w else -1 for n, w in zip(found, wanted, strict=True)]
        code = np.array(codes, dtype=np.int32)
        return code[places], wanted[places]

    def _code(self, name: str) -> int:
        return self._codes.setdefault(name, len(self._codes)) if name else -1

    def _look_at(self, table: Table, lines: Ints) -> None:
        """Remember what must be known of all rows."""
        time = table[TIME]
        if not len(time):
            return
        self.has_values |= {
            name
            for name in VALUE_FIELDS
            if name in table and bool(np.isfinite(table[name]).any())
        }
        self.whole_seconds = self.whole_seconds and not (time % NS_PER_S).any()
        if not self.binned:
            latest = np.maximum(np.maximum.accumulate(time), self._latest)
            late = np.flatnonzero(time < latest)
            if len(late) and not self.n_late:
                self.first_late = int(lines[late[0]])
            self.n_late += len(late)
            self._latest = int(latest[-1])
        elif "width_s" not in table and self._spec.bin is None:
            key = table.get("key", np.full(len(time), -1))
            self.widths.add(key.astype(np.int64), time)


def _without_zeros(table: Table) -> Table:
    """Return a table without empty bins, but for its first and its last.

    Those stay, so that the log covers what it covered.
    """
    count = table.get("count")
    if count is None or count.all():
        return table
    keep = count > 0
    keep[[np.argmin(table[TIME]), np.argmax(table[TIME])]] = True
    return {name: column[keep] for name, column in table.items()}


def _distinct(names: Sequence[str]) -> tuple[list[str], Ints]:
    """Return the names, and the place of each row's among them."""
    from costsim.traffic.formats.values import text_array

    coded = text_array(names).dictionary_encode()
    places = np.asarray(coded.indices.to_numpy(zero_copy_only=False))
    return coded.dictionary.to_pylist(), places.astype(np.int64)


def _sessions(names: Sequence[str]) -> Ints:
    """Return a number for each session, the same in every run."""
    found, places = _distinct(names)
    numbers = [
        int.from_bytes(blake2b(name.encode(), digest_size=8).digest()) >> 1
        if name
        else -1
        for name in found
    ]
    return np.array(numbers, dtype=np.int64)[places]
