from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.credentials.commands import lock_live_credential
from accounts.credentials.queries import Actor
from core.audit.commands import record
from core.clock import now
from core.errors import InvalidOrder
from core.outbox.commands import say
from generation.clips.models import Clip, Viewing
from generation.clips.queries import clip_to_view
from generation.clips.rules import VIEWING_LASTS, Why


def say_why(*, actor: Actor, shown_id: str, why: str) -> Viewing:
    """Staff say why they open somebody else's clip; it counts for half an hour.

    Raises ``Absent`` for whoever may not look, ``InvalidOrder`` for a reason off the list.
    """
    actor.must_carry("clips:read")
    clip, role = clip_to_view(actor, shown_id)
    if why not in Why.values:
        raise InvalidOrder("why_unknown", _("Choose one of the reasons."), field="why")
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        return _begin_viewing(clip, actor.party_id, actor.credential_id, role, why)


def keep_viewing(
    *, clip: Clip, viewer_id: UUID, credential_id: UUID, role: str, why: str, at_least: timedelta
) -> None:
    """See to it that a viewing for this reason counts for so long at least.

    Belongs to the transaction of the deed that is the reason (a reviewer takes a case).
    """
    standing = Viewing.objects.filter(
        clip=clip, viewer_id=viewer_id, role=role, why=why, until__gte=now() + at_least
    )
    if not standing.exists():
        _begin_viewing(clip, viewer_id, credential_id, role, why)


def _begin_viewing(
    clip: Clip, viewer_id: UUID, credential_id: UUID, role: str, why: str
) -> Viewing:
    moment = now()
    viewing = Viewing.objects.create(
        clip=clip, viewer_id=viewer_id, role=role, why=why, at=moment, until=moment + VIEWING_LASTS
    )
    facts = {"role": role, "why": why}
    record(
        "viewing.begun",
        subject=("clip", clip.id),
        actor=viewer_id,
        credential=credential_id,
        **facts,
    )
    say("viewing.begun", subject=("clip", clip.id), party=clip.party_id, **facts)
    return viewing
