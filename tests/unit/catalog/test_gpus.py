"""The facts about GPUs: every figure has a source, and every word for one is understood."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from costsim.catalog.gpus import Gpu, load_gpus, read_gpus
from costsim.catalog.platform import load_catalog
from costsim.errors import CatalogError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GPUS = load_gpus()
TEXT = (resources.files("costsim.catalog") / "gpus.yaml").read_text("utf-8")

RECALLED = "recalled; not checked for this catalog"
WITH_FP8 = {
    "Ada",
    "Hopper",
    "Blackwell",
    "Blackwell Ultra",
    "CDNA 3",
    "CDNA 4",
    "NeuronCore-v2",
}

NO_GPU = {
    "CPU",
    "CPU intel-spr x2",
    "CPU small",
    "arm64",
    "x86",
    "memory",
    "vCPU",
    "requests",
    "provisioned concurrency execution",
    "provisioned concurrency idle",
}
"""What price lists of platforms have in the place of a GPU."""

MEANT = {
    "24GB class (L4,A5000,3090)": ["L4", "A5000", "3090"],
    "48GB class": ["A6000", "A40"],
    "4090 PRO": ["4090"],
    "H100 PRO": ["H100"],
    "H200 PRO": ["H200"],
    "L40|L40S|6000Ada PRO": ["L40", "L40S", "6000Ada"],
    "A4000|A4500|RTX4000": ["A4000", "A4500", "RTX4000"],
    "A6000|A40": ["A6000", "A40"],
    "L4|A5000|3090": ["L4", "A5000", "3090"],
    "A100-80GB + NC24 shape": ["A100-80GB"],
    "L4 minimum shape (4 vCPU,16 GiB,no ZR)": ["L4"],
    "RTX PRO 6000 (g7e)": ["RTX PRO 6000"],
}
"""A platform's words for a class of GPUs, or for more than one, to those GPUs."""


def tflops(name: str) -> float:
    speed = GPUS.by_name[name].bf16_tflops
    assert speed is not None
    return speed


def figures(gpu: Gpu) -> list[Any]:
    every = (gpu.memory, gpu.bandwidth, gpu.bf16, gpu.fp8)
    return [one for one in every if one is not None]


def words_of(node: Any, key: str = "") -> Iterator[str]:
    """Yield every GPU that a file names under a key gpu."""
    if isinstance(node, dict):
        for name, child in node.items():
            yield from words_of(child, name)
    elif isinstance(node, list):
        for child in node:
            yield from words_of(child)
    elif key == "gpu" and isinstance(node, str):
        yield node


def words_of_platforms(shared_dir: Path) -> set[str]:
    files = sorted((shared_dir / "facts" / "platforms").glob("*.yaml"))
    loaded = {file.stem: yaml.safe_load(file.read_text("utf-8")) for file in files}
    words = {word for one in loaded.values() for word in words_of(one)}
    # Modal's prices are a mapping, with the GPUs as its keys.
    return words | set(loaded["modal"]["prices"]["gpu"])


