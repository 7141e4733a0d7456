"""The honest deeds beside the attacks on a programme of one's own, and what its laws do."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from invariants import leaving_attacks as leaving
from invariants import own_programme_attacks as own
from invariants.deeds import FREE, Deed, Statement, change, clone
from invariants.own_programme_world import membership_of
from invariants.world import World

from greenroom.embedded.roles import APP
from stage.clock import Clock

SENT_ANEW = (
    "number = number + 1, digest = '\\x01', sent_at = core_now(),"
    " expires_at = expires_at + interval '1 day'"
)


def an_opened_programme(w: World) -> list[Statement]:
    studio = f"programme_id = '{w.tester.programme.id}'"
    terms = [
        statement
        for table in ("accounts_particulars", "accounts_agreementversion")
        for statement in own.again(table, f"{studio} AND number = 1", programme_id=FREE)
    ]
    budget = clone("accounts_budget", f"{studio} AND party_id IS NULL", programme_id=FREE)
    opened = "is_open = true, opened_at = core_now()"
    return [
        *own.a_programme(),
        *terms,
        *budget,
        *change("accounts_programme", opened, f"id = '{FREE}'"),
    ]


def an_answer(w: World) -> list[Statement]:
    """Looked at and accepted in one go, with one's own credential."""
    whose = {"party_id": w.second_tester.party_id}
    version = w.second_tester.programme.agreements.get().id
    return [
        *own.again("accounts_agreementview", version_id=version, **whose),
        *own.an_answer(version_id=version, credential_id=w.others_credential, **whose),
    ]


def a_person_gone(w: World) -> list[Statement]:
    whose = f"party_id = '{w.own.gone.party_id}'"
    details = f"person_id = (SELECT id FROM accounts_person WHERE {whose})"
    return [
        (f"DELETE FROM accounts_personaldetail WHERE {details}", {}),
        (f"DELETE FROM accounts_person WHERE {whose}", {}),
        *leaving.the_erasure(w, "done_at = core_now(), waits_for = ''"),
    ]


HONEST: dict[str, Deed] = {
    **{
        f"the next version of {table} is published": lambda _, t=table: own.a_version(t)
        for table in own.VERSIONED
    },
    "a programme is made and opened": an_opened_programme,
    "a programme is closed": lambda _: change(
        "accounts_programme", "is_open = false", "slug = 'studio'"
    ),
    "a role is granted for a while": lambda w: own.a_role(w, "manager", expires_at="2998-01-01"),
    "a tester reviews, too": lambda w: own.a_role(w, "reviewer"),
    "who left comes back": lambda w: own.a_membership(w.own.gone.party_id),
    "an administrator makes another": lambda w: own.an_administrator(
        w, granted_by_id=w.own.chief.party_id
    ),
    "a second cohort is made": lambda _: own.a_cohort(),
    "the name of a cohort that ended is used again": lambda w: own.a_cohort(
        name="winter", programme_id=w.tester.programme.id
    ),
    "a seat is taken again": own.a_seat,
    "an invitation is sent anew": lambda _: [
        *own.an_invitation(sent_at=own.LONG_AGO),
        *change("accounts_invitation", SENT_ANEW, "digest = '\\x00'"),
    ],
    "a version is looked at and accepted": an_answer,
    "a consent is given for one's own clip": lambda w: own.a_consent(w, clip_id=w.clip),
    "who left takes a consent back": lambda w: own.a_consent(
        w, deed="revoked", party_id=w.own.gone.party_id, credential_id=None
    ),
    "a mail is sent and comes back": lambda w: [
        *leaving.the_mail(w, "waiting", "state = 'sent', ended_at = core_now()"),
        *leaving.the_mail(w, "waiting", "state = 'bounced', failure = 'unknown'"),
    ],
    "a notice goes into its reader's mail": lambda w: [
        *clone("accounts_mail", "state = 'waiting'", id=FREE, kind="notice", digest_day=None,
               invitation_id=None, invitation_number=None, party_id=w.second_tester.party_id),
        *change("accounts_notice", f"mail_id = '{FREE}'", f"id = '{w.own.notice_of_another}'"),
    ],
    "a manager announces": lambda _: leaving.an_announcement(cohort_id=None),
    "an administrator announces": lambda w: leaving.an_announcement(
        made_by_id=w.own.chief.party_id
    ),
    "a manager answers": lambda w: leaving.a_remark(
        w, role="manager", author_id=w.review.manager.party_id
    ),
    "a conversation about one's own clip begins": lambda w: leaving.a_conversation(
        w, party_id=w.tester.party_id, clip_id=w.clip
    ),
    "an export is made ready and ends": lambda _: [
        *leaving.made_ready("exports/second_tester.zip"),
        *change(
            "accounts_export",
            "state = 'ended', ended_at = core_now()",
            "storage_key = 'exports/second_tester.zip'",
        ),
    ],
    "a person is erased": a_person_gone,
    "a clip's files go": lambda w: leaving.the_removal(w, "going", leaving.DONE),
    "a removal is announced and stopped": lambda w: [
        *leaving.a_removal(w),
        *leaving.the_removal(w, "kept", leaving.STOPPED),
    ],
    "a job begins with an allowed model": leaving.a_job_now,
}  # fmt: skip


