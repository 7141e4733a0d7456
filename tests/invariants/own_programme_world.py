"""One of everything of a programme of one's own and of its post, committed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction

from accounts.administrators.models import Administrator
from accounts.agreements.models import AgreementView
from accounts.announcements.models import Announcement
from accounts.calendars.models import CalendarVersion
from accounts.cohorts.models import Cohort, CohortSeat
from accounts.consents.models import ConsentAct, ConsentVersion
from accounts.conversations.models import Conversation, Remark
from accounts.erasures.models import Erasure
from accounts.exports.models import Export
from accounts.invitations.models import Invitation
from accounts.notices.models import Notice
from accounts.people.models import Party
from accounts.post.models import Mail, PostPreference
from accounts.programmes.models import Membership, Programme, Role
from accounts.retention.models import RetentionVersion
from core.clock import CoreNow, now
from core.ids import new_id
from core.seal.models import SigningKey
from generation.catalogue.models import AllowedModels
from generation.clips.models import Removal
from stage.builders import a_clip
from stage.cast import Member, a_member

if TYPE_CHECKING:
    from invariants.world import World

NOT_YET = UUID(int=0)
WEEK = ["09:00-17:00"] * 5 + [""] * 2
A_DAY = timedelta(days=1)


@dataclass
class OwnProgrammeWorld:
    """Who is gone left the programme, who is erased left everything."""

    gone: Member
    chief: Member
    second_chief: Member
    cohorts: dict[str, UUID] = field(default_factory=dict)
    consents: dict[str, UUID] = field(default_factory=dict)
    mails: dict[str, UUID] = field(default_factory=dict)
    clips: dict[str, UUID] = field(default_factory=dict)
    notice_of_another: UUID = NOT_YET
    conversation: UUID = NOT_YET
    strange_clip: UUID = NOT_YET
    erased: UUID = NOT_YET


def some_clips(world: World) -> dict[str, UUID]:
    """Needs empty lanes: one that is gone, one that goes, and one that stays."""
    names = ("removed", "going", "kept")
    return {name: a_clip(world.tester, seed=seed).id for seed, name in enumerate(names, start=60)}


def an_own_programme_world(world: World, clips: dict[str, UUID]) -> OwnProgrammeWorld:
    studio = world.tester.programme
    made = OwnProgrammeWorld(
        gone=a_member(studio, Role.TESTER, name="gone"),
        chief=a_member(studio, name="chief"),
        second_chief=a_member(studio, name="second chief"),
        clips=clips,
    )
    _publish(studio, made)
    _appoint(world, made)
    _seat(world, made)
    _answer(world, made)
    _remove(world, made)
    _talk(world, made)
    _send(world, made)
    _take_along(world)
    _leave(made)
    SigningKey.objects.create(key_id="a" * 16, public_key=b"k" * 32)
    return made


def membership_of(member: Member) -> Membership:
    return Membership.objects.get(programme=member.programme, party_id=member.party_id)


def _publish(studio: Programme, made: OwnProgrammeWorld) -> None:
    CalendarVersion.objects.create(
        programme=studio, number=1, week=WEEK, holidays=[date(2027, 1, 1)]
    )
    RetentionVersion.objects.create(programme=studio, number=1)
    slugs = ["still", "pictured", "styled", "added", "longer", "guarded"]
    AllowedModels.objects.create(programme=studio, number=1, slugs=slugs)
    for purpose, is_asked in (("training", True), ("publicity", True), ("labour", False)):
        made.consents[purpose] = ConsentVersion.objects.create(
            programme=studio, purpose=purpose, number=1, is_asked=is_asked, words="May we?"
        ).id


def _appoint(world: World, made: OwnProgrammeWorld) -> None:
    chief, second = made.chief.party, made.second_chief.party
    Administrator.objects.create(party=chief)
    Administrator.objects.create(party=second, granted_by=chief)
    Administrator.objects.filter(party=second).update(ended_at=CoreNow())
    Membership.objects.filter(id=membership_of(made.gone).id).update(ended_at=CoreNow())
    assert not made.gone.programme.memberships.filter(grants__ended_at=None, ended_at__isnull=False)


def _seat(world: World, made: OwnProgrammeWorld) -> None:
    studio, elsewhere = world.tester.programme, world.stranger.programme
    for name, programme in (("autumn", studio), ("winter", studio), ("strange", elsewhere)):
        made.cohorts[name] = Cohort.objects.create(programme=programme, name=name).id
    Cohort.objects.filter(name="winter").update(ended_at=CoreNow())
    seats = [
        CohortSeat.objects.create(
            cohort_id=made.cohorts["autumn"], membership=membership_of(each), programme=studio
        )
        for each in (world.tester, world.second_tester)
    ]
    CohortSeat.objects.filter(id=seats[1].id).update(ended_at=CoreNow())


def _answer(world: World, made: OwnProgrammeWorld) -> None:
    tester = world.tester
    AgreementView.objects.create(version=tester.programme.agreements.get(), party=tester.party)
    ConsentAct.objects.create(
        version_id=made.consents["training"],
        programme=tester.programme,
        purpose="training",
        party=tester.party,
        deed="granted",
        credential_id=tester.actor.credential_id,
    )


def _remove(world: World, made: OwnProgrammeWorld) -> None:
    """Also of a clip that is shown, and of one that is judged."""
    made.clips["shown"] = world.review.cases["approved"].chain_id
    made.clips["judged"] = world.review.cases["queued"].chain_id
    for name, clip_id in made.clips.items():
        if name != "kept":
            Removal.objects.create(clip_id=clip_id, why="owner", due_at=CoreNow())
    Removal.objects.filter(clip_id=made.clips["removed"]).update(done_at=CoreNow())


def _talk(world: World, made: OwnProgrammeWorld) -> None:
    tester, manager = world.tester, world.review.manager
    conversation = Conversation.objects.create(programme=tester.programme, party=tester.party)
    Remark.objects.create(
        conversation=conversation, author=tester.party, role="member", words="Is anybody there?"
    )
    Announcement.objects.create(
        programme=tester.programme,
        cohort_id=made.cohorts["autumn"],
        title="Tuesday",
        words="We are closed on Tuesday.",
        made_by=manager.party,
    )
    made.conversation = conversation.id


def _a_mail(made: OwnProgrammeWorld, name: str, **facts: Any) -> Mail:
    mail = Mail.objects.create(**facts)
    made.mails[name] = mail.id
    return mail


def _send(world: World, made: OwnProgrammeWorld) -> None:
    tester, other = world.tester, world.second_tester
    open_one = Invitation.objects.get(email="open@studio.example")
    _a_mail(made, "invitation", kind="invitation", invitation=open_one, invitation_number=1)
    _a_mail(made, "waiting", kind="notice", party=tester.party)
    _a_mail(made, "digest", kind="digest", party=tester.party, digest_day=date(2026, 1, 1))
    sent = _a_mail(made, "sent", kind="notice", party=tester.party)
    Notice.objects.create(
        id=new_id(),
        party=tester.party,
        kind="job.finished",
        subject_kind="job",
        subject_id=world.jobs["finished"],
        mail=sent,
    )
    Mail.objects.filter(id=sent.id).update(state="sent", ended_at=CoreNow())
    made.notice_of_another = Notice.objects.create(
        id=new_id(), party=other.party, kind="job.failed", subject_kind="job", subject_id=new_id()
    ).id
    PostPreference.objects.create(party=tester.party, topic="clips", way="mail")


def _take_along(world: World) -> None:
    ready = Export.objects.create(party=world.tester.party)
    Export.objects.filter(id=ready.id).update(
        state="ready",
        ready_at=CoreNow(),
        expires_at=CoreNow() + A_DAY,
        bytes=10,
        sha256=hashlib.sha256(b"").hexdigest(),
        storage_key="exports/tester.zip",
    )
    Export.objects.create(party=world.second_tester.party)


def _leave(made: OwnProgrammeWorld) -> None:
    """One who asked and is still there, and one who is gone."""
    Erasure.objects.create(party=made.gone.party, digest=b"one", waits_for="money")
    made.erased = Party.objects.create(kind="person").id
    Erasure.objects.create(party_id=made.erased, digest=b"two")
    with transaction.atomic():
        Erasure.objects.filter(party_id=made.erased).update(done_at=now(), kept=[])
