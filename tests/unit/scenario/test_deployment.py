"""From vendors' words to pools and tariffs, and what is refused on the way."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from costsim.catalog.platform import load_catalog
from costsim.catalog.quote import stale_sources
from costsim.catalog.tariff import Component, MeteringRules
from costsim.errors import ScenarioError
from costsim.scenario.autoscalers import ConcurrencyWindow, Fixed, OnDemand
from costsim.scenario.deployment import Resolution, ResolvedDeployment, resolve
from costsim.scenario.distributions import ConstantDuration
from costsim.scenario.pool import RateLimit
from costsim.scenario.schema import Scenario

if TYPE_CHECKING:
    from pathlib import Path

CATALOG = load_catalog()

MODAL = {"name": "m", "platform": "modal", "gpu": "L4"}
BASETEN = {"name": "b", "platform": "baseten", "instance": "L4:4x16"}
EC2 = {"name": "e", "platform": "ec2", "instance": "g6.xlarge"}
CUSTOM = {
    "name": "c",
    "pool": {"autoscaler": {"kind": "fixed"}, "min_replicas": 2, "max_replicas": 2},
    "billing": {"price": "1.20 USD/h", "increment": "1h"},
}


def scenario(*deployments: dict[str, Any], **rest: Any) -> Scenario:
    document: dict[str, Any] = {
        "name": "test",
        "horizon": "1d",
        "traffic": {
            "streams": [
                {"name": "users", "rate": "48/h", "arrivals": {"process": "poisson"}}
            ]
        },
        "service": {"time": "900ms"},
        "setup": "25s",
        "deployments": list(deployments),
    }
    return Scenario.model_validate(document | rest)


def one(deployment: dict[str, Any], **changes: Any) -> ResolvedDeployment:
    """Resolve a single deployment, with changes to it."""
    resolution = resolve(scenario(deployment | changes), CATALOG)
    return resolution.deployments[0]


def problems(deployment: dict[str, Any], **changes: Any) -> dict[str, str]:
    """Return the problems of a single deployment, key to message."""
    with pytest.raises(ScenarioError) as raised:
        one(deployment, **changes)
    return {problem.key: problem.message for problem in raised.value.problems}


# --- Modal --------------------------------------------------------------------------


def test_modal_without_settings_has_the_vendors_defaults() -> None:
    pool = one(MODAL).pool

    assert pool.autoscaler == OnDemand(kind="on_demand")
    assert (pool.min_replicas, pool.buffer_replicas) == (0, 0)
    assert pool.idle_timeout == 60.0
    assert (pool.concurrency_limit, pool.concurrency_target) == (1, None)
    assert pool.max_queued == 2000
    assert pool.rate_limit == RateLimit(rate=200.0, burst=1000.0)
    assert (pool.queue_timeout, pool.at_zero, pool.binding) == (None, "hold", "shared")


@pytest.mark.parametrize(
    ("setting", "value", "field", "expected"),
    [
        ("min_containers", 2, "min_replicas", 2),
        ("max_containers", 7, "max_replicas", 7),
        ("buffer_containers", 3, "buffer_replicas", 3),
        ("scaledown_window", "2s", "idle_timeout", 2.0),
        ("scaledown_window", "20m", "idle_timeout", 1200.0),
        ("max_inputs", 8, "concurrency_limit", 8),
    ],
)
def test_each_word_of_modal_sets_its_field(
    setting: str, value: object, field: str, expected: object
) -> None:
    pool = one(MODAL, settings={setting: value}).pool

    assert getattr(pool, field) == expected


def test_target_inputs_is_the_concurrency_target() -> None:
    pool = one(MODAL, settings={"max_inputs": 8, "target_inputs": 6}).pool

    assert (pool.concurrency_limit, pool.concurrency_target) == (8, 6.0)


def test_limits_of_the_vendor_can_be_switched_off() -> None:
    pool = one(MODAL, settings={"apply_limits": False}).pool

    assert (pool.max_queued, pool.rate_limit) == (None, None)
    assert pool.max_replicas == 10


@pytest.mark.parametrize(
    ("changes", "most"),
    [
        ({}, 10),
        ({"plan": "starter", "gpu_count": 2}, 5),
        ({"plan": "starter", "gpu_count": 4}, 2),
        ({"plan": "team"}, 50),
        ({"plan": "team", "gpu_count": 8}, 6),
        ({"gpu": None}, 100),
        ({"gpu": None, "plan": "team"}, 4000),
    ],
)
def test_plan_and_gpus_cap_the_containers(changes: dict[str, Any], most: int) -> None:
    assert one(MODAL, **changes).pool.max_replicas == most


def test_a_cap_below_what_was_asked_for_is_a_warning_and_is_named() -> None:
    resolved = one(MODAL, settings={"max_containers": 20})

    assert resolved.pool.max_replicas == 10
    assert resolved.capped_by == ("at most 10 containers: plan starter with 10 GPUs",)
    assert (
        "max_containers 20 is cut to 10: plan starter with 10 GPUs" in resolved.warnings
    )


def test_within_the_cap_nothing_is_said() -> None:
    assert one(MODAL, settings={"max_containers": 10}).capped_by == ()


def test_modal_prices_gpu_cpu_and_memory_apart() -> None:
    resolved = one(MODAL, resources={"cpu": 2, "memory": "16 GiB"})

    # 0.7992; 2 x 0.04716; 16 x 0.007992.
    assert [part.name for part in resolved.tariff.components] == [
        "gpu",
        "cpu",
        "memory",
    ]
    assert [part.usd_per_hour for part in resolved.tariff.components] == pytest.approx(
        [0.7992, 0.09432, 0.127872]
    )
    assert resolved.tariff.usd_per_hour == pytest.approx(1.021392)


# facts: Modal lean = GPU + 1 core + 16 GiB; same shape = the instance's vCPU / 2 and GiB.
@pytest.mark.parametrize(
    ("gpu", "instance", "cores", "gib", "lean", "same", "baseten"),
    [
        ("T4", "T4x4x16", 2, 16, 0.765, 0.813, 0.631),
        ("L4", "L4:4x16", 2, 16, 0.974, 1.021, 0.848),
        ("A10G", "A10Gx4x16", 2, 16, 1.277, 1.324, 1.207),
        ("A100-80GB", "A100:12x144", 6, 144, 2.673, 3.932, 4.000),
        ("RTX-PRO-6000", "RTX-PRO-6000", 8, 116, 3.206, 4.336, 4.000),
        ("H100", "H100", 8, 118, 4.124, 5.270, 6.500),
        ("H200", "H200", 8, 200, 4.715, 6.515, 7.500),
        ("B200", "B200", 8, 224, 6.425, 8.417, 9.980),
    ],
)
def test_like_for_like_prices(
    gpu: str,
    instance: str,
    cores: float,
    gib: float,
    lean: float,
    same: float,
    baseten: float,
) -> None:
    def modal(cores: float, gib: float) -> float:
        resources = {"cpu": cores, "memory": f"{gib} GiB"}
        return one(MODAL, gpu=gpu, resources=resources).tariff.usd_per_hour

    assert modal(1, 16) == pytest.approx(lean, abs=0.0006)
    assert modal(cores, gib) == pytest.approx(same, abs=0.0006)
    assert one(BASETEN, instance=instance).tariff.usd_per_hour == pytest.approx(
        baseten, abs=0.0006
    )


def test_several_gpus_cost_as_much_more() -> None:
    resolved = one(MODAL, gpu_count=2)

    assert resolved.gpu == "2x L4"
    assert resolved.tariff.components[0] == Component("gpu", pytest.approx(1.5984))
    assert resolved.sources[0].what == "2x L4"


def test_without_resources_the_minimum_is_billed_and_said() -> None:
    resolved = one(MODAL)

    # 0.7992 + 0.125 x (0.04716 + 0.007992)
    assert resolved.tariff.usd_per_hour == pytest.approx(0.806094)
    assert resolved.warnings == (
        "resources.cpu is not given: billed at the minimum of 0.125 physical cores; "
        "a model server needs more",
        "resources.memory is not given: billed at the minimum of 0.125 GiB of memory; "
        "a model server needs more",
    )


def test_less_than_the_minimum_is_billed_at_the_minimum() -> None:
    resolved = one(MODAL, resources={"cpu": 0.1, "memory": "16 GiB"})

    assert resolved.tariff.components[1].usd_per_hour == pytest.approx(0.125 * 0.04716)
    assert resolved.warnings == (
        "resources.cpu is below the minimum: billed at 0.125 physical cores",
    )


@pytest.mark.parametrize(
    ("region", "factor"),
    [
        (None, 1.0),
        ("none", 1.0),
        ("broad", 1.15),
        ("broad_1.5", 1.5),
        ("narrow", 1.75),
        ("eu", 1.15),
        ("us-east", 1.75),
    ],
)
def test_a_region_multiplies_every_part(region: str | None, factor: float) -> None:
    resources = {"cpu": 2, "memory": "16 GiB"}
    plain = one(MODAL, resources=resources)

    dearer = one(MODAL, resources=resources, region=region)

    assert [part.usd_per_hour for part in dearer.tariff.components] == pytest.approx(
        [factor * part.usd_per_hour for part in plain.tariff.components]
    )


def test_a_plan_brings_fee_credit_and_their_source() -> None:
    starter = one(MODAL).tariff
    team = one(MODAL, plan="team")

    assert (starter.monthly_fee_usd, starter.monthly_credit_usd) == (0.0, 30.0)
    assert (team.tariff.monthly_fee_usd, team.tariff.monthly_credit_usd) == (
        250.0,
        100.0,
    )
    assert team.plan == "team"
    assert team.sources[-1].what == "plan team"
    assert team.sources[-1].usd_per_hour == pytest.approx(250 / 730)


def test_the_first_second_of_a_setup_is_free_unless_the_deployment_says_otherwise() -> (
    None
):
    assert one(MODAL).tariff.rules.unbilled_setup_s == 1.0
    assert one(MODAL, unbilled_setup="4s").tariff.rules.unbilled_setup_s == 4.0


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("timeout", "10m"),
        ("startup_timeout", "10m"),
        ("single_use_containers", True),
        ("retries", 3),
        ("max_batch_size", 8),
        ("wait_ms", 100),
    ],
)
def test_a_setting_that_is_not_simulated_is_accepted_with_a_warning(
    setting: str, value: object
) -> None:
    resources = {"cpu": 2, "memory": "16 GiB"}
    resolved = one(MODAL, settings={setting: value}, resources=resources)

    assert len(resolved.warnings) == 1
    assert resolved.warnings[0].startswith(f"settings.{setting} has no effect here (")


def test_an_alias_leads_to_the_platforms_gpu() -> None:
    assert one(MODAL, gpu="A10G").gpu == "A10"
    assert one(MODAL, gpu="A100").gpu == "A100-40GB"
    assert one(BASETEN, instance=None, gpu="A100").gpu == "A100-80GB"


def test_without_a_gpu_modal_prices_cpu_and_memory() -> None:
    resolved = one(MODAL, gpu=None, resources={"cpu": 1, "memory": "1 GiB"})

    assert resolved.gpu == ""
    assert [part.name for part in resolved.tariff.components] == ["cpu", "memory"]
    assert resolved.warnings == ("no gpu is given: priced as CPU and memory alone",)


# --- Baseten ------------------------------------------------------------------------


def test_baseten_without_settings_has_the_vendors_defaults() -> None:
    pool = one(BASETEN).pool

    assert pool.autoscaler == ConcurrencyWindow(
        kind="concurrency_window",
        scaling_interval=5.0,
        scaling_window=60.0,
        target_utilization=0.7,
        scale_down_delay=900.0,
        max_scale_down_fraction=0.5,
    )
    assert (pool.min_replicas, pool.max_replicas) == (0, 1)
    assert (pool.concurrency_limit, pool.concurrency_target) == (1, 1.0)
    assert (pool.routing, pool.queue_timeout) == ("least_loaded", 600.0)
    assert (pool.max_queued, pool.rate_limit) == (None, None)


@pytest.mark.parametrize(
    ("setting", "value", "field", "expected"),
    [
        ("autoscaling_window", "30s", "scaling_window", 30.0),
        ("scale_down_delay", "0s", "scale_down_delay", 0.0),
        ("target_utilization_percentage", 55, "target_utilization", 0.55),
        ("max_scale_down_rate", 25, "max_scale_down_fraction", 0.25),
        ("decision_interval", "10s", "scaling_interval", 10.0),
    ],
)
def test_each_word_of_baseten_sets_its_field_of_the_autoscaler(
    setting: str, value: object, field: str, expected: object
) -> None:
    autoscaler = one(BASETEN, settings={setting: value}).pool.autoscaler

    assert getattr(autoscaler, field) == expected


def test_replicas_concurrency_and_parking_of_baseten() -> None:
    settings = {
        "min_replica": 1,
        "max_replica": 8,
        "concurrency_target": 4,
        "predict_concurrency": 6,
        "parking_timeout": "1200s",
    }

    pool = one(BASETEN, settings=settings).pool

    assert (pool.min_replicas, pool.max_replicas) == (1, 8)
    assert (pool.concurrency_target, pool.concurrency_limit) == (4.0, 6)
    assert pool.queue_timeout == 1200.0


def test_without_predict_concurrency_the_limit_is_the_target_and_said() -> None:
    resolved = one(BASETEN, settings={"concurrency_target": 4, "max_replica": 2})

    assert resolved.pool.concurrency_limit == 4
    assert resolved.warnings == (
        "predict_concurrency is not given: taken as 4, the concurrency_target",
    )


def test_the_default_of_one_replica_is_a_warning() -> None:
    assert one(BASETEN).warnings == (
        "max_replica is not given: 1 by default, so it does not scale out",
    )


def test_without_limits_baseten_parks_for_ever() -> None:
    assert one(BASETEN, settings={"apply_limits": False}).pool.queue_timeout is None


def test_baseten_bills_whole_minutes_of_an_instance() -> None:
    tariff = one(BASETEN).tariff

    assert tariff.rules == MeteringRules(
        scope="replica", increment_s=60.0, failed_start_billed=False
    )
    assert tariff.components == (Component("instance", pytest.approx(0.8484)),)


def test_a_gpu_takes_the_cheapest_instance_with_it_and_says_so() -> None:
    resolved = one(BASETEN, instance=None, gpu="T4", settings={"max_replica": 2})

    assert (resolved.instance, resolved.gpu) == ("T4x4x16", "T4")
    assert resolved.notes == ("instance T4x4x16: the cheapest with T4, 0.6312 USD/h",)


def test_a_gpu_with_resources_takes_the_cheapest_instance_with_room() -> None:
    changes = {"instance": None, "gpu": "T4"}

    by_memory = one(BASETEN, **changes, resources={"memory": "20 GiB"})
    by_cores = one(BASETEN, **changes, resources={"cpu": 5})

    assert by_memory.instance == "T4x8x32"
    assert by_cores.instance == "T4x16x64"


def test_a_gpu_count_takes_an_instance_with_as_many() -> None:
    resolved = one(BASETEN, instance=None, gpu="L4", gpu_count=2)

    assert (resolved.instance, resolved.gpu) == ("L4:2x24x96", "2x L4")


# --- EC2 and custom -----------------------------------------------------------------


def test_ec2_is_a_fixed_pool_billed_by_the_second_and_a_minute_at_least() -> None:
    resolved = one(EC2, settings={"instances": 3, "concurrency": 4})

    assert resolved.pool.autoscaler == Fixed(kind="fixed")
    assert (resolved.pool.min_replicas, resolved.pool.max_replicas) == (3, 3)
    assert resolved.pool.concurrency_limit == 4
    assert resolved.tariff.rules == MeteringRules(
        scope="replica", increment_s=1.0, minimum_s=60.0
    )
    assert resolved.tariff.usd_per_hour == 0.8048
    assert (resolved.platform, resolved.gpu) == ("AWS EC2", "L4")


def test_ec2_takes_the_cheapest_instance_with_a_gpu() -> None:
    assert one(EC2, instance=None, gpu="L40S").instance == "g6e.xlarge"


def test_a_fixed_pool_needs_no_setup_time() -> None:
    resolution = resolve(scenario(EC2, CUSTOM, setup=None), CATALOG)

    nothing = ConstantDuration(distribution="constant", value=0.0)
    assert [one.setup_plan.law for one in resolution.deployments] == [nothing, nothing]


def test_a_custom_deployment_keeps_its_pool_and_prices() -> None:
    billing = {
        "price": "1.20 USD/h",
        "scope": "segment",
        "increment": "1h",
        "minimum": "2h",
        "setup": False,
        "idle": False,
        "per_request": "0.01 USD",
        "monthly_fee": "20 USD",
        "monthly_credit": "5 USD",
    }

    resolved = one(CUSTOM, billing=billing, gpu="H100", gpu_count=2, speed=1.5)

    tariff = resolved.tariff
    assert (resolved.platform, resolved.gpu, resolved.speed) == (
        "custom",
        "2x H100",
        1.5,
    )
    assert (resolved.pool.min_replicas, resolved.pool.max_replicas) == (2, 2)
    assert tariff.components == (Component("instance", 1.20),)
    assert tariff.rules == MeteringRules(
        scope="segment",
        increment_s=3600.0,
        minimum_s=7200.0,
        setup_billed=False,
        idle_billed=False,
        min_idle_billed=False,
    )
    assert tariff.usd_per_request == 0.01
    assert (tariff.monthly_fee_usd, tariff.monthly_credit_usd) == (20.0, 5.0)


def test_a_deployments_setup_goes_before_the_scenarios() -> None:
    own = one(MODAL, setup="3s").setup_plan.law
    general = one(MODAL).setup_plan.law

    assert own == ConstantDuration(distribution="constant", value=3.0)
    assert general == ConstantDuration(distribution="constant", value=25.0)


def test_deployments_keep_their_order_and_warnings_carry_their_name() -> None:
    resolution = resolve(scenario(EC2, BASETEN, CUSTOM), CATALOG)

    assert [one.name for one in resolution.deployments] == ["e", "b", "c"]
    assert resolution.warnings == (
        "b: max_replica is not given: 1 by default, so it does not scale out",
    )


def test_every_price_has_a_source_and_a_date() -> None:
    sources = one(MODAL, plan="team").sources

    assert [source.what for source in sources] == ["L4", "CPU", "memory", "plan team"]
    assert {source.source for source in sources} == {"https://modal.com/pricing"}
    assert [source.as_of for source in sources] == [
        "2026-09-01",
        "2026-10-07",
        "2026-10-07",
        "2026-09-01",
    ]


def test_only_stale_prices_that_are_used_are_warned_of() -> None:
    sources = [*one(EC2).sources, *one(BASETEN).sources, *one(CUSTOM).sources]

    # g6.xlarge is of 2026-09-06, L4:4x16 of 2026-08, the scenario's own undated.
    assert stale_sources(sources, date(2026, 11, 24)) == (
        "prices of L4:4x16 are up to 115 days old (as of 2026-08); check "
        "https://docs.baseten.co/deployment/resources#instance-type-reference and "
        "override what changed with --prices FILE",
    )


def test_an_override_reaches_the_tariff(tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text("baseten: {instances: {'L4:4x16': 0.5 USD/h}}", "utf-8")

    resolution = resolve(scenario(BASETEN), load_catalog(path))

    assert resolution.deployments[0].tariff.usd_per_hour == 0.5


# --- What is refused ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("deployment", "changes", "key", "message"),
    [
        (
            MODAL,
            {"platform": "modle"},
            "platform",
            "unknown platform 'modle' (did you mean 'modal'?); allowed: ",
        ),
        (
            MODAL,
            {"settings": {"scaledown_windw": "60s"}},
            "settings.scaledown_windw",
            "unknown setting 'scaledown_windw' (did you mean 'scaledown_window'?); allowed: min_containers,",
        ),
        (
            MODAL,
            {"settings": {"scaledown_window": "1s"}},
            "settings.scaledown_window",
            "'1s' is out of range; allowed is a duration from 2s to 20m",
        ),
        (
            MODAL,
            {"settings": {"scaledown_window": 60}},
            "settings.scaledown_window",
            "is not a duration; write a number and a unit",
        ),
        (
            MODAL,
            {"settings": {"min_containers": -1}},
            "settings.min_containers",
            "-1 is out of range; allowed is a whole number from 0",
        ),
        (
            MODAL,
            {"settings": {"max_inputs": "8"}},
            "settings.max_inputs",
            "'8' is not allowed; write a whole number from 1",
        ),
        (
            MODAL,
            {"settings": {"max_inputs": 4, "target_inputs": 5}},
            "settings.target_inputs",
            "target_inputs (5) must not exceed max_inputs (4)",
        ),
        (
            MODAL,
            {"settings": {"min_containers": 3, "max_containers": 2}},
            "settings.min_containers",
            "min_containers (3) must not exceed max_containers (2)",
        ),
        (
            MODAL,
            {"settings": {"min_containers": 11}},
            "settings.min_containers",
            "min_containers (11) must not exceed 10: plan starter with 10 GPUs",
        ),
        (
            MODAL,
            {"gpu": "L44"},
            "gpu",
            "unknown GPU of Modal 'L44' (did you mean 'L4'?); allowed: T4, L4,",
        ),
        (
            MODAL,
            {"gpu_count": 9},
            "gpu_count",
            "9 is too many; a replica has up to 8 L4",
        ),
        (
            MODAL,
            {"gpu": "A10", "gpu_count": 5},
            "gpu_count",
            "5 is too many; a replica has up to 4 A10",
        ),
        (
            MODAL,
            {"gpu": "RTX-PRO-6000", "gpu_count": 16},
            "gpu_count",
            "16 GPUs are more than plan starter with 10 GPUs allows",
        ),
        (
            MODAL,
            {"instance": "L4:4x16"},
            "instance",
            "Modal prices GPU, CPU and memory apart; use gpu and resources",
        ),
        (
            MODAL,
            {"region": "brood"},
            "region",
            "unknown region 'brood' (did you mean 'broad'?); allowed: none, broad,",
        ),
        (
            MODAL,
            {"plan": "teams"},
            "plan",
            "unknown plan of Modal 'teams' (did you mean 'team'?)",
        ),
        (
            MODAL,
            {"plan": "enterprise"},
            "plan",
            "plan 'enterprise' has no published fee; allowed: starter, team;",
        ),
        (
            BASETEN,
            {"instance": "L4:4x17"},
            "instance",
            "unknown instance of Baseten 'L4:4x17' (did you mean 'L4:4x16'?)",
        ),
        (
            BASETEN,
            {"instance": None},
            "instance",
            "needs an instance or a gpu; GPUs: T4, L4, A10G,",
        ),
        (
            BASETEN,
            {"gpu": "T4"},
            "gpu",
            "instance L4:4x16 has L4, not 'T4'",
        ),
        (
            BASETEN,
            {"gpu_count": 2},
            "gpu_count",
            "instance L4:4x16 has L4, not 2 GPUs",
        ),
        (
            BASETEN,
            {"resources": {"cpu": 3}},
            "resources",
            "instance L4:4x16 has 2 physical cores and 16 GiB; that is not enough",
        ),
        (
            BASETEN,
            {"instance": None, "gpu": "L4", "gpu_count": 3},
            "gpu_count",
            "Baseten has no instance with 3x L4; allowed with L4: 1, 2, 4",
        ),
        (
            BASETEN,
            {"instance": None, "gpu": "L40S"},
            "gpu",
            "unknown GPU of Baseten 'L40S' (did you mean 'L4'?); allowed: T4, L4,",
        ),
        (
            BASETEN,
            {"instance": None, "gpu": "L4", "resources": {"memory": "1 TiB"}},
            "resources",
            "no instance with L4 is that large; there are L4:4x16",
        ),
        (
            BASETEN,
            {"region": "us"},
            "region",
            "Baseten has one price for every region; leave it out",
        ),
        (
            BASETEN,
            {"settings": {"concurrency_target": 4, "predict_concurrency": 2}},
            "settings.concurrency_target",
            "concurrency_target (4) must not exceed predict_concurrency (2)",
        ),
        (
            BASETEN,
            {"settings": {"min_replica": 2}},
            "settings.min_replica",
            "min_replica (2) must not exceed max_replica's default (1)",
        ),
        (
            BASETEN,
            {"settings": {"min_replica": 3, "max_replica": 2}},
            "settings.min_replica",
            "min_replica (3) must not exceed max_replica (2)",
        ),
        (
            BASETEN,
            {"settings": {"max_scale_down_rate": 60}},
            "settings.max_scale_down_rate",
            "60 is out of range; allowed is a percentage from 1 to 50",
        ),
        (EC2, {"plan": "starter"}, "plan", "AWS EC2 has no plans; leave it out"),
        (
            EC2,
            {"instance": None, "gpu": "H100"},
            "gpu",
            "AWS EC2 has no instance with H100; allowed with H100: 8",
        ),
        (
            EC2,
            {"region": "eu-west-1"},
            "region",
            "unknown region 'eu-west-1'",
        ),
    ],
)
def test_a_fault_is_refused_at_its_key_with_what_is_allowed(
    deployment: dict[str, Any], changes: dict[str, Any], key: str, message: str
) -> None:
    found = problems(deployment, **changes)

    assert list(found) == [f"deployments.0.{key}"]
    assert message in found[f"deployments.0.{key}"]


def test_a_missing_setup_time_is_refused_for_each_pool_that_launches() -> None:
    with pytest.raises(ScenarioError) as raised:
        resolve(scenario(EC2, MODAL, BASETEN, setup=None), CATALOG)

    assert [problem.key for problem in raised.value.problems] == [
        "deployments.1.setup",
        "deployments.2.setup",
    ]
    assert "is missing, here and in the scenario" in raised.value.problems[0].message


def test_all_problems_of_all_deployments_are_told_at_once() -> None:
    bad = scenario(
        MODAL | {"gpu": "L5", "region": "mars", "settings": {"max_inputs": 0}},
        BASETEN | {"instance": "L5", "settings": {"min_replicas": 1}},
        requirements=["rollbak"],
    )

    with pytest.raises(ScenarioError) as raised:
        resolve(bad, CATALOG)

    assert {problem.key for problem in raised.value.problems} == {
        "requirements.0",
        "deployments.0.gpu",
        "deployments.0.region",
        "deployments.0.settings.max_inputs",
        "deployments.1.instance",
        "deployments.1.settings.min_replicas",
    }


def test_a_setting_without_a_value_counts_as_left_out() -> None:
    assert one(MODAL, settings={"scaledown_window": None}).pool.idle_timeout == 60.0


# --- Requirements -------------------------------------------------------------------


def required(*features: str, **changes: Any) -> Resolution:
    deployments = (MODAL | changes, BASETEN, EC2)
    return resolve(scenario(*deployments, requirements=list(features)), CATALOG)


def test_a_deployment_without_a_required_feature_is_left_out_with_the_reason() -> None:
    resolution = required("cron")

    assert [one.name for one in resolution.deployments] == ["m", "e"]
    assert [tuple(one) for one in resolution.excluded] == [
        ("b", "cron", "Baseten does not offer it")
    ]


def test_a_feature_of_other_plans_is_lacking_and_the_plans_are_named() -> None:
    resolution = required("custom_domain")

    assert ("m", "custom_domain", "Modal offers it on plan team or enterprise, not on plan starter") in resolution.excluded  # fmt: skip
    assert "m" in [
        one.name for one in required("custom_domain", plan="team").deployments
    ]


def test_a_feature_in_part_stays_with_a_warning() -> None:
    resolution = required("custom_domain")

    warnings = [text for text in resolution.warnings if text.startswith("b: custom")]
    assert len(warnings) == 1
    assert warnings[0].startswith(
        "b: custom_domain is there only in part (Only through"
    )


def test_an_unknown_answer_stays_with_a_warning() -> None:
    resolution = required("sla")

    assert "m" in [one.name for one in resolution.deployments]
    assert any(
        text.startswith("m: whether it has sla is not known")
        for text in resolution.warnings
    )


def test_a_custom_deployment_is_not_judged() -> None:
    resolution = resolve(scenario(CUSTOM, requirements=["rollback"]), CATALOG)

    assert resolution.warnings == (
        "c: requirement rollback is not checked: there is no platform to look it up",
    )


def test_an_unknown_requirement_is_refused_with_a_suggestion() -> None:
    with pytest.raises(ScenarioError) as raised:
        resolve(scenario(MODAL, requirements=["rollback", "custom_domains"]), CATALOG)

    problem = raised.value.problems[0]
    assert problem.key == "requirements.1"
    assert problem.message.startswith(
        "unknown feature 'custom_domains' (did you mean 'custom_domain'?); allowed: "
    )


def test_requirements_that_leave_nothing_are_refused() -> None:
    with pytest.raises(ScenarioError) as raised:
        resolve(scenario(BASETEN, EC2, requirements=["cron", "scale_to_zero"]), CATALOG)

    problem = raised.value.problems[0]
    assert problem.key == "requirements"
    assert problem.message == "leave no deployment: b lacks cron; e lacks scale_to_zero"


@pytest.mark.parametrize(
    ("deployment", "settings"),
    [
        (BASETEN, {"min_replica": 10**8, "max_replica": 10**8}),
        (EC2, {"instances": 10**8}),
    ],
    ids=["baseten", "ec2"],
)
def test_more_replicas_than_the_engine_takes_are_refused_at_the_settings(
    deployment, settings
) -> None:
    found = problems(deployment, settings=settings)

    assert found == {
        "deployments.0.settings": (
            "min_replicas: input should be less than or equal to 1000000"
        )
    }
