"""Writing mail down, sending it, and hearing that it did not arrive.

A mail is a row long before it is a letter: the row is written with what is told, exactly once, and
the letter is composed when it leaves. Whoever is killed between sending and writing that down sends
the same ``Message-ID`` again, which a reader's mailbox shows once.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from accounts.credentials.commands import lock_live_credential
from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope
from accounts.invitations.models import Invitation
from accounts.notices.commands import write_notices
from accounts.notices.models import Notice
from accounts.notices.rules import TOPICS, Topic
from accounts.people.models import PersonalDetail
from accounts.post.bell import ring
from accounts.post.letters import NothingToSay, letter_of
from accounts.post.models import Mail, PostPreference
from accounts.post.outlet import Answer, Outlet, Said
from accounts.post.queries import digests_due, ways_for
from accounts.post.rules import (
    ALWAYS_MAILED,
    LEASE,
    MOVES,
    SERVER_AWAY,
    TRIED_FOR,
    MailKind,
    Move,
    State,
    Way,
    pause_after,
)
from accounts.programmes.queries import programmes_of
from core.audit.commands import record
from core.clock import now
from core.errors import InvalidOrder
from core.outbox.commands import listener, say
from core.outbox.models import OutboxMessage
from core.states import advance, sources_of
from core.sweeps import sweep

log = logging.getLogger("greenroom.post")

BATCH = 50
INVITED = frozenset({"invitation.made", "invitation.resent"})


# Writing it down ---------------------------------------------------------------------------------


# One listener for both, under the name that its cursor always had: what was told before there was
# any post is told to nobody again.
@listener("notices")
def tell(message: OutboxMessage) -> None:
    """Write the notices of what happened, and the mail of those who want it at once."""
    notices = write_notices(message)
    if notices:
        _mail_at_once(TOPICS[message.kind], notices)
    elif message.kind in INVITED:
        _mail_invitation(message)
    elif message.kind == "password.letter_asked":
        _mail_password_link(message)


def _mail_at_once(topic: Topic, notices: Sequence[Notice]) -> None:
    ways = ways_for(topic, [notice.party_id for notice in notices])
    loud = {notice.party_id: notice for notice in notices if ways[notice.party_id] is Way.MAIL}
    if not loud:
        return
    # What several things happen to at once gets one mail about them all: one that nobody has begun
    # to send takes this in. Held, so that it is not begun meanwhile.
    mails = {
        mail.party_id: mail
        for mail in Mail.objects.select_for_update(skip_locked=True).filter(
            kind=MailKind.NOTICE, party_id__in=loud, state=State.WAITING, attempts=0
        )
    }
    new = [Mail(kind=MailKind.NOTICE, party_id=each) for each in loud if each not in mails]
    mails |= {mail.party_id: mail for mail in Mail.objects.bulk_create(new)}
    for party_id, notice in loud.items():
        notice.mail = mails[party_id]
    Notice.objects.bulk_update(loud.values(), ["mail"])
    transaction.on_commit(ring, robust=True)


def _mail_invitation(message: OutboxMessage) -> None:
    Mail.objects.bulk_create(
        [
            Mail(
                kind=MailKind.INVITATION,
                invitation_id=message.subject_id,
                invitation_number=message.facts["number"],
            )
        ],
        ignore_conflicts=True,
    )
    transaction.on_commit(ring, robust=True)


def _mail_password_link(message: OutboxMessage) -> None:
    # One that waits serves: its link is made when it leaves, and is as fresh then.
    mine = {"kind": MailKind.PASSWORD, "party_id": message.subject_id}
    if not Mail.objects.filter(state=State.WAITING, attempts=0, **mine).exists():
        Mail.objects.create(**mine)
    transaction.on_commit(ring, robust=True)


def make_digests() -> int:
    """Write one mail a day for each reader who has news for it; returns how many were written."""
    made = sweep("make_digests", digests_due(now()), _make_digest)
    if made:
        ring()
    return made


def _make_digest(due: tuple[UUID, date, Sequence[UUID]]) -> bool:
    party_id, day, notice_ids = due
    try:
        with transaction.atomic():
            mail = Mail.objects.create(kind=MailKind.DIGEST, party_id=party_id, digest_day=day)
            Notice.objects.filter(id__in=notice_ids, mail=None).update(mail=mail)
    except IntegrityError:  # one_digest_a_day: another sweep was quicker
        return False
    return True


# Sending it --------------------------------------------------------------------------------------


def send_due(*, limit: int = BATCH) -> int:
    """Send what is due, one at a time; returns how many mails left the house.

    No transaction is open while a server is talked to: each mail is claimed by a statement, with a
    lease, and its outcome is another. A server that is away ends the batch.
    """
    if not settings.MAIL_LEAVES:
        return 0
    sent = 0
    with Outlet() as outlet:
        for _turn in range(limit):
            mail = claim_mail()
            if mail is None:
                break
            said = _carry(mail, outlet)
            sent += said.answer is Answer.TAKEN
            if said.answer is Answer.AWAY:
                return sent
    if sent:
        _hurry()
    return sent


def send_unless_somebody_does() -> int:
    """``send_due``, by one process at a time: a slow server must not hold all of the house."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended('post', 0))")
        (alone,) = cursor.fetchone()
    if not alone:
        return 0
    try:
        return send_due()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended('post', 0))")


