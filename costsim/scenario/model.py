"""The model that is served, and whether it fits in the memory of a replica's GPUs.

Billions of weights inside, as GiB for a size: ``8B`` is 8.0. A GB of a vendor is taken
as a GiB, but the weights are counted in bytes: 8 billion weights of 2 bytes are 14.9 GiB.
"""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

from costsim.spec import RuleError, Size, Spec, exactly_one
from costsim.yaml_source import shown

Precision = Literal["fp32", "bf16", "fp16", "fp8", "int8", "fp4", "int4", "nf4"]

_BYTES: dict[Precision, float] = {
    "fp32": 4,
    "bf16": 2,
    "fp16": 2,
    "fp8": 1,
    "int8": 1,
    "fp4": 0.5,
    "int4": 0.5,
    "nf4": 0.5,
}
"""Bytes of a weight. Quantized models also have scales, a few per cent of that."""

_BILLIONS = {"M": 1e-3, "B": 1.0, "T": 1e3}
# Digits are ASCII only: \d accepts other scripts' digits.
_PARAMETERS = re.compile(
    r"([0-9]{1,20}(?:\.[0-9]{1,20})?(?:e[+-]?[0-9]{1,3})?) ?([MBT])", re.IGNORECASE
)

_GIB = 2.0**30
_CLOSE = 1e-9
"""Rounding that does not make a model too large."""


def _billions(value: Any) -> Any:  # noqa: ANN401 - whatever the file holds
    """Parse text such as ``70.6B``; let a float through, as in ``costsim.spec``."""
    if type(value) is float:
        return value
    match = _PARAMETERS.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        message = (
            f"{shown(value)} is not a number of weights; "
            "write a number and M, B or T, such as '8B' or '350M'"
        )
        raise ValueError(message)
    number, suffix = match.groups()
    return float(number) * _BILLIONS[suffix.upper()]


Parameters = Annotated[
    float,
    BeforeValidator(_billions),
    PlainSerializer(lambda value: f"{value!r}B", return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "description": "a number of weights, with M, B or T",
            "examples": ["8B", "70.6B", "350M"],
        }
    ),
    Field(gt=0, le=1e6),
]
"""A number of weights. [10^9]"""


class Model(Spec):
    """The model that is served: what it needs of the memory of a replica's GPUs."""

    parameters: Parameters | None = None
    """Number of weights, such as ``8B``. Give this or the size of the weights."""
    precision: Precision | None = None
    """Format of a weight, with the number of weights; bf16 if left out. A quantized model has scales besides, a few per cent more."""
    weights: Annotated[Size, Field(gt=0)] | None = None
    """Size of the weights, such as that of the files."""
    cache: Size = 0.0
    """What else a replica holds: its key-value cache, activations, adapters."""
    # vLLM takes 0.92 by itself (docs.vllm.ai, config/cache) and took 0.9 before;
    # TensorRT-LLM takes 0.9 of what is free (KvCacheConfig).
    usable_share: Annotated[float, Field(gt=0, le=1)] = 0.9
    """Share of the GPUs' memory that the engine may fill, such as vLLM's ``gpu_memory_utilization``."""

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        exactly_one(self, "parameters", "weights")
        if self.weights is not None and self.precision is not None:
            message = "goes with parameters; weights is a size already"
            raise RuleError(message, "precision")
        return self

    @property
    def weights_gib(self) -> float:
        """Size of the weights. [GiB]"""
        if self.parameters is None:
            return self.weights or 0.0
        return self.parameters * 1e9 * self._bytes_per_weight / _GIB

    @property
    def needed_gib(self) -> float:
        """Memory that a replica needs, over all its GPUs. [GiB]"""
        return self.weights_gib + self.cache

    @property
    def _bytes_per_weight(self) -> float:
        return _BYTES[self.precision or "bf16"]

    def misfit(self, gpu: str, gpu_count: int, gpu_memory_gib: float) -> str | None:
        """Return why the model does not fit in a replica's GPUs, or None if it does.

        The weights are spread evenly over the GPUs. The arithmetic is in the answer,
        and what would be enough.

        Parameters
        ----------
        gpu : str
            GPU, for the answer.
        gpu_count : int
            GPUs of the replica; 0 is a replica without.
        gpu_memory_gib : float
            Memory of one GPU. [GiB]
        """
        one_gib = gpu_memory_gib * self.usable_share
        usable_gib = one_gib * gpu_count
        if self.needed_gib <= usable_gib * (1 + _CLOSE):
            return None
        if not usable_gib:
            return f"needs {self._sum(digits=1)}, but the replica has no GPU memory"
        digits = _digits(self.needed_gib, usable_gib)
        have, times = ("have", f"{gpu_count} x ") if gpu_count > 1 else ("has", "")
        return (
            f"needs {self._sum(digits)}, but {gpu_count} {gpu} {have} "
            f"{times}{gpu_memory_gib:g} GiB x {self.usable_share:g} usable "
            f"= {_gib(usable_gib, digits)} GiB; "
            f"{self._enough(gpu, gpu_count, one_gib)}"
        )

    def _sum(self, digits: int) -> str:
        """Return what is needed, with its parts."""
        weights = f"{_gib(self.weights_gib, digits)} GiB of weights"
        if self.parameters is not None:
            size = f"{self._bytes_per_weight:g} byte"
            plural = "" if self._bytes_per_weight == 1 else "s"
            weights += f" ({_parameters(self.parameters)} x {size}{plural})"
        if not self.cache:
            return weights
        cache, total = _gib(self.cache, digits), _gib(self.needed_gib, digits)
        return f"{weights} + {cache} GiB of cache = {total} GiB"

    def _enough(self, gpu: str, gpu_count: int, one_gib: float) -> str:
        """Return how many GPUs would do, and what memory of as many as there are."""
        # Half as lenient as the check, so that what is named passes it.
        needed_gib = self.needed_gib * (1 - _CLOSE / 2)
        count = math.ceil(needed_gib / one_gib)
        tenths = math.ceil(needed_gib / gpu_count / self.usable_share * 10)
        others = f"{gpu_count} GPUs" if gpu_count > 1 else "a GPU"
        each = " each" if gpu_count > 1 else ""
        return f"{count} {gpu} would do, or {others} with at least {tenths / 10:g} GiB{each}"


def _parameters(billions: float) -> str:
    """Return a number of weights for people: ``350M``, ``8B``, ``1.5T``."""
    suffix = "M" if billions < 1 else "B" if billions < 1000 else "T"
    return f"{billions / _BILLIONS[suffix]:g}{suffix}"


def _digits(first: float, second: float) -> int:
    """Return how many decimals tell two sizes apart, and from nothing."""
    for digits in range(1, 9):
        told = {_gib(first, digits), _gib(second, digits), "0"}
        if len(told) == 3:
            return digits
    return 9


def _gib(size: float, digits: int) -> str:
    """Return a size with so many decimals, without zeros at its end."""
    return f"{size:.{digits}f}".rstrip("0").rstrip(".")
