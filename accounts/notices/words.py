"""What a notice says, and where it leads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext_lazy

from accounts.notices.models import Notice
from core.ids import shown

# Sentence, and the page it leads to: one that takes the subject's public id, or one that takes
# nothing. Pages of higher floors are known here by name only.
WORDS = {
    "job.finished": (gettext_lazy("A clip is ready."), "job"),
    "job.failed": (gettext_lazy("A clip could not be made. Its credits are back."), "job"),
    "job.held": (
        gettext_lazy("A job waits for your word: the credential behind it was revoked."),
        "job",
    ),
    "job.lapsed": (
        gettext_lazy("A held job was cancelled after seven days. Its credits are back."),
        "job",
    ),
    "token.minted": (
        gettext_lazy("A token was made for you. If that was not you, revoke it now."),
        "tokens",
    ),
    "credential.revoked": (gettext_lazy("A token or a sign-in of yours was revoked."), "tokens"),
}


@dataclass(frozen=True, slots=True)
class ShownNotice:
    text: str
    url: str
    dismiss_url: str
    at: datetime


def shown_notice(notice: Notice) -> ShownNotice:
    sentence, page = WORDS[notice.kind]
    subject = [shown("job", notice.subject_id)] if notice.subject_kind == "job" else []
    return ShownNotice(
        text=str(sentence),
        url=reverse(page, args=subject),
        dismiss_url=reverse("dismiss-notice", args=[shown("notice", notice.id)]),
        at=notice.at,
    )
