"""What a setting accepts."""

from __future__ import annotations

import pytest

from costsim.catalog.scaling import Setting


def setting(kind: str, **rest: object) -> Setting:
    return Setting.model_validate({"kind": kind, "unit": "", "meaning": "", **rest})


@pytest.mark.parametrize(
    ("kind", "value", "number"),
    [
        ("count", 3, 3),
        ("duration", "1m30s", 90.0),
        ("percent", 70, 70),
        ("percent", 62.5, 62.5),
        ("flag", False, False),
    ],
)
def test_a_value_of_the_right_kind_is_read(
    kind: str, value: object, number: float
) -> None:
    assert setting(kind).read(value) == number


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("count", "3", "'3' is not allowed; write a whole number"),
        ("count", 3.0, "3.0 is not allowed; write a whole number"),
        ("count", True, "true is not allowed; write a whole number"),
        ("count", [3], "a list is not allowed; write a whole number"),
        ("duration", 60, "not a duration; write a number and a unit"),
        ("duration", "60", "not a duration; write a number and a unit"),
        ("percent", "70%", "'70%' is not allowed; write a percentage"),
        ("flag", 1, "1 is not allowed; write true or false"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_with_what_is_allowed(
    kind: str, value: object, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        setting(kind).read(value)


@pytest.mark.parametrize("value", ["1s", "20m1s"])
def test_a_value_out_of_range_is_refused_with_the_range(value: str) -> None:
    window = setting("duration", minimum="2s", maximum="20m")

    with pytest.raises(ValueError, match=r"allowed is a duration from 2s to 20m$"):
        window.read(value)


@pytest.mark.parametrize(("value", "seconds"), [("2s", 2.0), ("20m", 1200.0)])
def test_the_ends_of_the_range_are_allowed(value: str, seconds: float) -> None:
    assert setting("duration", minimum="2s", maximum="20m").read(value) == seconds


def test_a_default_outside_the_range_is_refused_when_the_file_is_read() -> None:
    with pytest.raises(ValueError, match="out of range"):
        setting("count", default=0, minimum=1)
