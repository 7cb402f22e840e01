"""A vendor's settings as a pool, by what its platform file says that they mean.

No vendor's word is known here: ``autoscaler.pool`` of a platform file has the keys of a
pool, with expressions in the place of values (see ``costsim.catalog.scaling``). What is
wrong goes into the case's findings, each at the key of the setting.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from costsim.catalog.scaling import Reference, is_reference, operands
from costsim.scenario.pool import Pool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from costsim.catalog.platform import Platform
    from costsim.catalog.scaling import SettingValue
    from costsim.scenario.findings import Findings
    from costsim.scenario.plan import ChosenPlan
    from costsim.scenario.settings import Settings

_LEFT_OUT, _ANY_OTHER = "none", "else"
"""Branches of a choice: for a setting that is left out, and for any other value."""

_BOUNDS = ("min_replicas", "max_replicas")


@dataclass(frozen=True)
class Case:
    """What a vendor's words are read with."""

    platform: Platform
    settings: Settings
    plan: ChosenPlan
    gpu_count: int
    findings: Findings

    def bound_settings(self) -> dict[str, str]:
        """Return the vendor's words for the bounds on its replicas, by costsim's.

        One word for both is a number of replicas that stays: it is no bound.
        """
        autoscaler = self.platform.autoscaler
        named = {key: autoscaler.named_by(key) for key in _BOUNDS}
        words = {key: word for key, word in named.items() if word is not None}
        return words if len(set(words.values())) == len(words) else {}


def find_pool(case: Case) -> Pool | None:
    """Return the pool of a platform's settings, or None after a problem."""
    autoscaler = case.platform.autoscaler
    template = dict(autoscaler.pool)
    if case.settings.limits_apply:
        template |= autoscaler.pool_within_limits
    fields: dict[str, Any] = _filled(template, case) or {}
    for lower, upper in autoscaler.not_above:
        _refuse_above(lower, upper, case)
    fields["max_replicas"] = _most(fields, case)
    for name, other in sorted(case.settings.borrowed().items()):
        case.findings.warnings.append(
            f"{name} is not given: taken as {case.settings.value(name):g}, the {other}"
        )
    if case.findings.problems:
        return None
    try:
        return Pool.model_validate(fields)
    except ValidationError as error:
        # A vendor names no bound here, but the engine has one.
        for fault in error.errors():
            key = ".".join(map(str, fault["loc"]))
            case.findings.refuse("settings", f"{key}: {fault['msg'].lower()}")
        return None


def replica_cap(case: Case) -> tuple[int, str] | None:
    """Return the most replicas that a platform gives, and what says so; None: no limit."""
    name, terms, noun = case.plan.name, case.plan.terms, case.platform.replica
    caps = [
        (int(limit.value), f"the limit for each {limit.scope}")
        for limit in case.platform.limits.entries.values()
        if limit.caps_replicas
    ]
    if terms.max_replicas is not None:
        caps.append(
            (terms.max_replicas, f"plan {name} with {terms.max_replicas} {noun}s")
        )
    if terms.max_gpus is not None and case.gpu_count:
        why = f"plan {name} with {terms.max_gpus} GPUs"
        caps.append((terms.max_gpus // case.gpu_count, why))
    return min(caps, key=lambda cap: cap[0], default=None)


def _most(fields: Mapping[str, Any], case: Case) -> int | None:
    """Return the largest number of replicas: what is asked for, or what is allowed."""
    settings, findings = case.settings, case.findings
    words = case.bound_settings()
    asked, least = fields.get("max_replicas"), fields.get("min_replicas") or 0
    if not (isinstance(asked, int | None) and isinstance(least, int)):
        return asked  # The pool's own rules refuse it.
    word = words.get("max_replicas")
    if "min_replicas" in words and word is not None and asked is not None:
        _refuse_above(words["min_replicas"], word, case)
    if asked == 1 and word is not None and not settings.given(word):
        findings.warnings.append(
            f"{word} is not given: {asked} by default, so it does not scale out"
        )
    cap = replica_cap(case)
    if cap is None or (asked is not None and asked <= cap[0]):
        return asked
    most, why = cap
    noun = case.platform.replica
    if most < 1:
        message = f"{case.gpu_count} GPUs are more than {why} allows"
        findings.refuse("gpu_count", message)
    findings.capped_by.append(f"at most {most} {noun}s: {why}")
    if asked is not None and word is not None and settings.given(word):
        findings.warnings.append(f"{word} {asked} is cut to {most}: {why}")
    if least > most:
        key = words.get("min_replicas", "min_replicas")
        message = f"{key} ({least}) must not exceed {most}: {why}"
        findings.refuse(f"settings.{key}", message)
    return most


def _refuse_above(lower: str, upper: str, case: Case) -> None:
    """Refuse a setting that is above another one."""
    low, high = case.settings.value(lower), case.settings.value(upper)
    if not isinstance(low, (int, float)) or not isinstance(high, (int, float)):
        return
    if low > high:
        bound = upper if case.settings.given(upper) else f"{upper}'s default"
        message = f"{lower} ({low:g}) must not exceed {bound} ({high:g})"
        case.findings.refuse(f"settings.{lower}", message)


def _filled(node: Any, case: Case) -> Any:  # noqa: ANN401 - whatever a pool's key takes
    """Return a part of the pool with the value of every expression; None: left out."""
    if is_reference(node):
        return _value(node, case)
    if not isinstance(node, dict):
        return node
    if len(node) == 1 and is_reference(next(iter(node))):
        return _chosen(*next(iter(node.items())), case)
    filled = {key: _filled(child, case) for key, child in node.items()}
    return {key: value for key, value in filled.items() if value is not None}


def _chosen(expression: str, branches: dict[str, Any], case: Case) -> Any:  # noqa: ANN401 - as above
    """Return the branch for the value of an expression."""
    return _filled(branch_of(branches, _value(expression, case)), case)


def branch_of(branches: Mapping[str, Any], value: SettingValue | None) -> Any:  # noqa: ANN401 - as above
    """Return the branch of a choice for the value it depends on; None: there is none."""
    by_word = {word.lower(): branch for word, branch in branches.items()}
    word = str(value).lower()
    return by_word.get(word, by_word.get(_ANY_OTHER) if word != _LEFT_OUT else None)


def _value(expression: str, case: Case) -> SettingValue | None:
    """Return the value of an expression; None if a setting in it is left out."""
    values = [_operand(operand, case) for operand in operands(expression)]
    if len(values) == 1 or None in values:
        return None if None in values else values[0]
    return math.prod(float(value) for value in values if value is not None)


def _operand(operand: Reference | float, case: Case) -> SettingValue | None:
    if isinstance(operand, Reference):
        if operand.is_limit:
            return case.platform.limits.entries[operand.name].value
        return case.settings.value(operand.name)
    return operand
