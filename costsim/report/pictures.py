"""Charts as files: PNG, SVG, or a page that needs no network."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from costsim.errors import InputError
from costsim.study.tabular import write_whole
from costsim.yaml_source import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from costsim.report.charts import Chart

SUFFIXES = (".png", ".svg", ".html")
_PIXELS_PER_UNIT = 2
"""So that text is sharp on the screens of today."""


def refuse_unless_picture(suffix: str) -> None:
    """Refuse a file's ending that is none of a picture.

    Raises
    ------
    InputError
        If it is none of ``SUFFIXES``.
    """
    if suffix not in SUFFIXES:
        message = f"a picture ends in {', '.join(SUFFIXES)}, not in '{suffix[:20]}'"
        raise InputError(message)


def picture(chart: Chart, suffix: str) -> bytes:
    """Return a chart as the content of a file.

    Parameters
    ----------
    chart : dict
        A Vega-Lite specification.
    suffix : str
        Ending of the file's name: ``.png``, ``.svg`` or ``.html``.

    Raises
    ------
    InputError
        If the suffix is none of them.
    """
    refuse_unless_picture(suffix)
    import vl_convert

    if suffix == ".png":
        with _drawing():
            content: bytes = vl_convert.vegalite_to_png(
                chart, scale=_PIXELS_PER_UNIT, allowed_base_urls=[]
            )
        return content
    if suffix == ".svg":
        return svg_of(chart).encode()
    page: str = vl_convert.vegalite_to_html(chart, bundle=True)
    return page.encode()


def svg_of(chart: Chart) -> str:
    """Return a chart as SVG.

    Raises
    ------
    InputError
        If it cannot be drawn, as one of a saved file that names data elsewhere.
    """
    import vl_convert

    with _drawing():
        svg: str = vl_convert.vegalite_to_svg(chart, allowed_base_urls=[])
    return svg


@contextmanager
def _drawing() -> Iterator[None]:
    """Tell what cannot be drawn; charts of ours have their data inside, others may not.

    Raises
    ------
    InputError
        If it cannot be drawn.
    """
    try:
        yield
    except ValueError as error:
        lines = str(error).splitlines()
        told = [line for line in lines if line.startswith("Error: ")] or lines
        message = f"the chart cannot be drawn: {shorten(told[0].strip())}"
        raise InputError(message) from None


_VEGA_LITE = "application/vnd.vegalite.v5+json"
"""What notebooks call a specification that they draw themselves."""


@dataclass(frozen=True)
class Figure:
    """A chart that a notebook shows, and that can be saved."""

    specification: Chart
    """In Vega-Lite, with its data."""

    def save(self, path: str | Path) -> Path:
        """Write it as ``.png``, ``.svg`` or ``.html``; return the path.

        Raises
        ------
        InputError
            If the file's name ends otherwise, or it cannot be written.
        """
        target = Path(path)
        return write_whole(target, picture(self.specification, target.suffix))

    def _repr_mimebundle_(
        self,
        include: Any = None,  # noqa: ANN401, ARG002 - as notebooks call it
        exclude: Any = None,  # noqa: ANN401, ARG002
    ) -> dict[str, Any]:
        return {
            _VEGA_LITE: self.specification,
            "image/svg+xml": picture(self.specification, ".svg").decode(),
            "text/plain": f"<costsim chart: {self.specification.get('title', '')}>",
        }
