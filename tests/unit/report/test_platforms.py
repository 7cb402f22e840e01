"""What the catalog knows, in a list, on a page, side by side, and as rows."""

from __future__ import annotations

import io
import re
from dataclasses import fields
from datetime import date

import pytest
from rich.console import Console, RenderableType

from costsim.catalog.features import FEATURES
from costsim.catalog.platform import Catalog, load_catalog
from costsim.report.facts import SECTIONS, Fact, facts
from costsim.report.platforms import (
    comparison,
    comparison_records,
    fact_records,
    platform_list,
    platform_page,
    platform_records,
)

CATALOG = Catalog(
    {name: load_catalog().platform(name) for name in ("baseten", "ec2", "modal")}
)
ALL = list(CATALOG.platforms.values())
NAMES = list(CATALOG.names)
TODAY = date(2026, 11, 24)


def printed(renderable: RenderableType, width: int) -> str:
    buffer = io.StringIO()
    Console(file=buffer, width=width, color_system=None).print(renderable)
    return buffer.getvalue()


def uncited(text: str) -> str:
    """Return a text without the numbers of its sources."""
    return re.sub(r" \[\d+\]", "", text)


def unwrapped(text: str) -> str:
    return " ".join(text.split())


def fact(name: str, section: str, item: str) -> Fact:
    found = {(one.section, one.item): one for one in facts(CATALOG.platform(name))}
    return found[section, item]


def test_the_list_has_a_row_a_platform() -> None:
    records = platform_records(CATALOG, TODAY)

    assert [record["platform"] for record in records] == NAMES
    baseten = records[0]
    assert baseten["cheapest_gpu_usd_per_hour"] == 0.6312
    assert (baseten["prices_as_of"], baseten["age_days"]) == ("2026-08", 115)
    assert (baseten["billing_increment"], baseten["scale_to_zero"]) == ("60s", "yes")


@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_list_fits_the_terminal(width: int) -> None:
    text = printed(platform_list(CATALOG, width, TODAY), width)

    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert all(price in text for price in ("0.6312", "0.5260", "0.5973"))
    assert "\N{HORIZONTAL ELLIPSIS}" not in text


@pytest.mark.parametrize("name", NAMES)
def test_every_fact_has_a_section_a_text_and_a_source(name: str) -> None:
    known = facts(CATALOG.platform(name))

    bare = [one for one in known if not (one.item and one.text and one.source)]
    dateless = [one for one in known if not (one.as_of and one.evidence)]

    assert (bare, dateless) == ([], [])
    assert {one.section for one in known} <= set(SECTIONS)


@pytest.mark.parametrize(
    ("name", "section", "item", "text", "value", "unit"),
    [
        ("baseten", "billing", "increment", "60s", 60.0, "s"),
        ("modal", "billing", "increment", "not rounded", 0.0, "s"),
        ("modal", "billed, phase by phase", "idle", "yes", "yes", ""),
        (
            "modal",
            "billed, phase by phase",
            "image pull",
            "unknown (free)",
            "unknown (free)",
            "",
        ),
        ("modal", "settings", "scaledown_window", "60s (2s to 20m)", 60.0, "s"),
        ("modal", "settings", "max_containers", "none (1+)", "", "containers"),
        ("modal", "limits", "queued inputs", "2,000 inputs", 2000, "inputs"),
        (
            "modal",
            "plans",
            "team",
            "$250.00 a month, $100.00 credit, 50 GPUs, 5,000 replicas",
            250.0,
            "USD/month",
        ),
        ("modal", "plans", "enterprise", "by agreement", "", "USD/month"),
        ("modal", "regions", "broad", "1.15 times the price", 1.15, ""),
        (
            "modal",
            "features",
            "custom_domain",
            "yes (team, enterprise)",
            "yes",
            "",
        ),
        ("baseten", "features", "cron", "no", "no", ""),
    ],
)
def test_a_fact_for_people_and_for_programs(
    name: str, section: str, item: str, text: str, value: object, unit: str
) -> None:
    found = fact(name, section, item)

    assert (found.text, found.value, found.unit) == (text, value, unit)


@pytest.mark.parametrize("name", NAMES)
def test_records_have_the_same_keys_in_every_row(name: str) -> None:
    records = fact_records(CATALOG.platform(name))

    expected = ["platform", *(field.name for field in fields(Fact))]
    assert {tuple(record) for record in records} == {tuple(expected)}


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("name", NAMES)
def test_a_page_fits_the_terminal_without_an_ellipsis(name: str, width: int) -> None:
    text = printed(platform_page(CATALOG.platform(name), width), width)

    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert "\N{HORIZONTAL ELLIPSIS}" not in text


