from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.people.models import Party
from accounts.programmes.models import Programme
from core.clock import CoreNow
from core.fields import id_field
from generation.clips.models import Clip
from review.credits.rules import CreditRole, DisplayForm, State


class CreditLine(models.Model):
    """Who did what for a clip. Its maker names people, each answers and chooses how to be shown.

    Holds no name: it is read from the person when shown, so that an erased person leaves none.
    """

    id = id_field()
    clip = models.ForeignKey(Clip, on_delete=models.PROTECT, related_name="credit_lines")
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="+")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="credit_lines")
    proposed_by = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=16, choices=CreditRole)
    display_form = models.CharField(max_length=12, choices=DisplayForm, default=DisplayForm.NONE)
    state = models.CharField(max_length=12, choices=State, default=State.PROPOSED)
    made_at = models.DateTimeField(db_default=CoreNow())
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="nobody_is_credited_twice_for_the_same", fields=["clip", "party", "role"]
            ),
            models.CheckConstraint(
                name="credit_role_is_known", condition=Q(role__in=CreditRole.values)
            ),
            models.CheckConstraint(
                name="display_form_is_known", condition=Q(display_form__in=DisplayForm.values)
            ),
            models.CheckConstraint(
                name="credit_line_is_answered_by_a_time",
                condition=Q(state="proposed", answered_at=None)
                | Q(state__in=["accepted", "declined"], answered_at__isnull=False),
            ),
        ]
