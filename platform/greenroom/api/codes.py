"""Which refusals an operation may answer with, read from the code that is behind it.

From a method all that it may come to call is followed: by name, in its module, in its view, in
tables. What is found there and is a refusal names its code. That says a little too much rather than
too little, and it cannot grow old.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from functools import cache
from types import CodeType, FunctionType, ModuleType
from typing import Any

from core.api import Operation
from core.errors import HTTP_STATUS, Refusal

OURS = ("accounts.", "core.", "generation.", "greenroom.", "review.")

HTTP_METHODS = frozenset({"get", "post", "put", "patch", "delete"})  # and what dicts have, too

# What authentication, parsers and shapes answer, whatever the operation.
ALWAYS = {(401, "not_signed_in"), (403, "wrong_scope"), (400, "credential_in_url")}
CHANGING = {(403, "csrf_failed"), (403, "not_allowed")}
WITH_INPUT = {(400, "body_unreadable"), (422, "fields_invalid")}
REPEATABLE = {(422, "idempotency_key_reused"), (422, "idempotency_key_invalid")}

Codes = dict[int, list[str]]


def codes_of(view: Any, method: str, said: Operation) -> Codes:
    """By status, each in order."""
    found = set(ALWAYS)
    if said.asks or said.query:
        found |= WITH_INPUT
    if said.is_repeatable:
        found |= REPEATABLE
    if method in {"POST", "PATCH", "PUT", "DELETE"}:
        found |= CHANGING
    view_class = view if isinstance(view, type) else type(view)
    found |= _codes_behind(getattr(view_class, method.lower()), view_class)
    by_status: Codes = {}
    for status, code in sorted(found):
        by_status.setdefault(status, []).append(code)
    return by_status


@cache
def _codes_behind(method: FunctionType, view: type) -> frozenset[tuple[int, str]]:
    return frozenset(
        (status, code) for function in reached(method, view) for code, status in _refusals(function)
    )


def reached(start: FunctionType, view: type) -> set[FunctionType]:
    seen: set[FunctionType] = set()
    waiting = [start]
    while waiting:
        function = inspect.unwrap(waiting.pop())
        if not isinstance(function, FunctionType) or function in seen:
            continue
        seen.add(function)
        waiting += _called(function, view)
    return seen


def _called(function: FunctionType, view: type) -> Iterator[FunctionType]:
    for name in _names(function.__code__):
        for thing in (function.__globals__.get(name), _own(view, name)):
            for each in thing.values() if isinstance(thing, dict) else (thing,):
                yield from _functions(each, function, name)


def _own(view: type, name: str) -> Any:
    if name in HTTP_METHODS:
        return None
    found = inspect.getattr_static(view, name, None)
    if isinstance(found, property):
        return found.fget
    return found


def _functions(thing: Any, function: FunctionType, name: str) -> Iterator[FunctionType]:
    if isinstance(thing, FunctionType) and thing.__module__.startswith(OURS):
        yield thing
    elif isinstance(thing, type) and thing.__module__.startswith(OURS):
        if not issubclass(thing, Refusal):
            # Methods that the same function names: ``Once.of``, ``wish.checked``.
            named = {*_names(function.__code__), "__init__", "__post_init__"}
            for called, each in vars(thing).items():
                found = each.fget if isinstance(each, property) else getattr(each, "__func__", each)
                if called in named and isinstance(found, FunctionType):
                    yield found
    elif isinstance(thing, ModuleType) and thing.__name__.startswith(OURS):
        yield from (
            each
            for called in _names(function.__code__)
            if isinstance(each := getattr(thing, called, None), FunctionType)
        )


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)


@cache
def _refusals(function: FunctionType) -> list[tuple[str, int]]:
    """The refusals that a function makes: a class with a code, or one that is handed it."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, SyntaxError):
        return []
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            refusal = function.__globals__.get(node.id)
            if isinstance(refusal, type) and issubclass(refusal, Refusal):
                found += _codes_of(refusal, node, tree, function)
    return found


def _codes_of(
    refusal: type[Refusal], name: ast.Name, tree: ast.AST, function: FunctionType
) -> list[tuple[str, int]]:
    """Its own; or what it is handed: a text, or one of those that a table has sentences for."""
    status = HTTP_STATUS[refusal.kind]
    if "code" not in inspect.signature(refusal).parameters:
        return [(refusal.code, status)]
    found: list[tuple[str, int]] = []
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and call.func is name and call.args:
            code = call.args[0]
            if isinstance(code, ast.Constant):
                found.append((str(code.value), status))
            else:
                found += [(each, status) for each in _keys(function)]
    return found


def _keys(function: FunctionType) -> Iterator[str]:
    """Of the tables that a function names."""
    for name in _names(function.__code__):
        table = function.__globals__.get(name)
        if isinstance(table, dict):
            yield from (key for key in table if isinstance(key, str))
