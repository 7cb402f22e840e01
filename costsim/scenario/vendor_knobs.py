"""The settings of a platform that are knobs, by what they fill in its pool."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from costsim.catalog.scaling import Reference, is_reference, operands
from costsim.scenario.findings import Findings
from costsim.scenario.knob import KINDS, KNOBS, LOOP, Knob, Path, places
from costsim.scenario.settings import Settings
from costsim.scenario.vendor_pool import branch_of

if TYPE_CHECKING:
    from costsim.catalog.platform import Platform
    from costsim.catalog.scaling import Setting
    from costsim.scenario.schema import Deployment

_PER_CENT = 0.01


def vendor_knobs(deployment: Deployment, platform: Platform) -> dict[str, Knob]:
    """Return what can be turned at a deployment on a platform; see ``find_knobs``."""
    return _Vendor(deployment, platform).knobs()


class _Vendor:
    """Finds the settings that fill the keys of a platform's pool."""

    def __init__(self, deployment: Deployment, platform: Platform) -> None:
        self._known = platform.autoscaler.settings
        self._limits = platform.limits.entries
        # Problems were told when the scenario was checked.
        self._settings = Settings(deployment.settings, self._known, Findings(""))
        self._pool = platform.autoscaler.pool

    def knobs(self) -> dict[str, Knob]:
        """Return what can be turned."""
        words: dict[str, str] = {}
        found: dict[str, Knob] = {}
        for name in KNOBS:
            for path in places(name, str(self._node((LOOP, "kind")))):
                turns = self._turns(path)
                # A word that fills two keys is one knob: the first.
                if turns is not None and turns[0] not in words.values():
                    words[name] = turns[0]
                    found[name] = self._knob(name, *turns)
                    break
        return {name: self._with_company(knob, words) for name, knob in found.items()}

    def _node(self, path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
        """Return what stands at a path of the pool, choices made."""
        node: Any = self._chosen(self._pool)
        for part in path:
            node = self._chosen(node.get(part)) if isinstance(node, dict) else None
        return node

    def _chosen(self, node: Any) -> Any:  # noqa: ANN401 - as above
        while isinstance(node, dict) and len(node) == 1:
            ((key, branches),) = node.items()
            if not is_reference(key):
                break
            node = branch_of(branches, self._settings.value(key[1:]))
        return node

    def _turns(self, path: Path) -> tuple[str, float] | None:
        """Return the setting that fills a key, and what one of it is; None: there is none.

        Of a product of settings it is the one that is not a knob of its own.
        """
        expression = self._node(path)
        busy = path == (LOOP, "target") and self._node((LOOP, "metric")) == "busy"
        if busy or not is_reference(expression):
            return None
        factors = operands(expression)
        own = self._node(("concurrency_limit",))
        alone = len(factors) == 1
        words = [
            one.name
            for one in factors
            if isinstance(one, Reference)
            and not one.is_limit
            and (alone or f"${one.name}" != own)
        ]
        if len(words) != 1:
            return None
        (word,) = words
        rest = math.prod(self._factor(one) for one in factors if _name(one) != word)
        return word, rest * (_PER_CENT if self._known[word].kind == "percent" else 1.0)

    def _factor(self, operand: Reference | float) -> float:
        if isinstance(operand, Reference):
            if operand.is_limit:
                return float(self._limits[operand.name].value)
            return float(self._settings.value(operand.name) or 0.0)
        return operand

    def _knob(self, name: str, word: str, per: float) -> Knob:
        setting = self._known[word]
        stated = self._settings.stated(word)
        counted = setting.kind == "count" and per == 1
        return Knob(
            name=name,
            word=word,
            kind="count" if counted else KINDS.get(name, "number"),
            value=None if stated is None else float(stated) * per,
            minimum=_bound(setting, setting.minimum, 0.0) * per,
            maximum=_bound(setting, setting.maximum, math.inf) * per,
            allowed=setting.allowed,
            is_setting=True,
            per=per,
        )

    def _with_company(self, knob: Knob, words: dict[str, str]) -> Knob:
        """Return a knob with what turns with it, and what would and must not."""
        followers = [
            name
            for name, word in words.items()
            if self._known[word].default_from == knob.word
            and not self._settings.given(word)
        ]
        if knob.name == "concurrency_target" and "concurrency_limit" in followers:
            # How many requests share a replica is not the autoscaler's to say.
            limit = words["concurrency_limit"]
            pins = ((limit, self._settings.stated(limit)),)
            return replace(knob, pins=pins)
        if knob.name == "min_replicas" and "max_replicas" not in words:
            both = self._node(("min_replicas",)) == self._node(("max_replicas",))
            followers += ["max_replicas"] if both else []
        return replace(knob, moves=tuple(followers))


def _name(operand: Reference | float) -> str | None:
    return operand.name if isinstance(operand, Reference) else None


def _bound(setting: Setting, end: object, otherwise: float) -> float:
    return otherwise if end is None else float(setting.read(end))
