"""Access logs of AWS's Application Load Balancers.

The time at the front of a line is when the response was sent. When the request came is
in a field of its own, which lines of before 2018 do not have.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from costsim.traffic.formats.batch import Batch, Format
from costsim.traffic.formats.gather import can_be
from costsim.traffic.formats.json_fields import number
from costsim.traffic.formats.split import Fields, fields_of, split_block
from costsim.traffic.formats.stamps import request_paths
from costsim.traffic.formats.times import NO_TIME, drop_times, parse_times

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from costsim.records import Ints
    from costsim.scenario.trace import Trace
    from costsim.traffic.formats.batch import Account
    from costsim.traffic.formats.content import Content, Head

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\S+')
_BEGIN = re.compile(
    r"(https?|h2|grpcs|wss?) \d{4}-\d\d-\d\dT\S+Z \S+ \S+ \S+( -?\d[\d.]*){3} "
)
_CREATED = 21
_WANTED = (1, 3, 5, 6, 7, 12, _CREATED)
"""Positions of time, client, the three processing times, request and creation."""
_FEWEST = 13  # fields up to the request
_LONGEST_S = 1e8  # what is longer is dropped
_ORIGIN = re.compile(r"(?<= )[a-z]+://[^/ ]*")


def _is_alb(head: Head) -> bool:
    return any(_BEGIN.match(line) for line in head.lines[:3])


def _read_alb(content: Content, spec: Trace, account: Account) -> Iterator[Batch]:
    """Yield requests; those that no target was asked for are left out."""
    account.notes.append(
        "the arrival is request_creation_time; service times are target_processing_time "
        "and response_processing_time, waiting for the target included"
    )
    sizes = Counter(len(_TOKEN.findall(line)) for line in content.head.lines)
    # Lines that are shorter than this are split one by one.
    n_fields = max(_CREATED + 1, sizes.most_common(1)[0][0])
    older: list[int] = []
    for block in content.blocks():
        fields, odd = split_block(block, " ", n_fields, _WANTED)
        if odd:
            fields = fields.joined(_slowly(odd, account))
        yield from _batches(fields, older, spec, account)
    if any(older):
        account.notes.append(
            f"{sum(older):,} lines have no request_creation_time: there the arrival is "
            "the time of the response less the three processing times"
        )


def _slowly(odd: Sequence[tuple[int, str]], account: Account) -> Fields:
    """Split lines that have another number of fields, as older and newer ones have."""
    lines, rows = [], []
    for at, line in odd:
        row = _TOKEN.findall(line)
        if not row:
            continue
        if len(row) < _FEWEST or not _BEGIN.match(line):
            account.n_rows += 1
            account.drop("a line of another form", at, line)
            continue
        cells = [row[i].strip('"') if i < len(row) else "" for i in _WANTED]
        lines.append(at)
        rows.append(cells)
    return fields_of(lines, rows, len(_WANTED))


def _batches(
    fields: Fields, older: list[int], spec: Trace, account: Account
) -> Iterator[Batch]:
    """Yield the requests in some lines; ``older`` takes how many lack their creation."""
    filled = np.flatnonzero(fields.columns[0].numbers(len) > 0)
    account.n_rows += len(filled)
    columns = [column.rows(filled) for column in fields.columns]
    stamp, client, *times, request, created = columns
    spans = [time.floats(number) for time in times]
    sent = ~(spans[0] < 0)
    if not sent.all():
        account.skip(
            "requests that were never sent to a target", int(np.count_nonzero(~sent))
        )
    line = fields.line[filled]
    time_ns = _arrivals(stamp.texts(), created.texts(), spans, line, spec, account)
    usable = sent.copy()
    drop_times(stamp.texts(), time_ns, usable, line, "time", account)
    older.append(int(np.count_nonzero(created.numbers(len)[usable] < 2)))
    answered = (spans[1] >= 0) & (spans[2] >= 0)
    duration_s = np.where(answered, spans[1] + spans[2], np.nan)
    usable &= can_be(duration_s, line, account)
    good = np.flatnonzero(usable)
    if not len(good):
        return
    yield Batch(
        line=line[good],
        time_ns=time_ns[good],
        duration_s=duration_s[good],
        key=request_paths(_without_origins(request.rows(good).texts())),
        session=client.rows(good).texts(_addresses),
    )


def _arrivals(
    stamps: pa.Array,
    created: pa.Array,
    spans: Sequence[np.ndarray[tuple[int], np.dtype[np.float64]]],
    line: Ints,
    spec: Trace,
    account: Account,
) -> Ints:
    """Return when requests came: as it is written, else before the response. [ns]"""
    time_ns = parse_times(created, account, spec, line)
    missing = time_ns == NO_TIME
    if missing.any():
        ended_ns = parse_times(stamps, account, spec, line)
        took_s = sum(np.nan_to_num(np.clip(span, 0, _LONGEST_S)) for span in spans)
        begun_ns = ended_ns - np.rint(took_s * 1e9).astype(np.int64)
        known = missing & (ended_ns != NO_TIME)
        time_ns = np.where(known, begun_ns, time_ns)
    return time_ns


def _without_origins(requests: pa.Array) -> pa.Array:
    """Return request lines with paths in place of whole addresses."""
    coded = requests.dictionary_encode()
    paths = [_ORIGIN.sub("", one, count=1) for one in coded.dictionary.to_pylist()]
    return _strings(paths).take(coded.indices)


def _addresses(clients: pa.Array) -> pa.Array:
    """Return addresses without ports."""
    return _strings([one.rpartition(":")[0] for one in clients.to_pylist()])


def _strings(texts: list[str]) -> pa.Array:
    import pyarrow as pa

    return pa.array(texts, pa.string())


FORMATS: tuple[Format, ...] = (
    Format(
        "alb",
        "AWS Application Load Balancer access log",
        _is_alb,
        _read_alb,
        arrival="request_creation_time; in older lines time less the processing times",
        holds="processing times of the target, the path as key, the address as session",
        export="turn on access logs of the load balancer; they are written to S3",
    ),
)
