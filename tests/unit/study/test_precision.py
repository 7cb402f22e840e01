"""Sequential stopping: as many replications as the wanted precision needs, no more."""

from __future__ import annotations

import pytest
from small_study import always_on, batches, own, small

from costsim.study import precision as stopping
from costsim.study.run import run

_WIDTHS = ("cost_usd", "p95_s")


def widths(row):
    """Return half widths of the printed intervals as shares of their values."""
    return [
        (getattr(row, f"{name}_high") - getattr(row, f"{name}_low"))
        / (2 * getattr(row, name))
        for name in _WIDTHS
    ]


def test_intervals_are_as_narrow_as_asked_for():
    rough = run(small(own(), replications=10))
    fine = run(small(own(), replications=10), precision=0.02)

    assert max(widths(rough.rows[0])) > 0.02
    assert max(widths(fine.rows[0])) <= 0.02
    assert fine.rows[0].replications < stopping.MOST_REPLICATIONS


def test_enough_is_enough():
    found = run(small(own(), replications=12), precision=0.5)

    assert found.rows[0].replications == 12


def test_fewer_than_ten_replications_are_no_ground_to_stop():
    found = run(small(own(), replications=2), precision=0.9)

    assert found.rows[0].replications == stopping.FEWEST_REPLICATIONS


def test_the_first_replications_are_those_of_a_run_without_precision():
    some = run(small(own(), replications=10))
    more = run(small(own(), replications=10), precision=0.02)

    assert list(more.samples[0]["cost_usd"])[:10] == list(some.samples[0]["cost_usd"])


def test_what_is_always_the_same_needs_no_more():
    found = run(small(always_on(), traffic=batches("10m")), precision=1e-6)

    assert found.rows[0].replications == stopping.FEWEST_REPLICATIONS
    assert not any("asked for" in text for text in found.warnings)


def test_what_stays_wide_is_told(monkeypatch):
    monkeypatch.setattr(stopping, "MOST_REPLICATIONS", 11)

    found = run(small(own()), precision=1e-4)

    assert found.rows[0].replications == 11
    (told,) = [text for text in found.warnings if "asked for" in text]
    assert told.startswith("own: cost a month is known to +-")


def test_progress_counts_all_replications():
    told = []

    run(
        small(own(), replications=10),
        precision=0.05,
        on_progress=lambda *counts: told.append(counts),
    )

    assert [done for done, _ in told] == list(range(1, len(told) + 1))
    assert told[-1][0] == told[-1][1] > 10


@pytest.mark.parametrize(
    ("text", "code"), [("5%", 0), ("0.05", 0), ("0%", 2), ("x", 2), ("120%", 2)]
)
def test_precision_is_a_share(invoke, tmp_path, text, code):
    path = tmp_path / "s.yaml"
    path.write_text(
        "{name: s, horizon: 1h, traffic: {streams: [{rate: 60/h}]}, service: {time: 1s}, setup: 9s,"
        " deployments: [{name: a, pool: {min_replicas: 1}, billing: {price: 1 USD/h}}]}"
    )

    done = invoke("run", path, "--precision", text, "--format", "json")

    assert done.exit_code == code
    assert ("write a share such as 2%" in done.err) == (code == 2)
