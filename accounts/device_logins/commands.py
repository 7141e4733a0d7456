"""Asking, answering and taking a device login.

No secret waits anywhere for its program: allowing keeps only what was allowed, and the token is
made by ``mint_token`` in the transaction that answers the program's next question.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from accounts.credentials.commands import lock_live_credential, mint_token
from accounts.credentials.models import Credential
from accounts.credentials.peppers import current
from accounts.credentials.queries import Actor
from accounts.credentials.rules import TOKENS_MINT
from accounts.device_logins.models import DeviceLogin, DeviceLoginTry
from accounts.device_logins.queries import (
    device_login_for,
    login_by_device_code,
    login_by_user_code,
    who_allowed,
)
from accounts.device_logins.rules import (
    INTERVAL_S,
    LASTS,
    SLOWER_BY_S,
    device_digest,
    new_device_code,
    new_user_code,
    read_user_code,
    user_digest,
)
from accounts.device_logins.wishes import (
    TooManyCodes,
    TooManyDeviceLogins,
    check_answer,
    check_wish,
    must_have_room,
    no_such_code,
)
from core.audit.commands import record
from core.clock import CoreNow, now
from core.errors import Absent, Anonymous, InvalidOrder, NotAllowed, Refusal
from core.idempotency.commands import Once
from core.ids import new_id

State = DeviceLogin.State
SLOWEST_S = 300  # so does the database
REPEATED = "one_waiting_device_login_of_a_user_code"


@dataclass(frozen=True, slots=True)
class Begun:
    """The only time that the codes exist."""

    login: DeviceLogin
    device_code: str
    user_code: str

    def __repr__(self) -> str:
        return f"<device login {self.login.id}>"


@dataclass(frozen=True, slots=True)
class Taken:
    token: Credential
    secret: str

    def __repr__(self) -> str:
        return f"<token {self.token.key_id}>"


class NotTaken(Exception):
    """Why there is no token (yet): an error of RFC 8628, section 3.5. What was noted is kept."""

    def __init__(self, error: str, sentence: str, interval_s: int | None = None) -> None:
        super().__init__(error)
        self.error = error
        self.sentence = sentence
        self.interval_s = interval_s


def begin_device_login(
    *, client_name: str, scopes: list[str], days: int, asked_from: str | None
) -> Begun:
    """By anybody, with no account. Raises ``InvalidOrder``, and ``TooManyDeviceLogins``."""
    check_wish(client_name, scopes, days)
    for _again in range(3):
        try:
            with _by_the_law("device_logins_are_not_hammered", TooManyDeviceLogins):
                return _begin(client_name.strip(), sorted(set(scopes)), days, asked_from)
        except IntegrityError as refused:
            if _law(refused) != REPEATED:  # somebody waits with the very same user code
                raise
    raise TooManyDeviceLogins


def open_device_login(*, actor: Actor, user_code: str) -> DeviceLogin:
    """The one that waits with this code, from now on the actor's to answer.

    Raises ``InvalidOrder`` where there is none, and ``TooManyCodes`` after ten within ten minutes.
    """
    if TOKENS_MINT not in actor.scopes:
        raise NotAllowed(_("Codes are typed in the portal, by the person who signs in."))
    # Counted before it is looked up, and for itself: a thousand at once are counted as well.
    with _by_the_law("user_codes_are_not_guessed", TooManyCodes), transaction.atomic():
        DeviceLoginTry.objects.create(party_id=actor.party_id)
    code = read_user_code(user_code)
    login = login_by_user_code(code) if code else None
    if login is None or login.opened_by_id not in (None, actor.party_id):
        raise no_such_code()
    if login.opened_by_id is None and not DeviceLogin.objects.filter(
        id=login.id, opened_by=None, state=State.WAITING, expires_at__gt=CoreNow()
    ).update(opened_by=actor.party_id):
        raise no_such_code()  # somebody else was quicker
    return login


def allow_device_login(
    *, actor: Actor, shown_id: str, scopes: list[str], days: int, auth_method: str
) -> DeviceLogin:
    """For the programme that the actor stands in, at most what was asked.

    ``auth_method`` is how the person has just shown who they are. Raises ``Absent`` where it waits
    no more, ``InvalidOrder`` for more than was asked and for an eleventh token.
    """
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        login = device_login_for(actor, shown_id)
        check_answer(login, scopes, days)
        must_have_room(actor.party_id)
        allowed = DeviceLogin.objects.filter(id=login.id, state=State.WAITING).update(
            state=State.ALLOWED,
            programme_id=actor.programme,
            allowed_scopes=sorted(set(scopes)),
            allowed_days=days,
            allowed_with_id=actor.credential_id,
            auth_method=auth_method,
        )
        if not allowed:
            raise Absent
        record(
            "device_login.allowed",
            subject=("device_login", login.id),
            actor=actor.party_id,
            credential=actor.credential_id,
            scopes=sorted(set(scopes)),
        )
    return login


def deny_device_login(*, actor: Actor, shown_id: str) -> DeviceLogin:
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        login = device_login_for(actor, shown_id)
        if not DeviceLogin.objects.filter(id=login.id, state=State.WAITING).update(
            state=State.DENIED
        ):
            raise Absent
        record(
            "device_login.denied",
            subject=("device_login", login.id),
            actor=actor.party_id,
            credential=actor.credential_id,
        )
    return login


@sensitive_variables("device_code")
def take_device_login(*, device_code: str) -> Taken:
    """The token that was allowed, once. Raises ``NotTaken`` in every other case."""
    login = login_by_device_code(device_code)
    if login is None or login.state == State.TAKEN:
        raise NotTaken("invalid_grant", _("This device code counts no more."))
    if login.state == State.DENIED:
        raise NotTaken("access_denied", _("The person did not allow it."))
    if login.expires_at <= now():
        raise NotTaken("expired_token", _("Nobody allowed it within ten minutes. Begin anew."))
    if login.state == State.WAITING:
        raise _not_yet(login.id)
    return _mint(login)


def forget_old_device_logins() -> int:
    """Rows whose ten minutes are over, and the tries that count no more."""
    with transaction.atomic():
        deleted, _rows = DeviceLogin.objects.filter(expires_at__lte=CoreNow()).delete()
        DeviceLoginTry.objects.filter(at__lte=now() - LASTS).delete()
    return deleted


# Steps -------------------------------------------------------------------------------------------


def _begin(client_name: str, scopes: list[str], days: int, asked_from: str | None) -> Begun:
    device_code, user_code = new_device_code(), new_user_code()
    _pepper_id, key = current()
    with transaction.atomic():
        moment = now()
        login = DeviceLogin.objects.create(
            id=new_id(),
            device_digest=device_digest(device_code),
            user_digest=user_digest(user_code, key),
            client_name=client_name,
            scopes=scopes,
            days=days,
            asked_from=asked_from or None,
            interval_s=INTERVAL_S,
            made_at=moment,
            expires_at=moment + LASTS,
        )
    return Begun(login, device_code, user_code)


def _not_yet(login_id: UUID) -> NotTaken:
    """Note when it was asked; who asks too soon waits longer from then on (section 3.5)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_devicelogin SET polled_at = core_now(), interval_s = least(%(most)s,"
            "  interval_s + CASE WHEN polled_at > core_now() - make_interval(secs => interval_s)"
            "   THEN %(slower)s ELSE 0 END)"
            " WHERE id = %(id)s RETURNING interval_s, interval_s > (SELECT interval_s"
            "  FROM accounts_devicelogin WHERE id = %(id)s)",
            {"id": login_id, "slower": SLOWER_BY_S, "most": SLOWEST_S},
        )
        row = cursor.fetchone()
    interval_s, is_slower = row or (INTERVAL_S, False)
    if is_slower:
        return NotTaken("slow_down", _("Ask less often."), interval_s)
    return NotTaken("authorization_pending", _("Nobody has allowed it yet."), interval_s)


