"""The model that is served: how large it is, and what is said where it does not fit."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from costsim.catalog.gpus import load_gpus
from costsim.scenario.model import Model
from costsim.yaml_source import read_yaml

ENOUGH = re.compile(r"; ([0-9]+) T4 would do, or .* with at least ([0-9.e+]+) GiB")

MODELS = st.builds(
    lambda billions, precision, cache, share: Model(
        parameters=billions, precision=precision, cache=cache, usable_share=share
    ),
    st.floats(1e-5, 2000),
    st.sampled_from([None, "fp32", "fp16", "fp8", "nf4"]),
    st.one_of(st.just(0.0), st.floats(0.1, 200)),
    st.floats(0.3, 1),
)
GPU_COUNTS = st.integers(1, 8)
MEMORIES = st.floats(4, 300)


def model(**keys: Any) -> Model:
    return Model.model_validate(keys)


# Hand-computed: weights x bytes / 2^30.
@pytest.mark.parametrize(
    ("parameters", "precision", "gib"),
    [
        ("8B", None, 14.9012),
        ("8B", "bf16", 14.9012),
        ("8B", "fp16", 14.9012),
        ("8B", "fp32", 29.8023),
        ("8B", "fp8", 7.4506),
        ("8B", "int8", 7.4506),
        ("8B", "fp4", 3.7253),
        ("8B", "int4", 3.7253),
        ("8B", "nf4", 3.7253),
        ("70.6B", "bf16", 131.5027),
        ("350M", "fp16", 0.6519),
        ("1T", "fp8", 931.3226),
    ],
)
def test_weights_are_counted_in_bytes_and_told_in_gib(
    parameters: str, precision: str | None, gib: float
) -> None:
    one = model(parameters=parameters, precision=precision)

    assert one.weights_gib == pytest.approx(gib, abs=5e-5)
    assert one.needed_gib == one.weights_gib


def test_a_size_of_weights_is_taken_as_it_is_and_the_cache_comes_on_top() -> None:
    one = model(weights="15 GiB", cache="512 MiB")

    assert one.weights_gib == 15
    assert one.needed_gib == 15.5


@pytest.mark.parametrize(
    ("written", "billions"),
    [
        ("8B", 8),
        ("8b", 8),
        (" 8 B ", 8),
        ("0.5B", 0.5),
        ("500M", 0.5),
        ("500m", 0.5),
        ("1.5T", 1500),
        (70.6, 70.6),
    ],
)
def test_a_number_of_weights_has_a_letter_in_any_case(
    written: Any, billions: float
) -> None:
    assert model(parameters=written).parameters == pytest.approx(billions, rel=1e-15)


@pytest.mark.parametrize(
    "written",
    [8, "8", "8K", "8BB", "8 GB", "-8B", "8eB", "٨B", "B", "", ".5B", True, "9" * 99],
)
def test_a_number_of_weights_without_its_letter_is_refused(written: Any) -> None:
    with pytest.raises(ValidationError, match="is not a number of weights; write a"):
        model(parameters=written)


@pytest.mark.parametrize(
    "written", ["0B", "9000000T", "1e9B", "9e999B", math.inf, math.nan]
)
def test_a_number_of_weights_that_no_model_has_is_refused(written: Any) -> None:
    with pytest.raises(ValidationError):
        model(parameters=written)


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({}, "needs exactly one of parameters and weights"),
        ({"cache": "4 GiB"}, "needs exactly one of parameters and weights"),
        ({"parameters": "8B", "weights": "15 GiB"}, "needs exactly one of parameters"),
        ({"weights": "15 GiB", "precision": "fp8"}, "goes with parameters"),
        ({"weights": "0 GiB"}, "greater than 0"),
        ({"weights": "15"}, "is not a size"),
        ({"parameters": "8B", "precision": "fp64"}, "Input should be 'fp32', 'bf16'"),
        ({"parameters": "8B", "usable_share": 0}, "greater than 0"),
        ({"parameters": "8B", "usable_share": 90}, "less than or equal to 1"),
        ({"parameters": "8B", "cache": "-1 GiB"}, "greater than or equal to 0"),
        ({"parameters": "8B", "tensor_parallel": 2}, "not permitted"),
    ],
)
def test_a_model_that_makes_no_sense_is_refused(
    keys: dict[str, Any], says: str
) -> None:
    with pytest.raises(ValidationError, match=says):
        model(**keys)


def test_a_bare_number_of_a_file_is_refused() -> None:
    document = read_yaml("parameters: 8.0\n", path="s.yaml")

    with pytest.raises(ValidationError, match=r"8\.0 is not a number of weights"):
        Model.model_validate(document.value)


@pytest.mark.parametrize(
    ("keys", "gpu", "count", "memory_gib"),
    [
        ({"parameters": "8B"}, "L4", 1, 24),
        ({"parameters": "8B", "cache": "4 GiB"}, "T4", 2, 16),
        ({"parameters": "70B", "precision": "fp8"}, "H100", 1, 80),
        ({"weights": "14.4 GiB"}, "T4", 1, 16),  # to the last byte
        ({"weights": "22.8 GiB", "usable_share": 0.95}, "L4", 1, 24),  # less in floats
        ({"weights": "16 GiB", "usable_share": 1}, "T4", 1, 16),
    ],
)
def test_a_model_that_fits_is_no_misfit(
    keys: dict[str, Any], gpu: str, count: int, memory_gib: float
) -> None:
    assert model(**keys).misfit(gpu, count, memory_gib) is None


# Hand-computed.
@pytest.mark.parametrize(
    ("keys", "gpus", "says"),
    [
        (
            {"parameters": "8B", "cache": "4 GiB"},
            ("T4", 1, 16),
            "needs 14.9 GiB of weights (8B x 2 bytes) + 4 GiB of cache = 18.9 GiB, "
            "but 1 T4 has 16 GiB x 0.9 usable = 14.4 GiB; "
            "2 T4 would do, or a GPU with at least 21.1 GiB",
        ),
        (
            {"parameters": "70B"},
            ("A100-40GB", 2, 40),
            "needs 130.4 GiB of weights (70B x 2 bytes), "
            "but 2 A100-40GB have 2 x 40 GiB x 0.9 usable = 72 GiB; "
            "4 A100-40GB would do, or 2 GPUs with at least 72.5 GiB each",
        ),
        (
            {"parameters": "1.2T", "precision": "fp8", "usable_share": 0.92},
            ("B200", 4, 180),
            "needs 1117.6 GiB of weights (1.2T x 1 byte), "
            "but 4 B200 have 4 x 180 GiB x 0.92 usable = 662.4 GiB; "
            "7 B200 would do, or 4 GPUs with at least 303.7 GiB each",
        ),
        (
            {"parameters": "350M", "precision": "nf4", "usable_share": 0.01},
            ("A10-1/6", 1, 4),
            "needs 0.16 GiB of weights (350M x 0.5 bytes), "
            "but 1 A10-1/6 has 4 GiB x 0.01 usable = 0.04 GiB; "
            "5 A10-1/6 would do, or a GPU with at least 16.3 GiB",
        ),
        (
            {"weights": "15 GiB", "cache": "2.5 GiB"},
            ("T4", 1, 16),
            "needs 15 GiB of weights + 2.5 GiB of cache = 17.5 GiB, "
            "but 1 T4 has 16 GiB x 0.9 usable = 14.4 GiB; "
            "2 T4 would do, or a GPU with at least 19.5 GiB",
        ),
        (
            {"weights": "14.401 GiB"},
            ("T4", 1, 16),
            "needs 14.401 GiB of weights, "
            "but 1 T4 has 16 GiB x 0.9 usable = 14.4 GiB; "
            "2 T4 would do, or a GPU with at least 16.1 GiB",
        ),
        (
            {"parameters": "8B"},
            ("", 0, 0),
            "needs 14.9 GiB of weights (8B x 2 bytes), but the replica has no GPU memory",
        ),
    ],
)
def test_a_misfit_is_told_with_its_arithmetic(
    keys: dict[str, Any], gpus: tuple[str, int, float], says: str
) -> None:
    assert model(**keys).misfit(*gpus) == says


def test_memory_of_a_gpu_in_the_catalog_decides_what_fits() -> None:
    gpus = load_gpus().by_name.values()
    llama = model(parameters="70B", precision="fp8", cache="8 GiB")  # 73.2 GiB

    fits = {gpu.name for gpu in gpus if not llama.misfit(gpu.name, 1, gpu.memory_gib)}

    assert {"H100-NVL", "H200", "RTX-PRO-6000", "B200", "MI300X"} <= fits
    assert not fits & {"H100", "A100-80GB", "L40S", "L4", "T4"}


@given(MODELS, GPU_COUNTS, MEMORIES)
def test_a_model_fits_exactly_where_its_need_is_within_the_usable_memory(
    one: Model, count: int, memory_gib: float
) -> None:
    room_gib = count * memory_gib * one.usable_share
    assume(abs(one.needed_gib / room_gib - 1) > 1e-6)

    fits = one.misfit("T4", count, memory_gib) is None

    assert fits == (one.needed_gib < room_gib)


@given(MODELS, GPU_COUNTS, MEMORIES)
def test_what_would_do_does_and_less_does_not(
    one: Model, count: int, memory_gib: float
) -> None:
    text = one.misfit("T4", count, memory_gib)
    assume(text is not None)
    match = ENOUGH.search(str(text))
    assert match is not None
    more, larger_gib = int(match[1]), float(match[2])
    # A large number is told with six digits.
    assume(larger_gib < 1e5)

    assert more > count
    assert one.misfit("T4", more, memory_gib) is None
    assert one.misfit("T4", more - 1, memory_gib) is not None
    assert one.misfit("T4", count, larger_gib) is None
    assert one.misfit("T4", count, larger_gib - 0.11) is not None


@given(MODELS, GPU_COUNTS, MEMORIES)
def test_a_need_and_a_room_that_differ_are_told_with_different_figures(
    one: Model, count: int, memory_gib: float
) -> None:
    text = one.misfit("T4", count, memory_gib)
    assume(text is not None)
    needs, has = str(text).split("; ")[0].split(", but ")

    assert re.findall("[0-9.]+ GiB", needs)[-1] != has.rpartition(" = ")[2]


@given(MODELS)
def test_a_model_survives_a_round_trip(one: Model) -> None:
    assert Model.model_validate(one.model_dump(mode="json")) == one
    assert Model.model_validate_json(one.model_dump_json()) == one


def test_a_model_by_its_size_survives_a_round_trip() -> None:
    one = model(weights="15.3 GB", cache="1 GiB", usable_share=1)

    assert Model.model_validate(one.model_dump(mode="json")) == one


def test_every_key_is_described_in_the_schema() -> None:
    keys = Model.model_json_schema()["properties"]

    assert set(keys) == {"parameters", "precision", "weights", "cache", "usable_share"}
    assert [key for key, one in keys.items() if not one.get("description")] == []
