"""Publishing while the credential it is done with ends, and while somebody earns."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.calendars.models import CalendarVersion
from accounts.credentials import commands as credentials
from accounts.credentials.commands import (
    end_credential,
    in_charge,
    revoke_sessions,
    revoke_token,
)
from accounts.credentials.models import Credential
from accounts.credentials.queries import actor_by_token
from accounts.credentials.rules import Scope
from accounts.programmes.commands import ParticularsWish, lock_programme, make_programme
from accounts.programmes.models import Particulars, Programme, Role
from accounts.rates import commands as rates
from accounts.rates.commands import publish_rate, wait_until_nobody_earns
from accounts.rates.models import Rate
from accounts.rates.rules import ActKind
from core.audit.models import AuditEvent
from core.errors import Anonymous, InvalidOrder
from greenroom.setup import defaults
from greenroom.setup.commands import keep_defaults
from review.contributions.commands import file_contribution
from review.contributions.models import Contribution
from stage.builders import a_model
from stage.cast import Member, a_member, api_of, client_of
from stage.money import a_contribution, a_contribution_wish, a_rate
from stage.together import wait_until

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

ROUNDS = 6
DOORS = {
    "calendar": {"week": defaults.WEEK, "holidays": []},
    "retention": {
        **dict.fromkeys(("draft_days", "unreleased_days", "released_days")),
        "warning_days": 14,
        "books_years": 10,
    },
    "models": {"models": ["still"]},
    "particulars": {"name": "Another name"},
    "rates": {"kind": "feedback", "amount_micro": 5},
    "credits": {"limit": 10**6},
    "defaults": {},
    "close": {},
    "policy": {
        "introduction": "By these alone.",
        "clauses": [{"ground": "hate", "title": "No hatred", "words": "Of anybody."}],
    },
    "charter": {"decide_within_hours": 72, "appeal_within_hours": 120, "appeal_open_days": 9},
}
ELSEWHERE = {
    "agreement/versions": {"text": "Other words.", "summary": "Other.", "changes": "All."},
    "consents/versions": {"purpose": "training", "is_asked": False, "words": "Nothing."},
}
PATHS = {f"programme/{door}": body for door, body in DOORS.items()} | ELSEWHERE


def written() -> set[str]:
    return set(AuditEvent.objects.values_list("kind", flat=True))


def wait_behind_the_row(programme: Programme, at_once: Any, database: Any, deed: Any, end: Any):
    """``deed`` waits for the programme's row until ``end`` has come and gone."""
    holds_it, has_ended = threading.Event(), threading.Event()

    def one(number: int) -> Any:
        if number == 0:
            with transaction.atomic():
                lock_programme(programme.id)
                holds_it.set()
                assert has_ended.wait(60), "who ends a credential waited for who publishes"
            return None
        holds_it.wait(60)
        if number == 1:
            return deed()
        wait_until(database.waiting)
        end()
        has_ended.set()
        return None

    _row, outcome, ended = at_once(3, one)
    assert ended is None, ended
    return outcome


# What a revoked credential publishes -----------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
def test_what_waits_while_its_token_is_revoked_publishes_nothing(path, manager, at_once, database):
    if path == "programme/models":
        a_model()
    text = manager.token()
    api, token, me = api_of(text), actor_by_token(text), manager.actor
    before = written()

    def deed() -> Any:
        return api.post(f"/api/v1/{path}", PATHS[path])

    def end() -> None:
        revoke_token(actor=me, credential_id=token.credential_id)

    outcome = wait_behind_the_row(manager.programme, at_once, database, deed, end)
    assert outcome.status_code == 401, outcome
    assert written() - before == {"credential.revoked"}


def test_without_a_revocation_each_of_them_is_published(manager):
    a_model()
    api = api_of(manager.token())
    refused = {
        path: answer.content
        for path, body in PATHS.items()
        if (answer := api.post(f"/api/v1/{path}", body)).status_code >= 400
    }
    assert refused == {}


def test_a_page_publishes_nothing_once_its_session_is_revoked(manager, at_once, database):
    client, me = client_of(manager.person), manager.actor

    def end() -> None:
        revoke_sessions(actor=me)

    outcome = wait_behind_the_row(
        manager.programme, at_once, database, lambda: client.post("/setup/close"), end
    )
    assert outcome.status_code in {302, 401}, outcome
    assert "programme.closed" not in written()
    assert Programme.objects.get(id=manager.programme.id).is_open


