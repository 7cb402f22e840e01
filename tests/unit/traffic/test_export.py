"""Exported requests are read by other tools, and by this one."""

import json
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pyarrow.parquet as pq
import pytest

from costsim.errors import OutputError
from costsim.traffic.export import Requests, write_requests

START = datetime(2026, 3, 2, 9, 0, tzinfo=timezone(timedelta(hours=1)))
FULL = Requests(
    arrival_s=np.array([0.0, 1.5]),
    duration_s=np.array([0.25, np.nan]),
    input_tokens=np.array([600.0, 10.2]),
    output_tokens=np.array([0.0, 7.0]),
    key=["chat", "code"],
)


def lines(*blocks):
    text = write_requests(blocks, None, "mooncake", None).decode()
    return [json.loads(line) for line in text.splitlines()]


def test_mooncake_lines_have_milliseconds_whole_tokens_and_a_hash_a_block():
    first, second = lines(FULL)

    assert first == {
        "timestamp": 0,
        "input_length": 600,
        "output_length": 1,
        "hash_ids": [0, 1],
    }
    assert second == {
        "timestamp": 1500,
        "input_length": 10,
        "output_length": 7,
        "hash_ids": [2],
    }


def test_no_two_requests_share_a_hash_across_blocks():
    found = [hash_id for line in lines(FULL, FULL) for hash_id in line["hash_ids"]]

    assert found == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("tokens", [None, np.array([1.0, np.nan])])
def test_mooncake_needs_the_tokens_of_every_request(tokens):
    block = Requests(np.array([0.0, 1.0]), input_tokens=tokens, output_tokens=tokens)

    with pytest.raises(OutputError, match="export csv or parquet"):
        lines(block)


def test_csv_has_seconds_without_a_start_and_empty_cells_for_what_is_unknown():
    text = write_requests([FULL], None, "csv", None).decode()

    assert text.splitlines() == [
        '"arrival_s","duration_s","input_tokens","output_tokens","key"',
        '0,0.25,600,0,"chat"',
        '1.5,,10.2,7,"code"',
    ]


def test_csv_has_instants_with_a_start():
    text = write_requests([FULL], None, "csv", START).decode()

    assert text.splitlines()[2].startswith("2026-03-02 08:00:01.500000Z,")


def test_a_start_without_an_offset_stays_without(tmp_path):
    path = tmp_path / "x.parquet"

    write_requests([FULL, FULL], path, "parquet", START.replace(tzinfo=None))

    table = pq.read_table(path)
    assert table.num_rows == 4
    assert table["arrival"][0].as_py() == START.replace(tzinfo=None)
    assert table["duration_s"].to_pylist() == [0.25, None, 0.25, None]


def test_parquet_has_instants_in_utc(tmp_path):
    path = tmp_path / "x.parquet"

    write_requests([FULL], path, "parquet", START)

    assert pq.read_table(path)["arrival"][0].as_py() == datetime(
        2026, 3, 2, 8, 0, tzinfo=UTC
    )


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "folder" / "x.jsonl"
    bad = Requests(np.array([0.0]))

    with pytest.raises(OutputError):
        write_requests([FULL, bad], path, "mooncake", None)

    assert list(path.parent.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(OutputError, match="cannot be written"):
        write_requests([FULL], tmp_path / "file" / "x.csv", "csv", None)
