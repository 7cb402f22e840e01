"""Open a recorded trace by the format that it is in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from costsim.traffic.formats.assemble import assemble
from costsim.traffic.formats.batch import Account
from costsim.traffic.formats.content import Content
from costsim.traffic.formats.registry import detect, find_format

if TYPE_CHECKING:
    from collections.abc import Iterable

    from costsim.scenario.trace import Trace
    from costsim.traffic.formats.batch import Format
    from costsim.traffic.trace import TraceData


def detect_format(path: str) -> str:
    """Return the name of a file's format, by its content.

    Raises
    ------
    TraceError
        If it cannot be opened, or is neither text nor a table.
    """
    return detect(Content(path).head).name


def read_trace(spec: Trace, needs: Iterable[str] | None = None) -> TraceData:
    """Return the requests of a recorded trace, unscaled.

    Parameters
    ----------
    spec : Trace
        Where it is and how to read it.
    needs : iterable of str, optional
        Fields of ``TraceData`` that are wanted besides the arrivals, and must be there;
        if left out, all that the file has. Rows are judged by these fields only.

    Raises
    ------
    TraceError
        If the file cannot be used; it says where and why.
    """
    content = Content(spec.path)
    chosen = _format(content, spec)
    wanted = None if needs is None else tuple(needs)
    account = Account(spec.path, needs=wanted, stamped_end=spec.stamped == "end")
    return assemble(chosen.read(content, spec, account), account, spec, chosen.name)


def _format(content: Content, spec: Trace) -> Format:
    if spec.format != "auto":
        return find_format(spec.format)
    if spec.log_format is not None:
        # nginx has variables in it, Apache has percent signs.
        return find_format("nginx" if "$" in spec.log_format else "apache")
    return detect(content.head)
