"""What is worth telling, and the topic somebody chooses by."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Topic(TextChoices):
    CLIPS = "clips", _("Your clips and jobs")
    REVIEW = "review", _("Decisions and answers")
    CREDITS = "credits", _("Credit lines")
    PAY = "pay", _("Pay")
    TALK = "talk", _("Conversations")
    NEWS = "news", _("Announcements")
    DESK = "desk", _("The desk, and mail that does not arrive")
    ACCESS = "access", _("Your access: tokens, roles, exports")
    TERMS = "terms", _("Terms, and what ends unless you act")


# Every kind of the outbox that somebody hears of. What is not here is told to nobody.
TOPICS: dict[str, Topic] = {
    "job.finished": Topic.CLIPS,
    "job.failed": Topic.CLIPS,
    "job.lapsed": Topic.CLIPS,
    "job.held": Topic.TERMS,
    "removal.announced": Topic.TERMS,
    "reference.expired": Topic.TERMS,
    "removal.done": Topic.CLIPS,
    "removal.stopped": Topic.CLIPS,
    "credit.proposed": Topic.CREDITS,
    "case.decided": Topic.REVIEW,
    "case.overdue": Topic.REVIEW,
    "contribution.accepted": Topic.REVIEW,
    "contribution.declined": Topic.REVIEW,
    "payout.paid": Topic.PAY,
    "remark.written": Topic.TALK,
    "announcement.made": Topic.NEWS,
    "programme.opened": Topic.NEWS,
    "consent.published": Topic.NEWS,
    "case.escalated": Topic.DESK,
    "case.unstaffed": Topic.DESK,
    "mail.bounced": Topic.DESK,
    "device.out": Topic.DESK,
    "token.minted": Topic.ACCESS,
    "credential.revoked": Topic.ACCESS,
    "password.reset": Topic.ACCESS,
    "role.granted": Topic.ACCESS,
    "role.ended": Topic.ACCESS,
    "member.ended": Topic.ACCESS,
    "administrator.made": Topic.ACCESS,
    "administrator.ended": Topic.ACCESS,
    "export.ready": Topic.ACCESS,
    "export.failed": Topic.ACCESS,
    "agreement.published": Topic.TERMS,
    "webhook.disabled": Topic.ACCESS,
}


def kinds_of(topics: set[Topic]) -> list[str]:
    return [kind for kind, topic in TOPICS.items() if topic in topics]
