"""Two polls at once take one device login: there is one token."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from accounts.credentials.commands import end_session
from accounts.credentials.models import Credential
from accounts.device_logins import commands
from accounts.device_logins.commands import (
    NotTaken,
    Taken,
    allow_device_login,
    begin_device_login,
    open_device_login,
    take_device_login,
)
from accounts.device_logins.models import DeviceLogin, DeviceLoginTry
from accounts.device_logins.rules import TRIES, new_user_code
from accounts.device_logins.wishes import TooManyCodes
from core.errors import InvalidOrder
from core.ids import shown
from stage.cast import Member

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

AT_ONCE = 6


def an_allowed_login(member: Member) -> str:
    begun = begin_device_login(client_name="a tool", scopes=["clips:read"], days=7, asked_from=None)
    login = open_device_login(actor=member.actor, user_code=begun.user_code)
    allow_device_login(
        actor=member.actor,
        shown_id=shown("device_login", login.id),
        scopes=["clips:read"],
        days=7,
        auth_method="password",
    )
    return begun.device_code


def tokens(member: Member) -> int:
    return Credential.objects.filter(party_id=member.party_id, kind="token").count()


def test_of_many_polls_at_once_one_takes_the_token(tester, at_once):
    code = an_allowed_login(tester)
    outcomes = at_once(AT_ONCE, lambda _number: take_device_login(device_code=code))
    assert sum(isinstance(outcome, Taken) for outcome in outcomes) == 1
    refused = [outcome for outcome in outcomes if not isinstance(outcome, Taken)]
    assert {type(outcome) for outcome in refused} == {NotTaken}, refused
    assert {outcome.error for outcome in refused} == {"invalid_grant"}
    assert tokens(tester) == 1


def test_control_polls_that_only_look_take_two_tokens(tester, at_once, database, monkeypatch):
    """Without the lock on the row, and without the database's own law behind it."""
    code = an_allowed_login(tester)
    both_looked = threading.Barrier(2)

    def only_look(login_id: Any) -> bool:
        is_allowed = DeviceLogin.objects.filter(id=login_id, state="allowed").exists()
        both_looked.wait(60)
        return is_allowed

    monkeypatch.setattr(commands, "_hold", only_look)
    database.superuser.execute("ALTER TABLE accounts_devicelogin DISABLE TRIGGER device_login_law")
    try:
        outcomes = at_once(2, lambda _number: take_device_login(device_code=code))
    finally:
        database.superuser.execute(
            "ALTER TABLE accounts_devicelogin ENABLE TRIGGER device_login_law"
        )
    assert all(isinstance(outcome, Taken) for outcome in outcomes), outcomes
    assert tokens(tester) == 2


def test_a_sign_out_that_comes_first_leaves_nothing_to_take(tester, at_once):
    code = an_allowed_login(tester)

    def one(number: int) -> Any:
        if number == 0:
            return end_session(tester.actor.credential_id, reason="signed_out")
        return take_device_login(device_code=code)

    _ended, outcome = at_once(2, one)
    if isinstance(outcome, Taken):
        assert tokens(tester) == 1  # it came first
    else:
        assert isinstance(outcome, NotTaken)
        assert outcome.error == "access_denied"
        assert tokens(tester) == 0


def test_of_many_codes_typed_at_once_ten_are_looked_up(tester, at_once):
    def one(_number: int) -> Any:
        return open_device_login(actor=tester.actor, user_code=new_user_code())

    assert tester.actor.is_portal
    outcomes = at_once(TRIES + 6, one)
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds.count(InvalidOrder) == TRIES
    assert kinds.count(TooManyCodes) == 6
    assert DeviceLoginTry.objects.filter(party_id=tester.party_id).count() == TRIES


def test_two_people_who_type_one_code_at_once_do_not_both_open_it(tester, second_tester, at_once):
    begun = begin_device_login(client_name="a tool", scopes=["clips:read"], days=7, asked_from=None)
    actors = [tester.actor, second_tester.actor]
    outcomes = at_once(
        2, lambda number: open_device_login(actor=actors[number], user_code=begun.user_code)
    )
    assert sum(isinstance(outcome, DeviceLogin) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, InvalidOrder) for outcome in outcomes) == 1
    assert DeviceLogin.objects.get().opened_by_id in {actor.party_id for actor in actors}
