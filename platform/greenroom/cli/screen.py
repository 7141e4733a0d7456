"""What is said, and where: the answer on standard output, all on the way on standard error."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TextIO

BAR_SIGNS = 24
GREEN, RED, AMBER, PLAIN = "\x1b[32m", "\x1b[31m", "\x1b[33m", "\x1b[0m"
# Every control character but a line feed, and no escape sequence but the colours above.
_STEERING = re.compile(r"\x1b(?!\[(?:3[123]|0)m)|[\x00-\x09\x0b-\x1a\x1c-\x1f\x7f-\x9f]")
# What JSON leaves as it is, and terminals may obey.
_C1 = re.compile(r"[\x7f-\x9f]")
COLOURS = {"finished": GREEN, "failed": RED, "cancelled": RED, "held": AMBER}


@dataclass
class Screen:
    """``is_json``: one JSON value comes out, and nothing else. Progress is for a terminal alone."""

    is_json: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)
    _is_drawn: bool = False

    def answer(self, value: Any, *lines: str) -> None:
        """``lines`` for people; without any, the value is too little to show."""
        self.clear()
        if self.is_json:
            print(_C1.sub(_escaped, json.dumps(value, ensure_ascii=False)), file=self.out)
        else:
            for line in lines:
                print(harmless(line), file=self.out)
        self.out.flush()

    def tell(self, line: str) -> None:
        """Something worth knowing that is no answer."""
        self.clear()
        print(harmless(line), file=self.err, flush=True)

    def hint(self, line: str) -> None:
        """The same, for somebody who sits there."""
        if self.err.isatty() and not self.is_json:
            self.tell(line)

    def bar(self, words: str, done: int, whole: int) -> None:
        if not self.err.isatty():
            return
        share = min(1.0, done / whole) if whole else 0.0
        filled = round(share * BAR_SIGNS)
        drawn = "█" * filled + "·" * (BAR_SIGNS - filled)
        line = harmless(words).replace("\n", " ")
        self.err.write(f"\r\x1b[K{drawn} {share:4.0%}  {line}")
        self.err.flush()
        self._is_drawn = True

    def clear(self) -> None:
        if self._is_drawn:
            self.err.write("\r\x1b[K")
            self.err.flush()
            self._is_drawn = False

    def state(self, word: str) -> str:
        """In its colour on a terminal, unless ``NO_COLOR`` asks for none."""
        colour = COLOURS.get(word)
        wants_none = self.environment.get("NO_COLOR") or self.environment.get("TERM") == "dumb"
        if colour is None or wants_none or not self.out.isatty():
            return word
        return f"{colour}{word}{PLAIN}"


def harmless(text: str) -> str:
    """Without what would steer the terminal: words come from the server, and from others."""
    return _STEERING.sub("", text)


def _escaped(sign: re.Match[str]) -> str:
    return f"\\u{ord(sign[0]):04x}"


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns as wide as their widest; the last is left as it is."""
    if not rows:
        return []
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]) - 1)]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]])
        for row in rows
    ]


def shortened(text: str, most: int = 60) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"
