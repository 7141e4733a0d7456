"""One query, one answer for everything that does not count."""

import pytest

from accounts.credentials.commands import end_credential, revoke_token
from accounts.credentials.models import Credential
from accounts.credentials.queries import actor_by_token
from accounts.credentials.rules import TOKEN_SCOPES, Letter, new_token
from accounts.entrance.commands import close_account, open_account
from accounts.programmes.models import Membership
from core.clock import CoreNow
from stage.cast import api_of

pytestmark = pytest.mark.django_db


def credential_of(token):
    return Credential.objects.get(key_id=token[6:18])


def test_a_token_is_recognised_by_one_query(tester, django_assert_num_queries):
    token = tester.token()
    with django_assert_num_queries(1):
        actor = actor_by_token(token)
    assert actor.party_id == tester.party_id
    assert actor.programme_id == tester.programme.id
    assert actor.scopes == set(TOKEN_SCOPES)
    assert actor.roles == {"tester"}
    assert not actor.is_portal


def test_an_unknown_key_costs_what_a_wrong_secret_costs(tester, django_assert_num_queries):
    _parts, stranger = new_token(Letter.TESTER)
    with django_assert_num_queries(1):
        assert actor_by_token(stranger) is None


def wrong_secret(tester, clock):
    from accounts.credentials.rules import checksum

    token = tester.token()
    body = token[:18] + "0" * 43
    return body + checksum(body)


def expired(tester, clock):
    token = tester.token(days=1)
    clock.advance(days=1)
    return token


def revoked(tester, clock):
    token = tester.token()
    revoke_token(actor=tester.actor, credential_id=credential_of(token).id)
    return token


def quarantined(tester, clock):
    token = tester.token()
    Credential.objects.filter(key_id=token[6:18]).update(state="quarantined")
    return token


def of_somebody_who_left(tester, clock):
    token = tester.token()
    Membership.objects.filter(party_id=tester.party_id).update(ended_at=CoreNow())
    return token


def of_a_closed_account(tester, clock):
    token = tester.token()
    close_account(person=tester.person)
    return token


def unknown(tester, clock):
    return new_token(Letter.TESTER)[1]


def nonsense(tester, clock):
    return "grm_t_nonsense"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "made",
    [
        wrong_secret,
        expired,
        revoked,
        quarantined,
        of_somebody_who_left,
        of_a_closed_account,
        unknown,
        nonsense,
    ],
)
def test_whatever_does_not_count_gets_the_same_answer(made, tester, clock, anybody):
    token = made(tester, clock)
    answer = api_of(token).get("/api/v1/tokens")
    nobody = anybody.get("/api/v1/tokens")
    assert answer.status_code == nobody.status_code == 401
    assert answer.json() == nobody.json()
    assert answer.headers["WWW-Authenticate"] == nobody.headers["WWW-Authenticate"]


@pytest.mark.django_db(transaction=True)
def test_a_token_works_until_the_moment_it_ends_and_not_at_it(tester, clock):
    clock.stop()
    token = tester.token(days=1)
    clock.advance(hours=23, minutes=59, seconds=59)
    assert actor_by_token(token) is not None
    clock.advance(seconds=1)
    assert actor_by_token(token) is None


def test_a_token_speaks_for_its_own_programme_only(tester, other_programme):
    assert actor_by_token(tester.token()).programme_id != other_programme.id


def test_a_reopened_account_finds_its_tokens_working(tester):
    token = tester.token()
    close_account(person=tester.person)
    open_account(person=tester.person)
    assert actor_by_token(token) is not None


def test_a_revoked_token_never_works_again(tester):
    token = tester.token()
    credential = credential_of(token)
    revoke_token(actor=tester.actor, credential_id=credential.id)
    revoke_token(actor=tester.actor, credential_id=credential.id)
    assert not end_credential(
        credential.id, state=Credential.State.EXPIRED, reason="again", actor=None
    )
    credential.refresh_from_db()
    assert credential.state == "revoked"
