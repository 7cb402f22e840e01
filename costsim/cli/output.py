"""Where output goes: answers to stdout, everything else to stderr."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console, RenderableType

_PIPE_WIDTH = 80


def takes_unicode(stream: TextIO) -> bool:
    """Return whether a stream can show block characters."""
    encoding = (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "")
    return encoding.startswith("utf")


def console() -> Console:
    """Return a console on stdout: no color and no markup unless it is a terminal."""
    from rich.console import Console

    plain = not sys.stdout.isatty() or "NO_COLOR" in os.environ
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _PIPE_WIDTH
    return Console(
        file=sys.stdout,
        width=width,
        color_system=None if plain else "auto",
        force_terminal=None if not plain else False,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=False,
    )


def show(renderable: RenderableType) -> None:
    """Print an answer for people, without trailing spaces."""
    target = console()
    if sys.stdout.isatty():
        target.print(renderable)
        return
    with target.capture() as capture:
        target.print(renderable)
    sys.stdout.write(
        "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())
    )


def write(text: str) -> None:
    """Print an answer for programs, as it is."""
    sys.stdout.write(text)


def remark(lines: Iterable[str], kind: str = "warning") -> None:
    """Print remarks on stderr, one a line."""
    for line in lines:
        clean = "".join(c if c.isprintable() else " " for c in line)
        print(f"{kind}: {clean}", file=sys.stderr)
