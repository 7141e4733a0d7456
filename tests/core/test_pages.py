"""Cursor pages stay true while rows come and go."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import BooleanField, ExpressionWrapper, Q

from accounts.notices.models import Notice
from core.api import page_of
from core.clock import now
from core.errors import InvalidOrder
from core.ids import new_id
from core.outbox.models import OutboxMessage

BY = ("-at", "-id")

pytestmark = pytest.mark.django_db


@pytest.fixture
def notices(programme, tester):
    """Makes notices; every three of them share one moment."""
    begin = now()

    def make(how_many, after=0):
        return Notice.objects.bulk_create(
            Notice(
                id=new_id(),
                party_id=tester.party_id,
                kind="job.finished",
                subject_kind="job",
                subject_id=new_id(),
                at=begin + timedelta(seconds=(after + number) // 3),
            )
            for number in range(how_many)
        )

    return make


def walk(limit, by=BY, between=lambda: None):
    cursor, seen = None, []
    while True:
        page = page_of(Notice.objects.all(), {"limit": limit, "cursor": cursor}, by=by)
        assert len(page.rows) <= limit
        seen += [row.id for row in page.rows]
        if page.next is None:
            return seen
        cursor = page.next
        between()


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 10, 11])
@pytest.mark.parametrize("by", [BY, ("at", "id"), ("-at", "id"), ("at", "-id")])
def test_walking_shows_every_row_once_in_order(limit, by, notices):
    notices(10)
    assert walk(limit, by) == list(Notice.objects.order_by(*by).values_list("id", flat=True))


def test_rows_that_arrive_meanwhile_double_and_hide_nothing(notices):
    there = {row.id for row in notices(9)}
    arrived = iter(range(100, 200, 3))
    seen = walk(2, between=lambda: notices(3, after=next(arrived)))
    assert len(seen) == len(set(seen))
    assert set(seen) == there


def test_the_row_under_the_cursor_may_change(notices):
    rows = notices(6)
    page = page_of(Notice.objects.all(), {"limit": 2}, by=BY)
    Notice.objects.filter(id=page.rows[-1].id).update(read_at=now())
    rest = page_of(Notice.objects.filter(read_at=None), {"limit": 9, "cursor": page.next}, by=BY)
    assert {row.id for row in page.rows} | {row.id for row in rest.rows} == {row.id for row in rows}


def test_an_order_may_begin_with_what_is_computed(notices):
    rows = notices(9)
    Notice.objects.filter(id__in=[row.id for row in rows[3:5]]).update(read_at=now())
    by = ("is_new", "-at", "-id")
    is_new = ExpressionWrapper(Q(read_at=None), output_field=BooleanField())
    ordered = Notice.objects.annotate(is_new=is_new)
    cursor, seen = None, []
    while True:
        page = page_of(ordered, {"limit": 2, "cursor": cursor}, by=by)
        seen += [row.id for row in page.rows]
        cursor = page.next
        if cursor is None:
            break
    assert seen == list(ordered.order_by(*by).values_list("id", flat=True))
    assert set(seen[:2]) == {row.id for row in rows[3:5]}


def test_a_full_last_page_has_no_next(notices):
    notices(4)
    assert page_of(Notice.objects.all(), {"limit": 4}, by=BY).next is None


def test_an_empty_list_is_one_empty_page():
    page = page_of(Notice.objects.all(), {"limit": 4}, by=BY)
    assert (page.rows, page.next) == ([], None)


@pytest.mark.parametrize("cursor", ["x", "x.y", "WzFd.AAAA", "é", "\x00", "." * 500])
def test_a_made_up_cursor_is_refused(cursor):
    with pytest.raises(InvalidOrder) as refused:
        page_of(Notice.objects.all(), {"limit": 4, "cursor": cursor}, by=BY)
    assert refused.value.code == "cursor_invalid"


def test_a_cursor_fits_only_the_list_that_gave_it(notices):
    notices(3)
    cursor = page_of(Notice.objects.all(), {"limit": 1}, by=BY).next
    for rows, by in ((OutboxMessage.objects.all(), BY), (Notice.objects.all(), ("at", "id"))):
        with pytest.raises(InvalidOrder):
            page_of(rows, {"limit": 1, "cursor": cursor}, by=by)
