"""A platform as a list of facts: one section, item and value a row, with its source.

One list serves the page of a platform, the comparison of several, and the rows for
programs, so they cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from costsim.catalog.features import FEATURES
from costsim.catalog.provenance import Claim
from costsim.catalog.rules import Phases
from costsim.report.pages import OURS
from costsim.units import format_duration, format_usd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from costsim.catalog.platform import Platform
    from costsim.catalog.prices import CpuPrice, MemoryPrice, Plan, Prices, Tier
    from costsim.catalog.provenance import Sourced
    from costsim.catalog.rules import ColdStart, Phase
    from costsim.catalog.scaling import Setting

BILLING = "billing"
PHASES = "billed, phase by phase"
PLANS = "plans"
TIERS = "tiers"
BESIDES = "disks, data, requests"
REGIONS = "regions"
EXTRAS = "charges not simulated"
AUTOSCALER = "autoscaler"
SETTINGS = "settings"
LIMITS = "limits"
COLD_STARTS = "cold starts"
FEATURES_SECTION = "features"
CONFLICTS = "conflicts between sources"

SECTIONS = (
    BILLING,
    PHASES,
    PLANS,
    TIERS,
    REGIONS,
    BESIDES,
    EXTRAS,
    AUTOSCALER,
    SETTINGS,
    LIMITS,
    COLD_STARTS,
    FEATURES_SECTION,
    CONFLICTS,
)
"""Sections, in the order of the page."""


@dataclass(frozen=True)
class Fact:
    """One fact about a platform."""

    section: str
    """One of ``SECTIONS``."""
    item: str
    """What it is about."""
    text: str
    """The value for people, with its unit."""
    value: float | str | bool | None
    """The value for programs: a number where it is one."""
    unit: str
    """The number's unit; empty if it is none."""
    note: str
    """What else to know."""
    source: str
    """Where it was read."""
    as_of: str
    """When it was read."""
    evidence: str
    """How good the source is."""


def fact_of(
    section: str,
    item: str,
    text: str,
    origin: Sourced,
    *,
    value: float | str | bool | None = None,
    unit: str = "",
    note: str | None = None,
) -> Fact:
    """Return a fact with the source of a part of the catalog, and its note.

    The value for programs is the text if it is left out.
    """
    return Fact(
        section=section,
        item=item,
        text=text,
        value=text if value is None else value,
        unit=unit,
        note=origin.note if note is None else note,
        source=origin.source,
        as_of=origin.as_of,
        evidence=origin.evidence or "",
    )


def facts(platform: Platform) -> list[Fact]:
    """Return everything the catalog knows about a platform but its price list."""
    return [
        *_billing(platform),
        *_phases(platform),
        *_prices(platform),
        *_autoscaler(platform),
        *_limits(platform),
        *_cold_starts(platform),
        *_features(platform),
        *_conflicts(platform),
    ]


def _billing(platform: Platform) -> Iterator[Fact]:
    billing = platform.billing
    yield fact_of(BILLING, "metered", billing.meter, billing)
    yield fact_of(BILLING, "scope", billing.scope.value, billing.scope)
    durations = {
        "increment": billing.increment,
        "minimum": billing.minimum,
        "unbilled setup": billing.unbilled_setup,
    }
    for item, rule in durations.items():
        text = format_duration(rule.value)
        if item == "increment" and not rule.value:
            text = "not rounded"
        yield fact_of(BILLING, item, text, rule, value=rule.value, unit="s")
    if billing.release_lag is not None:
        lag = billing.release_lag
        text = f"{format_duration(lag.value)} after its replica has left"
        yield fact_of(BILLING, "machine kept", text, lag, value=lag.value, unit="s")
    rates = {
        "min replicas, idle": billing.min_replicas_idle_rate,
        "min replicas, busy": billing.min_replicas_busy_rate,
        "building an image": billing.build_rate,
    }
    for item, rate in rates.items():
        if rate is not None:
            full = rate.value == 1
            text = "the full price" if full else f"{rate.value:.4g} times the price"
            yield fact_of(BILLING, item, text, rate, value=rate.value)


