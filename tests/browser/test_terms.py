"""Agreement, consents and keys as people meet them: a version that waits, answers, receipts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from accounts.agreements.commands import issue_receipt, publish_agreement
from accounts.agreements.models import Acceptance
from accounts.consents.commands import grant_consent, publish_consent, revoke_consent
from accounts.consents.rules import Purpose
from core.clock import now
from core.ids import shown
from stage.builders import a_clip
from stage.cast import Member
from stage.rooms import DESKTOP, Visit

V2 = """1. What you may do

You may make clips and songs with the models of this programme. You may say what you
think of them, in public and to us.

2. What we may do

We keep your clips for as long as the programme says. We ask you before we use them for
anything else.

3. Pay

Accepted reports are paid at the rate of their day."""
V1 = V2.replace("clips and songs", "clips").replace(
    "\n\n3. Pay\n\nAccepted reports are paid at the rate of their day.", ""
)


@pytest.fixture
def pages(tester: Member) -> list[str]:
    """With a version that waits, one purpose granted and taken back for one clip, one not asked."""
    programme = tester.programme
    clip = a_clip(tester)
    publish_agreement(programme_id=programme.id, text=V1, summary="")
    version = programme.agreements.latest("number")
    Acceptance.objects.create(
        version=version, party_id=tester.party_id, act=Acceptance.Act.ACCEPTED
    )
    publish_agreement(
        programme_id=programme.id,
        text=V2,
        summary="Make clips and songs, speak freely, be paid.",
        changes="Songs are in, and pay is spelt out.",
        answer_by=now() + timedelta(days=14),
    )
    for purpose in Purpose:
        publish_consent(
            programme_id=programme.id,
            purpose=purpose,
            is_asked=purpose != Purpose.LABOUR,
            words="" if purpose == Purpose.LABOUR else f"We ask for {purpose.value}, and say when.",
        )
    grant_consent(actor=tester.actor, purpose=Purpose.TRAINING)
    revoke_consent(actor=tester.actor, purpose=Purpose.TRAINING, clip_id=clip.id)
    act = tester.party.acceptances.latest("at")
    issue_receipt(actor=tester.actor, acceptance_id=shown("acceptance", act.id))
    clip_page = f"/clips/{shown('clip', clip.id)}"
    return [
        *("/", "/agreement", "/agreement?whole=1", "/agreement/history", "/agreement/versions/1"),
        *("/consents", f"{clip_page}/consents", clip_page, "/keys"),
    ]


def test_terms_are_accessible_and_fit_the_screen(
    visit: Callable[..., Visit], tester: Member, pages: list[str]
) -> None:
    here = visit()
    here.sign_in(tester)
    assert [fault for path in pages for fault in here.faults_at(path, "terms")] == []


def test_one_reads_what_changed_and_answers_by_keyboard(
    visit: Callable[..., Visit], tester: Member, pages: list[str]
) -> None:
    here = visit(viewport=DESKTOP)
    here.sign_in(tester)
    page = here.go("/")
    page.get_by_role("link", name="See what changed").press("Enter")
    assert page.locator("ins").count() == 2
    page.get_by_role("button", name="I accept version 3").press("Enter")
    page.get_by_text("You have accepted the agreement").wait_for()
    page = here.go("/consents")
    page.get_by_role("button", name="Yes: Publicity").press("Enter")
    page.get_by_text("Kept: yes.").wait_for()
