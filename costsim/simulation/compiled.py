"""The one place that says how numba compiles the engine.

The engine owns no memory: all arrays come from outside. So reference counts are switched
off (``_nrt``); with them, each call of a small function with the state's arrays costs
atomic increments and decrements of every one of them, and the loop runs 20 times slower.
The interpreter's lock is released, so that threads run side by side.
No fastmath: it breaks NaN and makes results depend on the machine.
"""

from __future__ import annotations

from functools import partial

from numba import njit

compiled = partial(
    njit, cache=True, error_model="numpy", boundscheck=False, _nrt=False, nogil=True
)()
"""Decorator of every compiled function of the engine."""

inlined = partial(
    njit,
    cache=True,
    error_model="numpy",
    boundscheck=False,
    _nrt=False, nogil=True,
    forceinline=True,
)()
"""For what nearly every event runs through; the rest is called, to compile faster."""
