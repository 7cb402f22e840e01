"""Every request of the first replication, as Parquet: what became of it, where and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from costsim.errors import InputError
from costsim.records import Outcome
from costsim.study.replicate import request_records
from costsim.study.run import plan
from costsim.traffic.source import expected_requests
from costsim.whole_file import whole_file

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from costsim.records import Records
    from costsim.scenario.deployment import ResolvedDeployment
    from costsim.scenario.schema import Scenario

MOST_REQUESTS = 50_000_000
"""Requests of one replication: they are in memory at once, one deployment's at a time."""


def write_requests(
    scenario: Scenario, deployments: tuple[ResolvedDeployment, ...], path: Path
) -> None:
    """Write a row for each deployment and request of the first replication.

    Parameters
    ----------
    scenario : Scenario
        What was run.
    deployments : tuple of ResolvedDeployment
        Its deployments.
    path : Path
        The file.

    Raises
    ------
    InputError
        If there are too many requests, or the file cannot be written.
    """
    from pyarrow import parquet

    study = plan(scenario, deployments)
    n = expected_requests(scenario, study.trace, study.horizon_s)
    if n > MOST_REQUESTS:
        message = (
            f"about {n:,.0f} requests in a replication; {MOST_REQUESTS:,} can be written "
            "one by one: shorten the horizon, or leave out --requests"
        )
        raise InputError(message)
    with (
        whole_file(path) as file,
        parquet.ParquetWriter(file, _schema(), compression="zstd") as writer,
    ):
        for one in deployments:
            writer.write_table(_table(one.name, request_records(study, one, 0)))


def _schema() -> pa.Schema:
    import pyarrow as pa

    word = pa.dictionary(pa.int32(), pa.string())
    return pa.schema(
        [
            ("deployment", word),
            ("arrival_s", pa.float64()),
            ("wait_s", pa.float64()),
            ("response_s", pa.float64()),
            ("outcome", word),
            ("cold", pa.bool_()),
            ("replica", pa.int32()),
        ]
    )


def _table(deployment: str, rows: Records) -> pa.Table:
    """Return requests in the order of their arrival; what did not happen is null."""
    import numpy as np
    import pyarrow as pa

    n = len(rows)
    names = [one.name.lower() for one in Outcome]
    wait_s = rows["start_s"] - rows["arrival_s"]
    response_s = rows["departure_s"] - rows["arrival_s"]
    replica = rows["replica"]
    columns = [
        pa.DictionaryArray.from_arrays(np.zeros(n, np.int32), [deployment]),
        pa.array(rows["arrival_s"]),
        pa.array(wait_s, mask=np.isnan(wait_s)),
        pa.array(response_s, mask=np.isnan(response_s)),
        pa.DictionaryArray.from_arrays(rows["outcome"].astype(np.int32), names),
        pa.array(rows["cold"]),
        pa.array(replica, mask=replica < 0),
    ]
    return pa.Table.from_arrays(columns, schema=_schema())
