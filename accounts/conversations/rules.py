"""Who speaks in a conversation, and how much."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import TextChoices

LONGEST_REMARK = 4000
REMARKS_AT_ONCE = 60
AT_ONCE = timedelta(hours=1)


class Speaker(TextChoices):
    """The trigger remark_begins says which of the two somebody is."""

    MEMBER = "member"
    MANAGER = "manager"
