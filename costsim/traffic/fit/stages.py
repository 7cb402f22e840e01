"""The course of the rate over a log that is too short for hours of the day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from costsim.traffic.fit.laws import per_second, seconds

if TYPE_CHECKING:
    from costsim.records import Floats, Ints


def fit_stages(counts: Ints | Floats, width_s: float, n_stages: int) -> Floats | None:
    """Return the rates between which ramps lead that explain the counts best.

    By least squares, none below 0, all together with the requests of the log.

    Parameters
    ----------
    counts : ndarray
        Requests in bins from 0 on.
    width_s : float
        Width of the bins. [s]
    n_stages : int
        Ramps of equal length, over all bins.

    Returns
    -------
    ndarray of float64 or None
        Rates at the ends of the ramps, shape (n_stages + 1,); None with too few bins.
        [requests/s]
    """
    if counts.size < 2 * n_stages or not counts.any():
        return None
    place = (np.arange(counts.size) + 0.5) * n_stages / counts.size
    distance = np.abs(place[:, None] - np.arange(n_stages + 1))
    design = np.maximum(0.0, 1.0 - distance)
    rates = np.linalg.lstsq(design, counts / width_s, rcond=None)[0]
    rates = np.maximum(rates, 0.0)
    total = float((design @ rates).sum()) * width_s
    if total <= 0:
        return None
    return np.asarray(rates * (float(counts.sum()) / total), dtype=np.float64)


def stages_section(
    rates_per_s: Floats, covered_s: float, span_s: float
) -> dict[str, Any]:
    """Return the keys of a scenario's stream for ramps of equal length.

    Parameters
    ----------
    rates_per_s : ndarray of float64, shape (n_stages + 1,)
        Rates at the ends of the ramps. [requests/s]
    covered_s : float
        How long the ramps are together. [s]
    span_s : float
        How long the log is: its end, of less than a bin, goes on at the last rate. [s]
    """
    length = seconds(covered_s / (rates_per_s.size - 1))
    stages = [
        {"target": per_second(rate), "duration": length}
        for rate in rates_per_s[1:].tolist()
    ]
    if span_s > covered_s:
        rest = {"target": stages[-1]["target"], "duration": seconds(span_s - covered_s)}
        stages.append(rest)
    return {"start_rate": per_second(float(rates_per_s[0])), "stages": stages}
