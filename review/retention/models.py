from __future__ import annotations

from django.db import models

from accounts.programmes.models import Programme
from generation.clips.models import Clip


class Perishable(models.Model):
    """A clip that the terms of retention may end some day: its files are there, and it is not
    shown. A sweep reads these and no others, however much stays for ever or went long ago.

    Written by triggers on clips, releases and removals. ``made_at`` and ``programme`` are the
    clip's.
    """

    clip = models.OneToOneField(
        Clip, primary_key=True, on_delete=models.PROTECT, related_name="perishable"
    )
    programme = models.ForeignKey(
        Programme, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    made_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["programme", "made_at"], name="clips_that_may_go")]
