"""What ``--vary`` takes: lists, ranges, quantities, and what it refuses."""

from __future__ import annotations

import pytest

from costsim.errors import InputError
from costsim.study.sweep.axis import read_axes, split_options


def _values(text, *, drawn=False):
    (axis,) = read_axes({"key": text}, drawn=drawn)
    return axis.values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,2,4", ("1", "2", "4")),
        ("never, 30s", ("never", "30s")),
        ("1..4", ("1", "2", "3", "4")),
        ("0, 2..3", ("0", "2", "3")),
        ("0.1..0.5:3", ("0.1", "0.3", "0.5")),
        ("1..16:3:log", ("1", "4", "16")),
        ("10s..40s:3:log", ("10s", "20s", "40s")),
        ("30s..2m:4", ("30s", "60s", "90s", "2m")),
        ("1/h..100/h:3:log", ("1/h", "10/h", "100/h")),
        ("1..3:9", ("1", "2", "3")),
        ("[1, 2], [3, 4]", ("[1, 2]", "[3, 4]")),
        ('"a, b", c', ('"a, b"', "c")),
        ("{kind: knative, target: 1}, {kind: hpa}", None),
    ],
)
def test_a_text_gives_these_values(text, values):
    expected = values or ("{kind: knative, target: 1}", "{kind: hpa}")

    assert _values(text) == expected


def test_values_of_python_are_yaml():
    assert _values([1, 2.5, True, None, "30s"]) == ("1", "2.5", "true", "null", "30s")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,1", "comes again"),
        ("1,,2", "a value is missing"),
        ("0.1..0.5", "say how many values"),
        ("9..1", "the low end comes first"),
        ("0..9:4:log", "begins above 0"),
        ("30s..9/h:3", "two quantities of one kind"),
        ("1..9:1", "a range has 2 to"),
        ("1..1000000", "more than 100,000 values"),
        ("[1, 2", "a bracket is not closed"),
        ("1]", "closes nothing"),
        ("'a", "a quote is not closed"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_option(text, said):
    with pytest.raises(InputError, match=rf"--vary key=.*{said}"):
        _values(text)


def test_nothing_to_vary_is_refused():
    with pytest.raises(InputError, match="nothing to vary"):
        read_axes({}, drawn=False)


def test_a_range_needs_no_number_of_values_where_points_are_drawn():
    (axis,) = read_axes({"key": "30s..15m"}, drawn=True)

    assert (axis.values, axis.span.at(0.5)) == ((), "465s")


@pytest.mark.parametrize("option", ["key", "=1", "key=", ""])
def test_an_option_without_key_or_values_is_refused(option):
    with pytest.raises(InputError, match="write KEY=VALUES"):
        split_options([option])


def test_a_key_that_comes_again_is_refused():
    with pytest.raises(InputError, match="varied already"):
        split_options(["a=1", "a=2"])


def test_values_may_hold_the_sign_that_splits_them():
    assert split_options(["a=x=1"]) == {"a": "x=1"}
