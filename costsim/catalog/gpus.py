"""What a GPU is, whoever rents it out: its memory, how fast that is, how fast it computes.

``load_gpus`` reads the file that comes with costsim. A platform's own word for a GPU
leads here through ``Gpus.find``, or ``Gpus.family`` where it may mean several.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Annotated, Any

import yaml
from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    ValidationError,
    model_validator,
)

from costsim.catalog.provenance import Sourced, complete
from costsim.errors import CatalogError
from costsim.spec import Many, Size  # noqa: TC001 - pydantic evaluates them

_IGNORED = re.compile(r"[\s_()-]")
"""What does not count in a name."""
_BRAND = re.compile(r"^(?:nvidia|amd|aws)?(?:tesla|geforce|instinct)?")
"""What a driver puts before a name."""
_MEASURED = re.compile(r"([0-9]+(?:\.[0-9]+)?) (GB/s|TFLOPS)")


def _in(unit: str) -> BeforeValidator:
    """Parse text such as ``320 GB/s``; let a float through, as in ``costsim.spec``."""

    def parse(value: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        if type(value) is float:
            return value
        match = _MEASURED.fullmatch(value) if isinstance(value, str) else None
        if match is None or match.group(2) != unit:
            message = f"'{value}' is not a number of {unit}; write '300 {unit}'"
            raise ValueError(message)
        return float(match.group(1))

    return BeforeValidator(parse)


def _out(unit: str) -> PlainSerializer:
    return PlainSerializer(lambda value: f"{value!r} {unit}", return_type=str)


GbPerS = Annotated[float, _in("GB/s"), _out("GB/s"), Field(gt=0)]
"""Bandwidth. [GB/s]"""

Tflops = Annotated[float, _in("TFLOPS"), _out("TFLOPS"), Field(gt=0)]
"""Speed of computing. [10^12 operations/s]"""


class _Figure(Sourced):
    """A figure of a datasheet, with its source where that is not the card's."""

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, written: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        """Take a figure that has its card's source."""
        return {"value": written} if isinstance(written, str) else written


class Memory(_Figure):
    """An amount of memory."""

    value: Size
    """The amount."""


class Bandwidth(_Figure):
    """How fast memory is."""

    value: GbPerS
    """The bandwidth."""


class Speed(_Figure):
    """How fast a GPU computes."""

    value: Tflops
    """The speed."""


class Gpu(Sourced):
    """A card or module, or the slice of one that is rented out."""

    name: str
    """Its name in costsim."""
    vendor: str
    """Who makes it."""
    architecture: str
    """Generation, such as Hopper."""
    memory: Memory
    """Memory, as its vendor prints it (a printed GB is taken as a GiB)."""
    bandwidth: Bandwidth | None = None
    """Bandwidth of its memory, if that is known."""
    bf16: Speed | None = None
    """Peak speed on dense matrices of 16-bit floats; of fp16 where it has no bf16."""
    fp8: Speed | None = None
    """Peak speed on dense matrices of 8-bit floats; none if it has none."""
    aliases: Many[str] = ()
    """Its other names."""

    @property
    def memory_gib(self) -> float:
        """Memory. [GiB]"""
        return self.memory.value

    @property
    def bandwidth_gb_per_s(self) -> float | None:
        """Bandwidth of its memory. [GB/s]"""
        return self.bandwidth.value if self.bandwidth else None

    @property
    def bf16_tflops(self) -> float | None:
        """Peak speed on dense 16-bit matrices, without sparsity. [10^12 operations/s]"""
        return self.bf16.value if self.bf16 else None

    @property
    def fp8_tflops(self) -> float | None:
        """Peak speed on dense 8-bit matrices, without sparsity. [10^12 operations/s]"""
        return self.fp8.value if self.fp8 else None

    @property
    def unverified(self) -> tuple[str, ...]:
        """The figures that nobody has checked: ``memory``, ``bandwidth``, ``bf16``, ``fp8``."""
        return tuple(
            name
            for name in ("memory", "bandwidth", "bf16", "fp8")
            if (figure := getattr(self, name)) and figure.evidence == "unverified"
        )


class _File(Sourced):
    """The file of GPUs."""

    gpus: dict[str, Gpu]
    """By their names."""
    families: dict[str, Many[str]]
    """Words that may mean several, to the names of those."""


@dataclass(frozen=True)
class Gpus:
    """All GPUs."""

    by_name: dict[str, Gpu]
    """In the file's order."""
    families: dict[str, tuple[str, ...]]
    """Words that may mean several, to the names of those; the likeliest first."""
    _named: dict[str, Gpu] = field(init=False, repr=False, compare=False)
    _meant: dict[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index by what counts in a name.

        Raises
        ------
        ValueError
            If two GPUs share a name, or a family names one that is not there.
        """
        named: dict[str, Gpu] = {}
        for gpu in self.by_name.values():
            for word in (gpu.name, *gpu.aliases):
                other = named.setdefault(_plain(word), gpu)
                if other is not gpu:
                    message = f"'{word}' names both {other.name} and {gpu.name}"
                    raise ValueError(message)
        for word, names in self.families.items():
            unknown = [name for name in names if name not in self.by_name]
            if unknown:
                message = f"family '{word}' has the unknown GPU '{unknown[0]}'"
                raise ValueError(message)
        meant = {_plain(word): names for word, names in self.families.items()}
        object.__setattr__(self, "_named", named)
        object.__setattr__(self, "_meant", meant)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the GPUs."""
        return tuple(self.by_name)

    def find(self, word: str) -> Gpu | None:
        """Return the one GPU that a word names, or None.

        Letter case, spaces, dashes, underscores and the brand do not count. None too for
        a word such as A100 that does not say which.
        """
        return self._named.get(_plain(word))

    def family(self, word: str) -> tuple[str, ...]:
        """Return the names of all GPUs that a word may mean; empty if it means none.

        A10 is both the A10 and the A10G of AWS: say which one is offered.
        """
        found = self.find(word)
        one = (found.name,) if found else ()
        return self._meant.get(_plain(word), one)


def _plain(word: str) -> str:
    """Return what counts in a name."""
    return _BRAND.sub("", _IGNORED.sub("", word).casefold())


@cache
def load_gpus() -> Gpus:
    """Return the GPUs that come with costsim."""
    file = resources.files("costsim.catalog") / "gpus.yaml"
    return read_gpus(file.read_text("utf-8"), str(file))


def read_gpus(text: str, path: str) -> Gpus:
    """Return the GPUs in the text of a file of GPUs.

    Raises
    ------
    CatalogError
        If the text does not follow the schema, a figure has no source, or a name is not
        clear.
    """
    # The C parser is ten times faster, and missing where PyYAML was built without it.
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        loaded = complete(_File.model_validate(_with_names(yaml.load(text, loader))))
        return Gpus(loaded.gpus, loaded.families)
    except (yaml.YAMLError, ValidationError, ValueError) as error:
        raise CatalogError(str(error), path=path) from error


def _with_names(loaded: Any) -> Any:  # noqa: ANN401 - whatever the file holds
    """Write each GPU's key into it as its name."""
    if not isinstance(loaded, dict) or not isinstance(loaded.get("gpus"), dict):
        return loaded
    named = {
        name: {**gpu, "name": name} if isinstance(gpu, dict) else gpu
        for name, gpu in loaded["gpus"].items()
    }
    return {**loaded, "gpus": named}
