from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from accounts.administrators.models import Administrator
from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope
from accounts.people.models import Person
from accounts.programmes.rules import ADMINISTRATOR
from core.errors import Absent
from core.ids import read_id


def administrators_now() -> QuerySet[Administrator]:
    return Administrator.objects.filter(ended_at=None)


def administrators_of(actor: Actor) -> QuerySet[Administrator]:
    """All of them, the newest first, for administrators. Raises ``Absent`` for everybody else."""
    must_be_administrator(actor)
    return (
        administrators_now().select_related("party__person__detail").order_by("-granted_at", "-id")
    )


def administrator_for(actor: Actor, shown_id: str) -> Administrator:
    party_id = read_id("party", shown_id)
    found = administrators_of(actor).filter(party_id=party_id).first() if party_id else None
    if found is None:
        raise Absent
    return found


def other_administrators(party_id: UUID) -> bool:
    return administrators_now().exclude(party_id=party_id).exists()


def person_for(actor: Actor, shown_id: str) -> Person:
    """Anybody with an account here, for administrators. Raises ``Absent`` for all others."""
    party_id = read_id("party", shown_id)
    must_be_administrator(actor)
    found = Person.objects.filter(party_id=party_id).first() if party_id else None
    if found is None:
        raise Absent
    return found


def must_be_administrator(actor: Actor) -> None:
    """Raises ``Absent`` for who is none."""
    actor.must_act(Scope.PEOPLE_READ)
    if ADMINISTRATOR not in actor.roles:
        raise Absent
