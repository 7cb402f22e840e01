"""The largest value of a sliding window, by Knative's own tables and by brute force."""

import numpy as np
import pytest
from compiled_policies import sliding_largest

# knative/serving pkg/autoscaler/aggregation/max/window_test.go, TestWindowMax: a window
# of 5 slots, values in slots 0, 1, 2, ... and the maximum after each.
TABLE = {
    "single value": ([1], [1]),
    "ascending values": ([1, 2], [1, 2]),
    "descending values": ([2, 1], [2, 2]),
    "up, down, up": ([1, 2, 1], [1, 2, 2]),
    "windowing out": ([5, 6, 5, 5, 5, 5, 5], [5, 6, 6, 6, 6, 6, 5]),
    "windowing out 2": ([5, 6, 5, 7, 5, 5, 1], [5, 6, 6, 7, 7, 7, 7]),
    "windowing out 3": ([5, 8, 5, 7, 5, 5], [5, 8, 8, 8, 8, 8]),
    "windowing out 4": ([5, 8, 5, 7, 5, 5, 1], [5, 8, 8, 8, 8, 8, 7]),
    "windowing out 8": (
        [5, 8, 5, 7, 5, 5, 1, 4, 4, 4, 4, 9, 3, 4, 2, 1, 0],
        [5, 8, 8, 8, 8, 8, 7, 7, 5, 5, 4, 9, 9, 9, 9, 9, 4],
    ),
}


@pytest.mark.parametrize(("values", "expected"), TABLE.values(), ids=TABLE)
def test_the_largest_of_five_slots(values, expected):
    assert sliding_largest(enumerate(values), length=5, size=6) == expected


def test_the_largest_of_five_slots_with_gaps():
    # "windowing out with gaps"
    assert sliding_largest([(0, 6), (1, 5), (2, 2), (6, 1)], 5, 6) == [6, 6, 6, 2]


@pytest.mark.parametrize(
    ("values", "expected"),
    [([1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 7]), ([7, 6, 5, 4, 3, 2, 1], [7] * 7)],
    ids=["ascending", "descending"],
)
def test_of_several_values_in_one_slot_the_largest_counts(values, expected):
    # "multiple with same index, ascending" and "descending"
    assert sliding_largest([(1, value) for value in values], 5, 6) == expected


def test_a_window_without_length_holds_the_latest_value():
    assert sliding_largest([(0, 5), (1, 3), (2, 4)], length=0, size=2) == [5, 3, 4]


def test_a_value_as_old_as_the_window_is_long_is_forgotten():
    # TestAutoscalerScaleDownDelay turns on this second
    assert sliding_largest([(1, 4), (150, 0), (151, 0)], 150, 152) == [4, 4, 0]


@pytest.mark.parametrize("length", [1, 2, 7, 30])
def test_the_largest_is_that_of_all_values_in_the_window(length):
    rng = np.random.default_rng(length)
    times = np.cumsum(rng.integers(1, 4, 500))
    values = rng.integers(0, 20, 500)

    found = sliding_largest(
        zip(times, values.tolist(), strict=True), length, length + 1
    )

    inside = (times[None] <= times[:, None]) & (times[None] > times[:, None] - length)
    assert found == np.where(inside, values[None], -1).max(axis=1).tolist()
