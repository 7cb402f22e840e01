from typing import get_args

import pytest

from costsim.errors import TraceError
from costsim.scenario.trace import Trace, TraceFormat
from costsim.traffic.formats.detect import detect_format, read_trace
from costsim.traffic.formats.registry import FORMATS

PUBLIC = {
    "azure_functions_2019_500fn_invocations.csv.gz": (
        "azure-functions-2019",
        3_037_902,
    ),
    "azure_llm_2023_code.csv.gz": ("azure-llm", 8_819),
    "azure_llm_2023_conv.csv.gz": ("azure-llm", 19_366),
    "mooncake_fast25_conversation.csv.gz": ("mooncake", 12_031),
    "mooncake_fast25_synthetic.csv.gz": ("mooncake", 3_993),
    "nab_request_like_series.csv.gz": ("csv", 159_693_915),
    "servegen_language_clients_10min.parquet": ("servegen", 3_822_705_430),
    "fixtures/apache_combined_400.log": ("apache", 400),
    "fixtures/aws_alb_2.log": ("alb", 2),
    "fixtures/aws_cloudfront_1.log": ("cloudfront", 1),
    "fixtures/azure_functions_2019_example_4fn_1440min.csv": (
        "azure-functions-2019",
        4_525,
    ),
    "fixtures/azure_functions_2021_example_200.csv": ("azure-functions-2021", 199),
    "fixtures/otlp_span_1.jsonl": ("otlp", 1),
}
NO_TRACES = {
    "azure_functions_2019_500fn_durations.csv.gz": "holds percentiles of the durations",
    "azure_functions_2019_500fn_memory.csv.gz": "holds the memory of Azure's applicat",
    "ibm_code_engine_app_configs_last_day.csv.gz": "holds the settings of application",
}


def test_every_format_of_the_scenario_has_a_reader_and_no_other():
    assert sorted(one.name for one in FORMATS) == sorted(
        set(get_args(TraceFormat)) - {"auto"}
    )


def test_every_format_says_what_it_is():
    assert all(one.title and one.arrival and one.holds for one in FORMATS)


@pytest.mark.parametrize("name", PUBLIC)
def test_public_traces_are_read_by_detection_alone(shared_dir, name):
    path = str(shared_dir / "traces" / name)
    kind, n_requests = PUBLIC[name]

    trace = read_trace(Trace(path=path))

    assert detect_format(path) == trace.format == kind
    assert trace.n_requests == n_requests
    assert trace.arrival_s[0] == 0


@pytest.mark.parametrize("name", NO_TRACES)
def test_files_without_requests_are_refused_with_what_they_are(shared_dir, name):
    with pytest.raises(TraceError, match=NO_TRACES[name]):
        read_trace(Trace(path=str(shared_dir / "traces" / name)))


def test_every_public_trace_is_tested(shared_dir):
    folder = shared_dir / "traces"
    files = {
        str(path.relative_to(folder))
        for path in [*folder.iterdir(), *(folder / "fixtures").iterdir()]
        if path.is_file() and path.name != "README.md"
    }

    assert files == set(PUBLIC) | set(NO_TRACES)


def test_the_users_word_goes_before_detection(tmp_path):
    path = tmp_path / "requests.csv"
    path.write_text("timestamp,input_length,output_length\n0,1,1\n5000,1,1\n")

    assert read_trace(Trace(path=str(path))).span_s == 5.0
    assert read_trace(Trace(path=str(path), format="csv")).span_s == 5000.0
