"""Points of a sweep: all combinations, or one of each stratum of each key."""

from __future__ import annotations

from collections import Counter

import pytest

from costsim.errors import InputError
from costsim.study.sweep.axis import read_axes
from costsim.study.sweep.design import grid, latin_hypercube


def test_a_grid_has_every_combination_the_last_key_first():
    axes = read_axes({"a": "1,2", "b": "x,y,z"}, drawn=False)

    points = grid(axes)

    assert [point.values for point in points] == [
        ("1", "x"), ("1", "y"), ("1", "z"), ("2", "x"), ("2", "y"), ("2", "z"),
    ]  # fmt: skip
    assert [point.index for point in points] == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("position", [0, 1])
def test_a_latin_hypercube_has_one_value_in_each_stratum_of_each_key(position):
    axes = read_axes({"a": "0.0..1.0", "b": "0.0..1.0"}, drawn=True)

    points = latin_hypercube(axes, 50, seed=1)

    strata = sorted(int(50 * float(point.values[position])) for point in points)
    assert strata == list(range(50))


def test_values_of_a_list_are_drawn_evenly():
    axes = read_axes({"a": "x,y,z", "b": "0.0..1.0"}, drawn=True)

    points = latin_hypercube(axes, 30, seed=1)

    assert Counter(point.values[0] for point in points) == {"x": 10, "y": 10, "z": 10}


def test_a_geometric_range_is_drawn_evenly_in_its_logarithm():
    axes = read_axes({"a": "1s..10000s:log"}, drawn=True)

    points = latin_hypercube(axes, 40, seed=1)

    decades = Counter(
        len(point.values[0].split(".")[0].rstrip("s")) for point in points
    )
    assert decades == {1: 10, 2: 10, 3: 10, 4: 10}


def test_points_depend_on_the_seed_alone():
    axes = read_axes({"a": "0.0..1.0"}, drawn=True)

    assert latin_hypercube(axes, 5, seed=1) == latin_hypercube(axes, 5, seed=1)
    assert latin_hypercube(axes, 5, seed=1) != latin_hypercube(axes, 5, seed=2)


def test_too_many_points_are_refused_before_they_are_made():
    axes = read_axes(dict.fromkeys("abc", "1..1000"), drawn=False)

    with pytest.raises(InputError, match="1,000,000,000 points; a sweep has at most"):
        grid(axes)


def test_no_points_are_refused():
    axes = read_axes({"a": "0.0..1.0"}, drawn=True)

    with pytest.raises(InputError, match="draw 1 point at least"):
        latin_hypercube(axes, 0, seed=1)
