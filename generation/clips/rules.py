"""Who may look at somebody else's clip, for how long, and the closed list of reasons."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

# At most: a reviewer's ends with the case they had.
VIEWING_LASTS = timedelta(minutes=30)

# So long an owner can take back that the files of a clip go.
OWNER_CAN_KEEP = timedelta(days=1)

# In this order: who holds several of these roles looks in the first.
VIEWING_ROLES = ("reviewer", "manager", "auditor")


class Why(TextChoices):
    """Why staff open a clip. Its owner reads it; "other" is no reason and is not on the list."""

    REVIEW = "review", _("To review it")
    REPORT = "report", _("Somebody reported it")
    QUESTION = "question", _("Its owner asked for help with it")
    FAULT = "fault", _("To look into a technical fault")
    AUDIT = "audit", _("To check how the programme keeps its terms")


class Allows(TextChoices):
    """Which files of a clip its owner gets before it is approved, as a programme says."""

    CLIP = "clip", _("Everything, the clip itself too")
    PREVIEW = "preview", _("The light copy and the pictures")
    PICTURES = "pictures", _("The pictures alone")


# The same as the SQL function ``file_is_open``; by kinds of renditions.
HELD_BACK: dict[Allows, frozenset[str]] = {
    Allows.CLIP: frozenset(),
    Allows.PREVIEW: frozenset({"master"}),
    Allows.PICTURES: frozenset({"master", "proxy"}),
}


def opens(kind: str, allows: Allows) -> bool:
    return kind not in HELD_BACK[allows]


def more_of(one: Allows, other: Allows) -> Allows:
    """The one that holds back less."""
    return min(one, other, key=list(Allows).index)


def viewing_role(roles: frozenset[str]) -> str | None:
    """The role in which somebody with these roles looks; None for those who may not."""
    return next((role for role in VIEWING_ROLES if role in roles), None)
