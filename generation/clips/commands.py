from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.credentials.commands import lock_live_credential
from accounts.credentials.queries import Actor
from core.audit.commands import record
from core.clock import now
from core.errors import InvalidOrder
from core.outbox.commands import say
from generation.clips.models import Viewing
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
        moment = now()
        viewing = Viewing.objects.create(
            clip=clip,
            viewer_id=actor.party_id,
            role=role,
            why=why,
            at=moment,
            until=moment + VIEWING_LASTS,
        )
        facts = {"role": role, "why": why}
        record(
            "viewing.begun",
            subject=("clip", clip.id),
            actor=actor.party_id,
            credential=actor.credential_id,
            **facts,
        )
        say("viewing.begun", subject=("clip", clip.id), party=clip.party_id, **facts)
    return viewing
