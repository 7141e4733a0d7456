from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from accounts.people.models import Party
from accounts.programmes.models import Programme, Role
from core.clock import CoreNow
from core.fields import id_field


class Invitation(models.Model):
    """One seat in one programme for one address, taken once or withdrawn.

    While it is open the address stands here; when it ends the address goes, and what remains is
    who made it and who came of it.
    """

    id = id_field()
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="invitations")
    email = models.EmailField(max_length=254, blank=True)
    role = models.CharField(max_length=16, choices=Role)
    digest = models.BinaryField(unique=True)
    made_by = models.ForeignKey(Party, on_delete=models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField(db_default=CoreNow())
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(Party, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_open_invitation_per_programme_and_address",
                fields=["programme", "email"],
                condition=Q(ended_at=None),
            ),
            models.CheckConstraint(
                name="invitation_email_is_lower_case", condition=Q(email=Lower("email"))
            ),
            models.CheckConstraint(
                name="an_ended_invitation_keeps_no_address",
                condition=Q(ended_at=None, accepted_by=None) & ~Q(email="")
                | Q(ended_at__isnull=False, email=""),
            ),
            models.CheckConstraint(
                name="invitation_expires_after_it_is_made",
                condition=Q(expires_at__gt=F("made_at")),
            ),
            models.CheckConstraint(
                name="invitation_role_is_known", condition=Q(role__in=Role.values)
            ),
        ]
