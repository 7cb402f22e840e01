"""Answers of studies, whatever the study: what is told of them, their files and pages."""

from __future__ import annotations

import json
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from costsim.errors import InputError
from costsim.report.breakeven import breakeven_document
from costsim.report.chart_parts import standalone
from costsim.report.compare import comparison_document
from costsim.report.document import Document, document_record, restored_document
from costsim.report.page.study import study_page, study_summary
from costsim.report.pictures import Figure
from costsim.report.sweep import sweep_document
from costsim.report.tune import tune_document
from costsim.study.breakeven.result import BreakEven
from costsim.study.compare import Comparison, Comparisons
from costsim.study.sweep.result import SweepResult
from costsim.study.tune.result import TuneResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from costsim.study.exports import Exports


@singledispatch
def documents_of(result: object) -> list[Document]:
    """Return what is to be told of an answer; of several comparisons, one each.

    Parameters
    ----------
    result : BreakEven, Comparison, Comparisons, SweepResult or TuneResult
        The answer of a study.
    """
    raise TypeError(type(result))


@documents_of.register
def _(result: BreakEven) -> list[Document]:
    return [breakeven_document(result)]


@documents_of.register
def _(result: Comparison) -> list[Document]:
    return [comparison_document(result)]


@documents_of.register
def _(result: Comparisons) -> list[Document]:
    return list(map(comparison_document, result.comparisons, result.judged))


@documents_of.register
def _(result: SweepResult) -> list[Document]:
    return [sweep_document(result)]


@documents_of.register
def _(result: TuneResult) -> list[Document]:
    return [tune_document(result)]


def answer_json(result: Exports) -> str:
    """Return an answer as the JSON that ``costsim.study.saved.read_study`` reads."""
    content = _content(result, documents_of(result))
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def answer_page(result: Exports) -> str:
    """Return the page of an answer."""
    documents = documents_of(result)
    return study_page(documents, _content(result, documents))


def answer_summary(result: Exports) -> str:
    """Return an answer as HTML, for a notebook."""
    return "".join(map(study_summary, documents_of(result)))


def figures_of(result: Exports) -> dict[str, Figure]:
    """Return the charts of an answer by name."""
    return {
        one.name: Figure(standalone(one.chart))
        for document in documents_of(result)
        for one in document.drawings
    }


def saved_documents(content: Mapping[str, Any]) -> list[Document]:
    """Return what is to be told of a study that was saved.

    Raises
    ------
    InputError
        If something is missing in it.
    """
    try:
        return [*map(restored_document, content["documents"])]
    except (AttributeError, KeyError, TypeError) as error:
        message = f"is no whole study ({error} is missing or wrong); write it again"
        raise InputError(message) from None


def _content(result: Exports, documents: Sequence[Document]) -> dict[str, Any]:
    told = [*map(document_record, documents)]
    return {"study": result.kind, **result.saved(), "documents": told}
