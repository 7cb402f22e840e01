from datetime import UTC, datetime

import numpy as np
import pytest

from costsim.errors import TraceError
from costsim.scenario.trace import Trace
from costsim.traffic.formats.detect import detect_format, read_trace

SAMPLE = (
    "TIMESTAMP,ContextTokens,GeneratedTokens\r\n"
    "2023-11-16 18:17:03.9799600,4808,10\r\n"
    "2023-11-16 18:17:04.0319600,3180,8\r\n"
)


@pytest.fixture
def sample(tmp_path):
    path = tmp_path / "azure.csv"
    path.write_text(SAMPLE, newline="")
    return str(path)


def test_the_header_tells_the_format(sample, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("timestamp,input_tokens\n0,1\n")

    assert detect_format(sample) == "azure-llm"
    assert detect_format(str(other)) == "csv"


def test_times_are_read_as_utc_to_the_microsecond(sample):
    trace = read_trace(Trace(path=sample))

    assert trace.start == datetime(2023, 11, 16, 18, 17, 3, 979960, tzinfo=UTC)
    np.testing.assert_allclose(trace.arrival_s, [0, 0.052], atol=1e-9)
    assert trace.input_tokens.tolist() == [4808, 3180]
    assert trace.output_tokens.tolist() == [10, 8]
    assert "read as dates in UTC" in trace.notes[1]


def test_as_generic_csv_the_same_file_has_the_clock_of_the_scenario(sample):
    trace = read_trace(Trace(path=sample, format="csv"))

    assert trace.start.tzinfo is None


def test_a_later_file_with_more_columns_is_read_too(tmp_path):
    path = tmp_path / "azure.csv"
    path.write_text(
        "TIMESTAMP,NumImages,ContextTokens,GeneratedTokens\n"
        "2024-10-15 00:00:00.0000000,1,4808,10\n"
    )

    trace = read_trace(Trace(path=str(path)))

    assert trace.start.tzinfo == UTC
    assert trace.input_tokens.tolist() == [4808]


def test_a_file_said_to_be_azure_must_be(tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("timestamp,input_tokens\n0,1\n")

    with pytest.raises(
        TraceError, match="has no column 'ContextTokens', which this format has"
    ):
        read_trace(Trace(path=str(path), format="azure-llm"))


@pytest.mark.parametrize(
    ("name", "n", "start", "end", "tokens_in", "tokens_out", "rate_per_s"),
    [
        ("code", 8819, "18:17:03.979960", "19:14:19.928016", 1469, 13, 2.567),
        ("conv", 19366, "18:15:46.680590", "19:14:08.402527", 1020, 129, 5.530),
    ],
)
def test_public_traces_have_their_published_figures(
    shared_dir, name, n, start, end, tokens_in, tokens_out, rate_per_s
):
    # Patel et al., Splitwise, ISCA 2024; Azure/AzurePublicDataset @ b469a113.
    path = shared_dir / "traces" / f"azure_llm_2023_{name}.csv.gz"

    trace = read_trace(Trace(path=str(path)))

    assert detect_format(str(path)) == "azure-llm"
    assert len(trace.arrival_s) == n
    assert trace.start == datetime.fromisoformat(f"2023-11-16T{start}+00:00")
    last = datetime.fromisoformat(f"2023-11-16T{end}+00:00")
    assert trace.span_s == pytest.approx((last - trace.start).total_seconds(), abs=1e-5)
    assert n / trace.span_s == pytest.approx(rate_per_s, abs=6e-4)
    assert np.median(trace.input_tokens) == tokens_in
    assert np.median(trace.output_tokens) == tokens_out
    assert len(trace.notes) == 2
