"""The public keys that sign receipts: for people, and for programs at a well-known address."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from core.errors import Absent
from core.seal.queries import shown_key, signing_keys
from greenroom.checkout import CHECKOUT

VERIFIER = CHECKOUT / "docs/verify_receipt.py"


@require_safe
def keys_page(request: HttpRequest) -> HttpResponse:
    return render(
        request,
        "portal/public/keys.html",
        {"keys": [{**shown_key(key), "at": key.first_used_at} for key in signing_keys()]},
    )


@require_safe
def keys_listed(_request: HttpRequest) -> HttpResponse:
    """Every key that ever signed here, so that old receipts verify."""
    return JsonResponse({"keys": [shown_key(key) for key in signing_keys()]})


@require_safe
def verifier(_request: HttpRequest) -> HttpResponse:
    """The program that verifies without this house; readable, since one should read it first."""
    if not VERIFIER.is_file():
        raise Absent
    return HttpResponse(VERIFIER.read_text(), content_type="text/plain; charset=utf-8")


urlpatterns = [
    path("keys", keys_page, name="keys"),
    path("keys/verify_receipt.py", verifier, name="receipt-verifier"),
    path(".well-known/greenroom-keys.json", keys_listed, name="keys-listed"),
]
