"""How one gets in, as it is shown at the terminal."""

from __future__ import annotations

import json
from pathlib import Path


def demonstration_signs(path: Path) -> str:
    """Empty where there is no demonstration."""
    try:
        people = json.loads(path.read_text(encoding="utf-8"))["people"]
    except FileNotFoundError:
        return ""
    width = max((len(each["role"]) for each in people), default=0)
    mail = max((len(each["email"]) for each in people), default=0)
    rows = [f"  {p['role']:<{width}}  {p['email']:<{mail}}  {p['password']}" for p in people]
    return "\n".join(["Sign in as", *rows, f"Their API tokens: {path}", "Ctrl-C stops everything."])


def first_signs() -> str:
    """For an installation without the demonstration's people."""
    return """\
Whoever comes first is made at this machine; the command prints a link:
  .venv/bin/python manage.py first_admin YOU@YOUR.ADDRESS
Ctrl-C stops everything."""