def written(changes: str = "", gpu: str = "", families: str = "{}") -> str:
    """Return a file with the GPUs G1, which is sound, and perhaps another one."""
    return f"""
source: a table
as_of: undated
evidence: third party
gpus:
  G1: {{vendor: V, architecture: A, memory: 16 GiB, aliases: [one]{changes}}}
{gpu}
families: {families}
"""


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("T4", "T4"),
        ("Tesla T4", "T4"),
        ("Tesla V100-SXM2-32GB", "V100-32GB"),
        ("V100", "V100"),
        ("nvidia-tesla-t4", "T4"),
        ("L4", "L4"),
        ("l4", "L4"),
        ("NVIDIA L4", "L4"),
        ("nvidia-l4", "L4"),
        ("nvidia_l40s", "L40S"),
        ("A10", "A10"),
        ("A10G", "A10G"),
        ("A10 (1/6)", "A10-1/6"),
        ("A6000", "RTX-A6000"),
        ("RTXA6000", "RTX-A6000"),
        ("RTX A6000", "RTX-A6000"),
        ("4090", "RTX-4090"),
        ("RTX4090", "RTX-4090"),
        ("RTX 4090", "RTX-4090"),
        ("NVIDIA GeForce RTX 4090", "RTX-4090"),
        ("6000Ada", "RTX-6000-Ada"),
        ("RTX4000", "RTX-4000-Ada"),
        ("RTX6000 PRO", "RTX-PRO-6000"),
        ("RTX PRO 6000", "RTX-PRO-6000"),
        ("A100 40GB", "A100-40GB"),
        ("NVIDIA A100-SXM4-80GB", "A100-80GB"),
        ("NVIDIA A100 80GB PCIe", "A100-80GB-PCIe"),
        ("A100 PCIe 40GB", "A100-40GB"),
        ("H100", "H100"),
        ("H100 SXM", "H100"),
        ("H100-SXM", "H100"),
        ("HGX H100", "H100"),
        ("NVIDIA H100 80GB HBM3", "H100"),
        ("h100_pcie", "H100-PCIe"),
        ("H100MIG", "H100-MIG-3g"),
        ("HGX H200", "H200"),
        ("B200 SXM6", "B200"),
        ("AMD Instinct MI300X OAM", "MI300X"),
        ("AWS Inferentia2", "Inferentia2"),
    ],
)
def test_a_gpu_is_found_by_any_of_its_names(word: str, name: str) -> None:
    found = GPUS.find(word)

    assert found is GPUS.by_name[name]


@pytest.mark.parametrize(
    "word",
    ["A100", "A100 SXM", "A100 PCIe", "V100 SXM2", "RTX 6000", "", "NVIDIA", "-", "Z9"],
)
def test_a_word_that_is_not_one_gpu_finds_none(word: str) -> None:
    assert GPUS.find(word) is None


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("A100", ("A100-40GB", "A100-80GB", "A100-80GB-PCIe")),
        ("nvidia a100", ("A100-40GB", "A100-80GB", "A100-80GB-PCIe")),
        ("A100 SXM", ("A100-40GB", "A100-80GB")),
        ("A100-PCIe", ("A100-40GB", "A100-80GB-PCIe")),
        ("A100-80GB", ("A100-80GB", "A100-80GB-PCIe")),
        ("H100", ("H100", "H100-PCIe", "H100-NVL")),
        ("H100-NVL", ("H100-NVL",)),
        ("H200", ("H200", "H200-NVL")),
        ("Tesla V100-SXM2", ("V100", "V100-32GB")),
        ("A10", ("A10", "A10G")),
        ("A10G", ("A10G", "A10")),
        ("RTX 6000", ("RTX-6000-Ada", "Quadro-RTX-6000")),
        ("l4", ("L4",)),
        ("Z9", ()),
    ],
)
def test_a_family_is_all_gpus_that_a_word_may_mean(
    word: str, names: tuple[str, ...]
) -> None:
    assert GPUS.family(word) == names


def test_a_word_that_names_one_gpu_means_that_one_first() -> None:
    found = {word: GPUS.find(word) for word in GPUS.families}
    first = {word: GPUS.family(word)[0] for word in GPUS.families}

    assert {word: gpu.name for word, gpu in found.items() if gpu} == {
        word: first[word] for word, gpu in found.items() if gpu
    }


def test_every_gpu_has_a_name_of_its_own_that_finds_it() -> None:
    found = [GPUS.find(name) for name in GPUS.names]

    assert [gpu.name for gpu in found if gpu] == list(GPUS.names)


def test_every_gpu_of_every_price_list_is_known(shared_dir: Path) -> None:
    every = words_of_platforms(shared_dir)
    words = every - NO_GPU
    meant = {part for word in words for part in MEANT.get(word, [word])}

    assert len(words) > 50
    assert NO_GPU | set(MEANT) <= every
    assert {word for word in meant if not GPUS.family(word)} == set()


