"""The families of a scenario's deployments, and how far each is searched."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from costsim.errors import InputError
from costsim.scenario.knobs import find_knobs
from costsim.study.tune import ladders
from costsim.study.tune.hours import Warmth, busy_hours, prewarm_s
from costsim.study.tune.space import Axis, Family, Point
from costsim.yaml_source import shorten

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from costsim.catalog.platform import Catalog
    from costsim.scenario.deployment import ResolvedDeployment
    from costsim.scenario.knobs import Knob
    from costsim.scenario.pool import Pool
    from costsim.scenario.schedule import Schedule
    from costsim.scenario.schema import Deployment
    from costsim.study.tune.hours import Hours
    from costsim.study.tune.lab import Lab

TUNED = (
    *("idle_timeout", "retention", "min_replicas"),
    *("buffer_replicas", "concurrency_target"),
)
"""Knobs that are tuned."""
SCHEDULE = "schedule"
"""What is tuned besides knobs."""

_RARELY = 0.999
"""Share of the time that as many replicas as are kept warm at most suffice for."""
_SPARE = 2
"""Replicas more than that: queues want some slack."""
_MOST_BUFFERS = 2
_WARM_IN_HOURS = (1, 2)
"""Replicas that schedules begin with."""


@dataclass(frozen=True)
class _Variant:
    """A deployment of the scenario, maybe on other hardware."""

    deployment: Deployment
    resolved: ResolvedDeployment
    knobs: Mapping[str, Knob]
    gpu: str | None
    """Other hardware than the scenario says; None: the scenario's, as it stands."""

    def present(self, name: str) -> float:
        """Return the value of a knob; what is left out, as the pool has it."""
        value = self.knobs[name].value
        if value is None:
            value = _of_pool(self.resolved.pool, name)
        return float(value)


def find_families(
    lab: Lab,
    catalog: Catalog,
    deployments: Sequence[Deployment],
    gpus: Mapping[str, float] | None = None,
    kept: Collection[str] = (),
) -> list[Family]:
    """Return the families of some deployments.

    Parameters
    ----------
    lab : Lab
        Where they are tried.
    catalog : Catalog
        Platforms and prices.
    deployments : sequence of Deployment
        Those to tune.
    gpus : mapping of str to float, optional
        GPUs or instances to try besides their own, and the speed of each.
    kept : collection of str
        What is not tuned: words of ``TUNED``, or ``schedule``.

    Raises
    ------
    InputError
        If no deployment can run on a GPU.
    """
    groups: dict[str, list[_Variant]] = defaultdict(list)
    hours = [] if SCHEDULE in kept else busy_hours(lab.scenario, lab.study.trace)
    for one in deployments:
        for variant in _variants(lab, catalog, one, gpus or {}, kept):
            groups[_key(variant)].append(variant)
    available = {one.gpu for group in groups.values() for one in group}
    for gpu in gpus or {}:
        if gpu not in available:
            message = (
                f"no deployment can run on {shorten(gpu)}; 'costsim prices' lists "
                "what each platform has"
            )
            raise InputError(message)
    return [_family(lab, group, hours) for group in groups.values()]


def _variants(
    lab: Lab,
    catalog: Catalog,
    own: Deployment,
    gpus: Mapping[str, float],
    kept: Collection[str],
) -> Iterator[_Variant]:
    platform = None if own.platform is None else catalog.find(own.platform)
    for gpu in (None, *gpus):
        for one in (own,) if gpu is None else _on(own, gpu, gpus[gpu]):
            resolved = lab.resolved(one)
            if resolved is not None:
                knobs = {
                    name: knob
                    for name, knob in find_knobs(one, platform).items()
                    if name in TUNED and name not in kept
                }
                yield _Variant(one, resolved, knobs, gpu)
                break


def _on(deployment: Deployment, gpu: str, speed: float) -> Iterator[Deployment]:
    """Yield a deployment on other hardware, named as a GPU, then as an instance."""
    changes = {"name": f"{deployment.name} on {gpu}", "speed": speed}
    for hardware in ({"gpu": gpu, "instance": None}, {"instance": gpu}):
        yield deployment.model_copy(update={**changes, **hardware})


