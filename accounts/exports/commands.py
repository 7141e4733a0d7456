"""Asking for an archive of everything that is one's own, and the steps of its making.

The row is the truth: whoever builds takes it with a lease, as workers take jobs. ``attempts`` is
the number of the attempt, and every write of a builder names it, so that a late one changes
nothing. Files are the business of the floor that makes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts.credentials.commands import lock_live_credential
from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope
from accounts.erasures.queries import is_being_erased
from accounts.exports.models import Export
from accounts.exports.queries import exports_of
from accounts.exports.rules import LASTS, LEASE, MOST_ATTEMPTS, PAUSE
from core.audit.commands import record
from core.clock import CoreNow, now
from core.outbox.commands import say


@dataclass(frozen=True, slots=True)
class ArchiveFacts:
    """The whole file; ``storage_key`` is its path below the media folder."""

    storage_key: str
    bytes: int
    sha256: str


def ask_export(*, actor: Actor) -> Export:
    """Everything of the actor's, in every programme, whatever they accepted or left.

    While one is being made, asking again gives the same one.
    """
    actor.must_act(Scope.EXPORTS_CREATE)
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        wanted = Export(party_id=actor.party_id, asked_at=now())
        # Two presses at once are one export: the index decides which.
        Export.objects.bulk_create([wanted], ignore_conflicts=True)
        asked = exports_of(actor).filter(state=Export.State.ASKED).get()
        if asked.id == wanted.id:
            record(
                "export.asked",
                subject=("export", asked.id),
                actor=actor.party_id,
                credential=actor.credential_id,
            )
            say("export.asked", subject=("export", asked.id), party=actor.party_id)
    return asked


def claim_export() -> Export | None:
    """The one that waits longest, for this builder alone until its lease ends; None for none."""
    with transaction.atomic():
        waiting = (
            Export.objects.select_for_update(skip_locked=True)
            .filter(
                Q(lease_until=None) | Q(lease_until__lte=CoreNow()),
                state=Export.State.ASKED,
                attempts__lt=MOST_ATTEMPTS,
            )
            .order_by("asked_at", "id")
            .first()
        )
        if waiting is None:
            return None
        Export.objects.filter(id=waiting.id).update(
            attempts=F("attempts") + 1, lease_until=now() + LEASE
        )
        waiting.refresh_from_db()
    return waiting


def renew_export(export: Export) -> bool:
    """Still at it. False where it is not this attempt's any more."""
    return bool(_mine(export).update(lease_until=now() + LEASE))


def finish_export(export: Export, facts: ArchiveFacts) -> bool:
    """The archive is there, and those before it end. False where it is not this attempt's, or
    where its owner leaves for good: then nobody is to have it."""
    with transaction.atomic():
        _lock_living(export.party_id)
        if is_being_erased(export.party_id):
            return False
        moment = now()
        ready = _mine(export).update(
            state=Export.State.READY,
            lease_until=None,
            ready_at=moment,
            expires_at=moment + LASTS,
            bytes=facts.bytes,
            sha256=facts.sha256,
            storage_key=facts.storage_key,
        )
        if not ready:
            return False
        end_exports(Export.objects.filter(party_id=export.party_id).exclude(id=export.id))
        record("export.ready", subject=("export", export.id), bytes=facts.bytes)
        say("export.ready", subject=("export", export.id), party=export.party_id)
    return True


def put_export_back(export: Export) -> None:
    """This attempt did not succeed; the next one comes after a pause."""
    _mine(export).update(lease_until=now() + PAUSE)


def fail_exports() -> int:
    """Give up those that were tried three times."""
    given_up = Export.objects.filter(
        Q(lease_until=None) | Q(lease_until__lte=CoreNow()),
        state=Export.State.ASKED,
        attempts__gte=MOST_ATTEMPTS,
    )
    failed = 0
    for export in given_up:
        with transaction.atomic():
            if _mine(export).update(state=Export.State.FAILED, lease_until=None):
                record("export.failed", subject=("export", export.id))
                say("export.failed", subject=("export", export.id), party=export.party_id)
                failed += 1
    return failed


def end_exports(exports: QuerySet[Export]) -> int:
    """Nobody can download these any more; whoever keeps the files deletes them."""
    with transaction.atomic():
        ended = list(
            exports.filter(state=Export.State.READY)
            .select_for_update()
            .order_by("id")
            .values_list("id", flat=True)
        )
        for export_id in ended:
            _end(export_id, Export.State.ENDED)
    return len(ended)


def end_exports_of(party_id: UUID) -> None:
    """All of a party that leaves for good, those being made too."""
    with transaction.atomic():
        for export in _lock_living(party_id):
            # As it was locked: a builder may have finished it while this waited.
            was_asked = export.state == Export.State.ASKED
            _end(export.id, Export.State.FAILED if was_asked else Export.State.ENDED)


def _lock_living(party_id: UUID) -> list[Export]:
    """Those being made and those ready, always by id: whoever finishes one and whoever ends all
    of a party stand in one line."""
    living = Export.objects.filter(
        party_id=party_id, state__in=[Export.State.ASKED, Export.State.READY]
    )
    return list(living.select_for_update().order_by("id"))


def _end(export_id: UUID, state: Any) -> None:
    Export.objects.filter(id=export_id).update(state=state, ended_at=now(), lease_until=None)
    record("export.ended", subject=("export", export_id))


def _mine(export: Export) -> QuerySet[Export]:
    return Export.objects.filter(id=export.id, state=Export.State.ASKED, attempts=export.attempts)