def claim_mail() -> Mail | None:
    """The mail that has been due longest, in this process's hands until its lease ends.

    ``attempts`` tells claims apart: whoever is late writes nothing about somebody else's.
    """
    with transaction.atomic():
        moment = now()
        mail = (
            Mail.objects.select_for_update(skip_locked=True)
            .filter(Q(lease_until=None) | Q(lease_until__lte=moment))
            .filter(state=State.WAITING, due_at__lte=moment)
            .order_by("due_at", "id")
            .first()
        )
        if mail is None:
            return None
        Mail.objects.filter(id=mail.id).update(
            lease_until=moment + LEASE, attempts=F("attempts") + 1
        )
        mail.attempts += 1
    return mail


def _carry(mail: Mail, outlet: Outlet) -> Said:
    try:
        said = outlet.send(letter_of(mail))
    except NothingToSay as nothing:
        _end(mail, Move.DROP, nothing.why)
        return Said(Answer.NEVER, nothing.why)
    except Exception as fault:  # one mail's fault stops only itself
        log.exception("mail_broken", extra={"mail_id": str(mail.id)})
        said = Said(Answer.NOT_NOW, f"broken: {type(fault).__name__}")
    if said.answer is Answer.TAKEN:
        _end(mail, Move.SEND)
    elif said.answer is Answer.NOBODY_THERE:
        bounce_mail(mail_id=mail.id, failure=said.failure)
    elif said.answer is Answer.NEVER:
        _give_up(mail, said.failure)
    else:
        _try_later(mail, said.failure)
    return said


def _end(mail: Mail, move: Move, failure: str = "") -> bool:
    mine = Mail.objects.filter(id=mail.id, attempts=mail.attempts)
    return advance(
        mine, MOVES, move, seen=State.WAITING, ended_at=now(), lease_until=None, failure=failure
    )


def _try_later(mail: Mail, failure: str) -> None:
    moment = now()
    if moment - mail.made_at >= TRIED_FOR:
        _give_up(mail, failure)
        return
    Mail.objects.filter(id=mail.id, attempts=mail.attempts, state=State.WAITING).update(
        due_at=moment + pause_after(mail.attempts), lease_until=None, failure=failure
    )
    log.warning("mail_waits", extra={"mail_id": str(mail.id), "cause": failure})


def _give_up(mail: Mail, failure: str) -> None:
    with transaction.atomic():
        if _end(mail, Move.GIVE_UP, failure):
            say("mail.failed", subject=("mail", mail.id), failure=failure)
    log.error("mail_failed", extra={"mail_id": str(mail.id), "cause": failure})


