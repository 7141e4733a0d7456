"""What a programme asks for, and what its people grant and take back."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.consents.models import ConsentAct, ConsentVersion
from accounts.consents.queries import consent_act_for, consents_in_force, last_act
from accounts.consents.rules import Purpose
from accounts.credentials.commands import lock_live_credential
from accounts.credentials.queries import Actor, way_of_sign_in
from accounts.credentials.rules import CONSENTS_ANSWER
from accounts.programmes.commands import ChangedMeanwhile, lock_programme
from accounts.programmes.queries import membership_of, name_at
from accounts.programmes.rules import differences
from core.audit.commands import record
from core.clock import in_utc
from core.errors import Absent, InvalidOrder, TooLate
from core.ids import shown
from core.outbox.commands import say
from core.seal.commands import sign
from core.text import is_readable, with_plain_breaks

LONGEST_WORDS = 4_000
FIELDS = ("is_asked", "words")


class ConsentNotAsked(TooLate):
    """The programme does not ask for this, or asks no more."""

    code = "consent_not_asked"

    def __init__(self) -> None:
        super().__init__(_("The programme does not ask for this consent. Nothing was changed."))


def publish_consent(
    *,
    programme_id: UUID,
    purpose: Purpose,
    is_asked: bool,
    words: str,
    seen: int | None = None,
    actor: UUID | None = None,
) -> ConsentVersion:
    """Say what the programme asks for under this purpose, or that it asks for nothing.

    What was granted before stands for the words it was granted to. Raises ``ChangedMeanwhile``
    where another version came in between, ``InvalidOrder`` for words that cannot be read.
    """
    words = with_plain_breaks(words).strip()
    _must_be_readable(words, is_asked=is_asked)
    with transaction.atomic():
        lock_programme(programme_id)
        last = consents_in_force(programme_id).get(purpose)
        number = last.number if last else 0
        if seen is not None and seen != number:
            versions = ConsentVersion.objects.filter(programme_id=programme_id, purpose=purpose)
            before = versions.filter(number=seen).first()
            raise ChangedMeanwhile(number, differences(before, last, FIELDS))
        version = ConsentVersion.objects.create(
            programme_id=programme_id,
            purpose=purpose,
            number=number + 1,
            is_asked=is_asked,
            words=words,
            published_by_id=actor,
        )
        record(
            "consent.published",
            subject=("consent", version.id),
            actor=actor,
            purpose=str(purpose),
            number=version.number,
            is_asked=is_asked,
        )
        if is_asked:
            say(
                "consent.published",
                subject=("consent", version.id),
                programme=str(programme_id),
                purpose=str(purpose),
                without=str(actor) if actor else None,
            )
    return version


def grant_consent(*, actor: Actor, purpose: Purpose, clip_id: UUID | None = None) -> ConsentAct:
    """Say yes to the words in force: for everything in the programme, or for one's own clip.

    The caller has found the clip as the actor's own; the database knows no other. Granting twice
    is one act. Raises ``ConsentNotAsked`` for what the programme does not ask.
    """
    actor.must_carry(CONSENTS_ANSWER)
    if membership_of(actor.programme, actor.party_id) is None:
        raise Absent
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        version = consents_in_force(actor.programme).get(purpose)
        if version is None or not version.is_asked:
            raise ConsentNotAsked
        last = last_act(actor.programme, actor.party_id, purpose, clip_id)
        is_granted = last is not None and last.deed == ConsentAct.Deed.GRANTED
        if last and is_granted and last.version_id == version.id:
            return last
        act = _act(actor, version, ConsentAct.Deed.GRANTED, clip_id)
        _tell("consent.granted", act, actor)
    return act


def revoke_consent(*, actor: Actor, purpose: Purpose, clip_id: UUID | None = None) -> ConsentAct:
    """Say no, or take a yes back. It counts from now on; what was done and paid stays as it was.

    Saying no twice is one act. Raises ``ConsentNotAsked`` where the programme never asked.
    """
    actor.must_carry(CONSENTS_ANSWER)
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        version = consents_in_force(actor.programme).get(purpose)
        if version is None:
            raise ConsentNotAsked
        last = last_act(actor.programme, actor.party_id, purpose, clip_id)
        if last and last.deed == ConsentAct.Deed.REVOKED:
            return last
        act = _act(actor, version, ConsentAct.Deed.REVOKED, clip_id)
        _tell("consent.revoked", act, actor)
    return act


def issue_consent_receipt(*, actor: Actor, act_id: str) -> dict[str, Any]:
    """What the actor granted or took back, for which words and when, signed, for them to keep.

    It verifies as the receipt of an agreement does. Raises ``Absent`` for somebody else's.
    """
    act = consent_act_for(actor, act_id)
    version = act.version
    return sign(
        {
            "kind": "consent.receipt",
            "format": 1,
            "issuer": settings.PUBLIC_ADDRESS,
            "programme": {
                "id": shown("programme", act.programme_id),
                "name": name_at(act.programme_id, act.at),
            },
            "party": shown("party", act.party_id),
            "consent": {
                "id": shown("consent", version.id),
                "purpose": act.purpose,
                "number": version.number,
                "published_at": in_utc(version.published_at),
                "is_asked": version.is_asked,
                "words": version.words,
                "words_sha256": hashlib.sha256(version.words.encode()).hexdigest(),
            },
            "act": {
                "id": shown("consent_act", act.id),
                "act": act.deed,
                "clip": shown("clip", act.clip_id) if act.clip_id else None,
                "at": in_utc(act.at),
                "signed_in_by": way_of_sign_in(act.credential_id) or "machine",
            },
        }
    )


def _act(
    actor: Actor, version: ConsentVersion, deed: ConsentAct.Deed, clip_id: UUID | None
) -> ConsentAct:
    return ConsentAct.objects.create(
        version=version,
        programme_id=version.programme_id,
        purpose=version.purpose,
        party_id=actor.party_id,
        clip_id=clip_id,
        deed=deed,
        credential_id=actor.credential_id,
    )


def _tell(kind: str, act: ConsentAct, actor: Actor) -> None:
    facts: dict[str, Any] = {"purpose": act.purpose, "programme": str(act.programme_id)}
    if act.clip_id:
        facts["clip"] = str(act.clip_id)
    record(
        kind,
        subject=("consent_act", act.id),
        actor=actor.party_id,
        credential=actor.credential_id,
        **facts,
    )
    say(kind, subject=("consent_act", act.id), party=actor.party_id, **facts)


def _must_be_readable(words: str, *, is_asked: bool) -> None:
    if not is_readable(words, lines=True) or len(words) > LONGEST_WORDS:
        raise InvalidOrder(
            "words_invalid",
            _("Write plain text without control characters, of %(most)s signs at most.")
            % {"most": LONGEST_WORDS},
            field="words",
        )
    if is_asked and not words:
        raise InvalidOrder(
            "words_missing", _("Say in your own words what you ask for."), field="words"
        )
