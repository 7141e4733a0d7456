"""What joins conversations with clips, which belong to a floor above theirs."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from accounts.conversations.queries import may_answer
from accounts.credentials.queries import Actor
from core.errors import Absent
from core.ids import read_id
from generation.clips.models import Clip
from review.submissions.models import Case


def clip_to_talk_about(actor: Actor, shown_id: str) -> Clip:
    """A clip of the actor's own; for managers, any of the programme. ``Absent`` for all others."""
    clip_id = read_id("clip", shown_id)
    clips = Clip.objects.filter(programme_id=actor.programme)
    if not may_answer(actor):
        clips = clips.filter(party_id=actor.party_id)
    found = clips.filter(id=clip_id).first() if clip_id else None
    if found is None:
        raise Absent
    return found


def clips_of_conversations(clip_ids: Iterable[UUID | None]) -> dict[UUID, Clip]:
    """The clips that conversations are about. The caller has shown who may read those."""
    wanted = {each for each in clip_ids if each}
    return Clip.objects.in_bulk(wanted) if wanted else {}


def judged_now(clip_ids: Iterable[UUID | None]) -> set[UUID]:
    """Those about which a case is open: whoever may judge one does not hear whose it is."""
    wanted = {each for each in clip_ids if each}
    if not wanted:
        return set()
    return set(
        Case.objects.filter(chain_id__in=wanted, closed_at=None).values_list("chain_id", flat=True)
    )
