"""Pictures of characters: their height and width are those of the numbers."""

from datetime import UTC, datetime

import numpy as np

from costsim.report.plots import gap_plot, rate_plot, week_plot

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_the_highest_rate_fills_the_height_and_half_of_it_half():
    lines = rate_plot(np.array([4.0, 2.0, 0.0]), 3.0, None, width=80, unicode=True)

    columns = list(zip(*(line[9:12].ljust(3) for line in lines[:8]), strict=True))

    assert columns[0] == ("█",) * 8
    assert columns[1] == (" ",) * 4 + ("█",) * 4
    assert columns[2] == (" ",) * 8
    assert lines[0].startswith("     4/s ")


def test_a_little_is_not_nothing():
    lines = rate_plot(np.array([1000.0, 0.001]), 2.0, None, width=80, unicode=True)

    assert lines[7][10] == "▁"


def test_many_bins_are_drawn_by_the_largest_of_each_group():
    rates = np.zeros(1000)
    rates[999] = 5.0

    lines = rate_plot(rates, 1000.0, None, width=40, unicode=True)

    assert len(lines[0]) == 40
    assert lines[0][-1] == "█"


def test_the_axis_has_both_ends():
    lines = rate_plot(np.ones(60), 7200.0, NINE, width=69, unicode=True)

    assert lines[-1].split("  ")[-1].strip().endswith("2026-03-02 11:00")
    assert lines[-1].strip().startswith("2026-03-02 09:00")
    assert len(lines[-1]) == 69


def test_hours_have_shades_and_the_unseen_are_empty():
    rates = np.full((7, 24), np.nan)
    rates[1, :3] = [0.0, 1.0, 4.0]

    tuesday = week_plot(rates, unicode=True)[2]

    assert tuesday == "     Tue   ▒▒██"


def test_one_event_does_not_make_all_other_hours_look_alike():
    rates = np.tile(np.repeat([1.0, 4.0], 12), (7, 1))
    rates[3, 18:22] = 100.0

    lines = week_plot(rates, unicode=True)

    assert lines[1] == f"     Mon {24 * '░'}{24 * '█'}"
    assert lines[-1].strip() == "██ = 4/s and more"


def test_bars_of_gaps_have_the_length_of_their_share():
    lines = gap_plot(
        np.array([0.1, 1.0, 10.0]),
        np.array([0.2, 0.8]),
        np.array([0.5, 0.5]),
        width=59,
        unicode=False,
    )

    assert lines[1].count("#") * 4 == lines[2].count("#")
    assert max(map(len, lines)) <= 59
    assert lines[2].split()[:4] == ["<", "10s", "80%", "50%"]


def test_ascii_is_ascii():
    rates = np.arange(168.0).reshape(7, 24)

    lines = [
        *rate_plot(rates.ravel(), 1.0, None, width=80, unicode=False),
        *week_plot(rates, unicode=False),
        *gap_plot(
            np.array([1.0, 2.0]), np.ones(1), np.ones(1), width=80, unicode=False
        ),
    ]

    assert "".join(lines).isascii()
    assert max(map(len, lines)) <= 80
