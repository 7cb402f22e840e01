"""Pages that explain a platform: every topic of every one, at every width."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import date
from functools import cache

import pytest
from rich.console import Console, RenderableType

from costsim.catalog.platform import Catalog, load_catalog
from costsim.catalog.rules import Phases
from costsim.errors import InputError
from costsim.report.error_kinds import error_kinds
from costsim.report.error_pages import error_words
from costsim.report.explain import (
    Explanation,
    Hardware,
    explain,
    explanation_page,
    explanation_record,
    explanation_rows,
    word_list,
    word_rows,
)
from costsim.report.statements import TOPICS, phase_text, statements
from costsim.report.worked_bill import verdict

CATALOG = load_catalog()
NAMES = list(CATALOG.names)
TODAY = date(2026, 11, 25)


def printed(renderable: RenderableType, width: int) -> str:
    buffer = io.StringIO()
    Console(file=buffer, width=width, color_system=None).print(renderable)
    return buffer.getvalue()


def unwrapped(text: str) -> str:
    return " ".join(text.split())


@cache
def explained(name: str, topic: str) -> Explanation:
    return explain(CATALOG, name, topic)


@cache
def page(name: str, topic: str = "billing", width: int = 80) -> str:
    return printed(explanation_page(explained(name, topic), width, TODAY), width)


@pytest.mark.parametrize("width", [60, 80, 160])
@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("name", NAMES)
def test_every_platform_has_a_page_for_every_topic_that_fits(
    name: str, topic: str, width: int
) -> None:
    text = page(name, topic, width)

    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert "\N{HORIZONTAL ELLIPSIS}" not in text
    assert "None\n" not in text.replace("\nNone: ", "")


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("name", NAMES)
def test_every_sentence_has_a_text_a_source_and_a_date(name: str, topic: str) -> None:
    said = statements(CATALOG.platform(name), topic)

    bare = [one for one in said if not (one.item and one.text and one.source)]
    dateless = [one for one in said if not (one.as_of and one.evidence)]
    assert said
    assert (bare, dateless) == ([], [])


@pytest.mark.parametrize("name", NAMES)
def test_a_billing_page_tells_every_phase(name: str) -> None:
    phases = CATALOG.platform(name).billing.phases

    lines = [" ".join(line.split()) for line in page(name).splitlines()]

    told = [
        any(line.startswith(f"{phase.replace('_', ' ')} {_said(phases, phase)}") for line in lines)
        for phase in Phases.model_fields
    ]  # fmt: skip
    assert all(told)


def _said(phases: Phases, name: str) -> str:
    return phase_text(getattr(phases, name))


def test_a_page_answers_what_is_billed_how_it_is_rounded_and_what_a_life_costs() -> (
    None
):
    text = unwrapped(page("baseten"))

    assert "Rounded up to a multiple of 60s." in text
    assert "idle yes Also during scale_down_delay." in text
    assert "waiting for capacity no" in text
    assert "990 s are billed as 1,020 s." in text
    assert "You used 2.4 s and pay for 1,020 s: 425 times as much." in text


def test_the_bill_says_where_its_prices_are_from_and_what_it_leaves_out() -> None:
    text = unwrapped(page("modal", width=160))

    assert "Prices: https://modal.com/pricing (2026-09-01, 2026-10-07)." in text
    assert "by the month: the credit of plan starter." in text
    assert "the least that is billed: 0.125 cores and 0.125 GiB." in text


def test_a_phase_that_nobody_tells_says_what_it_is_taken_as() -> None:
    text = unwrapped(page("modal"))

    assert "container boot not known: free" in text
    assert "failed start not known: left out" in text


def test_a_page_tells_plans_regions_extras_and_what_is_followed() -> None:
    text = unwrapped(page("modal"))

    assert "starter (default) free, $30.00 credit" in text
    assert "team $250.00 a month, $100.00 credit" in text
    assert "narrow 1.75 times the price" in text
    assert "egress 0.04 USD/GiB after 1 TiB a month" in text
    assert "costsim follows: The guide. Idle time is billed." in text


def test_rates_of_kept_replicas_and_fees_are_told() -> None:
    text = unwrapped(page("aws-lambda"))

    assert "Their idle time costs 25% of the price." in text
    assert "Counted for each request: its time in service." in text
    assert "$0.20 for 1,000,000" in text


def test_what_nobody_has_checked_is_marked_and_the_mark_explained() -> None:
    text = unwrapped(page("ec2"))

    assert "whatever it does.* [1]" in text
    assert "* Nobody has checked it for this catalog." in text


def test_a_page_without_such_facts_does_not_explain_the_mark() -> None:
    text = page("modal", "billing")

    assert "*" not in text


def test_every_source_comes_once_with_its_date_and_age() -> None:
    lines = page("modal", "limits", 160).split("\nSOURCES\n")[1].splitlines()

    url = "https://modal.com/docs/guide/function-invocation-methods"
    assert lines[0].rstrip() == f"[1]  {url} (2026-09, official, up to 85 days old)"
    assert len(set(lines)) == len(lines)


def test_an_age_is_left_out_where_there_is_no_date() -> None:
    text = unwrapped(page("vertex", width=160))

    assert "(undated, official)" in text


def test_conflicts_show_every_claim_and_what_is_followed() -> None:
    text = unwrapped(page("modal", "conflicts", 160))

    assert "Surcharge of a broad region 1.5 times [1] 1.15 times [2]" in text
    assert "costsim follows: The later read, 1.15." in text


def test_an_autoscaler_page_says_how_it_is_simulated_and_lists_its_settings() -> None:
    text = unwrapped(page("modal", "autoscaler"))

    assert unwrapped(CATALOG.platform("modal").autoscaler.modeled_as.says) in text
    assert "scaledown_window 60s (2s to 20m)" in text


def test_prices_are_per_hour_with_what_is_least_and_what_others_read() -> None:
    text = unwrapped(page("modal", "prices", 160))

    assert "L4 0.7992 USD/h, 24 GiB" in text
    assert "CPU 0.04716 USD/h a physical core, at least 0.125 cores" in text
    assert "read 2026-05-25 T4 to B200" in text


def test_a_platform_without_a_price_has_a_page_and_says_how_to_give_one() -> None:
    text = unwrapped(page("knative"))

    assert "None: the catalog has no price of Knative's pods" in text
    assert "--price '2 USD/h'" in text


def test_a_price_of_your_own_gives_it_an_example() -> None:
    own = explain(CATALOG, "knative", "billing", Hardware(usd_per_hour=2.0))

    assert own.example is not None
    assert "2 USD/h" in printed(explanation_page(own, 80, TODAY), 80)


def test_markup_in_a_platform_file_is_shown_as_it_is() -> None:
    modal = CATALOG.platform("modal")
    evil = "[bold red]free[/bold red] [/] :smile: [link=x]y[/link]"
    billing = modal.billing.model_copy(update={"meter": evil, "note": evil})
    other = modal.model_copy(
        update={"summary": evil, "title": evil, "replica": evil, "billing": billing}
    )
    said = explain(Catalog({"modal": other}), "modal")

    text = printed(explanation_page(said, 400, TODAY), 400)

    assert text.count(evil) >= 4


def test_the_word_may_be_in_any_letter_case_and_billing_is_the_default() -> None:
    found = explain(CATALOG, " MODAL ")

    assert (found.platform.name, found.topic) == ("modal", "billing")


@pytest.mark.parametrize(
    ("word", "topic", "message"),
    [
        ("mdal", None, "unknown platform or term 'mdal' .did you mean 'modal'"),
        ("modal", "biling", "unknown topic 'biling' .did you mean 'billing'"),
        ("billing", None, "billing is a topic; put a platform before it"),
        ("", None, "unknown platform or term ''"),
    ],
)
def test_an_unknown_word_is_refused_with_a_suggestion(
    word: str, topic: str | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        explain(CATALOG, word, topic)


def test_hardware_goes_with_billing_only() -> None:
    with pytest.raises(InputError, match="go with the topic billing"):
        explain(CATALOG, "modal", "limits", Hardware(gpu="L4"))


def test_hardware_that_is_chosen_and_not_there_is_an_error() -> None:
    with pytest.raises(InputError, match="unknown GPU of Modal"):
        explain(CATALOG, "modal", "billing", Hardware(gpu="L5"))


def test_the_record_has_the_life_and_the_bill() -> None:
    record = explanation_record(
        explain(CATALOG, "modal", "billing", Hardware(gpu="L4"))
    )

    example = record["example"]
    assert (record["platform"], record["topic"]) == ("modal", "billing")
    assert example["total_usd"] == pytest.approx(0.018450596)
    assert sum(line["cost_usd"] for line in example["bill_lines"]) == pytest.approx(
        example["total_usd"]
    )
    assert [part["phase"] for part in example["phases"]][-2:] == ["serving", "idle"]


def test_rows_have_the_same_keys_and_say_the_topic() -> None:
    rows = explanation_rows(explained("modal", "limits"))

    assert len({tuple(row) for row in rows}) == 1
    assert {row["topic"] for row in rows} == {"limits"}


@pytest.mark.parametrize(
    ("billed_s", "sentence"),
    [
        (2.4, "You used 2.4 s and pay for 2.4 s: what you used."),
        (3.0, "You used 2.4 s and pay for 3 s: 1.2 times as much."),
        (65.0, "You used 2.4 s and pay for 65 s: 27 times as much."),
        (3600.0, "You used 2.4 s and pay for 3,600 s: 1,500 times as much."),
    ],
)
def test_the_verdict_compares_what_is_used_with_what_is_paid(
    billed_s: float, sentence: str
) -> None:
    example = explained("modal", "billing").example

    assert example is not None
    assert verdict(replace(example, billed_s=billed_s)) == sentence


def test_a_configuration_is_printed_as_it_is_pasted() -> None:
    text = page("knative", "configuration")
    pasted = explained("knative", "configuration").configuration

    assert f"WITH THE DEFAULTS\n{pasted}\nSOURCES\n" in re.sub(r" +\n", "\n", text)
    assert "not in it  max_scale_up_rate, max_scale_down_rate," in text
    record = explanation_record(explained("knative", "configuration"))
    assert record["configuration"] == pasted
    assert 'min-scale: "0"\n' in pasted


def test_a_platform_without_settings_of_the_vendors_says_so() -> None:
    explanation = explained("ec2", "configuration")

    assert "text  None: its settings are costsim's own words." in page(
        "ec2", "configuration"
    )
    assert explanation_record(explanation)["configuration"] is None


def test_the_list_names_every_word_and_topic_and_the_next_command() -> None:
    text = unwrapped(printed(word_list(CATALOG, 80), 80))

    assert [name for name in NAMES if name not in text] == []
    assert [topic for topic in TOPICS if topic not in text] == []
    assert f"costsim explain {NAMES[0]} billing" in text
    rows = word_rows(CATALOG)
    assert [row["word"] for row in rows if row["kind"] == "platform"] == NAMES
    assert [row["word"] for row in rows if row["kind"] == "error"] == error_words()
    assert [name for name in error_kinds() if name not in text] == []
    assert "costsim explain 'exit codes'" in text