@sensitive_variables("secret")
def _mint(login: DeviceLogin) -> Taken:
    """The credential that allowed it comes first, as in every deed that spends, then the row."""
    actor = who_allowed(login)
    try:
        with transaction.atomic():
            lock_live_credential(actor.credential_id)
            if not _hold(login.id):
                raise NotTaken("invalid_grant", _("This device code counts no more."))
            token, secret = mint_token(
                actor=actor,
                name=login.client_name,
                reason=_("Signed in by a code"),
                scopes=login.allowed_scopes,
                days=login.allowed_days or 0,
                auth_method=login.auth_method,
                once=Once.of(scope="device-login", key=new_id().hex, payload=None),
                answer=lambda _token: (201, None),
            )
            DeviceLogin.objects.filter(id=login.id).update(state=State.TAKEN, token=token)
    except Anonymous:
        raise NotTaken("access_denied", _("Whoever allowed it has signed out since.")) from None
    except InvalidOrder as refusal:
        raise NotTaken("access_denied", refusal.sentence) from None
    return Taken(token, secret)


def _hold(login_id: UUID) -> bool:
    """The row until the commit. Of two that ask at once, the second finds it taken."""
    held = DeviceLogin.objects.select_for_update().filter(id=login_id, state=State.ALLOWED)
    return held.first() is not None


@contextmanager
def _by_the_law(law: str, refusal: type[Refusal]) -> Iterator[None]:
    try:
        yield
    except IntegrityError as refused:
        if _law(refused) != law:
            raise
        raise refusal from None


def _law(refused: IntegrityError) -> str | None:
    return getattr(getattr(refused.__cause__, "diag", None), "constraint_name", None)
