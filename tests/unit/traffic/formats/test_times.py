from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from costsim.errors import TraceError
from costsim.scenario.trace import Trace
from costsim.traffic.formats.batch import Account
from costsim.traffic.formats.times import (
    NO_TIME,
    how_times_were_read,
    ns_of_epoch,
    ns_of_iso,
    parse_column_of_times,
    parse_times,
)

NOON = 1_772_452_800_000_000_000  # 2026-03-02T12:00Z


def parse(texts, account=None, unit=None, **keys):
    lines = np.arange(2, 2 + len(texts))
    spec = Trace.model_validate({"path": "x.csv", **keys})
    return parse_times(texts, account or Account("x.csv"), spec, lines, unit).tolist()


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("2026-03-02T12:00:00Z", NOON),
        ("2026-03-02 12:00:00+00:00", NOON),
        ("2026-03-02T13:00:00.5+0100", NOON + 500_000_000),
        ("2026-03-02T06:30:00 -05:30", NOON),
        ("2026-03-02 12:00:00.123456789 UTC", NOON + 123_456_789),
        ("2026-03-02T12:00", NOON),
        ("2026/03/02 12:00:00,25", NOON + 250_000_000),
        ("20260302T120000Z", NOON),
        ("02/Mar/2026:13:00:00 +0100", NOON),
        ("[02/Mar/2026:12:00:00.5 +0000]", NOON + 500_000_000),
        ("Mon, 02 Mar 2026 12:00:00 GMT", NOON),
        ("Mar 2, 2026, 12:00:00", NOON),
        ("1772452800", NOON),
        ("1772452800.25", NOON + 250_000_000),
        ("1772452800000", NOON),
        ("1772452800000001", NOON + 1_000),
        ("1772452800000000001", NOON + 1),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000_000_000),
    ],
)
def test_a_time_is_read_to_the_nanosecond(text, ns):
    assert parse([text]) == [ns]


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2026-02-30T00:00:00Z", "2026-03-02T25:00Z", "02/Foo/2026:1:00"],
)
def test_what_is_no_time_is_none(text):
    assert parse(["2026-03-02T12:00:00Z", text]) == [NOON, NO_TIME]


def test_one_bad_time_does_not_spoil_the_others():
    texts = [f"2026-03-02T12:{i // 60:02}:{i % 60:02}Z" for i in range(3000)]
    texts[1234] = "?"

    values = parse(texts)

    assert values[1234] == NO_TIME
    assert [v for v in values if v != NO_TIME] == [
        NOON + i * 10**9 for i in range(3000) if i != 1234
    ]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["5", "2026-03-02T12:00Z"], "is a date with an offset, but line 2 has a numb"),
        (
            ["2026-03-02", "5"],
            "'5' is a number, but line 2 has a date without an offset",
        ),
        (["2026-03-02T12:00Z", "2026-03-02T12:00"], "is a date without an offset, but"),
        (
            ["2026-03-02T12:00Z", "02/Mar/2026:12:00:00 +0000"],
            "as access logs write it",
        ),
        (
            ["2026-03-02T12:00", "03/02/2026 12:00"],
            "whose day and month cannot be told",
        ),
    ],
)
def test_times_of_two_kinds_are_refused_at_the_line(texts, message):
    with pytest.raises(TraceError, match=message) as caught:
        parse(texts)
    assert caught.value.line == 3


@pytest.mark.parametrize(
    "text", ["01/02/2026", "1.2.2026 10:00", "16/11/2023 18:17:03"]
)
def test_a_date_of_two_meanings_is_refused(text):
    with pytest.raises(TraceError, match="may be read with the day or with the month"):
        parse([text])


def test_the_kind_is_remembered_from_batch_to_batch():
    account = Account("x.csv")

    assert parse(["1772452800000"], account) == [NOON]
    # As seconds this would be far in the future: it is out of the range of the others.
    assert parse(["5"], account) == [NO_TIME]
    assert account.zone is UTC
    assert how_times_were_read(account) == "milliseconds since 1970"
    with pytest.raises(TraceError, match="but line 2 has a number"):
        parse(["2026-03-02"], account)


def test_numbers_from_zero_are_those_of_the_file():
    account = Account("x.csv")

    assert parse(["0", "1.5", "-1"], account) == [0, 1_500_000_000, NO_TIME]
    assert account.epoch == "file"
    assert account.zone is None


def test_a_unit_is_taken_from_the_scenario_then_from_the_format():
    assert parse(["2000"], unit="ms") == [2 * 10**9]
    assert parse(["2000"], unit="ms", time_unit="us") == [2 * 10**6]


def test_wall_clock_times_leave_the_zone_open():
    account = Account("x.csv")

    parse(["2026-03-02 12:00:00"], account)

    assert account.zone is None
    assert account.epoch == "unix"


def test_moments_that_are_stored_as_such_are_taken_as_they_are():
    naive, aware = Account("x"), Account("x")
    column = pa.array([NOON // 1000, None], pa.timestamp("us"))

    wall = parse_column_of_times(column, naive, Trace(path="x"), np.arange(2))
    instant = parse_column_of_times(
        column.cast(pa.timestamp("us", "Europe/Paris")),
        aware,
        Trace(path="x"),
        np.arange(2),
    )

    assert wall.tolist() == instant.tolist() == [NOON, NO_TIME]
    assert naive.zone is None
    assert aware.zone is UTC


def test_single_times_are_read_too():
    assert ns_of_iso("2026-03-02T12:00:00Z") == NOON
    assert ns_of_epoch(1_772_452_800, "s") == NOON
    assert ns_of_epoch(1.25, "ms") == 1_250_000
    with pytest.raises(ValueError, match="is not a date and time"):
        ns_of_iso("soon")


def test_dates_agree_with_the_standard_library():
    rng = np.random.default_rng(5)
    seconds = rng.integers(0, 4_000_000_000, 500).tolist()
    texts = [datetime.fromtimestamp(s, UTC).isoformat() for s in seconds]

    assert parse(texts) == [s * 10**9 for s in seconds]
