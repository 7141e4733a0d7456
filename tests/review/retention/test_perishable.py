"""What a sweep of the terms reads: clips that are neither shown nor gone, and no others."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError

from accounts.retention.models import RetentionVersion
from core.ids import shown
from generation.clips.models import Clip, Removal
from review.releases.commands import release_clip, take_down_release
from review.retention.models import Perishable
from review.retention.queries import clips_going
from review.retention.tasks import retain
from stage.builders import a_clip
from stage.cast import Member
from stage.review import an_approved_clip

pytestmark = pytest.mark.usefixtures("review_open")


def looked_for() -> set[object]:
    kept = Perishable.objects.select_related("clip")
    assert all((one.programme_id, one.made_at) == _facts(one.clip) for one in kept)
    return {one.clip_id for one in kept}


def _facts(clip: Clip) -> tuple[object, object]:
    return clip.programme_id, clip.made_at


def may_go() -> set[object]:
    """The same, asked of the rows."""
    clips = Clip.objects.exclude(removals__done_at__isnull=False)
    return set(
        clips.exclude(releases__ended_at=None, releases__isnull=False).values_list("id", flat=True)
    )


def test_it_follows_a_clip_through_its_life(tester, reviewer, clock):
    draft, clip = a_clip(tester), an_approved_clip(tester, reviewer, clock)
    assert looked_for() == may_go() == {draft.id, clip.id}
    name = shown("clip", clip.id)
    release = release_clip(actor=tester.actor, clip_id=name, title="A boat")
    assert looked_for() == may_go() == {draft.id}
    take_down_release(actor=tester.actor, release_id=shown("release", release.id))
    assert looked_for() == may_go() == {draft.id, clip.id}
    tester.client.post(f"/clips/{name}/remove")
    clock.advance(days=1)
    retain()
    assert Removal.objects.get(clip=clip).done_at is not None
    assert looked_for() == may_go() == {draft.id}


def test_what_is_shown_goes_by_its_own_time(programme, tester, reviewer, clock):
    clip = an_approved_clip(tester, reviewer, clock)
    release_clip(actor=tester.actor, clip_id=shown("clip", clip.id), title="A boat")
    terms = RetentionVersion.objects.create(programme=programme, number=1, draft_days=20)
    clock.advance(days=100)
    assert clips_going(10) == [], "it is shown for ever"
    assert terms.released_days is None
    RetentionVersion.objects.create(programme=programme, number=2, released_days=60)
    assert [one.clip_id for one in clips_going(10)] == [clip.id]


def test_nobody_hides_a_clip_from_the_sweeps(tester):
    a_clip(Member(tester.person, tester.programme))
    with (
        pytest.raises(IntegrityError, match="a clip that may go is looked for"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM review_perishable")
