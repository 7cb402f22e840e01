"""Seats: one a replica while it is present, given out again, so never many more."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from costsim.seats import NOBODY, Seats

fixed_seed = settings(deadline=None, derandomize=True)

steps = st.lists(
    st.tuples(st.booleans(), st.lists(st.integers(-1, 400), max_size=60)), max_size=12
)


def ids_of(values):
    return np.array(values, np.int64)


@given(steps)
@fixed_seed
def test_seats_are_what_a_dict_says(script):
    seats, taken = Seats(), {}
    told, expected = [], []

    for arrives, values in script:
        if arrives:
            for one, seat in zip(values, seats.take(ids_of(values)), strict=True):
                taken.setdefault(one, seat) if one >= 0 else None
                told.append(seat)
                expected.append(taken.get(one, NOBODY))
        else:
            seats.leave(ids_of([one for one in values if one >= 0]))
            taken = {one: seat for one, seat in taken.items() if one not in values}
        told += seats.find(ids_of(range(401))).tolist()
        expected += [taken.get(one, NOBODY) for one in range(401)]

    assert told == expected
    assert len(seats) == len(taken) == len(set(taken.values()))
    assert all(0 <= seat < seats.n_seats for seat in taken.values())


def test_a_long_run_of_few_at_once_needs_few_seats():
    seats = Seats()

    for first in range(0, 100_000, 20):
        seats.take(np.arange(first, first + 30))
        seats.leave(np.arange(first, first + 20))

    assert len(seats) == 10
    assert seats.n_seats == 32


def test_many_at_once_sit_apart():
    seats = Seats()

    taken = seats.take(np.arange(0, 7_000_000, 7))

    assert np.unique(taken).size == 1_000_000
    assert np.array_equal(seats.find(np.arange(0, 7_000_000, 7)), taken)
    assert (seats.find(np.arange(1, 7_000, 7)) == NOBODY).all()
