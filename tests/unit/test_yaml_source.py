from __future__ import annotations

import math
from typing import Any

import pytest

from costsim.errors import ScenarioError
from costsim.scenario.template import render_template
from costsim.yaml_source import (
    Document,
    FileFloat,
    Location,
    examine_yaml,
    read_yaml,
    shorten,
    shown,
)


def _read(text: str) -> Document:
    return read_yaml(text, path="file.yaml")


def _value(text: str) -> Any:
    return _read(f"key: {text}\n").value["key"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12:30", "12:30"),
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("2026-03-02", "2026-03-02"),
        ("2026-03-02T00:00+01:00", "2026-03-02T00:00+01:00"),
        ("017", 17),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b11", "0b11"),
        ("+5", 5),
        ("-5", -5),
        ("1_000", 1000),
        ("1__0", "1__0"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1_000.5", 1000.5),
        ("-.inf", -math.inf),
        ("inf", "inf"),
        ("nan", "nan"),
        ("true", True),
        ("False", False),
        ("", None),
        ("~", None),
        ("null", None),
        ("nil", "nil"),
        ("'5'", "5"),
        ('"true"', "true"),
        ("!!str 5", "5"),
        ("!!float 5", 5.0),
        ("! 5", 5),
        ("5m", "5m"),
        ("L4:4x16", "L4:4x16"),
        ("=", "="),
        ("[a, 1, {b: ~}]", ["a", 1, {"b": None}]),
    ],
)
def test_plain_words_mean_what_yaml_1_2_says(text: str, value: object) -> None:
    read = _value(text)

    assert read == value
    assert isinstance(read, type(value))


def test_nan_is_a_number() -> None:
    assert math.isnan(_value(".NaN"))


def test_a_bare_float_is_told_from_a_float_of_python() -> None:
    assert type(_value("1.5")) is FileFloat


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "\ufeff", "~"])
def test_nothing_is_none(text: str) -> None:
    assert _read(text).value is None


def test_a_byte_order_mark_at_the_start_is_no_part_of_the_text() -> None:
    document = read_yaml("\ufeffkey: 1\n".encode(), path="file.yaml")

    assert document.value == {"key": 1}
    assert document.locate(("key",), at="key").column == 1


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_lines_count_the_same_with_every_newline(newline: str) -> None:
    document = _read(newline.join(["a: 1", "# remark", "b: 2", ""]))

    assert document.locate(("b",)) == Location(3, 4, 1, "b: 2")


def test_top_level_extensions_are_dropped_and_others_kept() -> None:
    text = "x-base: &base {a: 1}\nkey: {x-inner: 2, <<: *base}\n"

    assert _read(text).value == {"key": {"a": 1, "x-inner": 2}}


def test_own_keys_win_over_merged_and_first_merged_over_later() -> None:
    text = """
    x-a: &a {one: a, two: a, three: a}
    x-b: &b {two: b, three: b, four: b}
    key: {<<: [*a, *b], one: own}
    """

    assert _read(text).value == {
        "key": {"one": "own", "two": "a", "three": "a", "four": "b"}
    }


def test_merges_reach_through_merges() -> None:
    text = "x-a: &a {one: 1}\nx-b: &b {<<: *a, two: 2}\nkey: {<<: *b}\n"

    assert _read(text).value == {"key": {"one": 1, "two": 2}}


def test_numbers_are_keys_as_they_are_written() -> None:
    assert _read("{7: a, 07: b, 1e3: c, .nan: d}").value == {
        "7": "a",
        "07": "b",
        "1e3": "c",
        ".nan": "d",
    }


def test_aliases_share_no_mutable_value() -> None:
    document = _read("a: &list [1]\nb: *list\n")

    document.value["a"].append(2)

    assert document.value["b"] == [1]


def test_all_repeated_keys_are_found() -> None:
    with pytest.raises(ScenarioError) as refusal:
        _read("a: 1\nb: {c: 1, c: 2}\na: 2\nd:\n  - {e: 1, e: 2}\n")

    assert [(one.line, one.column) for one in refusal.value.problems] == [
        (2, 11),
        (3, 1),
        (5, 12),
    ]


def test_the_first_of_repeated_keys_is_examined_further() -> None:
    document, problems = examine_yaml("a: 1\na: 2\n", path="file.yaml")

    assert document.value == {"a": 1}
    assert len(problems) == 1


def test_what_repeats_by_alias_is_reported_once() -> None:
    text = "x-a: &a {b: 1, b: 2}\nkey: [*a, *a]\nother: {<<: *a}\n"

    _, problems = examine_yaml(text, path="file.yaml")

    assert [(one.line, one.column) for one in problems] == [(1, 16)]


