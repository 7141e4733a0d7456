from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Why(TextChoices):
    """Why somebody leaves a programme: one word, for the audit."""

    OWN_WISH = "own_wish", _("They asked to leave")
    OVER = "over", _("Their part in it is over")
    BREACH = "breach", _("They broke the agreement")
    SAFETY = "safety", _("The account may be in the wrong hands")
