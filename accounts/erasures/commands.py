"""The rows of an erasure: that it was asked for, and the end of what says who somebody was.

What it ends on other floors, and in which order, is the business of ``greenroom.erasures``.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.db import transaction

from accounts.credentials.models import Credential, PortalSession
from accounts.credentials.queries import Actor
from accounts.credentials.rules import random_base62
from accounts.erasures.models import Erasure
from accounts.erasures.rules import SECRET_SIGNS, digest_of
from accounts.invitations.models import Invitation
from accounts.people.models import Person
from accounts.post.models import PostPreference
from core.audit.commands import record
from core.clock import CoreNow, now
from core.idempotency.models import KeptAnswer
from core.outbox.commands import say


def begin_erasure(
    *, party_id: UUID, waits_for: str, kept: list[dict[str, Any]], actor: Actor | None
) -> tuple[Erasure, str]:
    """Write down that it was asked for. The returned secret is its only copy."""
    secret = random_base62(SECRET_SIGNS)
    erasure = Erasure.objects.create(
        party_id=party_id,
        digest=digest_of(secret),
        asked_at=now(),
        waits_for=waits_for,
        kept=kept,
    )
    record(
        "erasure.asked",
        subject=("erasure", erasure.id),
        actor=actor.party_id if actor else None,
        credential=actor.credential_id if actor else None,
        waits_for=waits_for,
    )
    say("erasure.asked", subject=("erasure", erasure.id))
    return erasure, secret


def erase_person(erasure: Erasure) -> set[str]:
    """Delete everything that says who the party was; the party stays, and points to nobody.

    The caller has ended whatever they acted with. What allauth keeps goes with the person. Returns
    the addresses that were theirs, for whoever keeps letters to them outside the database.
    """
    addresses = set()
    with transaction.atomic():
        person = Person.objects.select_for_update().filter(party_id=erasure.party_id).first()
        if person is not None:
            mine = EmailAddress.objects.filter(user=person).values_list("email", flat=True)
            addresses = {person.email, *(address.lower() for address in mine)}
            Invitation.objects.filter(email__in=addresses, ended_at=None).update(
                ended_at=CoreNow(), email=""
            )
            person.delete()
        PostPreference.objects.filter(party_id=erasure.party_id).delete()
        PortalSession.objects.filter(credential__party_id=erasure.party_id).delete()
        # What acted stays on record; what its owner called it does not.
        Credential.objects.filter(party_id=erasure.party_id).update(name="", reason="")
        # Copies of first answers, kept for whoever repeats a request.
        KeptAnswer.objects.filter(scope__startswith=f"{erasure.party_id}:").delete()
        Erasure.objects.filter(id=erasure.id, done_at=None).update(done_at=now(), waits_for="")
        record("erasure.done", subject=("erasure", erasure.id))
        say("erasure.done", subject=("erasure", erasure.id))
    return addresses
