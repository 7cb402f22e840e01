"""How much work a request brings: service times, drawn, recorded, or made of tokens.

One draw a request: every deployment divides the same draw by its speed. They are drawn a
piece at a time, the same however they are cut.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

import numpy as np

from costsim.scenario.distributions import (
    FromTrace,
)
from costsim.traffic.laws import sampler

if TYPE_CHECKING:
    from costsim.records import Floats, Ints
    from costsim.scenario.distributions import WorkCount, WorkDuration
    from costsim.scenario.schema import Service
    from costsim.traffic.recorded import RecordedWork

Work = Callable[["Floats", "Ints | None"], None]
"""Fills an array with service times [s] of requests, given the row of the trace of each;
-1 for a request that is not of the trace, None if no row is asked for."""
_Recorded = Mapping[str, "Floats"]
"""What was recorded of some requests, by field of ``TraceData``."""


def service_times(
    service: Service,
    rngs: tuple[np.random.Generator, np.random.Generator],
    recorded: RecordedWork | None = None,
) -> Work:
    """Return what fills arrays with the service times of requests at speed 1.

    Parameters
    ----------
    service : Service
        A time, or tokens and the speeds of reading and writing them. Numbers of tokens
        drawn from a distribution are not rounded.
    rngs : pair of numpy.random.Generator
        Where the randomness of times or of tokens read comes from, and that of tokens
        written: two, so that neither depends on how many of the other are drawn.
    recorded : RecordedWork, optional
        What was recorded of ``trace_needs``.

    Returns
    -------
    callable
        Fills with the service times of the requests that come next, the same wherever
        they are cut. [s]
    """
    fill = _work(service, rngs)

    def fill_of(out: Floats, rows: Ints | None = None) -> None:
        if recorded is None:
            fill(out, {})
            return
        if rows is None or len(rows) != len(out):
            n = 0 if rows is None else len(rows)
            message = f"{n} recorded rows for {len(out)} requests"
            raise ValueError(message)
        fill(out, recorded.take(rows))

    return fill_of


def trace_needs(service: Service) -> frozenset[str]:
    """Return the fields of ``TraceData`` that the service takes from the trace."""
    laws: dict[str, WorkDuration | WorkCount | None] = {"duration_s": service.time}
    if service.tokens is not None:
        laws = {
            "input_tokens": service.tokens.input,
            "output_tokens": service.tokens.output,
        }
    return frozenset(name for name, law in laws.items() if isinstance(law, FromTrace))


def _work(
    service: Service, rngs: tuple[np.random.Generator, np.random.Generator]
) -> Callable[[Floats, _Recorded], None]:
    """Return what fills with service times, given what was recorded. [s]"""
    tokens = service.tokens
    if tokens is None:
        return _values(cast("WorkDuration", service.time), "duration_s", rngs[0])
    read = _values(tokens.input, "input_tokens", rngs[0])
    written = _values(tokens.output, "output_tokens", rngs[1])

    def fill(out: Floats, recorded: _Recorded) -> None:
        to_write = np.empty_like(out)
        read(out, recorded)
        written(to_write, recorded)
        out /= tokens.prefill
        out += to_write / tokens.decode

    return fill


def _values(
    law: WorkDuration | WorkCount, field: str, rng: np.random.Generator
) -> Callable[[Floats, _Recorded], None]:
    """Return what fills with values of a law, or those that were recorded."""
    if isinstance(law, FromTrace):

        def copy(out: Floats, recorded: _Recorded) -> None:
            out[:] = recorded[field]

        return copy
    draw = sampler(law, rng)
    return lambda out, _: draw(out)
