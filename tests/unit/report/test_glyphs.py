"""Sparklines and bars: their lengths, their extremes, and their plain forms."""

from __future__ import annotations

import numpy as np
import pytest

from costsim.report.glyphs import sparkline, stacked_bar


def test_a_sparkline_rises_with_its_values():
    assert sparkline(np.arange(8.0), 8, unicode=True) == "▁▂▃▄▅▆▇█"
    assert sparkline(np.arange(8.0), 8, unicode=False) == "_.:-=+*#"


def test_only_nothing_is_at_the_lowest_level():
    assert sparkline(np.array([0.0, 1e-9, 1.0]), 3, unicode=True) == "▁▂█"


def test_a_group_shows_its_largest_value():
    values = np.zeros(240)
    values[17] = 5.0

    assert sparkline(values, 24, unicode=False) == "_#" + "_" * 22


def test_fewer_values_than_characters_are_not_stretched():
    assert sparkline(np.array([1.0, 2.0]), 48, unicode=False) == "=#"


@pytest.mark.parametrize("level", [0.0, 3.5])
def test_a_constant_is_flat(level):
    assert len(set(sparkline(np.full(240, level), 48, unicode=True))) == 1


def test_nothing_at_all_lies_on_the_floor():
    assert sparkline(np.zeros(4), 4, unicode=True) == "▁▁▁▁"


@pytest.mark.parametrize("width", [1, 7, 48, 240])
def test_a_sparkline_has_its_width(width, rng):
    assert len(sparkline(rng.exponential(size=240), width, unicode=True)) == width


def test_a_bar_shows_each_part_by_its_share():
    assert stacked_bar([1.0, 2.0, 1.0], 8, unicode=True) == "██▓▓▓▓▒▒"
    assert stacked_bar([1.0, 2.0, 1.0], 8, unicode=False) == "##====++"


def test_a_part_of_nothing_takes_no_room():
    assert stacked_bar([1.0, 0.0, 0.0, 0.0, 1.0], 4, unicode=False) == "##.."


@pytest.mark.parametrize("unicode", [True, False])
def test_a_bar_fills_its_width_whatever_its_parts(unicode, rng):
    lengths = {
        len(stacked_bar(rng.exponential(size=5).tolist(), 24, unicode=unicode))
        for _ in range(200)
    }

    assert lengths == {24}


def test_nothing_has_no_bar():
    assert stacked_bar([0.0, 0.0], 24, unicode=True) == ""


def test_curves_with_one_top_can_be_compared():
    curves = [
        sparkline(np.array([0.0, level]), 2, unicode=True, top=7.0)
        for level in (1.0, 3.0, 7.0)
    ]

    assert curves == ["▁▂", "▁▄", "▁█"]


def test_the_plain_forms_are_ascii(rng):
    values = rng.exponential(size=240)

    assert sparkline(values, 48, unicode=False).isascii()
    assert stacked_bar([1.0] * 5, 24, unicode=False).isascii()
