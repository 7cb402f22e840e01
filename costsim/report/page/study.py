"""The answer of a study as one HTML file, and as a cell of a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from costsim import __version__
from costsim.report.page.rendering import drawn, environment, rendered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from costsim.report.document import Document, Section

EMBEDDED = "costsim-study"
"""Identifier of the element that has the answer as data."""
_MARKS = {"x": "missed-row", ">": "chosen", "~": "noise-row"}
_SUMMARY = """\
<p><strong>{{ verdict }}</strong><br>{{ facts }}</p>
{% for section in sections if section.columns %}
{% if section.title %}
<p>{{ section.title }}</p>
{% endif %}
<table>
<thead><tr>{% for one in section.columns %}<th>{{ one.title }}</th>{% endfor %}</tr></thead>
<tbody>
{% for row in section.rows %}
<tr>{% for cell in row.cells %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}
</tbody>
</table>
{% endfor %}
"""


def study_page(documents: Sequence[Document], content: Mapping[str, Any]) -> str:
    """Return the page of one study, or of several comparisons with the same first side.

    Parameters
    ----------
    documents : sequence of Document
        What is told, one after the other.
    content : mapping
        The answer as data, which the page has inside; its ``warnings`` and ``notes`` are
        told at the end.
    """
    return rendered(
        "study.html",
        {EMBEDDED: content},
        title=documents[0].title,
        documents=[
            {**_texts(one, place), "figures": _figures(one, place)}
            for place, one in enumerate(documents)
        ],
        origin=_origin(content),
        remarks=[
            ("Warnings", content.get("warnings", [])),
            ("Notes", content.get("notes", [])),
        ],
    )


def study_summary(document: Document) -> str:
    """Return the verdict and the tables of a study as HTML, for a notebook."""
    return environment().from_string(_SUMMARY).render(**_texts(document, 0))


def _texts(document: Document, place: int) -> dict[str, Any]:
    return {
        "title": document.title,
        "verdict": document.verdict,
        "facts": document.facts,
        "lead": document.lead,
        "sections": [
            _section(section, f"section-{place}-{number}")
            for number, section in enumerate(document.sections)
        ],
    }


def _figures(document: Document, place: int) -> list[dict[str, Any]]:
    return [
        {
            "id": f"{one.name}-{place}",
            "title": one.title,
            "caption": one.caption,
            "svg": drawn(one.chart, f"{one.name}-{place}"),
        }
        for one in document.drawings
    ]


def _section(section: Section, identifier: str) -> dict[str, Any]:
    columns = [one for one in section.columns if not one.empty]
    marked = section.marked and columns[:1] == [*section.columns[:1]]
    marks = columns[0].cells if marked else ()
    told = columns[1:] if marked else columns
    count = len(section.columns[0].cells) if section.columns else 0
    return {
        "id": identifier,
        "title": section.title,
        # Regions of a page have different names.
        "table_label": f"Table of {section.title or 'the answer'}",
        "checks": [
            {"ok": one.ok, "deployment": "", "text": one.text} for one in section.checks
        ],
        "columns": [
            {
                "title": one.title,
                "about": "",
                "kind": "text" if one.justify == "left" else "",
            }
            for one in told
        ],
        "rows": [
            {
                "mark": _MARKS.get(marks[row], "") if marks else "",
                "cells": [one.cells[row] for one in told],
            }
            for row in range(count)
        ],
        "lines": section.lines,
        "text": section.text,
    }


def _origin(content: Mapping[str, Any]) -> str:
    parts = [f"costsim {__version__}"]
    if content.get("seed") is not None:
        parts.append(f"seed {content['seed']}")
    if content.get("prices_as_of"):
        parts.append(f"prices as of {content['prices_as_of']}")
    return (
        f"{', '.join(parts)}. Response times are modeled, of served requests; network "
        "time is not in them. Intervals are of 95 %, over replications."
    )
