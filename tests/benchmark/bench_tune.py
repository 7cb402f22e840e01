"""``costsim tune`` against an exhaustive grid, on shipped scenarios.

Run as ``python tests/benchmark/bench_tune.py [SCENARIO...]``. For each scenario the grid
is that of the search itself, thinned to at most 1,500 settings of a deployment.
Every setting is simulated in 4 replications; what is then 10 % dearer than the cheapest
that met the SLO in all of them, or has missed it in all four, is out; so is what is 3 %
dearer after 16; and the rest is simulated in 64. Of these the exhaustive optimum is the
cheapest that meets the SLO in at least 95 % of 200 fresh seeds. The answer of ``tune``
meets those 200 seeds too.

The share of simulations is that of ``tune``, all included (search, confirmation, the
scenario's own settings, traffic 20 % up and down), over a grid with 32 replications.
"""

from __future__ import annotations

import math
import sys
import time
from itertools import product
from pathlib import Path

from costsim.catalog.platform import load_catalog
from costsim.errors import InputError
from costsim.scenario.deployment import resolve
from costsim.scenario.load import load_scenario
from costsim.study.tune.families import find_families
from costsim.study.tune.goal import Trial
from costsim.study.tune.lab import Lab
from costsim.study.tune.space import Point
from costsim.study.tune.tuning import REPLICATIONS, goal_of, tune

SCENARIOS = Path(__file__).parents[2] / "scenarios"
CASES = {
    "business-hours": [],
    "min-replica-vs-zero": [],
    "webinar-launch": [],
    "eval-tool": [],
    "flat-high-load": ["horizon=3h"],
    "50k-per-day": ["horizon=2d"],
}
"""Scenarios, and what is changed so that the grid can be simulated at all."""
_STAGES = ((4, 1.1), (16, 1.03))
_MANY, _FRESH = 64, 200
_GRID = 1500
"""Settings of a deployment's grid at most."""
_AT_ONCE = 128


def exhaustive(scenario, goal):
    """Return the optimum's cost on fresh seeds, and the settings of the grid."""
    catalog = load_catalog()
    lab = Lab(scenario, catalog, resolve(scenario, catalog))
    grid = [
        (family, point, resolved)
        for family in find_families(lab, catalog, scenario.deployments)
        for point in points_of(family)
        if (resolved := possible(lab, family, point)) is not None
    ]
    trials = [Trial() for _ in grid]
    for n, dearer in _STAGES:
        reach(lab, grid, trials, n, goal)
        meeting = [t.mean(goal.measure) for t in trials if share(goal, t) > 0.95]
        bar = dearer * min(meeting, default=math.inf)
        left = [
            i
            for i, trial in enumerate(trials)
            if trial.mean(goal.measure) <= bar and any(goal.meets(trial))
        ]
        grid, trials = [grid[i] for i in left], [trials[i] for i in left]
    reach(lab, grid, trials, _MANY, goal)
    order = sorted(range(len(grid)), key=lambda i: trials[i].mean(goal.measure))
    for i in order:
        if share(goal, trials[i]) >= goal.confidence:
            trial = fresh(scenario, grid[i][2], goal)
            if share(goal, trial) >= goal.confidence:
                return grid[i], trial
    return None, None


def points_of(family):
    """Return a family's grid, its axes thinned until it is small enough."""
    hours = list(dict.fromkeys(one.hours for one in family.warmths))
    warmths = [None, *family.warmths] if hours else [None]
    step = 1
    while True:
        axes = [thinned(axis, step) for axis in family.axes]
        if len(warmths) * math.prod(map(len, axes)) <= _GRID:
            break
        step += 1
    values = list(product(*axes))
    return [Point(one, warmth) for warmth in warmths for one in values]


def thinned(axis, step):
    """Return every so many values of a long axis, its ends included."""
    return axis.fine if len(axis.fine) < 12 else (*axis.fine[:-1:step], axis.fine[-1])


def possible(lab, family, point):
    try:
        return lab.resolved(family.deployment(point))
    except InputError:
        return None


def reach(lab, grid, trials, n, goal):
    wanted = [
        (one[2], trial, n)
        for one, trial in zip(grid, trials, strict=True)
        if trial.n < n
    ]
    lab.measure(wanted, goal)


def share(goal, trial):
    met = goal.meets(trial)
    return sum(met) / len(met)


def fresh(scenario, resolved, goal):
    """Return what a deployment does with other seeds."""
    other = scenario.model_copy(update={"seed": scenario.seed + 1000})
    catalog = load_catalog()
    lab = Lab(other, catalog, resolve(other, catalog))
    trial = Trial()
    lab.measure([(resolved, trial, _FRESH)], goal)
    return trial


def main(names):
    """Print a line for each scenario."""
    print("scenario              grid  exhaustive       tune  ratio  met  sims  share")
    for name in names or CASES:
        began = time.monotonic()
        path = SCENARIOS / f"{name}.yaml"
        scenario = load_scenario(path, overrides=CASES.get(name, []))
        goal = goal_of(scenario, "cost", 0.95, REPLICATIONS)
        result = tune(scenario)
        tuned_s = time.monotonic() - began
        catalog = load_catalog()
        lab = Lab(scenario, catalog, resolve(scenario, catalog))
        found = fresh(scenario, lab.resolved(result.best.asked), goal)
        best, optimum = exhaustive(scenario, goal)
        n_grid = sum(
            len(points_of(family))
            for family in find_families(lab, catalog, scenario.deployments)
        )
        ratio = found.mean(goal.measure) / optimum.mean(goal.measure)
        print(
            f"{name:20} {n_grid:5} {optimum.mean(goal.measure):11.2f} "
            f"{found.mean(goal.measure):10.2f} {ratio:6.4f} {share(goal, found):5.1%} "
            f"{result.simulations:5} {result.simulations / (n_grid * REPLICATIONS):5.1%}",
            flush=True,
        )
        print(f"    tune       {result.best.deployment}: {result.best.said}")
        family, point, _ = best
        hours = [] if point.warmth is None else list(map(str, point.warmth.hours))
        print(f"    exhaustive {family.label}: {family.settings(point)} {hours}")
        took_s = time.monotonic() - began - tuned_s
        print(f"    tune {tuned_s:.0f} s, grid {took_s:.0f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
