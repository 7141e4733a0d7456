"""The closed list of grounds. A clause is one of them in a programme's own words."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Ground(TextChoices):
    """Why a clip may be declined. Criticism of the programme is not one of them, and the database
    knows no other."""

    REAL_PERSON = "real_person", _("A recognisable person who did not consent")
    MINOR = "minor", _("Danger or harm to a child")
    SEXUAL = "sexual", _("Sexual content")
    VIOLENCE = "violence", _("Graphic violence")
    HATE = "hate", _("Hatred of people for what they are")
    PRIVATE_DETAIL = "private_detail", _("Somebody's private details")
    OTHERS_WORK = "others_work", _("Somebody else's protected work or mark")
    DECEPTION = "deception", _("Made to pass for a real event")
    UNLAWFUL = "unlawful", _("Against the law")
    BROKEN_FILE = "broken_file", _("A file that cannot be shown as it is")