def _phases(platform: Platform) -> Iterator[Fact]:
    for name in Phases.model_fields:
        phase: Phase = getattr(platform.billing.phases, name)
        choice = f" ({phase.modeled_as})" if phase.modeled_as else ""
        text = phase.billed + choice
        yield fact_of(PHASES, _words(name), text, phase)


def _prices(platform: Platform) -> Iterator[Fact]:
    prices = platform.prices
    for name, plan in prices.plans.items():
        yield fact_of(
            PLANS,
            name,
            _plan_text(plan),
            plan,
            value=plan.fee if plan.fee is not None else "",
            unit="USD/month",
            note="; ".join([*plan.includes, *([plan.note] if plan.note else [])]),
        )
    for name, tier in prices.tiers.items():
        yield fact_of(TIERS, name, _tier_text(tier), tier, value=tier.multiplier or "")
    yield from _besides(prices)
    for name, region in prices.regions.items():
        text = f"{region.multiplier:g} times the price"
        note = ", ".join([*region.examples, *([region.note] if region.note else [])])
        yield fact_of(REGIONS, name, text, region, value=region.multiplier, note=note)
    for name, extra in prices.extras.items():
        yield fact_of(EXTRAS, _words(name), extra.price, extra)


def _tier_text(tier: Tier) -> str:
    n_prices = len(tier.gpus) + len(tier.instances)
    parts = [f"{tier.multiplier:g} times the price"] if tier.multiplier else []
    parts += [f"{n_prices} prices of its own"] if n_prices else []
    parts += ["may be taken away"] if tier.interruptible else []
    return ", ".join(parts)


def _besides(prices: Prices) -> Iterator[Fact]:
    """Yield what is paid besides replicas."""
    for name, disk in prices.storage.items():
        paid = "while a replica is alive" if disk.billed == "alive" else "always"
        text = f"{_unit_price(disk.price, 'GiB and month')}, {paid}"
        if disk.increment:
            text += f", by {format_duration(disk.increment)}"
        text += _free_text(disk.free)
        yield fact_of(BESIDES, name, text, disk, value=_or_nothing(disk.price), unit="USD/GiB-month")  # fmt: skip
    if prices.transfer is not None:
        data = prices.transfer
        text = _unit_price(data.price, "GiB") + _free_text(data.free, " a month")
        yield fact_of(BESIDES, "data", text, data, value=_or_nothing(data.price), unit="USD/GiB")  # fmt: skip
    if prices.requests is not None:
        fee = prices.requests
        text = f"{format_usd(fee.fee)} for {fee.per:,}"
        if fee.free:
            text += f", {fee.free:,} a month free"
        each = fee.fee / fee.per
        yield fact_of(BESIDES, "requests", text, fee, value=each, unit="USD/request")
    if prices.cpu is not None and prices.cpu.free_seconds:
        yield _granted("CPU", prices.cpu, prices.cpu.per)
    if prices.memory is not None and prices.memory.free_seconds:
        yield _granted("memory", prices.memory, "GiB")


def _granted(item: str, part: CpuPrice | MemoryPrice, unit: str) -> Fact:
    text = f"{part.free_seconds:,g} {unit}-seconds a month free"
    return fact_of(BESIDES, item, text, part, value=part.free_seconds, unit="s")


def _unit_price(usd: float | None, unit: str) -> str:
    return "price not published" if usd is None else f"{usd:g} USD per {unit}"


def _free_text(gib: float, span: str = "") -> str:
    return f", {gib:,g} GiB{span} free" if gib else ""


def _or_nothing(usd: float | None) -> float | str:
    return "" if usd is None else usd