def test_aliases_count_for_what_they_stand_for() -> None:
    ten = "[x, x, x, x, x, x, x, x, x, x]"
    text = f"a: &a {ten}\nb: &b [{', '.join(['*a'] * 90)}]\nc: [{{}}]\n"
    allowed = text.replace("{}", ", ".join(["*b"] * 99))
    too_many = text.replace("{}", ", ".join(["*b"] * 100))

    assert len(_read(allowed.replace("{", "").replace("}", "")).value["c"]) == 99
    with pytest.raises(ScenarioError, match="more than 100,000 values"):
        _read(too_many.replace("{", "").replace("}", ""))


def test_fifty_levels_are_read_and_one_more_is_not() -> None:
    assert _read("[" * 50 + "]" * 50).value is not None
    with pytest.raises(ScenarioError, match="nested more than 50 deep"):
        _read("[" * 51 + "]" * 51)


_PLACES = """\
x-base: &base
  shared: 1   # written here
traffic:
  streams:
    - name: users
      rate: 48/h
    - {name: bots, rate: 5/h}
empty:
one: {<<: *base, own: 2}
"""


@pytest.mark.parametrize(
    ("loc", "at", "line", "column", "length"),
    [
        ((), "value", 1, 1, 13),
        (("traffic",), "value", 4, 3, 8),
        (("traffic",), "key", 3, 1, 7),
        (("traffic", "streams", 0), "value", 5, 7, 11),
        (("traffic", "streams", 0), "key", 5, 7, 11),
        (("traffic", "streams", 0, "rate"), "value", 6, 13, 4),
        (("traffic", "streams", 0, "rate"), "key", 6, 7, 4),
        (("traffic", "streams", 1), "value", 7, 7, 23),
        (("traffic", "streams", 1, "rate"), "value", 7, 26, 3),
        (("empty",), "value", 8, 1, 5),
        (("one", "shared"), "value", 2, 11, 1),
        (("one", "shared"), "key", 2, 3, 6),
        (("one", "own"), "value", 9, 23, 1),
        (("traffic", "streams", 1, "event", "rate"), "value", 7, 26, 3),
        (("traffic", "streams", 1, "missing"), "value", 7, 7, 23),
        (("traffic", "streams", 9), "key", 4, 3, 7),
        (("missing",), "value", 1, 1, 13),
    ],
)
def test_values_and_keys_are_found_where_they_are_written(
    loc: tuple[str | int, ...], at: Any, line: int, column: int, length: int
) -> None:
    location = _read(_PLACES).locate(loc, at=at)

    assert location == Location(line, column, length, _PLACES.splitlines()[line - 1])


def _leaves(value: Any, loc: tuple[Any, ...] = ()) -> list[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict):
        return [leaf for key in value for leaf in _leaves(value[key], (*loc, key))]
    if isinstance(value, list):
        return [leaf for i, one in enumerate(value) for leaf in _leaves(one, (*loc, i))]
    return [(loc, value)]


def test_what_stands_at_a_values_place_reads_as_that_value() -> None:
    document = _read(render_template("spiky-llm"))
    leaves = _leaves(document.value)

    places = [document.locate(loc) for loc, _ in leaves]
    read = [
        _value(place.source[place.column - 1 :][: place.length]) for place in places
    ]

    assert len(leaves) > 80
    assert read == [value for _, value in leaves]


def test_the_error_names_path_line_and_column() -> None:
    with pytest.raises(ScenarioError) as refusal:
        _read("a: 1\nb: !!python/name:os.system x\n")

    assert refusal.value.line == 2
    assert str(refusal.value).splitlines() == [
        "file.yaml:2:4: the tag !!python/name:os.system is not supported; write the "
        "value without it",
        "  2 | b: !!python/name:os.system x",
        "    |    ^^^^^^^^^^^^^^^^^^^^^^^^^",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        (True, "true"),
        (5, "5"),
        (1.5, "1.5"),
        (math.nan, ".nan"),
        (-math.inf, "-.inf"),
        ("a", "'a'"),
        ([1], "a list"),
        ({}, "a mapping"),
        ("\x1b[31m", "'\N{REPLACEMENT CHARACTER}[31m'"),
        ("x" * 50, f"'{'x' * 37}...'"),
    ],
)
def test_messages_show_values_as_yaml_has_them(value: object, text: str) -> None:
    assert shown(value) == text


def test_shortened_text_has_the_length_asked_for() -> None:
    assert shorten("abcdefghij", 8) == "abcde..."
    assert shorten("abcdefgh", 8) == "abcdefgh"
