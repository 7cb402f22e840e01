"""What ``prices`` and ``platforms`` print, of two platforms that do not exist."""

from __future__ import annotations

import pytest
from golden_outputs import FOLDER, NARROW, WIDE, steady

_COMMANDS = {
    "prices": ("prices",),
    "prices-shape": ("prices", "--gpu", "L4", "--shape", "2,16", "--sort", "price"),
    "prices-history": ("prices", "--history"),
    "platforms": ("platforms",),
    "platforms-one": ("platforms", "acme"),
    "platforms-two": ("platforms", "acme", "bolt"),
}
_ENDINGS = {"table": "txt", "json": "json", "csv": "csv", "markdown": "md"}


@pytest.fixture(autouse=True, scope="module")
def made_up_platforms():
    """Ship the made-up platforms instead of the real ones."""
    names = ("acme", "bolt")
    files = {name: FOLDER / f"platform-{name}.yaml" for name in names}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("costsim.catalog.platform._files", lambda: files)
        yield


@pytest.mark.parametrize("form", list(_ENDINGS))
@pytest.mark.parametrize("name", list(_COMMANDS))
def test_every_form(invoke, golden, name, form):
    answer = invoke(*_COMMANDS[name], "--format", form)

    assert answer.exit_code == 0
    golden(f"{name}.{_ENDINGS[form]}", steady(answer.out))


@pytest.mark.parametrize("name", list(_COMMANDS))
def test_a_narrow_terminal_without_unicode(invoke, golden, name):
    answer = invoke(*_COMMANDS[name], env=NARROW, charset="ascii")

    golden(f"{name}-narrow.txt", answer.out)


@pytest.mark.parametrize("name", list(_COMMANDS))
def test_a_wide_terminal(invoke, golden, name):
    golden(f"{name}-wide.txt", invoke(*_COMMANDS[name], env=WIDE).out)


def test_own_prices_over_the_shipped_ones(invoke, golden, tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text("acme: {source: mine, as_of: 2026-11-20, gpus: {L4: 0.5 USD/h}}\n")

    answer = invoke("prices", "--prices", own, "--format", "csv")

    golden("prices-own.csv", steady(answer.out))
