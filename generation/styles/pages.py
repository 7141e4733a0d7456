"""The room of the styles: what is offered, what each fits, under which licence."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from accounts.credentials.doors import PortalRequest, only_for
from accounts.programmes.models import Role
from accounts.programmes.rules import ADMINISTRATOR
from generation.styles.queries import styles_known


@require_GET
@only_for(Role.MANAGER, ADMINISTRATOR)
def styles_page(request: PortalRequest) -> HttpResponse:
    return render(request, "generation/styles/styles.html", {"styles": styles_known()})


urlpatterns = [path("styles", styles_page, name="styles")]
