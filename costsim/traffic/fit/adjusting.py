"""What of a model can be adjusted, and the model with it adjusted.

A knob is a number that multiplies something of the ``traffic`` section; 1 leaves it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from costsim.traffic.fit.laws import per_second, rounded, seconds
from costsim.units import parse_duration, parse_rate

Section = dict[str, Any]
Knob = Callable[[Section, float], None]

_MOST_BRANCHING = 0.98
_MOST_SIGMA = 3.0
_SHAPES = {"burstiness": (0.005, 1000.0), "shape": (0.1, 100.0)}


def knobs(traffic: Mapping[str, Any], *, noise_only: bool = False) -> dict[str, Knob]:
    """Return what can be adjusted of a model's only stream, by name.

    Of a process that the log shows as it is only the noise, if there is some.
    """
    stream = traffic["streams"][0]
    found: dict[str, Knob] = {}
    if not noise_only:
        found |= _KNOBS.get(stream["arrivals"]["process"], {})
    if "start_rate" in stream:
        found["start rate"] = _start_rate
    if stream.get("noise"):
        found["noise sigma"] = _noise_sigma
        found["noise time"] = _noise_time
    return found


def adjusted(traffic: Mapping[str, Any], factors: Mapping[str, float]) -> Section:
    """Return a model with some of its knobs turned."""
    changed = copy.deepcopy(dict(traffic))
    known = knobs(traffic)
    for name, factor in factors.items():
        if factor != 1.0:
            known[name](changed["streams"][0], factor)
    return changed


def _start_rate(stream: Section, factor: float) -> None:
    # All rates move a little the other way, so that as many requests come as before.
    stages = stream["stages"]
    before = _requests_of(stream)
    stream["start_rate"] = per_second(parse_rate(stream["start_rate"]) * factor)
    kept = before / _requests_of(stream)
    stream["start_rate"] = per_second(parse_rate(stream["start_rate"]) * kept)
    for stage in stages:
        stage["target"] = per_second(parse_rate(stage["target"]) * kept)


def _requests_of(stream: Section) -> float:
    """Return how many requests the ramps of a stream bring."""
    rates = [stream["start_rate"], *(stage["target"] for stage in stream["stages"])]
    lengths_s = [parse_duration(stage["duration"]) for stage in stream["stages"]]
    ends = [parse_rate(rate) for rate in rates]
    return sum(
        0.5 * (first + last) * length_s
        for first, last, length_s in zip(ends, ends[1:], lengths_s, strict=False)
    )


def _noise_sigma(stream: Section, factor: float) -> None:
    for term in stream["noise"]:
        term["sigma"] = rounded(min(_MOST_SIGMA, term["sigma"] * factor))


def _noise_time(stream: Section, factor: float) -> None:
    for term in stream["noise"]:
        _stretch(term, "correlation_time", factor)


def _shape(stream: Section, factor: float) -> None:
    process = stream["arrivals"]
    for key, (low, high) in _SHAPES.items():
        if key in process:
            process[key] = rounded(min(high, max(low, process[key] * factor)))


def _branching(stream: Section, factor: float) -> None:
    # By its odds, so that it stays below 1.
    process = stream["arrivals"]
    odds = process["branching"] / (1.0 - process["branching"]) * factor
    process["branching"] = rounded(min(_MOST_BRANCHING, odds / (1.0 + odds)))


def _decay(stream: Section, factor: float) -> None:
    _stretch(stream["arrivals"], "decay_time", factor)


def _size(stream: Section, factor: float) -> None:
    process = stream["arrivals"]
    size = process["requests_per_session"]
    if not isinstance(size, dict):
        process["requests_per_session"] = rounded(1.0 + (size - 1.0) * factor)
    elif "median" in size:
        size["median"] = rounded(min(1e4, size["median"] * factor))
    else:
        # The values stay whole: those above one request are met more or less often.
        size["weights"] = [
            rounded(weight * (factor if value > 1 else 1.0))
            for value, weight in zip(size["values"], size["weights"], strict=True)
        ]


def _think(stream: Section, factor: float) -> None:
    _stretch_law(stream["arrivals"]["think_time"], factor)


def _sojourns(stream: Section, factor: float) -> None:
    for state in stream["arrivals"]["states"]:
        _stretch(state, "mean_sojourn", factor)


def _contrast(stream: Section, factor: float) -> None:
    # Rates are relative: a power of them moves states apart or together.
    for state in stream["arrivals"]["states"]:
        state["rate"] = per_second(parse_rate(state["rate"]) ** factor)


def _on(stream: Section, factor: float) -> None:
    _stretch_law(stream["arrivals"]["on_time"], factor)


def _off(stream: Section, factor: float) -> None:
    _stretch_law(stream["arrivals"]["off_time"], factor)


def _stretch(section: Section, key: str, factor: float) -> None:
    section[key] = seconds(parse_duration(section[key]) * factor)


def _stretch_law(law: Section, factor: float) -> None:
    for key in ("median", "mean", "value", "scale", "minimum", "max"):
        if key in law:
            _stretch(law, key, factor)
    if "values" in law:
        law["values"] = [
            seconds(parse_duration(value) * factor) for value in law["values"]
        ]


_KNOBS: dict[str, dict[str, Knob]] = {
    "gamma": {"shape": _shape},
    "weibull": {"shape": _shape},
    "hawkes": {"branching": _branching, "decay time": _decay},
    "sessions": {"session size": _size, "think time": _think},
    "mmpp": {"sojourns": _sojourns, "contrast": _contrast},
    "onoff": {"time on": _on, "time off": _off},
}
