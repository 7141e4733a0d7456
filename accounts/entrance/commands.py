"""What changes who gets in."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from accounts.credentials.commands import end_other_sessions
from accounts.people.models import Person
from core.audit.commands import record


def change_password(*, person: Person, password: str, keep: UUID | None) -> None:
    """Set it, and sign the person out everywhere but in the session ``keep``, at one stroke."""
    person.set_password(password)
    with transaction.atomic():
        person.save(update_fields=["password"])
        end_other_sessions(party_id=person.party_id, keep=keep, reason="password_changed")
        record(
            "password.changed",
            subject=("party", person.party_id),
            actor=person.party_id if keep else None,
            credential=keep,
        )


def close_account(*, person: Person) -> None:
    """Nobody gets in with it any more, and no token of it works. What was made stays."""
    with transaction.atomic():
        if Person.objects.filter(pk=person.pk, is_active=True).update(is_active=False):
            end_other_sessions(party_id=person.party_id, keep=None, reason="account_closed")
            record("account.closed", subject=("party", person.party_id))


def open_account(*, person: Person) -> None:
    with transaction.atomic():
        if Person.objects.filter(pk=person.pk, is_active=False).update(is_active=True):
            record("account.opened", subject=("party", person.party_id))
