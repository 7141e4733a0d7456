"""A life in the house: somebody who did everything once, so that every kind of row is theirs."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from PIL import Image

from accounts.announcements.commands import announce
from accounts.conversations.commands import write_remark
from accounts.credentials.models import Credential
from accounts.notices.models import Notice
from accounts.people.models import Person, PersonalDetail
from accounts.post.models import PostPreference
from accounts.webhooks.commands import make_webhook
from core.clock import now
from core.ids import new_id, shown
from generation.clips.commands import say_why
from generation.clips.models import Clip
from generation.references.commands import Sent, add_reference
from generation.renditions.models import Opening
from review.credits.commands import name_person
from review.releases.commands import make_share_link, release_clip
from stage.money import a_funding, a_payout, a_rate, an_earning
from stage.review import a_decision, a_submission, an_appeal, an_approved_clip, open_review

if TYPE_CHECKING:
    from review.contributions.models import Contribution
    from review.releases.models import Release
    from stage.cast import Member
    from stage.clock import Clock


@dataclass
class Life:
    member: Member
    released: Clip
    declined: Clip
    release: Release
    contribution: Contribution


@dataclass
class Others:
    """Whoever else it takes."""

    second_tester: Member
    reviewer: Member
    manager: Member
    finance: Member


def a_life(member: Member, others: Others, clock: Clock) -> Life:
    """Everything in the voice of a tester called Ada; nothing of it stands anywhere else.

    What is theirs holds “Ada”, what others wrote to them “to Ada”, what others wrote or are
    called elsewhere “Bela”.
    """
    programme = member.programme
    _call(member, others)
    open_review(programme)
    a_rate(programme.id)
    a_funding(others.finance)
    declined = a_submission(member, note="Ada: a note to the desk.")
    a_decision(others.reviewer, clock, "declined", reason="Said to Ada: a face is recognisable.")
    an_appeal(member, declined)
    clip = an_approved_clip_of(member, others, clock)
    release = release_clip(
        actor=member.actor, clip_id=shown("clip", clip.id), title="Ada's boat", shows_prompt=True
    )
    make_share_link(actor=member.actor, release_id=shown("release", release.id), name="Ada's link")
    name_person(
        actor=member.actor,
        clip_id=shown("clip", clip.id),
        party=shown("party", others.second_tester.party_id),
        role="editor",
    )
    _look(others.manager, clip)
    contribution = an_earning(
        member, others.reviewer, title="Ada: the lamp", words="Ada: it is out."
    )
    asked = write_remark(actor=member.actor, words="Ada: whom do I ask?", clip_id=clip.id)
    write_remark(
        actor=others.manager.actor,
        words="Said to Ada: me.",
        conversation_id=shown("conversation", asked.conversation_id),
    )
    write_remark(actor=others.second_tester.actor, words="Bela: and I?")
    _announced(member, others)
    _send(member)
    return Life(member, clip, declined.clip, release, contribution)


def _send(member: Member) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(picture, "PNG")
    add_reference(
        actor=member.actor,
        sent=Sent(
            file=io.BytesIO(picture.getvalue()),
            size=len(picture.getvalue()),
            name="Ada's boat.png",
            rights="licensed",
            rights_words="Ada: by letter of 3 May.",
        ),
    )


def an_approved_clip_of(member: Member, others: Others, clock: Clock) -> Clip:
    """While the appeal waits, the first reviewer may not judge that one, so they get the new."""
    return an_approved_clip(member, others.reviewer, clock)


def a_paid_payout(life: Life, others: Others) -> None:
    from review.payouts.commands import pay_payout

    payout = a_payout(life.member, others.finance, others.manager)
    pay_payout(
        actor=others.finance.actor, payout_id=shown("payout", payout.id), reference="Said to Ada: 1"
    )


def _call(member: Member, others: Others) -> None:
    person = Person.objects.get(id=member.person.id)
    detail = PersonalDetail.objects.filter(person=person)
    detail.update(
        display_name="Ada Quill",
        credit_name="Ada Q.",
        language="en",
        theme="dark",
        time_zone="Europe/Lisbon",
        languages=["pt", "en"],
        contact="Ada: call after ten",
        country="PT",
    )
    Person.objects.filter(id=person.id).update(last_login=now())
    EmailAddress.objects.get_or_create(
        user=person, email=person.email, defaults={"verified": True, "primary": True}
    )
    Authenticator.objects.create(user=person, type="webauthn", data={"name": "Ada's key"})
    Authenticator.objects.create(user=person, type="totp", data={"secret": "hush-hush-hush"})
    PostPreference.objects.create(party=member.party, topic="clips", way="mail")
    for other in (others.second_tester, others.reviewer, others.manager, others.finance):
        PersonalDetail.objects.filter(person=other.person).update(
            display_name=f"Bela {other.email.split('@')[0]}"
        )
    member.token(name="Ada's nightly")
    Credential.objects.filter(party=member.party, name="Ada's nightly").update(last_used_at=now())
    make_webhook(
        actor=member.actor,
        name="Ada's tool",
        address="https://ada.example/hooks",
        event_types=["payout.cancelled"],
    )


def _look(manager: Member, clip: Clip) -> None:
    say_why(actor=manager.actor, shown_id=shown("clip", clip.id), why="question")
    Opening.objects.create(
        rendition=clip.renditions.get(kind="poster"),
        viewer_id=manager.party_id,
        credential_id=manager.actor.credential_id,
        role="manager",
        why="question",
        half_hour=1,
    )


def _announced(member: Member, others: Others) -> None:
    """With the notice that whoever delivers the outbox writes."""
    made = announce(
        actor=others.manager.actor, title="Said to Ada and all", words="We close at six."
    )
    Notice.objects.create(
        id=new_id(),
        party=member.party,
        kind="announcement.made",
        subject_kind="announcement",
        subject_id=made.id,
        at=made.made_at,
    )
