"""The room of the devices: which serve, which were taken out and why, and the two buttons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.credentials.commands import in_charge
from accounts.credentials.doors import PortalRequest, only_for
from accounts.credentials.rules import Scope
from accounts.programmes.models import Role
from accounts.programmes.rules import ADMINISTRATOR
from core.errors import Refusal
from generation.jobs.words import failure_sentence
from generation.placement.commands import drain_device, serve_device
from generation.placement.queries import device_for
from greenroom.devices.queries import shown_devices


@require_GET
@only_for(Role.MANAGER, ADMINISTRATOR)
def devices_page(request: PortalRequest) -> HttpResponse:
    return _show(request)


@require_POST
@only_for(Role.MANAGER, ADMINISTRATOR)
def drain(request: PortalRequest, device: str) -> HttpResponse:
    return _done(request, device, drain_device, _("It finishes what it renders, and then rests."))


@require_POST
@only_for(Role.MANAGER, ADMINISTRATOR)
def serve(request: PortalRequest, device: str) -> HttpResponse:
    return _done(request, device, serve_device, _("It takes jobs again."))


def _done(
    request: PortalRequest, shown_id: str, deed: Callable[..., None], said: str
) -> HttpResponse:
    device = device_for(request.actor, shown_id)
    try:
        with in_charge(request.actor, Scope.DEVICES_WRITE, None) as by:
            deed(device=device, actor=by)
    except Refusal as refusal:
        return _show(request, refusal)
    messages.success(request, said)
    return redirect("devices")


def _show(request: PortalRequest, refusal: Refusal | None = None) -> HttpResponse:
    lines: list[dict[str, Any]] = [
        {"shown": one, "why": failure_sentence(one.device.out_reason)}
        for one in shown_devices(request.actor)
    ]
    context = {"lines": lines, "refusal": refusal}
    status = refusal.http_status if refusal else 200
    return render(request, "greenroom/devices/devices.html", context, status=status)


urlpatterns = [
    path("devices", devices_page, name="devices"),
    path("devices/<str:device>/drain", drain, name="drain-device"),
    path("devices/<str:device>/serve", serve, name="serve-device"),
]
