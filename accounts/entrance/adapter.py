"""What allauth asks us."""

from __future__ import annotations

from typing import Any, NoReturn

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth import logout
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts.credentials.queries import Actor
from accounts.entrance.commands import ask_password_letter, change_password, reset_password
from accounts.people.models import Person, PersonalDetail
from accounts.profile.choices import TIME_ZONE, remember


class Adapter(DefaultAccountAdapter):
    """No account is ever made by allauth: people come in through `accounts.arrivals`."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def new_user(self, request: HttpRequest) -> NoReturn:
        raise PermissionDenied

    def save_user(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise PermissionDenied

    def send_password_reset_mail(self, user: Person, email: str, context: dict[str, Any]) -> None:
        """The letter is written by our own post, which computes a link when it sends it."""
        ask_password_letter(person=user)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Nothing is mailed from here: to an address that nobody has, least of all."""
        if template_prefix == "account/email/unknown_account":
            ask_password_letter(person=None)

    def set_password(self, user: Person, password: str) -> None:
        match = self.request.resolver_match
        if match is not None and match.url_name == "account_reset_password_from_key":
            reset_password(person=user, password=password)
            if getattr(self.request, "actor", None) is not None:
                logout(self.request)  # its session has just ended with the others
            return
        actor: Actor | None = getattr(self.request, "actor", None)
        here = actor.credential_id if actor and actor.party_id == user.party_id else None
        change_password(person=user, password=password, keep=here)

    def reauthenticate(self, user: Person, password: str) -> bool:
        # By the address people sign in with; allauth would ask its own table of addresses.
        found = self.authenticate(self.request, email=user.email, password=password)
        return found is not None and found.pk == user.pk

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("settings")

    def post_login(self, request: HttpRequest, user: Person, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **kwargs)
        detail = user.detail
        # Everybody begins with “as the system has it”: no reason to undo a choice made here.
        theme = "" if detail.theme == PersonalDetail.Theme.SYSTEM else detail.theme
        remember(response, theme=theme, language=detail.language)
        request.session[TIME_ZONE] = detail.time_zone
        return response
