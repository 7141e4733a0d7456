from __future__ import annotations

import pytest

from core.text import is_readable


@pytest.mark.parametrize("text", ["Zoë", "日本語", "עברית", "a\u200fb", "👩\u200d🎨", ""])
def test_every_script_may_be_written(text: str) -> None:
    assert is_readable(text)


@pytest.mark.parametrize("text", ["a\x00b", "a\x85b", "a\u202eb", "a\u2066b", "a\ud800b", "a\nb"])
def test_what_misleads_or_breaks_is_refused(text: str) -> None:
    assert not is_readable(text)


def test_lines_are_fine_where_lines_are_meant() -> None:
    assert is_readable("one\ntwo\tthree", lines=True)
