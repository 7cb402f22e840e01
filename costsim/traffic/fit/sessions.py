"""Requests that belong together: by a key, or by the gaps between them.

Silence cuts: a request that comes later than a given time after the one before it begins
a new session. With a key the requests before it are those of the same user; without one
those of all users, which tells sessions apart only where they seldom overlap.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from costsim.traffic.fit.laws import (
    GOOD_DISTANCE,
    law_of,
    lognormal_cdf,
    lognormal_of,
    rounded,
    seconds,
)
from costsim.traffic.recorded import gather
from costsim.traffic.replay import realization

if TYPE_CHECKING:
    from costsim.records import Floats, Ints
    from costsim.traffic.fit.evidence import Evidence
    from costsim.traffic.trace import TraceData

SILENCE_S = 1800.0
"""Silence of a user after which a new session begins. [s]"""
_MOST_VALUES = 200


@dataclass(frozen=True, eq=False)
class SessionCut:
    """Sessions of a log."""

    begin_s: Floats
    """First arrival of each, ascending. [s]"""
    sizes: Ints
    """Requests of each."""
    gaps_s: Floats
    """Gaps within sessions. [s]"""

    @property
    def mean_size(self) -> float:
        """Mean number of requests. [requests]"""
        return float(self.sizes.mean())

    @property
    def mean_length_s(self) -> float:
        """Mean time from the first request to the last. [s]"""
        return float(self.gaps_s.sum()) / self.sizes.size


def cut_by_key(
    arrival_s: Floats, session: Ints, silence_s: float = SILENCE_S
) -> SessionCut:
    """Return the sessions of users.

    Parameters
    ----------
    arrival_s : ndarray of float64, ascending
        Arrivals. [s]
    session : ndarray of int64
        Whose each is; -1: nobody's, a session of its own.
    silence_s : float
        Longest gap within a session. [s]
    """
    order = np.lexsort((arrival_s, session))
    when, who = arrival_s[order], session[order]
    gaps = np.diff(when, prepend=when[:1])
    first = np.diff(who, prepend=who[:1] - 1) != 0
    return _cut(when, gaps, first | (gaps > silence_s) | (who < 0))


def cut_by_gap(arrival_s: Floats, silence_s: float) -> SessionCut:
    """Return the runs of requests without a longer gap; see ``cut_by_key``."""
    gaps = np.diff(arrival_s, prepend=arrival_s[:1])
    first = gaps > silence_s
    first[:1] = True
    return _cut(arrival_s, gaps, first)


def log_sessions(
    trace: TraceData, evidence: Evidence, seed: int = 1
) -> SessionCut | None:
    """Return the sessions of the requests that are looked at, if the log has a key.

    Parameters
    ----------
    trace : TraceData
        The log.
    evidence : Evidence
        What was gathered of it.
    seed : int
        The one that it was gathered with.
    """
    if trace.session is None or not evidence.arrival_s.size:
        return None
    parts = []
    for arrival_s, rows in realization(trace, seed):
        first, last = np.searchsorted(
            arrival_s, [evidence.begin_s, evidence.arrival_s[-1]]
        )
        within = rows[first : last + 1]
        if within.size:
            parts.append(gather(trace.session, within))
    session = np.concatenate(parts).astype(np.int64)[: evidence.arrival_s.size]
    if session.size < evidence.arrival_s.size or not (session >= 0).any():
        return None
    return cut_by_key(evidence.arrival_s, session)


def session_process(cut: SessionCut) -> dict[str, Any]:
    """Return the arrival process of a scenario for sessions like these."""
    if cut.gaps_s.size:
        think_time = law_of(cut.gaps_s, seconds)
        if think_time["distribution"] == "lognormal":
            think_time["max"] = seconds(max(float(cut.gaps_s.max()), 1e-9))
    else:
        think_time = {"distribution": "constant", "value": "1s"}
    return {
        "process": "sessions",
        "requests_per_session": size_law(cut.sizes),
        "think_time": think_time,
    }


def size_law(sizes: Ints) -> float | dict[str, Any]:
    """Return the law of the number of requests.

    The mean of a geometric law if that fits, else log-normal if that does, rounded up,
    else the values: so that each is met with its own share, and the mean stays.
    """
    mean = float(sizes.mean())
    ascending = np.sort(sizes)
    going_on = 1.0 - 1.0 / mean

    def geometric(value: float) -> float:
        return float(1.0 - going_on ** math.floor(value))

    if _discrete_distance(ascending, geometric) <= GOOD_DISTANCE:
        return rounded(max(1.0, mean))
    median, sigma = lognormal_of(np.maximum(ascending - 0.5, 0.5))
    law = lognormal_cdf(median, max(sigma, 1e-9))
    if 0 < sigma <= 2 and _discrete_distance(ascending, law) <= GOOD_DISTANCE:
        mean_of_law = median * math.exp(0.5 * sigma**2) + 0.5
        if abs(mean_of_law / mean - 1.0) < 0.05:
            return {
                "distribution": "lognormal",
                "median": rounded(median),
                "sigma": rounded(sigma),
            }
    values, times = np.unique(ascending, return_counts=True)
    if values.size > _MOST_VALUES:
        values, times = _grouped(values, times)
    return {
        "distribution": "empirical",
        "values": values.tolist(),
        "weights": times.tolist(),
    }


def _cut(when: Floats, gaps: Floats, first: Any) -> SessionCut:  # noqa: ANN401 - mask
    begins = np.flatnonzero(first)
    sizes = np.diff(begins, append=when.size)
    return SessionCut(np.sort(when[begins]), sizes, gaps[~first])


def _discrete_distance(ascending: Ints, law: Any) -> float:  # noqa: ANN401 - function
    """Return the largest distance of distribution functions at whole numbers."""
    values, places = np.unique(ascending, return_index=True)
    reached = np.append(places[1:], ascending.size) / ascending.size
    expected = np.array([law(float(value)) for value in values.tolist()])
    # Between two values that occur the law may have passed others.
    before = np.array([law(float(value) - 1.0) for value in values.tolist()])
    below = places / ascending.size
    return float(max(np.abs(reached - expected).max(), np.abs(below - before).max()))


def _grouped(values: Ints, times: Ints) -> tuple[Ints, Ints]:
    """Return fewer values with the same number and nearly the same sum."""
    edges = np.unique(np.round(np.geomspace(1, values.size, _MOST_VALUES)) - 1)
    begins = edges.astype(np.int64)
    n = np.add.reduceat(times, begins)
    sums = np.add.reduceat(times * values, begins)
    return np.maximum(1, np.round(sums / n)).astype(np.int64), n
