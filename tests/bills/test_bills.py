"""Bills computed by hand from the vendors' documents, against whole runs.

A file of ``cases/`` is a platform. A case has requests (arrival and service time), a
deployment, and the bill that somebody worked out on paper, with the document that it
follows; ``by_hand`` is the working. A run of exactly these requests must come to it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from costsim.catalog.platform import load_catalog
from costsim.scenario.schema import Scenario
from costsim.study.run import run

if TYPE_CHECKING:
    from costsim.study.result import RunResult

FOLDER = Path(__file__).parent / "cases"
CASES = {
    f"{path.stem}-{number}": case
    for path in sorted(FOLDER.glob("*.yaml"))
    for number, case in enumerate(yaml.safe_load(path.read_text("utf-8")))
}
KEYS = {"says", "source", "deployment", "requests", "total_usd", "by_hand"}
CATALOG = load_catalog()


def parametrize(argument: str, values: dict[str, Any]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(argument, list(values.values()), ids=list(values))


def run_case(case: dict[str, Any], folder: Path) -> RunResult:
    """Return the run of a case's requests through its deployment."""
    trace = folder / "requests.csv"
    rows = [f"{arrival},{duration}" for arrival, duration in case["requests"]]
    trace.write_text("\n".join(["arrival,duration", *rows, ""]), "utf-8")
    columns = {"arrival": "arrival", "duration": "duration"}
    calendar = {"start": case["start"]} if "start" in case else {}
    return run(
        Scenario.model_validate(
            {
                **calendar,
                "name": "by hand",
                "horizon": case.get("horizon", "1h"),
                "replications": 1,
                "traffic": {"trace": {"path": str(trace), "columns": columns}},
                "service": {"time": "trace"},
                "setup": case.get("setup", "20s"),
                "deployments": [{"name": "case", **case["deployment"]}],
            }
        ),
        catalog=CATALOG,
    )


@parametrize("case", CASES)
def test_the_bill_is_the_one_worked_out_by_hand(
    case: dict[str, Any], tmp_path: Path
) -> None:
    (row,) = run_case(case, tmp_path).rows

    assert row.cost_usd == pytest.approx(case["total_usd"], rel=1e-9, abs=1e-12)
    parts = {name: getattr(row, f"{name}_usd") for name in case.get("parts", {})}
    assert parts == pytest.approx(case.get("parts", {}), rel=1e-9, abs=1e-12)


@parametrize("case", CASES)
def test_a_case_has_its_working_and_the_document_it_follows(
    case: dict[str, Any],
) -> None:
    assert KEYS - case.keys() == set()
    assert len(case["by_hand"]) > 20


def test_every_platform_with_a_price_has_two_bills() -> None:
    priced = {
        name
        for name, platform in CATALOG.platforms.items()
        if any(platform.prices.items())
    }
    bills = [case["deployment"]["platform"] for case in CASES.values()]

    assert {name for name in priced if bills.count(name) < 2} == set()
