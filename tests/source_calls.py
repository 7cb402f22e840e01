"""The source of costsim as a graph: who calls what with which arguments.

By names alone, without running or importing anything, which is enough for a code base
whose private functions are called in their own files only.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import costsim

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(costsim.__file__).parent


Env = dict[str, "tuple[ast.expr, Scope]"]


@dataclass(frozen=True, eq=False)
class Scope:
    """Where an expression stands."""

    file: str
    tree: ast.Module
    function: ast.FunctionDef | None = None
    env: Env = field(default_factory=dict)


def defaults(function: ast.FunctionDef) -> Iterator[tuple[str, ast.expr]]:
    arguments = function.args
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
    values = arguments.defaults
    yield from zip(names[len(names) - len(values) :], values, strict=True)
    for one, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if value is not None:
            yield one.arg, value


def calls_to(
    function: ast.FunctionDef, scope: Scope
) -> Iterator[tuple[Scope, ast.Call]]:
    """Yield the calls of a function; of a method, those nearby, as it goes by the name."""
    folder = scope.file.rsplit("/", 1)[0]
    if function.name == "__init__":
        return
    for caller, call in _calls_of().get(function.name, ()):
        if function.name.startswith("_"):
            near = caller.file == scope.file
        else:
            near = not is_method(function) or caller.file.startswith(f"{folder}/")
        # A function and a method may have the same name.
        if near and isinstance(call.func, ast.Attribute) == is_method(function):
            yield caller, call


def bound_arguments(call: ast.Call, names: list[str]) -> Iterator[tuple[str, ast.expr]]:
    yield from zip(names, call.args, strict=False)
    yield from ((one.arg, one.value) for one in call.keywords if one.arg)


def parameters(function: ast.FunctionDef) -> list[str]:
    arguments = function.args
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
    names = names[1:] if names[:1] in (["self"], ["cls"]) else names
    return [*names, *(a.arg for a in arguments.kwonlyargs)]


def is_method(function: ast.FunctionDef) -> bool:
    return [a.arg for a in function.args.args[:1]] == ["self"]


def assigned(name: str, function: ast.FunctionDef) -> Iterator[ast.expr]:
    for node in ast.walk(function):
        targets: Iterable[ast.expr] = ()
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign, ast.NamedExpr)):
            targets = (node.target,)
        elif isinstance(node, ast.For) and isinstance(node.target, ast.Tuple):
            yield from _looped(name, node)
        for target in targets:
            if isinstance(target, ast.Name) and target.id == name and node.value:
                yield node.value
            elif isinstance(target, ast.Tuple):
                yield from _unpacked(name, target, node.value)


def _looped(name: str, loop: ast.For) -> Iterator[ast.expr]:
    """Yield what a name of a loop over a table of pairs stands for: all of the table."""
    names = [one.id for one in loop.target.elts if isinstance(one, ast.Name)]
    if name in names and isinstance(loop.iter, ast.Name):
        yield ast.Subscript(loop.iter, ast.Constant(names.index(name)))


def _unpacked(name: str, target: ast.Tuple, value: ast.expr) -> Iterator[ast.expr]:
    for i, one in enumerate(target.elts):
        if isinstance(one, ast.Name) and one.id == name:
            ways = (
                (value.body, value.orelse) if isinstance(value, ast.IfExp) else (value,)
            )
            for way in ways:
                yield ast.Subscript(way, ast.Constant(i))


def module_values(tree: ast.Module, name: str) -> Iterator[ast.expr]:
    for node in tree.body:
        if isinstance(node, ast.Assign):
            targets: list[ast.expr] = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        else:
            continue
        if node.value and any(
            isinstance(t, ast.Name) and t.id == name for t in targets
        ):
            yield node.value


def functions(name: str, scope: Scope) -> Iterator[tuple[Scope, ast.FunctionDef]]:
    """Yield the functions of a name, of this file or imported into it."""
    imported = imports(scope.tree, name)
    for outer, function in _definitions().get(name, ()):
        if outer.file == scope.file or imported:
            yield outer, function


@cache
def _definitions() -> dict[str, list[tuple[Scope, ast.FunctionDef]]]:
    found: dict[str, list[tuple[Scope, ast.FunctionDef]]] = {}
    for file, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                found.setdefault(node.name, []).append((Scope(file, tree), node))
    return found


@cache
def calls() -> list[tuple[Scope, ast.Call]]:
    return [
        (Scope(file, tree, function), node)
        for file, tree in trees()
        for function, node in _with_function(tree, None)
    ]


@cache
def _calls_of() -> dict[str, list[tuple[Scope, ast.Call]]]:
    found: dict[str, list[tuple[Scope, ast.Call]]] = {}
    for scope, call in calls():
        found.setdefault(called(call), []).append((scope, call))
    return found


def _with_function(
    node: ast.AST, function: ast.FunctionDef | None
) -> Iterator[tuple[ast.FunctionDef | None, ast.Call]]:
    if isinstance(node, ast.Call):
        yield function, node
    inside = node if isinstance(node, ast.FunctionDef) else function
    for child in ast.iter_child_nodes(node):
        yield from _with_function(child, inside)


def called(call: ast.expr) -> str:
    function = call.func if isinstance(call, ast.Call) else call
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


@cache
def imports(tree: ast.Module, name: str) -> bool:
    return any(
        alias.name == name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    )


@cache
def trees() -> list[tuple[str, ast.Module]]:
    return [
        (path.relative_to(ROOT.parent).as_posix(), ast.parse(path.read_text("utf-8")))
        for path in sorted(ROOT.rglob("*.py"))
    ]


def error_classes() -> set[str]:
    """Return the names of the classes of errors and warnings, by those of their bases."""
    return {
        node.name
        for _, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for base in node.bases
        if re.search("(Error|Exception|Warning)$", getattr(base, "id", ""))
    }
