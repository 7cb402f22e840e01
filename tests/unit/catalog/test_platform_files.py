"""The platform files: every fact has a source, and the figures are those of the sources."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from costsim.catalog.features import FEATURES
from costsim.catalog.platform import Platform, load_catalog, read_platform
from costsim.catalog.prices import Plan
from costsim.catalog.provenance import Sourced
from costsim.catalog.rules import Phase, Phases
from costsim.errors import CatalogError
from costsim.scenario.findings import Findings
from costsim.scenario.plan import ChosenPlan
from costsim.scenario.settings import Settings
from costsim.scenario.vendor_pool import Case, find_pool
from costsim.spec import Spec
from costsim.units import HOURS_PER_MONTH
from costsim.yaml_source import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

CATALOG = load_catalog()
NAMES = CATALOG.names

LABELS = {"name", "title", "product", "kind", "website", "summary", "replica"}
"""What identifies a platform is no fact that needs a source."""


def walk(
    node: Any, key: str = "", sourced: bool = False
) -> Iterator[tuple[str, Any, bool]]:
    """Yield (key, node, whether it stands in something sourced) for every node."""
    inside = sourced or isinstance(node, Sourced)
    yield key, node, inside
    children: dict[str, Any] = {}
    if isinstance(node, Spec):
        children = {name: getattr(node, name) for name in type(node).model_fields}
    elif isinstance(node, dict):
        children = node
    elif isinstance(node, tuple):
        children = dict(enumerate(node))
    for name, child in children.items():
        yield from walk(child, f"{key}.{name}".lstrip("."), inside)


def is_value(node: Any) -> bool:
    return node is not None and not isinstance(node, (Spec, dict, tuple))


@pytest.mark.parametrize("name", NAMES)
def test_every_sourced_fact_has_a_source_a_date_and_an_evidence_level(
    name: str,
) -> None:
    platform = CATALOG.platform(name)

    bare = [
        key
        for key, node, _ in walk(platform)
        if isinstance(node, Sourced)
        and not (node.source and node.as_of and node.evidence)
    ]

    assert bare == []


@pytest.mark.parametrize("name", NAMES)
def test_every_value_stands_in_something_that_has_a_source(name: str) -> None:
    platform = CATALOG.platform(name)

    loose = {
        key
        for key, node, sourced in walk(platform)
        if is_value(node) and not sourced and not key.startswith("conflicts.")
    }

    assert loose == LABELS


@pytest.mark.parametrize("name", NAMES)
def test_every_conflict_names_two_sides_and_what_costsim_follows(name: str) -> None:
    conflicts = CATALOG.platform(name).conflicts

    one_sided = [c.topic for c in conflicts if len(c.claims) < 2 or not c.follows]

    assert one_sided == []


def repeated_keys(node: yaml.Node) -> Iterator[str]:
    """Yield every key that a mapping has twice: PyYAML would take the last in silence."""
    if isinstance(node, yaml.MappingNode):
        keys = [key.value for key, _ in node.value]
        yield from {key for key in keys if keys.count(key) > 1}
        for _, child in node.value:
            yield from repeated_keys(child)
    if isinstance(node, yaml.SequenceNode):
        for child in node.value:
            yield from repeated_keys(child)


@pytest.mark.parametrize("name", NAMES)
def test_no_key_is_written_twice(name: str) -> None:
    text = (resources.files("costsim.catalog") / f"platforms/{name}.yaml").read_text(
        "utf-8"
    )

    assert list(repeated_keys(yaml.compose(text))) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_feature_is_answered_yes_no_partly_or_unknown(name: str) -> None:
    features = CATALOG.platform(name).features

    answers = {features.feature(feature).support for feature in FEATURES}

    assert answers <= {"yes", "no", "partly", "unknown"}
    assert len(FEATURES) == 32


@pytest.mark.parametrize("name", NAMES)
def test_a_feature_names_only_plans_that_exist(name: str) -> None:
    platform = CATALOG.platform(name)

    named = {plan for key in FEATURES for plan in platform.features.feature(key).plans}

    assert named <= set(platform.prices.plans)


@pytest.mark.parametrize("name", NAMES)
def test_every_phase_of_a_replica_is_answered(name: str) -> None:
    phases = CATALOG.platform(name).billing.phases

    answered = [getattr(phases, phase) for phase in Phases.model_fields]

    assert all(isinstance(phase, Phase) for phase in answered)
    assert all(phase.modeled_as for phase in answered if phase.billed == "unknown")


@pytest.mark.parametrize("name", NAMES)
def test_aliases_and_defaults_lead_to_what_is_there(name: str) -> None:
    prices = CATALOG.platform(name).prices

    assert set(prices.gpu_aliases.values()) <= set(prices.gpu_names)
    assert prices.default_plan in {*prices.plans, ""}
    assert prices.default_region in {*prices.regions, ""}


def test_modal_bills_setup_but_its_first_second_and_idle_time_and_rounds_nothing() -> (
    None
):
    rules = CATALOG.platform("modal").billing.metering()

    assert (rules.scope, rules.increment_s, rules.minimum_s) == ("replica", 0.0, 0.0)
    assert (rules.setup_billed, rules.idle_billed, rules.min_idle_billed) == (True,) * 3
    assert rules.unbilled_setup_s == 1.0


def test_baseten_rounds_each_replica_up_to_a_minute() -> None:
    rules = CATALOG.platform("baseten").billing.metering()

    assert (rules.scope, rules.increment_s, rules.minimum_s) == ("replica", 60.0, 0.0)
    assert (rules.setup_billed, rules.idle_billed, rules.min_idle_billed) == (True,) * 3
    assert rules.unbilled_setup_s == 0.0


def test_ec2_bills_by_the_second_a_minute_at_least_and_says_that_nobody_checked() -> (
    None
):
    billing = CATALOG.platform("ec2").billing
    rules = billing.metering()

    assert (rules.scope, rules.increment_s, rules.minimum_s) == ("replica", 1.0, 60.0)
    assert billing.increment.evidence == billing.minimum.evidence == "unverified"


# Hand-computed: USD/s x 3600, and that x 730.
@pytest.mark.parametrize(
    ("gpu", "usd_per_hour", "usd_per_month"),
    [
        ("T4", 0.5904, 430.99),
        ("L4", 0.7992, 583.42),
        ("A10", 1.1016, 804.17),
        ("L40S", 1.9512, 1424.38),
        ("A100-40GB", 2.0988, 1532.12),
        ("A100-80GB", 2.4984, 1823.83),
        ("RTX-PRO-6000", 3.0312, 2212.78),
        ("H100", 3.9492, 2882.92),
        ("H200", 4.5396, 3313.91),
        ("B200", 6.2496, 4562.21),
        ("B300", 7.0992, 5182.42),
    ],
)
def test_modal_price_of_a_gpu(
    gpu: str, usd_per_hour: float, usd_per_month: float
) -> None:
    price = CATALOG.platform("modal").prices.gpus[gpu].price

    assert price == pytest.approx(usd_per_hour, abs=1e-9)
    assert price * HOURS_PER_MONTH == pytest.approx(usd_per_month, abs=0.005)


@pytest.mark.parametrize(
    ("instance", "usd_per_hour", "usd_per_month"),
    [
        ("T4x4x16", 0.6312, 460.78),
        ("L4:4x16", 0.8484, 619.33),
        ("A10Gx4x16", 1.2072, 881.26),
        ("A100:12x144", 4.0002, 2920.15),
        ("H100MIG", 3.7500, 2737.50),
        ("H100", 6.4998, 4744.85),
        ("H200", 7.5000, 5475.00),
        ("B200", 9.9798, 7285.25),
        ("RTX-PRO-6000", 4.0002, 2920.15),
    ],
)
def test_baseten_price_of_an_instance(
    instance: str, usd_per_hour: float, usd_per_month: float
) -> None:
    price = CATALOG.platform("baseten").prices.instances[instance].price

    assert price == pytest.approx(usd_per_hour, abs=1e-9)
    assert price * HOURS_PER_MONTH == pytest.approx(usd_per_month, abs=0.005)


def test_modal_cpu_and_memory_by_the_hour() -> None:
    prices = CATALOG.platform("modal").prices
    assert prices.cpu is not None
    assert prices.memory is not None

    assert prices.cpu.price == pytest.approx(0.04716, abs=1e-9)
    assert prices.memory.price == pytest.approx(0.007992, abs=1e-9)
    assert (prices.cpu.minimum, prices.memory.minimum) == (0.125, 0.125)


def read_facts(shared_dir: Any, name: str) -> dict[str, Any]:
    path = shared_dir / "facts" / "platforms" / f"{name}.yaml"
    facts: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return facts


def test_every_gpu_price_of_modal_is_that_of_the_facts(shared_dir: Any) -> None:
    facts = read_facts(shared_dir, "modal")["prices"]
    prices = CATALOG.platform("modal").prices
    theirs = {
        name: (one["usd_per_s"], one["vram_gb"], one["max_per_container"])
        for name, one in facts["gpu"].items()
    }

    ours = {
        name: (pytest.approx(one.price / 3600), one.memory, one.max_per_replica)
        for name, one in prices.gpus.items()
    }

    assert theirs == ours


def test_cpu_memory_and_multipliers_of_modal_are_those_of_the_facts(
    shared_dir: Any,
) -> None:
    facts = read_facts(shared_dir, "modal")["prices"]
    prices = CATALOG.platform("modal").prices
    assert prices.cpu is not None
    assert prices.memory is not None
    regions = facts["multipliers"]["region_selection"]

    assert prices.cpu.price / 3600 == pytest.approx(
        facts["cpu"]["usd_per_physical_core_s"]["value"]
    )
    assert prices.memory.price / 3600 == pytest.approx(
        facts["memory"]["usd_per_gib_s"]["value"]
    )
    assert prices.regions["broad"].multiplier == regions["broad"]["value"]
    assert prices.regions["narrow"].multiplier == regions["narrow"]["value"]
    assert prices.regions["broad_1.5"].multiplier == regions["history"][0]["broad"]


def test_every_instance_of_baseten_is_that_of_the_facts(shared_dir: Any) -> None:
    facts = read_facts(shared_dir, "baseten")["prices"]["instances"]
    theirs = {
        name: (
            one["usd_per_min"],
            one["vcpu"],
            one["ram_gib"],
            one["gpu"] or "",
            one["gpu_count"],
            one.get("vram_gib", 0),
        )
        for name, one in facts.items()
    }

    ours = {
        name: (
            pytest.approx(one.price / 60),
            one.vcpu,
            one.memory,
            one.gpu,
            one.gpu_count,
            one.gpu_memory,
        )
        for name, one in CATALOG.platform("baseten").prices.instances.items()
    }

    assert theirs == ours


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("min_replica", "min_replica"),
        ("max_replica", "max_replica"),
        ("autoscaling_window", "autoscaling_window"),
        ("scale_down_delay", "scale_down_delay"),
        ("max_scale_down_rate", "max_scale_down_rate"),
        ("concurrency_target", "concurrency_target"),
        ("target_utilization_percentage", "target_utilization_percentage"),
    ],
)
def test_settings_of_baseten_are_those_of_the_facts(
    shared_dir: Any, ours: str, theirs: str
) -> None:
    facts = read_facts(shared_dir, "baseten")["autoscaler"]["params"][theirs]
    setting = CATALOG.platform("baseten").autoscaler.settings[ours]

    assert setting.read(setting.default) == facts["default"]
    assert setting.minimum is None or setting.read(setting.minimum) == facts["min"]
    assert setting.maximum is None or setting.read(setting.maximum) == facts["max"]


def test_limits_of_modal_are_those_of_the_facts(shared_dir: Any) -> None:
    facts = read_facts(shared_dir, "modal")["autoscaler_function"]
    limits = CATALOG.platform("modal").limits.entries

    assert (
        limits["queued_inputs"].value == facts["limits"]["sync_pending_inputs"]["value"]
    )
    assert limits["request_rate"].value == facts["limits"]["sync_rate_per_s"]["value"]
    assert (
        limits["request_burst"].value
        == facts["limits"]["sync_rate_per_s"]["burst_multiplier_s"]
    )
    assert (
        limits["containers_per_function"].value
        == facts["params"]["max_containers"]["hard_cap"]
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_platform_survives_a_round_trip_through_json(name: str) -> None:
    platform = CATALOG.platform(name)

    again = Platform.model_validate_json(platform.model_dump_json())

    assert again == platform


SCHEMA = Draft202012Validator(Platform.model_json_schema(mode="serialization"))


def content(name: str) -> Any:
    """Return a file as an editor reads it: YAML 1.2, in which yes is text."""
    text = (resources.files("costsim.catalog") / f"platforms/{name}.yaml").read_text(
        "utf-8"
    )
    return json.loads(json.dumps(read_yaml(text, path=name).value))


@pytest.mark.parametrize("name", NAMES)
def test_the_published_schema_accepts_the_file(name: str) -> None:
    assert [error.message for error in SCHEMA.iter_errors(content(name))] == []


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("billing", "phases", "idle", "billed"), "maybe"),
        (("billing", "scope", "value"), "container"),
        (("autoscaler", "settings", "scaledown_window", "kind"), "time"),
        (("kind",), "function"),
        (("prices", "gpus", "L4", "price"), 0.8),
    ],
)
def test_the_published_schema_refuses_what_loading_refuses(
    path: tuple[str, ...], wrong: Any
) -> None:
    changed = content("modal")
    node = changed
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = wrong

    assert not SCHEMA.is_valid(changed)
    with pytest.raises(CatalogError, match=rf"\d+:\d+: {'.'.join(path)}: "):
        read_platform(yaml.safe_dump(changed), "modal.yaml")


@pytest.mark.parametrize("name", NAMES)
def test_the_defaults_make_a_pool_and_every_setting_has_a_meaning(name: str) -> None:
    platform = CATALOG.platform(name)
    findings = Findings("deployments.0")
    settings = Settings({}, platform.autoscaler.settings, findings)
    plans = platform.prices.plans
    plan = plans.get(platform.prices.default_plan, Plan())
    chosen = ChosenPlan(platform.prices.default_plan, plan)

    pool = find_pool(Case(platform, settings, chosen, 1, findings))

    assert findings.problems == []
    assert pool is not None
    assert [
        one for one in platform.autoscaler.settings.values() if not one.meaning
    ] == []
