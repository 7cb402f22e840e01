"""How soon a page can be used, and how smoothly: in headless Chromium.

Run as ``python tests/benchmark/bench_page.py [SCENARIO ...]``: the shipped ones without a
trace, if nothing is said; two replications each; from opening the file to its scripts
being done. Then the page of a year in steps of a minute is scrolled by the wheel from top
to bottom, in turn with a bare page of its height, and its timeline is zoomed. Needs
playwright and Chromium.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

from costsim.report.page.page import page
from costsim.scenario.load import load_scenario
from costsim.scenario.schema import Scenario
from costsim.study.run import run

_ROUNDS = 5
_SCROLLS = 20
_NOTCH = 100
"""What a notch of the wheel scrolls. [CSS pixels]"""
_YEAR = {
    "name": "a year in minutes",
    "horizon": "365d",
    "replications": 1,
    "start": "2026-01-01T00:00:00",
    "traffic": {"streams": [{"rate": "100/h"}]},
    "service": {"time": {"distribution": "exponential", "mean": "20s"}},
    "setup": "20s",
    "deployments": [
        {
            "name": f"idle timeout {timeout}",
            "pool": {"idle_timeout": timeout},
            "billing": {"price": "3.6 USD/h", "increment": "0s"},
        }
        for timeout in ("10s", "60s", "5m", "20m")
    ],
}
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
        _report_a_year(chromium, Path(where))
        chromium.close()


def _ready_ms(chromium: object, target: Path) -> float:
    opened = chromium.new_page()
    opened.goto(target.as_uri())
    opened.wait_for_selector("[data-ready]", state="attached")
    taken: float = opened.evaluate(_READY)
    opened.close()
    return taken


# ---- scrolling and zooming

_WATCH = """() => {
  window.gaps = []; window.tasks = [];
  new PerformanceObserver(list => list.getEntries().forEach(one => tasks.push(one.duration)))
    .observe({ type: "longtask" });
  let before = performance.now();
  const frame = now => { gaps.push(now - before); before = now; requestAnimationFrame(frame); };
  requestAnimationFrame(now => { before = now; requestAnimationFrame(frame); });
}"""
_AT_END = "scrollY + innerHeight >= document.documentElement.scrollHeight - 1"
_ZOOM_MS = """async (act) => {
  const said = document.querySelector("#timeline output");
  const begun = performance.now();
  const drawn = new Promise(told => new MutationObserver(told).observe(said, { childList: true }));
  document.querySelector(`#timeline button[data-act=${act}]`).click();
  await drawn;
  const until = performance.now();
  await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  return [until - begun, performance.now() - begun];
}"""


@dataclass(frozen=True)
class Scrolled:
    """The frames of some ways from the top of a page to its bottom."""

    gaps_ms: list[float]
    tasks_ms: list[float]

    def __str__(self) -> str:
        """Return the gaps between frames and the longest task."""
        median, high = np.percentile(self.gaps_ms, [50, 99])
        longest = max(self.tasks_ms, default=0.0)
        return (
            f"{len(self.gaps_ms):5,} frames, median {median:5.1f} ms, 99 % {high:5.1f} ms, "
            f"worst {max(self.gaps_ms):5.1f} ms, longest task {longest:4.0f} ms"
        )


def _report_a_year(chromium: object, where: Path) -> None:
    """Print how smoothly the page of a year is scrolled and zoomed."""
    result = run(Scenario.model_validate(_YEAR), timeline_bin_s=60.0)
    target, bare = where / "year.html", where / "bare.html"
    target.write_text(page(json.loads(result.to_json())), "utf-8")
    opened = _opened(chromium, target)
    height = opened.evaluate("document.documentElement.scrollHeight")
    nodes = opened.evaluate("document.getElementsByTagName('*').length")
    print(f"a year in minutes: {target.stat().st_size / 1e6:.1f} MB, {nodes} nodes")
    bare.write_text(
        f"<!doctype html><body data-ready style='margin:0;height:{height}px'>", "utf-8"
    )
    found = {name: Scrolled([], []) for name in ("bare", "year")}
    for _ in range(_SCROLLS):
        for name, file in (("bare", bare), ("year", target)):
            _scroll(_opened(chromium, file), found[name])
    for name, one in found.items():
        print(f"  scrolled, {name}: {one}")
    for share, word in ((50, "median"), (99, "99 %")):
        year, nothing = (
            np.percentile(found[n].gaps_ms, share) for n in ("year", "bare")
        )
        print(f"  {word} over that of a bare page: {year / nothing:.2f}")
    acts = ["in"] * 8 + ["right", "left"] * 4 + ["out"] * 8
    drawn, shown = zip(*(opened.evaluate(_ZOOM_MS, act) for act in acts), strict=True)
    print(
        f"  a step of the timeline: drawn after {statistics.median(drawn):.0f} ms "
        f"(worst {max(drawn):.0f}), on the screen after {statistics.median(shown):.0f} ms "
        f"(worst {max(shown):.0f})"
    )


def _opened(chromium: object, file: Path) -> object:
    opened = chromium.new_page(viewport={"width": 1200, "height": 800})
    opened.goto(file.as_uri())
    opened.wait_for_selector("[data-ready]", state="attached")
    opened.wait_for_timeout(300)
    return opened


def _scroll(opened: object, found: Scrolled) -> None:
    """Scroll a page from top to bottom and close it."""
    opened.mouse.move(600, 400)
    opened.evaluate(_WATCH)
    while not opened.evaluate(_AT_END):
        opened.mouse.wheel(0, _NOTCH)
    opened.wait_for_timeout(100)
    found.gaps_ms.extend(opened.evaluate("gaps"))
    found.tasks_ms.extend(opened.evaluate("tasks"))
    opened.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
