"""Every exception that costsim raises on purpose, and the exit code of each.

::

    CostsimError               exit 3   base; never raised itself
    ├── InputError             exit 2   the user's files or options
    │   ├── ScenarioError               a scenario file: every problem found in it
    │   ├── TraceError                  a recorded trace: what is wrong, at which lines
    │   ├── CatalogError                a platform file: its schema, a missing price
    │   └── OutputError                 a result cannot be written where it was asked for
    └── SimulationError        exit 3   the run cannot be completed
        └── UnstableQueueError          a steady state was asked for where none exists

Programming mistakes stay plain ``ValueError`` and ``TypeError``: a bug must look like
a bug. A missed SLO is not an error; with ``--check`` it is exit code 1.
"""

from __future__ import annotations

from dataclasses import dataclass

EXIT_OK = 0
EXIT_SLO_MISSED = 1
EXIT_INPUT = 2
EXIT_INCOMPLETE = 3
EXIT_INTERRUPTED = 130


class CostsimError(Exception):
    """Base of all errors raised on purpose."""

    exit_code: int = EXIT_INCOMPLETE


class InputError(CostsimError):
    """The user's files or options are wrong.

    Parameters
    ----------
    message : str
        What was written, what is allowed, what to do next.
    path : str, optional
        The file at fault.
    line : int, optional
        Its line, counted from 1.
    """

    exit_code = EXIT_INPUT

    def __init__(
        self, message: str, *, path: str | None = None, line: int | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.line = line

    def __str__(self) -> str:
        where = [str(part) for part in (self.path, self.line) if part is not None]
        return ": ".join([":".join(where), self.message] if where else [self.message])


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a scenario file."""

    message: str
    """What was written, what is allowed."""
    key: str = ""
    """Dotted path of the key, such as ``traffic.streams.0.rate``."""
    line: int | None = None
    """Counted from 1; None where the value came from the command line."""
    column: int | None = None
    """Counted from 1."""
    length: int = 1
    """Characters to underline."""
    source: str = ""
    """The offending line, without its newline."""


class ScenarioError(InputError):
    """A scenario file cannot be used; carries every problem found in it."""

    def __init__(self, problems: list[Problem], *, path: str | None = None) -> None:
        first = problems[0].message if problems else "invalid scenario"
        line = problems[0].line if problems else None
        super().__init__(first, path=path, line=line)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(_describe(problem, self.path) for problem in self.problems)


class TraceError(InputError):
    """A recorded trace cannot be used."""


class CatalogError(InputError):
    """A platform file is wrong, or has no such price."""


class OutputError(InputError):
    """A result cannot be written where it was asked for."""


class SimulationError(CostsimError):
    """The run cannot be completed."""


class UnstableQueueError(SimulationError):
    """A steady-state formula was asked for at an offered load it cannot carry.

    Parameters
    ----------
    offered_load : float
        Arrival rate times mean service time. [erlang]
    servers : float
        Slots that share it.
    """

    def __init__(self, offered_load: float, servers: float) -> None:
        super().__init__(
            f"no steady state: offered load {offered_load:g} erlang on {servers:g} "
            "slots; it must be below the number of slots"
        )
        self.offered_load = offered_load
        self.servers = servers


class CostsimWarning(UserWarning):
    """Something the user should know before trusting a result."""


def _describe(problem: Problem, path: str | None) -> str:
    """Return one problem as ``file:line:column: key: message``, with an excerpt."""
    # Without a line it is not about the file, but about an option of the command.
    place = [] if problem.line is None else [path, problem.line, problem.column]
    head = ":".join(str(part) for part in place if part is not None)
    text = ": ".join(part for part in (head, problem.key, problem.message) if part)
    if problem.line is None or problem.column is None or not problem.source:
        return text
    return f"{text}\n{_excerpt(problem.source, problem.line, problem.column, problem.length)}"


_EXCERPT_WIDTH = 72


def _excerpt(source: str, line: int, column: int, length: int) -> str:
    """Return the line with carets under the offence, cut to fit a terminal."""
    start = max(0, column - 1 - _EXCERPT_WIDTH // 2) if column > _EXCERPT_WIDTH else 0
    visible = source[start : start + _EXCERPT_WIDTH].replace("\t", " ")
    # Control characters in a hostile file must not reach the terminal.
    visible = "".join(
        c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in visible
    )
    indent = column - 1 - start
    carets = "^" * max(1, min(length, len(visible) - indent))
    gutter = " " * len(str(line))
    return f"  {line} | {visible}\n  {gutter} | {' ' * indent}{carets}"
