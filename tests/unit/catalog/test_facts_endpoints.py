"""Endpoints and functions: the figures of the platform files are those that were collected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from costsim.catalog.platform import load_catalog

if TYPE_CHECKING:
    from pathlib import Path

    from costsim.catalog.prices import Prices

CATALOG = load_catalog()
SAGEMAKER = ["sagemaker", "sagemaker-async"]

FILES = {
    "huggingface": "huggingface_endpoints",
    "vertex": "gcp_vertex_endpoint",
    "sagemaker": "aws_sagemaker_realtime",
    "sagemaker-async": "aws_sagemaker_realtime",
    "aws-lambda": "aws_lambda",
    "azure-container-apps": "azure_container_apps_gpu",
    "azure-ml": "azure_ml_managed_endpoint",
    "fireworks": "fireworks_ondemand",
    "together": "together_dedicated",
    "vast": "vast_serverless",
}
"""The file of facts of each platform."""

GPUS = {
    "A100": "A100-80GB",
    "A100 SXM 80GB": "A100-80GB",
    "A10 (1/6)": "A10-1/6",
    "CPU intel-spr x2": "",
    "H100 NVL": "H100-NVL",
    "H100 SXM": "H100",
    "RTX 4090": "RTX-4090",
    "RTX PRO 6000": "RTX-PRO-6000",
}
"""Names of GPUs in the facts that are not those of the catalog."""

OF_AZURE = {
    "Standard_ND96isr_H100_v5": "ND96isr_H100_v5",
    "Standard_ND96asr_A100_v4": "ND96asr_v4",
    "1-GPU VM (NC24ads_A100_v4 inferred)": "NC24ads_A100_v4",
}
"""Machines whose price was read by the GPU."""

OF_T4 = {14: 16, 56: 64}
"""Memory of T4s on AWS, as Hugging Face prints it, and that of the cards. [GiB]"""

LEFT_OUT = {
    "vertex": "both are of the bare machine, without the fee of Vertex: an extra",
    "together": "the H200 is of clusters, another product: an extra",
}
"""Prices of the facts that are no price here, and why."""


def facts_of(shared_dir: Path, platform: str) -> dict[str, Any]:
    path = shared_dir / "facts" / "platforms" / f"{FILES[platform]}.yaml"
    facts: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return facts


def prices_of(shared_dir: Path, platform: str) -> list[dict[str, Any]]:
    prices: list[dict[str, Any]] = facts_of(shared_dir, platform)["prices"]
    return prices


def gpu_of(fact: dict[str, Any]) -> str:
    return GPUS.get(fact["gpu"], fact["gpu"])


def date_of(fact: dict[str, Any]) -> str:
    """Return the date without the words that follow it."""
    return str(fact["as_of"]).split(" ")[0]


def by_gpu(prices: Prices) -> dict[str, Any]:
    return {
        name: (pytest.approx(gpu.price), gpu.as_of) for name, gpu in prices.gpus.items()
    }


def history(prices: Prices) -> list[tuple[str, Any, str]]:
    return [
        (past.item, pytest.approx(past.price), past.as_of) for past in prices.history
    ]


def test_every_price_of_hugging_face_is_an_instance_or_was_one(
    shared_dir: Path,
) -> None:
    prices = CATALOG.platform("huggingface").prices
    facts = prices_of(shared_dir, "huggingface")

    ours = [
        (name[:3], one.gpu, one.gpu_count, one.price, one.gpu_memory)
        for name, one in prices.instances.items()
    ]
    deprecated = [(past.item, past.price) for past in prices.history]

    assert sorted(ours) == sorted(
        (
            one["tier"],
            gpu_of(one),
            one["gpu_count"],
            one["price"],
            OF_T4.get(one.get("vram_gb", 0), one.get("vram_gb", 0)),
        )
        for one in facts
        if "deprecated" not in one.get("note", "")
    )
    assert deprecated == [
        (f"{one['tier']}-{one['sku'].replace(' ', '-')}", one["price"])
        for one in facts
        if "deprecated" in one.get("note", "")
    ]
    assert {one.as_of for one in prices.instances.values()} == {
        date_of(one) for one in facts
    }


def test_vertex_has_no_price_but_tells_those_of_the_bare_machine(
    shared_dir: Path,
) -> None:
    prices = CATALOG.platform("vertex").prices
    (extra,) = prices.extras.values()

    machine = [one["price"] for one in prices_of(shared_dir, "vertex")]

    assert list(prices.items()) == []
    assert extra.price == "{} USD/h on demand, {} USD/h spot".format(*machine)
    assert extra.as_of == date_of(prices_of(shared_dir, "vertex")[0])
    assert "vertex" in LEFT_OUT


@pytest.mark.parametrize("platform", SAGEMAKER)
def test_every_instance_of_sagemaker_has_the_price_and_the_date_of_the_facts(
    shared_dir: Path, platform: str
) -> None:
    prices = CATALOG.platform(platform).prices

    ours = {
        name: (one.price, one.gpu, one.gpu_count, one.as_of)
        for name, one in prices.instances.items()
    }

    assert ours == {
        one["sku"]: (one["price"], gpu_of(one), one["gpu_count"], date_of(one))
        for one in prices_of(shared_dir, platform)
    }


@pytest.mark.parametrize("platform", SAGEMAKER)
def test_the_other_price_of_the_g6e_is_kept(shared_dir: Path, platform: str) -> None:
    prices = CATALOG.platform(platform).prices
    (fact,) = [
        one for one in prices_of(shared_dir, platform) if one["sku"] == "ml.g6e.xlarge"
    ]
    (past,) = prices.history

    assert past.item == fact["sku"]
    assert f" {past.price:g} " in fact["note"]


@pytest.mark.parametrize("platform", SAGEMAKER)
@pytest.mark.parametrize(
    ("instance", "ec2", "factor"),
    [
        ("ml.g4dn.xlarge", "g4dn.xlarge", 1.40),
        ("ml.g5.xlarge", "g5.xlarge", 1.40),
        ("ml.g6e.xlarge", "g6e.xlarge", 1.40),
        ("ml.g5.12xlarge", "g5.12xlarge", 1.25),
        ("ml.g6.48xlarge", "g6.48xlarge", 1.25),
        ("ml.p4d.24xlarge", "p4d.24xlarge", 1.15),
        ("ml.p5.48xlarge", "p5.48xlarge", 1.15),
    ],
)
def test_sagemaker_costs_so_many_times_what_ec2_does(
    platform: str, instance: str, ec2: str, factor: float
) -> None:
    hosted = CATALOG.platform(platform).prices.instances[instance].price
    bare = CATALOG.platform("ec2").prices.instances[ec2].price
    assert hosted is not None
    assert bare is not None

    assert hosted / bare == pytest.approx(factor, abs=0.005)


def test_lambda_has_the_five_prices_and_the_free_grants_of_the_facts(
    shared_dir: Path,
) -> None:
    platform = CATALOG.platform("aws-lambda")
    memory, requests = platform.prices.memory, platform.prices.requests
    idle = platform.billing.min_replicas_idle_rate
    busy = platform.billing.min_replicas_busy_rate
    assert memory and requests and idle and busy  # noqa: PT018 - for the type checker

    usd_per_gib_s = memory.price / 3600
    ours = {
        "x86": usd_per_gib_s,
        "arm64": usd_per_gib_s * (platform.prices.tiers["arm64"].multiplier or 0.0),
        "requests": requests.fee / requests.per * 1e6,
        "provisioned concurrency idle": usd_per_gib_s * idle.value,
        "provisioned concurrency execution": usd_per_gib_s * (busy.value - idle.value),
    }

    facts = facts_of(shared_dir, "aws-lambda")
    assert ours == pytest.approx(
        {one["gpu"]: one["price"] for one in facts["prices"]}, rel=1e-9
    )
    assert (memory.free_seconds, requests.free) == (400_000, 1_000_000)
    assert facts["billing"]["free_tier"]["value"] == (
        "1M requests + 400,000 GB-s per month"
    )
    assert memory.as_of == date_of(facts["prices"][0])


def test_container_apps_price_cpu_and_memory_and_no_gpu(shared_dir: Path) -> None:
    prices = CATALOG.platform("azure-container-apps").prices
    facts = {one["gpu"]: one for one in prices_of(shared_dir, "azure-container-apps")}
    warm = facts.pop("A100-80GB + NC24 shape")
    assert prices.cpu is not None
    assert prices.memory is not None

    ours = {"vCPU": prices.cpu.price / 3600, "memory": prices.memory.price / 3600}

    assert ours == pytest.approx({name: one["price"] for name, one in facts.items()})
    assert prices.cpu.per == "vcpu"
    assert {prices.cpu.as_of, prices.memory.as_of} == {
        one["as_of"] for one in facts.values()
    }
    assert {gpu.price for gpu in prices.gpus.values()} == {None}
    assert history(prices) == [("A100-80GB", warm["price"], warm["as_of"])]


def test_container_apps_have_the_free_grants_of_the_facts(shared_dir: Path) -> None:
    prices = CATALOG.platform("azure-container-apps").prices
    billing = facts_of(shared_dir, "azure-container-apps")["billing"]
    assert prices.cpu is not None
    assert prices.memory is not None

    grant = (
        f"{prices.cpu.free_seconds:,.0f} vCPU-s + {prices.memory.free_seconds:,.0f} "
        "GiB-s + 2 M requests per month"
    )

    assert grant == billing["free_grant"]["value"]


def test_every_price_of_azure_ml_is_that_of_the_facts(shared_dir: Path) -> None:
    prices = CATALOG.platform("azure-ml").prices
    facts = prices_of(shared_dir, "azure-ml")

    ours = {
        name: (one.price, one.gpu, one.gpu_count, one.as_of)
        for name, one in prices.instances.items()
    }

    assert ours == {
        one["sku"]: (one["price"], gpu_of(one), one["gpu_count"], one["as_of"])
        for one in facts
        if one["unit"] == "usd_per_instance_hour"
    }
    assert history(prices) == [
        (OF_AZURE[one["sku"]], one["price"] * one["gpu_count"], one["as_of"])
        for one in facts
        if one["unit"] == "usd_per_gpu_hour"
    ]


def test_no_price_of_azure_ml_counts_as_verified(shared_dir: Path) -> None:
    instances = CATALOG.platform("azure-ml").prices.instances.values()

    assert {one.evidence for one in instances} == {"unverified"}
    assert "no surcharge: unverified" in facts_of(shared_dir, "azure-ml")["product"]


@pytest.mark.parametrize("platform", ["fireworks", "vast"])
def test_every_gpu_has_the_price_and_the_date_of_the_facts(
    shared_dir: Path, platform: str
) -> None:
    facts = prices_of(shared_dir, platform)

    assert by_gpu(CATALOG.platform(platform).prices) == {
        gpu_of(one): (one["price"], one["as_of"]) for one in facts
    }


def test_every_gpu_of_together_has_the_price_of_the_facts(shared_dir: Path) -> None:
    prices = CATALOG.platform("together").prices
    facts = {gpu_of(one): one for one in prices_of(shared_dir, "together")}
    cluster = facts.pop("H200")

    assert by_gpu(prices) == {
        gpu: (one["price"], one["as_of"]) for gpu, one in facts.items()
    }
    assert (
        prices.extras["h200_in_a_cluster"].price == f"{cluster['price']} USD/h per GPU"
    )
    assert "together" in LEFT_OUT


def test_other_prices_of_together_at_the_same_date_are_kept(shared_dir: Path) -> None:
    facts = {gpu_of(one): one for one in prices_of(shared_dir, "together")}
    prices = CATALOG.platform("together").prices

    assert history(prices) == [
        ("H100", 5.49, facts["H100"]["as_of"]),
        ("A100-80GB", 2.40, facts["A100-80GB"]["as_of"]),
    ]
    assert facts["H100"]["note"] == "promo, list 5.49"
    assert facts["A100-80GB"]["note"] == "2.40-2.59"


@pytest.mark.parametrize(
    "platform", [name for name in FILES if name != "sagemaker-async"]
)
def test_time_is_rounded_as_the_facts_say(shared_dir: Path, platform: str) -> None:
    billing = CATALOG.platform(platform).billing
    facts = facts_of(shared_dir, platform)["billing"]

    assert billing.increment.value == pytest.approx(facts["granularity_s"]["value"])
    assert billing.minimum.value == (facts["minimum_charge_s"]["value"] or 0)


@pytest.mark.parametrize("platform", FILES)
def test_what_the_facts_recall_is_marked_as_not_verified(
    shared_dir: Path, platform: str
) -> None:
    billing = CATALOG.platform(platform).billing
    fact = facts_of(shared_dir, platform)["billing"]["granularity_s"]

    recalled = fact["as_of"] == "unverified"

    assert (billing.increment.evidence == "unverified") == recalled


@pytest.mark.parametrize(
    ("platform", "phase", "fact"),
    [
        (platform, phase, fact)
        for platform in FILES
        for phase, fact in {
            "image_pull": "image_pull_billed",
            "model_load": "model_load_billed",
            "idle": "idle_window_billed",
        }.items()
    ],
)
def test_a_phase_is_billed_free_or_unknown_as_in_the_facts(
    shared_dir: Path, platform: str, phase: str, fact: str
) -> None:
    billed = getattr(CATALOG.platform(platform).billing.phases, phase).billed
    answers = {True: "yes", False: "no", None: "unknown"}

    assert billed == answers[facts_of(shared_dir, platform)["billing"][fact]["value"]]


@pytest.mark.parametrize(
    ("platform", "word", "fact"),
    [
        ("huggingface", "scale_to_zero_after", "scale_to_zero_after"),
        ("huggingface", "gpu_util_threshold", "gpu_util_threshold"),
        ("huggingface", "cpu_util_threshold", "cpu_util_threshold"),
        ("huggingface", "scale_up_interval", "scale_up_interval"),
        ("huggingface", "scale_down_interval", "scale_down_interval"),
        (
            "huggingface",
            "stabilization_after_scale_down",
            "stabilization_after_scale_down",
        ),
        ("huggingface", "pending_threshold", "pending_threshold"),
        ("vertex", "min_replica_count", "min_replica_count"),
        ("vertex", "target_utilization", "target_utilization"),
        ("sagemaker", "min_capacity", "min_capacity"),
        ("sagemaker", "scale_in_cooldown", "scale_in_cooldown"),
        ("sagemaker", "scale_out_cooldown", "scale_out_cooldown"),
        ("sagemaker", "consolidation_max_step", "consolidation_max_step"),
        ("sagemaker-async", "scale_in_cooldown", "scale_in_cooldown"),
        ("sagemaker-async", "scale_out_cooldown", "scale_out_cooldown"),
        ("azure-container-apps", "min_replicas", "min_replicas"),
        ("azure-container-apps", "max_replicas", "max_replicas"),
        ("azure-container-apps", "concurrent_requests", "concurrent_requests"),
        ("azure-container-apps", "polling_interval", "polling_interval"),
        ("azure-container-apps", "cooldown", "cooldown"),
        ("azure-container-apps", "http_check", "http_check"),
        ("azure-ml", "instances", "min_instances"),
        ("fireworks", "min_replica_count", "min_replica_count"),
        ("fireworks", "max_replica_count", "max_replica_count"),
        ("fireworks", "scale_up_window", "scale_up_window"),
        ("fireworks", "scale_down_window", "scale_down_window"),
        ("fireworks", "scale_to_zero_window", "scale_to_zero_window"),
        ("fireworks", "load_target", "load_target"),
        ("together", "scale_up_window", "scale_up_window"),
        ("together", "scale_down_window", "scale_down_window"),
        ("vast", "min_workers", "min_workers"),
        ("vast", "max_workers", "max_workers"),
        ("vast", "min_load", "min_load"),
        ("vast", "target_util", "target_util"),
        ("vast", "cold_mult", "cold_mult"),
        ("vast", "min_cold_load", "min_cold_load"),
    ],
)
def test_a_setting_has_the_default_of_the_facts(
    shared_dir: Path, platform: str, word: str, fact: str
) -> None:
    setting = CATALOG.platform(platform).autoscaler.settings[word]
    facts = facts_of(shared_dir, platform)["autoscaler"]["params"][fact]

    assert setting.read(setting.default) == facts["default"]


@pytest.mark.parametrize(
    ("platform", "word", "seconds"),
    [
        ("vertex", "min_scaleup_period", 1),
        ("vertex", "idle_scaledown_period", 1),
        ("sagemaker", "consolidation_cooldown", 60),
        ("sagemaker", "consolidation_max_step", 1),
    ],
)
def test_a_setting_has_the_range_of_the_facts(
    shared_dir: Path, platform: str, word: str, seconds: int
) -> None:
    setting = CATALOG.platform(platform).autoscaler.settings[word]
    facts = facts_of(shared_dir, platform)["autoscaler"]["params"][word]

    ends = (setting.read(setting.minimum), setting.read(setting.maximum))

    assert ends == (facts["min"] * seconds, facts["max"] * seconds)


def test_the_machine_of_an_inference_component_stays_as_long_as_was_measured(
    shared_dir: Path,
) -> None:
    lag = CATALOG.platform("sagemaker").billing.release_lag
    fact = facts_of(shared_dir, "sagemaker")["billing"]["idle_window_billed"]
    assert lag is not None

    assert (
        fact["note"]
        == f"instance stays up to ~{lag.value / 60:g} min after copies reach 0"
    )
    assert (lag.as_of, lag.evidence) == (fact["as_of"], "third party")
    assert CATALOG.platform("sagemaker-async").billing.release_lag is None
