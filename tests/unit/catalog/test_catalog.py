"""Loading the catalog, looking things up in it, and how old it is."""

from __future__ import annotations

from datetime import date
from importlib import resources

import pytest

from costsim.catalog.lookup import did_you_mean, unknown
from costsim.catalog.platform import Platform, load_catalog, read_platform
from costsim.catalog.provenance import age_days, first_day
from costsim.catalog.quote import PriceSource, stale_sources
from costsim.errors import CatalogError

CATALOG = load_catalog()


def platform_text(name: str) -> str:
    file = resources.files("costsim.catalog") / f"platforms/{name}.yaml"
    return file.read_text("utf-8")


def test_a_platform_has_the_name_of_its_file() -> None:
    platforms = CATALOG.platforms

    assert [name for name in platforms if platforms[name].name != name] == []
    assert {"modal", "baseten", "ec2"} <= set(platforms)


def test_a_platform_is_found_in_any_letter_case() -> None:
    assert CATALOG.platform("Modal").name == "modal"


def test_an_unknown_platform_is_refused_with_a_suggestion_and_what_is_allowed() -> None:
    with pytest.raises(CatalogError) as raised:
        CATALOG.platform("basten")

    assert str(raised.value).startswith(
        "unknown platform 'basten' (did you mean 'baseten'?); allowed: baseten, "
    )
    assert raised.value.exit_code == 2


@pytest.mark.parametrize(
    ("name", "word", "meant"),
    [
        ("modal", "A10G", "A10"),
        ("modal", "A100", "A100-40GB"),
        ("modal", "l4", "L4"),
        ("modal", "H100!", "H100"),
        ("baseten", "A10", "A10G"),
        ("baseten", "A100", "A100-80GB"),
        ("ec2", "a10", "A10G"),
        ("modal", "V100", None),
    ],
)
def test_a_gpu_is_found_by_name_or_alias(
    name: str, word: str, meant: str | None
) -> None:
    assert CATALOG.platform(name).prices.gpu_name(word) == meant


@pytest.mark.parametrize(
    ("as_of", "day"),
    [
        ("2026", date(2026, 1, 1)),
        ("2026-08", date(2026, 8, 1)),
        ("2026-08-03", date(2026, 8, 3)),
    ],
)
def test_a_vague_date_counts_from_its_first_day(as_of: str, day: date) -> None:
    assert first_day(as_of) == day


def test_age_is_none_without_a_date_and_never_negative() -> None:
    today = date(2026, 9, 1)

    assert age_days("undated", today) is None
    assert age_days("2026-08-03", today) == 29
    assert age_days("2026-10-01", today) == 0


def test_the_date_of_the_prices_is_that_of_the_oldest() -> None:
    names = ("baseten", "modal")

    assert [CATALOG.platform(name).prices_as_of for name in names] == [
        "2026-08",
        "2026-09-01",
    ]


def test_prices_of_90_days_are_fresh_and_those_of_91_are_stale() -> None:
    used = [PriceSource("L4", 0.7992, "https://modal.com/pricing", "2026-09-01")]

    assert stale_sources(used, date(2026, 11, 30)) == ()
    assert stale_sources(used, date(2026, 12, 1)) == (
        "prices of L4 are up to 91 days old (as of 2026-09-01); check "
        "https://modal.com/pricing and override what changed with --prices FILE",
    )


def test_the_json_schema_of_a_platform_tells_what_every_field_is() -> None:
    schema = Platform.model_json_schema()

    assert schema["properties"]["summary"]["description"] == "One sentence."
    assert "GpuPrice" in schema["$defs"]
    assert "source" not in schema["$defs"]["GpuPrice"]["required"]


def test_a_fact_without_a_source_is_refused_with_its_key() -> None:
    text = platform_text("ec2").replace(
        "  source: costsim's model of a plain virtual machine\n", "", 1
    )

    with pytest.raises(
        CatalogError, match=r"^ec2\.yaml:\d+:1: autoscaler: needs a source"
    ):
        read_platform(text, "ec2.yaml")


def test_a_price_without_a_unit_is_refused() -> None:
    text = platform_text("modal").replace("price: 0.000222 USD/s", "price: 0.000222")

    with pytest.raises(CatalogError, match="is not a price; write a number and a unit"):
        read_platform(text, "modal.yaml")


def test_an_impossible_date_is_refused() -> None:
    text = platform_text("modal").replace('"2026-09-01"', '"2026-13-01"', 1)

    with pytest.raises(CatalogError, match="'2026-13-01' is not a date"):
        read_platform(text, "modal.yaml")


