"""Each expected output can fail its test: one changed digit is enough."""

from __future__ import annotations

import re

import pytest
from golden_outputs import FOLDER

_INPUTS = {
    *("scenario.yaml", "prices.yaml", "platform-acme.yaml", "platform-bolt.yaml")
}
_OUTPUTS = sorted(path.name for path in FOLDER.iterdir() if path.name not in _INPUTS)
_WITH_NUMBERS = [
    name for name in _OUTPUTS if re.search(r"\d", (FOLDER / name).read_text("utf-8"))
]


def _changed(text: str) -> str:
    """Return a text with another last digit in the number amid all its numbers."""
    numbers = list(re.finditer(r"\d+(?:\.\d+)?", text))
    end = numbers[len(numbers) // 2].end()
    return f"{text[: end - 1]}{(int(text[end - 1]) + 1) % 10}{text[end:]}"


@pytest.mark.parametrize("name", _WITH_NUMBERS)
def test_a_changed_digit_is_seen(golden, request, name):
    if request.config.getoption("--update-golden"):
        pytest.skip("would write the changed number")
    text = (FOLDER / name).read_bytes().decode()

    golden(name, text)
    with pytest.raises(AssertionError):
        golden(name, _changed(text))
