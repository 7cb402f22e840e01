"""Whatever is wrong with a scenario file: said at its place, never a traceback.

``expected.yaml`` lists every problem of every file in ``scenarios/``, so that a problem
that is missed and a problem too many both fail. What must be huge or binary is made here.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import yaml

from costsim.errors import EXIT_INPUT, InputError, ScenarioError
from costsim.scenario.load import load_scenario

_FOLDER = Path(__file__).parent
_FILES = sorted((_FOLDER / "scenarios").iterdir())
_EXPECTED = yaml.safe_load((_FOLDER / "expected.yaml").read_text("utf-8"))

_HEAD = "name: x\nhorizon: 1d\n"

_MADE = {
    "empty": (b"", (1, 1, "the file is empty")),
    "utf-16": (_HEAD.encode("utf-16"), (1, 1, "UTF-16")),
    "utf-16-without-mark": (_HEAD.encode("utf-16-be"), (1, 1, "UTF-16")),
    "utf-16-not-ascii": ("\u540d".encode("utf-16"), (1, 1, "UTF-16")),
    "utf-32": (_HEAD.encode("utf-32"), (1, 1, "UTF-16 or binary")),
    "latin-1": (
        b"name: x\ndescription: caf\xe9\n",
        (2, 17, "the byte 0xE9 is not UTF-8"),
    ),
    "cut-off-in-a-character": (
        b"name: caf\xc3",
        (1, 10, "the byte 0xC3 is not UTF-8"),
    ),
    "gzip": (gzip.compress(_HEAD.encode(), mtime=0), (1, 1, "binary")),
    "nul": (b"name: x\nhorizon: 1\x00d\n", (2, 11, "U+0000 is not allowed")),
    "escape-sequence": (b"name: \x1b[31mx\n", (1, 7, "U+001B is not allowed")),
    "mark-in-the-middle": (
        "name: x\n\ufeffhorizon: 1d\n".encode(),
        (2, 1, "U+FEFF is not allowed"),
    ),
    "line-separator": (
        "name: x\ndescription: a\u2028b\n".encode(),
        (2, 15, "U+2028 is not allowed"),
    ),
    "deep-flow-list": (b"[" * 100_000, (1, 51, "nested more than 50 deep")),
    "deep-flow-mapping": (b"{a: " * 50_000, (1, 198, "nested more than 50 deep")),
    "deep-block-list": (b"- " * 100_000, (1, 101, "nested more than 50 deep")),
    "deep-by-aliases": (
        b"x-0: &a0 []\n"
        + b"".join(f"x-{i}: &a{i} [*a{i - 1}]\n".encode() for i in range(1, 1000)),
        (50, 13, "nested more than 50 deep"),
    ),
    "too-many-values": (
        b"x: [" + b"1," * 100_000 + b"]",
        (1, 199_999, "more than 100,000 values"),
    ),
    "too-large": (b"# " + b"x" * 600_000, (1, 1, "larger than 512 KiB")),
}


def _refused(path: Path) -> list[tuple[int | None, int | None, str]]:
    """Return line, column and words of every problem of a file that must be refused."""
    with pytest.raises(InputError) as refusal:
        load_scenario(path)
    assert refusal.value.exit_code == EXIT_INPUT
    assert isinstance(refusal.value, ScenarioError)
    assert str(refusal.value).startswith(str(path))
    return [
        (one.line, one.column, f"{one.key}: {one.message}" if one.key else one.message)
        for one in refusal.value.problems
    ]


def test_every_malformed_file_has_an_expectation() -> None:
    assert sorted(file.stem for file in _FILES) == sorted(_EXPECTED)


@pytest.mark.parametrize("file", _FILES, ids=lambda file: file.stem)
def test_every_problem_is_found_at_its_place(file: Path) -> None:
    expected = _EXPECTED[file.stem]

    found = _refused(file)

    assert [[line, column] for line, column, _ in found] == [
        [line, column] for line, column, _ in expected
    ]
    assert [
        words[: len(fragment)]
        for (_, _, words), (_, _, fragment) in zip(found, expected, strict=True)
    ] == [fragment for _, _, fragment in expected]


@pytest.mark.parametrize("name", _MADE)
def test_huge_and_binary_files_are_refused_at_their_place(
    name: str, tmp_path: Path
) -> None:
    content, (line, column, fragment) = _MADE[name]
    path = tmp_path / "made.yaml"
    path.write_bytes(content)

    [(found_line, found_column, words)] = _refused(path)

    assert (found_line, found_column) == (line, column)
    assert fragment in words


def test_numbers_and_texts_beyond_bounds_are_refused_one_by_one(
    tmp_path: Path,
) -> None:
    path = tmp_path / "made.yaml"
    path.write_text(
        f"name: {'x' * 10_001}\nseed: {'9' * 5000}\nhorizon: {'1' * 9000}\n"
    )

    found = _refused(path)

    assert found[3:] == [
        (1, 7, "a value of 10,001 characters; the most is 10,000"),
        (2, 7, "a number of 5000 digits; the most is 40"),
        (3, 10, "a number of 9000 digits; the most is 40"),
    ]


@pytest.mark.parametrize("text", ["1" * 9000, f"{'0' * 100}1s"])
def test_a_long_text_for_a_quantity_is_refused_unread(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "made.yaml"
    path.write_text(f"name: x\nhorizon: '{text}'\n")

    found = _refused(path)

    assert (2, 10) in [(line, column) for line, column, _ in found]


def test_thousands_of_problems_are_cut_to_what_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "made.yaml"
    path.write_text("".join(f"key{i}: 1\n" for i in range(5000)))

    found = _refused(path)

    assert len(found) == 101
    assert found[-1] == (None, None, "and 4,904 more problems")


def test_excerpts_hold_no_control_characters(tmp_path: Path) -> None:
    path = tmp_path / "made.yaml"
    path.write_bytes(b"name: \x1b]0;title\x07\n")

    with pytest.raises(ScenarioError) as refusal:
        load_scenario(path)

    assert str(refusal.value).replace("\n", "").isprintable()
