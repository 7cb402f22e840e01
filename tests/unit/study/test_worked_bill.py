"""One replica's life and its bill, against figures worked out by hand."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from costsim.catalog.platform import Catalog, Platform, load_catalog
from costsim.catalog.rules import DurationRule, RateRule
from costsim.study.worked_bill import NoExampleError, WorkedBill, worked_bill

CATALOG = load_catalog()
NAMES = list(CATALOG.names)


def example(name: str, **chosen: object) -> WorkedBill:
    return worked_bill(CATALOG.platform(name), CATALOG, **chosen)


def priced(name: str) -> WorkedBill:
    """Return the example of a platform at 2 USD/h, which each one has."""
    return example(name, usd_per_hour=2.0)


def test_modal_bills_the_load_the_request_and_the_idle_window() -> None:
    found = example("modal", gpu="L4")

    # 20 s of load, 2.4 s of service, 60 s idle; the 18 s before are free. A second is
    # 0.000222 (L4) + 0.125 x 0.0000131 (cores) + 0.125 x 0.00000222 (GiB) USD.
    assert found.billed_s == pytest.approx(82.4)
    assert found.bill.total_usd == pytest.approx(82.4 * 0.000223915)
    assert [
        (part.phase, part.from_s, part.to_s, part.share) for part in found.life
    ] == [
        ("waiting for capacity", 0.0, 5.0, 0.0),
        ("image pull", 5.0, 15.0, 0.0),
        ("container boot", 15.0, 18.0, 0.0),
        ("model load", 18.0, 38.0, 1.0),
        ("serving", 38.0, 40.4, 1.0),
        ("idle", 40.4, pytest.approx(100.4), 1.0),
    ]


def test_baseten_bills_started_minutes_and_its_delay_before_it_scales_down() -> None:
    found = example("baseten", gpu="L4")

    # The window of 60 s is empty at 100.4 s, which the tick at 105 s sees; 900 s later the
    # replica goes. The first 15 of 1,005 s are free: 990 s are 17 started minutes.
    assert found.what == "L4:4x16"
    assert found.life[-1].to_s == pytest.approx(1005.0)
    assert found.billed_s == pytest.approx(17 * 60)
    assert found.bill.total_usd == pytest.approx(17 * 0.01414)
    assert found.bill.rounding_usd == pytest.approx(30 / 60 * 0.01414)


def test_an_always_on_machine_is_billed_for_the_hour() -> None:
    found = example("ec2", gpu="L4")

    assert (found.what, found.always_on) == ("g6.xlarge", True)
    assert [part.phase for part in found.life] == ["serving", "idle"]
    assert found.bill.total_usd == pytest.approx(0.8048)
    assert found.times_as_much == pytest.approx(1500.0)


def test_where_requests_are_billed_the_idle_window_is_free_and_the_fee_is_due() -> None:
    found = example("aws-lambda")

    # The start is billed with its request: 22.4 s of 0.125 GiB; and 0.20 USD a million.
    assert found.billed_s == pytest.approx(22.4)
    usd = 22.4 * 0.125 * 0.0000166667 + 0.2 / 1e6
    assert found.bill.total_usd == pytest.approx(usd)
    assert (found.life[-1].phase, found.life[-1].share) == ("idle", 0.0)


def test_a_request_that_is_turned_away_at_zero_comes_again() -> None:
    found = example("huggingface")

    assert found.tries == 2
    assert [part.phase for part in found.life].count("serving") == 1
    assert found.life[-2].from_s == pytest.approx(38.0)


def test_the_cheapest_gpu_with_a_price_is_the_default() -> None:
    assert example("modal").what == "T4"
    assert example("ec2").what == "g4dn.xlarge"


def test_an_instance_or_a_gpu_can_be_chosen() -> None:
    assert example("baseten", instance="H100:2").what == "H100:2"
    assert example("modal", gpu="a100").what == "A100-40GB"
    assert example("ec2", gpu="H100").what == "p5.48xlarge"


def test_a_price_of_your_own_replaces_the_one_of_the_catalog() -> None:
    one = example("ec2", usd_per_hour=1.0)
    three = example("ec2", usd_per_hour=3.0)

    assert one.bill.total_usd == pytest.approx(1.0)
    assert three.bill.total_usd == pytest.approx(3.0)


@pytest.mark.parametrize("name", NAMES)
def test_every_platform_has_an_example_whose_lines_add_up(name: str) -> None:
    found = priced(name)

    costs = [line.quantity * line.usd_per_unit for line in found.bill.items]
    assert found.bill.total_usd == pytest.approx(math.fsum(costs))
    assert found.bill.total_usd > 0
    assert {line.phase for line in found.bill.items} & {"credit"} == set()


@pytest.mark.parametrize("name", NAMES)
def test_a_platform_with_a_price_has_an_example_without_choosing(name: str) -> None:
    prices = CATALOG.platform(name).prices
    compute = [*(prices.gpus or prices.instances).values()] or [*prices.items()]

    priced = any(one.price is not None for one in compute)

    assert _has_example(name) == priced


def _has_example(name: str) -> bool:
    try:
        example(name)
    except NoExampleError:
        return False
    return True


@pytest.mark.parametrize("name", NAMES)
def test_a_life_has_no_gaps_and_one_request(name: str) -> None:
    life = priced(name).life

    assert life[0].from_s == 0.0
    assert [after.from_s for _, after in pairwise(life)] == [
        before.to_s for before, _ in pairwise(life)
    ]
    served = [part.lasts_s for part in life if part.phase == "serving"]
    assert served == [pytest.approx(2.4)]


@pytest.mark.parametrize("name", NAMES)
def test_the_meter_bills_the_billed_parts_of_the_life_rounded_up(name: str) -> None:
    found = priced(name)

    lived_s = math.fsum(part.lasts_s for part in found.life if part.share)
    most_s = lived_s + max(found.rules.increment_s, found.rules.minimum_s)
    assert lived_s - 1e-6 <= found.billed_s <= most_s + 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_what_is_counted_by_the_month_is_left_out(name: str) -> None:
    found = priced(name)

    by_the_month = {"plan", "credit"} & {line.component for line in found.bill.items}
    assert by_the_month == set()


def test_a_platform_without_a_price_says_how_to_give_one() -> None:
    with pytest.raises(NoExampleError, match=r"no price of Knative's pods.*--price"):
        example("knative")


@pytest.mark.parametrize(
    ("name", "chosen", "message"),
    [
        ("modal", {"gpu": "L5"}, "unknown GPU of Modal 'L5'"),
        ("ec2", {"gpu": "L5"}, "unknown GPU of AWS EC2 'L5'"),
        ("ec2", {"instance": "g6.tiny"}, "unknown instance of AWS EC2 'g6.tiny'"),
        ("modal", {"instance": "L4"}, "prices GPU, CPU and memory apart"),
    ],
)
def test_hardware_that_is_not_there_is_refused(
    name: str, chosen: dict[str, str], message: str
) -> None:
    with pytest.raises(NoExampleError, match=message):
        example(name, **chosen)


def changed(name: str, **billing: object) -> WorkedBill:
    """Return the example of a platform with other billing rules."""
    platform: Platform = CATALOG.platform(name)
    rules = platform.billing.model_copy(update=billing)
    other = platform.model_copy(update={"billing": rules})
    return worked_bill(other, Catalog({name: other}))


def test_a_phase_that_becomes_billed_becomes_dearer() -> None:
    phases = CATALOG.platform("modal").billing.phases
    boot = phases.container_boot.model_copy(update={"modeled_as": "billed"})

    found = changed("modal", phases=phases.model_copy(update={"container_boot": boot}))

    assert found.billed_s == pytest.approx(85.4)
    assert found.life[2].share == 1.0


def rule(kind: type[RateRule | DurationRule], value: object) -> RateRule | DurationRule:
    return kind(value=value, source="a test", as_of="2026", evidence="own")


def test_a_machine_that_outlasts_its_replica_is_in_the_life_and_in_the_bill() -> None:
    found = changed("modal", release_lag=rule(DurationRule, "30s"))

    last = found.life[-1]
    assert (last.phase, last.lasts_s) == ("release of the machine", pytest.approx(30))
    assert found.billed_s == pytest.approx(112.4)


def test_a_kept_replica_is_billed_at_the_share_of_its_idle_time() -> None:
    found = changed("ec2", min_replicas_idle_rate=rule(RateRule, 0.25))

    assert [part.share for part in found.life] == [1.0, 0.25]
    usd = 0.526 / 3600 * (2.4 + 0.25 * 3597.6)
    assert found.bill.total_usd == pytest.approx(usd)


def test_a_setup_that_is_free_after_a_billed_part_has_no_example() -> None:
    phases = CATALOG.platform("modal").billing.phases
    pull = phases.image_pull.model_copy(update={"modeled_as": "billed"})

    with pytest.raises(NoExampleError, match="unbilled phases come first"):
        changed("modal", phases=phases.model_copy(update={"image_pull": pull}))


def test_without_a_price_of_a_gpu_there_is_no_example_unless_you_give_one() -> None:
    modal = CATALOG.platform("modal")
    gpus = {
        name: gpu.model_copy(update={"price": None})
        for name, gpu in modal.prices.gpus.items()
    }
    prices = modal.prices.model_copy(update={"gpus": gpus})
    other = modal.model_copy(update={"prices": prices})
    catalog = Catalog({"modal": other})

    with pytest.raises(NoExampleError, match="no price of Modal's GPUs"):
        worked_bill(other, catalog)
    assert worked_bill(other, catalog, usd_per_hour=1.0).what == "T4"


def test_where_requests_are_billed_an_idle_window_never_is() -> None:
    phases = CATALOG.platform("aws-lambda").billing.phases
    idle = phases.idle.model_copy(update={"billed": "yes"})

    found = changed("aws-lambda", phases=phases.model_copy(update={"idle": idle}))

    assert (found.life[-1].phase, found.life[-1].share) == ("idle", 0.0)
    assert found.billed_s == pytest.approx(22.4)


def test_a_kept_replica_is_billed_for_its_hour_even_where_requests_are() -> None:
    platform = CATALOG.platform("aws-lambda")
    pool = {**platform.autoscaler.pool, "min_replicas": 1}
    autoscaler = platform.autoscaler.model_copy(update={"pool": pool})
    kept = platform.model_copy(update={"autoscaler": autoscaler})

    found = worked_bill(kept, Catalog({"aws-lambda": kept}))

    # 0.0000041667 USD a GiB-second while it is kept, 0.0000097222 more while it works.
    usd = 0.125 * (3600 * 0.0000041667 + 2.4 * 0.0000097222) + 0.2 / 1e6
    assert found.bill.total_usd == pytest.approx(usd, rel=1e-4)
    assert [part.share for part in found.life] == pytest.approx(
        [0.8333, 0.25], rel=1e-3
    )
