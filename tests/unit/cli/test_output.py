"""Streams: who gets color and progress, and what never reaches a terminal."""

from __future__ import annotations

import io
import sys
import time

import pytest

from costsim.cli import output
from costsim.cli.progress import progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for name in ("NO_COLOR", "TERM", "COLUMNS", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("costsim.cli.progress._SHOW_AFTER_S", 0.0)


@pytest.mark.parametrize(
    ("environment", "decorated"),
    [
        ({}, True),
        ({"TERM": "xterm"}, True),
        ({"NO_COLOR": ""}, True),  # no-color.org: only when it is not empty
        ({"NO_COLOR": "0"}, False),
        ({"NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
    ],
)
def test_a_terminal_is_decorated_unless_it_is_told_not_to(
    monkeypatch, environment, decorated
):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert output.is_decorated(Terminal()) is decorated


def test_a_pipe_is_never_decorated(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")

    assert output.is_decorated(io.StringIO()) is False


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("utf-8", True), ("UTF8", True), ("utf-16", True), ("ascii", False),
     ("cp1252", False), (None, False)],
)  # fmt: skip
def test_block_characters_need_unicode(encoding, expected):
    class Stream:
        pass

    stream = Stream()
    stream.encoding = encoding

    assert output.takes_unicode(stream) is expected


def progress_shown(*, quiet: bool = False) -> str:
    """Return what a run of three replications shows on stderr."""
    with progress("replications", quiet=quiet) as on_progress:
        if on_progress is not None:
            on_progress(1, 3)
            time.sleep(0.15)
            on_progress(2, 3)
    return sys.stderr.getvalue()


def test_progress_is_shown_on_a_terminal_and_wiped(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")

    shown = progress_shown()

    assert "replications" in shown
    assert "1/3" in shown or "2/3" in shown
    # The cursor that a bar hides comes back.
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")


def test_progress_is_not_shown_to_the_quiet(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())

    assert progress_shown(quiet=True) == ""


def test_progress_is_not_shown_in_a_pipe(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())

    assert progress_shown() == ""


def test_progress_is_not_shown_without_color(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("NO_COLOR", "1")

    assert progress_shown() == ""


def test_what_ends_at_once_shows_no_progress(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr("costsim.cli.progress._SHOW_AFTER_S", 60.0)

    assert progress_shown() == ""


def test_remarks_are_one_line_each_without_control_characters(capsys):
    output.remark(["two\nlines", "\x1b[2Jx\u202e"], "note")

    assert capsys.readouterr() == ("", "note: two lines\nnote:  [2Jx \n")


def test_errors_keep_their_lines_and_nothing_else_that_does_not_print(capsys):
    output.fail("a:1:2: no\n  1 | \x1b[2J\n    | ^")

    assert capsys.readouterr() == ("", "error: a:1:2: no\n  1 |  [2J\n    | ^\n")


def test_an_answer_is_written_as_it_is(capsys):
    output.write("a\r\nb é")

    assert capsys.readouterr() == ("a\r\nb é", "")
