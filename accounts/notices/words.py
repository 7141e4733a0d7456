"""What a notice says, and where it leads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.notices.models import Notice
from core.ids import shown


@dataclass(frozen=True, slots=True)
class Words:
    """A sentence, and the page it leads to: pages of higher floors are known here by name only.

    ``takes_subject``: the page's address ends with the public id of what the notice is about,
    whatever kind of thing that is; other pages take nothing.
    """

    sentence: Promise
    page: str
    takes_subject: bool = False


WORDS = {
    "job.finished": Words(_("A clip is ready."), "job", takes_subject=True),
    "job.failed": Words(
        _("A clip could not be made. Its credits are back."), "job", takes_subject=True
    ),
    "job.held": Words(
        _("A job waits for your word: the credential behind it was revoked."),
        "job",
        takes_subject=True,
    ),
    "job.lapsed": Words(
        _("A held job was cancelled after seven days. Its credits are back."),
        "job",
        takes_subject=True,
    ),
    "token.minted": Words(
        _("A token was made for you. If that was not you, revoke it now."), "tokens"
    ),
    "credential.revoked": Words(_("A token or a sign-in of yours was revoked."), "tokens"),
    "credit.proposed": Words(
        _("Somebody wants to name you in the credits of a clip. Say yes or no."), "credits"
    ),
    "case.decided": Words(
        _("There is a decision about a clip you put forward."), "submission", takes_subject=True
    ),
    "case.overdue": Words(
        _("The review of a clip of yours is late. It stands at the head of the desk now."),
        "submission",
        takes_subject=True,
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
        _("Something you filed was accepted."), "contribution", takes_subject=True
    ),
    "contribution.declined": Words(
        _("Something you filed was declined, with an answer."), "contribution", takes_subject=True
    ),
    "payout.paid": Words(_("You were paid."), "earnings"),
}


@dataclass(frozen=True, slots=True)
class ShownNotice:
    text: str
    url: str
    dismiss_url: str
    at: datetime


def shown_notice(notice: Notice) -> ShownNotice:
    words = WORDS[notice.kind]
    subject = [shown(notice.subject_kind, notice.subject_id)] if words.takes_subject else []
    return ShownNotice(
        text=str(words.sentence),
        url=reverse(words.page, args=subject),
        dismiss_url=reverse("dismiss-notice", args=[shown("notice", notice.id)]),
        at=notice.at,
    )
