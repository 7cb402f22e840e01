"""Every message that costsim's own code can refuse a user's file or option with.

Read from the source, without running it: whatever is given to an exception or to a
``Problem``. Where words vary there is ``...``. What a function is given is followed to
its calls, and what it returns into it, so that ``_refuse(text, "a duration")`` counts
as ``... is not a duration; write ...``.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from math import prod
from typing import TYPE_CHECKING

from source_calls import (
    Env,
    Scope,
    assigned,
    bound_arguments,
    called,
    calls,
    calls_to,
    defaults,
    functions,
    imports,
    module_values,
    parameters,
    trees,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

VARIES = "..."

SINKS = {
    "CatalogError",
    "InputError",
    "MarkedYAMLError",
    "NoExampleError",
    "OutputError",
    "Problem",
    "RuleError",
    "SimulationError",
    "TraceError",
    "UnpricedError",
    "ValueError",
    "__init__",
    "_PackingError",
    "_UnusableError",
    "fail",
}
"""What is made with the message that the user gets to see."""
PASSED_ON = {
    "ValueError",
    "RuleError",
    "UnpricedError",
    "ScenarioError",
    "CostsimError",
}
"""Caught to say the same with more around it: the message is found where it is made."""
FOR_PROGRAMS = {"ValueError", "__init__"}
APART = ("costsim/queueing", "costsim/billing", "costsim/simulation/settings.py")
"""Functions for programs: what they refuse is a mistake in a program."""

_MANY = 40
"""More ways than this to fill a place are no help: there, words vary."""
_DEEPEST = 8


@dataclass(frozen=True)
class Message:
    """A message, and the line of the source that its words come from."""

    file: str
    line: int
    text: str
    made_by: str
    """The class or function that it is given to."""

    @property
    def place(self) -> str:
        """File and line."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class _Text:
    """A piece of a message on its way through the source."""

    text: str
    line: int = 0
    file: str = ""
    inner: bool = False
    """Whether it holds another message."""


def messages() -> list[Message]:
    """Return every message, in the order of the files and lines."""
    return _found()[0]


def unread() -> list[str]:
    """Return the places where what is said cannot be told from the source."""
    return _found()[1]


@cache
def _found() -> tuple[list[Message], list[str]]:
    found: dict[Message, None] = {}
    without = []
    for scope, call in calls():
        given, name = _message_of(call), called(call)
        if name not in SINKS or given is None:
            continue
        if name in FOR_PROGRAMS and scope.file.startswith(APART):
            continue
        texts = [
            one
            for filled in _as_called(scope)
            for one in _texts(given, filled, _DEEPEST)
        ]
        if not texts:
            without.append(f"{scope.file}:{call.lineno}")
        for one in texts:
            # What only passes another message on has no words of its own.
            if not one.inner and re.search("[a-z]{2}", one.text):
                line = one.line or call.lineno
                found[Message(one.file or scope.file, line, one.text, name)] = None
    ordered = sorted(found, key=lambda one: (one.file, one.line, one.text))
    return ordered, without


def _as_called(scope: Scope) -> list[Scope]:
    """Return a scope with what each call of its function gives, or as it is."""
    function = scope.function
    names = [] if function is None else parameters(function)
    if function is None or not names:
        return [scope]
    left_out = list(defaults(function))
    given = [
        {name: (value, Scope(scope.file, scope.tree)) for name, value in left_out}
        | {name: (value, caller) for name, value in bound_arguments(call, names)}
        for caller, call in calls_to(function, scope)
    ]
    return [replace(scope, env=env) for env in given] or [scope]


def _message_of(call: ast.Call) -> ast.expr | None:
    """Return what is said, if this is a call that says something."""
    name, method = called(call), isinstance(call.func, ast.Attribute)
    given = [*call.args, *(one.value for one in call.keywords if one.arg == "problem")]
    if not given or (name == "fail" and not method):
        return None
    if name == "__init__" and not isinstance(given[0], ast.JoinedStr):
        return None
    return given[0]


def _texts(node: ast.expr, scope: Scope, depth: int) -> list[_Text]:
    """Return the texts that an expression can be; none if that cannot be told."""
    read = _READ.get(type(node))
    return read(node, scope, depth) if read is not None and depth > 0 else []


