"""How soon a page can be used: from opening the file to its scripts being done, in Chromium.

Run as ``python tests/benchmark/bench_page.py [SCENARIO ...]``: the shipped ones without a
trace, if nothing is said; two replications each. Needs playwright and Chromium.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from costsim.report.page.page import page
from costsim.scenario.load import load_scenario
from costsim.study.run import run

_ROUNDS = 5
_READY = "performance.getEntriesByName('ready')[0].startTime"


def main(*names: str) -> None:
    """Print the size of each page and the median time until it is ready."""
    folder = Path(__file__).parents[2] / "scenarios"
    paths = [Path(name) for name in names] or [
        path
        for path in sorted(folder.glob("*.yaml"))
        if "trace:" not in path.read_text()
    ]
    with tempfile.TemporaryDirectory() as where, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for path in paths:
            result = run(load_scenario(path, overrides=["replications=2"]))
            target = Path(where) / f"{path.stem}.html"
            target.write_text(page(json.loads(result.to_json())), "utf-8")
            times_ms = [_ready_ms(chromium, target) for _ in range(_ROUNDS)]
            size = target.stat().st_size / 1000
            print(
                f"{path.stem:24} {size:6.0f} kB {statistics.median(times_ms):6.0f} ms"
            )
        chromium.close()


def _ready_ms(chromium: object, target: Path) -> float:
    opened = chromium.new_page()
    opened.goto(target.as_uri())
    opened.wait_for_selector("[data-ready]", state="attached")
    taken: float = opened.evaluate(_READY)
    opened.close()
    return taken


if __name__ == "__main__":
    main(*sys.argv[1:])
