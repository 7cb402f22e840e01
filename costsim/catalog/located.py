"""What is wrong with a file of the catalog, told with its place, all in one go."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from costsim.catalog.lookup import did_you_mean
from costsim.errors import CatalogError, Problem, ScenarioError
from costsim.spec import RuleError, Spec
from costsim.yaml_source import Document, read_yaml, shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pydantic import ValidationError

    from costsim.catalog.provenance import Loc


@dataclass
class Problems:
    """What is wrong with a file, and where."""

    document: Document
    found: list[Problem] = field(default_factory=list)

    def add(
        self, loc: Loc, message: str, *, at: Literal["key", "value"], word: str = ""
    ) -> None:
        """Add a problem at the way to a key or value, or at a word in that value."""
        place = self.document.locate(loc, at=at)
        if word:
            place = self.document.locate_word(word, after=place)
        key = ".".join(map(str, loc))
        self.found.append(Problem(message, key, *place))

    def add_faults(
        self, error: ValidationError, allowed: Callable[[Loc], list[str]]
    ) -> None:
        """Add what pydantic found.

        Parameters
        ----------
        error : ValidationError
            From the file's model.
        allowed : callable
            The keys that are allowed beside an unknown one, for a suggestion.
        """
        for one in error.errors(include_url=False):
            loc, at, word = one["loc"], "value", ""
            if one["type"] == "extra_forbidden":
                near = did_you_mean(loc[-1], allowed(loc))
                message, at = f"unknown key{near}", "key"
            elif one["type"] == "missing":
                message = "is missing"
            elif one["type"] in {"model_type", "dict_type"}:
                message = f"must be a mapping, found {shown(one['input'])}"
            else:
                # Without pydantic's "Value error, " in front.
                cause = one.get("ctx", {}).get("error", one["msg"])
                message = str(cause)
                if isinstance(cause, RuleError):
                    loc, word = (*loc, *cause.key), cause.word
            self.add(loc, message, at="key" if at == "key" else "value", word=word)

    def refuse_if_any(self) -> None:
        """Raise a ``CatalogError`` that shows every problem, in the file's order."""
        if self.found:
            ordered = sorted(self.found, key=lambda one: (one.line or 0, one.key))
            raise _refusal(ordered, self.document.path)


def _refusal(problems: list[Problem], path: str) -> CatalogError:
    # Told like the problems of a scenario: file, line, key, and the line itself.
    return CatalogError(str(ScenarioError(problems, path=path)))


def read_located(path: Path) -> Document:
    """Return a file's content with the place of everything in it.

    Raises
    ------
    CatalogError
        If it cannot be read, or is no YAML.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        message = f"cannot read this file: {error.strerror or error}"
        raise CatalogError(message, path=str(path)) from error
    return parse_located(content, str(path))


def parse_located(content: str | bytes, path: str) -> Document:
    """Return the content of a text as ``read_located`` does."""
    try:
        return read_yaml(content, path=path)
    except ScenarioError as error:
        raise _refusal(error.problems, path) from None


def keys_beside(model: type[Spec], loc: Loc) -> list[str]:
    """Return the keys that a model allows at the place of an unknown one."""
    at: Any = model
    for key in loc[:-1]:
        at = _inside(at, key)
    return list(at.model_fields) if _is_model(at) else []


def _inside(annotation: Any, key: str | int) -> Any:  # noqa: ANN401 - any type there is
    """Return the type of what a key of a typed value leads to, or None."""
    if _is_model(annotation):
        field = annotation.model_fields.get(key)
        return None if field is None else _one_of(field.annotation)
    inner = get_args(annotation)
    place = {dict: 1, tuple: 0}.get(get_origin(annotation))
    return None if place is None else _one_of(inner[place])


def _one_of(annotation: Any) -> Any:  # noqa: ANN401 - any type there is
    """Return the first of several types: what may also be None has it first."""
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    is_union = get_origin(annotation) in (Union, UnionType)
    return get_args(annotation)[0] if is_union else annotation


def _is_model(annotation: Any) -> bool:  # noqa: ANN401 - any type there is
    return isinstance(annotation, type) and issubclass(annotation, Spec)
