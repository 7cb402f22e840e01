"""The price table: its figures, its order, and that no number in it is ever clipped."""

from __future__ import annotations

import io
import re
from datetime import date
from typing import Any

import pytest
from rich.console import Console, RenderableType

from costsim.catalog.platform import Catalog, load_catalog
from costsim.errors import CatalogError
from costsim.report.price_rows import (
    PriceRow,
    price_records,
    price_rows,
    sort_rows,
)
from costsim.report.prices import overview, prices_table

CATALOG = Catalog(
    {name: load_catalog().platform(name) for name in ("modal", "baseten", "ec2")}
)
TODAY = date(2026, 11, 24)


def rows(**filters: Any) -> list[PriceRow]:
    return price_rows(CATALOG, today=TODAY, **filters)


def row(platform: str, sku: str, **filters: Any) -> PriceRow:
    found = {(one.title, one.sku): one for one in rows(**filters)}
    return found[platform, sku]


def printed(renderable: RenderableType, width: int) -> str:
    buffer = io.StringIO()
    Console(file=buffer, width=width, color_system=None).print(renderable)
    return buffer.getvalue()


def table_lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.split("\n\n", maxsplit=1)[0].splitlines()]


def test_a_gpu_of_modal_comes_with_the_least_cpu_and_memory() -> None:
    l4 = row("Modal", "L4")

    # 0.7992 + 0.125 x (0.04716 + 0.007992); x 730; / 24 GiB.
    assert l4.gpu_usd_per_hour == pytest.approx(0.7992, abs=1e-9)
    assert l4.usd_per_hour == pytest.approx(0.806094, abs=1e-9)
    assert l4.usd_per_month == pytest.approx(588.44862, abs=1e-6)
    assert l4.usd_per_gib_hour == pytest.approx(0.03358725, abs=1e-9)
    assert (l4.vcpu, l4.memory_gib) == (0.25, 0.125)
    assert (l4.gpu, l4.gpu_count, l4.gpu_memory_gib) == ("L4", 1, 24.0)


def test_an_instance_of_baseten_has_everything_in_it() -> None:
    l4 = row("Baseten", "L4:4x16")

    assert l4.usd_per_hour == 0.8484
    assert l4.usd_per_month == pytest.approx(619.332, abs=1e-6)
    assert l4.usd_per_gib_hour == pytest.approx(0.03535, abs=1e-9)
    assert l4.gpu_usd_per_hour is None
    assert (l4.vcpu, l4.memory_gib) == (4, 16.0)
    assert (l4.billing_increment, l4.billed) == ("60s", "setup, busy, idle")
    assert (l4.as_of, l4.age_days) == ("2026-08", 115)


def test_the_increment_tells_the_minimum_too() -> None:
    assert row("AWS EC2", "g6.xlarge").billing_increment == "1s, min 60s"
    assert row("Modal", "L4").billing_increment == "unrounded"


def test_a_row_carries_the_note_of_its_price() -> None:
    assert row("Baseten", "B200").note == "On request."


def test_without_a_filter_every_gpu_and_instance_has_a_row() -> None:
    n_modal = len(CATALOG.platform("modal").prices.gpus) + 1  # and the CPU alone
    n_baseten = len(CATALOG.platform("baseten").prices.instances)
    n_ec2 = len(CATALOG.platform("ec2").prices.instances)

    assert len(rows()) == n_modal + n_baseten + n_ec2


def test_one_platform_only() -> None:
    assert {one.title for one in rows(platform="ec2")} == {"AWS EC2"}


@pytest.mark.parametrize("word", ["A10", "A10G", "a10g"])
def test_a_gpu_is_found_by_any_platforms_name(word: str) -> None:
    found = {(one.platform, one.gpu) for one in rows(gpu=word)}

    assert found == {("modal", "A10"), ("baseten", "A10G"), ("ec2", "A10G")}


def test_a_gpu_without_its_size_is_all_of_its_sizes() -> None:
    assert {one.gpu for one in rows(gpu="A100")} == {"A100-40GB", "A100-80GB"}


def test_a_gpu_with_its_size_is_that_size() -> None:
    assert {one.gpu for one in rows(gpu="A100-80GB")} == {"A100-80GB"}


