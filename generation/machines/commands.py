"""Worker credentials: made for one machine, shown once, revoked for good."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.credentials.peppers import current
from accounts.credentials.rules import Letter, digest, new_token
from core.audit.commands import record
from core.clock import CoreNow
from core.errors import InvalidOrder, TooLate
from core.ids import new_id
from core.outbox.commands import say
from generation.machines.models import WorkerCredential
from generation.machines.rules import MACHINE


def admit_machine(*, machine: str) -> tuple[WorkerCredential, str]:
    """A further credential for the workers of this machine, and the one text that carries it.

    Those it has go on counting, so that one is replaced without a pause. Raises ``InvalidOrder``
    for what no host is called.
    """
    if not MACHINE.fullmatch(machine):
        raise InvalidOrder(
            "machine_name_invalid",
            _("Name the machine as it calls itself, by at most 24 signs of its host name."),
            field="machine",
        )
    parts, text = new_token(Letter.WORKER)
    pepper_id, key = current()
    with transaction.atomic():
        credential = WorkerCredential.objects.create(
            id=new_id(),
            machine=machine,
            key_id=parts.key_id,
            digest=digest(parts, key),
            pepper_id=pepper_id,
        )
        _tell(credential, "worker_credential.made")
    return credential, text


def revoke_worker_credential(*, credential: WorkerCredential) -> None:
    """From the next file on it opens nothing. Raises ``TooLate`` where it was revoked before."""
    standing = WorkerCredential.objects.filter(id=credential.id, revoked_at=None)
    with transaction.atomic():
        if not standing.update(revoked_at=CoreNow()):
            raise TooLate(_("This credential was revoked already."))
        _tell(credential, "worker_credential.revoked")


def _tell(credential: WorkerCredential, kind: str) -> None:
    facts: dict[str, Any] = {"machine": credential.machine, "key_id": credential.key_id}
    record(kind, subject=("worker_credential", credential.id), **facts)
    say(kind, subject=("worker_credential", credential.id), **facts)
