"""Serverless platforms: prices, rules and settings are those of the collected facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import yaml

from costsim.catalog.platform import Platform, load_catalog
from costsim.catalog.quote import Terms, quote_parts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from costsim.catalog.provenance import Sourced

CATALOG = load_catalog()

FACTS = {
    "runpod": "runpod_serverless",
    "replicate": "replicate",
    "replicate-public": "replicate",
    "cerebrium": "cerebrium",
    "beam": "beam",
    "fal": "fal",
    "koyeb": "koyeb",
    "cloud-run": "gcp_cloud_run_gpu",
}
"""Platforms, and the file that has the facts of each."""

MEANT = {
    "A4000|A4500|RTX4000": ["RTX-A4000", "RTX-A4500", "RTX-4000-Ada"],
    "L4|A5000|3090": ["L4", "RTX-A5000", "RTX-3090"],
    "24GB class (L4,A5000,3090)": ["L4", "RTX-A5000", "RTX-3090"],
    "4090 PRO": ["RTX-4090"],
    "A6000|A40": ["RTX-A6000", "A40"],
    "L40|L40S|6000Ada PRO": ["L40", "L40S", "RTX-6000-Ada"],
    "H100 PRO": ["H100"],
    "H200 PRO": ["H200"],
    "RTX6000 PRO": ["RTX-PRO-6000"],
    "RTX PRO 6000": ["RTX-PRO-6000"],
    "RTX 4090": ["RTX-4090"],
    "RTX 5090": ["RTX-5090"],
    "H100 PCIe": ["H100-PCIe"],
}
"""Words of price lists that are not our names."""

A100_IS = {"runpod": "A100-80GB"}
"""Where A100 is the name of a GPU; on Replicate it is that of an instance."""

ORDINARY = {
    *("flex", "interruptible", "serverless", "list"),
    *("no zonal redundancy", "instance-based"),
}
TIERS = {
    "on-demand machine": "machine",
    "committed floor": "committed",
    "zonal redundancy": "zonal_redundancy",
    "active": "active",
}

PER_HOUR = {"second": 3600.0, "hour": 1.0}


class Read(NamedTuple):
    """A price that somebody read."""

    item: str
    tier: str
    usd_per_hour: float
    as_of: str


LEFT_OUT = {
    "runpod": {
        # It is not said which of the two classes with 48 GB it is.
        Read("48GB class", "", 1.75, "2026-09-02"),
    },
    "replicate-public": {
        # Two GPUs are listed for private models only.
        Read("2x L40S", "", 7.02, "2026-06-25"),
        Read("2x A100", "", 10.08, "2026-06-25"),
        Read("2x H100", "", 10.98, "2026-06-25"),
    },
    "cloud-run": {
        # The sum of a GPU, 4 vCPU and 16 GiB, which stand by themselves.
        Read("L4 minimum shape (4 vCPU,16 GiB,no ZR)", "", 1.04652, "2026-08"),
    },
}
"""Prices of the facts that are no prices of the platform file, each with the reason."""

LARGER = {("runpod", "RTX-A4500"): 20, ("runpod", "RTX-4000-Ada"): 20}
"""Cards with more memory than their class promises. [GiB]"""

RULES = {
    "provisioning_wait_billed": "waiting_for_capacity",
    "image_pull_billed": "image_pull",
    "model_load_billed": "model_load",
    "idle_window_billed": "idle",
    "min_replicas_billed": "min_replicas_idle",
}
ANSWERS = {True: "yes", False: "no", None: "unknown"}


def read_facts(shared_dir: Path, name: str) -> dict[str, Any]:
    path = shared_dir / "facts" / "platforms" / f"{FACTS[name]}.yaml"
    facts: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return facts


def item_names(platform: str, word: str, count: int) -> list[str]:
    """Return our names of what a price list has in the place of a GPU."""
    if word == "A100":
        word = A100_IS.get(platform, word)
    return [f"2x {word}"] if count == 2 else MEANT.get(word, [word])


def theirs(facts: dict[str, Any], platform: str) -> set[Read]:
    """Return every price of the facts, in our words."""
    return {
        Read(
            item,
            TIERS[tier] if (tier := one.get("tier", "list")) in TIERS else "",
            round(one["price"] * PER_HOUR[one["unit"].rsplit("_", 1)[1]], 9),
            str(one["as_of"]),
        )
        for one in facts["prices"]
        for item in item_names(platform, one["gpu"], one["gpu_count"])
    }


def ours(platform: Platform) -> set[Read]:
    """Return every price of a platform file, the old ones included."""
    prices = platform.prices
    listed = {**prices.gpus, **prices.instances}
    reads = [("", name, one) for name, one in listed.items() if one.price is not None]
    reads += [("", "vCPU", prices.cpu)] if prices.cpu else []
    reads += [("", "memory", prices.memory)] if prices.memory else []
    for tier, special in prices.tiers.items():
        reads += [(tier, name, one) for name, one in special.gpus.items()]
    reads += [(one.tier, one.item, one) for one in prices.history]
    return {
        Read(name, tier, round(one.price, 9), one.as_of) for tier, name, one in reads
    }


@pytest.mark.parametrize("name", FACTS)
def test_every_price_is_one_of_the_facts(shared_dir: Path, name: str) -> None:
    facts = read_facts(shared_dir, name)

    assert ours(CATALOG.platform(name)) - theirs(facts, name) == set()


@pytest.mark.parametrize("name", FACTS)
def test_every_price_of_the_facts_is_a_price_or_left_out_with_a_reason(
    shared_dir: Path, name: str
) -> None:
    facts = read_facts(shared_dir, name)

    missing = theirs(facts, name) - ours(CATALOG.platform(name))
    assert missing == LEFT_OUT.get(name, set())


def test_every_tier_of_the_facts_is_understood(shared_dir: Path) -> None:
    tiers = {
        one["tier"]
        for name in FACTS
        for one in read_facts(shared_dir, name)["prices"]
        if "tier" in one and one["tier"] != "derived"
    }

    assert tiers == ORDINARY | set(TIERS)


@pytest.mark.parametrize("name", FACTS)
def test_every_gpu_has_the_memory_of_the_facts(shared_dir: Path, name: str) -> None:
    gpus = CATALOG.platform(name).prices.gpus
    said = {
        item: LARGER.get((name, item), one["vram_gb"])
        for one in read_facts(shared_dir, name)["prices"]
        if "vram_gb" in one
        for item in item_names(name, one["gpu"], one["gpu_count"])
        if item in gpus
    }

    assert {item: gpus[item].memory for item in said} == said


def test_the_smallest_shape_of_cloud_run_is_the_sum_of_its_parts() -> None:
    prices = CATALOG.platform("cloud-run").prices

    quote = quote_parts(prices, "L4", 1, cores=None, memory_gib=None)

    assert quote.usd_per_hour == pytest.approx(1.0465, abs=5e-5)


def test_protected_compute_of_cerebrium_doubles_every_part() -> None:
    prices = CATALOG.platform("cerebrium").prices
    asked = {"gpu": "L4", "gpu_count": 1, "cores": 2.0, "memory_gib": 16.0}

    plain = quote_parts(prices, **asked)
    protected = quote_parts(prices, **asked, terms=Terms(tier="protected"))

    assert [part.usd_per_hour for part in protected.components] == pytest.approx(
        [2 * part.usd_per_hour for part in plain.components]
    )


def said_phases(facts: dict[str, Any]) -> dict[str, str]:
    """Return the phases of which the facts say yes, no or that nobody knows."""
    return {
        phase: ANSWERS[facts["billing"][key]["value"]]
        for key, phase in RULES.items()
        if isinstance(facts["billing"][key]["value"], bool | None)
    }


@pytest.mark.parametrize("name", [one for one in FACTS if one != "replicate-public"])
def test_what_is_billed_is_what_the_facts_say(shared_dir: Path, name: str) -> None:
    billing = CATALOG.platform(name).billing
    said = said_phases(read_facts(shared_dir, name))

    assert {phase: getattr(billing.phases, phase).billed for phase in said} == said


def test_a_public_model_of_replicate_pays_for_active_time_only() -> None:
    billing = CATALOG.platform("replicate-public").billing
    rules = billing.metering()

    assert rules.scope == "request"
    assert (rules.setup_billed, rules.idle_billed, rules.min_idle_billed) == (
        False,
    ) * 3
    assert billing.phases.serving.charged


@pytest.mark.parametrize("name", FACTS)
def test_rounding_is_that_of_the_facts(shared_dir: Path, name: str) -> None:
    said = read_facts(shared_dir, name)["billing"]
    rules = CATALOG.platform(name).billing.metering()

    assert rules.increment_s == said["granularity_s"]["value"]
    assert rules.minimum_s == (said["minimum_charge_s"]["value"] or 0.0)


def unchecked(
    platform: Platform, facts: dict[str, Any]
) -> Iterator[tuple[str, Sourced]]:
    """Yield our rules that answer what the facts only recall."""
    billing = platform.billing
    rules = {key: getattr(billing.phases, phase) for key, phase in RULES.items()}
    rules |= {"granularity_s": billing.increment, "minimum_charge_s": billing.minimum}
    for key, rule in rules.items():
        fact = facts["billing"][key]
        if fact["as_of"] == "unverified" and fact["value"] is not None:
            yield key, rule


@pytest.mark.parametrize(
    ("name", "count"), [("koyeb", 1), ("fal", 2), ("cloud-run", 2), ("runpod", 0)]
)
def test_what_the_facts_recall_is_marked_as_unverified(
    shared_dir: Path, name: str, count: int
) -> None:
    rules = dict(unchecked(CATALOG.platform(name), read_facts(shared_dir, name)))

    assert len(rules) == count
    assert {rule.evidence for rule in rules.values()} <= {"unverified"}


@pytest.mark.parametrize(
    ("name", "setting", "key"),
    [
        ("runpod", "workers_min", "workers_min"),
        ("runpod", "workers_max", "workers_max"),
        ("runpod", "idle_timeout", "idle_timeout"),
        ("runpod", "scaler_value", "scaler_value_queue_delay"),
        ("runpod", "execution_timeout", "execution_timeout"),
        ("runpod", "ttl", "job_ttl"),
        ("runpod", "concurrency", "jobs_per_worker"),
        ("runpod", "extra_workers", "extra_workers"),
        ("runpod", "RUNPOD_INIT_TIMEOUT", "init_timeout"),
        ("replicate", "min_instances", "min_instances"),
        ("replicate", "max_instances", "max_instances"),
        ("cerebrium", "min_replicas", "min_replicas"),
        ("cerebrium", "max_replicas", "max_replicas"),
        ("cerebrium", "cooldown", "cooldown"),
        ("cerebrium", "replica_concurrency", "replica_concurrency"),
        ("cerebrium", "scaling_target", "scaling_target"),
        ("cerebrium", "scaling_buffer", "scaling_buffer"),
        ("cerebrium", "evaluation_interval", "evaluation_interval"),
        ("cerebrium", "response_grace_period", "response_grace_period"),
        ("beam", "min_containers", "min_containers"),
        ("beam", "max_containers", "max_containers"),
        ("beam", "tasks_per_container", "tasks_per_container"),
        ("beam", "keep_warm_seconds", "keep_warm_seconds"),
        ("fal", "min_concurrency", "min_concurrency"),
        ("fal", "max_concurrency", "max_concurrency"),
        ("fal", "keep_alive", "keep_alive"),
        ("fal", "max_multiplexing", "max_multiplexing"),
        ("fal", "concurrency_buffer", "concurrency_buffer"),
        ("fal", "concurrency_buffer_perc", "concurrency_buffer_perc"),
        ("fal", "scaling_delay", "scaling_delay"),
        ("fal", "startup_timeout", "startup_timeout"),
        ("koyeb", "min_instances", "min_instances"),
        ("koyeb", "idle_period", "idle_period"),
        ("cloud-run", "min_instances", "min_instances"),
        ("cloud-run", "max_instances", "max_instances"),
        ("cloud-run", "max_concurrency", "max_concurrency"),
    ],
)
def test_defaults_and_ranges_of_settings_are_those_of_the_facts(
    shared_dir: Path, name: str, setting: str, key: str
) -> None:
    fact = read_facts(shared_dir, name)["autoscaler"]["params"][key]
    known = {side: fact[side] for side in ("min", "max") if fact[side] is not None}
    one = CATALOG.platform(name).autoscaler.settings[setting]
    written = {"default": one.default, "min": one.minimum, "max": one.maximum}

    read = {key: value and one.read(value) for key, value in written.items()}

    assert read["default"] == fact["default"]
    assert {side: read[side] for side in known} == known


def test_the_rule_of_cloud_run_has_the_figures_of_the_facts(shared_dir: Path) -> None:
    facts = read_facts(shared_dir, "cloud-run")["autoscaler"]["params"]
    platform = CATALOG.platform("cloud-run")
    settings, prices = platform.autoscaler.settings, platform.prices
    assert prices.cpu is not None
    assert prices.memory is not None

    kept = settings["idle_retention"]
    assert settings["concurrency_utilization"].default == pytest.approx(
        100 * facts["concurrency_target"]["default"]
    )
    assert kept.read(kept.default) == facts["idle_retention"]["default"]
    assert kept.read(kept.maximum) == facts["idle_retention"]["max"]
    assert 2 * prices.cpu.minimum == facts["gpu_min_cpu"]["default"]
    assert prices.memory.minimum == facts["gpu_min_memory"]["default"]


def test_disks_of_runpod_have_the_prices_of_the_facts(shared_dir: Path) -> None:
    billing = read_facts(shared_dir, "runpod")["billing"]
    disks = CATALOG.platform("runpod").prices.storage

    said = {name: billing[name]["value"].split(" USD/GB/month")[0] for name in disks}

    assert {name: f"{disk.price:.2f}" for name, disk in disks.items()} == said


RENAMED = {"rollout": "rolling_deploy"}


def said_features(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the features of the facts that are not left open, by our names."""
    said = {
        RENAMED.get(name, name): one["value"]
        for name, one in facts["features"].items()
        if one["value"] is not None and name != "gpu_fallback"
    }
    return {name: value for name, value in said.items() if value != "unknown"}


@pytest.mark.parametrize("name", [one for one in FACTS if one != "replicate-public"])
def test_no_feature_that_the_facts_know_is_left_open(
    shared_dir: Path, name: str
) -> None:
    features = CATALOG.platform(name).features
    said = said_features(read_facts(shared_dir, name))

    support = {one: features.feature(one).support for one in said}

    assert [one for one, answer in support.items() if answer == "unknown"] == []
    assert {one for one, value in said.items() if value is False} <= {
        one for one, answer in support.items() if answer == "no"
    }