def test_every_gpu_of_a_bundled_platform_has_the_same_memory_there() -> None:
    prices = [one.prices for one in load_catalog().platforms.values()]
    offered = {(word, one.memory) for each in prices for word, one in each.gpus.items()}
    offered |= {
        (one.gpu, one.gpu_memory / one.gpu_count)
        for each in prices
        for one in each.instances.values()
        if one.gpu_count and one.gpu_memory
    }
    known = {(one, gpu) for one in offered if (gpu := GPUS.find(one[0]))}

    assert len(known) > 10
    assert [
        (word, memory_gib, gpu.memory_gib)
        for (word, memory_gib), gpu in known
        if memory_gib != gpu.memory_gib
    ] == []


def test_a_gpu_that_a_platform_prices_has_the_architecture_that_it_says() -> None:
    prices = [one.prices for one in load_catalog().platforms.values()]
    said = {
        (gpu.name, one.architecture, gpu.architecture)
        for each in prices
        for word, one in each.gpus.items()
        if one.architecture and (gpu := GPUS.find(word))
    }

    assert [one for one in said if one[1] != one[2]] == []


def test_every_gpu_names_a_source_of_its_own() -> None:
    raw = yaml.safe_load(TEXT)["gpus"]

    assert [name for name, gpu in raw.items() if "source" not in gpu] == []


def test_every_figure_has_a_source_a_date_and_an_evidence_level() -> None:
    every = [(gpu.name, one) for gpu in GPUS.by_name.values() for one in figures(gpu)]

    assert len(every) > 3 * len(GPUS.names)
    assert [
        name for name, one in every if not (one.source and one.as_of and one.evidence)
    ] == []


def test_what_is_recalled_is_unverified_and_nothing_else_is() -> None:
    every = [one for gpu in GPUS.by_name.values() for one in figures(gpu)]
    recalled = [one.source == RECALLED for one in every]

    assert recalled == [one.evidence == "unverified" for one in every]


def test_a_gpu_tells_which_of_its_figures_nobody_checked() -> None:
    assert GPUS.by_name["A10G"].unverified == ("bf16",)
    assert GPUS.by_name["RTX-4000-Ada"].unverified == ("bandwidth", "bf16", "fp8")
    assert GPUS.by_name["L4"].unverified == ()


def test_no_key_is_written_twice() -> None:
    def repeated(node: yaml.Node) -> Iterator[str]:
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value]
            yield from {key for key in keys if keys.count(key) > 1}
            for _, child in node.value:
                yield from repeated(child)

    assert list(repeated(yaml.compose(TEXT))) == []


@pytest.mark.parametrize(
    ("gpu", "printed"),
    [
        # What the datasheets print for 16-bit floats, with sparsity.
        ("A10", 250),
        ("A40", 299.4),
        ("A100-80GB", 624),
        ("RTX-A4000", 153.4),
        ("RTX-A6000", 309.7),
        ("L4", 242),
        ("L40", 362.1),
        ("L40S", 733),
        ("H100", 1979),
        ("H100-PCIe", 1513),
        ("H200", 1979),
        ("H200-NVL", 1671),
        ("H100-NVL", 1671),
        ("A30", 330),
        ("B200", 4500),
        ("GB200", 5000),
    ],
)
def test_a_speed_is_the_dense_one_which_is_half_of_the_printed_one(
    gpu: str, printed: float
) -> None:
    assert tflops(gpu) == pytest.approx(printed / 2, rel=0.015)


@pytest.mark.parametrize(
    ("gpu", "other", "times"),
    [
        ("V100", "T4", 1.92),
        ("A100-40GB", "V100", 2.5),
        ("H100", "A100-80GB", 3.17),
        ("H200", "H100", 1.0),
        ("A100-40GB", "A30", 1.89),
        ("V100-32GB", "V100", 1.0),
        ("GH200", "H100", 1.0),
        ("B200", "H100", 2.275),
        ("L40S", "L40", 2.0),
        ("L40S", "L4", 2.99),
        ("H100-MIG-3g", "H100", 3 / 7),
    ],
)
def test_cards_are_as_much_faster_than_others_as_is_well_known(
    gpu: str, other: str, times: float
) -> None:
    assert tflops(gpu) / tflops(other) == pytest.approx(times, rel=0.005)


