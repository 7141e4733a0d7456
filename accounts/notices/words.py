"""What a notice says, and where it leads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.urls import reverse
from django.utils import formats, timezone
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from accounts.consents.rules import Purpose
from accounts.notices.models import Notice
from accounts.notices.queries import Subject, names_of_programmes, subjects_of
from accounts.notices.rules import TOPICS, Topic
from accounts.programmes.words import ROLE_WORDS
from core.ids import shown

LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Words:
    """A sentence, and the page it leads to: pages of higher floors are known here by name only.

    ``named`` is the same sentence with ``name``, ``programme``, ``role``, ``purpose`` or ``day`` in
    it, said where all that it ``needs`` is known. ``takes_subject``: the page's address ends with
    the public id of what the notice is about, whatever kind of thing that is; other pages take
    nothing.
    """

    sentence: Promise
    page: str
    takes_subject: bool = False
    named: Promise | None = None
    needs: tuple[str, ...] = ("name",)


WORDS = {
    "job.finished": Words(
        _("A clip is ready."),
        "job",
        takes_subject=True,
        named=_("Your clip is ready: “%(name)s”"),
    ),
    "job.failed": Words(
        _("A clip could not be made. Its credits are back."),
        "job",
        takes_subject=True,
        named=_("A clip could not be made, and its credits are back: “%(name)s”"),
    ),
    "job.held": Words(
        _("A job waits for your word: the credential behind it was revoked."),
        "job",
        takes_subject=True,
        named=_("A job waits for your word, as its credential was revoked: “%(name)s”"),
    ),
    "job.lapsed": Words(
        _("A held job was cancelled after seven days. Its credits are back."),
        "job",
        takes_subject=True,
        named=_("A held job was cancelled after seven days, and its credits are back: “%(name)s”"),
    ),
    "token.minted": Words(
        _("A token was made for you. If that was not you, revoke it now."), "tokens"
    ),
    "credential.revoked": Words(_("A token or a sign-in of yours was revoked."), "tokens"),
    "password.reset": Words(
        _(
            "Your password was set anew by a link from your mailbox, and you were signed out"
            " everywhere. If that was not you, tell whoever runs this installation."
        ),
        "tokens",
    ),
    "credit.proposed": Words(
        _("Somebody wants to name you in the credits of a clip. Say yes or no."), "credits"
    ),
    "case.decided": Words(
        _("There is a decision about a clip you put forward."),
        "submission",
        takes_subject=True,
        named=_("There is a decision about your clip “%(name)s”"),
    ),
    "case.overdue": Words(
        _("The review of a clip of yours is late. It stands at the head of the desk now."),
        "submission",
        takes_subject=True,
        named=_("The review of your clip is late, and goes first at the desk now: “%(name)s”"),
    ),
    "case.escalated": Words(
        _("A case at the desk is late, or was handed back three times."),
        "desk-case",
        takes_subject=True,
    ),
    "case.unstaffed": Words(
        _("There is no reviewer who may judge a case at the desk."),
        "desk-case",
        takes_subject=True,
    ),
    "contribution.accepted": Words(
        _("Something you filed was accepted."),
        "contribution",
        takes_subject=True,
        named=_("What you filed was accepted: “%(name)s”"),
    ),
    "contribution.declined": Words(
        _("Something you filed was declined, with an answer."),
        "contribution",
        takes_subject=True,
        named=_("What you filed was declined, with an answer: “%(name)s”"),
    ),
    "payout.paid": Words(_("You were paid."), "earnings"),
    "role.granted": Words(
        _("You have a further role in a programme."),
        "studio",
        named=_("You have the role %(role)s in the programme “%(programme)s” now."),
        needs=("role", "programme"),
    ),
    "role.ended": Words(
        _("A role of yours has ended."),
        "studio",
        named=_("Your role %(role)s in the programme “%(programme)s” has ended."),
        needs=("role", "programme"),
    ),
    "member.ended": Words(
        _("You are no longer in a programme. What you made, and what is owed to you, stays yours."),
        "studio",
        named=_(
            "You are no longer in the programme “%(programme)s”. What you made, and what is owed"
            " to you, stays yours."
        ),
        needs=("programme",),
    ),
    "agreement.published": Words(
        _("The agreement of a programme has a new version. Please say yes or no to it."),
        "agreement",
        named=_("The agreement of “%(programme)s” has a new version. Please say yes or no to it."),
        needs=("programme",),
    ),
    "programme.opened": Words(
        _("A programme is open. You can make clips now."),
        "studio",
        named=_("The programme “%(programme)s” is open. You can make clips now."),
        needs=("programme",),
    ),
    "consent.published": Words(
        _("A programme asks for a consent. No is fine."),
        "consents",
        named=_(
            "The programme “%(programme)s” asks for your consent to something: %(purpose)s. No is"
            " fine."
        ),
        needs=("programme", "purpose"),
    ),
    "remark.written": Words(
        _("There is a new word in a conversation."),
        "conversation",
        takes_subject=True,
        named=_("There is a new word in a conversation of “%(programme)s”."),
        needs=("programme",),
    ),
    "announcement.made": Words(
        _("There is an announcement."),
        "announcement",
        takes_subject=True,
        named=_("Announcement: %(name)s"),
    ),
    "export.ready": Words(
        _("Your export is ready. It can be downloaded for a few days."), "exports"
    ),
    "export.failed": Words(_("Your export could not be made. Please ask for it again."), "exports"),
    "administrator.made": Words(
        _("You look after this installation as an administrator."), "studio"
    ),
    "administrator.ended": Words(_("You are no longer an administrator here."), "studio"),
    "webhook.disabled": Words(
        _("A webhook of yours was turned off. Its page says why."),
        "webhook",
        takes_subject=True,
        named=_("Your webhook “%(name)s” was turned off. Its page says why."),
    ),
    "removal.stopped": Words(
        _("The files of a clip of yours stay after all."),
        "clip",
        takes_subject=True,
        named=_("The files of your clip stay after all: “%(name)s”"),
    ),
    "removal.announced": Words(
        _("A clip of yours is about to be deleted. Keep it before that."),
        "clip",
        takes_subject=True,
        named=_("Your clip is deleted on %(day)s. Keep it before that: “%(name)s”"),
        needs=("name", "day"),
    ),
    "reference.expired": Words(
        _("A reference of yours was not used for long and is about to be deleted."),
        "references",
        named=_("Not used for long, your reference is deleted on %(day)s: “%(name)s”"),
        needs=("name", "day"),
    ),
    "removal.done": Words(
        _("The file of a clip of yours was deleted. Its record stays."),
        "clip",
        takes_subject=True,
        named=_("The file of your clip was deleted, and its record stays: “%(name)s”"),
    ),
    "mail.bounced": Words(
        _("Mail to somebody in a programme of yours does not arrive."),
        "people",
        named=_("Mail to somebody in “%(programme)s” does not arrive."),
        needs=("programme",),
    ),
    "device.out": Words(
        _("A device that renders was taken out: three attempts in a row were lost on it."),
        "devices",
    ),
}


@dataclass(frozen=True, slots=True)
class ShownNotice:
    """``url`` leads to ``page`` and puts the notice away on the way. ``words`` are somebody's own
    where it carries any."""

    id: UUID
    public_id: str
    kind: str
    topic: Topic
    text: str
    url: str
    page: str
    dismiss_url: str
    at: datetime
    read_at: datetime | None
    programme_id: UUID | None
    programme: str
    words: str


def shown_notices(notices: Sequence[Notice]) -> list[ShownNotice]:
    """In their order, with as many queries for many as for a few."""
    subjects = subjects_of(notices)
    programmes = names_of_programmes(
        subject.programme_id for subject in subjects.values() if subject.programme_id
    )
    return [_shown(notice, subjects[notice.id], programmes) for notice in notices]


def shown_notice(notice: Notice) -> ShownNotice:
    return shown_notices([notice])[0]


def page_of_notice(notice: Notice) -> str:
    words = WORDS[notice.kind]
    subject = [shown(notice.subject_kind, notice.subject_id)] if words.takes_subject else []
    return reverse(words.page, args=subject)


def _shown(notice: Notice, subject: Subject, programmes: dict[UUID, str]) -> ShownNotice:
    programme = programmes.get(subject.programme_id, "") if subject.programme_id else ""
    public_id = shown("notice", notice.id)
    return ShownNotice(
        id=notice.id,
        public_id=public_id,
        kind=notice.kind,
        topic=TOPICS[notice.kind],
        text=_sentence(notice, subject.name, programme),
        url=reverse("notice", args=[public_id]),
        page=page_of_notice(notice),
        dismiss_url=reverse("dismiss-notice", args=[public_id]),
        at=notice.at,
        read_at=notice.read_at,
        programme_id=subject.programme_id,
        programme=programme,
        words=subject.words,
    )


def _sentence(notice: Notice, name: str, programme: str) -> str:
    words = WORDS[notice.kind]
    known = {
        "name": Truncator(" ".join(name.split())).chars(LONGEST_NAME),
        "programme": programme,
        "role": _role(notice.facts.get("role")),
        "purpose": _purpose(notice.facts.get("purpose")),
        "day": _day(notice.facts.get("due_at")),
    }
    if words.named is None or not all(known[need] for need in words.needs):
        return str(words.sentence)
    return str(words.named) % known


def _role(role: str | None) -> str:
    return str(ROLE_WORDS.get(role, "")) if role else ""


def _purpose(purpose: str | None) -> str:
    return str(Purpose(purpose).label) if purpose in Purpose.values else ""


def _day(due_at: str | None) -> str:
    moment = parse_datetime(due_at) if due_at else None
    here = timezone.get_current_timezone()
    return formats.date_format(moment.astimezone(here)) if moment else ""
