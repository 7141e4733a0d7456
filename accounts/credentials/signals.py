"""Signing in begins a credential, signing out ends it, and the audit hears of both.

The session's row carries the credential from the first moment: the raw routes read it in SQL.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.credentials.commands import begin_session, end_session
from accounts.credentials.methods import method_of_sign_in
from accounts.credentials.sessions import CREDENTIAL
from accounts.people.models import Person
from core.audit.commands import record

# The subject of a failed sign-in with an address that nobody here has. It is written all the
# same, so that both cases cost the same time.
NOBODY = UUID(int=0)


@receiver(user_logged_in)
def begin(request: HttpRequest, user: Person, **_: Any) -> None:
    """Django has given the session a new key by now, so a planted one leads nowhere."""
    with transaction.atomic():
        _refuse_stale(request, user)
        credential = begin_session(
            party_id=user.party_id, auth_method=method_of_sign_in(request, user)
        )
        request.session[CREDENTIAL] = str(credential.id)
        # Saved here and not with the answer: the end of the earlier credential, below, deletes
        # every row that still names it.
        request.session.save()
        before = getattr(request, "actor", None)
        if before is not None:
            end_session(before.credential_id, reason="signed_in_again")


@receiver(user_logged_out)
def end(request: HttpRequest, **_: Any) -> None:
    credential_id = request.session.get(CREDENTIAL)
    if credential_id:
        end_session(UUID(credential_id), reason="signed_out")


@receiver(user_login_failed)
def note_failed_sign_in(credentials: dict[str, Any], **_: Any) -> None:
    address = str(credentials.get("email") or "").lower()
    party_id = Person.objects.filter(email=address).values_list("party_id", flat=True).first()
    record("sign_in.failed", subject=("party", party_id or NOBODY))


@receiver(authentication_failed)
def note_failed_second_step(user: Person, authenticator: Authenticator, **_: Any) -> None:
    record(
        "second_step.failed",
        subject=("party", user.party_id),
        type=str(authenticator.type) if authenticator else "",
    )


@receiver(post_save, sender=Authenticator)
def note_new_authenticator(instance: Authenticator, *, created: bool, **_: Any) -> None:
    if created:
        _note(instance, "authenticator.added")


@receiver(post_delete, sender=Authenticator)
def note_removed_authenticator(instance: Authenticator, **_: Any) -> None:
    _note(instance, "authenticator.removed")


def _note(authenticator: Authenticator, kind: str) -> None:
    party_id = authenticator.user.party_id
    record(kind, subject=("party", party_id), actor=party_id, type=str(authenticator.type))


def _refuse_stale(request: HttpRequest, user: Person) -> None:
    # The password was checked a moment ago. If it was changed since, that change has ended all
    # sessions it could see; this one must not begin after it. The row lock puts them in order.
    kept = Person.objects.select_for_update().filter(pk=user.pk, is_active=True).first()
    if kept is None or kept.password != user.password:
        request.session.flush()
        raise PermissionDenied
