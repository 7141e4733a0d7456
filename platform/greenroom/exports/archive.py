"""A ZIP that is written piece by piece: no part of it is ever whole in memory.

Files of clips are stored as they are (they are compressed already), words are deflated. ZIP64 from
the start, since nobody knows beforehand how large it becomes (APPNOTE 4.3.9.2).
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from django.core.serializers.json import DjangoJSONEncoder

PIECE = 1024 * 1024
READABLE = 0o644 << 16


class Archive:
    """``tick`` is called after every piece, so that whoever builds can say that they still do."""

    def __init__(self, path: Path, *, at: datetime, tick: Callable[[], None]) -> None:
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, allowZip64=True)
        self._at = at
        self._tick = tick

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._zip.close()

    def add_file(self, name: str, source: Path) -> bool:
        """Byte for byte. False, and nothing added, where there is no such file."""
        try:
            opened = source.open("rb")
        except FileNotFoundError:
            return False
        with opened, self._entry(name, zipfile.ZIP_STORED) as target:
            while piece := opened.read(PIECE):
                target.write(piece)
                self._tick()
        return True

    def add_text(self, name: str, text: str) -> None:
        with self._entry(name) as target:
            target.write(text.encode())
        self._tick()

    def add_json(self, name: str, rows: Iterable[dict[str, Any]]) -> int:
        """A list, a row at a time; returns how many there were."""
        count = 0
        with self._entry(name) as target:
            target.write(b"[")
            for row in rows:
                target.write(b",\n" if count else b"\n")
                target.write(_json(row))
                count += 1
                self._tick()
            target.write(b"\n]\n")
        return count

    def add_csv(self, name: str, columns: list[str], rows: Iterable[dict[str, Any]]) -> None:
        """RFC 4180, with the columns' names in the first line."""
        line = io.StringIO()
        writer = csv.DictWriter(line, columns, extrasaction="ignore")
        with self._entry(name) as target:
            writer.writeheader()
            for row in rows:
                writer.writerow({column: _plain(row[column]) for column in columns})
                target.write(line.getvalue().encode())
                line.seek(0)
                line.truncate()
                self._tick()
            target.write(line.getvalue().encode())

    def _entry(self, name: str, method: int = zipfile.ZIP_DEFLATED) -> Any:
        about = zipfile.ZipInfo(name, self._at.timetuple()[:6])
        about.compress_type = method
        about.external_attr = READABLE
        return self._zip.open(about, "w", force_zip64=True)


def _json(row: dict[str, Any]) -> bytes:
    return json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False).encode()


def _plain(value: Any) -> str:
    """Words that begin like a formula would be one in a spreadsheet; a quote keeps them words."""
    text = "" if value is None else str(value)
    is_words = isinstance(value, str) and text[:1] in ("=", "+", "-", "@", "\t", "\r")
    return f"'{text}" if is_words else text
