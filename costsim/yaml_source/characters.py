"""Bytes to characters: UTF-8 only, and nothing invisible."""

from __future__ import annotations

import re

from costsim.errors import Problem

MAX_BYTES = 512 * 1024
"""Largest file: a parser in Python needs seconds for it. Measurements go into a trace."""

NEWLINE = re.compile(r"\r\n|\r|\n")

# C0, DEL, C1, the Unicode line separators (a line break for PyYAML, for no editor), byte
# order marks, surrogates and non-characters.
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]"
)


class NotYamlError(Exception):
    """Nothing can be read."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def read_characters(text: str | bytes) -> str:
    """Return the characters of a file, without a leading byte order mark.

    Raises
    ------
    NotYamlError
        If it is too large, not UTF-8, or holds control characters.
    """
    if len(text) > MAX_BYTES:
        message = (
            f"larger than {MAX_BYTES // 1024} KiB, the most that is read; "
            "measurements belong in a trace"
        )
        raise NotYamlError(Problem(message, line=1, column=1))
    if isinstance(text, bytes):
        text = _from_utf8(text)
    text = text.removeprefix("\ufeff")
    bad = FORBIDDEN.search(text)
    if bad is None:
        return text
    message = f"the invisible character U+{ord(bad.group()):04X} is not allowed"
    raise NotYamlError(_at(bad.start(), text, message))


def split_lines(characters: str) -> tuple[str, ...]:
    """Return the lines, without their newlines, as editors count them."""
    return tuple(NEWLINE.split(characters))


def _from_utf8(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:4]:
        message = "not UTF-8 text but UTF-16 or binary; save it as UTF-8"
        raise NotYamlError(Problem(message, line=1, column=1))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        message = f"the byte 0x{data[error.start]:02X} is not UTF-8; save it as UTF-8"
        text = data.decode("utf-8", errors="replace")
        raise NotYamlError(_at(len(before), text, message)) from None


def _at(offset: int, text: str, message: str) -> Problem:
    before = split_lines(text[:offset].removeprefix("\ufeff"))
    source = split_lines(text)[len(before) - 1]
    return Problem(message, line=len(before), column=len(before[-1]) + 1, source=source)
