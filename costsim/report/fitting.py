"""A model of a log: as a scenario file, and how near it is to the log."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import yaml
from rich.console import Group, RenderableType
from rich.text import Text

from costsim.report.columns import Column, fitting, render
from costsim.report.terminal import short
from costsim.study.bench import COLD_LIMIT, COST_LIMIT, P95_LIMIT, SETUP
from costsim.units import format_duration, format_fraction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from costsim.study.bench import Measured, PoolCheck
    from costsim.study.fitting import Fit
    from costsim.study.selfcheck import FigureCheck, SelfCheck

_WIDTH = 88
_LABELS = {
    "peak_to_mean": "peak to mean",
    "dispersion": "index of dispersion",
    "idle": "idle windows",
}
DEPLOYMENTS: tuple[dict[str, Any], ...] = (
    {
        "name": "modal L4 at zero",
        "platform": "modal",
        "gpu": "L4",
        "resources": {"cpu": 1, "memory": "16 GiB"},
        "settings": {"min_containers": 0, "scaledown_window": "60s"},
    },
    {
        "name": "baseten L4, one warm",
        "platform": "baseten",
        "instance": "L4:4x16",
        "settings": {"min_replica": 1, "max_replica": 10, "concurrency_target": 1},
    },
)
"""Deployments of a scenario that a model is written into, where nobody says."""


def fitted_scenario(
    fit: Fit,
    check: SelfCheck,
    name: str,
    *,
    setup: Any = None,  # noqa: ANN401 - as the scenario has it
    deployments: Sequence[Mapping[str, Any]] | None = None,
) -> str:
    """Return a scenario file with a model of a log as its traffic.

    Parameters
    ----------
    fit : Fit
        The model.
    check : SelfCheck
        The verdict on it, for the comment on top.
    name : str
        What the log is called.
    setup, deployments : optional
        Sections of the scenario; examples if left out.
    """
    remarks = [
        f"A model of the traffic in {_printable(name)}: {fit.process}.",
        _capital(check.verdict),
    ]
    if deployments is None:
        remarks.append("The deployments and the setup time are examples: put yours.")
    scenario = {
        "name": _printable(name)[:80],
        "seed": 1,
        **fit.section,
        "setup": SETUP if setup is None else setup,
        "deployments": list(deployments or DEPLOYMENTS),
    }
    comments = "".join(map(_comment, remarks))
    text = yaml.safe_dump(
        scenario,
        sort_keys=False,
        width=_WIDTH,
        default_flow_style=None,
        allow_unicode=True,
    )
    return f"{comments}\n{text}"


def fit_report(fit: Fit, check: SelfCheck, name: str, width: int) -> RenderableType:
    """Return what a model is, how near it is to its log, and whether to use it."""
    tried = "the only model tried"
    if len(fit.tried) > 1:
        tried = f"the nearest of {len(fit.tried)} models tried"
    head = f"{short(name, 40)}: {fit.process}, {tried}"
    times = f"{check.seeds} seeds of the model"
    if check.realizations > 1:
        times += f", {check.realizations} replays of the log"
    return Group(
        Text(head),
        Text(),
        Text(_capital(check.verdict), style="bold"),
        Text(),
        _pool_table(check.pools, width),
        Text(),
        _figure_table(check.figures, width),
        Text(),
        Text(f"MODEL is the mean, RANGE the least and the greatest of {times}."),
    )


def fit_rows(check: SelfCheck) -> list[dict[str, object]]:
    """Return what was compared, one row a figure, for programs."""
    rows: list[dict[str, object]] = []
    for pool in check.pools:
        rows += [
            {
                "deployment": pool.deployment,
                "figure": figure,
                "window_s": None,
                "log": pick(pool.log),
                "model": pick(pool.model),
                "relative_error": error,
                "allowed": limit,
            }
            for figure, pick, error, limit in (
                ("cost_usd_per_1k_requests", _cost, pool.cost_error, COST_LIMIT),
                ("p95_s", _p95, pool.p95_error, P95_LIMIT),
                ("cold_start_fraction", _cold, pool.cold_error, COLD_LIMIT),
            )
        ]
    rows += [
        {
            "deployment": None,
            "figure": one.figure,
            "window_s": one.window_s,
            "log": one.log,
            "model": one.model,
            "relative_error": None,
            "allowed": None,
        }
        for one in check.figures
    ]
    return rows


def _pool_table(pools: tuple[PoolCheck, ...], width: int) -> RenderableType:
    rows: list[tuple[str, ...]] = []
    for pool in pools:
        rows += [
            _line(pool, "$/1k requests", _cost, _money, pool.cost_error, COST_LIMIT),
            _line(pool, "p95", _p95, format_duration, pool.p95_error, P95_LIMIT),
            _line(pool, "cold", _cold, format_fraction, pool.cold_error, COLD_LIMIT),
        ]
    titles = (" ", "POOL", "MEASURE", "LOG", "MODEL", "ERROR", "ALLOWED")
    columns = [
        Column(title, cells, "left" if i < 3 else "right")
        for i, (title, cells) in enumerate(
            zip(titles, zip(*rows, strict=True), strict=True)
        )
    ]
    kept, _ = fitting(columns, ("ALLOWED",), width)
    return render(kept, width)


def _line(
    pool: PoolCheck,
    measure: str,
    pick: Callable[[Measured], float],
    form: Callable[[float], str],
    error: float,
    limit: float,
) -> tuple[str, ...]:
    mark = " " if abs(error) <= limit else "x"
    said = f"{error:+.1%}" if abs(error) < 10 else f"x{error + 1:.3g}"
    return (
        mark,
        short(pool.deployment, 24),
        measure,
        form(pick(pool.log)),
        form(pick(pool.model)),
        said,
        f"{limit:.0%}",
    )


def _figure_table(figures: tuple[FigureCheck, ...], width: int) -> RenderableType:
    known = [one for one in figures if one.log is not None and one.model is not None]

    def cells(pick: Callable[[FigureCheck], str]) -> tuple[str, ...]:
        return tuple(map(pick, known))

    return render(
        [
            Column("BURSTINESS", cells(lambda one: _LABELS[one.figure])),
            Column("IN", cells(lambda one: format_duration(one.window_s)), "right"),
            Column("LOG", cells(lambda one: _figure(one, one.log)), "right"),
            Column("MODEL", cells(lambda one: _figure(one, one.model)), "right"),
            Column("RANGE", cells(_spread), "right"),
        ],
        width,
    )


def _spread(one: FigureCheck) -> str:
    return f"{_figure(one, one.model_low)} to {_figure(one, one.model_high)}"


def _figure(one: FigureCheck, value: float | None) -> str:
    if value is None:
        return "-"
    if one.figure == "idle":
        return format_fraction(value)
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _cost(one: Measured) -> float:
    return one.cost_usd_per_1k_requests


def _p95(one: Measured) -> float:
    return one.p95_s


def _cold(one: Measured) -> float:
    return one.cold_start_fraction


def _money(usd: float) -> str:
    return f"{usd:,.4g}"


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _comment(text: str) -> str:
    return textwrap.indent(textwrap.fill(text, _WIDTH - 2), "# ") + "\n"


def _printable(name: str) -> str:
    return "".join(c if c.isprintable() else " " for c in name)
