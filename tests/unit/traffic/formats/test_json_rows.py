import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from costsim.errors import TraceError
from costsim.scenario.trace import Trace
from costsim.traffic.formats.detect import read_trace

ROWS = [
    {
        "created_at": f"2026-03-02T12:00:{i:02}.5+01:00",
        "model": f"m{i % 2}",
        "latency_ms": None,
        "usage": {"prompt_tokens": 10 + i, "completion_tokens": str(i)},
        "timing": {"service.time": 1.5},
        "duration_ms": 250 * i,
    }
    for i in range(50)
]
LAYOUTS = {
    "lines": "\n".join(json.dumps(row) for row in ROWS),
    "array": json.dumps(ROWS),
    "pretty": json.dumps(ROWS, indent=2),
}


@pytest.fixture
def read(tmp_path):
    def read_text(text, **keys):
        path = tmp_path / "requests.jsonl"
        path.write_text(text)
        return read_trace(Trace.model_validate({"path": str(path), **keys}))

    return read_text


@pytest.mark.parametrize("layout", LAYOUTS)
def test_fields_are_found_at_any_depth_in_any_layout(read, layout):
    trace = read(LAYOUTS[layout])

    assert trace.format == "jsonl"
    assert trace.arrival_s.tolist() == list(range(50))
    assert trace.start.isoformat() == "2026-03-02T12:00:00.500000+01:00"
    assert trace.duration_s.tolist() == [0.25 * i for i in range(50)]
    assert trace.input_tokens.tolist() == list(range(10, 60))
    # Numbers may be written as strings.
    assert trace.output_tokens.tolist() == list(range(50))
    assert trace.keys == ("m0", "m1")


def test_the_scenario_names_fields_by_their_path(read):
    text = "\n".join(
        json.dumps({"req": {"at": i, "took": {"gpu": 2 * i}}}) for i in range(5)
    )

    trace = read(text, columns={"arrival": "req.at", "duration": "req.took.gpu"})

    assert trace.duration_s.tolist() == [0.0, 2.0, 4.0, 6.0, 8.0]
    with pytest.raises(TraceError, match=r"\(did you mean 'req\.took\.gpu'\?\)"):
        read(text, columns={"arrival": "req.at", "duration": "req.took.cpu"})


def test_a_name_with_a_dot_is_a_name_first(read):
    text = "\n".join(json.dumps({"time": i, "gpu.time": 3}) for i in range(3))

    trace = read(text, columns={"duration": "gpu.time"})

    assert trace.duration_s.tolist() == [3.0, 3.0, 3.0]


def test_the_first_of_two_kinds_of_values_does_not_bind_the_others(read):
    values = [1, 2.5, "3.5", None, "", "NaN"]
    text = "\n".join(
        json.dumps({"time": i, "duration": value}) for i, value in enumerate(values)
    )

    trace = read(text)

    assert trace.duration_s[:3].tolist() == [1.0, 2.5, 3.5]
    assert np.isnan(trace.duration_s[3:]).all()


def test_epoch_nanoseconds_are_exact(read):
    ns = 1_772_452_800_000_000_001
    text = "\n".join(json.dumps({"time": ns + 7 * i}) for i in range(3))

    np.testing.assert_allclose(read(text).arrival_s, [0, 7e-9, 14e-9], rtol=1e-12)


def test_a_broken_line_is_left_out_with_its_number(read):
    lines = [json.dumps({"time": i, "duration": 1}) for i in range(200)]
    lines[100] = '{"time": 100, "dur'
    lines[50] = "\n"

    trace = read("\n".join(lines))

    assert len(trace.arrival_s) == 198
    assert "1 with a line that is no JSON object (line 102: " in trace.notes[-1]


def test_structures_in_parquet_are_reached_by_path(tmp_path):
    path = tmp_path / "requests.parquet"
    rows = [
        {"at": i, "usage": {"input_tokens": 5, "output_tokens": i}} for i in range(9)
    ]
    pq.write_table(pa.Table.from_pylist(rows), path)

    trace = read_trace(
        Trace.model_validate({"path": str(path), "columns": {"arrival": "at"}})
    )

    assert trace.output_tokens.tolist() == list(range(9))


def test_categories_and_wall_clock_times_in_parquet_are_read(tmp_path):
    path = tmp_path / "requests.parquet"
    at = pa.array([3_000, 1_000, None], pa.timestamp("ms"))
    model = pa.array(["a", "b", "a"]).dictionary_encode()
    pq.write_table(pa.table({"timestamp": at, "model": model}), path)

    trace = read_trace(Trace(path=str(path), max_dropped=0.5, time_zone="UTC"))

    assert trace.arrival_s.tolist() == [0.0, 2.0]
    assert trace.keys == ("a", "b")
    assert trace.start.isoformat() == "1970-01-01T00:00:01+00:00"
    assert "1 with 'timestamp' missing (line 3)" in trace.notes[-2]
