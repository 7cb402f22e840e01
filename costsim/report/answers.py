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
from costsim.study.compare import Comparison
from costsim.study.sweep.result import SweepResult
from costsim.study.tune.result import TuneResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from costsim.study.exports import Exports


@singledispatch
def document_of(result: object) -> Document:
    """Return what is to be told of an answer.

    Parameters
    ----------
    result : BreakEven, Comparison, SweepResult or TuneResult
        The answer of a study.
    """
    raise TypeError(type(result))


document_of.register(BreakEven)(breakeven_document)
document_of.register(Comparison)(comparison_document)
document_of.register(SweepResult)(sweep_document)
document_of.register(TuneResult)(tune_document)


def study_json(
    kind: str, data: Mapping[str, Any], documents: Sequence[Document]
) -> str:
    """Return an answer as the JSON that ``costsim.study.saved.read_study`` reads."""
    content = study_content(kind, data, documents)
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def study_content(
    kind: str, data: Mapping[str, Any], documents: Sequence[Document]
) -> dict[str, Any]:
    """Return an answer's data with what is told of it.

    Parameters
    ----------
    kind : str
        Which study it is: ``breakeven``.
    data : mapping
        Its own JSON form.
    documents : sequence of Document
        What is told; of a comparison with several others, one each.
    """
    return {"study": kind, **data, "documents": [*map(document_record, documents)]}


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


def answer_page(result: Exports) -> str:
    """Return the page of an answer."""
    document = document_of(result)
    return study_page(
        [document], study_content(result.kind, result.saved(), [document])
    )


def answer_summary(result: Exports) -> str:
    """Return an answer as HTML, for a notebook."""
    return study_summary(document_of(result))


def figures_of(result: Exports) -> dict[str, Figure]:
    """Return the charts of an answer by name."""
    return {
        one.name: Figure(standalone(one.chart)) for one in document_of(result).drawings
    }
