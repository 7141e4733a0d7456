"""One request as a program: for a shell, in Python, in JavaScript.

A token never stands in one: it is read from ``GREENROOM_TOKEN``. What a reader types into the docs
page is written by ``static/greenroom/request-maker.js`` in the same way.
"""

from __future__ import annotations

import json
import pprint
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

FILE = "boat.png"


class Gives(StrEnum):
    """What is made of an answer."""

    JSON = "json"
    BYTES = "bytes"
    EVENTS = "events"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """``body`` is sent as JSON, or as the fields of a form where ``file`` names a field for one.

    ``key`` is its ``Idempotency-Key``, where it takes one: another for each order. ``is_open``:
    whoever asks needs no token.
    """

    method: str
    url: str
    body: Mapping[str, Any] | None = None
    file: str = ""
    key: str = ""
    is_open: bool = False
    gives: Gives = Gives.JSON

    @property
    def headers(self) -> dict[str, str]:
        is_json = self.body is not None and not self.file
        return ({"Content-Type": "application/json"} if is_json else {}) | (
            {"Idempotency-Key": self.key} if self.key else {}
        )


@dataclass(frozen=True, slots=True)
class Snippet:
    language: str
    name: str
    text: str


def snippets(asked: Asked) -> list[Snippet]:
    return [
        Snippet("curl", "curl", curl(asked)),
        Snippet("python", "Python", python(asked)),
        Snippet("javascript", "JavaScript", javascript(asked)),
    ]


def curl(asked: Asked) -> str:
    flags = "-sSN" if asked.gives is Gives.EVENTS else "-sS"
    parts = [f"curl {flags} -X {asked.method} {shlex.quote(asked.url)}"]
    if not asked.is_open:
        parts.append('-H "Authorization: Bearer $GREENROOM_TOKEN"')
    parts += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in asked.headers.items()]
    if asked.file:
        fields = {asked.file: f"@{FILE}", **(asked.body or {})}
        parts += [f"-F {shlex.quote(f'{name}={value}')}" for name, value in fields.items()]
    elif asked.body is not None:
        parts.append(f"-d {shlex.quote(json.dumps(asked.body, ensure_ascii=False))}")
    if asked.gives is Gives.BYTES:
        parts.append("-o answer")
    return " \\\n  ".join(parts)


def python(asked: Asked) -> str:
    """By the standard library alone; a form with a file by ``requests``."""
    token = "" if asked.is_open else "f\"Bearer {os.environ['GREENROOM_TOKEN']}\""
    headers = ([f'    "Authorization": {token},'] if token else []) + [
        f"    {json.dumps(name)}: {json.dumps(value)}," for name, value in asked.headers.items()
    ]
    begin = ["import os", ""] if token else []
    written = [f"url = {json.dumps(asked.url)}", "headers = {", *headers, "}"]
    if asked.file:
        return "\n".join(
            [
                *begin[:1],
                "import requests",
                "",
                *written,
                f"fields = {_python(asked.body or {})}",
                f'with open("{FILE}", "rb") as file:',
                f'    files = {{"{asked.file}": file}}',
                "    answer = requests.post(url, headers=headers, data=fields, files=files)",
                "print(answer.json())",
            ]
        )
    body = f"json.dumps({_python(asked.body)}).encode()" if asked.body is not None else "None"
    uses_json = asked.body is not None or asked.gives is Gives.JSON
    return "\n".join(
        [
            *(["import json"] if uses_json else []),
            *begin[:1],
            "import urllib.request",
            "",
            *written,
            f"data = {body}",
            f'request = urllib.request.Request(url, data, headers, method="{asked.method}")',
            "with urllib.request.urlopen(request) as answer:",
            *_PYTHON_ANSWER[asked.gives],
        ]
    )


def javascript(asked: Asked) -> str:
    """As a module, for Node and its like."""
    token = [] if asked.is_open else ["Authorization: `Bearer ${process.env.GREENROOM_TOKEN}`"]
    pairs = [*token, *(f"{json.dumps(n)}: {json.dumps(v)}" for n, v in asked.headers.items())]
    lines = [
        f"const answer = await fetch({json.dumps(asked.url)}, {{",
        f'  method: "{asked.method}",',
    ]
    lines.append(f"  headers: {{ {', '.join(pairs)} }},")
    begin: list[str] = []
    if asked.file:
        begin = ['import { openAsBlob } from "node:fs";', "", "const form = new FormData();"]
        begin.append(f'form.set("{asked.file}", await openAsBlob("{FILE}"), "{FILE}");')
        begin += [
            f"form.set({json.dumps(name)}, {json.dumps(str(value))});"
            for name, value in (asked.body or {}).items()
        ]
        lines.append("  body: form,")
    elif asked.body is not None:
        said = json.dumps(asked.body, indent=2, ensure_ascii=False).replace("\n", "\n  ")
        lines.append(f"  body: JSON.stringify({said}),")
    if asked.gives is Gives.BYTES:
        begin = ['import { writeFile } from "node:fs/promises";', "", *begin]
    return "\n".join([*begin, *lines, "});", *_JAVASCRIPT_ANSWER[asked.gives]])


_PYTHON_ANSWER = {
    Gives.JSON: ["    print(json.load(answer))"],
    Gives.BYTES: ['    with open("answer", "wb") as file:', "        file.write(answer.read())"],
    Gives.EVENTS: ["    for line in answer:", '        print(line.decode(), end="")'],
}
_JAVASCRIPT_ANSWER = {
    Gives.JSON: ["console.log(await answer.json());"],
    Gives.BYTES: ['await writeFile("answer", Buffer.from(await answer.arrayBuffer()));'],
    Gives.EVENTS: [
        "for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) {",
        "  process.stdout.write(piece);",
        "}",
    ],
}


def _python(value: Any) -> str:
    return pprint.pformat(value, sort_dicts=False, width=88)