def test_a_shape_is_priced_where_the_parts_are_priced_apart() -> None:
    l4 = row("Modal", "L4", gpu="L4", cpu=2, memory_gib=16)

    # 0.7992 + 2 x 0.04716 + 16 x 0.007992
    assert l4.usd_per_hour == pytest.approx(1.021392, abs=1e-9)
    assert (l4.vcpu, l4.memory_gib) == (4, 16)


def test_a_shape_keeps_the_cheapest_instance_with_room_for_each_number_of_gpus() -> (
    None
):
    found = [one.sku for one in rows(platform="baseten", gpu="T4", cpu=4, memory_gib=8)]

    # 4 cores are 8 vCPU: T4x4x16 is too small, T4x16x64 is dearer.
    assert found == ["T4x8x32", "T4:2x24x96", "T4:4x48x192"]


def test_a_shape_that_nothing_has_leaves_no_row_of_instances() -> None:
    found = rows(platform="baseten", cpu=1000)

    assert found == []
    assert "Nothing has that shape." in printed(prices_table(found, shaped=True), 80)


def test_an_unknown_gpu_is_refused_with_a_suggestion() -> None:
    with pytest.raises(CatalogError, match=r"unknown GPU 'H10' \(did you mean 'H100'"):
        rows(gpu="H10")


def test_a_gpu_that_the_platform_lacks_is_refused_with_those_it_has() -> None:
    with pytest.raises(CatalogError, match="allowed: T4, A10G, L4, L40S"):
        rows(platform="ec2", gpu="B300")


def test_an_unknown_platform_is_refused() -> None:
    with pytest.raises(CatalogError, match="did you mean 'modal'"):
        rows(platform="modl")


def test_the_first_order_is_by_memory_gpu_and_price_of_a_gpu() -> None:
    found = [(one.title, one.sku) for one in rows(gpu="L4")]

    assert found[:5] == [
        ("AWS EC2", "g6.xlarge"),
        ("Modal", "L4"),
        ("Baseten", "L4:4x16"),
        ("AWS EC2", "g6.2xlarge"),
        ("AWS EC2", "g6.12xlarge"),
    ]


@pytest.mark.parametrize(
    ("by", "key"),
    [
        ("price", lambda one: one.usd_per_gpu_hour or one.usd_per_hour),
        ("gib", lambda one: (one.usd_per_gib_hour is None, one.usd_per_gib_hour or 0)),
        (
            "tflop",
            lambda one: (one.usd_per_tflop_hour is None, one.usd_per_tflop_hour or 0),
        ),
        ("age", lambda one: one.age_days),
        ("platform", lambda one: one.platform.casefold()),
    ],
)
def test_other_orders(by: str, key: Any) -> None:
    found = [key(one) for one in sort_rows(rows(), by)]

    assert found == sorted(found)
    assert len(found) == len(rows())


def test_an_unknown_order_is_refused_with_those_there_are() -> None:
    with pytest.raises(
        CatalogError, match="allowed: gpu, price, gib, tflop, platform, age"
    ):
        sort_rows(rows(gpu="L4"), "prise")


def test_records_have_units_in_their_names_and_numbers_as_numbers() -> None:
    record = price_records(rows(platform="baseten", gpu="L4"))[0]

    assert list(record) == [
        "platform",
        "title",
        "sku",
        "tier",
        "gpu",
        "gpu_count",
        "gpu_memory_gib",
        "gpu_bandwidth_gb_per_s",
        "bf16_tflops",
        "vcpu",
        "memory_gib",
        "usd_per_hour",
        "usd_per_gpu_hour",
        "usd_per_month",
        "usd_per_gib_hour",
        "usd_per_tflop_hour",
        "gpu_usd_per_hour",
        "billing_increment",
        "billed",
        "source",
        "as_of",
        "evidence",
        "age_days",
        "note",
    ]
    assert record["usd_per_hour"] == 0.8484


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140])
def test_no_line_is_wider_than_the_terminal_and_none_is_cut_off(width: int) -> None:
    text = printed(prices_table(rows(), width), width)

    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert "\N{HORIZONTAL ELLIPSIS}" not in text


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140])
def test_every_hourly_price_stands_in_full_at_every_width(width: int) -> None:
    text = printed(prices_table(rows(), width), width)

    missing = [one.sku for one in rows() if f"{one.usd_per_hour:,.4f}" not in text]
    assert missing == []


