"""A clip's page: every floor's piece on it, for its maker and for staff who said why."""

from __future__ import annotations

import pytest
from house.test_reference import listed

from accounts.rates.commands import publish_rate
from accounts.rates.rules import ActKind
from core.ids import shown
from core.money import MICRO
from generation.clips.commands import say_why
from greenroom.portal.record import SENTENCES, UNSPOKEN
from review.releases.commands import release_clip
from review.submissions.models import Case
from stage.builders import a_clip
from stage.review import an_approved_clip, open_review

ABOUT_CLIPS = ("submission", "case", "verdict", "appeal", "release", "share_link", "credit", "act")
# Said to people in notices, never written as an audit line of their own.
ONLY_TOLD = {"case.overdue", "case.unstaffed"}


def page_of(member, clip):
    return member.client.get(f"/clips/{shown('clip', clip.id)}")


def test_a_fresh_clip_can_be_put_forward_and_nothing_else(tester):
    page = page_of(tester, a_clip(tester)).text
    assert "/submissions/new?clip=" in page
    assert "/releases/new?clip=" not in page
    assert "Nothing yet. A release earns" in page


def test_a_released_clip_says_what_was_decided_who_made_it_and_what_is_owed(
    tester, reviewer, programme, clock
):
    open_review(programme)
    publish_rate(programme_id=programme.id, kind=ActKind.RELEASE, amount_micro=25 * MICRO)
    clip = an_approved_clip(tester, reviewer, clock)
    page = page_of(tester, clip).text
    assert "You can release it." in page
    release_clip(actor=tester.actor, clip_id=shown("clip", clip.id), title="A boat")
    page = page_of(tester, clip).text
    for words in ("It is released.", "Made by", "25.00", "Approved it.", "Released it."):
        assert words in page
    assert "You can release it." not in page


def test_staff_see_the_same_record_once_they_have_said_why(tester, reviewer, auditor, clock):
    open_review(tester.programme)
    clip = an_approved_clip(tester, reviewer, clock)
    assert page_of(auditor, clip).status_code == 302, "first the reason"
    say_why(actor=auditor.actor, shown_id=shown("clip", clip.id), why="audit")
    page = page_of(auditor, clip).text
    assert "Approved it." in page
    assert "/releases/new?clip=" not in page


def test_strangers_find_nothing(tester, second_tester, stranger):
    clip = a_clip(tester)
    assert page_of(second_tester, clip).status_code == 404
    assert page_of(stranger, clip).status_code == 404


@pytest.mark.parametrize(
    "kind",
    sorted(
        kind
        for kind in listed("Events")
        if kind.split(".")[0] in ABOUT_CLIPS and kind not in ONLY_TOLD
    ),
)
def test_everything_that_can_happen_to_a_clip_has_a_sentence(kind):
    assert kind in SENTENCES or kind in UNSPOKEN


def test_the_record_of_a_review_and_that_of_a_clip_say_the_same_words(tester, reviewer, clock):
    open_review(tester.programme)
    clip = an_approved_clip(tester, reviewer, clock)
    case = Case.objects.get(chain_id=clip.id)
    thread = tester.client.get(f"/submissions/{shown('submission', case.submission_id)}").text
    page = page_of(tester, clip).text
    for kind in ("submission.sealed", "case.claimed"):
        sentence = SENTENCES[kind]({})
        assert sentence in page
        assert sentence in thread
