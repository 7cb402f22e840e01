"""How compiled code is kept between runs, for every part that has some."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(function: _Function, **options: Any) -> _Function:  # noqa: ANN401 - numba's
    """Return a function compiled by numba, with its types kept for its callers.

    No fastmath: it breaks NaN and makes results depend on the machine.

    Parameters
    ----------
    function : callable
        What to compile, at its first call with arguments of new types.
    **options
        numba's own.
    """
    try:
        kept = njit(function, cache=True, error_model="numpy", **options)
    except RuntimeError:
        # numba found no folder to write to: then each process compiles for itself.
        kept = njit(function, error_model="numpy", **options)
    return cast("_Function", kept)