@pytest.mark.parametrize("name", HONEST)
def test_the_application_may_do_what_is_right(name, world, roles):
    with roles[APP].transaction(force_rollback=True):
        for sql, values in HONEST[name](world):
            assert roles[APP].execute(sql, values).rowcount == 1, sql
        roles[APP].execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_whoever_leaves_takes_no_role_and_no_seat_along(world, roles):
    """Nor does a later membership bring them back."""
    app, tester = roles[APP], world.tester
    old = membership_of(tester).id
    asked = (
        "SELECT (SELECT count(*) FROM accounts_rolegrant WHERE membership_id = %(m)s AND"
        " ended_at IS NULL), (SELECT count(*) FROM accounts_cohortseat WHERE membership_id = %(m)s"
        " AND ended_at IS NULL), accounts_holds(%(p)s, %(who)s, ARRAY['tester'])"
    )
    whose = {"m": old, "p": tester.programme.id, "who": tester.party_id}
    with app.transaction(force_rollback=True):
        assert app.execute(asked, whose).fetchone() == (1, 1, True)
        for statements in (own.leaves(tester.party_id), own.a_membership(tester.party_id)):
            for sql, values in statements:
                app.execute(sql, values)
        assert app.execute(asked, whose).fetchone() == (0, 0, False)


def test_nobody_sits_in_a_cohort_that_is_over(world, roles):
    app, autumn = roles[APP], {"cohort": world.own.cohorts["autumn"]}
    seats = "SELECT count(*) FROM accounts_cohortseat WHERE cohort_id = %(cohort)s AND ended_at IS"
    with app.transaction(force_rollback=True):
        (before,) = app.execute(f"{seats} NULL", autumn).fetchone()
        assert before > 0
        app.execute(
            "UPDATE accounts_cohort SET ended_at = core_now() WHERE id = %(cohort)s", autumn
        )
        assert app.execute(f"{seats} NULL", autumn).fetchone() == (0,)
        assert app.execute(f"{seats} NOT NULL", autumn).fetchone()[0] >= before


def test_a_role_whose_time_is_up_gives_nothing(world, roles, database):
    app, tester = roles[APP], world.tester
    asked = "SELECT accounts_holds(%s, %s, ARRAY['reviewer'])"
    whose = [tester.programme.id, tester.party_id]
    clock = Clock(database)
    until = clock.now().replace(year=2990)
    with app.transaction(force_rollback=True):
        ((sql, values),) = own.a_role(world, "reviewer", expires_at=until.isoformat())
        app.execute(sql, values)
        assert app.execute(asked, whose).fetchone() == (True,)
        try:
            clock.set(until)
            assert app.execute(asked, whose).fetchone() == (False,)
        finally:
            database.superuser.execute("UPDATE test.clock SET frozen_at = NULL")


def published_at(connection: psycopg.Connection[Any], statements: list[Statement]) -> Any:
    ((sql, values),) = statements
    row = connection.execute(f"{sql} RETURNING published_at", values).fetchone()
    assert row is not None
    return row[0]


def test_a_publisher_who_began_first_and_came_second_is_no_earlier_for_that(world, roles, database):
    """Else it could not be told what was in force in between."""
    slow, where = database.connect(APP), world.stranger.programme.id
    try:
        slow.execute("SELECT core_now()")
        quick_one, slow_one = (
            own.again("accounts_calendarversion", "number = 1", number=number, programme_id=where)
            for number in (1, 2)
        )
        first = published_at(roles[APP], quick_one)
        second = published_at(slow, slow_one)
        assert slow.execute("SELECT core_now() < %s", [first]).fetchone() == (True,)
        assert second == first
    finally:
        slow.close()


def test_a_model_that_nobody_named_is_allowed_only_where_there_is_no_list(world, roles):
    app = roles[APP]
    asked = "SELECT model_is_allowed(%s, 'still'), model_is_allowed(%s, 'film')"
    here, elsewhere = world.tester.programme.id, world.stranger.programme.id
    assert app.execute(asked, [here, here]).fetchone() == (True, False)
    assert app.execute(asked, [elsewhere, elsewhere]).fetchone() == (True, True)
    with app.transaction(force_rollback=True):
        ((sql, values),) = own.a_version("generation_allowedmodels", slugs=["still", None])
        app.execute(sql, values)
        assert app.execute(asked, [here, here]).fetchone() == (True, False)


def test_of_two_who_write_the_same_number_at_once_one_is_refused(world, roles, database):
    """The second waits for the first, and then meets its number."""
    first, second = (database.connect(APP) for _ in range(2))
    try:
        second.execute("SET lock_timeout = '200ms'")
        ((sql, values),) = own.a_version("accounts_retentionversion")
        first.execute(sql, values)
        ((sql, values),) = own.a_version("accounts_retentionversion")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            second.execute(sql, values)
    finally:
        first.close()
        second.close()
