"""From the link in a letter to a seat in a programme."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.password_validation import validate_password
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import path, reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from accounts.arrivals.commands import (
    InvitationGone,
    accept_as_member,
    accept_as_new_person,
)
from accounts.invitations.models import Invitation
from accounts.invitations.queries import (
    invitation_by_secret,
    invitation_open,
    offered_language,
    way_in,
)
from accounts.people.models import Person
from accounts.profile.choices import remember
from accounts.programmes.words import ROLE_WORDS

IN_HAND = "invitation"  # in the session: which invitation and sending, never the secret


class NewPerson(forms.Form):
    display_name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        help_text=gettext_lazy(
            "At least eight characters, not a common word, not figures alone and not like your"
            " address."
        ),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=gettext_lazy("The password again"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, email: str, data: object = None) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self.email = email

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, Person(email=self.email))
        return password

    def clean_again(self) -> str:
        again: str = self.cleaned_data["again"]
        if "password" in self.cleaned_data and again != self.cleaned_data["password"]:
            raise forms.ValidationError(_("The two are not the same."))
        return again


@require_GET
def open_link(request: HttpRequest, secret: str) -> HttpResponse:
    """Take the invitation in hand and leave its secret behind: out of the address bar at once."""
    invitation = invitation_by_secret(secret)
    if invitation is None or way_in(invitation, _reader(request)) is None:
        return _closed(request)
    request.session[IN_HAND] = [str(invitation.id), invitation.number]
    return redirect("invitation")


@sensitive_post_parameters("password", "again")
@require_http_methods(["GET", "POST"])
def invitation_page(request: HttpRequest) -> HttpResponse:
    invitation = _in_hand(request)
    way = way_in(invitation, _reader(request)) if invitation else None
    if invitation is None or way is None:
        return _closed(request)
    language = _language(request, invitation)
    try:
        with translation.override(language):
            answer = _answer(request, invitation, way)
    except InvitationGone:
        return _closed(request)  # in the reader's own language: it says nothing of this one
    answer.headers["Content-Language"] = language
    return answer


def _in_hand(request: HttpRequest) -> Invitation | None:
    """None also where it was sent again since: only the newest link counts, opened or not."""
    match request.session.get(IN_HAND):
        case [str(invitation_id), int(number)]:
            found = invitation_open(UUID(invitation_id))
            return found if found is not None and found.number == number else None
    return None


def _answer(request: HttpRequest, invitation: Invitation, way: str) -> HttpResponse:
    if way == "new":
        return _come_in(request, invitation)
    if way == "join" and request.method == "POST":
        return _join(request, invitation)
    return _show(request, invitation, way)


def _reader(request: HttpRequest) -> Person | None:
    return request.user if isinstance(request.user, Person) else None


def _language(request: HttpRequest, invitation: Invitation) -> str:
    """The invitation's, unless the reader chose one on a page of ours."""
    is_chosen = settings.LANGUAGE_COOKIE_NAME in request.COOKIES
    offered = "" if is_chosen else offered_language(invitation)
    return offered or translation.get_language() or settings.LANGUAGE_CODE


def _come_in(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    form = NewPerson(invitation.email, request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _show(request, invitation, "new", form, status=422 if form.is_bound else 200)
    person = accept_as_new_person(
        invitation_id=invitation.id,
        number=invitation.number,
        password=form.cleaned_data["password"],
        display_name=form.cleaned_data["display_name"].strip(),
    )
    del request.session[IN_HAND]
    login(request, person)
    response = redirect("studio")
    remember(response, language=offered_language(invitation))
    return response


def _join(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    assert isinstance(request.user, Person)
    accept_as_member(invitation_id=invitation.id, number=invitation.number, person=request.user)
    del request.session[IN_HAND]
    return redirect("studio")


def _show(
    request: HttpRequest,
    invitation: Invitation,
    way: str,
    form: NewPerson | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    query = urlencode({"next": reverse("invitation")})
    context = {
        "invitation": invitation,
        "role_words": ROLE_WORDS[invitation.role],
        "way": way,
        "form": form,
        "login_url": f"{resolve_url(settings.LOGIN_URL)}?{query}",
    }
    return render(request, "accounts/arrivals/accept.html", context, status=status)


def _closed(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/arrivals/closed.html", status=404)


urlpatterns = [
    path("invitation", invitation_page, name="invitation"),
    path("invitation/<str:secret>", open_link, name="invitation-link"),
]
