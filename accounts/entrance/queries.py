from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from accounts.administrators.queries import administrators_now
from accounts.people.models import Person
from accounts.programmes.models import Role, RoleGrant
from accounts.programmes.queries import LIVE_GRANT
from core.audit.queries import events_of
from core.clock import now

LETTERS_COUNTED_FOR = timedelta(hours=1)
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


def letters_asked_lately(party_id: UUID) -> int:
    """How many letters for a new password were asked for within an hour."""
    asked = events_of(party_id).filter(kind="password.letter_asked")
    return asked.filter(at__gt=now() - LETTERS_COUNTED_FOR).count()


def password_link(person: Person) -> str:
    """The address that sets a new password: computed when it is needed and kept nowhere.

    It holds the account's id, the moment, and an HMAC over both, the password's hash and the last
    sign-in: any of these changes, or half an hour passes, and it opens nothing.
    """
    where = reverse(
        "account_reset_password_from_key",
        kwargs={
            "uidb36": user_pk_to_url_str(person),
            "key": default_token_generator.make_token(person),
        },
    )
    return f"{settings.PUBLIC_ADDRESS}{where}"
