"""Devices over the native API, for managers and administrators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.urls import path
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.commands import in_charge
from accounts.credentials.rules import Scope
from core.api import Endpoint, PublicId, Shape, Text, Whole, operation
from generation.placement.commands import drain_device, serve_device
from generation.placement.queries import device_for
from greenroom.devices.queries import ShownDevice, shown_device, shown_devices


class RendersShown(Shape):
    lane = Text()
    stage = Text()
    steps_done = Whole()
    steps = Whole()
    began_at = serializers.DateTimeField()


class DeviceShown(Shape):
    id = PublicId("device")
    machine = Text()
    name = Text()
    hardware = Text(help_text=_("What its worker says it is; empty where it cannot tell."))
    memory_bytes = Whole(allow_null=True)
    slots = Whole(help_text=_("How many jobs it has in hand at once."))
    state = Text(help_text=_("serving, draining or out."))
    out_reason = Text(help_text=_("The code of the last death, where three took it out."))
    deaths_in_a_row = Whole(help_text=_("Attempts lost there since the last finished one."))
    models = serializers.ListField(
        child=Text(), help_text=_("Those placed on it, or all that are ready where none is.")
    )
    is_seen = serializers.BooleanField(help_text=_("Whether its worker was there just now."))
    seen_at = serializers.DateTimeField()
    renders = RendersShown(many=True)


class Devices(Endpoint):
    @operation(
        scope=Scope.DEVICES_READ,
        summary=_("Devices that render"),
        words=_("All of this installation, for its managers and administrators."),
        answers=DeviceShown,
        is_list=True,
        refuses=(404,),
    )
    def get(self, _request: Request) -> Response:
        return self.answer({"items": [_shown(o) for o in shown_devices(self.actor)], "next": None})


class OneDevice(Endpoint):
    @operation(
        scope=Scope.DEVICES_READ,
        summary=_("One device"),
        answers=DeviceShown,
        refuses=(404,),
    )
    def get(self, _request: Request, device: str) -> Response:
        return self.answer(_shown(shown_device(self.actor, device)))


class _Deed(Endpoint):
    deed: ClassVar[Callable[..., None]]

    def done(self, device: str) -> Response:
        found = device_for(self.actor, device)
        with in_charge(self.actor, Scope.DEVICES_WRITE, None) as by:
            type(self).deed(device=found, actor=by)
        return self.answer(_shown(shown_device(self.actor, device)))


class Draining(_Deed):
    deed = staticmethod(drain_device)

    @operation(
        scope=Scope.DEVICES_WRITE,
        summary=_("Drain a device"),
        words=_("It finishes what it renders and takes nothing new."),
        answers=DeviceShown,
        refuses=(404, 409),
    )
    def post(self, _request: Request, device: str) -> Response:
        return self.done(device)


class Serving(_Deed):
    deed = staticmethod(serve_device)

    @operation(
        scope=Scope.DEVICES_WRITE,
        summary=_("Let a device serve again"),
        words=_("After it was drained, or after three deaths took it out; they are forgotten."),
        answers=DeviceShown,
        refuses=(404,),
    )
    def post(self, _request: Request, device: str) -> Response:
        return self.done(device)


def _shown(one: ShownDevice) -> dict[str, Any]:
    device = one.device
    facts = {
        "id": device.id,
        "machine": device.machine,
        "name": device.name,
        "hardware": device.label,
        "memory_bytes": device.memory_bytes,
        "slots": device.slots,
        "state": device.state,
        "out_reason": device.out_reason,
        "deaths_in_a_row": device.deaths_in_a_row,
        "models": one.models,
        "is_seen": one.is_seen,
        "seen_at": device.seen_at,
        "renders": one.renders,
    }
    return dict(DeviceShown(facts).data)


urlpatterns = [
    path("devices", Devices.as_view(), name="api-devices"),
    path("devices/<str:device>", OneDevice.as_view(), name="api-device"),
    path("devices/<str:device>/drain", Draining.as_view(), name="api-device-drain"),
    path("devices/<str:device>/serve", Serving.as_view(), name="api-device-serve"),
]
