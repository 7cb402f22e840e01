"""The settings that come as mappings, each checked and turned into rules."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from costsim.simulation.arguments import check_count, check_number, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

_FAILURES = ("lifetime_s", "max_attempts", "backoff_s", "backoff_factor")
_SETUP_MIXTURE = ("miss_setup_time_s", "u", "probability", "half_life_s")


def failure_rules(failures: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return how often a request may begin, and how long it backs off."""
    if failures is None:
        return {
            "fails": False,
            "max_attempts": 1,
            "backoff_s": 0.0,
            "backoff_factor": 1.0,
        }
    foreign = sorted(set(failures) - set(_FAILURES))
    if foreign:
        raise refuse("failures", f"given {', '.join(_FAILURES)}", foreign[0])
    attempts = failures.get("max_attempts", 1)
    factor = check_number(
        "failures backoff_factor", failures.get("backoff_factor", 2.0)
    )
    if factor < 1:
        raise refuse("failures backoff_factor", ">= 1", factor)
    return {
        "fails": True,
        "max_attempts": check_count("failures max_attempts", attempts, at_least=1),
        "backoff_s": check_number("failures backoff_s", failures.get("backoff_s", 0.0)),
        "backoff_factor": factor,
    }


def mixture_rules(mixture: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the chance that a launch finds its cache, and how fast it fades."""
    if mixture is None:
        return {"mixed": False, "hit_probability": 1.0, "hit_half_life_s": math.inf}
    foreign = sorted(set(mixture) - set(_SETUP_MIXTURE))
    if foreign:
        requirement = f"given {', '.join(_SETUP_MIXTURE)}"
        raise refuse("setup_mixture", requirement, foreign[0])
    probability = check_number(
        "setup_mixture probability", mixture.get("probability", 1.0)
    )
    if probability > 1:
        raise refuse("setup_mixture probability", "at most 1", probability)
    half_life_s = check_number(
        "setup_mixture half_life_s",
        mixture.get("half_life_s", math.inf),
        above=0.0,
        may_be_inf=True,
    )
    return {
        "mixed": True,
        "hit_probability": probability,
        "hit_half_life_s": half_life_s,
    }


_KEEP_ALIVE = {
    "bin_s": 60.0,
    "range_s": 4 * 3600.0,
    "head": 0.05,
    "tail": 0.99,
    "margin": 0.1,
    "cv_threshold": 2.0,
    "most_out_of_bounds": 0.5,
}
"""Defaults of Shahrad et al., 2020, section 4.2."""
_MOST_BINS = 1_000_000
_SHARES = ("head", "tail", "margin", "most_out_of_bounds")


def keep_alive_rules(given: Mapping[str, Any] | None) -> tuple[dict[str, Any], int]:
    """Return the histogram policy's parameters, and its number of bins."""
    values = dict(_KEEP_ALIVE) | dict(given or {})
    foreign = sorted(set(values) - set(_KEEP_ALIVE))
    if foreign:
        raise refuse("keep_alive", f"given {', '.join(_KEEP_ALIVE)}", foreign[0])
    for name, value in values.items():
        above = 0.0 if name in ("bin_s", "range_s") else None
        values[name] = check_number(f"keep_alive {name}", value, above=above)
        if name in _SHARES and values[name] > 1:
            raise refuse(f"keep_alive {name}", "at most 1", value)
    if values["head"] > values["tail"]:
        raise refuse(
            "keep_alive head", f"at most the tail ({values['tail']})", values["head"]
        )
    n_bins = round(values["range_s"] / values["bin_s"])
    if not 1 <= n_bins <= _MOST_BINS:
        raise refuse(
            "keep_alive range_s", f"1 to {_MOST_BINS:,} bins", values["range_s"]
        )
    del values["range_s"]
    learns = given is not None
    return {"learns": learns, **values}, n_bins if learns else 0
