"""What a reader makes of a file, whatever its format: rows, and an account of the rest.

A reader yields batches in the order of the file. What it cannot use it drops and says
why; what it decides it notes. It does not sort, filter, scatter or limit: that is done
for all formats in one place, ``costsim.traffic.formats.assemble``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from costsim.records import Floats, Ints
    from costsim.scenario.trace import Trace, TraceFormat
    from costsim.traffic.formats.content import Content, Head
    from costsim.traffic.formats.times import Clock


@dataclass(frozen=True, eq=False)
class Batch:
    """Some rows of a file, one after the other; arrays of equal length."""

    line: Ints
    """Where each row begins: its line, or its number among the file's objects, from 1."""
    time_ns: Ints
    """Moment of each row, since ``Account.epoch``; of a bin its beginning. Times without
    an offset are in the wall clock of ``Account.zone``. [ns]"""
    duration_s: Floats | None = None
    """Service times, NaN where a row has none. [s]"""
    input_tokens: Floats | None = None
    """Tokens read, NaN where a row has none."""
    output_tokens: Floats | None = None
    """Tokens written, NaN where a row has none."""
    count: Floats | None = None
    """Requests in the bin, >= 0, not always whole; None if each row is a request."""
    width_s: Floats | None = None
    """Width of the bin; None if rows are requests, or to be found from the times. [s]"""
    spacing_shape: Floats | None = None
    """As of ``TraceData``. [1]"""
    key: Sequence[str] | None = None
    """Endpoint, model or function of each row, empty if none."""
    session: Sequence[str] | None = None
    """Session, user or address of each row, empty if none."""


@dataclass
class Fault:
    """One reason for which rows are dropped."""

    n: int = 0
    """How many rows."""
    lines: list[int] = field(default_factory=list)
    """The first lines, three at most."""
    example: str = ""
    """Text that could not be read, if that is the reason."""


@dataclass
class Account:
    """What a reader has to say of a file besides its rows; it is filled while it reads.

    A reader counts every row of the file that was meant to be a request in ``n_rows``,
    whether it can be used or not; comments, headers and objects of other kinds are none.
    """

    path: str
    """The file, for messages."""
    n_rows: int = 0
    """Rows so far."""
    faults: dict[str, Fault] = field(default_factory=dict)
    """Rows that cannot be used, by reason."""
    skipped: dict[str, int] = field(default_factory=dict)
    """Rows that are left out on purpose, such as those of a load test's warm-up."""
    notes: list[str] = field(default_factory=list)
    """How it was read."""
    warnings: list[str] = field(default_factory=list)
    """What may make an answer wrong."""
    epoch: str = "unix"
    """``unix`` if times count from 1970, ``file`` if they count from an arbitrary moment."""
    zone: tzinfo | None = None
    """Zone of the times: UTC for instants; None if the file has wall-clock times
    without an offset, whose zone only the user knows."""
    resolution_s: float = 0.0
    """The span to which stamps were cut, if the format tells; else 0. [s]"""
    stamped_end: bool = False
    """Times are the ends of requests: the arrival is the time less the duration."""

    clock: Clock | None = None
    """What its times are, once ``parse_times`` has seen one."""
    needs: tuple[str, ...] | None = None
    """Fields of ``TraceData`` that are wanted; None for all that there are."""

    def wants(self, name: str) -> bool:
        """Say whether a field of ``TraceData`` is of use; rows are judged by these."""
        return self.needs is None or name in self.needs

    def drop(self, reason: str, line: int, example: str = "") -> None:
        """Count one row that cannot be used; the reason ends "1 row with ..."."""
        fault = self.faults.setdefault(reason, Fault(example=example))
        fault.n += 1
        if len(fault.lines) < 3:
            fault.lines.append(line)

    def skip(self, what: str, n: int = 1) -> None:
        """Count rows that are left out on purpose; ``what`` is a plural."""
        self.skipped[what] = self.skipped.get(what, 0) + n


Detector = Callable[["Head"], bool]
"""Says whether the beginning of a file is that of a format; must not raise."""
Reader = Callable[["Content", "Trace", Account], Iterator[Batch]]
"""Reads a file of one format; raises ``TraceError`` where it makes no sense to go on."""


@dataclass(frozen=True)
class Format:
    """One format that can be read."""

    name: TraceFormat
    """As a scenario names it."""
    title: str
    """What people call it."""
    detect: Detector
    """Whether a file is of this format."""
    read: Reader
    """Makes batches of it."""
    arrival: str
    """What is taken as the arrival, in words: field names and corrections."""
    holds: str
    """What it holds besides: durations, tokens, keys, sessions."""
    export: str = ""
    """How to get such a file: a command or a menu, if there is one."""
