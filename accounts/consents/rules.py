"""The four things a programme may ask for besides the work itself. Each is off until granted."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Purpose(TextChoices):
    LABOUR = "labour", _("Work on request")
    PUBLICITY = "publicity", _("Publicity")
    TRAINING = "training", _("Training of models")
    EVALUATION = "evaluation", _("Evaluation of models")