def _constant(node: ast.Constant, scope: Scope, _depth: int) -> list[_Text]:
    if not isinstance(node.value, str):
        return []
    return [_Text(node.value, getattr(node, "lineno", 0), scope.file)]


def _formatted(node: ast.JoinedStr, scope: Scope, depth: int) -> list[_Text]:
    return _joined([_part(one, scope, depth) for one in node.values], node, scope)


def _added(node: ast.BinOp, scope: Scope, depth: int) -> list[_Text]:
    sides = [_filled(side, scope, depth) for side in (node.left, node.right)]
    return _joined(sides, node, scope) if isinstance(node.op, ast.Add) else []


def _any_of(node: ast.expr, scope: Scope, depth: int) -> list[_Text]:
    return [one for way in _ways(node) for one in _texts(way, scope, depth)]


def _ways(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    return node.elts if isinstance(node, ast.Tuple) else node.values


def _part(node: ast.expr, scope: Scope, depth: int) -> list[_Text]:
    if isinstance(node, ast.FormattedValue):
        return _filled(node.value, scope, depth - 1)
    return _texts(node, scope, depth)


def _filled(node: ast.expr, scope: Scope, depth: int) -> list[_Text]:
    """Return what can stand in a place; something that varies if that cannot be told."""
    inside = [name.id for name in ast.walk(node) if isinstance(name, ast.Name)]
    if any(_is_passed_on(name, node, scope) for name in inside):
        return [_Text(VARIES, inner=True)]
    # What a function makes of its arguments is too much to follow inside a message.
    found = [] if isinstance(node, ast.Call) else _texts(node, scope, depth)
    return found if 0 < len(found) <= _MANY else [_Text(VARIES)]


def _joined(parts: Sequence[list[_Text]], node: ast.expr, scope: Scope) -> list[_Text]:
    parts = list(parts)
    while prod(map(len, parts)) > _MANY:
        longest = max(range(len(parts)), key=lambda i: len(parts[i]))
        parts[longest] = [_Text(VARIES)]
    return [
        _Text(
            "".join(piece.text for piece in pieces),
            node.lineno,
            scope.file,
            any(piece.inner for piece in pieces),
        )
        for pieces in product(*parts)
    ]


def _named(node: ast.Name, scope: Scope, depth: int) -> list[_Text]:
    name = node.id
    if _is_passed_on(name, node, scope):
        return [_Text(VARIES, inner=True)]
    if name in scope.env:
        value, outer = scope.env[name]
        return _texts(value, outer, depth - 1)
    function = scope.function
    if function is not None:
        values = list(assigned(name, function))
        if values:
            # What is put in front of a message or behind it is put there once.
            plain = [one for one in values if not _mentions(name, one)]
            before = ast.Dict([None] * len(plain), plain)
            inner = replace(scope, env=scope.env | {name: (before, scope)})
            return [
                one
                for value in values
                for one in _texts(
                    value, inner if _mentions(name, value) else scope, depth - 1
                )
            ]
        names = parameters(function)
        if name in names:
            return _given(function, names, name, scope, depth - 1)
    return [
        one
        for file, tree in trees()
        for value in module_values(tree, name)
        if file == scope.file
        or name.startswith("_") is False
        or imports(scope.tree, name)
        for one in _texts(value, Scope(file, tree), depth - 1)
    ]


def _chosen(node: ast.Subscript, scope: Scope, depth: int) -> list[_Text]:
    """Return what can stand in a table, or at a place of the tuples in it."""
    place = node.slice.value if isinstance(node.slice, ast.Constant) else None
    if not isinstance(place, int):
        return _texts(node.value, scope, depth)
    return [
        one
        for outer, row in _rows(node.value, scope)
        if len(row.elts) > place
        for one in _texts(row.elts[place], outer, depth)
    ]


def _rows(node: ast.expr, scope: Scope) -> Iterator[tuple[Scope, ast.Tuple]]:
    """Yield the tuples in a table, or those that a function returns."""
    if isinstance(node, ast.Tuple):
        inside = [one for one in node.elts if isinstance(one, ast.Tuple)]
        yield from ((scope, one) for one in inside or [node])
    elif isinstance(node, ast.Call):
        yield from _returned_rows(node, scope)
    for value in _inside(node, scope):
        yield from _rows(value, scope)


def _inside(node: ast.expr, scope: Scope) -> Iterable[ast.expr]:
    if isinstance(node, ast.Dict):
        return node.values
    if isinstance(node, ast.Subscript):
        return [node.value]
    return module_values(scope.tree, node.id) if isinstance(node, ast.Name) else []


def _returned_rows(call: ast.Call, scope: Scope) -> Iterator[tuple[Scope, ast.Tuple]]:
    for outer, function in functions(called(call), scope):
        inner = Scope(outer.file, outer.tree, function)
        for one in ast.walk(function):
            if isinstance(one, ast.Return) and isinstance(one.value, ast.Tuple):
                yield inner, one.value


def _mentions(name: str, node: ast.AST) -> bool:
    return any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(node))