def test_who_manages_no_more_when_the_row_is_theirs_publishes_nothing(
    administrator, manager, at_once, database
):
    client, programme = client_of(manager.person), manager.programme
    holder = a_member(programme, Role.MANAGER, name="another manager")

    def end() -> None:
        with connection.cursor() as cursor:  # behind the row's back: who ends a role takes it
            cursor.execute(
                "UPDATE accounts_rolegrant g SET ended_at = core_now() FROM accounts_membership m"
                " WHERE m.id = g.membership_id AND m.party_id = %s AND g.ended_at IS NULL",
                [manager.party_id],
            )

    outcome = wait_behind_the_row(
        programme, at_once, database, lambda: client.post("/setup/close"), end
    )
    assert outcome.status_code == 404, (outcome, holder)
    assert Programme.objects.get(id=programme.id).is_open


def test_a_token_revoked_before_its_programme_is_made_makes_none(administrator, manager):
    me = administrator.actor
    end_credential(
        me.credential_id, state=Credential.State.REVOKED, reason="by_owner", actor=manager.actor
    )
    with pytest.raises(Anonymous), in_charge(me, Scope.PROGRAMMES_CREATE, None) as by:
        make_programme(slug="late", wish=ParticularsWish("Late"), actor=by)
    assert not Programme.objects.filter(slug="late").exists()


def test_control_a_door_that_asks_only_at_the_threshold_publishes(
    manager, at_once, database, monkeypatch
):
    text = manager.token()
    api, token, me = api_of(text), actor_by_token(text), manager.actor
    monkeypatch.setattr(
        credentials, "act_in", lambda _programme, actor, scope: actor.must_act(scope)
    )
    outcome = wait_behind_the_row(
        manager.programme,
        at_once,
        database,
        lambda: api.post("/api/v1/programme/calendar", PATHS["programme/calendar"]),
        lambda: revoke_token(actor=me, credential_id=token.credential_id),
    )
    assert outcome.status_code == 200
    ended_at = Credential.objects.get(id=token.credential_id).ended_at
    assert ended_at is not None
    assert CalendarVersion.objects.get().published_by_id == manager.party_id


# Nobody waits in a circle ------------------------------------------------------------------------


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_publishers_who_earn_and_who_end_credentials_do_not_wait_in_a_circle(
    programme, at_once, round_
):
    """All with the same credentials: earners hold one and wait for the rates, publishers hold the
    rates of a programme whose row others want."""
    both = a_member(programme, Role.TESTER, Role.MANAGER, name="artist and manager")
    a_rate(programme.id)
    actors = [both.token_actor() for _ in range(2)]
    me = both.actor

    def one(number: int) -> Any:
        actor = actors[number % 2]
        match number // 2:
            case 0 | 1:
                with in_charge(actor, Scope.PROGRAMME_WRITE, programme.id) as by:
                    return publish_rate(
                        programme_id=programme.id,
                        kind=ActKind.BUG_REPORT,
                        amount_micro=number,
                        actor=by,
                    )
            case 2 | 3:
                return a_contribution_with(actor)
            case 4:
                with in_charge(actor, Scope.PROGRAMME_WRITE, programme.id) as by:
                    return keep_defaults(programme_id=programme.id, actor=by)
        return revoke_token(actor=me, credential_id=actor.credential_id)

    outcomes = at_once(12, one)
    wrong = [
        each for each in outcomes if isinstance(each, Exception) and not isinstance(each, Anonymous)
    ]
    assert wrong == []
    for contribution in Contribution.objects.all():
        assert contribution.rate_id == in_force(programme, contribution)


def a_contribution_with(actor: Any) -> Contribution:
    return file_contribution(actor=actor, wish=a_contribution_wish())


def in_force(programme: Programme, contribution: Contribution) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rate_in_force(%s, %s, %s)",
            [programme.id, contribution.kind, contribution.filed_at],
        )
        return cursor.fetchone()[0]


