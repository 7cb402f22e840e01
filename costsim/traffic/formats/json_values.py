"""JSON values of a text, one at a time, however they are laid out."""

from __future__ import annotations

import codecs
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from costsim.errors import TraceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Json: TypeAlias = Any
"""What a JSON text holds."""
MAX_VALUE = 512 * 2**20
"""Longest JSON value. [characters]"""

_SPACE = " \t\r\n\ufeff"
_DECODER = json.JSONDecoder()


@dataclass(frozen=True)
class Unreadable:
    """A line that is not a JSON value."""

    text: str
    """The line."""


def json_lines(lines: Iterable[str]) -> Iterator[tuple[int, Json]]:
    """Yield the value on each line with the line's number; blank lines are left out."""
    for number, line in enumerate(lines, start=1):
        if not line or line.isspace():
            continue
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError):
            yield number, Unreadable(line)


def json_values(chunks: Iterator[bytes], path: str) -> Iterator[tuple[int, Json]]:
    """Yield values written one after the other, or the elements of one array.

    Raises
    ------
    TraceError
        If a value cannot be read, with the line; the values after it cannot be found.
    """
    buffer = _Buffer(chunks, path)
    in_array = buffer.skip_space() == "["
    if in_array:
        buffer.take(1)
    number = 0
    while True:
        character = buffer.skip_space()
        if in_array and character == "]":
            return
        if character == "":
            if in_array:
                buffer.refuse("ends before its array is closed; is it all there?")
            return
        number += 1
        yield number, buffer.value()
        if buffer.skip_space() == ",":
            buffer.take(1)
        elif in_array and buffer.skip_space() not in ("]", ""):
            buffer.refuse("is not valid JSON: a comma is missing")


class _Buffer:
    """Text that has been read and not been used yet."""

    def __init__(self, chunks: Iterator[bytes], path: str) -> None:
        self._chunks = chunks
        self._path = path
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._text = ""
        self._at = 0
        self._line = 1

    def skip_space(self) -> str:
        """Go to the next character that is no space and return it, "" at the end."""
        while True:
            text, at = self._text, self._at
            while at < len(text) and text[at] in _SPACE:
                at += 1
            self._move(at)
            if at < len(text):
                return text[at]
            if not self._more():
                return ""

    def take(self, n: int) -> None:
        """Leave characters behind."""
        self._move(self._at + n)

    def value(self) -> Json:
        """Return the value that begins here."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                ahead = error.pos - self._at
                if self._may_go_on(error) and self._more():
                    continue
                self._move(self._at + ahead)
                self.refuse(f"is not valid JSON: {error.msg}", error)
            except RecursionError as error:
                self.refuse("is not valid JSON: nested too deeply", error)
            # A number may go on in the next part; whatever ends itself does not.
            if end < len(self._text) or isinstance(value, dict | list | str):
                self._move(end)
                return value
            if not self._more():
                self._move(end)
                return value

    def refuse(self, message: str, cause: Exception | None = None) -> NoReturn:
        """Raise an error here."""
        raise TraceError(message, path=self._path, line=self._line) from cause

    def _may_go_on(self, error: json.JSONDecodeError) -> bool:
        """Say whether the text ends inside a value, rather than being wrong."""
        near_end = error.pos >= len(self._text) - 16
        return near_end or error.msg.startswith("Unterminated")

    def _move(self, at: int) -> None:
        self._line += self._text.count("\n", self._at, at)
        self._at = at

    def _more(self) -> bool:
        """Read on until there is twice the text; return False at the end."""
        rest = self._text[self._at :]
        parts, n, wanted = [rest], len(rest), 2 * len(rest) + 1
        while n < wanted:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            parts.append(self._decode(chunk))
            n += len(parts[-1])
            if n > MAX_VALUE:
                message = f"has a JSON value of more than {MAX_VALUE // 2**20:,} MiB"
                self.refuse(message)
        self._text, self._at = "".join(parts), 0
        return n > len(rest)
