"""Ranges and conditions, as values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.router.ranges import Unsatisfiable, asked_part, is_unchanged, may_be_partial


@pytest.mark.parametrize(
    ("header", "start", "length"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=0-", 0, 1000),
        ("bytes=990-", 990, 10),
        ("bytes=999-999", 999, 1),
        ("bytes=10-5000", 10, 990),
        ("bytes=-1", 999, 1),
        ("bytes=-5000", 0, 1000),
        ("Bytes = 1 - 2", 1, 2),
    ],
)
def test_a_single_range_is_that_part(header, start, length):
    part = asked_part(header, 1000)

    assert (part.start, part.length) == (start, length)
    assert part.content_range == f"bytes {start}-{start + length - 1}/1000"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes=",
        "bytes=-",
        "bytes=abc",
        "bytes=5-2",
        "bytes=1-2,5-6",
        "items=0-5",
        "bytes=0x10-",
        "bytes=٣-٤",
        "bytes=" + "9" * 5000 + "-",
    ],
)
def test_several_ranges_and_nonsense_mean_the_whole_file(header):
    assert asked_part(header, 1000) is None


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=1000-1001", "bytes=-0"])
def test_a_range_outside_the_file_is_refused(header):
    with pytest.raises(Unsatisfiable):
        asked_part(header, 1000)


@given(st.text(alphabet="bytes=0123456789-, ", max_size=30), st.integers(0, 10_000))
def test_whatever_is_asked_the_part_lies_inside_the_file(header, size):
    try:
        part = asked_part(header, size)
    except Unsatisfiable:
        return
    if part is not None:
        assert 0 <= part.start < part.start + part.length <= size == part.size


def test_a_reader_who_has_the_file_is_told_so():
    assert is_unchanged('"a"', '"a"')
    assert is_unchanged('"b", W/"a"', '"a"')
    assert is_unchanged("*", '"a"')
    assert not is_unchanged('"b"', '"a"')
    assert not is_unchanged(None, '"a"')


def test_a_part_of_another_file_is_never_sent():
    assert may_be_partial(None, '"a"')
    assert may_be_partial('"a"', '"a"')
    assert not may_be_partial('W/"a"', '"a"')
    assert not may_be_partial('"b"', '"a"')
    assert not may_be_partial("Wed, 21 Oct 2015 07:28:00 GMT", '"a"')
