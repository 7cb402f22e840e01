"""``costsim prices`` and ``costsim platforms``: every option, in every form."""

from __future__ import annotations

import csv
import json
from typing import Any

import pytest

FORMS = ["table", "json", "csv", "markdown"]


@pytest.fixture
def listed(invoke) -> Any:
    """Return a function from arguments to the parsed answer in JSON."""

    def call(*arguments: object) -> Any:
        answer = invoke(*arguments, "--format", "json")
        assert (answer.exit_code, answer.err) == (0, "")
        return json.loads(answer.out)

    return call


COMMANDS = [
    ["prices"],
    ["prices", "--gpu", "L4", "--shape", "2,16", "--sort", "price"],
    ["platforms"],
    ["platforms", "modal"],
    ["platforms", "modal", "baseten"],
    ["platforms", "ec2", "modal", "baseten"],
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_form_of_every_answer_is_on_stdout_alone(invoke, command, form):
    answer = invoke(*command, "--format", form)

    assert (answer.exit_code, answer.err) == (0, "")
    assert len(answer.out.splitlines()) > 3
    assert answer.out.endswith("\n")
    assert answer.out.replace("\n", "").isprintable()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("columns", ["60", "80", "160"])
def test_no_table_is_wider_than_the_terminal(invoke, command, columns):
    answer = invoke(*command, env={"COLUMNS": columns})

    assert max(map(len, answer.out.splitlines())) <= int(columns)
    assert "\u2026" not in answer.out


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_csv_and_json_hold_the_same_rows(invoke, listed, command):
    rows = listed(*command)

    table = list(csv.DictReader(invoke(*command, "--format", "csv").out.splitlines()))
    assert len(table) >= len(rows) > 2
    assert list(table[0]) == list(rows[0])


def test_prices_can_be_narrowed_to_a_platform_and_a_gpu(listed):
    everything = listed("prices")
    on_baseten = listed("prices", "--platform", "baseten")
    l4_on_baseten = listed("prices", "--platform", "baseten", "--gpu", "l4")

    assert {row["platform"] for row in everything} > {"baseten", "ec2"}
    assert {row["platform"] for row in on_baseten} == {"baseten"}
    assert {row["gpu"] for row in l4_on_baseten} == {"L4"}
    assert len(everything) > len(on_baseten) > len(l4_on_baseten) > 0


def test_a_shape_prices_what_a_replica_reserves(listed):
    (least,) = listed("prices", "--platform", "modal", "--gpu", "L4")
    (shaped,) = listed(
        "prices", "--platform", "modal", "--gpu", "L4", "--shape", "2, 16"
    )

    assert (shaped["vcpu"], shaped["memory_gib"]) == (4, 16)
    assert shaped["gpu_usd_per_hour"] == least["gpu_usd_per_hour"]
    assert shaped["usd_per_hour"] > least["usd_per_hour"]


@pytest.mark.parametrize(
    ("order", "key"),
    [
        ("price", "usd_per_gpu_hour"),
        ("gib", "usd_per_gib_hour"),
        ("platform", "platform"),
    ],
)
def test_prices_can_be_sorted(listed, order, key):
    values = [row[key] for row in listed("prices", "--gpu", "L4", "--sort", order)]

    assert values == sorted(values)
    assert len(values) > 5


def test_the_oldest_prices_can_come_first_or_last(listed):
    ages = [row["age_days"] for row in listed("prices", "--sort", "age")]

    assert ages in (sorted(ages), sorted(ages, reverse=True))


@pytest.fixture
def my_prices(tmp_path) -> Any:
    path = tmp_path / "prices.yaml"
    path.write_text("modal: {source: our contract, gpus: {L4: 0.10 USD/h}}\n")
    return path


def test_my_own_prices_replace_the_shipped_ones(listed, my_prices):
    (row,) = listed(
        "prices", "--platform", "modal", "--gpu", "L4", "--prices", my_prices
    )

    assert row["gpu_usd_per_hour"] == 0.10
    assert row["source"] == "our contract"


def test_my_own_prices_show_in_the_list_of_platforms(invoke, my_prices):
    shipped = invoke("platforms", "--format", "json")
    mine = invoke("platforms", "--prices", my_prices, "--format", "json")

    assert mine.exit_code == 0
    assert mine.out != shipped.out


def test_no_platform_lists_all_one_is_shown_in_full_two_side_by_side(listed):
    everyone = listed("platforms")
    one = listed("platforms", "modal")
    two = listed("platforms", "modal", "baseten")

    assert {row["platform"] for row in one} == {"modal"}
    assert {"modal", "baseten"} < set(two[0])
    assert {"modal", "baseten", "ec2"} <= {row["platform"] for row in everyone}
    assert len(one) > 50


def test_a_platforms_name_may_be_in_any_letter_case(invoke):
    assert invoke("platforms", "MODAL") == invoke("platforms", "modal")
