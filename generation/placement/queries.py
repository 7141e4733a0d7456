from __future__ import annotations

from uuid import UUID

from django.db import connection
from django.db.models import Prefetch, QuerySet

from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope
from core.errors import Absent
from core.ids import read_id
from generation.placement.models import Device, Placement


def devices_of(actor: Actor) -> QuerySet[Device]:
    """All of this installation, for who looks after it."""
    actor.must_act(Scope.DEVICES_READ)
    return devices()


def devices() -> QuerySet[Device]:
    placements = Placement.objects.order_by("slug", "tier")
    return Device.objects.prefetch_related(Prefetch("placements", queryset=placements)).order_by(
        "machine", "name"
    )


def device_for(actor: Actor, shown_id: str) -> Device:
    device_id = read_id("device", shown_id)
    found = devices_of(actor).filter(id=device_id).first() if device_id else None
    if found is None:
        raise Absent
    return found


def placements_on(machine: str, name: str) -> list[tuple[str, str]]:
    """Model and tier of each; none where nothing was placed on it, or nobody announced it."""
    there = Placement.objects.filter(device__machine=machine, device__name=name)
    return list(there.values_list("slug", "tier"))


def warm_model_on(machine: str, name: str) -> str | None:
    """The slug of the model that is to be loaded before a job asks for it."""
    warm = Placement.objects.filter(device__machine=machine, device__name=name, is_warm=True)
    return warm.values_list("slug", flat=True).first()


def is_fresh(machine: str, name: str, lanes: list[str], slots: int) -> UUID | None:
    """Its id, where it was announced so less than half a minute ago."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM generation_device WHERE machine = %s AND name = %s"
            " AND lanes = %s::varchar[] AND slots = %s"
            " AND seen_at > core_now() - interval '30 seconds'",
            [machine, name, lanes, slots],
        )
        row = cursor.fetchone()
    return row[0] if row else None
