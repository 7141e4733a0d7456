"""A reference's picture, past Django: for its owner alone."""

from __future__ import annotations

import pytest

from core.ids import new_id, read_id, shown

CONTENT = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


@pytest.fixture
def owner():
    return new_id()


@pytest.fixture
def bearer(rows, owner):
    return {"Authorization": f"Bearer {rows.add_token(owner)}"}


@pytest.fixture
def reference(rows, house, owner):
    still = rows.add_file(
        house.media_folder, owner, CONTENT, media_type="image/png", filename="ref_1.png"
    )
    made = new_id()
    rows.references[made] = rows.renditions.pop(read_id("rendition", still))
    return made


def address(reference, which="picture"):
    return f"/references/{shown('reference', reference)}/{which}"


@pytest.mark.parametrize("which", ["picture", "end"])
def test_its_owner_sees_it_by_token_and_by_session(served, rows, owner, reference, bearer, which):
    answer = served.ask(address(reference, which), **bearer)
    assert (answer.status, answer.content) == (200, CONTENT)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["x-content-type-options"] == "nosniff"
    cookie = f"greenroom_session={rows.add_session(owner)}"
    assert served.ask(address(reference, which), Cookie=cookie).content == CONTENT
    assert rows.recorded == []


def test_nobody_else_does_and_cannot_tell_that_it_is_there(served, rows, owner, reference):
    other = {"Authorization": f"Bearer {rows.add_token()}"}
    answers = [
        served.ask(where, **other)
        for where in (address(reference), address(new_id()), "/references/x/picture")
    ]
    assert {(one.status, one.content) for one in answers} == {(404, answers[0].content)}
    assert served.ask(address(reference)).status == 401
    bare = {"Authorization": f"Bearer {rows.add_token(owner, ('exports:read',))}"}
    assert served.ask(address(reference), **bare).status == 403


def test_a_picture_is_only_read(served, reference, bearer):
    assert served.ask(address(reference), method="DELETE", **bearer).status == 405
