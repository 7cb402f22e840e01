"""What every page is put together with: templates, pictures, data that stays data.

Templates escape whatever is put into them, so that names from a scenario are text and
never markup. What is not text is made here: pictures by vl-convert, JSON with its angle
brackets escaped. A content security policy forbids the page every request, and every
script but its own.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from importlib import resources
from typing import TYPE_CHECKING, Any

from costsim import __version__
from costsim.report.chart_parts import CONFIG
from costsim.report.pictures import svg_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2 import Environment
    from markupsafe import Markup

    from costsim.report.charts import Chart


def rendered(template: str, embedded: Mapping[str, Any], **texts: Any) -> str:  # noqa: ANN401 - what templates take
    """Return a page.

    Parameters
    ----------
    template : str
        Name of its file.
    embedded : mapping of str to JSON values
        Data that the page has inside, by the identifier of its element.
    texts
        What the template shows.
    """
    from markupsafe import Markup

    script = _file("page.js")
    values = {"version": __version__, **texts}
    return (
        environment()
        .get_template(template)
        .render(
            **values,
            style=Markup(_file("page.css")),
            script=Markup(script),
            script_hash=_policy_hash(script),
            embedded=[(key, _script_data(value)) for key, value in embedded.items()],
        )
    )


def environment() -> Environment:
    """Return what makes text of templates: it escapes, and misses nothing silently."""
    from jinja2 import DictLoader, Environment, StrictUndefined

    folder = resources.files("costsim.report.page")
    templates = {
        one.name: one.read_text("utf-8")
        for one in folder.iterdir()
        if one.name.endswith(".html")
    }
    return Environment(
        loader=DictLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def drawn(chart: Chart, name: str) -> Markup:
    """Return a chart as a picture for a page, in the page's own colors.

    Parameters
    ----------
    chart : dict
        In Vega-Lite.
    name : str
        What no other picture of the page is called.
    """
    from markupsafe import Markup

    plain = {**chart, "title": None, "config": CONFIG}
    svg = _apart(svg_of(plain), name)
    # Not an image to screen readers: its marks have labels of their own.
    told = f'aria-labelledby="{name}-title" aria-describedby="{name}-caption"'
    return Markup(svg.replace("<svg ", f'<svg role="graphics-document" {told} ', 1))


def _apart(svg: str, name: str) -> str:
    """Return a picture whose identifiers no other one has, the same every time."""
    ids = dict.fromkeys(re.findall(r'\bid="([^"]+)"', svg))
    places = {one: f"{name}-{place}" for place, one in enumerate(ids)}
    marked = re.sub(r'\bid="([^"]+)"', lambda m: f'id="{places[m[1]]}"', svg)
    return re.sub(
        r"url\(#([^)]+)\)", lambda m: f"url(#{places.get(m[1], m[1])})", marked
    )


def _script_data(value: Any) -> Markup:  # noqa: ANN401 - any JSON
    """Return JSON that cannot end the element that holds it."""
    from markupsafe import Markup

    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _policy_hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _file(name: str) -> str:
    return (resources.files("costsim.report.page") / name).read_text("utf-8")
