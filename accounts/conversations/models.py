from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.people.models import Party
from accounts.programmes.models import Programme
from core.clock import CoreNow
from core.fields import id_field


class Conversation(models.Model):
    """A member talks with the programme's people: about one clip of theirs and its review, or
    about anything (``clip_id`` None). One for each; it is never closed."""

    id = id_field()
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="+")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    clip_id = models.UUIDField(null=True)
    opened_at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_conversation_for_each_matter",
                fields=["programme", "party", "clip_id"],
                nulls_distinct=False,
            ),
        ]


class Remark(models.Model):
    """One thing said in a conversation: by its member, or by staff. Never edited."""

    id = id_field()
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="remarks")
    author = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=16)
    words = models.TextField()
    at = models.DateTimeField(db_default=CoreNow())

    class Meta:
        constraints = [
            models.CheckConstraint(name="a_remark_says_something", condition=~Q(words="")),
            models.CheckConstraint(
                name="a_remark_is_a_members_or_a_managers",
                condition=Q(role__in=["member", "manager"]),
            ),
        ]
        indexes = [models.Index(fields=["conversation", "at", "id"], name="remarks_in_order")]
