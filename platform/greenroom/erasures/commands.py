"""Leaving for good: on every floor at once, and the receipt of what stays.

Order of locks: that of ``greenroom.offboarding`` (administrators, programmes, person, credentials,
jobs, budgets, cases), then cases, releases and clips of one's own.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.administrators.commands import LastAdministrator, lock_administrators
from accounts.administrators.queries import administrators_now, other_administrators
from accounts.credentials.commands import lock_live_credential
from accounts.credentials.queries import Actor
from accounts.credentials.rules import ERASURES_ASK
from accounts.erasures.commands import begin_erasure, erase_person
from accounts.erasures.models import Erasure
from accounts.erasures.queries import erasures_waiting, is_being_erased
from accounts.erasures.rules import PAYOUT, done_by
from accounts.exports.commands import end_exports_of
from accounts.people.models import Person
from accounts.programmes.commands import lock_programme
from accounts.programmes.models import Role
from accounts.programmes.queries import roles_in
from accounts.roles.commands import LastManager
from accounts.roles.queries import other_managers
from core.clock import in_utc, now
from core.errors import Absent, InvalidOrder, TooLate
from core.ids import shown
from core.seal.commands import sign
from generation.clips.commands import announce_removal, finish_removals
from generation.clips.models import Removal
from generation.references.commands import remove_references_of
from generation.references.rules import Why as ReferenceWhy
from greenroom.erasures.queries import (
    clips_to_remove,
    kept_of,
    live_releases,
    open_payouts_to,
    programmes_joined,
)
from greenroom.erasures.rules import Gone, Releases
from greenroom.exports.commands import clear_export_files
from greenroom.offboarding.commands import offboard_everywhere
from greenroom.offboarding.rules import Why
from greenroom.post_box import forget_letters
from review.credits.commands import forget_names
from review.releases.commands import revoke_links_of, take_down_for_good
from review.submissions.commands import withdraw_all_of

log = logging.getLogger("greenroom.erasures")

REMOVED_AT_ONCE = 500


def ask_erasure(
    *,
    party_id: UUID,
    address: str,
    releases: Releases = Releases.TAKEN_DOWN,
    actor: Actor | None = None,
) -> tuple[Erasure, str]:
    """Erase a person for good. The returned secret opens the receipt and exists nowhere else.

    Everything that gives access or is under way ends now, released clips as ``releases`` says.
    Who they were is deleted now, too, unless a payout is on its way to them: then once that is
    settled, a month later at the latest. The ledger is not touched, an unpaid balance stops
    nothing. ``actor`` None: at the machine. Raises ``InvalidOrder`` for another address,
    ``LastAdministrator``, ``LastManager`` for an open programme, ``Absent`` without an account.
    """
    if actor is not None:
        actor.must_carry(ERASURES_ASK)
        if actor.party_id != party_id:
            raise Absent
    with transaction.atomic():
        _must_not_be_needed(party_id)
        person = _locked(party_id)
        if actor is not None:
            lock_live_credential(actor.credential_id)
        if address.strip().lower() != person.email:
            raise InvalidOrder(
                "address_differs",
                _("This is not the address you sign in with. Nothing was erased."),
                field="address",
            )
        if is_being_erased(party_id):
            raise TooLate(_("This was asked for before; it waits for a payout."))
        moment = now()
        kept = kept_of(party_id, releases, moment)
        waits_for = PAYOUT if open_payouts_to(party_id).exists() else ""
        erasure, secret = begin_erasure(
            party_id=party_id, waits_for=waits_for, kept=kept, actor=actor
        )
        offboard_everywhere(party_id=party_id, reason=Why.OWN_WISH)
        _end_work(party_id, releases)
        end_exports_of(party_id)
        if not waits_for:
            _erase(erasure)
        transaction.on_commit(clear_export_files, robust=True)
    erasure.refresh_from_db()
    return erasure, secret


def finish_erasures() -> int:
    """Erase those whose payout was settled or cancelled, or whose month is over; then see to files
    that a worker finished in the moment its owner left. Returns how many were done."""
    done = 0
    for erasure in erasures_waiting():
        try:
            done += _erase_if_due(erasure)
        except Exception:  # the outer loop: one that fails must not keep all the others waiting
            log.exception("erasure_failed", extra={"erasure": str(erasure.id)})
    for clip in clips_to_remove()[:REMOVED_AT_ONCE]:
        try:
            announce_removal(clip=clip, why=Removal.Why.ERASURE, due_at=now())
        except Exception:  # the outer loop, as above
            log.exception("removal_failed", extra={"clip": str(clip.id)})
    finish_removals()
    return done


def issue_receipt(erasure: Erasure) -> dict[str, Any]:
    """What was deleted, what stays, why and until when: signed, to be kept by whoever left.

    Whoever shows it to finance is paid what is owed to its party.
    """
    return sign(
        {
            "kind": "erasure.receipt",
            "format": 1,
            "issuer": settings.PUBLIC_ADDRESS,
            "id": shown("erasure", erasure.id),
            "party": shown("party", erasure.party_id),
            "asked_at": in_utc(erasure.asked_at),
            "done_at": in_utc(erasure.done_at) if erasure.done_at else None,
            "waits_for": erasure.waits_for,
            "done_by": in_utc(done_by(erasure.asked_at)) if erasure.waits_for else None,
            "deleted": [each.value for each in Gone],
            "kept": erasure.kept,
        }
    )


def _erase_if_due(erasure: Erasure) -> bool:
    is_overdue = now() >= done_by(erasure.asked_at)
    if not is_overdue and open_payouts_to(erasure.party_id).exists():
        return False
    _erase(erasure)
    return True


def _erase(erasure: Erasure) -> None:
    with transaction.atomic():
        addresses = erase_person(erasure)
        transaction.on_commit(partial(forget_letters, addresses), robust=True)


def _must_not_be_needed(party_id: UUID) -> None:
    """Somebody else must be there first for what only this person can do; held until the commit."""
    lock_administrators()
    if administrators_now().filter(party_id=party_id).exists() and not other_administrators(
        party_id
    ):
        raise LastAdministrator
    for programme_id in programmes_joined(party_id):
        programme = lock_programme(programme_id)
        is_manager = Role.MANAGER in roles_in(programme_id, party_id)
        if programme.is_open and is_manager and not other_managers(programme_id, party_id):
            raise LastManager


def _locked(party_id: UUID) -> Person:
    """Nobody signs in with it until the commit, nor after."""
    person = Person.objects.select_for_update().filter(party_id=party_id).first()
    if person is None:
        raise Absent
    return person


def _end_work(party_id: UUID, releases: Releases) -> None:
    """What they put forward, showed and are named in."""
    withdraw_all_of(party_id=party_id)
    if releases is Releases.TAKEN_DOWN:
        for release in live_releases(party_id).order_by("id"):
            take_down_for_good(clip_id=release.clip_id, why="erasure")
    else:
        revoke_links_of(party_id=party_id)
    forget_names(party_id=party_id)
    remove_references_of(party_id=party_id, programme_id=None, why=ReferenceWhy.ERASURE)
    for clip in clips_to_remove([party_id]):
        announce_removal(clip=clip, why=Removal.Why.ERASURE, due_at=now())
