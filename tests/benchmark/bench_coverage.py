"""How often the printed 95 % intervals hold the truth, on three models of known answer.

Run as ``python tests/benchmark/bench_coverage.py [EXPERIMENTS [REQUESTS]]``: 1,000 runs of
10 replications of 20,000 requests each, if nothing is said.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from known_answers import MODELS, coverage


def main(experiments: int = 1000, requests: int = 20_000) -> None:
    """Print the coverage of each model."""
    error = (0.95 * 0.05 / experiments) ** 0.5
    print(f"{experiments} experiments, {requests} requests; standard error {error:.1%}")
    for model in MODELS:
        cost, p95 = coverage(model, experiments=experiments, requests=requests)
        print(
            f"{model.name:22} cost {cost / experiments:.1%}  p95 {p95 / experiments:.1%}"
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
