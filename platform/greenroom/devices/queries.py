"""Devices as who looks after them sees them, with what each renders now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.credentials.queries import Actor
from core.clock import now
from core.ids import shown
from generation.jobs.models import Attempt
from generation.placement.models import Device
from generation.placement.queries import device_for, devices_of
from generation.placement.rules import SEEN_WITHIN


@dataclass(frozen=True, slots=True)
class Now:
    """A job on a device. Never what was asked for: that is its tester's."""

    lane: str
    stage: str
    steps_done: int
    steps: int
    began_at: datetime


@dataclass(frozen=True, slots=True)
class ShownDevice:
    """``models`` are those placed on it, or those it is ready for where none was."""

    public_id: str
    device: Device
    is_seen: bool
    is_placed: bool
    models: list[str]
    renders: list[Now]


def shown_devices(actor: Actor) -> list[ShownDevice]:
    """Two queries more than the devices, however many there are."""
    return _shown(list(devices_of(actor)))


def shown_device(actor: Actor, shown_id: str) -> ShownDevice:
    return _shown([device_for(actor, shown_id)])[0]


def _shown(devices: list[Device]) -> list[ShownDevice]:
    moment = now()
    renders = _rendering([device.id for device in devices])
    return [
        ShownDevice(
            public_id=shown("device", device.id),
            device=device,
            is_seen=device.seen_at > moment - SEEN_WITHIN,
            is_placed=bool(device.placements.all()),
            models=_models(device),
            renders=renders.get(device.id, []),
        )
        for device in devices
    ]


def _models(device: Device) -> list[str]:
    placed = [f"{one.slug}:{one.tier}" if one.tier else one.slug for one in device.placements.all()]
    return placed or sorted({lane.partition(":")[0] for lane in device.lanes})


def _rendering(device_ids: list[UUID]) -> dict[UUID | None, list[Now]]:
    found: dict[UUID | None, list[Now]] = {}
    running = Attempt.objects.filter(on_device_id__in=device_ids, ended_at=None)
    for one in running.select_related("job").order_by("began_at", "id"):
        job = one.job
        found.setdefault(one.on_device_id, []).append(
            Now(job.lane, job.stage, job.steps_done, job.steps, one.began_at)
        )
    return found
