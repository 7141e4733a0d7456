"""Settings: what one is called, how it looks, where one is signed in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts.credentials.commands import revoke_sessions
from accounts.credentials.doors import PortalRequest, signed_in
from accounts.credentials.queries import sessions_of
from accounts.credentials.words import shown_session
from accounts.people.models import PersonalDetail
from accounts.profile.choices import TIME_ZONE, remember
from accounts.profile.commands import Detail, save_detail
from accounts.programmes.rules import zone_names
from core.errors import InvalidOrder
from core.ids import shown

THEMES = [
    (PersonalDetail.Theme.SYSTEM.value, gettext_lazy("As the system has it")),
    (PersonalDetail.Theme.LIGHT.value, gettext_lazy("Light")),
    (PersonalDetail.Theme.DARK.value, gettext_lazy("Dark")),
]


def page_languages() -> list[tuple[str, Any]]:
    return [("", _("As the browser has it")), *settings.LANGUAGES]


def zones() -> list[tuple[str, Any]]:
    return [("", _("As the programme has it")), *((name, name) for name in zone_names())]


class LanguagesField(forms.CharField):
    """Codes in one line, with commas or spaces between them."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        text: str = super().clean(value)
        return text.replace(",", " ").split()


class DetailForm(forms.Form):
    display_name = forms.CharField(
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("What others in the programme see."),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    credit_name = forms.CharField(
        label=gettext_lazy("Credit name"),
        help_text=gettext_lazy(
            "What the public reads where you are credited and have chosen this name."
        ),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    languages = LanguagesField(
        label=gettext_lazy("Languages you speak"),
        help_text=gettext_lazy(
            "Like “en, pt-BR”. Your programme's managers see them, so that somebody can answer you"
            " in one of them."
        ),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "maxlength": 200}),
    )
    contact = forms.CharField(
        label=gettext_lazy("Contact"),
        help_text=gettext_lazy(
            "How else you can be reached, if you like. Your programme's managers see it."
        ),
        max_length=254,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    country = forms.RegexField(
        r"^[A-Za-z]{2}$",
        label=gettext_lazy("Country"),
        help_text=gettext_lazy(
            "Two letters, like “NL” or “KR”. Only needed for video models whose licence does not"
            " hold everywhere; nobody else sees it."
        ),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "country", "maxlength": 2, "size": 4}),
        error_messages={"invalid": gettext_lazy("Two letters, please, like “NL” or “KR”.")},
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language of the pages"), choices=page_languages, required=False
    )
    theme = forms.ChoiceField(label=gettext_lazy("Light or dark"), choices=THEMES)
    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"), choices=zones, required=False)


@require_http_methods(["GET", "POST"])
@signed_in
def settings_page(request: PortalRequest) -> HttpResponse:
    if request.method == "GET":
        return _show(request, DetailForm(initial=_detail_of(request)))
    if request.POST.get("deed") == "sign-out-everywhere":
        return _sign_out_everywhere(request)
    form = DetailForm(request.POST)
    return _save(request, form) if form.is_valid() else _show(request, form, status=422)


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    chosen = request.POST.get("theme", "")
    response = redirect(_back(request))
    if chosen in PersonalDetail.Theme.values:
        remember(response, theme=chosen)
        if request.user.is_authenticated:
            save_detail(person=request.user, detail=Detail(theme=chosen))
    return response


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    chosen = request.POST.get("language", "")
    response = redirect(_back(request))
    if chosen in dict(settings.LANGUAGES):
        remember(response, language=chosen)
        if request.user.is_authenticated:
            save_detail(person=request.user, detail=Detail(language=chosen))
    return response


def _save(request: PortalRequest, form: DetailForm) -> HttpResponse:
    said: dict[str, Any] = form.cleaned_data
    try:
        save_detail(person=request.user, detail=Detail(**said))
    except InvalidOrder as refusal:
        form.add_error(refusal.field, refusal.sentence)
        return _show(request, form, status=422)
    request.session[TIME_ZONE] = said["time_zone"]
    messages.success(request, _("Saved."))
    response = redirect("settings")
    remember(response, theme=said["theme"], language=said["language"])
    if not said["language"]:
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
    return response


def _sign_out_everywhere(request: PortalRequest) -> HttpResponse:
    revoke_sessions(actor=request.actor)
    logout(request)
    messages.success(request, _("You are signed out everywhere."))
    return redirect(settings.LOGIN_URL)


def _show(request: PortalRequest, form: DetailForm, *, status: int = 200) -> HttpResponse:
    actor = request.actor
    context = {
        "form": form,
        "credit_id": shown("party", actor.party_id),
        "sessions": [
            shown_session(session, actor.credential_id) for session in sessions_of(actor.party_id)
        ],
    }
    return render(request, "accounts/people/settings.html", context, status=status)


def _detail_of(request: PortalRequest) -> dict[str, Any]:
    detail = request.user.detail
    return {name: getattr(detail, name) for name in DetailForm.base_fields}


def _back(request: HttpRequest) -> str:
    """Where the form stood, if that is a page of ours."""
    page = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(
        page, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return page if ours else "/"


urlpatterns = [
    path("settings", settings_page, name="settings"),
    path("theme", theme, name="theme"),
    path("language", language, name="language"),
]
