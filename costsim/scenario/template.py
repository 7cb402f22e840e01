"""Scenario files to start from: what ``costsim init`` writes."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from costsim.catalog.lookup import unknown
from costsim.errors import InputError

DEFAULT_TEMPLATE = "spiky-llm"
_SUFFIX = ".yaml"


def template_names() -> list[str]:
    """Return the names of the templates, the default first, then by the alphabet."""
    files = resources.files("costsim.scenario") / "templates"
    names = [file.name for file in files.iterdir() if file.name.endswith(_SUFFIX)]
    stems = sorted(name.removesuffix(_SUFFIX) for name in names)
    return sorted(stems, key=lambda name: name != DEFAULT_TEMPLATE)


def render_template(
    name: str = DEFAULT_TEMPLATE, *, schema: str = "scenario.schema.json"
) -> str:
    """Return the text of a scenario file to start from.

    Parameters
    ----------
    name : str
        One of ``template_names()``.
    schema : str
        Path or address of the JSON Schema, as the file sees it; editors check by it.

    Raises
    ------
    InputError
        If there is no such template.
    """
    names = template_names()
    if name not in names:
        raise InputError(unknown("template", name, names))
    files = resources.files("costsim.scenario") / "templates"
    text = (files / f"{name}{_SUFFIX}").read_text("utf-8")
    return f"# yaml-language-server: $schema={schema}\n{text}"


def shipped(path: str) -> str:
    """Return the path of the scenario that comes with costsim under this name.

    ``webinar-launch`` and ``scenarios/webinar-launch.yaml`` both mean it where the user
    has no such file; any other path comes back as it is.
    """
    wanted = Path(path)
    if wanted.exists() or str(wanted.parent) not in (".", "scenarios"):
        return path
    # In a wheel they are inside the package; in a checkout at its top.
    package = Path(str(resources.files("costsim")))
    for folder in (package / "scenarios", package.parent / "scenarios"):
        candidate = folder / f"{wanted.stem}{_SUFFIX}"
        if candidate.is_file():
            return str(candidate)
    return path
