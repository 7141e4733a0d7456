from __future__ import annotations

from django.db.models import Exists, OuterRef, Q

from accounts.administrators.queries import administrators_now
from accounts.people.models import Person
from accounts.programmes.models import Role, RoleGrant
from accounts.programmes.queries import LIVE_GRANT

STAFF = (Role.REVIEWER, Role.MANAGER, Role.FINANCE, Role.AUDITOR)


def staff_at(address: str) -> Person | None:
    """Who of this address holds a role of the staff in some programme now, or is administrator.

    None for everybody else: unknown, closed, a tester; and for an address that is not ASCII, of
    which “lower case” would make another's (the Kelvin sign becomes a k).
    """
    if not address.isascii():
        return None
    grants = RoleGrant.objects.filter(
        LIVE_GRANT,
        membership__party_id=OuterRef("party_id"),
        membership__ended_at=None,
        role__in=STAFF,
    )
    of_the_house = administrators_now().filter(party_id=OuterRef("party_id"))
    people = Person.objects.filter(Q(Exists(grants)) | Q(Exists(of_the_house)), is_active=True)
    return people.filter(email=address.strip().lower()).first()
