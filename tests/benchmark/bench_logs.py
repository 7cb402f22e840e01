"""How fast logs are read, and in how much memory.

Run as ``python tests/benchmark/bench_logs.py [ROWS] [GIGABYTES]``. Each row of the table
is a log of ROWS requests (a million), written to a temporary folder and read in a process
of its own: detection, parsing, sorting, everything. Beside it stands how many times as
long the usual way takes in the same run: pandas for tables, a compiled regular expression
and strptime for access logs, json for JSON lines. With GIGABYTES a CSV of that size is
read last; its columns are sorted on disk. Nothing is asserted.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import numpy as np

N = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
GIGABYTES = float(sys.argv[2]) if len(sys.argv) > 2 else 0.0
START_MS = 1_767_225_600_000

READ = """
import re, sys, time
from pathlib import Path
from costsim.scenario.trace import Trace
from costsim.traffic.formats.detect import read_trace
begin = time.process_time()
trace = read_trace(Trace(path=sys.argv[1]))
seconds = time.process_time() - begin
status = Path("/proc/self/status").read_text()
peak_mb = int(re.search(r"VmHWM:\\s*(\\d+)", status)[1]) / 1024
print(len(trace.arrival_s), seconds, peak_mb, trace.format)
"""
COMBINED = re.compile(
    r'(\S+) \S+ \S+ \[([^\]]+)\] "([^"]*)" (\d+) (\S+) "([^"]*)" "([^"]*)"'
)


def rows(n: int) -> tuple[list[int], list[str]]:
    """Return arrivals [ms] and durations [s] of n requests."""
    rng = np.random.default_rng(1)
    arrival_ms = START_MS + np.cumsum(rng.exponential(200.0, n)).astype(np.int64)
    return arrival_ms.tolist(), [f"{value:.3f}" for value in rng.lognormal(0, 0.5, n)]


def write_csv(path: Path) -> None:
    pairs = zip(*rows(N), strict=True)
    path.write_text(
        "arrival,duration\n" + "".join(f"{a},{d}\n" for a, d in pairs), "utf-8"
    )


def write_jsonl(path: Path) -> None:
    pairs = zip(*rows(N), strict=True)
    path.write_text(
        "".join(f'{{"arrival": {a}, "duration": {d}}}\n' for a, d in pairs), "utf-8"
    )


def write_parquet(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrival, duration = rows(N)
    table = pa.table({"arrival": arrival, "duration": list(map(float, duration))})
    pq.write_table(table, path)


def write_combined(path: Path) -> None:
    lines = []
    for i, arrival_ms in enumerate(rows(N)[0]):
        seconds = arrival_ms // 1000
        stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(seconds))
        lines.append(
            f'192.0.2.{i % 256} - - [{stamp}] "POST /v1/models/{i % 40} HTTP/1.1" 200 '
            f'{i % 90_000} "https://example.com/{i % 1000}" "Mozilla/5.0 (X11; Linux)"\n'
        )
    path.write_text("".join(lines), "utf-8")


def pandas_csv(path: Path) -> None:
    import pandas as pd

    pd.read_csv(path).sort_values("arrival")


def pandas_parquet(path: Path) -> None:
    import pandas as pd

    pd.read_parquet(path).sort_values("arrival")


def json_lines(path: Path) -> None:
    with path.open(encoding="utf-8") as lines:
        np.sort([json.loads(line)["arrival"] for line in lines])


def regular_expression(path: Path) -> None:
    form = "%d/%b/%Y:%H:%M:%S %z"
    with path.open(encoding="utf-8") as lines:
        found = (COMBINED.match(line) for line in lines)
        np.sort([datetime.strptime(m[2], form).timestamp() for m in found if m])  # noqa: DTZ007 - %z is in the form


CASES = {
    "CSV": ("log.csv", write_csv, pandas_csv, "pandas"),
    "JSON lines": ("log.jsonl", write_jsonl, json_lines, "json"),
    "Parquet": ("log.parquet", write_parquet, pandas_parquet, "pandas"),
    "access log": ("access.log", write_combined, regular_expression, "re, strptime"),
}


def read(path: Path) -> tuple[float, float, float]:
    """Return rows, CPU seconds and megabytes at the peak of reading a log."""
    answer = subprocess.run(
        [sys.executable, "-c", READ, str(path)], capture_output=True, check=True
    )
    n, seconds, peak_mb, _ = answer.stdout.split()
    return float(n), float(seconds), float(peak_mb)


def write_large(path: Path) -> None:
    """Write a CSV of the size that was asked for, the same rows again and again."""
    arrival_ms, duration = rows(N)
    span_ms = arrival_ms[-1] - START_MS + 1
    arrivals = np.array(arrival_ms)
    with path.open("w", encoding="utf-8") as file:
        file.write("arrival,duration\n")
        times = 0
        while file.tell() < GIGABYTES * 1e9:
            moved = (arrivals + times * span_ms).tolist()
            file.writelines(f"{a},{d}\n" for a, d in zip(moved, duration, strict=True))
            times += 1


def main() -> None:
    print(f"{'log':<14}{'rows/s':>10}{'CPU s':>8}{'peak MB':>9}{'x':>7}  the usual way")
    with tempfile.TemporaryDirectory() as folder:
        for name, (file, write, usual, how) in CASES.items():
            path = Path(folder) / file
            write(path)
            n, seconds, peak_mb = read(path)
            begin = time.process_time()
            usual(path)
            ratio = (time.process_time() - begin) / seconds
            rate = f"{n / seconds / 1e6:.2f} M"
            print(
                f"{name:<14}{rate:>10}{seconds:>8.2f}{peak_mb:>9.0f}{ratio:>7.1f}  {how}"
            )
            path.unlink()
        if GIGABYTES:
            path = Path(folder) / "large.csv"
            write_large(path)
            n, seconds, peak_mb = read(path)
            name = f"CSV, {path.stat().st_size / 1e9:.0f} GB"
            rate = f"{n / seconds / 1e6:.2f} M"
            print(f"{name:<14}{rate:>10}{seconds:>8.1f}{peak_mb:>9.0f}")


if __name__ == "__main__":
    main()
