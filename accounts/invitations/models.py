from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from accounts.cohorts.models import Cohort
from accounts.people.models import Party
from accounts.programmes.models import Programme, Role
from accounts.programmes.rules import ADMINISTRATOR
from core.clock import CoreNow
from core.fields import id_field

INVITED_AS = [*Role.choices, (ADMINISTRATOR, "Administrator")]


class Invitation(models.Model):
    """One seat for one address, taken once or withdrawn: in a programme, or among the
    administrators of this installation (``programme`` None).

    While it is open the address stands here; when it ends the address goes, and what remains is
    who made it and who came of it. Sending it again makes a new link: ``number`` counts them, only
    the newest opens, and ``sent_at`` is its moment. The link's secret is computed when it is
    needed, under the pepper that ``pepper_id`` names, and kept nowhere.
    """

    id = id_field()
    programme = models.ForeignKey(
        Programme, on_delete=models.PROTECT, null=True, related_name="invitations"
    )
    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, null=True, related_name="+")
    email = models.EmailField(max_length=254, blank=True)
    role = models.CharField(max_length=16, choices=INVITED_AS)
    language = models.CharField(max_length=16, blank=True)
    number = models.PositiveIntegerField(default=1)
    digest = models.BinaryField(unique=True)
    pepper_id = models.CharField(max_length=16, blank=True)
    made_by = models.ForeignKey(Party, on_delete=models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField(db_default=CoreNow())
    sent_at = models.DateTimeField(db_default=CoreNow())
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(Party, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_open_invitation_per_programme_and_address",
                fields=["programme", "email"],
                condition=Q(ended_at=None),
                nulls_distinct=False,
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
                name="invitation_role_is_known",
                condition=Q(role__in=Role.values, programme__isnull=False)
                | Q(role=ADMINISTRATOR, programme=None, cohort=None),
            ),
            models.CheckConstraint(
                name="invitation_is_numbered_from_one", condition=Q(number__gte=1)
            ),
        ]
