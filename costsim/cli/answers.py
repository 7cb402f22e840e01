"""The answer of a study, in the form that was asked for."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from costsim.cli import output

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from costsim.cli.options import AnswerFormat, Format
    from costsim.report.document import Document
    from costsim.study.exports import Exports


def deliver(
    result: Exports,
    form: Format | AnswerFormat,
    *,
    out: Path | None = None,
    html: Path | None,
) -> None:
    """Write the files that were asked for, and print the answer."""
    from costsim.report.answers import documents_of
    from costsim.study.tabular import export

    if out is not None:
        result.write(out)
    if html is not None:
        result.to_html(html)
    if form.value == "json":
        print_json(result.to_dict())
    elif form.value == "csv":
        output.write(export(result.to_rows(), "csv"))
    else:
        show(documents_of(result), form)


def show(documents: Sequence[Document], form: Format | AnswerFormat) -> None:
    """Print what is told of answers for people, as Markdown or as annotations."""
    from costsim.report.document import terminal_document
    from costsim.report.markdown import document_annotations, document_markdown

    if form.value == "github":
        output.write("".join(map(document_annotations, documents)))
        return
    if form.value == "markdown":
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
