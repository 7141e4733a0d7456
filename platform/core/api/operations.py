"""What one method of an endpoint is: its scope, its shapes, its words. Said once, read by all.

The permission asks it for the scope, the endpoint for the shapes, the schema and the docs page
for everything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from core.api.shapes import Shape

Method = TypeVar("Method", bound=Callable[..., Any])
ShapeClass = type[Shape]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """``summary`` and ``words`` are lazy translations.

    ``asks`` is the body, ``query`` what stands behind the question mark. ``is_list``: the answer
    is a page of ``answers``. ``is_repeatable``: it takes an ``Idempotency-Key``. ``refuses`` are
    the statuses beyond 401, 403 and, with input, 400 and 422. ``example`` is a body that works.
    """

    scope: str
    summary: Any
    answers: ShapeClass
    words: Any = ""
    status: int = 200
    asks: ShapeClass | None = None
    query: ShapeClass | None = None
    is_list: bool = False
    is_repeatable: bool = False
    refuses: tuple[int, ...] = ()
    example: Mapping[str, Any] = field(default_factory=dict)


def operation(
    *,
    scope: str,
    summary: Any,
    answers: ShapeClass,
    words: Any = "",
    status: int = 200,
    asks: ShapeClass | None = None,
    query: ShapeClass | None = None,
    is_list: bool = False,
    is_repeatable: bool = False,
    refuses: tuple[int, ...] = (),
    example: Mapping[str, Any] | None = None,
) -> Callable[[Method], Method]:
    """Put an ``Operation`` on a method of an ``Endpoint``."""
    said = Operation(
        scope=scope,
        summary=summary,
        answers=answers,
        words=words,
        status=status,
        asks=asks,
        query=query,
        is_list=is_list,
        is_repeatable=is_repeatable,
        refuses=refuses,
        example=example or {},
    )

    def say(method: Method) -> Method:
        method.operation = said  # type: ignore[attr-defined]
        return method

    return say


def operation_of(view: object, method: str | None) -> Operation | None:
    """The operation behind an HTTP method of a view (or view class); None where there is none."""
    name = "get" if method == "HEAD" else (method or "").lower()
    found = getattr(getattr(view, name, None), "operation", None)
    return found if isinstance(found, Operation) else None
