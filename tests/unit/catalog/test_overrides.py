"""A user's own prices on top of the catalog's."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import pytest

from costsim.catalog.platform import Catalog, load_catalog
from costsim.errors import CatalogError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def load(tmp_path: Path) -> Callable[[str], Catalog]:
    """Return a function that loads the catalog with a file of prices."""

    def load_with(text: str) -> Catalog:
        path = tmp_path / "prices.yaml"
        path.write_text(text, "utf-8")
        return load_catalog(path)

    return load_with


@pytest.fixture
def refuse(load: Callable[[str], Catalog], tmp_path: Path) -> Callable[[str], str]:
    """Return a function that gives the message about a bad file, without its folder."""

    def message_about(text: str) -> str:
        with pytest.raises(CatalogError) as raised:
            load(text)
        return str(raised.value).replace(f"{tmp_path}/", "")

    return message_about


def test_a_price_is_replaced_and_the_rest_stays(load) -> None:
    catalog = load("modal: {gpus: {L4: 0.70 USD/h}}")

    gpus = catalog.platform("modal").prices.gpus
    assert gpus["L4"].price == 0.70
    assert gpus["L4"].memory == 24.0
    assert gpus["T4"] == load_catalog().platform("modal").prices.gpus["T4"]


def test_an_override_leaves_the_bundled_catalog_alone(load) -> None:
    load("modal: {gpus: {L4: 0.70 USD/h}}")

    price = load_catalog().platform("modal").prices.gpus["L4"].price
    assert price == pytest.approx(0.7992)


def test_a_price_without_source_and_date_names_the_file_and_is_undated(
    load, tmp_path: Path
) -> None:
    price = load("modal: {gpus: {L4: 0.70 USD/h}}").platform("modal").prices.gpus["L4"]

    assert price.source == str(tmp_path / "prices.yaml")
    assert (price.as_of, price.evidence) == ("undated", "own")


def test_source_and_date_of_a_price_go_before_those_of_its_platform(load) -> None:
    catalog = load(
        """
        modal:
          source: our contract
          as_of: 2026-11-01
          gpus:
            T4: 0.5 USD/h
            L4: {price: 0.7 USD/h, source: a mail, as_of: 2026, note: until May}
        """
    )

    gpus = catalog.platform("modal").prices.gpus
    assert (gpus["T4"].source, gpus["T4"].as_of) == ("our contract", "2026-11-01")
    assert (gpus["L4"].source, gpus["L4"].as_of) == ("a mail", "2026")
    assert gpus["L4"].note == "until May"


def test_a_gpu_may_be_named_by_its_alias(load) -> None:
    catalog = load("modal: {gpus: {a10g: 1 USD/h}}")

    assert catalog.platform("modal").prices.gpus["A10"].price == 1.0


def test_a_new_gpu_needs_its_memory(load) -> None:
    catalog = load("modal: {gpus: {GB300: {price: 0.0025 USD/s, memory: 288 GiB}}}")

    added = catalog.platform("modal").prices.gpus["GB300"]
    assert (added.price, added.memory) == (9.0, 288.0)


def test_a_new_instance_needs_its_size(load) -> None:
    catalog = load(
        """
        baseten:
          instances:
            "A10x8": {price: 0.02 USD/min, vcpu: 8, memory: 32 GiB, gpu: a10, gpu_count: 1, gpu_memory: 24 GiB}
        """
    )

    added = catalog.platform("baseten").prices.instances["A10x8"]
    assert (added.price, added.vcpu, added.memory) == (1.2, 8, 32.0)
    assert (added.gpu, added.gpu_count, added.gpu_memory) == ("A10G", 1, 24.0)


def test_cpu_memory_regions_and_plans_are_replaced(load) -> None:
    catalog = load(
        """
        modal:
          cpu: 0.04 USD/h
          memory: 0.007 USD/h
          regions: {broad: 1.5}
          plans: {enterprise: {fee: 1000 USD, max_gpus: 200}}
        """
    )

    prices = catalog.platform("modal").prices
    assert prices.cpu is not None
    assert prices.memory is not None
    assert (prices.cpu.price, prices.cpu.minimum) == (0.04, 0.125)
    assert (prices.memory.price, prices.memory.minimum) == (0.007, 0.125)
    assert prices.regions["broad"].multiplier == 1.5
    assert prices.regions["narrow"].multiplier == 1.75
    assert prices.plans["enterprise"].fee == 1000.0
    assert prices.plans["enterprise"].max_gpus == 200


def test_an_override_dates_the_prices_of_its_platform(load) -> None:
    every_gpu = "baseten: {as_of: 2026-01-02, instances: {H100: 6 USD/h}}"

    assert (
        load(every_gpu).platform("baseten").prices.instances["H100"].as_of
        == "2026-01-02"
    )


def test_an_empty_file_changes_nothing(load) -> None:
    assert load("# nothing yet\n") == load_catalog()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "basten: {instances: {H100: 3 USD/h}}",
            "prices.yaml:1:1: basten: unknown platform 'basten' (did you mean 'baseten'?); allowed: ",
        ),
        (
            "modal:\n  gpus: {L44: 1 USD/h}",
            "prices.yaml:2:10: modal.gpus.L44: unknown GPU 'L44' (did you mean 'L4'?); allowed: T4, L4,",
        ),
        (
            "ec2: {instances: {g6.xlrge: 1 USD/h}}",
            "prices.yaml:1:19: ec2.instances.g6.xlrge: unknown instance 'g6.xlrge' (did you mean 'g6.xlarge'?)",
        ),
        (
            "modal: {gpus: {L4: 0.7}}",
            "prices.yaml:1:20: modal.gpus.L4.price: '0.7' is not a price; write a number and a unit",
        ),
        (
            "modal: {gpus: {L4: {price: 1}}}",
            "prices.yaml:1:28: modal.gpus.L4.price: '1' is not a price; write a number and a unit",
        ),
        (
            "modal: {gpus: {L4: -1 USD/h}}",
            "prices.yaml:1:20: modal.gpus.L4.price: Input should be greater than or equal to 0",
        ),
        (
            "modal: {gpuz: {}}",
            "prices.yaml:1:9: modal.gpuz: unknown key (did you mean 'gpus'?)",
        ),
        (
            "modal: {gpus: {L4: {prise: 1 USD/h}}}",
            "modal.gpus.L4.prise: unknown key (did you mean 'price'?)",
        ),
        (
            "modal: {plans: {team: {fees: 1 USD}}}",
            "modal.plans.team.fees: unknown key (did you mean 'fee'?)",
        ),
        ("modal: 5", "prices.yaml:1:8: modal: must be a mapping, found 5"),
        ("[]", "prices.yaml:1:1: must be a mapping, found a list"),
        (
            "baseten: {gpus: {L4: 1 USD/h}}",
            "baseten.gpus.L4: baseten has no GPUs priced apart; use instances",
        ),
        (
            "modal: {instances: {L4: 1 USD/h}}",
            "modal.instances.L4: modal has no instances; use gpus, cpu and memory",
        ),
        (
            "ec2: {memory: 1 USD/h}",
            "ec2.memory: ec2 does not price memory apart",
        ),
        (
            "modal: {regions: {brood: 2.0}}",
            "modal.regions.brood: unknown region 'brood' (did you mean 'broad'?)",
        ),
        (
            "modal: {plans: {teem: {fee: 1 USD}}}",
            "modal.plans.teem: unknown plan 'teem' (did you mean 'team'?)",
        ),
        (
            "modal: {as_of: 2026-13, gpus: {L4: 1 USD/h}}",
            "modal.as_of: '2026-13' is not a date; write '2026', '2026-08' or '2026-08-03'",
        ),
        ("modal: [1", "prices.yaml:1:8: the '[' that opens here is never closed"),
        ("ec2: {}\nec2: {}", "prices.yaml:2:1: the key 'ec2' is repeated"),
    ],
)
def test_a_fault_is_told_with_its_place_and_what_is_allowed(
    refuse, text: str, message: str
) -> None:
    assert message in refuse(text)


def test_all_faults_of_a_file_are_told_at_once_in_its_order(refuse) -> None:
    text = "modal:\n  regions: {us: 2.0}\nec3: {}\nbaseten:\n  cpu: 1 USD/h\n"

    lines = [line for line in refuse(text).splitlines() if "prices.yaml" in line]

    assert [line.split(":")[1] for line in lines] == ["2", "3", "5"]


def test_a_missing_file_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "nowhere.yaml"

    with pytest.raises(CatalogError, match="cannot read this file") as raised:
        load_catalog(str(path))

    assert raised.value.path == str(path)


def test_a_discount_is_off_every_price_that_the_file_does_not_give(load) -> None:
    listed = load_catalog().platform("modal").prices
    agreed = load("modal: {discount: 0.25, source: contract, gpus: {T4: 0.4 USD/h}}")

    prices = agreed.platform("modal").prices
    assert listed.cpu is not None
    assert prices.cpu is not None
    assert prices.gpus["L4"].price == pytest.approx(0.75 * 0.7992)
    assert prices.gpus["T4"].price == 0.4
    assert prices.cpu.price == pytest.approx(0.75 * listed.cpu.price)
    assert prices.gpus["L4"].source == (
        "https://modal.com/pricing, less 0.25 of it (contract)"
    )
    assert prices.gpus["L4"].as_of == listed.gpus["L4"].as_of


def test_a_discount_is_off_whole_instances_too(load) -> None:
    prices = load("baseten: {discount: 0.5}").platform("baseten").prices

    assert prices.instances["L4:4x16"].price == pytest.approx(0.4242)


def test_a_tier_can_be_added_and_one_of_its_prices_changed(load) -> None:
    text = """
