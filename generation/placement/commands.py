"""What is done with devices: announced by their workers, drained and served by people, taken out
after three deaths in a row."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core.audit.commands import record
from core.clock import now
from core.errors import InvalidOrder, TooLate
from core.outbox.commands import say
from core.states import advance
from generation.catalogue.models import VideoModel
from generation.placement.models import Device, Placement
from generation.placement.queries import is_fresh
from generation.placement.rules import DEATHS, EVERY_TIER, MOVES, SEEN_EVERY, DeviceState, Move


def announce_device(
    *,
    machine: str,
    name: str,
    lanes: list[str],
    slots: int = 1,
    label: str = "",
    memory_bytes: int | None = None,
) -> UUID:
    """Its worker is there and serves these lanes. Never touches what people decided about it.

    Often called; written at most every half a minute, or when something changed.
    """
    known = is_fresh(machine, name, lanes, slots)
    if known is not None:
        return known
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO generation_device AS d (id, machine, name, label, memory_bytes, slots,"
            " lanes, state, deaths_in_a_row, out_reason)"
            " VALUES (core_new_id(), %s, %s, %s, %s, %s, %s::varchar[], 'serving', 0, '')"
            " ON CONFLICT (machine, name) DO UPDATE"
            " SET seen_at = core_now(), lanes = excluded.lanes,"
            " slots = excluded.slots, label = coalesce(nullif(excluded.label, ''), d.label),"
            " memory_bytes = coalesce(excluded.memory_bytes, d.memory_bytes)"
            " RETURNING id",
            [machine, name, label, memory_bytes, slots, lanes],
        )
        found: UUID = cursor.fetchone()[0]
    return found


def see_device(device_id: UUID) -> None:
    """Its worker is busy, and well: it announces nothing meanwhile."""
    moment = now()
    Device.objects.filter(id=device_id, seen_at__lt=moment - SEEN_EVERY).update(seen_at=moment)


def drain_device(*, device: Device, actor: UUID | None = None) -> None:
    """It finishes what it renders and takes nothing new. Raises ``TooLate`` where it is out.

    Waits for claims that are being made: once this is committed, none can follow.
    """
    with transaction.atomic():
        if not advance(_one(device), MOVES, Move.DRAIN, seen=DeviceState.SERVING):
            if _state_of(device) == DeviceState.DRAINING:
                return
            raise TooLate(_("This device is out of service already; it takes nothing new."))
        _tell(device.id, "device.drained", actor)


def serve_device(*, device: Device, actor: UUID | None = None) -> None:
    """It takes jobs again, and its deaths are forgotten. Serving twice is fine."""
    with transaction.atomic():
        seen = DeviceState(_one(device).select_for_update(no_key=True).get().state)
        if seen is DeviceState.SERVING:
            return
        advance(_one(device), MOVES, Move.SERVE, seen=seen, deaths_in_a_row=0, out_reason="")
        _tell(device.id, "device.served", actor)


def place_model(*, device: Device, slug: str, tier: str = EVERY_TIER, is_warm: bool) -> None:
    """This model, or one tier of it, lives there from now on; the one warm before it is so no more.

    Raises ``InvalidOrder`` for a model or tier that nobody knows.
    """
    known = VideoModel.objects.filter(slug=slug)
    if tier:
        known = known.filter(prices__tier=tier)
    if not known.exists():
        raise InvalidOrder(
            "model_unknown",
            _("There is no model of this name and tier: %(slug)s %(tier)s.")
            % {"slug": slug, "tier": tier},
            field="model",
        )
    with transaction.atomic():
        _one(device).select_for_update(no_key=True).get()
        Placement.objects.filter(device=device, slug=slug, tier=tier).delete()
        if is_warm:
            Placement.objects.filter(device=device, is_warm=True).update(is_warm=False)
        Placement.objects.create(device=device, slug=slug, tier=tier, is_warm=is_warm)
        _tell(device.id, "device.placed", None, model=slug, tier=tier)


def unplace_model(*, device: Device, slug: str, tier: str = EVERY_TIER) -> None:
    """Raises ``InvalidOrder`` where it was not placed there."""
    with transaction.atomic():
        _one(device).select_for_update(no_key=True).get()
        gone, _each = Placement.objects.filter(device=device, slug=slug, tier=tier).delete()
        if not gone:
            raise InvalidOrder(
                "model_not_placed", _("This model is not placed on this device."), field="model"
            )
        _tell(device.id, "device.unplaced", None, model=slug, tier=tier)


def count_death(device_id: UUID, code: str) -> None:
    """An attempt on it was lost by a death or a stall; the third in a row takes it out.

    Inside the transaction that loses the attempt, after its job and before its reservation.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE generation_device SET deaths_in_a_row = deaths_in_a_row + 1,"
            " state = CASE WHEN deaths_in_a_row + 1 >= %s THEN 'out' ELSE state END,"
            " out_reason = CASE WHEN state = 'out' THEN out_reason"
            "   WHEN deaths_in_a_row + 1 >= %s THEN %s ELSE '' END"
            " WHERE id = %s RETURNING deaths_in_a_row, machine, name",
            [DEATHS, DEATHS, code, device_id],
        )
        deaths, machine, name = cursor.fetchone()
    if deaths == DEATHS:
        _tell(device_id, "device.out", None, machine=machine, device=name, code=code)


def count_success(device_id: UUID) -> None:
    """A clip was finished on it. Touches nothing, and locks nothing, where there is no death."""
    alive = Device.objects.filter(id=device_id, deaths_in_a_row__gt=0)
    alive.exclude(state=DeviceState.OUT).update(deaths_in_a_row=0)


def _one(device: Device) -> QuerySet[Device]:
    return Device.objects.filter(id=device.id)


def _state_of(device: Device) -> str:
    state: str = _one(device).values_list("state", flat=True).get()
    return state


def _tell(device_id: UUID, kind: str, actor: UUID | None, **facts: Any) -> None:
    record(kind, subject=("device", device_id), actor=actor, **facts)
    say(kind, subject=("device", device_id), **facts)
