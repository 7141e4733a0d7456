from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from accounts.invitations.models import Invitation
from accounts.invitations.rules import digest_of
from accounts.people.models import Person
from core.clock import CoreNow


def invitations_open() -> QuerySet[Invitation]:
    """Neither taken nor withdrawn nor too old, to a programme that is open."""
    return Invitation.objects.select_related("programme").filter(
        ended_at=None, expires_at__gt=CoreNow(), programme__is_open=True
    )


def invitation_by_secret(secret: str) -> Invitation | None:
    """None for every link that does not open: made up, used, withdrawn and expired look alike."""
    return invitations_open().filter(digest=digest_of(secret)).first()


def invitation_open(invitation_id: UUID) -> Invitation | None:
    return invitations_open().filter(id=invitation_id).first()


def way_in(invitation: Invitation, person: Person | None) -> str:
    """How this reader may take it: as a ``new`` person, ``join`` with the account they are signed
    in with, ``sign-in`` first, or not at all (``other``: signed in as somebody else)."""
    if person is not None:
        return "join" if person.email == invitation.email else "other"
    known = Person.objects.filter(email=invitation.email).exists()
    return "sign-in" if known else "new"
