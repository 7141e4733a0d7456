from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.agreements.models import Acceptance, AgreementVersion, AgreementView
from accounts.agreements.queries import act_for, agreement_in_force, viewed_at
from accounts.credentials.commands import lock_live_credential
from accounts.credentials.queries import Actor, way_of_sign_in
from accounts.programmes.commands import ChangedMeanwhile, lock_programme
from accounts.programmes.models import Role
from accounts.programmes.queries import membership_of, name_at, roles_in
from accounts.programmes.rules import differences
from core.audit.commands import record
from core.clock import in_utc, must_be_in_range, now
from core.errors import Absent, InvalidOrder, TooLate
from core.ids import shown
from core.outbox.commands import say
from core.seal.commands import sign
from core.text import is_readable, with_plain_breaks

LONGEST_TEXT = 200_000
LONGEST_SUMMARY = 20_000
FIELDS = ("text", "summary", "changes", "answer_by")


class NotViewed(TooLate):
    """An answer to a version that was never on the screen of who gives it."""

    code = "agreement_not_viewed"

    def __init__(self) -> None:
        super().__init__(_("Please read this version of the agreement first, then answer."))


def publish_agreement(
    *,
    programme_id: UUID,
    text: str,
    summary: str,
    changes: str = "",
    answer_by: datetime | None = None,
    seen: int | None = None,
    actor: UUID | None = None,
) -> AgreementVersion:
    """Put the next version in force. Earlier acceptances stay on record, for their version.

    ``seen`` is the number the writer had before them. Raises ``ChangedMeanwhile`` where another
    came in between, ``InvalidOrder`` for what nobody could read or answer.
    """
    text, summary = with_plain_breaks(text), with_plain_breaks(summary)
    _must_be_readable(text=text, summary=summary, changes=changes)
    must_be_in_range(answer_by, field="answer_by")
    with transaction.atomic():
        lock_programme(programme_id)
        last = agreement_in_force(programme_id)
        number = last.number if last else 0
        if seen is not None and seen != number:
            before = AgreementVersion.objects.filter(programme_id=programme_id, number=seen).first()
            raise ChangedMeanwhile(number, differences(before, last, FIELDS))
        if answer_by is not None and answer_by <= now():
            raise InvalidOrder(
                "answer_by_past",
                _("Ask for an answer by a day that is to come."),
                field="answer_by",
            )
        version = AgreementVersion.objects.create(
            programme_id=programme_id,
            number=number + 1,
            text=text,
            summary=summary,
            text_sha256=hashlib.sha256(text.encode()).hexdigest(),
            changes=with_plain_breaks(changes).strip(),
            answer_by=answer_by,
            published_by_id=actor,
        )
        facts: dict[str, Any] = {"programme": str(programme_id), "number": version.number}
        record("agreement.published", subject=("agreement", version.id), actor=actor, **facts)
        without = str(actor) if actor else None
        say("agreement.published", subject=("agreement", version.id), without=without, **facts)
    return version


def note_view(*, version: AgreementVersion, party_id: UUID) -> None:
    """Somebody has it on their screen. The first time is kept; looking again changes nothing."""
    AgreementView.objects.bulk_create(
        [AgreementView(version=version, party_id=party_id)], ignore_conflicts=True
    )


def answer_agreement(
    *,
    programme_id: UUID,
    party_id: UUID,
    number: int,
    act: Acceptance.Act,
    credential_id: UUID | None,
) -> Acceptance:
    """Accept or decline the version the person was shown.

    Without a credential it is written at the machine, for somebody who answered elsewhere. Raises
    ``TooLate`` when another version came into force meanwhile, ``NotViewed`` when they never had
    this one before them, ``Absent`` for a stranger and for a yes of somebody who is no tester.
    """
    if membership_of(programme_id, party_id) is None:
        raise Absent
    with transaction.atomic():
        if credential_id is not None:
            lock_live_credential(credential_id)
            is_yes = act == Acceptance.Act.ACCEPTED
            if is_yes and Role.TESTER not in roles_in(programme_id, party_id):
                raise Absent
        version = agreement_in_force(programme_id)
        if version is None or version.number != number:
            raise TooLate(_("A newer version of the agreement is in force. Please read that one."))
        if credential_id is not None and viewed_at(version.id, party_id) is None:
            raise NotViewed
        acceptance = Acceptance.objects.create(
            version=version, party_id=party_id, act=act, credential_id=credential_id
        )
        record(
            f"agreement.{act}",
            subject=("agreement", version.id),
            actor=party_id,
            credential=credential_id,
            number=number,
        )
        say(f"agreement.{act}", subject=("agreement", version.id), party=party_id)
    return acceptance


def issue_receipt(*, actor: Actor, acceptance_id: str) -> dict[str, Any]:
    """What the actor said to which text and when, whole and signed, for them to keep.

    It verifies without this house: ``docs/verify_receipt.py``. Raises ``Absent`` for an act of
    somebody else's.
    """
    act = act_for(actor, acceptance_id)
    version = act.version
    viewed = viewed_at(version.id, act.party_id)
    return sign(
        {
            "kind": "agreement.receipt",
            "format": 1,
            "issuer": settings.PUBLIC_ADDRESS,
            "programme": {
                "id": shown("programme", version.programme_id),
                "name": name_at(version.programme_id, act.at),
            },
            "party": shown("party", act.party_id),
            "agreement": {
                "id": shown("agreement", version.id),
                "number": version.number,
                "published_at": in_utc(version.published_at),
                "text": version.text,
                "text_sha256": version.text_sha256,
                "summary": version.summary,
                "summary_sha256": hashlib.sha256(version.summary.encode()).hexdigest(),
            },
            "act": {
                "id": shown("acceptance", act.id),
                "act": act.act,
                "at": in_utc(act.at),
                "viewed_at": in_utc(viewed) if viewed and viewed <= act.at else None,
                "signed_in_by": way_of_sign_in(act.credential_id) or "machine",
            },
        }
    )


def _must_be_readable(*, text: str, summary: str, changes: str) -> None:
    texts = {"text": text, "summary": summary, "changes": changes}
    for field, words in texts.items():
        most = LONGEST_TEXT if field == "text" else LONGEST_SUMMARY
        if not is_readable(words, lines=True) or len(words) > most:
            raise InvalidOrder(
                "words_invalid",
                _("Write plain text without control characters, of %(most)s signs at most.")
                % {"most": most},
                field=field,
            )
    if not text.strip():
        raise InvalidOrder("words_missing", _("An agreement has a text."), field="text")
