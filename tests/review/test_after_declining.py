"""Declining a new version stops new work, and nothing else."""

import pytest

from accounts.agreements.commands import publish_agreement
from accounts.rates.rules import ActKind
from core.errors import AgreementMissing
from core.ids import shown
from review.ledger.models import Act
from stage.builders import a_clip, a_job
from stage.cast import decline
from stage.money import a_contribution, a_payout, a_rate, an_earning
from stage.review import (
    a_decision,
    a_submission,
    an_appeal,
    an_approved_clip,
    open_review,
)

pytestmark = pytest.mark.django_db


def decline_the_next(member):
    """A newer version comes out, and the member says no to it."""
    publish_agreement(programme_id=member.programme.id, text="Other words.", summary="Other.")
    decline(member)


@pytest.fixture
def approved(programme, tester, reviewer, clock):
    open_review(programme)
    a_rate(programme.id)
    a_rate(programme.id, kind=ActKind.RELEASE)
    return an_approved_clip(tester, reviewer, clock)


def test_new_clips_submissions_and_contributions_stop(approved, tester):
    another = a_clip(tester, seed=1)
    decline_the_next(tester)
    with pytest.raises(AgreementMissing):
        a_job(tester, seed=2)
    with pytest.raises(AgreementMissing):
        a_submission(tester, another)
    with pytest.raises(AgreementMissing):
        a_contribution(tester)


def test_reading_downloading_and_the_record_go_on(approved, tester):
    decline_the_next(tester)
    clip = shown("clip", approved.id)
    for page in (f"/clips/{clip}", "/", "/submissions", "/credits", "/earnings", "/consents"):
        assert tester.client.get(page).status_code == 200, page
    body = tester.api.get(f"/api/v1/clips/{clip}").json()
    assert body["id"] == clip
    assert tester.api.get(f"/api/v1/clips/{clip}/record").status_code == 200


def test_what_was_approved_is_released_and_earns(approved, tester):
    decline_the_next(tester)
    made = tester.api.post(
        "/api/v1/releases",
        {"clip": shown("clip", approved.id), "title": "Boats", "shows_prompt": True},
    )
    assert made.status_code == 201, made.json()
    act = Act.objects.get(party_id=tester.party_id)
    assert act.acceptance.version.number == 1


def test_pay_goes_on(approved, tester, reviewer, finance):
    an_earning(tester, reviewer)
    decline_the_next(tester)
    assert a_payout(tester, finance).amount_micro > 0
    assert "25" in tester.client.get("/earnings").content.decode()


def test_credits_go_on(approved, tester, second_tester):
    decline_the_next(tester)
    made = tester.api.post(
        f"/api/v1/clips/{shown('clip', approved.id)}/credits",
        {"party": shown("party", second_tester.party_id), "role": "composer"},
    )
    assert made.status_code in (200, 201), made.json()


def test_an_appeal_goes_on(programme, tester, reviewer, clock):
    open_review(programme)
    submission = a_submission(tester)
    a_decision(reviewer, clock, "declined")
    decline_the_next(tester)
    assert an_appeal(tester, submission).chain_id == submission.clip_id
