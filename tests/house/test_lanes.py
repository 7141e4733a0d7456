"""`make check` tells some of its lanes where their tests stand: nothing may stand elsewhere."""

from __future__ import annotations

import re

import pytest

from greenroom.checkout import CHECKOUT

MAKEFILE = (CHECKOUT / "Makefile").read_text()
TESTS = {
    path.relative_to(CHECKOUT).as_posix(): path.read_text()
    for path in (CHECKOUT / "tests").rglob("test_*.py")
}


def folders(lane: str) -> tuple[str, ...]:
    (said,) = re.findall(rf"^FOLDERS_OF_{lane} := (.+)$", MAKEFILE, re.MULTILINE)
    names = re.fullmatch(r"\$\(addprefix tests/,(.+)\)", said)
    return tuple(f"tests/{name}/" for name in names[1].split()) if names else (f"{said}/",)


@pytest.mark.parametrize(
    ("lane", "marks"),
    [
        ("RACES", "race|slow"),
        ("TORCH", "torch"),
        ("BROWSER", "browser"),
        ("CONFORMANCE", "conformance"),
    ],
)
def test_no_marked_test_stands_where_its_lane_does_not_look(lane: str, marks: str) -> None:
    marked = {path for path, text in TESTS.items() if re.search(rf"mark\.({marks})\b", text)}
    assert marked
    assert all(any(path.startswith(each) for path in TESTS) for each in folders(lane))
    assert {path for path in marked if not path.startswith(folders(lane))} == set()
    assert MAKEFILE.count(f"$(FOLDERS_OF_{lane})") == 1
