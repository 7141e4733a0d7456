"""Administrators come by invitation only, and the last one stays."""

from __future__ import annotations

from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.administrators.models import Administrator
from accounts.administrators.queries import administrators_now, other_administrators
from accounts.credentials.commands import act_in
from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope
from accounts.programmes.rules import ADMINISTRATOR
from core.audit.commands import record
from core.clock import CoreNow
from core.errors import Absent, TooLate
from core.outbox.commands import say


class LastAdministrator(TooLate):
    code = "last_administrator"

    def __init__(self) -> None:
        super().__init__(
            _("An installation keeps at least one administrator. Invite somebody else first.")
        )


def make_administrator(*, party_id: UUID, granted_by: UUID | None) -> Administrator:
    """Who took an administrator's invitation. Raises the database's error where the law forbids
    it; the caller turns that into words."""
    found = administrators_now().filter(party_id=party_id).first()
    if found is not None:
        return found
    made = Administrator.objects.create(party_id=party_id, granted_by_id=granted_by)
    record("administrator.made", subject=("administrator", made.id), actor=granted_by)
    say("administrator.made", subject=("administrator", made.id), party=party_id)
    return made


def end_administrator(*, party_id: UUID, actor: Actor | None) -> None:
    """Ending it twice is fine. Raises ``LastAdministrator``, and ``Absent`` for who is none."""
    with transaction.atomic():
        lock_administrators()  # of two who end each other, one comes second
        ender = act_as_administrator(actor)
        found = administrators_now().filter(party_id=party_id).first()
        if found is None:
            return
        if not other_administrators(party_id):
            raise LastAdministrator
        administrators_now().filter(id=found.id).update(ended_at=CoreNow())
        record("administrator.ended", subject=("administrator", found.id), actor=ender)
        say("administrator.ended", subject=("administrator", found.id), party=party_id)


def act_as_administrator(actor: Actor | None) -> UUID | None:
    """The administrator who acts; None at the machine. Raises ``Absent`` for everybody else."""
    if actor is not None and ADMINISTRATOR not in actor.roles:
        raise Absent
    by = act_in(None, actor, Scope.PEOPLE_WRITE)
    if by is not None and not administrators_now().filter(party_id=by).exists():
        raise Absent  # ended while this waited
    return by


def lock_administrators() -> None:
    """Whoever makes the first or ends one stands in a line until the commit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('administrators', 0))")
