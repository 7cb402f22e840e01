"""The answer of a sweep."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from costsim import __version__
from costsim.study.exports import Exports
from costsim.study.sweep.check import LeftOut
from costsim.study.sweep.summary import best_rows, effects
from costsim.study.sweep.table import FAILED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    import pyarrow as pa

    from costsim.study.sweep.axis import Axis
    from costsim.study.sweep.check import Checked
    from costsim.study.sweep.design import Point
    from costsim.study.sweep.summary import Best, Effect
    from costsim.study.sweep.table import Parameter

SCHEMA_VERSION = 1
"""Of summary.json; additions keep it, anything else raises it."""
_LISTED = 20
"""Points left out that a summary lists."""


@dataclass(frozen=True, eq=False)
class SweepResult(Exports):
    """What a sweep found."""

    kind = "sweep"

    scenario: str
    """Its name."""
    keys: tuple[str, ...]
    """What was varied."""
    points: int
    """All combinations, those that are not possible included."""
    table: pa.Table
    """A row for each point and deployment; what was varied comes as columns."""
    best: tuple[Best, ...]
    """The best row of each deployment, the cheapest deployment first."""
    effects: tuple[Effect, ...]
    """What each key does to each deployment."""
    left_out: tuple[LeftOut, ...]
    """Points that are not possible, with the reason."""
    failed: tuple[LeftOut, ...]
    """Points that could not be completed, with the reason."""
    warnings: tuple[str, ...]
    notes: tuple[str, ...]

    def to_rows(self) -> list[dict[str, Any]]:
        """Return one dict for each point and deployment; what is not known is None."""
        rows: list[dict[str, Any]] = self.table.to_pylist()
        return rows

    def to_pandas(self) -> pd.DataFrame:
        """Return the rows as a pandas DataFrame (``pip install 'costsim[pandas]'``)."""
        frame: pd.DataFrame = self.table.to_pandas()
        return frame

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Return all rows."""
        return {"results": self.to_rows()}

    def to_dict(self) -> dict[str, Any]:
        """Return the summary and every row."""
        return {**self.summary(), "rows": self.to_rows()}

    @property
    def file(self) -> str:
        """Name of the file that has all of it but the rows."""
        return "summary.json"

    def saved(self) -> dict[str, Any]:
        """Return the summary: there may be millions of rows, which have their own files."""
        return self.summary()

    def summary(self) -> dict[str, Any]:
        """Return all but the rows, as summary.json has it."""
        return {
            "schema_version": SCHEMA_VERSION,
            "costsim_version": __version__,
            "scenario": self.scenario,
            "keys": list(self.keys),
            "points": self.points,
            "points_left_out": len(self.left_out),
            "points_failed": len(self.failed),
            **{
                name: [_plain(dataclasses.asdict(one)) for one in some]
                for name, some in (
                    ("best", self.best),
                    ("effects", self.effects),
                    ("left_out", self.left_out[:_LISTED]),
                    ("failed", self.failed[:_LISTED]),
                )
            },
            "warnings": list(self.warnings),
            "notes": list(self.notes),
        }

    def __repr__(self) -> str:
        return (
            f"<costsim.SweepResult {self.scenario!r}: {self.points} points of "
            f"{', '.join(self.keys)}>"
        )


def collect(
    scenario: str,
    axes: Sequence[Axis],
    parameters: Sequence[Parameter],
    points: Sequence[Point],
    checked: Checked,
    parts: Iterable[bytes],
) -> SweepResult:
    """Return the answer from all finished parts.

    Parameters
    ----------
    scenario : str
        Its name.
    axes, parameters
        What was varied.
    points : sequence of Point
        All of them.
    checked : Checked
        What was known before they ran.
    parts : iterable of bytes
        Each as ``run_part`` returned it, in their order.
    """
    import pyarrow as pa
    from pyarrow import parquet

    tables = [parquet.read_table(pa.BufferReader(content)) for content in parts]
    failed = [
        LeftOut(points[int(index)], reason)
        for table in tables
        for index, reason in json.loads(table.schema.metadata[FAILED]).items()
    ]
    whole = pa.concat_tables([one.replace_schema_metadata() for one in tables])
    rows = whole.to_pylist()
    texts = {point.index: point.values for point in points}
    return SweepResult(
        scenario=scenario,
        keys=tuple(axis.key for axis in axes),
        points=len(points),
        table=whole,
        best=tuple(best_rows(axes, texts, rows)),
        effects=tuple(effects(axes, parameters, texts, rows)),
        left_out=tuple(checked.left_out),
        failed=tuple(failed),
        warnings=_counted(checked.warnings, len(checked.possible)),
        notes=_counted(checked.notes, len(checked.possible)),
    )


def _counted(texts: dict[str, int], total: int) -> tuple[str, ...]:
    """Return remarks with the number of points that they hold at, if not at all."""
    return tuple(
        text if n == total else f"{text} (at {n:,} of {total:,} points)"
        for text, n in texts.items()
    )


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever dataclasses hold
    """Return a value for JSON: what is not known is None."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
