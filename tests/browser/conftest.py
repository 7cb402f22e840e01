"""A real browser without network, or a reason to skip."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_LAWS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
"""What axe checks."""
_NAMES = ("chromium", "chromium-browser", "google-chrome")


@dataclass
class Visit:
    """A page as somebody sees it, and what it did besides."""

    page: Any
    requests: list[str] = field(default_factory=list)
    """What it asked for, itself left out."""
    complaints: list[str] = field(default_factory=list)
    """Errors and warnings of the console, and of scripts."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Return Chromium, headless."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    with playwright.sync_playwright() as running:
        own = running.chromium.executable_path  # of `playwright install chromium`
        path = next(filter(None, map(shutil.which, (*_NAMES, own))), None)
        if path is None:
            pytest.skip("needs Chromium")
        chromium = running.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Visit]]:
    """Return a function that opens a file with the network cut."""
    contexts = []

    def opened(file: Path, **options: Any) -> Visit:
        context = browser.new_context(offline=True, **options)
        contexts.append(context)
        seen = Visit(context.new_page())
        url = file.resolve().as_uri()
        seen.page.on(
            "request",
            lambda one: one.url == url or seen.requests.append(one.url),
        )
        seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        seen.page.on(
            "console",
            lambda one: (
                seen.complaints.append(one.text)
                if one.type in ("error", "warning")
                else None
            ),
        )
        seen.page.goto(url)
        return seen

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def violations() -> Callable[[Any], list[str]]:
    """Return a function from a page to what axe finds in it, with all of it shown."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="needs axe"
    )

    def found(page: Any) -> list[str]:
        page.evaluate(
            "for (const one of document.querySelectorAll('details')) one.open = true"
        )
        answer = axe.Axe().run(page, options={"runOnly": _LAWS}).response
        assert len(answer["passes"]) > 15
        return [
            f"{one['id']}: {one['nodes'][0]['html']}" for one in answer["violations"]
        ]

    return found
