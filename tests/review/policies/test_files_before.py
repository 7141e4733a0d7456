"""Which files of a clip its owner gets before it is approved, at the doors that hand any out."""

from __future__ import annotations

import pytest
from django.db import connection

from accounts.programmes.models import Programme
from core.ids import shown
from generation.clips.models import Clip, HeldBack
from generation.clips.queries import allows_of, clip_for
from generation.clips.rules import HELD_BACK, Allows, more_of, opens
from generation.renditions.models import Rendition
from greenroom.exports.of_work import files_of
from review.desk.commands import claim_next_case
from review.policies.commands import publish_policy
from review.policies.queries import files_before_in
from stage.builders import a_clip
from stage.cast import Member
from stage.review import CLAUSES, REASON, a_decision, a_submission, an_appeal

PICTURES = {"poster", "sprite", "index"}
ALL = {"master", "proxy", *PICTURES}


def say_files(programme: Programme, allows: str | None) -> None:
    publish_policy(
        programme_id=programme.id,
        introduction="Why a clip may be declined.",
        clauses=CLAUSES,
        files_before=Allows(allows) if allows else None,
    )


def opened(member: Member, clip: Clip) -> set[str]:
    """Kinds of files that the SQL function of ``/media`` gives them."""
    kinds = set()
    for one in Rendition.objects.filter(clip=clip):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM rendition_for(%s, %s)", [one.id, member.party.id])
            if cursor.fetchone():
                kinds.add(one.kind)
    return kinds


