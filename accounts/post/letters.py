"""What a mail says, composed at the moment of sending: in its reader's language, with the address
that they have now, and with nothing that ended meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.credentials.peppers import PepperUnknown
from accounts.entrance.queries import password_link
from accounts.invitations.queries import invitation_link, invitation_open
from accounts.notices.models import Notice
from accounts.notices.rules import TOPICS
from accounts.notices.words import ShownNotice, shown_notices
from accounts.post.models import Mail
from accounts.post.queries import detail_to_write_to
from accounts.post.rules import ALWAYS_MAILED, MailKind
from accounts.programmes.models import Particulars
from accounts.programmes.queries import particulars_in_force, programmes_of
from accounts.programmes.words import ROLE_WORDS
from core.clock import now
from core.ids import shown

LONGEST_SUBJECT = 120
MOST_NOTICES = 50


class NothingToSay(Exception):
    """Why this mail is not sent any more; ``why`` is kept with it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Sender:
    """In whose name it is written. Without a programme it is the house."""

    programme: str = ""
    contact: str = ""
    language: str = ""
    time_zone: str = ""


@dataclass(frozen=True, slots=True)
class Reader:
    address: str
    language: str
    time_zone: str


def message_id(mail_id: UUID) -> str:
    """The same however often sending is tried."""
    return f"<{shown('mail', mail_id)}@{house_host()}>"


def letter_of(mail: Mail) -> EmailMultiAlternatives:
    """Raises ``NothingToSay`` where its reader, its invitation or its news are gone."""
    if mail.kind == MailKind.INVITATION:
        return _invitation(mail)
    return _password(mail) if mail.kind == MailKind.PASSWORD else _notices(mail)


# An invitation: to an address, with the one link that opens something ----------------------------


def _invitation(mail: Mail) -> EmailMultiAlternatives:
    assert mail.invitation_id is not None
    invitation = invitation_open(mail.invitation_id)
    if invitation is None:
        raise NothingToSay("invitation_gone")
    if invitation.number != mail.invitation_number:
        raise NothingToSay("invitation_sent_anew")
    try:
        link = invitation_link(invitation)
    except PepperUnknown:  # only sending it again makes a link
        raise NothingToSay("pepper_gone") from None
    sender = _sender(invitation.programme_id)
    reader = Reader(
        invitation.email, _language(invitation.language, sender), _zone(sender.time_zone)
    )

    def context() -> tuple[str, dict[str, Any]]:
        if sender.programme:
            subject = _("You are invited to “%(programme)s”") % {"programme": sender.programme}
        else:
            subject = _("You are invited to look after Greenroom")
        return subject, {
            "role": ROLE_WORDS[invitation.role],
            "link": link,
            "expires_at": invitation.expires_at,
        }

    return _written(mail, reader, sender, "mail/invitation", context)


# A link to a new password: to whoever has the address, though mail to it bounced before -----------


def _password(mail: Mail) -> EmailMultiAlternatives:
    assert mail.party_id is not None
    detail = detail_to_write_to(mail.party_id)
    if detail is None:
        raise NothingToSay("reader_gone")
    if now() - mail.made_at > timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT):
        raise NothingToSay("asked_too_long_ago")
    sender, person = Sender(), detail.person
    reader = Reader(person.email, _language(detail.language, sender), _zone(detail.time_zone))
    has_password = person.has_usable_password()

    def context() -> tuple[str, dict[str, Any]]:
        return _("A new password for Greenroom"), {
            "link": password_link(person) if has_password else "",
            "minutes": settings.PASSWORD_RESET_TIMEOUT // 60,
            "openid_name": settings.OPENID["name"] if settings.OPENID else "",
            "sign_in_url": _absolute("account_login"),
        }

    return _written(mail, reader, sender, "mail/password", context)


# Notices: one or several at once, or those of a day ----------------------------------------------


