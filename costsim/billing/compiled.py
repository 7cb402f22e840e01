"""The one place that says how numba compiles the meter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(function: _Function) -> _Function:
    """Return the function compiled, with its types kept for its callers."""
    # No fastmath: it breaks NaN and would let lengths depend on the machine.
    return cast("_Function", njit(function, cache=True, error_model="numpy"))
