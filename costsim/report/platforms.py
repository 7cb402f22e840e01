"""What the catalog knows about platforms: all in a list, one in full, several side by side."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from costsim.catalog.provenance import UNDATED, age_days
from costsim.report.columns import GAP, Column, fitting, render
from costsim.report.facts import (
    AUTOSCALER,
    BESIDES,
    BILLING,
    CONFLICTS,
    FEATURES_SECTION,
    LIMITS,
    PHASES,
    PLANS,
    SECTIONS,
    SETTINGS,
    TIERS,
    Fact,
    facts,
)
from costsim.report.pages import (
    OURS,
    Footnotes,
    heading,
    sentences,
    wrapping_table,
)
from costsim.report.price_rows import billed_text, increment_text, price_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from costsim.catalog.platform import Catalog, Platform
    from costsim.study.tabular import Rows

Key = tuple[str, str]
"""Section and item of a fact."""

COMPARED = (BILLING, PHASES, AUTOSCALER, FEATURES_SECTION)
"""Sections whose items every platform has."""

LISTED = (SETTINGS, PLANS, TIERS, BESIDES, LIMITS)
"""Sections whose items are each platform's own: one below the other."""

LEAST_WIDTH = 16
"""Characters that a platform needs side by side; with less, it comes in a table below."""


def platform_records(catalog: Catalog, today: date | None = None) -> Rows:
    """Return one row a platform, for programs.

    Parameters
    ----------
    catalog : Catalog
        The platforms.
    today : date, optional
        For the age of the prices; the date of the clock if left out.
    """
    day = today or datetime.now(UTC).date()
    return [_platform_record(catalog, one, day) for one in catalog.platforms.values()]


def _platform_record(
    catalog: Catalog, platform: Platform, today: date
) -> dict[str, object]:
    rows = price_rows(catalog, platform=platform.name, today=today)
    with_gpu = [
        row.usd_per_gpu_hour for row in rows if row.usd_per_gpu_hour and not row.tier
    ]
    as_of = platform.prices_as_of if any(platform.prices.items()) else UNDATED
    return {
        "platform": platform.name,
        "title": platform.title,
        "product": platform.product,
        "kind": platform.kind,
        "gpus": len(platform.prices.gpu_names),
        "cheapest_gpu_usd_per_hour": min(with_gpu, default=None),
        "billing_increment": increment_text(platform),
        "billed": billed_text(platform),
        "scale_to_zero": platform.features.scale_to_zero.support,
        "prices_as_of": as_of if as_of != UNDATED else "",
        "age_days": age_days(as_of, today),
    }


def platform_list(
    catalog: Catalog, width: int = 80, today: date | None = None
) -> RenderableType:
    """Return the list of platforms for a terminal of so many characters."""
    records = platform_records(catalog, today)
    headings = {
        "platform": "NAME",
        "product": "PRODUCT",
        "gpus": "GPUS",
        "cheapest_gpu_usd_per_hour": "FROM $/H",
        "billing_increment": "BILLED BY",
        "scale_to_zero": "TO ZERO",
        "prices_as_of": "AS OF",
    }
    columns = [
        Column(
            title,
            tuple(_cell(record[key]) for record in records),
            "right" if key in ("gpus", "cheapest_gpu_usd_per_hour") else "left",
        )
        for key, title in headings.items()
    ]
    kept, _ = fitting(columns, ("TO ZERO", "PRODUCT", "GPUS", "BILLED BY"), width)
    hint = Text("\ncostsim platforms NAME shows one in full, several names compare.")
    return Group(render(kept, width), hint)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    return "" if value is None else str(value)


def fact_records(platform: Platform) -> Rows:
    """Return everything about a platform but its prices, one fact a row, for programs."""
    return [{"platform": platform.name} | asdict(fact) for fact in facts(platform)]


def platform_page(platform: Platform, width: int = 80) -> RenderableType:
    """Return everything about a platform but its price list, for a terminal."""
    known = facts(platform)
    parts: list[RenderableType] = [
        Text(f"{platform.title}: {platform.product}", style="bold"),
        Text(f"{platform.summary}\n{platform.website}"),
        Text(f"Prices as of {platform.prices_as_of}, in {platform.prices.unit}."),
        Text(f"costsim prices --platform {platform.name} lists them."),
    ]
    for section in SECTIONS:
        chosen = [fact for fact in known if fact.section == section]
        if chosen:
            parts += [heading(section), _section(chosen, width)]
    parts += [heading("sources"), _sources(platform, known)]
    return Group(*parts)


