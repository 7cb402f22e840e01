"""What ``--help`` prints of every command."""

from __future__ import annotations

from importlib.metadata import version

import pytest

_TYPER = "0.29."
_COMMANDS = (
    *("", "run", "compare", "breakeven", "tune", "sweep", "report"),
    *("init", "validate", "schema", "prices", "prices import", "platforms"),
    *("traffic", "traffic describe", "traffic plot", "traffic fit"),
    *("traffic formats", "traffic export"),
)


@pytest.mark.skipif(
    not version("typer").startswith(_TYPER),
    reason=f"the layout of help is typer's, and was written down with {_TYPER}x",
)
@pytest.mark.parametrize("command", _COMMANDS)
def test_the_help_of_every_command(invoke, golden, command):
    answer = invoke(*command.split(), "--help")

    golden(f"help-{command.replace(' ', '-') or 'costsim'}.txt", answer.out)