def test_8_bits_are_twice_as_fast_as_16_where_the_cores_can_do_them() -> None:
    gpus = [gpu for gpu in GPUS.by_name.values() if gpu.name != "Inferentia2"]
    ratios = {
        gpu.name: gpu.fp8_tflops / gpu.bf16_tflops
        for gpu in gpus
        if gpu.fp8_tflops and gpu.bf16_tflops
    }

    assert ratios == {name: pytest.approx(2, rel=0.03) for name in ratios}
    assert {gpu.architecture for gpu in GPUS.by_name.values() if gpu.fp8} == WITH_FP8
    assert {
        gpu.name
        for gpu in GPUS.by_name.values()
        if gpu.architecture in WITH_FP8 and not gpu.fp8
    } == set()


def test_a_slice_of_an_h100_has_half_of_its_memory_and_of_its_bandwidth() -> None:
    whole, part = GPUS.by_name["H100"], GPUS.by_name["H100-MIG-3g"]

    assert part.memory_gib == whole.memory_gib / 2
    assert part.bandwidth_gb_per_s == whole.bandwidth_gb_per_s / 2


def test_the_a10g_has_the_memory_and_the_bandwidth_of_the_a10() -> None:
    one, other = GPUS.by_name["A10"], GPUS.by_name["A10G"]

    assert one.memory_gib == other.memory_gib
    assert one.bandwidth_gb_per_s == other.bandwidth_gb_per_s


def test_what_is_not_known_of_a_gpu_is_none() -> None:
    gpu = GPUS.by_name["A10-1/6"]

    assert (gpu.bandwidth_gb_per_s, gpu.bf16_tflops, gpu.fp8_tflops) == (None,) * 3


def test_gpus_are_read_once() -> None:
    assert load_gpus() is load_gpus()


@pytest.mark.parametrize("name", ["T4", "H100-NVL", "A10-1/6"])
def test_a_gpu_survives_a_round_trip_through_json(name: str) -> None:
    gpu = GPUS.by_name[name]

    assert Gpu.model_validate_json(gpu.model_dump_json()) == gpu


def test_a_sound_file_is_read() -> None:
    gpus = read_gpus(written(", bandwidth: 300.5 GB/s, bf16: 65 TFLOPS"), "f.yaml")
    gpu = gpus.by_name["G1"]

    assert gpu.memory_gib == 16
    assert (gpu.bandwidth_gb_per_s, gpu.bf16_tflops) == (300.5, 65)
    assert gpu.bandwidth is not None
    assert gpu.bandwidth.source == "a table"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (written(", bandwidth: 300"), "gpus.G1.bandwidth"),
        (written(", bandwidth: 300 TFLOPS"), "'300 TFLOPS' is not a number of GB/s"),
        (written(", bf16: -5 TFLOPS"), "'-5 TFLOPS' is not a number of TFLOPS"),
        (written(", bf16: 0 TFLOPS"), "greater than 0"),
        (written(", fp8: {value: 5 TFLOPS, sauce: x}"), "gpus.G1.fp8.sauce"),
        (written(", speed: 5 TFLOPS"), "gpus.G1.speed"),
        (written(gpu="  G2: {vendor: V, architecture: A}"), "gpus.G2.memory"),
        (written(gpu="  G2: 16 GiB"), "gpus.G2"),
        (
            written(gpu="  G2: {vendor: V, architecture: A, memory: 1 GiB, aliases: [O-NE]}"),
            "'O-NE' names both G1 and G2",
        ),
        (
            written(gpu="  g-1: {vendor: V, architecture: A, memory: 1 GiB}"),
            "'g-1' names both G1 and g-1",
        ),
        (written(families="{G: [G1, G7]}"), "family 'G' has the unknown GPU 'G7'"),
        (written().replace("source: a table", ""), "needs a source"),
        ("- T4", "valid dictionary"),
        ("gpus: [", "expected"),
    ],
)  # fmt: skip
def test_a_file_with_a_mistake_is_refused_with_its_place(text: str, says: str) -> None:
    with pytest.raises(CatalogError) as raised:
        read_gpus(text, "mine.yaml")

    assert says in str(raised.value)
    assert str(raised.value).startswith("mine.yaml")
