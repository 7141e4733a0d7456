from __future__ import annotations

import pytest

from accounts.programmes.commands import ChangedMeanwhile
from accounts.retention.commands import RetentionWish, publish_retention
from accounts.retention.queries import retention_in_force
from core.errors import InvalidOrder

USUAL = RetentionWish(draft_days=90, unreleased_days=365, warning_days=14)


def test_terms_of_storage_are_numbered_and_the_newest_counts(programme):
    publish_retention(programme_id=programme.id, wish=USUAL)
    newest = publish_retention(programme_id=programme.id, wish=RetentionWish(), seen=1)
    assert retention_in_force(programme.id) == newest
    assert (newest.number, newest.draft_days, newest.books_years) == (2, None, 10)


@pytest.mark.parametrize(
    ("wish", "code", "field"),
    [
        (RetentionWish(warning_days=6), "warning_out_of_range", "warning_days"),
        (RetentionWish(books_years=0), "books_out_of_range", "books_years"),
        (RetentionWish(draft_days=13), "retention_out_of_range", "draft_days"),
        (RetentionWish(released_days=10**6), "retention_out_of_range", "released_days"),
    ],
)
def test_nothing_goes_before_its_owner_was_warned(programme, wish, code, field):
    with pytest.raises(InvalidOrder) as refused:
        publish_retention(programme_id=programme.id, wish=wish)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert retention_in_force(programme.id) is None


def test_who_writes_second_sees_what_the_first_changed(programme):
    publish_retention(programme_id=programme.id, wish=USUAL, seen=0)
    publish_retention(programme_id=programme.id, wish=RetentionWish(), seen=1)
    with pytest.raises(ChangedMeanwhile) as refused:
        publish_retention(programme_id=programme.id, wish=USUAL, seen=1)
    assert refused.value.facts["changes"] == [
        {"field": "draft_days", "before": "90", "after": ""},
        {"field": "unreleased_days", "before": "365", "after": ""},
    ]
