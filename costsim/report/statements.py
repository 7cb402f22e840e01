"""What a platform does, topic by topic, in short sentences made from its data.

Nothing here knows a platform: a sentence is the words of a rule and the platform's value.
What needs no sentence comes from ``costsim.report.facts`` as it is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from costsim.catalog.configuration import placeholders
from costsim.catalog.provenance import Claim
from costsim.catalog.rules import Phases
from costsim.report.facts import (
    AUTOSCALER,
    BESIDES,
    CONFLICTS,
    EXTRAS,
    FEATURES_SECTION,
    LIMITS,
    PLANS,
    REGIONS,
    SETTINGS,
    TIERS,
    Fact,
    fact_of,
    facts,
)
from costsim.report.pages import OURS
from costsim.report.worked_bill import plain
from costsim.units import format_duration, format_fraction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from costsim.catalog.platform import Platform
    from costsim.catalog.prices import InstancePrice, Prices
    from costsim.catalog.rules import Billing, Phase

METERED = "what is billed"
LIFE = "a replica's life, phase by phase"
EMPTY_OR_FULL = "at zero and when full"
COMPUTE = "compute"
OTHER_READS = "other dates and other readers"
CONFIGURATION = "the settings to paste"

_LANGUAGES = {
    "python": "Python",
    "json": "JSON",
    "yaml": "YAML",
    "toml": "TOML",
    "sh": "A shell command",
}

_SCOPES = {
    "replica": "Counted for each {replica}, from its start to its stop.",
    "segment": "Counted for each unbroken stretch of a {replica}'s billed time.",
    "request": "Counted for each request: its time in service.",
    "total": "Counted for all {replica}s together.",
    "aligned": "Counted in slots of the clock that a {replica}'s billed time touches.",
}


def statements(platform: Platform, topic: str) -> list[Fact]:
    """Return what is known about one topic of ``TOPICS``, in the order of the page."""
    return list(TOPICS[topic](platform))


def _sections(platform: Platform, *wanted: str) -> Iterator[Fact]:
    """Yield the facts of sections that need no other words."""
    known = facts(platform)
    for section in wanted:
        for fact in known:
            if fact.section == section:
                yield fact


def _billing(platform: Platform) -> Iterator[Fact]:
    yield from _metered(platform)
    for name in Phases.model_fields:
        phase: Phase = getattr(platform.billing.phases, name)
        yield fact_of(LIFE, name.replace("_", " "), phase_text(phase), phase)
    yield from _empty_or_full(platform)
    yield from _choices(platform)
    decided = _sections(platform, CONFLICTS)
    yield from (fact for fact in decided if fact.source == OURS)


def _metered(platform: Platform) -> Iterator[Fact]:
    billing, word = platform.billing, platform.replica
    yield fact_of(METERED, "metered", billing.meter, billing)
    scope = _SCOPES[billing.scope.value].format(replica=word)
    yield fact_of(METERED, "counted", scope, billing.scope)
    yield from _lengths(billing)
    yield from _kept(billing)
    if billing.release_lag is not None:
        lag = format_duration(billing.release_lag.value)
        text = f"The machine is billed for {lag} after its {word} has left."
        yield fact_of(METERED, "release", text, billing.release_lag)
    if billing.build_rate is not None:
        share = format_fraction(billing.build_rate.value)
        text = f"Building an image costs {share} of the price."
        yield fact_of(METERED, "builds", text, billing.build_rate)


def _lengths(billing: Billing) -> Iterator[Fact]:
    """Yield how billed time is rounded, what is billed at least, what is free."""
    increment, minimum, free = (
        billing.increment,
        billing.minimum,
        billing.unbilled_setup,
    )
    text = "Nothing is rounded up."
    if increment.value:
        text = f"Rounded up to a multiple of {format_duration(increment.value)}."
    yield fact_of(METERED, "rounding", text, increment)
    if minimum.value:
        text = f"At least {format_duration(minimum.value)} are billed."
        yield fact_of(METERED, "minimum", text, minimum)
    else:
        text = minimum.note or "There is none."
        yield fact_of(METERED, "minimum", text, minimum, note="")
    text = "No fixed part of a setup is free."
    if free.value:
        first = format_duration(free.value)
        text = f"The first {first} of a setup are free, if it is given as one time."
    if free.value or free.note:
        yield fact_of(METERED, "setup", text, free)


def _kept(billing: Billing) -> Iterator[Fact]:
    """Yield what the replicas cost that are always kept."""
    idle, busy = billing.min_replicas_idle_rate, billing.min_replicas_busy_rate
    phase = billing.phases.min_replicas_idle
    if idle is not None:
        text = f"Their idle time costs {format_fraction(idle.value)} of the price."
        yield fact_of(METERED, "min replicas", text, idle)
    elif phase.billed == "not offered":
        text = "None: no replicas are kept without need."
        yield fact_of(METERED, "min replicas", text, phase, note="")
    else:
        billed = "billed in full" if phase.charged else "free"
        unknown = "Whether their idle time is billed is not known; costsim: "
        known = "Their idle time is "
        text = f"{unknown if phase.billed == 'unknown' else known}{billed}."
        yield fact_of(METERED, "min replicas", text, phase, note="")
    if busy is not None:
        text = f"Their busy time costs {format_fraction(busy.value)} of the price."
        yield fact_of(METERED, "min replicas", text, busy)


def phase_text(phase: Phase) -> str:
    """Return whether a phase is billed: ``yes``, ``not known: billed``."""
    if phase.modeled_as is None:
        return phase.billed
    left_out = phase.modeled_as == "not simulated"
    return f"not known: {'left out' if left_out else phase.modeled_as}"


def _empty_or_full(platform: Platform) -> Iterator[Fact]:
    autoscaler, zero = platform.autoscaler, platform.billing.phases.at_zero
    says = {
        "no": "Nothing is billed.",
        "yes": "Something is billed even then.",
        "not offered": "There is always a replica.",
    }
    text = says.get(zero.billed, f"Not known; costsim: {zero.modeled_as}.")
    yield fact_of(EMPTY_OR_FULL, "at zero", text, zero)
    claims = {
        "last one": autoscaler.to_zero,
        "first one": autoscaler.wake,
        "when full": autoscaler.queue,
    }
    for item, claim in claims.items():
        yield fact_of(EMPTY_OR_FULL, item, claim.says, claim)
    for limit in platform.limits.entries.values():
        if limit.caps_replicas:
            text = (
                f"At most {limit.value:,.10g} {limit.unit} for each {limit.scope}. "
                f"Above: {limit.on_exceed}."
            )
            yield fact_of(EMPTY_OR_FULL, "most", text, limit)


def _choices(platform: Platform) -> Iterator[Fact]:
    """Yield what is paid besides compute, and what changes its price."""
    for plan in _sections(platform, PLANS):
        ours = plan.item == platform.prices.default_plan
        yield replace(plan, item=f"{plan.item} (default)") if ours else plan
    yield from _sections(platform, TIERS, REGIONS, BESIDES, EXTRAS)


def _prices(platform: Platform) -> Iterator[Fact]:
    prices = platform.prices
    yield fact_of(COMPUTE, "printed as", f"{prices.unit}.", prices)
    for name, gpu in prices.gpus.items():
        yield fact_of(COMPUTE, name, f"{_hourly(gpu.price)}, {gpu.memory:g} GiB", gpu)
    if prices.cpu is not None:
        cpu = prices.cpu
        least = f", at least {cpu.minimum:g} cores" if cpu.minimum else ""
        text = f"{_hourly(cpu.usd_per_core_hour)} a physical core{least}"
        yield fact_of(COMPUTE, "CPU", text, cpu)
    if prices.memory is not None:
        memory = prices.memory
        least = f", at least {memory.minimum:g} GiB" if memory.minimum else ""
        yield fact_of(
            COMPUTE, "memory", f"{_hourly(memory.price)} a GiB{least}", memory
        )
    for name, instance in prices.instances.items():
        yield fact_of(COMPUTE, name, _instance_text(instance), instance)
    if not any(prices.items()):
        text = "None is in the catalog; a deployment gives its own price."
        yield fact_of(COMPUTE, "price", text, prices, note="")
    yield from _tier_prices(prices)
    yield from _choices(platform)
    yield from _other_reads(prices)


def _hourly(usd: float | None) -> str:
    return "price not published" if usd is None else f"{plain(usd)} USD/h"


def _instance_text(one: InstancePrice) -> str:
    parts = [_hourly(one.price)]
    if one.gpu:
        parts.append(f"{one.gpu_count}x {one.gpu}")
    if one.vcpu is not None:
        parts.append(f"{one.vcpu:g} vCPU")
    if one.memory is not None:
        parts.append(f"{one.memory:g} GiB")
    return ", ".join(parts)


def _tier_prices(prices: Prices) -> Iterator[Fact]:
    for name, tier in prices.tiers.items():
        for item, one in {**tier.gpus, **tier.instances}.items():
            yield fact_of(COMPUTE, f"{item}, {name}", _hourly(one.price), one)


def _other_reads(prices: Prices) -> Iterator[Fact]:
    for past in prices.history:
        item = f"{past.item}, {past.tier}" if past.tier else past.item
        yield fact_of(OTHER_READS, item, f"{_hourly(past.price)} ({past.as_of})", past)
    for claim in prices.reads:
        yield fact_of(OTHER_READS, f"read {claim.as_of}", claim.says, claim)


def _autoscaler(platform: Platform) -> Iterator[Fact]:
    return _sections(platform, AUTOSCALER, SETTINGS)


def _configuration(platform: Platform) -> Iterator[Fact]:
    own = platform.configuration
    if own is None:
        none = _ours(platform, "None: its settings are costsim's own words.")
        yield fact_of(CONFIGURATION, "text", none.says, none)
        return
    yield fact_of(CONFIGURATION, "text", f"{_LANGUAGES[own.language]}.", own)
    said = {one.name for text in own.texts for one in placeholders(text)}
    apart = [
        name
        for name, setting in platform.autoscaler.settings.items()
        if setting.origin == "vendor" and name not in {*said, own.choice}
    ]
    if apart:
        yield fact_of(CONFIGURATION, "not in it", f"{', '.join(apart)}.", own, note="")


def _ours(platform: Platform, says: str) -> Claim:
    """Return what costsim itself says of a platform."""
    as_of = platform.prices_as_of
    return Claim(says=says, source=OURS, as_of=as_of, evidence="derived")


def _limits(platform: Platform) -> Iterator[Fact]:
    yield from _sections(platform, LIMITS)
    if not platform.limits.entries:
        text = "No fixed limits are in the catalog."
        yield fact_of(LIMITS, "limits", text, platform.limits)


def _features(platform: Platform) -> Iterator[Fact]:
    return _sections(platform, FEATURES_SECTION)


def _conflicts(platform: Platform) -> Iterator[Fact]:
    yield from _sections(platform, CONFLICTS)
    if not platform.conflicts:
        says = "The sources that were read do not contradict each other."
        none = _ours(platform, says)
        yield fact_of(CONFLICTS, "conflicts", none.says, none)


TOPICS: dict[str, Callable[[Platform], Iterator[Fact]]] = {
    "billing": _billing,
    "prices": _prices,
    "autoscaler": _autoscaler,
    "configuration": _configuration,
    "limits": _limits,
    "features": _features,
    "conflicts": _conflicts,
}
"""What can be explained of a platform."""
