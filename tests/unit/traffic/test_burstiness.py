from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from costsim.traffic.burstiness import BurstinessMeter, burstiness
from costsim.traffic.counting import Counts, autocorrelation, minute_width, round_width
from costsim.traffic.surges import find_surges, runs

if TYPE_CHECKING:
    from pathlib import Path

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def poisson(rate_per_s: float, span_s: float, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.sort(span_s * rng.random(rng.poisson(rate_per_s * span_s)))


def azure(shared_dir: Path, name: str) -> np.ndarray:
    path = shared_dir / "traces" / f"azure_llm_2023_{name}.csv.gz"
    times = pd.to_datetime(pd.read_csv(path)["TIMESTAMP"])
    return np.sort((times - times.min()).dt.total_seconds().to_numpy())


def mooncake(shared_dir: Path) -> np.ndarray:
    path = shared_dir / "traces" / "mooncake_fast25_conversation.csv.gz"
    stamps = pd.read_csv(path)["timestamp"].to_numpy() / 1000.0
    scatter = 3.0 * np.random.default_rng(1).random(stamps.size)
    return np.sort(stamps - stamps.min() + scatter)


def nab(shared_dir: Path, series: str) -> tuple[np.ndarray, float, datetime]:
    path = shared_dir / "traces" / "nab_request_like_series.csv.gz"
    table = pd.read_csv(path).query("series == @series")
    times = pd.to_datetime(table["timestamp"])
    begins = (times - times.min()).dt.total_seconds().to_numpy()
    counts = table["value"].round().astype(int).to_numpy()
    scatter = 300.0 * np.random.default_rng(1).random(counts.sum())
    start = times.min().to_pydatetime().replace(tzinfo=UTC)
    return np.sort(np.repeat(begins, counts) + scatter), begins[-1] + 300.0, start


def test_counts_of_a_poisson_process_vary_as_much_as_their_mean():
    found = burstiness(poisson(2.0, 200_000.0), 200_000.0)

    assert found.mean_rate_per_s == pytest.approx(2.0, rel=0.01)
    assert found.dispersion[1.0] == pytest.approx(1.0, abs=0.02)
    assert found.dispersion[60.0] == pytest.approx(1.0, abs=0.1)
    assert found.gap_cv == pytest.approx(1.0, abs=0.02)
    assert found.local_gap_cv == pytest.approx(1.0, abs=0.02)
    assert found.idle[1.0] == pytest.approx(np.exp(-2.0), abs=0.005)
    assert found.autocorrelation[60.0, 60.0] == pytest.approx(0.0, abs=0.06)


def test_figures_are_those_of_a_log_worked_by_hand():
    # Windows of 60 s hold 3, 0, 0, 1, 0, 0, 0, 0, 0, 0 requests.
    found = burstiness(np.array([0.0, 10.0, 20.0, 200.0]), 600.0)

    assert found.n_requests == 4
    assert found.peak_to_mean[60.0] == pytest.approx(3 / 0.4)
    assert found.dispersion[60.0] == pytest.approx((10 - 10 * 0.16) / 9 / 0.4)
    assert found.idle[60.0] == pytest.approx(0.8)
    assert found.idle[300.0] is None
    assert found.gap_cv == pytest.approx(np.std([10, 10, 180]) / np.mean([10, 10, 180]))
    assert found.gaps is not None
    assert found.gaps.quantiles_s[50] == pytest.approx(10.0, rel=0.05)
    assert found.gaps.quantiles_s[99] == pytest.approx(180.0, rel=0.05)


def test_blocks_give_the_figures_of_the_whole():
    arrivals = np.concatenate([poisson(0.5, 50_000.0), np.full(5, 50_000.0)])
    arrivals = np.sort(np.concatenate([arrivals, poisson(5.0, 2000.0, 2) + 30_000.0]))
    whole = burstiness(arrivals, 60_000.0, start=MONDAY)

    parts = burstiness(np.array_split(arrivals, 97), 60_000.0, start=MONDAY)

    assert parts.dispersion == whole.dispersion
    assert parts.peak_to_mean == whole.peak_to_mean
    assert parts.idle == whole.idle
    assert parts.autocorrelation == whole.autocorrelation
    assert parts.local_gap_cv == pytest.approx(whole.local_gap_cv, rel=1e-12)
    assert parts.gap_cv == pytest.approx(whole.gap_cv, rel=1e-12)
    np.testing.assert_array_equal(parts.gaps.counts, whole.gaps.counts)
    np.testing.assert_array_equal(parts.course.rate_per_s, whole.course.rate_per_s)


def test_local_variation_does_not_see_a_rate_that_changes_by_the_hour():
    busy = poisson(1.0, 3600.0 * 50, 1)
    calm = poisson(0.02, 3600.0 * 50, 2)
    hour = busy // 3600
    arrivals = np.sort(np.concatenate([busy[hour % 2 == 0], calm]))

    found = burstiness(arrivals, 3600.0 * 50)

    assert found.gap_cv > 2.5
    assert found.local_gap_cv == pytest.approx(1.0, abs=0.02)


def test_the_heat_map_has_the_rate_of_each_hour_of_the_week():
    day = 86_400.0
    at_nine_on_tuesdays = day + 9 * 3600 + np.arange(0, 3600, 10.0)
    arrivals = np.concatenate([at_nine_on_tuesdays, 7 * day + at_nine_on_tuesdays])

    found = burstiness(arrivals, 14 * day, start=MONDAY)

    assert found.hour_of_week[1, 9] == pytest.approx(0.1)
    assert found.hour_of_week.sum() == pytest.approx(0.1)


def test_hours_that_a_log_does_not_cover_have_no_rate():
    found = burstiness(poisson(0.1, 2 * 86_400.0), 2 * 86_400.0, start=MONDAY)

    assert np.isnan(found.hour_of_week[2:]).all()
    assert not np.isnan(found.hour_of_week[:2]).any()


def test_a_spike_is_found_with_its_height_and_length():
    usual = poisson(0.1, 4 * 86_400.0)
    spike = 2 * 86_400.0 + 1200.0 + poisson(2.0, 600.0, 2)

    found = burstiness(np.sort(np.concatenate([usual, spike])), 4 * 86_400.0)

    (surge,) = found.surges
    assert surge.begin_s == 2 * 86_400.0 + 1200.0
    assert surge.end_s - surge.begin_s == 600.0
    assert surge.magnitude == pytest.approx(21.0, rel=0.25)
    assert surge.excess == pytest.approx(spike.size, rel=0.05)


def test_a_poisson_log_has_no_spike():
    assert burstiness(poisson(0.01, 3 * 86_400.0), 3 * 86_400.0).surges == ()


@pytest.mark.parametrize(
    "arrivals",
    [np.empty(0), np.zeros(1), np.zeros(1000), np.array([0.0, 1e-9]), np.arange(3.0)],
    ids=["none", "one", "one moment", "next to each other", "three"],
)
@pytest.mark.parametrize("span_s", [0.0, 1.0, 3600.0])
def test_logs_that_tell_nothing_have_no_figures(arrivals, span_s):
    found = burstiness(arrivals, span_s)

    assert found.n_requests == arrivals.size
    assert found.dispersion[3600.0] is None
    assert found.autocorrelation[3600.0, 604_800.0] is None
    assert found.surges is None


def test_bins_hide_what_is_finer_than_they_are():
    found = burstiness(poisson(1.0, 86_400.0), 86_400.0, bin_s=300.0)

    assert found.dispersion[60.0] is None
    assert found.gap_cv is None
    assert found.idle[300.0] == pytest.approx(0.0, abs=0.01)
    assert found.dispersion[600.0] == pytest.approx(1.0, abs=0.4)


def test_azure_code_has_the_figures_that_were_measured_before(shared_dir):
    arrivals = azure(shared_dir, "code")

    found = burstiness(arrivals, arrivals[-1])

    assert found.n_requests == 8819
    assert found.mean_rate_per_s == pytest.approx(2.567, abs=0.001)
    assert found.peak_to_mean[1.0] == pytest.approx(26.1, abs=0.05)
    assert found.peak_to_mean[60.0] == pytest.approx(4.2, abs=0.05)
    assert found.gap_cv == pytest.approx(13.15, abs=0.005)
    assert found.dispersion[1.0] == pytest.approx(13.2, abs=0.05)
    assert found.dispersion[10.0] == pytest.approx(71.9, abs=0.1)
    assert found.dispersion[60.0] == pytest.approx(167.0, abs=0.5)
    assert found.idle[60.0] == pytest.approx(0.21, abs=0.005)


def test_azure_conv_has_the_figures_that_were_measured_before(shared_dir):
    arrivals = azure(shared_dir, "conv")

    found = burstiness(arrivals, arrivals[-1])

    assert found.n_requests == 19_366
    assert found.mean_rate_per_s == pytest.approx(5.530, abs=0.001)
    assert found.peak_to_mean[1.0] == pytest.approx(2.9, abs=0.05)
    assert found.peak_to_mean[60.0] == pytest.approx(1.5, abs=0.05)
    assert found.gap_cv == pytest.approx(1.094, abs=0.001)
    assert found.dispersion[1.0] == pytest.approx(1.39, abs=0.01)
    assert found.dispersion[10.0] == pytest.approx(3.87, abs=0.03)
    assert found.dispersion[60.0] == pytest.approx(16.4, abs=0.1)
    assert found.autocorrelation[60.0, 60.0] == pytest.approx(0.81, abs=0.02)


def test_mooncake_is_nearly_poisson_once_its_batches_are_scattered(shared_dir):
    found = burstiness(arrivals := mooncake(shared_dir), arrivals[-1])

    assert found.dispersion[1.0] == pytest.approx(1.05, abs=0.06)
    assert found.dispersion[60.0] == pytest.approx(3.0, abs=0.3)
    assert found.autocorrelation[60.0, 60.0] == pytest.approx(0.30, abs=0.05)


def test_the_load_balancer_has_the_figures_that_were_measured_before(shared_dir):
    arrivals, span_s, start = nab(shared_dir, "elb_request_count_8c0756")

    found = burstiness(arrivals, span_s, start=start, bin_s=300.0)

    assert found.mean_rate_per_s == pytest.approx(0.206, abs=0.001)
    assert found.peak_to_mean[3600.0] == pytest.approx(3.4, abs=0.05)
    assert found.autocorrelation[3600.0, 3600.0] == pytest.approx(0.45, abs=0.02)
    # The series has gaps: its days are told by rows there, and by the clock here.
    assert found.autocorrelation[3600.0, 86_400.0] == pytest.approx(0.38, abs=0.04)
    assert 10 <= len(found.surges) <= 16
    assert all(6 < surge.magnitude < 12 for surge in found.surges)


def test_spikes_of_mentions_come_as_often_as_was_measured_before(shared_dir):
    arrivals, span_s, start = nab(shared_dir, "Twitter_volume_AMZN")

    found = burstiness(arrivals, span_s, start=start, bin_s=300.0)

    per_week = len(found.surges) / (span_s / 604_800.0)
    assert per_week == pytest.approx(1.1, abs=0.1)


def test_a_year_is_counted_in_little_memory():
    found = burstiness(np.array([0.0, 3e7]), 365 * 86_400.0)

    assert 100 < found.course.rate_per_s.size < 400
    assert minute_width(1e12) > 60.0


def test_widths_are_read_well():
    assert [round_width(one) for one in (0.3, 7.0, 61.0, 5000.0, 1e6)] == [
        *(1.0, 10.0, 120.0, 7200.0, 1_209_600.0)
    ]


def test_counts_merge_into_multiples_of_their_width_only():
    counts = Counts(60.0, 600.0)
    counts.add(np.arange(0.0, 600.0, 10.0))

    np.testing.assert_array_equal(counts.merged(300.0), [30, 30])
    assert counts.merged(90.0) is None


def test_autocorrelation_of_a_wave_is_its_own():
    wave = np.sin(np.arange(1000) * 2 * np.pi / 20)

    assert autocorrelation(wave, 20) == pytest.approx(1.0, abs=0.03)
    assert autocorrelation(wave, 10) == pytest.approx(-1.0, abs=0.03)
    assert autocorrelation(np.ones(100), 1) is None


def test_runs_join_what_is_near():
    marked = np.array([0, 1, 1, 0, 1, 0, 0, 0, 1], dtype=bool)

    assert runs(marked, 2) == [(1, 5), (8, 9)]
    assert runs(np.zeros(3, dtype=bool)) == []


def test_less_than_a_day_has_no_usual_level():
    assert find_surges(np.ones(100, dtype=np.int64), 60.0) is None


def test_requests_of_bins_are_counted_without_being_made():
    n = 2000
    meter = BurstinessMeter(300.0 * n, 300.0)
    begin_s, count = 300.0 * np.arange(n), np.full(n, 1000)

    meter.add_bins(begin_s, np.full(n, 300.0), count, np.random.default_rng(5))
    found = meter.result()

    assert found.n_requests == 1000 * n
    # Whole bins have no variance, and 600 s are two of them.
    assert found.dispersion[600.0] == pytest.approx(0.0, abs=1e-9)
    assert found.idle[3600.0] == 0.0
    # The minutes of a bin share its requests: binomial with a fifth.
    minutes = meter._minutes.counts
    assert minutes.sum() == 1000 * n
    assert minutes.var() == pytest.approx(1000 * 0.2 * 0.8, rel=0.05)


def test_bins_that_lie_across_minutes_fill_each_in_proportion():
    meter = BurstinessMeter(300.0, 120.0)

    meter.add_bins(
        np.array([30.0]),
        np.array([120.0]),
        np.array([40_000]),
        np.random.default_rng(6),
    )

    expected = np.array([10_000, 20_000, 10_000, 0, 0])
    assert np.abs(meter._minutes.counts - expected).max() < 500
    assert meter._minutes.counts.sum() == 40_000