def _section(chosen: list[Fact], width: int) -> RenderableType:
    """Return a section: item, value, note; long values take the note with them."""
    if chosen[0].section == CONFLICTS:
        return _conflicts(chosen)
    longest = max(len(fact.text) for fact in chosen)
    if longest > width // 3:
        return wrapping_table(
            [(one.item, sentences(one.text, _note(one))) for one in chosen], width
        )
    rows = [(one.item, one.text, _note(one)) for one in chosen]
    return wrapping_table(rows, width)


def _note(fact: Fact) -> str:
    """Return a fact's note, marked if nobody has checked it."""
    return (
        f"{fact.note} (unverified)".strip()
        if fact.evidence == "unverified"
        else fact.note
    )


def _conflicts(chosen: list[Fact]) -> Group:
    lines: list[Text] = []
    for topic in dict.fromkeys(fact.item for fact in chosen):
        lines.append(Text(f"{topic}:"))
        lines += [
            Text(f"- {fact.text}{_origin(fact)}")
            for fact in chosen
            if fact.item == topic
        ]
    return Group(*lines)


def _origin(fact: Fact) -> str:
    if fact.source == OURS:
        return ""
    return f" [{fact.source}, {fact.as_of}, {fact.evidence}]"


def _sources(platform: Platform, known: list[Fact]) -> Text:
    """Return every source with its date, each once."""
    used: list[tuple[str, str, str]] = [
        (price.source, price.as_of, price.evidence or "")
        for price in platform.prices.items()
    ]
    used += [(fact.source, fact.as_of, fact.evidence) for fact in known]
    lines = [
        f"{source} ({as_of}, {evidence})"
        for source, as_of, evidence in dict.fromkeys(used)
    ]
    return Text("\n".join(sorted(lines)), overflow="fold")


def _by_item(platform: Platform, sections: tuple[str, ...]) -> dict[Key, Fact]:
    return {
        (fact.section, fact.item): fact
        for fact in facts(platform)
        if fact.section in sections
    }


def _keys(known: Iterable[dict[Key, Fact]]) -> list[Key]:
    """Return every section and item that some platform has, in the order of the page."""
    keys = dict.fromkeys(key for one in known for key in one)
    return sorted(keys, key=lambda key: SECTIONS.index(key[0]))


def comparison_records(platforms: list[Platform]) -> Rows:
    """Return rules, autoscaler, settings, limits and features, a column for each platform.

    Beside each stands a column with its source and date. An item that a platform does
    not have is None.
    """
    known = {one.name: _by_item(one, COMPARED + LISTED) for one in platforms}
    rows: Rows = []
    for key in _keys(known.values()):
        row: dict[str, object] = {"section": key[0], "item": key[1]}
        cells = {name: items.get(key) for name, items in known.items()}
        row |= {name: fact.text if fact else None for name, fact in cells.items()}
        row |= {
            f"{name}_source": f"{fact.source}, {fact.as_of}" if fact else None
            for name, fact in cells.items()
        }
        rows.append(row)
    return rows


def comparison(
    platforms: list[Platform], width: int = 80, today: date | None = None
) -> RenderableType:
    """Return several platforms side by side for a terminal.

    Platforms for which there is no room in one table follow in another one; what is each
    platform's own comes next, one below the other; the sources come last.
    """
    keys = _keys([_by_item(one, COMPARED) for one in platforms])
    item_width = max(len(item) for _, item in keys)
    most = max(1, (width - item_width) // (LEAST_WIDTH + GAP))
    notes = Footnotes()
    parts: list[RenderableType] = [
        _side_by_side(keys, platforms[start : start + most], notes, (item_width, width))
        for start in range(0, len(platforms), most)
    ]
    for section in LISTED:
        for one in platforms:
            chosen = [fact for fact in facts(one) if fact.section == section]
            if chosen:
                parts.append(heading(f"{section}: {one.title}"))
                items = [(fact.item, fact.text) for fact in chosen]
                parts.append(wrapping_table(items, width))
    day = today or datetime.now(UTC).date()
    parts += [heading("sources"), wrapping_table(notes.lines(day), width)]
    return Group(*parts)


def _side_by_side(
    keys: list[Key],
    platforms: list[Platform],
    notes: Footnotes,
    widths: tuple[int, int],
) -> Table:
    item_width, width = widths
    table = Table(
        box=None,
        pad_edge=False,
        padding=(0, GAP, 0, 0),
        width=width,
        header_style="bold",
    )
    table.add_column("", width=item_width, overflow="fold")
    for one in platforms:
        table.add_column(one.title, ratio=1, overflow="fold")
    known = [_by_item(one, COMPARED) for one in platforms]
    previous = ""
    for section, item in keys:
        if section != previous:
            table.add_row(Text(f"\n{section.upper()}", style="bold"))
            previous = section
        found = [one.get((section, item)) for one in known]
        cells = [notes.cited(fact.text, fact) if fact else "-" for fact in found]
        table.add_row(*map(Text, (item, *cells)))
    return table
