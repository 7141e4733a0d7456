"""What can be paid for, and the arithmetic of a rate."""

from __future__ import annotations

from django.db.models import TextChoices

FIELDS = ("amount", "applies_from", "words")  # what one rate says, to compare with the next


class ActKind(TextChoices):
    """Payable acts. What is not on the list earns nothing."""

    RELEASE = "release"
    BUG_REPORT = "bug_report"
    FEEDBACK = "feedback"
    RED_TEAM_FINDING = "red_team_finding"
