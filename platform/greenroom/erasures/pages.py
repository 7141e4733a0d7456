"""Leave for good: what goes, what stays, and the receipt, which needs no sign-in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from accounts.credentials.doors import PortalRequest, shown_again, signed_in
from accounts.erasures.models import Erasure
from accounts.erasures.queries import erasure_by_secret
from accounts.erasures.rules import done_by
from core.clock import now
from core.errors import Refusal
from core.ids import shown
from greenroom.erasures.commands import ask_erasure, issue_receipt
from greenroom.erasures.queries import kept_of, live_releases, open_payouts_to
from greenroom.erasures.rules import Releases
from greenroom.erasures.words import gone_sentences, shown_kept


class LeaveForm(forms.Form):
    releases = forms.ChoiceField(
        label=gettext_lazy("Your released clips"),
        choices=Releases.choices,
        initial=Releases.TAKEN_DOWN,
        widget=forms.RadioSelect,
    )
    address = forms.CharField(
        label=gettext_lazy("Type the address you sign in with"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )


@require_GET
@signed_in
def leave(request: PortalRequest) -> HttpResponse:
    """What it would do. Nothing is asked yet."""
    party_id = request.actor.party_id
    context = {
        "gone": gone_sentences(),
        "kept": shown_kept(kept_of(party_id, Releases.TAKEN_DOWN, now())),
        "has_releases": live_releases(party_id).exists(),
        "waits": open_payouts_to(party_id).exists(),
        "done_by": done_by(now()),
    }
    return render(request, "erasures/leave.html", context)


@require_http_methods(["GET", "POST"])
@signed_in
@shown_again
def confirm_leave(request: PortalRequest) -> HttpResponse:
    """Only within five minutes of showing once more who one is."""
    if request.method == "GET":
        return _ask(request, LeaveForm())
    form = LeaveForm(request.POST)
    if not form.is_valid():
        return _ask(request, form, status=422)
    try:
        return _leave(request, form.cleaned_data)
    except Refusal as refusal:
        if refusal.field in form.fields:
            form.add_error(refusal.field, refusal.sentence)
            return _ask(request, form, status=refusal.http_status)
        return _ask(request, form, refusal=refusal, status=refusal.http_status)


@require_safe
def receipt(request: HttpRequest, secret: str) -> HttpResponse:
    """For whoever has the link: the person behind it can sign in no more."""
    erasure = erasure_by_secret(secret)
    context = {**_receipt(erasure), "json_url": reverse("erasure-receipt", args=[secret])}
    return render(request, "erasures/receipt.html", context)


@require_safe
def receipt_json(request: HttpRequest, secret: str) -> HttpResponse:
    erasure = erasure_by_secret(secret)
    answer = JsonResponse(issue_receipt(erasure), json_dumps_params={"indent": 1})
    name = f"greenroom-{shown('erasure', erasure.id)}.json"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@sensitive_variables("secret")
def _leave(request: PortalRequest, wish: dict[str, Any]) -> HttpResponse:
    """The only page that ever holds the link."""
    erasure, secret = ask_erasure(
        party_id=request.actor.party_id,
        address=wish["address"],
        releases=Releases(wish["releases"]),
        actor=request.actor,
    )
    logout(request)
    # Nobody is signed in any more, so that this page says nothing of who it was.
    request.actor = request.programme = None  # type: ignore[assignment]
    context = {
        **_receipt(erasure),
        "link": request.build_absolute_uri(reverse("erasure", args=[secret])),
        "json_url": reverse("erasure-receipt", args=[secret]),
    }
    return render(request, "erasures/receipt.html", context, status=201)


def _receipt(erasure: Erasure) -> dict[str, Any]:
    return {
        "erasure_id": shown("erasure", erasure.id),
        "party_id": shown("party", erasure.party_id),
        "asked_at": erasure.asked_at,
        "done_at": erasure.done_at,
        "waits": bool(erasure.waits_for),
        "done_by": done_by(erasure.asked_at),
        "gone": gone_sentences(),
        "kept": (kept := shown_kept(erasure.kept)),
        "is_owed": any(each.money for each in kept),
    }


def _ask(
    request: PortalRequest, form: LeaveForm, *, refusal: Refusal | None = None, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "refusal": refusal,
        "waits": open_payouts_to(request.actor.party_id).exists(),
        "done_by": done_by(now()),
    }
    return render(request, "erasures/confirm.html", context, status=status)


urlpatterns = [
    path("leave", leave, name="leave"),
    path("leave/confirm", confirm_leave, name="confirm-leave"),
    path("erasures/<str:secret>", receipt, name="erasure"),
    path("erasures/<str:secret>/receipt.json", receipt_json, name="erasure-receipt"),
]
