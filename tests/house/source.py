"""Our own source, read by the house tests."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from greenroom.checkout import CHECKOUT

SHELVES = ("platform/greenroom", "platform/core", "accounts", "generation", "review", "demo_model")
SKIPPED = {"__pycache__", "node_modules"}


def files(pattern: str, *, shelves: tuple[str, ...] = SHELVES) -> Iterator[Path]:
    for shelf in shelves:
        for path in sorted((CHECKOUT / shelf).rglob(pattern)):
            if not SKIPPED & set(path.parts):
                yield path


def shown(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def modules(*, with_migrations: bool = False) -> Iterator[tuple[Path, ast.Module]]:
    for path in files("*.py"):
        if with_migrations or "migrations" not in path.parts:
            yield path, tree(path)


def calls(module: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the last part of what is called: ``self.a.b(…)`` gives ``b``."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            yield called(node.func), node


def called(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def texts(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value