def test_control_the_gate_before_the_row_is_a_circle(programme, at_once, monkeypatch):
    """As it must not be: one takes the gate of the rates first and the programme's row after it."""
    has_row, has_gate = threading.Event(), threading.Event()
    real = lock_programme

    def gate_first(programme_id: Any) -> Programme:
        wait_until_nobody_earns(programme_id)
        has_gate.set()
        has_row.wait(60)
        return real(programme_id)

    monkeypatch.setattr(rates, "lock_programme", gate_first)

    def one(number: int) -> Any:
        if number == 0:
            return publish_rate(
                programme_id=programme.id, kind=ActKind.FEEDBACK, amount_micro=number
            )
        has_gate.wait(60)
        with transaction.atomic():
            real(programme.id)
            has_row.set()
            wait_until_nobody_earns(programme.id)
        return None

    (stuck,) = [each for each in at_once(2, one) if isinstance(each, Exception)]
    assert "deadlock detected" in str(stuck)


# A rate begins after what was done ---------------------------------------------------------------


def publish_while_filing(tester: Member, at_once: Any, monkeypatch: Any) -> tuple[Any, Any]:
    """The publisher's transaction begins before a contribution that is committed before it."""
    a_rate(tester.programme.id)
    assert tester.actor.is_portal
    has_begun, is_filed = threading.Event(), threading.Event()
    real = rates.wait_until_nobody_earns

    def slowly(programme_id: Any) -> None:
        has_begun.set()
        is_filed.wait(60)
        real(programme_id)

    monkeypatch.setattr(rates, "wait_until_nobody_earns", slowly)

    def one(number: int) -> Any:
        if number == 0:
            return publish_rate(
                programme_id=tester.programme.id, kind=ActKind.BUG_REPORT, amount_micro=7
            )
        has_begun.wait(60)
        contribution = a_contribution(tester)
        is_filed.set()
        return contribution

    rate, contribution = at_once(2, one)
    assert isinstance(rate, Rate), rate
    assert isinstance(contribution, Contribution), contribution
    return rate, contribution


def test_a_publisher_who_began_first_and_waited_prices_nothing_afterwards(
    tester, at_once, monkeypatch
):
    rate, contribution = publish_while_filing(tester, at_once, monkeypatch)
    assert rate.applies_from > contribution.filed_at
    assert rate.published_at == rate.applies_from
    assert contribution.rate_id == in_force(tester.programme, contribution) != rate.id


def test_control_without_the_law_its_rate_slips_under_what_was_filed(
    tester, at_once, monkeypatch, database
):
    law = "TRIGGER rate_begins_after_what_was_done"
    database.superuser.execute(f"ALTER TABLE accounts_rate DISABLE {law}")
    try:
        rate, contribution = publish_while_filing(tester, at_once, monkeypatch)
    finally:
        database.superuser.execute(f"ALTER TABLE accounts_rate ENABLE {law}")
    assert rate.applies_from < contribution.filed_at
    assert contribution.rate_id != in_force(tester.programme, contribution) == rate.id


def test_of_two_who_publish_for_now_the_later_one_is_in_force(programme, at_once):
    """The one who began first and waited for the other is no earlier for that."""
    has_begun, is_published = threading.Event(), threading.Event()

    def one(number: int) -> Any:
        if number == 0:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SELECT core_now()")
                has_begun.set()
                is_published.wait(60)
                return publish_rate(
                    programme_id=programme.id, kind=ActKind.FEEDBACK, amount_micro=2
                )
        has_begun.wait(60)
        rate = publish_rate(programme_id=programme.id, kind=ActKind.FEEDBACK, amount_micro=1)
        is_published.set()
        return rate

    second, first = at_once(2, one)
    assert (first.number, second.number) == (1, 2)
    assert first.applies_from < second.applies_from


# Programmes of one slug --------------------------------------------------------------------------


def test_of_eight_who_make_a_programme_of_one_slug_one_makes_it(db, at_once):
    outcomes = at_once(
        8, lambda number: make_programme(slug="harbour", wish=ParticularsWish(f"{number}"))
    )
    assert sum(isinstance(each, Programme) for each in outcomes) == 1
    refused = [each for each in outcomes if not isinstance(each, Programme)]
    assert [getattr(each, "code", each) for each in refused] == ["slug_taken"] * 7
    assert all(isinstance(each, InvalidOrder) and each.field == "slug" for each in refused)
    assert Particulars.objects.count() == 1


def test_control_the_database_alone_answers_with_its_own_error(db, at_once):
    outcomes = at_once(8, lambda _number: Programme.objects.create(slug="harbour", name="H"))
    assert sum(isinstance(each, IntegrityError) for each in outcomes) == 7
