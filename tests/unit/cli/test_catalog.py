"""``costsim prices`` and ``costsim platforms``: every option, in every form."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

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
    rows = listed("prices", "--gpu", "L4", "--sort", order)

    values = [row[key] for row in rows if row["usd_per_hour"] is not None]
    assert values == sorted(values)
    assert len(rows) >= len(values) > 5
    assert rows[-1]["usd_per_hour"] is None or order == "platform"


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


# Other people's price lists

LISTS = Path(__file__).parents[1] / "catalog" / "price_lists"


def test_an_imported_list_is_a_file_of_prices(invoke, listed, tmp_path):
    path = tmp_path / "prices.yaml"

    answer = invoke("prices", "import", LISTS / "skypilot_aws.csv", "--out", path)
    rows = listed("prices", "--prices", path, "--platform", "ec2")

    assert answer.exit_code == 0
    assert answer.out == f"wrote {path}; next: costsim prices --prices {path}\n"
    assert answer.err.startswith("warning: left out ")
    assert "SkyPilot" in {row["source"][:8] for row in rows}


def test_without_a_file_the_prices_go_to_stdout(invoke):
    answer = invoke("prices", "import", LISTS / "skypilot_aws.csv")

    assert yaml.safe_load(answer.out)["ec2"]["instances"]


def test_instances_without_a_gpu_are_imported_if_asked_for(invoke):
    command = ("prices", "import", LISTS / "skypilot_aws.csv")

    left_out, kept = (
        yaml.safe_load(invoke(*command, *options).out)["ec2"]["instances"]
        for options in ((), ("--cpu",))
    )

    assert "cpu.large" not in left_out
    assert kept["cpu.large"]["price"] == "0.08 USD/h"


def test_a_file_that_is_there_is_not_replaced_without_force(invoke, tmp_path):
    path = tmp_path / "prices.yaml"
    path.write_text("mine", "utf-8")
    command = ("prices", "import", LISTS / "skypilot_aws.csv", "--out", path)

    refused = invoke(*command)
    kept = path.read_text("utf-8")
    forced = invoke(*command, "--force")

    assert (refused.exit_code, kept, forced.exit_code) == (2, "mine", 0)
    assert "give --force to replace it" in refused.err


def test_what_is_no_price_list_is_refused_without_a_traceback(invoke):
    answer = invoke("prices", "import", Path(__file__))

    assert (answer.exit_code, answer.out) == (2, "")
    assert answer.err.startswith("error: ")


def test_several_files_of_prices_go_one_over_the_other(listed, tmp_path):
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text("modal: {gpus: {L4: 0.5 USD/h, T4: 0.4 USD/h}}", "utf-8")
    second.write_text("modal: {gpus: {L4: 0.3 USD/h}}", "utf-8")

    rows = listed(
        "prices", "--platform", "modal", "--prices", first, "--prices", second
    )

    prices = {row["gpu"]: row["gpu_usd_per_hour"] for row in rows}
    assert (prices["L4"], prices["T4"]) == (0.3, 0.4)


def test_the_history_lists_every_read_with_the_price_in_use(listed):
    rows = listed("prices", "--history", "--platform", "runpod", "--gpu", "H100")

    ordinary = [row for row in rows if not row["tier"]]
    assert [row["usd_per_hour"] for row in ordinary if row["current"]] == [4.176]
    assert len({row["as_of"] for row in ordinary}) == len(ordinary) >= 3


def test_the_history_is_a_table_too(invoke):
    answer = invoke("prices", "--history", "--platform", "runpod", "--gpu", "H100")

    assert (answer.exit_code, answer.err) == (0, "")
    assert "4.7900" in answer.out
