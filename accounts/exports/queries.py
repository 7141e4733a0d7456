from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from accounts.credentials.queries import Actor
from accounts.exports.models import Export
from core.clock import CoreNow
from core.errors import Absent
from core.ids import read_id


def exports_of(actor: Actor) -> QuerySet[Export]:
    """The actor's own, newest first. Of no programme: an archive holds all of a person."""
    return Export.objects.filter(party_id=actor.party_id).order_by("-asked_at", "-id")


def export_for(actor: Actor, shown_id: str) -> Export:
    """The actor's own. Raises ``Absent`` for everybody else's."""
    export_id = read_id("export", shown_id)
    found = exports_of(actor).filter(id=export_id).first() if export_id else None
    if found is None:
        raise Absent
    return found


def files_to_delete() -> QuerySet[Export]:
    """Those whose time is up."""
    return Export.objects.filter(state=Export.State.READY, expires_at__lte=CoreNow())


def exports_with_files() -> set[UUID]:
    """Those that have a file, or may be having one made at this moment."""
    living = Export.objects.filter(state__in=[Export.State.ASKED, Export.State.READY])
    return set(living.values_list("id", flat=True))