@pytest.mark.parametrize("name", NAMES)
def test_a_page_shows_every_setting_feature_and_limit(name: str) -> None:
    platform = CATALOG.platform(name)

    text = printed(platform_page(platform, 80), 80)

    wanted = [*platform.autoscaler.settings, *FEATURES]
    wanted += [key.replace("_", " ") for key in platform.limits.entries]
    assert [word for word in wanted if word not in text] == []


def test_a_page_shows_both_sides_of_a_conflict_and_how_to_choose() -> None:
    text = unwrapped(printed(platform_page(CATALOG.platform("modal"), 300), 300))

    assert "Surcharge of a broad region: - 1.5 times [" in text
    assert "- 1.15 times [" in text
    assert "costsim follows: The later read, 1.15." in text
    assert "To take the other side: region: broad_1.5" in text


def test_a_page_marks_what_nobody_has_checked() -> None:
    text = unwrapped(printed(platform_page(CATALOG.platform("ec2"), 300), 300))

    assert "metered Time that an instance is in the running state, whatever it does. (unverified)" in text  # fmt: skip


def test_a_page_lists_every_source_once() -> None:
    text = printed(platform_page(CATALOG.platform("modal"), 300), 300)

    sources = text.split("\n\nSOURCES\n")[1].splitlines()
    assert len(sources) == len(set(sources))
    assert "https://modal.com/pricing (2026-10-07, quoted)" in sources


def test_the_comparison_has_a_column_a_platform_and_none_where_an_item_is_missing() -> (
    None
):
    records = comparison_records(ALL)

    found = {(record["section"], record["item"]): record for record in records}
    assert found["billing", "increment"] == {
        "section": "billing",
        "item": "increment",
        "baseten": "60s",
        "baseten_source": "https://docs.baseten.co/organization/billing, 2026-08",
        "ec2": "1s",
        "ec2_source": found["billing", "increment"]["ec2_source"],
        "modal": "not rounded",
        "modal_source": "https://modal.com/docs/guide/billing, 2026-09-01",
    }
    assert found["settings", "min_replica"]["modal"] is None


def test_every_feature_is_compared() -> None:
    records = comparison_records(ALL)

    compared = [one["item"] for one in records if one["section"] == "features"]
    assert compared == list(FEATURES)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_comparison_fits_the_terminal_without_an_ellipsis(width: int) -> None:
    text = printed(comparison(ALL, width), width)

    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert "\N{HORIZONTAL ELLIPSIS}" not in text


def test_three_platforms_stand_side_by_side_at_80_columns() -> None:
    lines = uncited(printed(comparison(ALL, 80), 80)).splitlines()

    assert [one.title for one in ALL if one.title not in lines[0]] == []
    rollback = next(line for line in lines if line.startswith("rollback"))
    assert rollback.split() == ["rollback", "yes", "partly", "yes"]


def test_platforms_without_room_come_in_a_table_below() -> None:
    text = uncited(printed(comparison(ALL, 45), 45))

    lines = [line for line in text.splitlines() if line.startswith("rollback")]
    assert [line.split()[1:] for line in lines] == [["yes"], ["partly"], ["yes"]]


def test_the_comparison_marks_what_nobody_has_checked() -> None:
    lines = uncited(printed(comparison(ALL, 80), 80)).splitlines()

    hipaa = next(line for line in lines if line.startswith("hipaa"))
    assert hipaa.split() == ["hipaa", "yes", "yes*", "yes", "(enterprise)"]
    last = lines[-1].rstrip().split(maxsplit=1)
    assert last == ["*", "Nobody has checked it for this catalog."]


def test_every_answer_of_a_comparison_cites_its_source_below() -> None:
    text = printed(comparison(ALL, 200, date(2026, 11, 24)), 200)

    table, sources = text.split("\nSOURCES\n")
    rounding = next(line for line in table.splitlines() if line.startswith("increment"))
    numbers = re.findall(r"\[(\d+)\]", rounding)
    listed = dict(re.findall(r"\[(\d+)\] (.*)", sources))
    assert len(numbers) == 3
    assert listed[numbers[2]].strip() == (
        "https://modal.com/docs/guide/billing (2026-09-01, quoted, up to 84 days old)"
    )
