"""The commands, and the one place that turns an error into text and an exit code."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from costsim.cli import output
from costsim.errors import (
    EXIT_INCOMPLETE,
    EXIT_INTERRUPTED,
    EXIT_OK,
    CostsimError,
)


class _Group(TyperGroup):
    """Prints errors raised on purpose; a bug stays a traceback."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - click is private to typer
        try:
            return super().invoke(ctx)
        except CostsimError as error:
            output.fail(str(error))
            raise typer.Exit(error.exit_code) from None
        except MemoryError:
            output.fail("out of memory; shorten the horizon")
            raise typer.Exit(EXIT_INCOMPLETE) from None
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            raise typer.Exit(EXIT_INTERRUPTED) from None
        except BrokenPipeError:
            # The reader (head, less) has what it wants; nothing is wrong.
            output.discard()
            raise typer.Exit(EXIT_OK) from None


app = typer.Typer(
    cls=_Group,
    help="What would each way of serving this traffic cost, and how slow would it be?",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from costsim import __version__

        output.write(f"costsim {__version__}\n")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Take the options that go before a command."""


def main() -> None:
    """Run the command line."""
    try:
        app()
    except SystemExit as end:
        if end.code == EXIT_INTERRUPTED:
            # Threads in the middle of a replication would hold the process until it ends.
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(EXIT_INTERRUPTED)
        raise


def _register() -> None:
    # Each command's module is light: what is heavy is imported inside the command.
    from costsim.cli import (
        breakeven,
        catalog,
        compare,
        explain,
        report,
        run,
        scenario,
        sweep,
        traffic,
        tune,
    )

    app.command("run")(run.run)
    app.command("compare")(compare.compare)
    app.command("breakeven")(breakeven.breakeven)
    app.command("tune")(tune.tune)
    app.command("sweep")(sweep.sweep)
    app.command("report")(report.report)
    app.command("init")(scenario.init)
    app.command("validate")(scenario.validate)
    app.command("schema")(scenario.schema)
    tables = typer.Typer(rich_markup_mode=None)
    tables.callback(invoke_without_command=True)(catalog.prices)
    tables.command("import")(catalog.import_prices)
    app.add_typer(tables, name="prices")
    app.command("platforms")(catalog.platforms)
    app.command("explain")(explain.explain)
    requests = typer.Typer(
        help="Requests: what they are like, a model of them, files for other tools.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    requests.command("describe")(traffic.describe)
    requests.command("plot")(traffic.plot)
    requests.command("fit")(traffic.fit)
    requests.command("export")(traffic.export)
    requests.command("formats")(traffic.formats)
    app.add_typer(requests, name="traffic")


_register()