runpod-pods:
  tiers:
    reserved: {gpus: {H100 SXM: 2.90 USD/h}}
    community: {gpus: {L4: 0.30 USD/h}}
"""
    tiers = load(text).platform("runpod-pods").prices.tiers

    assert tiers["reserved"].gpus["H100"].price == 2.90
    assert tiers["community"].gpus["L4"].price == 0.30
    assert tiers["community"].gpus["H100"].price == 2.69


def test_disks_data_and_requests_can_have_your_prices(load) -> None:
    text = """
runpod:
  storage: {container_disk: 0.09 USD}
  transfer: 0.05 USD
  requests: {fee: 0.20 USD, per: 1000000, free: 5}
"""
    prices = load(text).platform("runpod").prices

    assert prices.storage["container_disk"].price == 0.09
    assert prices.storage["container_disk"].increment == 300.0
    assert prices.transfer is not None
    assert prices.transfer.price == 0.05
    assert prices.requests is not None
    assert (prices.requests.fee, prices.requests.per, prices.requests.free) == (
        0.20,
        1_000_000,
        5,
    )


def test_a_disk_that_is_not_there_is_refused_with_those_there_are(refuse) -> None:
    message = refuse("runpod: {storage: {disk: 0.1 USD}}")

    assert "runpod.storage.disk: unknown storage 'disk'" in message
    assert "container_disk" in message


def test_a_platform_file_is_told_from_a_file_of_prices(load) -> None:
    text = (resources.files("costsim.catalog") / "platforms/modal.yaml").read_text()

    mine = load(text.replace("name: modal", "name: mine", 1))

    assert mine.platform("mine").prices == load_catalog().platform("modal").prices
    assert "modal" in mine.names


def test_a_gpu_of_a_tier_that_is_not_there_is_refused(refuse) -> None:
    message = refuse("runpod-pods: {tiers: {reserved: {gpus: {H1000: 2 USD/h}}}}")

    assert "runpod-pods.tiers.reserved.gpus.H1000: unknown GPU 'H1000'" in message
