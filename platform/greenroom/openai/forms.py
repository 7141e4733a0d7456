"""Form fields in brackets, as SDKs write what is nested: ``a[b]``, ``tags[]``, ``styles[][style]``.

A list of objects comes as each of its fields repeated, so it can be told apart only where every
object has the same fields. Where they differ it is refused, never guessed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from core.errors import InvalidOrder

DEEPEST = 6
_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)\Z")

Entry = tuple[list[str], list[Any]]


def nested(pairs: Iterable[tuple[str, list[Any]]]) -> dict[str, Any]:
    """``[("a[b]", ["1"]), ("tags[]", ["x", "y"])]`` as ``{"a": {"b": "1"}, "tags": ["x", "y"]}``"""
    entries = [(_path(name), values) for name, values in pairs]
    found: dict[str, Any] = _objects(entries, "")
    return found


def unfolded(body: dict[str, Any]) -> dict[str, Any]:
    """The body with what stands in its field ``extensions``: an object, or JSON of one as text."""
    if "extensions" not in body:
        return body
    extensions = body["extensions"]
    if isinstance(extensions, str):
        try:
            extensions = json.loads(extensions)
            json.dumps(extensions, ensure_ascii=False, allow_nan=False).encode()
        except (ValueError, RecursionError):
            raise _unreadable_extensions() from None
    if not isinstance(extensions, dict):
        raise _unreadable_extensions()
    twice = next((name for name in extensions if name in body), None)
    if twice is not None:
        raise _repeated(twice)
    return {**{name: value for name, value in body.items() if name != "extensions"}, **extensions}


def _path(name: str) -> list[str]:
    found = _NAME.match(name)
    path = [found[1], *re.findall(r"\[([^\[\]]*)\]", found[2])] if found else []
    if not 0 < len(path) <= DEEPEST:
        raise InvalidOrder(
            "form_field_unreadable",
            _("A form field is written like name, name[key], name[] or name[][key]."),
            field=name[:120],
        )
    return path


def _value(entries: list[Entry], field: str) -> Any:
    """What several fields of one name come to."""
    paths = [path for path, _values in entries]
    if all(not path for path in paths):
        values = [value for _path, each in entries for value in each]
        if len(values) > 1:
            raise _repeated(field)
        return values[0]
    if not all(paths):
        raise _repeated(field)
    if all(path[0] == "" for path in paths):
        return _list([(path[1:], values) for path, values in entries], field)
    return _objects(entries, field)


def _objects(entries: list[Entry], field: str) -> dict[str, Any]:
    groups: dict[str, list[Entry]] = {}
    for path, values in entries:
        groups.setdefault(path[0], []).append((path[1:], values))
    return {
        name: _value(group, f"{field}.{name}" if field else name) for name, group in groups.items()
    }


def _list(entries: list[Entry], field: str) -> list[Any]:
    if len(entries) == 1 and not entries[0][0]:
        return list(entries[0][1])
    lengths = {len(values) for _path, values in entries}
    if len(lengths) > 1 or not all(path for path, _values in entries):
        raise InvalidOrder(
            "form_field_ambiguous",
            _("These objects have different fields. Send them in the field extensions, as JSON."),
            field=field,
        )
    return [
        _objects([(path, [values[at]]) for path, values in entries], field)
        for at in range(lengths.pop())
    ]


def _repeated(field: str) -> InvalidOrder:
    return InvalidOrder("field_repeated", _("This field is there more than once."), field=field)


def _unreadable_extensions() -> InvalidOrder:
    return InvalidOrder(
        "extensions_unreadable",
        _("The field extensions holds one JSON object."),
        field="extensions",
    )
