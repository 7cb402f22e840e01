"""Kinds of errors, and which of them a message is of.

Read from the page of the documentation itself (``docs/errors.md``), which comes with the
package. What a command that fails needs is here, so nothing heavy is imported.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from costsim.report.shipped import shipped_page

EXIT_CODES = "exit codes"
"""What the part of the page is called that has them."""
CLASSES = "classes"

VARIES = "..."
"""Stands in a pattern for words that vary."""
_MOST_NAMED = 3
"""Kinds that one failure names."""
_LONGEST = 2000
"""Characters of a line that are looked at."""
_EXCERPT = re.compile(r"\s*\d* \| ")
"""How the lines begin that show a part of the user's file."""
_CODE = re.compile(r"`([^`]+)`")
_EXAMPLE = re.compile(r"^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class ErrorKind:
    """Errors with one cause and one remedy."""

    name: str
    """Such as ``unknown-key``."""
    says: tuple[str, ...]
    """Patterns of its messages, ``...`` where words vary."""
    why: str
    """Why costsim refuses."""
    remedy: str
    """What to do."""
    example: str
    """What is right, lines of a file; empty if none helps."""


@dataclass(frozen=True)
class Section:
    """A part of the page that has a table: exit codes, classes of errors."""

    name: str
    rows: tuple[dict[str, str], ...]
    """By heading."""
    text: tuple[str, ...]
    """Paragraphs around the table."""


def kinds_of(message: str) -> list[ErrorKind]:
    """Return the kinds that a message is of, one for each problem that it tells.

    Parameters
    ----------
    message : str
        As it was printed, also with ``error:``, a file and its line in front, also
        wrapped by a terminal.
    """
    lines = [one for one in message.splitlines() if not _EXCERPT.match(one)]
    found = [kind for line in lines if (kind := _best(line)) is not None]
    if len(lines) > 1 and not found:
        found = [kind] if (kind := _best(" ".join(message.split()))) else []
    return list(dict.fromkeys(found))


def pointer(message: str) -> list[str]:
    """Return the commands that explain a failure, a line each; none if it is of no kind."""
    kinds = kinds_of(message)[:_MOST_NAMED]
    return [f"explain: costsim explain {kind.name}" for kind in kinds]


@cache
def error_kinds() -> dict[str, ErrorKind]:
    """Return every kind by its name, in the order of the page."""
    tables = {EXIT_CODES, CLASSES}
    return {name: _kind(name, text) for name, text in _sections() if name not in tables}


def section(name: str) -> Section:
    """Return the part of the page with the exit codes, or with the classes."""
    text = dict(_sections())[name]
    headings: list[str] = []
    rows = []
    for line in text.splitlines():
        cells = [plain(cell) for cell in line.strip("|").split("|")]
        if line.startswith("|") and not headings:
            headings = cells
        elif line.startswith("|") and not set(line) <= set("|-: "):
            rows.append(dict(zip(headings, cells, strict=True)))
    around = [one for one in text.split("\n\n") if not one.startswith("|")]
    return Section(name, tuple(rows), tuple(plain(one) for one in around))


def plain(text: str) -> str:
    """Return a piece of the page without marks and line breaks."""
    return " ".join(text.replace("`", "").split())


def matched(pattern: str, message: str) -> bool:
    """Return whether a message, or its end behind a colon, begins as a pattern says."""
    first, *others = pattern.split(VARIES)
    # By searching alone, so that no message takes long, whatever a file put into it.
    for start in _starts(message):
        if message.startswith(first, start):
            return _goes_on(others, message, start + len(first))
    return False


def _starts(message: str) -> list[int]:
    return [0, *(found.end() for found in re.finditer(": ", message))]


def _goes_on(parts: list[str], message: str, at: int) -> bool:
    """Return whether the rest of a message has all parts, one after the other."""
    last = ""
    for part in parts:
        found = message.find(part, at)
        if found < 0:
            return False
        at, last = found + len(part), part
    ended = bool(parts) and not last
    return ended or not message[at : at + 1].isalnum()


def _best(line: str) -> ErrorKind | None:
    """Return the kind of which a pattern fits with the most letters of its own."""
    text = line.strip()[:_LONGEST]
    fitting = [
        (len(pattern.replace(VARIES, "")), kind)
        for kind in error_kinds().values()
        for pattern in kind.says
        if matched(pattern, text)
    ]
    return max(fitting, key=lambda one: one[0], default=(0, None))[1]


@cache
def _sections() -> list[tuple[str, str]]:
    """Return the parts of the page, each with its heading."""
    parts = shipped_page("errors.md").split("\n## ")[1:]
    return [(name.strip(), text.strip()) for name, _, text in map(_headed, parts)]


def _headed(part: str) -> tuple[str, str, str]:
    return part.partition("\n")


def _kind(name: str, text: str) -> ErrorKind:
    example = _EXAMPLE.search(text)
    said = {}
    for paragraph in _EXAMPLE.sub("", text).split("\n\n"):
        label, _, words = paragraph.partition(": ")
        said[label.strip()] = words
    patterns = (" ".join(one.split()) for one in _CODE.findall(said["Says"]))
    return ErrorKind(
        name,
        tuple(patterns),
        plain(said["Why"]),
        plain(said["Do"]),
        example[1] if example else "",
    )
