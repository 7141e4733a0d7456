from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.cohorts.models import Cohort, CohortSeat
from accounts.credentials.commands import act_in
from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope
from accounts.programmes.commands import lock_programme
from accounts.programmes.models import Membership
from accounts.programmes.queries import membership_of
from core.audit.commands import record
from core.clock import now
from core.errors import Absent, InvalidOrder
from core.text import is_readable, visible_signs

LONGEST_NAME = 80


def make_cohort(*, programme_id: UUID, name: str, actor: Actor | None = None) -> Cohort:
    """Raises ``InvalidOrder`` for a name that says nothing or that another cohort has."""
    if not visible_signs(name) or len(name.strip()) > LONGEST_NAME or not is_readable(name):
        raise InvalidOrder(
            "name_invalid", _("Give it a name of up to 80 characters."), field="name"
        )
    with transaction.atomic():
        lock_programme(programme_id)  # of two of one name, one comes second
        maker = act_in(programme_id, actor, Scope.PEOPLE_WRITE)
        theirs = Cohort.objects.filter(programme_id=programme_id, ended_at=None)
        if theirs.filter(name__iexact=name.strip()).exists():
            raise InvalidOrder(
                "cohort_name_taken", _("There is a cohort of this name."), field="name"
            )
        cohort = Cohort.objects.create(
            programme_id=programme_id, name=name.strip(), made_by_id=maker
        )
        record("cohort.made", subject=("cohort", cohort.id), actor=maker)
    return cohort


def end_cohort(*, cohort_id: UUID, actor: Actor | None = None) -> None:
    """Its seats end with it, as the database sees to; memberships and roles are untouched.

    Twice is fine.
    """
    with transaction.atomic():
        cohort = Cohort.objects.select_for_update(no_key=True).filter(id=cohort_id).first()
        if cohort is None:
            raise Absent
        ender = act_in(cohort.programme_id, actor, Scope.PEOPLE_WRITE)
        if cohort.ended_at is not None:
            return
        Cohort.objects.filter(id=cohort_id, ended_at=None).update(ended_at=now())
        record("cohort.ended", subject=("cohort", cohort_id), actor=ender)


def seat_member(*, cohort_id: UUID, party_id: UUID, actor: Actor | None = None) -> None:
    """Twice is fine. Raises ``Absent`` for a cohort that is over and for who is no member."""
    with transaction.atomic():
        cohort = _open_cohort(cohort_id)
        by = act_in(cohort.programme_id, actor, Scope.PEOPLE_WRITE)
        take_seat(cohort, _membership(cohort, party_id), by)


def unseat_member(*, cohort_id: UUID, party_id: UUID, actor: Actor | None = None) -> None:
    """Twice is fine."""
    with transaction.atomic():
        cohort = _open_cohort(cohort_id)
        by = act_in(cohort.programme_id, actor, Scope.PEOPLE_WRITE)
        seats = CohortSeat.objects.filter(
            cohort=cohort, membership=_membership(cohort, party_id), ended_at=None
        )
        if seats.update(ended_at=now()):
            _record("cohort.left", cohort, party_id, by)


def take_seat(cohort: Cohort, membership: Membership, by: UUID | None) -> None:
    """Inside the transaction of a caller that holds the cohort."""
    seats = CohortSeat.objects.filter(cohort=cohort, membership=membership, ended_at=None)
    if not seats.exists():
        CohortSeat.objects.create(
            cohort=cohort, membership=membership, programme_id=cohort.programme_id
        )
        _record("cohort.joined", cohort, membership.party_id, by)


def _open_cohort(cohort_id: UUID) -> Cohort:
    """Held, so that it does not end meanwhile and of two who seat somebody one comes second."""
    cohort = (
        Cohort.objects.select_for_update(no_key=True).filter(id=cohort_id, ended_at=None).first()
    )
    if cohort is None:
        raise Absent
    return cohort


def _membership(cohort: Cohort, party_id: UUID) -> Membership:
    membership = membership_of(cohort.programme_id, party_id)
    if membership is None:
        raise Absent
    return membership


def _record(kind: str, cohort: Cohort, party_id: UUID, by: UUID | None) -> None:
    record(kind, subject=("cohort", cohort.id), actor=by, party=str(party_id))
