"""Parts: the same for the same points, about equal work, nothing lost."""

from __future__ import annotations

from costsim.study.sweep.check import Possible
from costsim.study.sweep.design import Point
from costsim.study.sweep.parts import share_out


def _possible(n, work_s):
    return [Possible(Point(index, ("x",)), work_s) for index in range(n)]


def test_every_point_is_in_one_part_in_order():
    parts = share_out(_possible(1000, 0.03))

    points = [point.index for part in parts for point in part.points]
    assert points == list(range(1000))
    assert [part.number for part in parts] == list(range(len(parts)))


def test_a_part_has_about_a_second_of_work_in_a_long_sweep():
    parts = share_out(_possible(100_000, 0.01))

    assert {len(part.points) for part in parts[:-1]} <= {99, 100}


def test_a_short_sweep_has_parts_enough_for_many_workers():
    assert len(share_out(_possible(128, 0.1))) == 64


def test_a_point_of_much_work_is_a_part_of_its_own():
    assert len(share_out(_possible(3, 60.0))) == 3


def test_points_of_no_work_are_not_all_in_one_part():
    assert len(share_out(_possible(5000, 0.0))) == 5


def test_nothing_to_do_is_no_part():
    assert share_out([]) == []
