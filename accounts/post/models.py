from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.invitations.models import Invitation
from accounts.notices.rules import Topic
from accounts.people.models import Party
from accounts.post.rules import MailKind, State, Way
from core.clock import CoreNow
from core.fields import id_field


class Mail(models.Model):
    """One message to one reader: to a party, or to the address of an open invitation.

    Neither address nor words stand here: both are looked up when it is sent, so that what was
    erased meanwhile reaches nobody and no secret is kept. Its id makes its Message-ID, which stays
    the same however often sending is tried: a reader's mailbox shows it once.
    """

    id = id_field()
    kind = models.CharField(max_length=16, choices=MailKind)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, null=True, related_name="+")
    invitation = models.ForeignKey(
        Invitation, on_delete=models.PROTECT, null=True, related_name="mails"
    )
    invitation_number = models.PositiveIntegerField(null=True)
    digest_day = models.DateField(null=True)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField(db_default=CoreNow())
    due_at = models.DateTimeField(db_default=CoreNow())
    lease_until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_mail_has_one_reader",
                condition=Q(
                    kind="invitation",
                    party=None,
                    invitation__isnull=False,
                    invitation_number__isnull=False,
                )
                | Q(
                    kind__in=["notice", "digest", "password"],
                    party__isnull=False,
                    invitation=None,
                    invitation_number=None,
                ),
            ),
            models.CheckConstraint(
                name="a_digest_is_of_a_day",
                condition=Q(kind="digest", digest_day__isnull=False)
                | ~Q(kind="digest") & Q(digest_day=None),
            ),
            models.CheckConstraint(
                name="a_mail_ends_iff_it_waits_no_more",
                condition=Q(state="waiting", ended_at=None)
                | Q(state__in=["sent", "failed", "bounced", "dropped"], ended_at__isnull=False),
            ),
            models.UniqueConstraint(
                name="one_digest_a_day", fields=["party", "digest_day"], condition=Q(kind="digest")
            ),
            models.UniqueConstraint(
                name="one_mail_for_each_sending_of_an_invitation",
                fields=["invitation", "invitation_number"],
                condition=Q(kind="invitation"),
            ),
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], name="mail_due", condition=Q(state="waiting")),
        ]


class PostPreference(models.Model):
    """How somebody wants to hear of one topic; without a row the topic's own default counts."""

    id = id_field()
    party = models.ForeignKey(Party, on_delete=models.CASCADE, related_name="+")
    topic = models.CharField(max_length=16, choices=Topic)
    way = models.CharField(max_length=8, choices=Way)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_way_for_a_topic", fields=["party", "topic"]),
            models.CheckConstraint(
                name="topic_and_way_are_known",
                condition=Q(topic__in=Topic.values, way__in=Way.values),
            ),
        ]
