"""Tokens over the native API. Minting asks for a person who has just shown who they are."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.commands import mint_token, revoke_sessions, revoke_token
from accounts.credentials.methods import fresh_method
from accounts.credentials.models import Credential
from accounts.credentials.queries import sessions_of, token_for, tokens_of
from accounts.credentials.rules import TOKEN_SCOPES, TOKENS_MINT, USUAL_LIFE_DAYS, Scope
from accounts.credentials.words import is_live
from core.api import Endpoint, PageWish, PublicId, Shape, Text, Whole, operation, page_of
from core.clock import now
from core.errors import Absent, NotAllowed
from core.idempotency.commands import Once
from core.ids import new_id, read_id, shown


class FreshSignInRequired(NotAllowed):
    code = "fresh_sign_in_required"

    def __init__(self, sentence: str | None = None) -> None:
        super().__init__(
            sentence or _("Tokens are made in the portal, within five minutes of signing in again.")
        )


class ShownToken(Shape):
    id = PublicId("credential")
    url = Text()
    key_id = Text(help_text=gettext_lazy("Public part of the token; safe to log and to show."))
    name = Text()
    reason = Text()
    scopes = serializers.ListField(child=Text())
    state = Text()
    is_live = serializers.BooleanField(
        help_text=gettext_lazy("Whether it still opens anything, its last day counted in.")
    )
    made_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


class MintedToken(ShownToken):
    token = Text(
        allow_null=True,
        help_text=gettext_lazy("The token itself, in this answer only; null in a repeated one."),
    )


class NewToken(Shape):
    name = Text(max_length=80)
    reason = Text(max_length=300)
    scopes = serializers.ListField(child=Text(), allow_empty=False, max_length=len(TOKEN_SCOPES))
    days = Whole(default=USUAL_LIFE_DAYS)


class ShownSession(Shape):
    id = PublicId("credential")
    key_id = Text(help_text=gettext_lazy("As the settings show it, and as the log names it."))
    is_current = serializers.BooleanField(
        help_text=gettext_lazy("Whether it is the one that asks; never for a token.")
    )
    begun_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)


class SignedOut(Shape):
    revoked = Whole(help_text=gettext_lazy("How many sign-ins ended."))


class Tokens(Endpoint):
    @operation(
        scope=Scope.TOKENS_READ,
        summary=gettext_lazy("Your tokens"),
        words=gettext_lazy("Newest first, the ended ones too. Secrets are never among them."),
        answers=ShownToken,
        query=PageWish,
        is_list=True,
    )
    def get(self, _request: Request) -> Response:
        page = page_of(
            tokens_of(self.actor.party_id), self.asked_in_query(), by=("-minted_at", "-id")
        )
        moment = now()
        return self.answer(page.shown([_shown(token, moment) for token in page.rows]))

    @operation(
        scope=TOKENS_MINT,
        summary=gettext_lazy("Make a token"),
        words=gettext_lazy(
            "From the portal only, within five minutes of signing in again; a token cannot make "
            "tokens. The secret stands in this one answer and nowhere else."
        ),
        answers=MintedToken,
        status=201,
        asks=NewToken,
        is_repeatable=True,
        example={"name": "nightly", "reason": "renders the dailies", "scopes": ["clips:create"]},
    )
    @sensitive_variables("secret")
    def post(self, request: Request) -> Response:
        method = fresh_method(request._request) if self.actor.is_portal else None  # noqa: SLF001
        if method is None:
            raise FreshSignInRequired
        token, secret = mint_token(
            actor=self.actor,
            auth_method=method,
            once=self.once() or _never_again(),
            answer=lambda made: (201, {**_shown(made, made.minted_at), "token": None}),
            **self.asked(),
        )
        return self.answer({**_shown(token, token.minted_at), "token": secret})


class OneToken(Endpoint):
    @operation(
        scope=Scope.TOKENS_READ,
        summary=gettext_lazy("One token"),
        answers=ShownToken,
        refuses=(404,),
    )
    def get(self, _request: Request, token: str) -> Response:
        return self.answer(_shown(token_for(self.actor, _id(token)), now()))


class Revocation(Endpoint):
    @operation(
        scope=Scope.TOKENS_REVOKE,
        summary=gettext_lazy("Revoke a token"),
        words=gettext_lazy(
            "It stops at once, for good; jobs it has waiting or rendering are held for your word. "
            "Doing it twice is fine."
        ),
        answers=ShownToken,
        refuses=(404,),
    )
    def post(self, _request: Request, token: str) -> Response:
        ended = revoke_token(actor=self.actor, credential_id=_id(token))
        return self.answer(_shown(ended, now()))


class Sessions(Endpoint):
    @operation(
        scope=Scope.TOKENS_READ,
        summary=gettext_lazy("Where you are signed in"),
        words=gettext_lazy("Browsers that are signed in to the portal, newest first."),
        answers=ShownSession,
        query=PageWish,
        is_list=True,
    )
    def get(self, _request: Request) -> Response:
        page = page_of(
            sessions_of(self.actor.party_id), self.asked_in_query(), by=("-minted_at", "-id")
        )
        return self.answer(page.shown([self._shown(session) for session in page.rows]))

    def _shown(self, session: Credential) -> dict[str, Any]:
        facts = {
            "id": session.id,
            "key_id": session.key_id,
            "is_current": session.id == self.actor.credential_id,
            "begun_at": session.minted_at,
            "expires_at": session.expires_at,
            "last_used_at": session.last_used_at,
        }
        return dict(ShownSession(facts).data)


class SignOutEverywhere(Endpoint):
    @operation(
        scope=Scope.TOKENS_REVOKE,
        summary=gettext_lazy("Sign out everywhere"),
        words=gettext_lazy(
            "Ends every sign-in at once; jobs they asked for are held for your word. Tokens go on."
        ),
        answers=SignedOut,
    )
    def post(self, _request: Request) -> Response:
        revoked = revoke_sessions(actor=self.actor)
        return self.answer(dict(SignedOut({"revoked": revoked}).data))


def _shown(token: Credential, moment: datetime) -> dict[str, Any]:
    facts = {
        "id": token.id,
        "url": f"/api/v1/tokens/{shown('credential', token.id)}",
        "key_id": token.key_id,
        "name": token.name,
        "reason": token.reason,
        "scopes": token.scopes,
        "state": token.state,
        "is_live": is_live(token, moment),
        "made_at": token.minted_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
        "ended_at": token.ended_at,
    }
    return dict(ShownToken(facts).data)


def _id(text: str) -> UUID:
    found = read_id("credential", text)
    if found is None:
        raise Absent
    return found


def _never_again() -> Once:
    """For a request without ``Idempotency-Key``: a key that nobody can repeat."""
    return Once.of(scope="new-token", key=new_id().hex, payload=None)


urlpatterns = [
    path("tokens", Tokens.as_view()),
    path("tokens/<str:token>", OneToken.as_view()),
    path("tokens/<str:token>/revoke", Revocation.as_view()),
    path("sessions", Sessions.as_view()),
    path("sessions/revoke", SignOutEverywhere.as_view()),
]
