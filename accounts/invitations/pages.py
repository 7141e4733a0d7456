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
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from accounts.invitations.commands import InvitationGone, accept_as_member, accept_as_new_person
from accounts.invitations.models import Invitation
from accounts.invitations.queries import invitation_by_secret, invitation_open, way_in
from accounts.people.models import Person
from accounts.programmes.models import Role
from accounts.programmes.words import ROLE_WORDS

IN_HAND = "invitation"  # in the session: the invitation's id, never the secret


class NewPerson(forms.Form):
    display_name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
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
    if invitation is None:
        return _closed(request)
    request.session[IN_HAND] = str(invitation.id)
    return redirect("invitation")


@sensitive_post_parameters("password", "again")
@require_http_methods(["GET", "POST"])
def invitation_page(request: HttpRequest) -> HttpResponse:
    kept = request.session.get(IN_HAND)
    invitation = invitation_open(UUID(kept)) if kept else None
    if invitation is None:
        return _closed(request)
    way = way_in(invitation, request.user if request.user.is_authenticated else None)
    try:
        if way == "new":
            return _come_in(request, invitation)
        if way == "join" and request.method == "POST":
            return _join(request, invitation)
    except InvitationGone:
        return _closed(request)
    return _show(request, invitation, way)


def _come_in(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    form = NewPerson(invitation.email, request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _show(request, invitation, "new", form, status=422 if form.is_bound else 200)
    person = accept_as_new_person(
        invitation_id=invitation.id,
        password=form.cleaned_data["password"],
        display_name=form.cleaned_data["display_name"].strip(),
    )
    del request.session[IN_HAND]
    login(request, person)
    return redirect("studio")


def _join(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    assert isinstance(request.user, Person)
    accept_as_member(invitation_id=invitation.id, person=request.user)
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
        "role_words": ROLE_WORDS[Role(invitation.role)],
        "way": way,
        "form": form,
        "login_url": f"{resolve_url(settings.LOGIN_URL)}?{query}",
    }
    return render(request, "accounts/invitations/accept.html", context, status=status)


def _closed(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/invitations/closed.html", status=404)


urlpatterns = [
    path("invitation", invitation_page, name="invitation"),
    path("invitation/<str:secret>", open_link, name="invitation-link"),
]