def _plan_text(plan: Plan) -> str:
    if plan.fee is None:
        return "by agreement"
    parts = [f"{format_usd(plan.fee)} a month" if plan.fee else "free"]
    if plan.credit:
        parts.append(f"{format_usd(plan.credit)} credit")
    if plan.max_gpus:
        parts.append(f"{plan.max_gpus} GPUs")
    if plan.max_replicas:
        parts.append(f"{plan.max_replicas:,} replicas")
    return ", ".join(parts)


AUTOSCALER_ITEMS = (
    "scale_up",
    "scale_down",
    "to_zero",
    "wake",
    "queue",
    "routing",
    "readiness",
    "decision_interval",
    "schedule",
    "modeled_as",
)
"""What is told about every autoscaler."""


def _autoscaler(platform: Platform) -> Iterator[Fact]:
    autoscaler = platform.autoscaler
    for name in AUTOSCALER_ITEMS:
        claim = getattr(autoscaler, name)
        yield fact_of(AUTOSCALER, _words(name), claim.says, claim)
    for name, setting in autoscaler.settings.items():
        own = "costsim's own word. " if setting.origin == "costsim" else ""
        note = " ".join(part for part in (own + setting.meaning, setting.note) if part)
        fixed = setting.default is not None and setting.default_from is None
        value = setting.read(setting.default) if fixed else None
        yield fact_of(
            SETTINGS,
            name,
            setting_text(setting),
            setting,
            value="" if value is None else value,
            unit=setting.unit,
            note=note,
        )


def setting_text(setting: Setting) -> str:
    """Return a setting's default and range: ``60s (2s to 20m)``."""
    default = "none" if setting.default is None else str(setting.default)
    if setting.kind == "flag":
        default = default.lower()
    if setting.default_from is not None:
        default = f"that of {setting.default_from}"
    if setting.kind == "choice":
        return f"{default} ({', '.join(setting.choices)})"
    low, high = setting.minimum, setting.maximum
    if low is None:
        return default
    return f"{default} ({low} to {high})" if high is not None else f"{default} ({low}+)"


def _limits(platform: Platform) -> Iterator[Fact]:
    for name, limit in platform.limits.entries.items():
        text = f"{limit.value:,.10g} {limit.unit}"
        parts = [f"for each {limit.scope}", f"above: {limit.on_exceed}", limit.note]
        note = "; ".join(part for part in parts if part)
        yield fact_of(
            LIMITS,
            _words(name),
            text,
            limit,
            value=limit.value,
            unit=limit.unit,
            note=note,
        )


def _cold_starts(platform: Platform) -> Iterator[Fact]:
    for claim in platform.cold_starts.statements:
        yield fact_of(COLD_STARTS, "in general", claim.says, claim)
    for start in platform.cold_starts.entries:
        note = "; ".join(part for part in (start.technique, start.note) if part)
        yield fact_of(COLD_STARTS, start.what, _start_text(start), start, note=note)


def _start_text(start: ColdStart) -> str:
    before, after = (
        " to ".join(format_duration(seconds) for seconds in values)
        for values in (start.before, start.after)
    )
    return " -> ".join(part for part in (before, after) if part)


def _features(platform: Platform) -> Iterator[Fact]:
    for name in FEATURES:
        feature = platform.features.feature(name)
        plans = f" ({', '.join(feature.plans)})" if feature.plans else ""
        text = feature.support + plans
        yield fact_of(FEATURES_SECTION, name, text, feature, value=feature.support)


def _conflicts(platform: Platform) -> Iterator[Fact]:
    for conflict in platform.conflicts:
        for claim in conflict.claims:
            yield fact_of(CONFLICTS, conflict.topic, claim.says, claim)
        choose = (
            f" To take the other side: {conflict.choose}" if conflict.choose else ""
        )
        ours = Claim(
            says=f"costsim follows: {conflict.follows}{choose}",
            source=OURS,
            as_of=max(claim.as_of for claim in conflict.claims),
            evidence="derived",
        )
        yield fact_of(CONFLICTS, conflict.topic, ours.says, ours)


def _words(name: str) -> str:
    """Return a key as words: ``image_pull`` becomes ``image pull``."""
    return name.replace("_", " ")
