"""Traces as people really have them: each refused with its file, its line and the way out."""

from pathlib import Path

import pytest

from costsim.errors import EXIT_INPUT, TraceError
from costsim.scenario.trace import Trace
from costsim.traffic.formats.detect import read_trace

FOLDER = Path(__file__).parent / "traces"

REFUSED = {
    "empty.csv": (None, "is empty"),
    "blank_lines.csv": (None, "has no header and no rows"),
    "header_only.csv": (None, "has a header but no rows"),
    "no_header.csv": (1, "has data where a header is expected: '0.5', '12'; put the"),
    "no_header_dates.csv": (1, "has data where a header is expected"),
    "wrong_columns.csv": (1, "has no column for arrival; columns are 'when', 'how_lo"),
    "repeated_column.csv": (1, "has the column 'duration' more than once; rename one"),
    "escape_codes.csv": (1, "columns are '\N{REPLACEMENT CHARACTER}[2J"),
    "binary.csv": (None, "is not a text file; write text in UTF-8, plain or packed"),
    "spreadsheet.csv": (None, "is a zip archive or a spreadsheet; write text"),
    "parquet.csv": (None, "the table is damaged or cut off; was it copied"),
    "utf16.csv": (None, "is text in UTF-16; write text in UTF-8"),
    "not_packed.csv.gz": (None, "is named .gz but is not packed by gzip"),
    "truncated.csv.gz": (
        4435,
        "the packed file ends too early; was it copied in full?",
    ),
    "wrong_checksum.csv.gz": (5002, "the packed file is damaged: incorrect data check"),
    "damaged.csv.gz": (34, "the packed file is damaged"),
    "truncated.csv.zst": (1, "the packed file ends too early; was it copied in full"),
    "damaged.csv.zst": (1, "the packed file is damaged"),
    "not_packed.csv.zst": (None, "is named .zst but is not packed by zstd"),
    "truncated.parquet": (None, "the table is damaged or cut off"),
    "broken_lines.jsonl": (
        2,
        "1 of 3 rows cannot be used, more than 1%: 1 with a line that is no JSON object "
        """(line 2: '{"time": 1, "durat')""",
    ),
    "cut_off.json": (4, "is not valid JSON: Unterminated string"),
    "no_time.jsonl": (
        None,
        "has no field for arrival; fields are 'when.at', 'duration'",
    ),
    "two_formats.jsonl": (
        3,
        "'02/Mar/2026:12:00:07 +0000' is a date as access logs write it, but line 1 has "
        "a date with an offset; all times must be of one kind",
    ),
    "epoch_after_dates.jsonl": (2, "'1772452805' is a number, but line 1 has a date"),
    "all_counts_zero.csv": (None, "has no requests: all counts are 0"),
    "two_kinds_of_dates.csv": (
        4,
        "'2026-03-02T12:00:07' is a date without an offset, but line 2 has a date with an",
    ),
    "numbers_after_dates.csv": (3, "'1772452805' is a number, but line 2 has a date"),
    "dates_after_numbers.csv": (
        4,
        "'2026-03-02T12:00:07Z' is a date with an offset, but line 2 has a number",
    ),
    "day_first_dates.csv": (
        2,
        "'16/11/2023 18:17:03' may be read with the day or with the month first; write "
        "dates with the year first, such as 2026-03-05T18:00:00+01:00",
    ),
    "mixed_date_orders.csv": (
        3,
        "'11/16/2023 18:17:04' is a date whose day and month cannot be told apart, but "
        "line 2 has a date without an offset",
    ),
    "decimal_commas.csv": (2, "(lines 2, 3: '0,5'); a number has a decimal point"),
    "missing_values.csv": (
        4,
        "1 of 5 rows cannot be used, more than 1%: 1 with 'arrival' missing (line 4); "
        "traffic.trace.max_dropped would allow more",
    ),
    "negative_durations.csv": (3, "1 with 'duration' negative (line 3)"),
    "not_finite.csv": (
        4,
        "1 of 3 rows cannot be used, more than 1%: 1 with 'arrival' not finite (line 4)",
    ),
    "ragged.csv": (3, "2 with another number of fields than the header (lines 3, 4)"),
    "open_quote.csv": (4, "is not valid CSV: unexpected end of data; is a quotation"),
    "text_after_quote.csv": (3, "1 with 'arrival' not readable (line 3: '1st')"),
    "compact_dates.csv": (None, "set traffic.trace.time_unit"),
    "zero_to_now.csv": (
        None,
        "from 0 to 1772452805 are neither seconds from 0 nor a time since 1970; set "
        "traffic.trace.time_unit",
    ),
    "azure_without_tokens.csv": (
        1,
        "has no column for output_tokens; columns are 'TIMESTAMP', 'ContextTokens'",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_malformed_trace_is_refused_where_it_is_wrong(name):
    line, message = REFUSED[name]
    path = str(FOLDER / name)
    needs = ["output_tokens"] if "azure" in name else None

    with pytest.raises(TraceError) as caught:
        read_trace(Trace(path=path), needs)

    assert caught.value.path == path
    assert caught.value.line == line
    assert message in caught.value.message
    assert caught.value.message.isprintable()
    assert caught.value.exit_code == EXIT_INPUT


def test_every_malformed_trace_is_tested():
    assert {path.name for path in FOLDER.iterdir()} == set(REFUSED)


def test_a_column_that_is_nearly_named_is_suggested(tmp_path):
    path = tmp_path / "requests.csv"
    path.write_text("arival_time,length\n0,1\n")
    spec = Trace.model_validate(
        {"path": str(path), "columns": {"arrival": "arrival_time"}}
    )

    with pytest.raises(TraceError) as caught:
        read_trace(spec)
    assert str(caught.value) == (
        f"{path}:1: has no column 'arrival_time', which traffic.trace.columns.arrival "
        "names (did you mean 'arival_time'?); columns are 'arival_time', 'length'"
    )


def test_a_column_named_by_the_scenario_must_not_be_there_twice(tmp_path):
    path = tmp_path / "requests.csv"
    path.write_text("t,t\n0,1\n")
    spec = Trace.model_validate({"path": str(path), "columns": {"arrival": "t"}})

    with pytest.raises(TraceError, match="has the column 't' more than once"):
        read_trace(spec)


def test_of_many_columns_only_the_first_are_listed(tmp_path):
    path = tmp_path / "requests.csv"
    path.write_text(",".join(f"c{i}" for i in range(100)) + "\n")

    with pytest.raises(TraceError, match="'c7' and 92 more; name one in"):
        read_trace(Trace(path=str(path)))