def _hurry() -> None:
    """The server is there again: what only waited for that is due now."""
    Mail.objects.filter(state=State.WAITING, failure__startswith=SERVER_AWAY).update(due_at=now())


def try_all_again() -> int:
    """Whatever waits is due at once, for the operator who has mended something."""
    return Mail.objects.filter(state=State.WAITING).update(due_at=now())


# Hearing that it did not arrive ------------------------------------------------------------------


def bounce_mail(*, mail_id: UUID, failure: str) -> bool:
    """Write down that nobody is there: nothing more is mailed to this reader, who is told in the
    portal, and the programme's people hear of it once. False where it was known already."""
    with transaction.atomic():
        mail = Mail.objects.select_for_update().filter(id=mail_id).first()
        if mail is None or mail.state not in sources_of(MOVES, Move.BOUNCE):
            return False
        advance(
            Mail.objects.filter(id=mail_id),
            MOVES,
            Move.BOUNCE,
            seen=State(mail.state),
            ended_at=now(),
            lease_until=None,
            failure=failure,
        )
        record("mail.bounced", subject=("mail", mail_id), failure=failure)
        if mail.invitation is not None:
            _tell_who_invited(mail.invitation)
        elif mail.party_id is not None and _stop_mailing(mail.party_id):
            _tell_managers(mail.party_id)
    return True


def _stop_mailing(party_id: UUID) -> bool:
    """False where it had stopped already."""
    detail = PersonalDetail.objects.filter(person__party_id=party_id, mail_bounced_at=None)
    return detail.update(mail_bounced_at=now()) == 1


def _tell_who_invited(invitation: Invitation) -> None:
    facts: dict[str, Any] = {}
    if invitation.programme_id:
        facts["programme"] = str(invitation.programme_id)
    if invitation.made_by_id or facts:
        subject = ("invitation", invitation.id)
        say("mail.bounced", subject=subject, party=invitation.made_by_id, **facts)


def _tell_managers(party_id: UUID) -> None:
    for programme in programmes_of(party_id):
        facts: dict[str, Any] = {"programme": str(programme.id), "without": str(party_id)}
        say("mail.bounced", subject=("party", party_id), **facts)


def mail_again(*, actor: Actor) -> None:
    """Take the reader's word that their address works. Doing it twice is fine."""
    actor.must_act(Scope.SETTINGS_WRITE)
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        bounced = PersonalDetail.objects.filter(
            person__party_id=actor.party_id, mail_bounced_at__isnull=False
        )
        if bounced.update(mail_bounced_at=None):
            record(
                "mail.resumed",
                subject=("party", actor.party_id),
                actor=actor.party_id,
                credential=actor.credential_id,
            )


# Preferences -------------------------------------------------------------------------------------


def choose_ways(*, actor: Actor, ways: Mapping[Topic, Way]) -> None:
    """How far notices of these topics come; the others stay as they were.

    Raises ``InvalidOrder`` for a topic that nobody can turn down.
    """
    actor.must_act(Scope.SETTINGS_WRITE)
    for topic, way in ways.items():
        if topic in ALWAYS_MAILED and way is not Way.MAIL:
            raise InvalidOrder(
                "topic_always_mailed",
                _("This is always mailed: something opens or ends for you."),
                field=topic.value,
            )
    wanted = {topic: way for topic, way in ways.items() if topic not in ALWAYS_MAILED}
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        PostPreference.objects.bulk_create(
            [
                PostPreference(party_id=actor.party_id, topic=topic, way=way)
                for topic, way in sorted(wanted.items())
            ],
            update_conflicts=True,
            unique_fields=["party", "topic"],
            update_fields=["way"],
        )
        record(
            "post.chosen",
            subject=("party", actor.party_id),
            actor=actor.party_id,
            credential=actor.credential_id,
            **{topic.value: way.value for topic, way in wanted.items()},
        )
