"""Where output goes: answers to stdout, everything else to stderr."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from costsim.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.console import Console, RenderableType

_PIPE_WIDTH = 80
_LEAST_WIDTH = 20
"""Narrower, not even one number fits."""


def takes_unicode(stream: TextIO) -> bool:
    """Return whether a stream can show block characters."""
    encoding = (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "")
    return encoding.startswith("utf")


def is_decorated(stream: TextIO) -> bool:
    """Return whether a stream takes color and progress: a terminal, not told otherwise.

    https://no-color.org: NO_COLOR counts when it is set and not empty.
    """
    unwanted = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return stream.isatty() and not unwanted


def console(stream: TextIO | None = None) -> Console:
    """Return a console on stdout: no color and no markup unless it is a terminal."""
    from rich.console import Console

    target = sys.stdout if stream is None else stream
    decorated = is_decorated(target)
    return Console(
        file=target,
        width=_width(),
        color_system="auto" if decorated else None,
        force_terminal=None if decorated else False,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=False,
    )


def show(renderable: RenderableType) -> None:
    """Print an answer for people, without trailing spaces."""
    target = console()
    if is_decorated(sys.stdout):
        with _delivery():
            target.print(renderable)
        return
    target.file = text = StringIO()
    target.print(renderable)
    write("".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines()))


def show_beside(renderable: RenderableType) -> None:
    """Print on stderr what people want to see beside an answer for programs."""
    target = console(sys.stderr)
    target.file = text = StringIO()
    target.print(renderable)
    for line in text.getvalue().splitlines():
        print(line.rstrip(), file=sys.stderr)


def write(text: str) -> None:
    """Print an answer for programs, as it is."""
    with _delivery():
        sys.stdout.write(text)


def write_bytes(content: bytes) -> None:
    """Print an answer for programs that is not text, or text in UTF-8."""
    with _delivery():
        target = getattr(sys.stdout, "buffer", None)
        if target is None:
            sys.stdout.write(content.decode())
        else:
            sys.stdout.flush()
            target.write(content)


def new_file(name: str, *, force: bool) -> Path:
    """Return a file to write.

    Raises
    ------
    OutputError
        If it is there already and shall not be replaced.
    """
    path = Path(name)
    if path.exists() and not force:
        message = "exists already; name another file, or give --force to replace it"
        raise OutputError(message, path=name)
    return path


def new_picture(name: str | None, *, force: bool) -> Path | None:
    """Return a picture to write, if one is asked for.

    Raises
    ------
    InputError
        If its name has no ending of a picture.
    OutputError
        If it is there already and shall not be replaced.
    """
    if name is None:
        return None
    from costsim.report.pictures import refuse_unless_picture

    path = new_file(name, force=force)
    refuse_unless_picture(path.suffix)
    return path


def new_folder(name: str, files: Iterable[str], *, force: bool) -> Path:
    """Return a folder to write these files to.

    Raises
    ------
    OutputError
        If one of them is there already and shall not be replaced.
    """
    folder = Path(name)
    for file in files:
        new_file(str(folder / file), force=force)
    return folder


def remark(lines: Iterable[str], kind: str = "warning") -> None:
    """Print remarks on stderr, one a line."""
    for line in lines:
        clean = "".join(c if c.isprintable() else " " for c in line)
        print(f"{kind}: {clean}", file=sys.stderr)


@contextmanager
def status(*, quiet: bool) -> Iterator[Callable[[str], None]]:
    """Show on stderr what is being done, if somebody looks; yield what tells it."""
    if quiet or not is_decorated(sys.stderr):
        yield lambda _: None
        return
    with console(sys.stderr).status("") as shown:
        yield shown.update


def fail(message: str) -> None:
    """Print an error on stderr, and how to have it explained."""
    # A file's name may hold what drives a terminal.
    clean = "".join(c if c.isprintable() or c == "\n" else " " for c in message)
    print(f"error: {clean}", file=sys.stderr)
    for line in _explained(message):
        print(line, file=sys.stderr)


def _explained(message: str) -> list[str]:
    """Return the commands that explain an error, or nothing."""
    try:
        from costsim.report.error_kinds import pointer

        return pointer(message)
    except Exception:  # noqa: BLE001 - help that fails must not hide the error
        return []


def discard() -> None:
    """Send what is left for stdout to nowhere, so that closing it cannot fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


@contextmanager
def _delivery() -> Iterator[None]:
    """Let an answer arrive: a character that stdout cannot show becomes ``?``.

    Raises
    ------
    OutputError
        If it cannot, as on a full disk.
    BrokenPipeError
        If nobody reads it any more.
    """
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")
    try:
        yield
        # Now, and not at exit, where a failure has no place to go.
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        discard()
        message = f"cannot be written: {error.strerror or error}"
        raise OutputError(message, path="standard output") from None


def _width() -> int | None:
    """Return the characters of a line; None: as many as the terminal has."""
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given) > 0:
        return max(_LEAST_WIDTH, int(given))
    return None if sys.stdout.isatty() else _PIPE_WIDTH
