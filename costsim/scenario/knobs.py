"""What can be turned at a deployment: costsim's word for it, and where it stands.

No vendor's word is known here: a vendor's setting is found by the key of the pool that it
fills in the platform's file (``costsim.scenario.vendor_knobs``). Of a pool that a scenario
writes out, the key itself is turned.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from costsim import units
from costsim.errors import InputError
from costsim.scenario.knob import KINDS, KNOBS, Kind, Knob, Path, places
from costsim.scenario.pool import Pool
from costsim.scenario.vendor_knobs import vendor_knobs

if TYPE_CHECKING:
    from costsim.catalog.platform import Platform
    from costsim.scenario.schema import Deployment
    from costsim.spec import Spec

__all__ = ["KNOBS", "Knob", "find_knobs", "turned"]

_NOUNS = {"duration": "a duration", "count": "a whole number", "number": "a number"}


def find_knobs(deployment: Deployment, platform: Platform | None) -> dict[str, Knob]:
    """Return what can be turned at a deployment, by costsim's words.

    Parameters
    ----------
    deployment : Deployment
        Of a scenario that was checked.
    platform : Platform or None
        Its platform; None for a deployment whose pool is written out.

    Returns
    -------
    dict of str to Knob
        In the order of ``KNOBS``; what its autoscaler does not heed is left out.
    """
    if deployment.pool is not None:
        return _knobs_of_pool(deployment.pool)
    return {} if platform is None else vendor_knobs(deployment, platform)


def turned(deployment: Deployment, knob: Knob, value: float) -> Deployment:
    """Return a deployment with one knob turned.

    Parameters
    ----------
    deployment : Deployment
        The one that the knob was found at, or the same with other knobs turned.
    knob : Knob
        One of its knobs.
    value : float
        In costsim's units: seconds, replicas, requests for each replica.

    Raises
    ------
    InputError
        If the knob does not take the value, or a pool's rules forbid it. What a
        platform forbids is found when the deployment is resolved.
    """
    knob.check(value)
    written = knob.written(value)
    if deployment.pool is not None:
        pool = _pool_with(deployment.pool, (knob.word, *knob.moves), written)
        return deployment.model_copy(update={"pool": pool})
    settings = {**dict(knob.pins), **deployment.settings, knob.word: written}
    return deployment.model_copy(update={"settings": settings})


def _knobs_of_pool(pool: Pool) -> dict[str, Knob]:
    found: dict[str, Knob] = {}
    for name in KNOBS:
        if name == "idle_timeout" and pool.keep_alive is not None:
            continue  # the pool learns it
        for path in places(name, pool.autoscaler.kind):
            holder = _holder(pool, path)
            if holder is not None:
                found[name] = _of_pool(pool, holder, name, path)
                break
    if _word_of(found, "retention") == _word_of(found, "idle_timeout"):
        found.pop("retention", None)
    if pool.autoscaler.kind == "fixed":
        del found["max_replicas"]
        both = replace(found["min_replicas"], moves=("max_replicas",))
        found["min_replicas"] = both
    return found


def _word_of(found: dict[str, Knob], name: str) -> str | None:
    return found[name].word if name in found else None


def _holder(pool: Pool, path: Path) -> Spec | None:
    """Return the part of a pool that has the last key of a path, if it has an effect."""
    spec: Any = pool
    for part in path[:-1]:
        spec = getattr(spec, part, None)
    if spec is None or path[-1] not in type(spec).model_fields:
        return None
    if path[-1] == "target":
        # A target may be a share of time, or a rate in its place.
        busy = getattr(spec, "metric", None) == "busy"
        rate = spec.kind == "request_rate" or spec.target is None
        spec = None if busy or rate else spec
    holder: Spec | None = spec
    return holder


def _of_pool(pool: Pool, holder: Spec, name: str, path: Path) -> Knob:
    kind = KINDS.get(name, "count")
    low, high = 0.0, math.inf
    for rule in type(holder).model_fields[path[-1]].metadata:
        low = max(low, getattr(rule, "ge", low))
        high = min(high, getattr(rule, "le", high))
    if name == "concurrency_target":
        high = min(high, float(pool.concurrency_limit))
    return Knob(
        name=name,
        word=".".join(path),
        kind=kind,
        value=getattr(holder, path[-1]),
        minimum=low,
        maximum=high,
        allowed=_allowed(kind, low, high),
        is_setting=False,
    )


def _allowed(kind: Kind, low: float, high: float) -> str:
    show = units.format_duration if kind == "duration" else "{:g}".format
    most = "" if high >= units.LONGEST_S else f" to {show(high)}"
    return f"{_NOUNS[kind]} from {show(low)}{most}"


def _pool_with(pool: Pool, words: tuple[str, ...], written: int | float | str) -> Pool:
    """Return a pool with some of its keys set, its rules checked."""
    content = pool.model_dump(mode="json", exclude_unset=True, by_alias=True)
    for word in words:
        inner = content
        *way, last = word.split(".")
        for part in way:
            inner = inner.setdefault(part, {})
        inner[last] = written
    try:
        return Pool.model_validate(content)
    except ValidationError as error:
        fault = error.errors()[0]
        reason = fault.get("ctx", {}).get("error", fault["msg"].lower())
        message = f"{words[0]} {written} is not possible: {reason}"
        raise InputError(message) from None