def test_an_unknown_phase_needs_a_modeling_choice() -> None:
    text = platform_text("modal").replace("      modeled_as: free\n", "", 1)

    with pytest.raises(CatalogError, match="modeled_as goes with 'billed: unknown'"):
        read_platform(text, "modal.yaml")


def test_an_unknown_key_is_refused() -> None:
    text = platform_text("modal").replace("website:", "web_site:")

    with pytest.raises(CatalogError, match="web_site"):
        read_platform(text, "modal.yaml")


@pytest.mark.parametrize(
    ("before", "after", "place", "says"),
    [
        (
            "$limits.request_rate,",
            "$limits.rate,",
            "autoscaler.pool",
            "unknown limit 'rate'",
        ),
        (
            "$scaledown_window",
            "$scaledown",
            "autoscaler.pool",
            "unknown setting 'scaledown' (did you mean 'scaledown_window'?)",
        ),
        (
            "$scaledown_window",
            "$scaledown_window * 1.2.3",
            "autoscaler.pool",
            "'$scaledown_window * 1.2.3' is no expression",
        ),
        (
            "$scaledown_window",
            "$single_use_containers * 2",
            "autoscaler.pool",
            "$single_use_containers is a flag, and no number to multiply",
        ),
        (
            "idle_timeout: $scaledown_window",
            "idle_timeout: {$single_use_containers: 5s}",
            "autoscaler.pool",
            "a choice by $single_use_containers is one key, with a mapping",
        ),
        (
            "max_queued: $limits.queued_inputs",
            "max_queued: $nothing",
            "autoscaler.pool_within_limits",
            "unknown setting 'nothing'",
        ),
        (
            "[[target_inputs, max_inputs]]",
            "[[target_inputs, max_input]]",
            "autoscaler.not_above.0",
            "unknown setting 'max_input' (did you mean 'max_inputs'?)",
        ),
        (
            "[[target_inputs, max_inputs]]",
            "[[target_inputs]]",
            "autoscaler.not_above.0.1",
            "is missing",
        ),
    ],
)
def test_a_pool_of_what_is_not_there_is_refused_at_its_key(
    before: str, after: str, place: str, says: str
) -> None:
    text = platform_text("modal")
    assert before in text

    with pytest.raises(CatalogError) as caught:
        read_platform(text.replace(before, after, 1), "modal.yaml")

    message = str(caught.value)
    assert message.startswith("modal.yaml:")
    assert place in message
    assert says in message


def test_a_default_that_is_borrowed_twice_is_refused() -> None:
    text = platform_text("knative").replace(
        "    target_utilization_percentage:",
        "    again: {kind: count, default: $target, meaning: x}\n"
        "    target_utilization_percentage:",
        1,
    )

    with pytest.raises(
        CatalogError,
        match=r"settings\.again\.default: target has no value of its own to give",
    ):
        read_platform(text, "knative.yaml")


def test_a_disk_counted_by_an_unknown_setting_is_refused() -> None:
    text = platform_text("vast").replace("copies: $min_workers", "copies: $workers")

    with pytest.raises(
        CatalogError, match=r"prices\.storage\.worker_disk\.copies: unknown setting"
    ):
        read_platform(text, "vast.yaml")


def test_disks_of_one_life_are_rounded_alike() -> None:
    text = platform_text("runpod").replace(
        "    network_volume:\n      price: 0.07 USD\n      billed: always",
        "    network_volume:\n      price: 0.07 USD\n      billed: alive",
    )

    with pytest.raises(CatalogError, match=r"prices\.storage: .*the same increment"):
        read_platform(text, "runpod.yaml")


def test_what_is_not_yaml_is_refused_with_its_file() -> None:
    with pytest.raises(CatalogError, match=r"^broken\.yaml:1:8: "):
        read_platform("name: [", "broken.yaml")


def test_a_suggestion_ignores_letter_case_and_takes_beginnings() -> None:
    known = ["g6.xlarge", "g6e.xlarge", "L4:4x16"]

    assert did_you_mean("l4:4X17", known) == " (did you mean 'L4:4x16'?)"
    assert did_you_mean("g6e", known) == " (did you mean 'g6e.xlarge'?)"
    assert did_you_mean("zebra", known) == ""


def test_a_message_about_many_names_lists_the_nearest_and_counts_the_rest() -> None:
    known = [f"size-{i}" for i in range(20)]

    message = unknown("size", "size-7x" + "y" * 100, known)

    assert "'size-7x" in message
    assert message.endswith(" and 6 more")
    assert len(message) < 250
