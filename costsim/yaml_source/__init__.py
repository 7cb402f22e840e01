"""YAML 1.2, with the place of every value, and bounds that no file can exceed.

PyYAML parses; what a plain word means is decided here, because PyYAML itself reads
YAML 1.1, where ``12:30`` is 750, ``no`` is false and a repeated key silently wins.
Only the core types are read; other tags, recursive aliases and control characters are
refused.
"""

from __future__ import annotations

from costsim.errors import Problem, ScenarioError
from costsim.yaml_source.characters import NotYamlError, read_characters, split_lines
from costsim.yaml_source.document import Document, Location, Override
from costsim.yaml_source.syntax import read_nodes
from costsim.yaml_source.values import Builder, FileFloat, shorten, shown

__all__ = [
    "Document",
    "FileFloat",
    "Location",
    "Override",
    "examine_yaml",
    "read_yaml",
    "shorten",
    "shown",
]


def read_yaml(text: str | bytes, *, path: str) -> Document:
    """Return the document in a text.

    Parameters
    ----------
    text : str or bytes
        Bytes must be UTF-8.
    path : str
        Where it comes from, for messages.

    Raises
    ------
    ScenarioError
        With every problem found.
    """
    document, problems = examine_yaml(text, path=path)
    if problems:
        raise ScenarioError(problems, path=path)
    return document


def examine_yaml(text: str | bytes, *, path: str) -> tuple[Document, list[Problem]]:
    """Return as much of the document as can be read, and the problems with the rest.

    Raises
    ------
    ScenarioError
        If nothing can be read, because the text is not YAML or exceeds a bound.
    """
    try:
        characters = read_characters(text)
        lines = split_lines(characters)
        root = read_nodes(characters, lines)
    except NotYamlError as error:
        raise ScenarioError([error.problem], path=path) from None
    builder = Builder(lines)
    value, place = builder.build(root, None)
    if isinstance(value, dict):
        # Room for anchors at the top, as Docker Compose has it.
        value = {key: item for key, item in value.items() if not _is_extension(key)}
    return Document(path, value, lines, place), builder.problems


def _is_extension(key: object) -> bool:
    return isinstance(key, str) and key.startswith("x-")
