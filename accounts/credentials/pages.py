"""Tokens in the portal: the list, making one, revoking one."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.credentials.commands import mint_token, revoke_token
from accounts.credentials.doors import PortalRequest, shown_again, signed_in
from accounts.credentials.methods import fresh_method
from accounts.credentials.models import Credential
from accounts.credentials.queries import token_by_key_for, tokens_of
from accounts.credentials.rules import (
    LONGEST_LIFE_DAYS,
    SCOPE_WORDS,
    USUAL_LIFE_DAYS,
    Scope,
    scopes_for,
)
from accounts.credentials.words import SCOPE_GROUPS, shown_token
from core.clock import now
from core.errors import KeyReused, Refusal
from core.idempotency.commands import AlreadyAnswered, Once


class NewToken(forms.Form):
    """Lengths and limits are the command's to judge; the attributes only help in typing."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("By which you will know it again, for instance the program's."),
        widget=forms.TextInput(attrs={"maxlength": 80, "autocomplete": "off"}),
    )
    reason = forms.CharField(
        label=gettext_lazy("What it is for"),
        widget=forms.TextInput(attrs={"maxlength": 300, "autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What it may do"),
        widget=forms.CheckboxSelectMultiple,
        initial=[Scope.CLIPS_CREATE.value, Scope.CLIPS_READ.value],
    )
    days = forms.IntegerField(
        label=gettext_lazy("Days until it ends"),
        initial=USUAL_LIFE_DAYS,
        widget=forms.NumberInput(attrs={"min": 1, "max": LONGEST_LIFE_DAYS}),
    )
    # One form makes one token: loading the next page again must not make a second.
    once = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(self, roles: frozenset[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = self.fields["scopes"]
        assert isinstance(offered, forms.MultipleChoiceField)
        offered.choices = [(scope.value, SCOPE_WORDS[scope]) for scope in scopes_for(roles)]

    def scope_groups(self) -> list[tuple[Any, list[Any]]]:
        """The checkboxes under their headings, those with none left out."""
        boxes = {box.data["value"]: box for box in self["scopes"].subwidgets}
        groups = [
            (title, [boxes[scope] for scope in scopes if scope in boxes])
            for title, scopes in SCOPE_GROUPS
        ]
        return [(title, inside) for title, inside in groups if inside]


@require_GET
@signed_in
def tokens(request: PortalRequest) -> HttpResponse:
    moment = now()
    shown = [shown_token(token, moment) for token in tokens_of(request.actor.party_id)]
    return render(request, "accounts/credentials/tokens.html", {"tokens": shown})


@require_http_methods(["GET", "POST"])
@signed_in
@shown_again
def new_token(request: PortalRequest) -> HttpResponse:
    """Only within five minutes of showing once more who one is."""
    if request.method == "GET":
        return _ask(request, NewToken(request.actor.roles, initial={"once": uuid4().hex}))
    form = NewToken(request.actor.roles, request.POST)
    if not form.is_valid():
        return _ask(request, form, status=422)
    try:
        return _mint(request, form.cleaned_data)
    except (AlreadyAnswered, KeyReused):
        messages.warning(
            request,
            _("That form has made its token already, and its secret is not shown twice."),
        )
        return redirect("tokens")
    except Refusal as refusal:
        if refusal.field in form.fields:
            form.add_error(refusal.field, refusal.sentence)
            return _ask(request, form, status=refusal.http_status)
        return _ask(request, form, refusal=refusal, status=refusal.http_status)


@require_POST
@signed_in
def revoke(request: PortalRequest, key_id: str) -> HttpResponse:
    token = token_by_key_for(request.actor, key_id)
    revoke_token(actor=request.actor, credential_id=token.id)
    messages.success(request, _("“%(name)s” is revoked.") % {"name": token.name})
    return redirect("tokens")


@sensitive_variables("secret")
def _mint(request: PortalRequest, wish: dict[str, Any]) -> HttpResponse:
    """The only page that ever holds the secret; it is not kept by the browser (no-store)."""
    method = fresh_method(request)
    assert method is not None, "the door has asked"
    token, secret = mint_token(
        actor=request.actor,
        name=wish["name"],
        reason=wish["reason"],
        scopes=wish["scopes"],
        days=wish["days"],
        auth_method=method,
        once=Once.of(
            scope=f"{request.actor.party_id}:{request.actor.programme}:new-token",
            key=wish["once"],
            payload=wish,
        ),
        answer=_where,
    )
    context = {"token": shown_token(token, token.minted_at), "secret": secret}
    return render(request, "accounts/credentials/minted.html", context, status=201)


def _where(_token: Credential) -> tuple[int, dict[str, str]]:
    return 201, {"url": reverse("tokens")}


def _ask(
    request: PortalRequest, form: NewToken, *, refusal: Refusal | None = None, status: int = 200
) -> HttpResponse:
    context = {"form": form, "refusal": refusal}
    return render(request, "accounts/credentials/new.html", context, status=status)


urlpatterns = [
    path("tokens", tokens, name="tokens"),
    path("tokens/new", new_token, name="new-token"),
    path("tokens/<str:key_id>/revoke", revoke, name="revoke-token"),
]
