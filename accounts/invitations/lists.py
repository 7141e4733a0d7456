"""Reading a list of people to invite: CSV as spreadsheets write it, and nothing that is not.

Whatever cannot be a list at all refuses the file; what is wrong with one line is told of that
line, and the others stand.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.programmes.rules import is_a_language
from core.errors import InvalidOrder
from core.text import is_readable

MOST_BYTES = 256 * 1024
MOST_LINES = 300
COLUMNS = ("email", "language", "name")
SEPARATORS = (",", ";", "\t")
LONGEST_SHOWN = 60

# How files begin that people take for a list.
MAGIC = (
    (b"PK\x03\x04", "Excel (.xlsx), ZIP"),
    (b"\xd0\xcf\x11\xe0", "Excel (.xls)"),
    (b"%PDF", "PDF"),
    (b"{\\rtf", "RTF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"RIFF", "RIFF"),
    (b"\x1f\x8b", "gzip"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One person of the list; ``number`` is the line of the file, from 1, on which they begin."""

    number: int
    email: str
    language: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Why one line was passed over. ``text`` is what stood there, safe to show and to copy:
    in quotation marks, so that no program takes it for a formula, and without control signs.
    ``invitation`` is the open invitation, shown, that can be sent again instead."""

    line: int
    code: str
    sentence: str
    text: str = ""
    invitation: str | None = None


def read_list(raw: bytes) -> tuple[list[Line], list[Fault]]:
    """Raises ``InvalidOrder`` where this is no list: another kind of file, columns we do not know,
    too long, or empty."""
    rows = _rows(_text(raw))
    if not rows:
        raise InvalidOrder("csv_empty", _("There is no line in this file."), field="csv")
    columns = _columns(rows[0][1])
    if columns is None:
        columns = list(COLUMNS)
    else:
        rows = rows[1:]
    if not rows:
        raise InvalidOrder("csv_empty", _("There is no line in this file."), field="csv")
    if len(rows) > MOST_LINES:
        raise InvalidOrder(
            "csv_too_long",
            _("The list has %(count)s lines; at most %(most)s are taken at once.")
            % {"count": len(rows), "most": MOST_LINES},
            field="csv",
            most=MOST_LINES,
        )
    lines: list[Line] = []
    faults: list[Fault] = []
    for number, cells in rows:
        read = _line(number, cells, columns)
        if isinstance(read, Fault):
            faults.append(read)
        else:
            lines.append(read)
    return lines, faults


def shown_cell(text: str) -> str:
    plain = "".join(sign if is_readable(sign) else "\ufffd" for sign in text[:LONGEST_SHOWN])
    return f"“{plain}…”" if len(text) > LONGEST_SHOWN else f"“{plain}”"


def _text(raw: bytes) -> str:
    if len(raw) > MOST_BYTES:
        raise InvalidOrder(
            "csv_too_large",
            _("The file is larger than %(most)s KiB.") % {"most": MOST_BYTES // 1024},
            field="csv",
            most=MOST_BYTES,
        )
    for magic, kind in MAGIC:
        if raw.startswith(magic):
            raise _unreadable(
                _("This is a file of the kind %(kind)s. Save the list as CSV, in UTF-8.")
                % {"kind": kind}
            )
    if b"\0" in raw:
        raise _unreadable(
            _("This file holds bytes that no text has. Save the list as CSV, in UTF-8.")
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = raw[: wrong.start].count(b"\n") + 1
        raise _unreadable(
            _("Line %(line)s is not written in UTF-8. Save the list as CSV, in UTF-8.")
            % {"line": line}
        ) from None


def _rows(text: str) -> list[tuple[int, list[str]]]:
    """Each line that says anything: where it begins, and its cells."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    rows, begins = [], 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((begins, [cell.strip() for cell in cells]))
            begins = reader.line_num + 1
    except csv.Error:
        raise _unreadable(
            _("Line %(line)s cannot be read: a quotation mark is not closed, or stands amiss.")
            % {"line": begins}
        ) from None
    return rows


def _separator(text: str) -> str:
    """The one that stands most often in the first line that says anything; with none, a comma."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(SEPARATORS, key=first.count)


def _columns(first: list[str]) -> list[str] | None:
    """The columns a heading names; None where the first line is a person already."""
    names = [cell.casefold() for cell in first]
    is_heading = set(names) & set(COLUMNS) or len(names) > 1
    if not is_heading or any("@" in cell for cell in first):
        return None
    unknown = [shown_cell(cell) for cell in first if cell.casefold() not in COLUMNS]
    if unknown:
        raise InvalidOrder(
            "csv_column_unknown",
            _("There is no column %(name)s. Known are: email, language, name.")
            % {"name": ", ".join(unknown)},
            field="csv",
        )
    if names.count("email") != 1 or len(set(names)) != len(names):
        raise InvalidOrder(
            "csv_column_missing", _("The list needs one column “email”."), field="csv"
        )
    return names


def _line(number: int, cells: list[str], columns: list[str]) -> Line | Fault:
    if any(cells[len(columns) :]):
        return Fault(
            number,
            "csv_line_too_wide",
            _("There is more on this line than there are columns."),
            shown_cell(cells[0]),
        )
    found = dict(zip(columns, cells, strict=False))
    email, language = found.get("email", ""), found.get("language", "")
    if language and not is_a_language(language):
        return Fault(
            number,
            "language_unknown",
            _("Languages are written like “en” or “pt-BR”."),
            shown_cell(language),
        )
    # Lower case would make another's address of some signs; such a line is refused as it stands.
    is_plain = email.partition("@")[0].isascii()
    return Line(number, email.lower() if is_plain else email, language)


def _unreadable(sentence: str) -> InvalidOrder:
    return InvalidOrder("csv_unreadable", sentence, field="csv")
