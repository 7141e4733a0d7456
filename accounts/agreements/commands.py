from __future__ import annotations

import hashlib
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from accounts.agreements.models import Acceptance, AgreementVersion
from accounts.agreements.queries import agreement_in_force
from accounts.programmes.queries import membership_of
from core.audit.commands import record
from core.errors import Absent, TooLate
from core.outbox.commands import say


def publish_agreement(*, programme_id: UUID, text: str, summary: str) -> AgreementVersion:
    """Put the next version in force. Earlier acceptances stay on record, for their version."""
    with transaction.atomic():
        last = AgreementVersion.objects.filter(programme_id=programme_id).aggregate(
            number=Max("number")
        )["number"]
        version = AgreementVersion.objects.create(
            programme_id=programme_id,
            number=(last or 0) + 1,
            text=text,
            summary=summary,
            text_sha256=hashlib.sha256(text.encode()).hexdigest(),
        )
        record("agreement.published", subject=("agreement", version.id), number=version.number)
    return version


def answer_agreement(
    *,
    programme_id: UUID,
    party_id: UUID,
    number: int,
    act: Acceptance.Act,
    credential_id: UUID | None,
) -> Acceptance:
    """Accept or decline the version the person was shown.

    Raises ``TooLate`` when another version came into force meanwhile, ``Absent`` for a stranger.
    """
    if membership_of(programme_id, party_id) is None:
        raise Absent
    with transaction.atomic():
        version = agreement_in_force(programme_id)
        if version is None or version.number != number:
            raise TooLate(_("A newer version of the agreement is in force. Please read that one."))
        acceptance = Acceptance.objects.create(
            version=version, party_id=party_id, act=act, credential_id=credential_id
        )
        record(
            f"agreement.{act}",
            subject=("agreement", version.id),
            actor=party_id,
            credential=credential_id,
        )
        say(f"agreement.{act}", subject=("agreement", version.id), party=party_id)
    return acceptance
