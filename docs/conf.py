"""The site: ``sphinx-build docs site``, from the Markdown pages as they are.

Nothing is fetched: Furo brings its own fonts and scripts.
"""

from __future__ import annotations

import re
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]

project = "costsim"
copyright = "the costsim authors"
_VERSION = re.search(
    r'^version = "([^"]+)"', (_ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE
)
release = _VERSION[1] if _VERSION else ""

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
myst_heading_anchors = 3
# Pages link to files of the repository too, which are not part of the site.
suppress_warnings = ["myst.xref_missing"]

exclude_patterns = ["*.ipynb"]
html_theme = "furo"
html_title = f"costsim {release}"
html_copy_source = False
