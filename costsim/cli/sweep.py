"""``costsim sweep``: a scenario at many points, on all cores or on a cluster."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from costsim.cli import answers, output
from costsim.cli.options import (
    Force,
    Form,
    Format,
    Overrides,
    Page,
    Prices,
    Quiet,
    Replications,
    ScenarioPath,
    Seed,
    changes_of,
)
from costsim.cli.progress import progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from costsim.study.executor import Workers


def sweep(
    scenario: ScenarioPath,
    vary: Annotated[
        list[str],
        typer.Option(
            metavar="KEY=VALUES",
            help="Values of a key: a,b,c or 1..8 or LOW..HIGH:N or LOW..HIGH:N:log; "
            "repeatable, for all combinations.",
        ),
    ],
    draw: Annotated[
        int | None,
        typer.Option(
            "--latin-hypercube",
            metavar="N",
            help="Draw N points instead of all combinations; ranges need no N then.",
        ),
    ] = None,
    overrides: Overrides = None,
    seed: Seed = None,
    replications: Replications = None,
    prices: Prices = None,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="Keep results here (Parquet, CSV, JSON); the same command goes on "
            "where it was stopped.",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Processes; as many as cores if left out."
        ),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Of a Dask scheduler, such as tcp://host:8786, to run there.",
        ),
    ] = None,
    form: Form = Format.table,
    html: Page = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Simulate a scenario at every combination of values; resumes where it was stopped."""
    from costsim.study.sweep.axis import split_options
    from costsim.study.sweep.sweep import sweep as run_sweep

    page = None if html is None else output.new_file(html, force=force)
    values = split_options(vary)
    with (
        _telling_what_is_kept(out),
        progress("points", quiet=quiet) as on_progress,
    ):
        result = run_sweep(
            scenario,
            values,
            draw=draw,
            overrides=changes_of(overrides, seed, replications),
            prices=prices,
            out=out,
            workers=_place(workers, cluster),
            on_check=on_progress,
            on_progress=on_progress,
        )
    answers.deliver(result, form, html=page)
    if not quiet:
        output.remark(result.notes, "note")
        output.remark(result.warnings)
        if out is not None:
            output.remark([f"all results are in {out}"], "note")


@contextmanager
def _telling_what_is_kept(out: str | None) -> Iterator[None]:
    """Say after an interrupt that the work was not in vain."""
    try:
        yield
    except KeyboardInterrupt:
        if out is not None:
            kept = (
                f"what is finished is kept in {out}; the same command goes on from it"
            )
            output.remark([kept], "note")
        raise


def _place(count: int | None, cluster: str | None) -> Workers | None:
    """Return where to run; None: whatever fits."""
    from costsim.errors import InputError
    from costsim.study.executor import Workers

    if cluster is not None:
        if count is not None:
            message = "--workers is of this machine; a cluster has its own"
            raise InputError(message)
        return Workers(cluster=cluster)
    return None if count is None else Workers(count, processes=True)
