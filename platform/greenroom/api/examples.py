"""Examples for the description: what an answer looks like, made from its shape.

What was recorded from a running house (``examples.json``, by the name of the shape) lies over what
the shape alone would give, so that a new field has an example before anybody records one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

Schema = Mapping[str, Any]
Shapes = Mapping[str, Schema]

RECORDED = Path(__file__).with_name("examples.json")
SIGNS = "01hzy3v0r6f8tq9m2k7w5x4d3c"
DEEPEST = 8
_ID = re.compile(r"\^(\w+_)\[0-7\]")

# What a text of this name says, wherever it stands.
WORDS = {
    "account": "owed",
    "address": "https://greenroom.example/showcase/rel_" + SIGNS,
    "code": "not_found",
    "currency": "EUR",
    "email": "ada@studio.example",
    "kind": "master",
    "media_type": "video/mp4",
    "model": "still",
    "name": "Ada",
    "prompt": "A lighthouse at dusk, waves breaking on the rocks",
    "revision": "1",
    "sentence": "Approved by a reviewer.",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "size": "640x360",
    "tier": "standard",
    "title": "A lighthouse at dusk",
    "url": "/api/v1/jobs/job_" + SIGNS,
}
BY_FORMAT = {
    "date-time": "2026-06-01T12:00:00Z",
    "date": "2026-06-01",
    "email": "ada@studio.example",
    "uri": "https://greenroom.example/",
    "uuid": "01890a5d-ac96-774b-bcce-b302099a8057",
    "binary": "",
}


@cache
def recorded() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RECORDED.read_text())
    return found


def example_of(schema: Schema, shapes: Shapes, *, name: str = "", depth: int = 0) -> Any:
    """A value that the schema allows."""
    if "$ref" in schema:
        shape = schema["$ref"].rpartition("/")[2]
        made = example_of(shapes[shape], shapes, name=name, depth=depth + 1)
        return _over(made, recorded()[shape]) if shape in recorded() else made
    for chosen in ("const", "default"):
        if schema.get(chosen) is not None:
            return schema[chosen]
    if "enum" in schema:
        return next(each for each in schema["enum"] if each not in (None, ""))
    if joined := schema.get("oneOf") or schema.get("anyOf") or schema.get("allOf"):
        return example_of(joined[0], shapes, name=name, depth=depth)
    return _plain(schema, shapes, name=name, depth=depth)


def _plain(schema: Schema, shapes: Shapes, *, name: str, depth: int) -> Any:
    kinds = schema.get("type", "object")
    kind = kinds[0] if isinstance(kinds, list) else kinds
    if kind == "object":
        return {
            field: example_of(each, shapes, name=field, depth=depth + 1)
            for field, each in schema.get("properties", {}).items()
        }
    if kind == "array":
        few = 0 if depth > DEEPEST else schema.get("minItems", 1)
        item = schema.get("items", {})
        return [example_of(item, shapes, name=name, depth=depth + 1) for _ in range(few)]
    if kind == "string":
        return _text(schema, name)
    return {"integer": max(1, schema.get("minimum", 1)), "number": 2.0, "boolean": True}.get(kind)


def _text(schema: Schema, name: str) -> str:
    if found := _ID.match(schema.get("pattern", "")):
        return found[1] + SIGNS
    if "examples" in schema:
        return str(schema["examples"][0])
    if schema.get("format") in BY_FORMAT:
        return BY_FORMAT[schema["format"]]
    for known, words in WORDS.items():
        if name == known or name.endswith(f"_{known}"):
            return words[: schema.get("maxLength", len(words))]
    return "A word."[: schema.get("maxLength", 7)]


def _over(made: Any, found: Any) -> Any:
    """What was found, where the shape knows it."""
    if isinstance(made, dict) and isinstance(found, dict):
        return {
            key: _over(value, found[key]) if key in found else value for key, value in made.items()
        }
    if isinstance(made, list) and isinstance(found, list):
        return [_over(made[0], each) for each in found] if made else []
    return found
