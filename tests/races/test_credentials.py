"""What a credential may still do while it is being taken away, and how many there may be."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.credentials import commands as credentials
from accounts.credentials.commands import lock_live_credential, mint_token, revoke_token
from accounts.credentials.models import Credential
from accounts.credentials.rules import TOKEN_SCOPES, TOKENS_PER_PARTY
from accounts.quotas.queries import discrepancies
from core.errors import Anonymous, InvalidOrder
from core.idempotency.commands import Once
from generation.jobs import commands as jobs
from generation.jobs.commands import submit_job
from generation.jobs.models import Job
from stage.builders import a_model, a_wish
from stage.cast import Member
from stage.together import wait_until

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

SUBMITTERS = 12
MOST_JOBS = 100  # of each submitter, before it is clear that the revocation never comes


def committed_at(database: Any, kind: str) -> list[Any]:
    """When the transactions behind audit lines of this kind were committed, to the microsecond."""
    rows = database.superuser.execute(
        "SELECT pg_xact_commit_timestamp(e.xid::text::bigint::text::xid)"
        " FROM core_auditevent e WHERE e.kind = %s",
        [kind],
    ).fetchall()
    return [row[0] for row in rows]


def test_no_job_is_committed_after_its_credential_was_revoked(tester, at_once, database):
    a_model()
    token, portal = tester.token_actor(), tester.actor

    def one(number: int) -> int:
        if number == 0:
            wait_until(lambda: Job.objects.count() > SUBMITTERS)
            revoke_token(actor=portal, credential_id=token.credential_id)
            return 0
        for done in range(MOST_JOBS):
            try:
                submit_job(actor=token, wish=a_wish())
            except Anonymous:
                return done
        return MOST_JOBS

    outcomes = at_once(SUBMITTERS + 1, one)
    assert max(outcomes) < MOST_JOBS, "those who hammered kept the revocation waiting"
    assert sum(outcomes) == Job.objects.filter(credential_id=token.credential_id).count()
    (revoked,) = committed_at(database, "credential.revoked")
    assert max(committed_at(database, "job.submitted")) < revoked
    assert discrepancies() == []


def test_a_revocation_waits_for_the_submit_that_came_first(tester, at_once, database, monkeypatch):
    a_model()
    token, portal = tester.token_actor(), tester.actor
    has_lock = threading.Event()
    real = jobs.quote

    def slow_quote(wish: Any, **place: Any) -> Any:
        has_lock.set()
        wait_until(database.waiting)
        return real(wish, **place)

    monkeypatch.setattr(jobs, "quote", slow_quote)

    def one(number: int) -> Any:
        if number == 0:
            return submit_job(actor=token, wish=a_wish())
        has_lock.wait(60)
        return revoke_token(actor=portal, credential_id=token.credential_id)

    job, revoked = at_once(2, one)
    assert isinstance(job, Job)
    assert revoked.state == "revoked"
    (submitted,), (ended,) = (
        committed_at(database, kind) for kind in ("job.submitted", "credential.revoked")
    )
    assert submitted < ended


def test_control_a_submit_that_only_looks_is_committed_after_the_revocation(
    tester, at_once, database, monkeypatch
):
    a_model()
    token, portal = tester.token_actor(), tester.actor
    has_looked, is_revoked = threading.Event(), threading.Event()

    def only_look(credential_id: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT state FROM accounts_credential WHERE id = %s", [credential_id])
            assert cursor.fetchone() == ("active",)
        has_looked.set()
        is_revoked.wait(60)

    monkeypatch.setattr(jobs, "lock_live_credential", only_look)

    def one(number: int) -> Any:
        if number == 0:
            return submit_job(actor=token, wish=a_wish())
        has_looked.wait(60)
        revoke_token(actor=portal, credential_id=token.credential_id)
        is_revoked.set()
        return None

    assert isinstance(at_once(2, one)[0], Job)
    assert committed_at(database, "job.submitted") > committed_at(database, "credential.revoked")


def test_who_comes_after_a_revocation_that_waits_does_not_overtake_it(tester, at_once, database):
    token, portal = tester.token_actor(), tester.actor
    first_has_it = threading.Event()

    def one(number: int) -> Any:
        if number == 0:
            with transaction.atomic():
                lock_live_credential(token.credential_id)
                first_has_it.set()
                wait_until(lambda: database.waiting() == 2)
            return "first"
        first_has_it.wait(60)
        if number == 1:
            return revoke_token(actor=portal, credential_id=token.credential_id)
        wait_until(database.waiting)
        with transaction.atomic():
            return lock_live_credential(token.credential_id)

    first, revoked, late = at_once(3, one)
    assert first == "first"
    assert revoked.state == "revoked"
    assert isinstance(late, Anonymous)


def test_control_a_row_lock_for_share_alone_overtakes_the_revocation(tester, database):
    token = tester.token_actor().credential_id
    share = f"SELECT state FROM accounts_credential WHERE id = '{token}' FOR SHARE"

    def revoke() -> None:
        with database.connect() as revoker:
            revoker.execute(
                "UPDATE accounts_credential SET state = 'revoked', ended_at = core_now()"
                " WHERE id = %s",
                [token],
            )

    with database.connect() as first, ThreadPoolExecutor(1) as other:
        first.execute(share)
        revocation = other.submit(revoke)
        wait_until(database.waiting)
        with database.connect() as late:
            late.execute("SET lock_timeout = '20s'")
            assert late.execute(share).fetchone() == ("active",)
        first.rollback()
        revocation.result()


def fill_up_to_one(member: Member) -> None:
    for _ in range(TOKENS_PER_PARTY - 1):
        member.token()


def mint(member: Member, number: int) -> str:
    _, text = mint_token(
        actor=member.actor,
        name=f"token {number}",
        reason="a rehearsal",
        scopes=TOKEN_SCOPES,
        days=7,
        auth_method="password",
        once=Once.of(scope="tokens", key=f"k-{number}", payload=None),
        answer=lambda _credential: (201, {}),
    )
    return text


def held(member: Member) -> int:
    return Credential.objects.filter(party_id=member.party_id, kind="token").count()


def test_of_eight_mints_at_once_one_gets_the_last_token(tester, at_once):
    fill_up_to_one(tester)
    assert tester.actor.is_portal
    outcomes = at_once(8, lambda number: mint(tester, number))
    assert sum(isinstance(outcome, str) for outcome in outcomes) == 1
    refused = [outcome for outcome in outcomes if not isinstance(outcome, str)]
    assert all(isinstance(outcome, InvalidOrder) for outcome in refused), refused
    assert {outcome.code for outcome in refused} == {"too_many_tokens"}
    assert held(tester) == TOKENS_PER_PARTY


def test_control_without_the_lock_of_the_party_all_eight_count_the_same_nine(
    tester, at_once, monkeypatch
):
    fill_up_to_one(tester)
    assert tester.actor.is_portal
    all_have_counted = threading.Barrier(8)
    real = credentials._insert_token

    def insert_late(**parts: Any) -> Any:
        all_have_counted.wait(60)
        return real(**parts)

    monkeypatch.setattr(credentials, "_lock_party", lambda _party_id: None)
    monkeypatch.setattr(credentials, "_insert_token", insert_late)
    at_once(8, lambda number: mint(tester, number))
    assert held(tester) > TOKENS_PER_PARTY
