"""The docstrings of attributes: what a column means, from where it is defined."""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import cache


@cache
def attribute_docs(kind: type) -> dict[str, str]:
    """Return the docstring below each attribute of a class, on one line.

    Parameters
    ----------
    kind : type
        A class whose source is there.
    """
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    (definition,) = tree.body
    found: dict[str, str] = {}
    if not isinstance(definition, ast.ClassDef):
        return found
    name = None
    for statement in definition.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(
            statement.target, ast.Name
        ):
            name = statement.target.id
            continue
        text = _text(statement)
        if name is not None and text is not None:
            found[name] = " ".join(text.split())
        name = None
    return found


def _text(statement: ast.stmt) -> str | None:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        value = statement.value.value
        return value if isinstance(value, str) else None
    return None
