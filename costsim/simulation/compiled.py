"""The one place that says how numba compiles the engine.

The engine owns no memory: all arrays come from outside. So reference counts are switched
off (``_nrt``); with them, each call of a small function with the state's arrays costs
atomic increments and decrements of every one of them, and the loop runs 20 times slower.
The interpreter's lock is released, so that threads run side by side.
No fastmath: it breaks NaN and makes results depend on the machine.

What Python calls is ``compiled`` and cached on disk, and what that calls is in its cache:
wrappers for Python and a cache file for each of them would double the time that the first
run takes to compile.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numba import njit

from costsim import compiling, records
from costsim.compiling import compiled as kept_compiled

if TYPE_CHECKING:
    from collections.abc import Callable

    _Function = TypeVar("_Function", bound=Callable[..., Any])

_OPTIONS: dict[str, Any] = {
    "boundscheck": False,
    "_nrt": False,
    "nogil": True,
}
_INNER: dict[str, Any] = {
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
    "error_model": "numpy",
    **_OPTIONS,
}


def compiled(function: _Function) -> _Function:
    """Return a function that Python calls, compiled, with its types kept for callers."""
    return kept_compiled(function, **_OPTIONS)


inner = njit(**_INNER)
"""Decorator of a function that only compiled functions call."""

inlined = njit(forceinline=True, **_INNER)
"""The same for what nearly every event runs through."""

spliced = njit(inline="always", **_INNER)
"""The same for a long function with one caller: compiled as a part of it, not twice."""

unsigned = np.uint64
"""An index that is not negative: numba need not see whether it counts from the end."""


def source_digest() -> int:
    """Return a number that changes with any source file that compiled code comes from.

    numba compiles a cached function anew when the file that it stands in has changed,
    and does not look at the files of the functions that it calls.
    """
    digest = 0
    for path in (
        *sorted(Path(__file__).parent.rglob("*.py")),
        Path(compiling.__file__),
        Path(records.__file__),
    ):
        digest = zlib.crc32(path.read_bytes(), digest)
    return digest
