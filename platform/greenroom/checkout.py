"""Where the program lies. It runs from a checkout; a wheel carries the templates inside."""

from __future__ import annotations

from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent
_BESIDE = CHECKOUT / "templates"
TEMPLATES_FOLDER = _BESIDE if _BESIDE.is_dir() else Path(__file__).resolve().parent / "templates"