def test_at_80_columns_a_row_is_a_line_with_hour_gpu_month_increment_and_age() -> None:
    lines = table_lines(printed(prices_table(rows(), 80), 80))

    assert re.split(r"  +", lines[0]) == [
        "PLATFORM",
        "SKU",
        "$/H",
        "$/GPU-H",
        "$/MONTH",
        "BY",
        "AGE",
    ]
    assert len(lines) == 1 + len(rows())
    p5en = next(line for line in lines if "p5en" in line)
    assert re.split(r"  +", p5en) == [
        "ec2",
        "p5en.48xlarge",
        "63.2960",
        "7.9120",
        "46,206.08",
        "1s, min 60s",
        "327d!",
    ]


def test_a_wide_terminal_shows_every_column() -> None:
    text = printed(prices_table(rows(), 200), 200)

    assert "GPU $/H" in text
    assert "BILLED" in text
    assert "Without" not in text


def test_dropped_columns_are_named_in_the_order_in_which_they_went() -> None:
    text = printed(prices_table(rows(), 80), 200)

    dropped = "VCPU, RAM, GPU $/H, $/TFLOP-H, BILLED, VRAM, $/GIB-H, GPU"
    assert f"Without {dropped}: --format csv" in text


def test_a_terminal_too_narrow_for_a_table_gets_a_block_of_lines_a_row() -> None:
    text = printed(prices_table(rows(gpu="L4"), 24), 24)

    lines = ["ec2", "  SKU       g6.xlarge", "  GPU       L4", "  VRAM      24"]
    assert [line.rstrip() for line in text.splitlines()[:4]] == lines
    assert "$/H       0.8048" in text


def test_the_caption_says_what_a_price_includes_and_where_it_is_from() -> None:
    text = printed(prices_table(rows(gpu="L4"), 200), 200)

    assert (
        "GPU, CPU and memory are priced apart by Modal: here with 0.125 cores and "
        "0.125 GiB. --shape CPU,GIB compares one shape."
    ) in text
    assert "Modal: https://modal.com/pricing, 2026-09-01 (84d)" in text


def test_the_caption_of_one_shape_does_not_advise_a_shape() -> None:
    shaped = rows(gpu="L4", cpu=2, memory_gib=16)

    text = printed(prices_table(shaped, 200, shaped=True), 200)

    assert "here with 2 cores and 16 GiB." in text
    assert "--shape" not in text


def test_the_price_for_each_tflops_is_that_of_all_gpus_together() -> None:
    eight = row("AWS EC2", "p5.48xlarge")

    # 55.04 USD/h for 8 H100 of 989.4 dense TFLOPS each.
    assert eight.bf16_tflops == pytest.approx(8 * 989.4, rel=0.001)
    assert eight.usd_per_tflop_hour == pytest.approx(55.04 / (8 * 989.4), rel=0.001)


def test_a_price_older_than_90_days_is_marked_and_the_mark_explained() -> None:
    text = printed(prices_table(rows(gpu="L4"), 200), 200)

    assert "116d!" in text or "115d!" in text
    assert "!: older than 90 days; check it." in text
    assert "84d!" not in text


def test_the_overview_has_a_line_for_each_gpu_with_the_cheapest_first() -> None:
    lines = printed(overview(rows(), 120), 120).splitlines()
    h200 = next(line for line in lines if line.startswith("H200"))

    assert re.split(r"  +", h200.rstrip())[3:] == ["4.5465", "modal", "84d", "7.9120", "ec2", "3"]  # fmt: skip
    assert len([line for line in lines if line.startswith("L4 ")]) == 1


def test_a_price_in_a_tier_has_its_own_source_and_note() -> None:
    found = price_rows(load_catalog(), platform="gce", gpu="H100", today=TODAY)
    rows_by_tier = {(one.sku, one.tier): one for one in found}

    spot = rows_by_tier["a3-highgpu-1g", "spot"]
    tier = load_catalog().platform("gce").prices.tiers["spot"]
    listed = tier.instances["a3-highgpu-1g"]
    assert (spot.usd_per_hour, spot.source, spot.as_of) == (
        6.571,
        listed.source,
        listed.as_of,
    )
    assert spot.note == (listed.note or rows_by_tier["a3-highgpu-1g", ""].note)


def test_a_row_tells_how_fast_the_memory_of_its_gpu_is() -> None:
    assert row("AWS EC2", "g6.12xlarge").gpu_bandwidth_gb_per_s == 300
