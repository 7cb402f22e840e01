"""The one place that says how numba compiles the traffic's loops.

They own no memory: all arrays come from outside, and references are not counted. They
release the interpreter's lock, so that traffic is made beside a simulation.

numba compiles a cached function anew when its own file has changed, and does not look at
what it calls: what a loop calls stands in its own file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

from costsim.compiling import compiled as kept_compiled

_Function = TypeVar("_Function", bound=Callable[..., Any])
_OPTIONS: dict[str, Any] = {"boundscheck": False, "_nrt": False, "nogil": True}
_INNER: dict[str, Any] = {
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
    "error_model": "numpy",
    **_OPTIONS,
}


def compiled(function: _Function) -> _Function:
    """Return a function that Python calls, compiled and kept on disk."""
    return kept_compiled(function, **_OPTIONS)


def inlined(function: _Function) -> _Function:
    """Return a function that becomes a part of the compiled ones that call it."""
    return cast("_Function", njit(function, forceinline=True, **_INNER))


def seldom(function: _Function) -> _Function:
    """Return a function that compiled ones call now and then; it stays out of them."""
    return cast("_Function", njit(function, **_INNER))