def _key(variant: _Variant) -> str:
    """Return what is equal for deployments of one family."""
    content = variant.deployment.model_dump(mode="json", exclude={"name", "schedule"})
    for knob in variant.knobs.values():
        for word in (knob.word, *knob.moves):
            _drop(content, ("settings" if knob.is_setting else "pool"), word)
    if content.get("pool"):
        content["pool"].pop("schedule", None)
    own = variant.gpu is None
    return json.dumps([own, sorted(variant.knobs), content], sort_keys=True)


def _drop(content: dict[str, object], part: str, word: str) -> None:
    inner = content.get(part)
    *way, last = word.split(".")
    for key in way:
        inner = inner.get(key) if isinstance(inner, dict) else None
    if isinstance(inner, dict):
        inner.pop(last, None)


def _family(
    lab: Lab, group: Sequence[_Variant], hours: Sequence[tuple[Hours, ...]]
) -> Family:
    """Return the family of deployments that are equal but for their knobs."""
    base = group[0]
    least = max(
        (one.present("min_replicas") for one in group if "min_replicas" in one.knobs),
        default=0.0,
    )
    most = max(int(least), _most_replicas(lab, base.resolved))
    axes = [
        _axis(base, name, most, {one.present(name) for one in group})
        for name in base.knobs
    ]
    axes = [axis for axis in axes if set(axis.fine) != {axis.present}]
    # What always stays does not come and go by the clock.
    comes = base.resolved.pool.autoscaler.kind != "fixed"
    return Family(
        label=_label(group),
        base=base.deployment,
        axes=tuple(axes),
        yours={
            one.deployment.name: Point(
                tuple(one.present(axis.name) for axis in axes),
                own=_own_schedule(one.deployment),
            )
            for one in group
        },
        warmths=tuple(_warmths(base, hours, most)) if comes else (),
        most_replicas=most,
        is_own=base.gpu is None,
    )


def _axis(base: _Variant, name: str, most: int, present: set[float]) -> Axis:
    knob = base.knobs[name]
    if name in ("idle_timeout", "retention"):
        first, fine = ladders.durations(knob)
    elif name == "concurrency_target":
        first, fine = ladders.targets(knob, base.resolved.pool.concurrency_limit)
    else:
        high = _MOST_BUFFERS if name == "buffer_replicas" else most
        high = int(min(high, knob.maximum))
        first, fine = ladders.counts(min(high, math.ceil(knob.minimum)), high)
    return Axis(
        knob, base.present(name), tuple(first), tuple(sorted({*fine, *present}))
    )


def _most_replicas(lab: Lab, resolved: ResolvedDeployment) -> int:
    """Return how many replicas are kept warm at most."""
    crowd = lab.crowd(resolved.speed, _RARELY)
    wanted = math.ceil(crowd / resolved.pool.concurrency_limit) + _SPARE
    fixed = resolved.pool.autoscaler.kind == "fixed"
    most = None if fixed else resolved.pool.max_replicas
    return wanted if most is None else min(wanted, most)


def _warmths(
    base: _Variant, hours: Sequence[tuple[Hours, ...]], most: int
) -> Iterator[Warmth]:
    early_s = prewarm_s(base.resolved.setup_plan)
    for one in hours:
        for replicas in _WARM_IN_HOURS:
            if replicas <= most:
                yield Warmth(one, replicas, early_s)


def _label(group: Sequence[_Variant]) -> str:
    names = [one.deployment.name for one in group]
    if len(names) == 1:
        return names[0]
    resolved = group[0].resolved
    if resolved.platform == "custom" or group[0].gpu is not None:
        return f"{names[0]} and {len(names) - 1} more"
    return f"{resolved.platform} {resolved.instance or resolved.gpu}".strip()


def _own_schedule(deployment: Deployment) -> Schedule:
    pool = deployment.pool
    return deployment.schedule if pool is None else pool.schedule


def _of_pool(pool: Pool, name: str) -> float:
    if name == "concurrency_target":
        return pool.concurrency_target or float(pool.concurrency_limit)
    return float(getattr(pool, name, 0.0) or 0.0)
