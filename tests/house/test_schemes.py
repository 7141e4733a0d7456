"""Light and dark are one page in two sets of colours: the browser tests look at all of it in one
of them, and at the colours alone in the other."""

from __future__ import annotations

import re

from greenroom.checkout import CHECKOUT

STATIC = CHECKOUT / "platform/greenroom/static/greenroom"
CSS = (STATIC / "greenroom.css").read_text()
SCRIPTS = {path.name: path.read_text() for path in STATIC.glob("*.js")}


def test_a_scheme_swaps_colours_and_nothing_else() -> None:
    assert "prefers-color-scheme" not in CSS
    chosen = re.findall(r"\[data-theme[^{}]*\{([^}]*)\}", CSS)
    assert sorted(each.strip() for each in chosen) == [
        "color-scheme: dark;",
        "color-scheme: light;",
    ]
    pairs = re.findall(r"light-dark\((\w+)\([^()]*\), ?(\w+)\([^()]*\)\)", CSS)
    assert len(pairs) == CSS.count("light-dark(") > 10
    assert {name for pair in pairs for name in pair} <= {"oklch", "oklab"}


def test_no_script_does_one_thing_in_the_light_and_another_in_the_dark() -> None:
    asking = [name for name, text in SCRIPTS.items() if "color-scheme" in text]
    assert asking == []
