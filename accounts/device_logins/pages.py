"""Where a person lets a program in: its code, what it asks, yes or no."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.credentials.doors import PortalRequest, shown_again, signed_in
from accounts.credentials.methods import fresh_method
from accounts.credentials.rules import SCOPE_WORDS, Scope
from accounts.device_logins.commands import (
    allow_device_login,
    deny_device_login,
    open_device_login,
)
from accounts.device_logins.models import DeviceLogin
from accounts.device_logins.queries import (
    answered_login_for,
    device_login_for,
    where_from,
)
from core.errors import Absent, Refusal
from core.ids import shown


class Code(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("The code that your program shows"),
        help_text=gettext_lazy("Eight letters, like BCDF-GHJK."),
        max_length=64,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )


class Answer(forms.Form):
    """What is allowed of what was asked. Limits are the command's to judge."""

    programme = forms.ChoiceField(label=gettext_lazy("For which programme"))
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What it may do"), widget=forms.CheckboxSelectMultiple
    )
    days = forms.IntegerField(label=gettext_lazy("Days until it ends"))

    def __init__(
        self, login: DeviceLogin, programmes: list[Any], *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        where, scopes, days = (self.fields[name] for name in ("programme", "scopes", "days"))
        assert isinstance(where, forms.ChoiceField)
        assert isinstance(scopes, forms.MultipleChoiceField)
        where.choices = [(one.slug, one.name) for one in programmes]
        scopes.choices = [(scope, SCOPE_WORDS[Scope(scope)]) for scope in login.scopes]
        days.widget = forms.NumberInput(attrs={"min": 1, "max": login.days})


@require_http_methods(["GET", "POST"])
@signed_in
def device(request: PortalRequest) -> HttpResponse:
    if request.method == "GET":
        return _ask_code(request, Code(initial={"code": request.GET.get("user_code", "")[:64]}))
    form = Code(request.POST)
    if not form.is_valid():
        return _ask_code(request, form, status=422)
    try:
        login = open_device_login(actor=request.actor, user_code=form.cleaned_data["code"])
    except Refusal as refusal:
        if refusal.field != "code":
            raise
        form.add_error("code", refusal.sentence)
        return _ask_code(request, form, status=refusal.http_status)
    return redirect("device-login-answer", shown("device_login", login.id))


@require_http_methods(["GET", "POST"])
@signed_in
@shown_again
def answer(request: PortalRequest, login_id: str) -> HttpResponse:
    """Allowing makes a token: only within five minutes of showing once more who one is."""
    login = device_login_for(request.actor, login_id)
    places: list[Any] = request.places  # type: ignore[attr-defined]  # the middleware's
    if request.method == "GET":
        form = Answer(login, places, initial=_as_asked(request, login))
        return _ask(request, login, form)
    form = Answer(login, places, request.POST)
    if not form.is_valid():
        return _ask(request, login, form, status=422)
    wish = form.cleaned_data
    chosen = next(one for one in places if one.slug == wish["programme"])
    method = fresh_method(request)
    assert method is not None, "the door has asked"
    try:
        allow_device_login(
            actor=replace(request.actor, programme_id=chosen.id),
            shown_id=login_id,
            scopes=wish["scopes"],
            days=wish["days"],
            auth_method=method,
        )
    except Absent:
        raise
    except Refusal as refusal:
        if refusal.field in form.fields:
            form.add_error(refusal.field, refusal.sentence)
            return _ask(request, login, form, status=refusal.http_status)
        return _ask(request, login, form, refusal=refusal, status=refusal.http_status)
    return redirect("device-login-answered", login_id)


@require_POST
@signed_in
def deny(request: PortalRequest, login_id: str) -> HttpResponse:
    """Saying no asks for nothing more."""
    deny_device_login(actor=request.actor, shown_id=login_id)
    return redirect("device-login-answered", login_id)


@require_GET
@signed_in
def answered(request: PortalRequest, login_id: str) -> HttpResponse:
    login = answered_login_for(request.actor, login_id)
    return render(
        request,
        "accounts/device_logins/answered.html",
        {"login": login, "is_allowed": login.state != DeviceLogin.State.DENIED},
    )


def _as_asked(request: PortalRequest, login: DeviceLogin) -> dict[str, Any]:
    here = request.programme
    return {
        "programme": here.slug if here else "",
        "scopes": login.scopes,
        "days": login.days,
    }


def _ask_code(request: PortalRequest, form: Code, *, status: int = 200) -> HttpResponse:
    return render(request, "accounts/device_logins/code.html", {"form": form}, status=status)


def _ask(
    request: PortalRequest,
    login: DeviceLogin,
    form: Answer,
    *,
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "form": form,
        "login": login,
        "login_id": shown("device_login", login.id),
        "place": where_from(login, request.META.get("REMOTE_ADDR", "")),
        "refusal": refusal,
    }
    return render(request, "accounts/device_logins/answer.html", context, status=status)


urlpatterns = [
    path("device", device, name="device"),
    path("device/<str:login_id>", answer, name="device-login-answer"),
    path("device/<str:login_id>/deny", deny, name="device-login-deny"),
    path("device/<str:login_id>/answered", answered, name="device-login-answered"),
]
