"""How near the models that ``costsim traffic fit`` finds are to the logs that they stand for.

Run as ``python tests/benchmark/bench_fit.py TRACES [PART]``: TRACES is a folder with the
published traces under the names below, PART chooses logs whose name contains it. Each log
is read by its reader, fitted, and checked against its replay on the reference pools; a row
has the errors of the model (cost of a request, p95 response time, share of cold starts)
with idle timeouts of 60 s and 300 s, the verdict, and the CPU seconds of both. The table
in docs/traffic.md is this one. Nothing is asserted.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from costsim.scenario.trace import Trace
from costsim.study.fitting import fit
from costsim.study.selfcheck import check
from costsim.traffic.describe import describe_log
from costsim.traffic.formats.detect import read_trace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from costsim.traffic.trace import TraceData

ALONE = {
    "Azure LLM 2023 code": "azure_llm_2023_code.csv.gz",
    "Azure LLM 2023 conv": "azure_llm_2023_conv.csv.gz",
    "Mooncake conversation": "mooncake_fast25_conversation.csv.gz",
    "Mooncake synthetic": "mooncake_fast25_synthetic.csv.gz",
}
NAB = "nab_request_like_series.csv.gz"
FUNCTIONS = "azure_functions_2019_500fn_invocations.csv.gz"
SERVEGEN = "servegen_language_clients_10min.parquet"
CLIENTS = (
    *("m-large/9", "m-large/59", "m-large/94", "m-large/157", "m-large/161"),
    *("m-mid/4", "m-mid/22", "m-mid/43", "m-mid/91"),
    *("m-small/4", "m-small/12", "m-small/20", "m-small/22"),
)
"""Busy, middling and mostly idle ones of three models, not chosen by how they fit."""
N_FUNCTIONS = 10
HEAD = (
    "log", "requests", "model", "cost 60 s", "p95", "cold", "cost 300 s", "p95", "cold",
    "verdict", "CPU",
)  # fmt: skip


def keyed(path: Path, *keys: str) -> TraceData:
    return read_trace(Trace(path=str(path), keys=keys))


def logs(folder: Path) -> Iterator[tuple[str, Path, tuple[str, ...]]]:
    """Yield what each log is called, its file, and the keys to read of it."""
    for name, file in ALONE.items():
        yield name, folder / file, ()
    for series in sorted(keyed(folder / NAB).keys):
        yield f"NAB {series.removeprefix('Twitter_volume_')}", folder / NAB, (series,)
    busiest = describe_log(keyed(folder / FUNCTIONS), "").sources[:N_FUNCTIONS]
    for rank, source in enumerate(busiest, start=1):
        yield f"Azure function {rank}", folder / FUNCTIONS, (source.name,)
    for client in CLIENTS:
        yield f"ServeGen {client}", folder / SERVEGEN, (client,)


def row(name: str, trace: TraceData) -> tuple[list[str], bool]:
    """Return the cells of a log, and whether its model can be used."""
    begin = time.process_time()
    model = fit(trace)
    verdict = check(trace, model)
    errors = [
        f"{error:+.0%}" if np.isfinite(error) else "-"
        for pool in verdict.pools
        for error in (pool.cost_error, pool.p95_error, pool.cold_error)
    ]
    said = "use" if verdict.use else "replay"
    seconds = f"{time.process_time() - begin:.0f} s"
    return [name, f"{trace.n_requests:,}", model.process, *errors, said, seconds], (
        verdict.use
    )


def main() -> None:
    folder = Path(sys.argv[1])
    part = sys.argv[2] if len(sys.argv) > 2 else ""
    print(f"| {' | '.join(HEAD)} |")
    print(f"| --- | ---: | --- |{' ---: |' * 6} --- | ---: |")
    used = []
    for name, path, keys in logs(folder):
        if part in name:
            cells, use = row(name, keyed(path, *keys))
            used.append(use)
            print(f"| {' | '.join(cells)} |", flush=True)
    print(f"{sum(used)} of {len(used)} models can be used")


if __name__ == "__main__":
    main()
