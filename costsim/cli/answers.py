"""The answer of a study, in the form that was asked for."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from costsim.cli import output
from costsim.cli.options import Format

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from costsim.report.document import Document
    from costsim.study.exports import Exports


def deliver(
    result: Exports, form: Format, *, out: Path | None = None, html: Path | None
) -> None:
    """Write the files that were asked for, and print the answer."""
    from costsim.report.answers import document_of
    from costsim.study.tabular import export

    if out is not None:
        result.write(out)
    if html is not None:
        result.to_html(html)
    if form is Format.json:
        print_json(result.to_dict())
    elif form is Format.csv:
        output.write(export(result.to_rows(), "csv"))
    else:
        show([document_of(result)], markdown=form is Format.markdown)


def show(documents: Sequence[Document], *, markdown: bool) -> None:
    """Print what is told of answers, as Markdown or for people, one after the other."""
    from costsim.report.document import terminal_document
    from costsim.report.markdown import document_markdown

    if markdown:
        output.write("\n".join(map(document_markdown, documents)))
        return
    width, unicode = output.console().width, output.takes_unicode(sys.stdout)
    for number, one in enumerate(documents):
        if number:
            output.write("\n")
        output.show(terminal_document(one, width=width, unicode=unicode))


def print_json(content: Any) -> None:  # noqa: ANN401 - any JSON
    """Print data as JSON."""
    output.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