def content(member: Member, clip: Clip, variant: str = "video") -> tuple[str, str, str] | None:
    """Which kind of file ``/v1`` gives, or the code and the reason."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(r.kind, ''), f.code, f.reason FROM content_for(%s, %s, %s) f"
            " LEFT JOIN generation_rendition r ON r.id = f.rendition_id",
            [clip.job_id, member.party.id, variant],
        )
        return cursor.fetchone()


def test_a_programme_gives_everything_until_it_says_otherwise(review_open, tester):
    clip = a_clip(tester)
    assert files_before_in(review_open.id) == Allows.CLIP
    assert opened(tester, clip) == ALL
    assert content(tester, clip) == ("master", "", "")


@pytest.mark.parametrize(
    ("said", "gets"), [("clip", ALL), ("preview", ALL - {"master"}), ("pictures", PICTURES)]
)
def test_an_owner_gets_what_the_policy_says(review_open, tester, second_tester, said, gets):
    say_files(review_open, said)
    clip = a_clip(tester)
    assert opened(tester, clip) == gets
    assert opened(second_tester, clip) == set()
    found = clip_for(tester.actor, shown("clip", clip.id))
    assert {one.kind for one in found.renditions.all() if opens(one.kind, allows_of(found))} == gets
    assert {one.kind for one in files_of(found)} == gets


def test_both_floors_know_the_same_files(db):
    with connection.cursor() as cursor:
        for allows in Allows:
            for kind in Rendition.Kind.values:
                cursor.execute("SELECT file_is_open(%s, %s)", [kind, allows.value])
                assert cursor.fetchone() == (opens(kind, allows),)
    assert set(HELD_BACK) == set(Allows)
    assert more_of(Allows.PICTURES, Allows.PREVIEW) == Allows.PREVIEW


def test_content_is_the_light_copy_or_says_that_the_review_is_pending(review_open, tester):
    say_files(review_open, "preview")
    light = a_clip(tester)
    assert content(tester, light) == ("proxy", "", "")
    assert content(tester, light, "thumbnail") == ("poster", "", "")
    assert content(tester, light, "spritesheet") == ("sprite", "", "")
    assert content(tester, light, "anything") is None


def test_where_nothing_plays_content_says_why(
    review_open, tester, stranger, reviewer, second_reviewer, clock
):
    say_files(review_open, "pictures")
    submission = a_submission(tester)
    clip = submission.clip
    pending = ("", "content_pending_review", "")
    assert content(tester, clip) == pending
    assert content(stranger, clip) is None
    assert content(tester, clip, "thumbnail") == ("poster", "", "")
    a_decision(reviewer, clock, "declined")
    assert content(tester, clip) == ("", "content_rejected", REASON)
    an_appeal(tester, submission)
    assert content(tester, clip) == pending
    a_decision(second_reviewer, clock)
    assert content(tester, clip) == ("master", "", "")
    assert opened(tester, clip) == ALL


def test_approval_opens_all_of_it_for_good(review_open, tester, reviewer, clock):
    say_files(review_open, "preview")
    submission = a_submission(tester)
    assert "master" not in opened(tester, submission.clip)
    a_decision(reviewer, clock)
    assert opened(tester, submission.clip) == ALL
    assert not HeldBack.objects.filter(clip=submission.clip).exists()
    say_files(review_open, "pictures")
    assert opened(tester, submission.clip) == ALL


def test_a_reviewer_with_the_case_gets_everything(review_open, tester, reviewer):
    say_files(review_open, "pictures")
    clip = a_submission(tester).clip
    assert opened(reviewer, clip) == set()
    claim_next_case(actor=reviewer.actor)
    assert opened(reviewer, clip) == ALL


def test_a_later_policy_opens_more_and_never_closes_what_was_open(review_open, tester):
    was_open = a_clip(tester)
    say_files(review_open, "pictures")
    was_closed = a_clip(tester, seed=8)
    assert (opened(tester, was_open), opened(tester, was_closed)) == (ALL, PICTURES)
    say_files(review_open, "preview")
    assert opened(tester, was_closed) == ALL - {"master"}
    say_files(review_open, "pictures")
    assert opened(tester, was_closed) == PICTURES
    say_files(review_open, "clip")
    assert (opened(tester, was_open), opened(tester, was_closed)) == (ALL, ALL)


def test_a_version_that_does_not_say_keeps_what_was_said(review_open):
    say_files(review_open, "preview")
    say_files(review_open, None)
    assert files_before_in(review_open.id) == Allows.PREVIEW


def test_the_api_says_which_files_are_open(review_open, tester):
    say_files(review_open, "preview")
    clip = a_clip(tester)
    answer = tester.api.get(f"/api/v1/clips/{shown('clip', clip.id)}").json()
    assert answer["files_before"] == "preview"
    closed = [one["kind"] for one in answer["renditions"] if not one["is_open"]]
    assert closed == ["master"]


def test_the_page_plays_the_light_copy_and_says_why(review_open, tester):
    say_files(review_open, "preview")
    clip = a_clip(tester)
    page = tester.client.get(f"/clips/{shown('clip', clip.id)}").content.decode()
    files = {one.kind: shown("rendition", one.id) for one in clip.renditions.all()}
    assert f'src="/media/{files["proxy"]}"' in page
    assert files["master"] not in page
    assert "Until it is approved, you get the light copy" in page
    assert "Yours once the clip is approved" in page


def test_the_page_of_a_clip_that_does_not_play_shows_its_poster(review_open, tester):
    say_files(review_open, "pictures")
    clip = a_clip(tester)
    page = tester.client.get(f"/clips/{shown('clip', clip.id)}").content.decode()
    files = {one.kind: shown("rendition", one.id) for one in clip.renditions.all()}
    assert "<video" not in page
    assert f'src="/media/{files["poster"]}"' in page
    assert "it does not play yet" in page


def test_the_programmes_page_says_it_in_a_sentence(review_open, tester):
    page = tester.client.get(f"/programmes/{review_open.slug}")
    assert b"gets all its files as soon as it is made" in page.content
    say_files(review_open, "preview")
    page = tester.client.get(f"/programmes/{review_open.slug}")
    assert b"gets a light copy and pictures of it; then the clip itself" in page.content
    terms = tester.api.get("/api/v1/programme")
    assert terms.json()["policy"]["files_before"] == "preview"