def _notices(mail: Mail) -> EmailMultiAlternatives:
    assert mail.party_id is not None
    detail = detail_to_write_to(mail.party_id)
    if detail is None:
        raise NothingToSay("reader_gone")
    if detail.mail_bounced_at is not None:
        raise NothingToSay("address_bounced")
    notices = [notice for notice in mail.notices.order_by("-at", "-id") if _is_news(notice)]
    if not notices:
        raise NothingToSay("already_read")
    sender = _sender(_programme_of(mail.party_id, shown_notices(notices)))
    reader = Reader(
        detail.person.email,
        _language(detail.language, sender),
        _zone(detail.time_zone or sender.time_zone),
    )

    def context() -> tuple[str, dict[str, Any]]:
        said = shown_notices(notices[:MOST_NOTICES])
        return _subject(said, len(notices), sender), {
            "notices": said,
            "more": len(notices) - len(said),
            "is_digest": mail.kind == MailKind.DIGEST,
            "is_fixed": all(notice.topic in ALWAYS_MAILED for notice in said),
            "inbox_url": _absolute("inbox"),
        }

    return _written(mail, reader, sender, "mail/notices", context)


def _is_news(notice: Notice) -> bool:
    """Whoever has a stolen session could read a warning and so keep its mail from being sent."""
    return notice.read_at is None or TOPICS[notice.kind] in ALWAYS_MAILED


def _subject(said: list[ShownNotice], count: int, sender: Sender) -> str:
    if count == 1:
        return said[0].text
    facts = {"count": count, "programme": sender.programme or "Greenroom"}
    return (
        ngettext(
            "%(count)s piece of news from %(programme)s",
            "%(count)s pieces of news from %(programme)s",
            count,
        )
        % facts
    )


def _programme_of(party_id: UUID, said: list[ShownNotice]) -> UUID | None:
    """The one programme that all this is about, or the only one its reader is in."""
    named = {notice.programme_id for notice in said if notice.programme_id}
    if not named:
        named = {programme.id for programme in programmes_of(party_id)[:2]}
    return named.pop() if len(named) == 1 else None


# Every one of them -------------------------------------------------------------------------------


def _written(
    mail: Mail,
    reader: Reader,
    sender: Sender,
    template: str,
    context: Callable[[], tuple[str, dict[str, Any]]],
) -> EmailMultiAlternatives:
    with translation.override(reader.language), timezone.override(reader.time_zone):
        subject, said = context()
        subject = " ".join(subject.split())[:LONGEST_SUBJECT]
        said |= {
            "subject": subject,
            "language": reader.language,
            "programme": sender.programme,
            "contact": sender.contact,
            "house": settings.PUBLIC_ADDRESS,
            "preferences_url": _absolute("post-preferences"),
        }
        letter = EmailMultiAlternatives(
            subject=subject,
            body=render_to_string(f"{template}.txt", said).strip() + "\n",
            to=[reader.address],
            reply_to=[sender.contact] if _is_address(sender.contact) else None,
            headers=_headers(mail, reader, said["preferences_url"]),
        )
        letter.attach_alternative(render_to_string(f"{template}.html", said), "text/html")
    return letter


def _headers(mail: Mail, reader: Reader, preferences_url: str) -> dict[str, str]:
    headers = {
        "Message-ID": message_id(mail.id),
        "Date": format_datetime(now()),
        "Auto-Submitted": "auto-generated",  # RFC 3834: nobody's absence is answered to it
        "X-Auto-Response-Suppress": "All",
        "Content-Language": reader.language,
    }
    if mail.kind in (MailKind.NOTICE, MailKind.DIGEST):
        headers["List-Unsubscribe"] = f"<{preferences_url}>"
    return headers


def _sender(programme_id: UUID | None) -> Sender:
    particulars = particulars_in_force(programme_id) if programme_id else None
    if particulars is None:
        return Sender()
    return Sender(
        programme=particulars.name,
        contact=particulars.contact,
        language=_first_language(particulars),
        time_zone=particulars.time_zone,
    )


def _first_language(particulars: Particulars) -> str:
    return particulars.languages[0] if particulars.languages else ""


def _language(wanted: str, sender: Sender) -> str:
    known = dict(settings.LANGUAGES)
    return next((one for one in (wanted, sender.language) if one in known), settings.LANGUAGE_CODE)


def _zone(wanted: str) -> str:
    return wanted or settings.TIME_ZONE


def _is_address(contact: str) -> bool:
    try:
        validate_email(contact)
    except ValidationError:
        return False
    return True


def _absolute(page: str) -> str:
    return f"{settings.PUBLIC_ADDRESS}{reverse(page)}"


def house_host() -> str:
    return urlsplit(settings.PUBLIC_ADDRESS).hostname or "localhost"