def _member(node: ast.Attribute, scope: Scope, depth: int) -> list[_Text]:
    """Return what a property or a field of a class of this file can be."""
    return [
        one
        for function in functions(node.attr, scope)
        if any(called(d) == "property" for d in function[1].decorator_list)
        for one in _returns(function[0], function[1], {}, depth - 1)
    ]


def _returned(call: ast.Call, scope: Scope, depth: int) -> list[_Text]:
    if isinstance(call.func, ast.Subscript):
        return _from_table(call.func, scope, depth)
    name = called(call)
    if name == "join" and call.args and isinstance(call.args[0], ast.List):
        begun = _texts(call.args[0].elts[0], scope, depth)
        return [replace(one, text=f"{one.text}{VARIES}") for one in begun]
    if name == "str" or name == "shorten":
        return _texts(call.args[0], scope, depth - 1) if call.args else []
    found = []
    for outer, function in functions(name, scope):
        names = parameters(function)
        env = {key: (value, scope) for key, value in bound_arguments(call, names)}
        found += _returns(outer, function, env, depth - 1)
    return found


def _from_table(chosen: ast.Subscript, scope: Scope, depth: int) -> list[_Text]:
    """Return what the functions of a table return."""
    found = []
    for value in module_values(scope.tree, getattr(chosen.value, "id", "")):
        for entry in value.values if isinstance(value, ast.Dict) else ():
            if isinstance(entry, ast.Lambda):
                found += _texts(entry.body, scope, depth - 1)
            elif isinstance(entry, ast.Name):
                for outer, function in functions(entry.id, scope):
                    found += _returns(outer, function, {}, depth - 1)
    return found


def _returns(
    outer: Scope, function: ast.FunctionDef, env: Env, depth: int
) -> list[_Text]:
    inner = Scope(outer.file, outer.tree, function, env)
    return [
        one
        for node in ast.walk(function)
        if isinstance(node, (ast.Return, ast.Yield)) and node.value is not None
        for one in _texts(node.value, inner, depth)
    ]


def _given(
    function: ast.FunctionDef, names: list[str], name: str, scope: Scope, depth: int
) -> list[_Text]:
    """Return what a parameter is given by the calls of its function."""
    return [
        one
        for caller, call in calls_to(function, scope)
        for key, value in bound_arguments(call, names)
        if key == name
        for one in _texts(value, caller, depth)
    ]


def _is_passed_on(name: str, node: ast.AST, scope: Scope) -> bool:
    """Return whether a name is a caught error that has a message of costsim's."""
    handlers = ast.walk(scope.function) if scope.function is not None else ()
    for handler in handlers:
        if isinstance(handler, ast.ExceptHandler) and handler.name == name:
            kinds = {
                n.id for n in ast.walk(handler.type or node) if isinstance(n, ast.Name)
            }
            inside = any(one is node for one in ast.walk(handler))
            if inside and kinds <= PASSED_ON:
                return True
    return False


def _lambda(node: ast.Lambda, scope: Scope, depth: int) -> list[_Text]:
    return _texts(node.body, scope, depth)


_READ = {
    ast.Constant: _constant,
    ast.JoinedStr: _formatted,
    ast.BinOp: _added,
    ast.IfExp: _any_of,
    ast.BoolOp: _any_of,
    ast.Dict: _any_of,
    ast.Tuple: _any_of,
    ast.Name: _named,
    ast.Subscript: _chosen,
    ast.Lambda: _lambda,
    ast.Attribute: _member,
    ast.Call: _returned,
}
