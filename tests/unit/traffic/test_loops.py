import numpy as np
import pytest

from costsim.traffic import loops
from costsim.traffic.rates import RateFunction

# Two requests/s, none, and one request/s.
STEPS = RateFunction(
    np.array([0.0, 10.0, 20.0, 25.0]), np.array([0.0, 20.0, 20.0, 25.0])
)


def placed(gaps, rate=STEPS, begin=0, now=0.0, latest_s=0.0, cell=0):
    times = np.array(gaps)
    answer = loops.place(times, begin, now, latest_s, cell, rate.expected, rate.edges_s)
    return times.tolist(), answer


def test_gaps_become_times_at_which_the_rate_has_made_up_for_them():
    times, answer = placed([1.0, 18.0, 0.5, 1.5, 3.5])

    assert times == [0.5, 9.5, 9.75, 21.0, 24.5]
    assert answer == (5, 24.5, 24.5, 2)


def test_what_is_due_at_an_edge_comes_after_the_hours_without_traffic():
    times, _ = placed([20.0])

    assert times == [20.0]


def test_a_gap_beyond_the_rate_is_left_for_what_follows():
    times, (end, now, latest_s, _) = placed([19.0, 5.5, 0.5, 7.0])

    assert times == [9.5, 24.5, 0.5, 7.0]
    assert (end, now, latest_s) == (2, 24.5, 24.5)


def test_placing_goes_on_in_a_later_piece_of_the_rate():
    following = RateFunction(np.array([25.0, 27.0]), np.array([25.0, 33.0]))
    times, (end, now, latest_s, _) = placed([19.0, 5.5, 0.5, 7.0, 2.0])

    times, answer = placed(times, following, end, now, latest_s)

    assert times == [9.5, 24.5, 25.0, 26.75, 2.0]
    assert answer[0] == 4


def test_an_empty_piece_places_nothing():
    empty = RateFunction(np.array([3.0]), np.array([4.0]))

    times, answer = placed([0.5], empty, 0, 4.0, 3.0)

    assert times == [0.5]
    assert answer == (0, 4.0, 3.0, 0)


def test_no_gap_takes_no_time_at_the_smallest_of_rates():
    least = RateFunction(np.array([0.0, 1e3]), np.array([0.0, 1e-308]))

    times, _ = placed([0.0], least)

    assert times == [0.0]


@pytest.mark.parametrize(
    ("u", "value"), [(1e-9, 5.0), (0.2, 5.0), (0.2000001, 7.0), (0.9999, 9.0)]
)
def test_a_probability_picks_the_first_value_that_reaches_it(u, value):
    cumulative, values = np.array([0.0, 0.2, 0.4, 1.0]), np.array([1.0, 5.0, 7.0, 9.0])
    guide = np.searchsorted(cumulative, np.arange(8) / 8)
    out = np.array([u])

    loops.pick(guide, cumulative, values, out)

    assert out.tolist() == [value]
