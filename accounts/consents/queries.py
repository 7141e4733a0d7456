from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import connection

from accounts.consents.models import ConsentAct, ConsentVersion
from accounts.consents.rules import Purpose
from accounts.credentials.queries import Actor
from core.errors import Absent
from core.ids import read_id


@dataclass(frozen=True, slots=True)
class Consent:
    """How somebody stands to one purpose.

    ``version`` is what the programme asks now, None where it never said. ``act`` is their last
    word for the whole programme, ``clips`` the last word on each clip of theirs that has its own.
    """

    purpose: Purpose
    version: ConsentVersion | None
    act: ConsentAct | None
    clips: dict[UUID, ConsentAct] = field(default_factory=dict)

    @property
    def is_given(self) -> bool:
        return self.act is not None and is_yes(self.act)

    @property
    def is_asked(self) -> bool:
        return self.version is not None and self.version.is_asked

    @property
    def since(self) -> datetime | None:
        return self.act.at if self.act else None

    def for_clip(self, clip_id: UUID) -> ConsentAct | None:
        """What counts for this clip: its own last word, else the one for the programme."""
        return self.clips.get(clip_id, self.act)


def is_yes(act: ConsentAct) -> bool:
    return act.deed == ConsentAct.Deed.GRANTED


def consents_in_force(programme_id: UUID) -> dict[Purpose, ConsentVersion]:
    """The newest words for each purpose that the programme ever published any for."""
    newest = (
        ConsentVersion.objects.filter(programme_id=programme_id)
        .order_by("purpose", "-number")
        .distinct("purpose")
    )
    return {Purpose(version.purpose): version for version in newest}


def consents_of(programme_id: UUID, party_id: UUID) -> list[Consent]:
    """All four purposes, in their order, with every clip that has a word of its own."""
    versions = consents_in_force(programme_id)
    standing: dict[tuple[str, UUID | None], ConsentAct] = {
        (act.purpose, act.clip_id): act for act in _last_acts(programme_id, party_id)
    }
    return [
        Consent(
            purpose=purpose,
            version=versions.get(purpose),
            act=standing.get((purpose, None)),
            clips={
                clip_id: act
                for (of, clip_id), act in standing.items()
                if of == purpose and clip_id is not None
            },
        )
        for purpose in Purpose
    ]


def last_act(
    programme_id: UUID, party_id: UUID, purpose: Purpose, clip_id: UUID | None
) -> ConsentAct | None:
    """The last word for exactly this: one clip, or the programme as a whole."""
    return (
        ConsentAct.objects.filter(
            programme_id=programme_id, party_id=party_id, purpose=purpose, clip_id=clip_id
        )
        .order_by("-at", "-id")
        .first()
    )


def is_consented(
    *, programme_id: UUID, party_id: UUID, purpose: Purpose, clip_id: UUID | None = None
) -> bool:
    """Whether they consent now: the last word on this clip, else on the programme, else no.

    Whoever is about to use something asks here, each time.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT consent_given(%s, %s, %s, %s)", [programme_id, party_id, str(purpose), clip_id]
        )
        (given,) = cursor.fetchone()
    return bool(given)


def consent_acts_of(actor: Actor) -> list[ConsentAct]:
    """Everything the actor ever granted or took back in this programme, the newest first."""
    acts = ConsentAct.objects.filter(programme_id=actor.programme, party_id=actor.party_id)
    return list(acts.select_related("version").order_by("-at", "-id"))


def consent_act_for(actor: Actor, shown_id: str) -> ConsentAct:
    """One of the actor's own. Raises ``Absent`` for everybody else's."""
    act_id = read_id("consent_act", shown_id)
    acts = ConsentAct.objects.filter(programme_id=actor.programme, party_id=actor.party_id)
    act = acts.select_related("version").filter(id=act_id).first() if act_id else None
    if act is None:
        raise Absent
    return act


def _last_acts(programme_id: UUID, party_id: UUID) -> list[ConsentAct]:
    return list(
        ConsentAct.objects.filter(programme_id=programme_id, party_id=party_id)
        .select_related("version")
        .order_by("purpose", "clip_id", "-at", "-id")
        .distinct("purpose", "clip_id")
    )
