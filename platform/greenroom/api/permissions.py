from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.credentials.queries import Actor
from core.errors import Anonymous


class CarriesScope(BasePermission):
    """Somebody must be there, and carry what the method asks of them (``Endpoint.scope``)."""

    # DRF imports this file before its own views are there, so nothing here may import them.

    def has_permission(self, request: Request, view: Any) -> bool:
        actor: Actor | None = request.auth  # type: ignore[assignment]  # DRF's stubs expect a token
        if actor is None:
            raise Anonymous
        if view.scope is not None:
            actor.must_carry(view.scope)
        return True
