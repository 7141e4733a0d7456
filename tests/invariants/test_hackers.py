"""What somebody with the application's password would try next, and the honest deeds beside it.

The honest ones show that an attack is refused for what is wrong in it and for nothing else.
"""

from __future__ import annotations

import pytest
from invariants import money_attacks as money
from invariants import own_programme_attacks as own
from invariants import review_attacks as review
from invariants.deeds import FREE, NO_RIGHT, RAISED, Deed, Statement, change, clone
from invariants.own_programme_world import membership_of
from invariants.refusals import refusal_of
from invariants.world import World

from greenroom.embedded.roles import APP, OWNER


def a_whole_decision(w: World) -> list[Statement]:
    return [
        *review.a_decision(w, "sound decline"),
        *review.some_evidence(),
        *review.closed(w, "sound decline", "declined"),
    ]


def a_paid_release(w: World) -> list[Statement]:
    clip = w.review.decisions["second word"].chain_id
    act = clone(
        "review_act",
        "kind = 'release'",
        id=FREE,
        subject_id=clip,
    )
    ((sql, values),) = act
    # It happens in the moment of the release, which only the database knows.
    sql = sql.replace(
        "%(other)s::jsonb", "%(other)s::jsonb || jsonb_build_object('occurred_at', core_now())"
    )
    lines = {"fees": 5 * money.EURO, "owed": -5 * money.EURO}
    return [
        *review.a_release(w),
        (sql, values),
        *money.a_posting(w, "act", lines, act_id=FREE),
    ]


def an_earning(w: World) -> list[Statement]:
    return [
        *money.accepted(w),
        *money.an_act(w),
        *money.a_posting(w, "act", money.EARNED, act_id=FREE),
    ]


def a_payment(w: World) -> list[Statement]:
    lines = {"owed": 2 * money.EURO, "treasury": -2 * money.EURO}
    return [
        *money.a_posting(w, "payout", lines),
        *money.paid_out(w, "approved", transaction_id=f"'{FREE}'"),
    ]


def a_reversal(w: World) -> list[Statement]:
    lines = {"treasury": -3 * money.EURO, "funder": 3 * money.EURO}
    undone = w.review.transactions["small change"]
    return money.a_posting(w, "reversal", lines, reverses_id=undone)


HONEST: dict[str, Deed] = {
    "a clip is put forward": review.put_forward,
    "a withdrawn clip is put forward again": lambda w: review.put_forward_again(w, "withdrawn"),
    "a reviewer takes a case": lambda w: review.claimed_by(
        w, w.review.third_reviewer.party_id, slot=3
    ),
    "a verdict is pressed anew": lambda w: review.pressed_anew(
        w, f"outcome = 'approved', {review.PRESSED_NOW}"
    ),
    "a due verdict becomes a decision": a_whole_decision,
    "a decision is appealed": lambda w: [*review.a_second_round(w), *review.an_appeal(w)],
    "an approved clip is released and paid for": a_paid_release,
    "a contribution is accepted and paid for": an_earning,
    "a contribution is declined": lambda w: money.declined(w, money.LONG_ENOUGH),
    "money is set aside": lambda w: money.a_posting(w, "funding", money.FUNDED),
    "a funding is reversed": a_reversal,
    "a payout is proposed": money.a_payout,
    "a payout is approved": lambda w: [
        *money.an_approval(w, approver_id=w.review.manager.party_id),
        *change("review_payout", "state = 'approved'", w.review.payout("proposed")),
    ],
    "a payout is paid": a_payment,
}


@pytest.mark.parametrize("name", HONEST)
def test_the_application_may_do_what_is_right(name, world, roles):
    with roles[APP].transaction(force_rollback=True):
        for sql, values in HONEST[name](world):
            assert roles[APP].execute(sql, values).rowcount == 1, sql
        roles[APP].execute("SET CONSTRAINTS ALL IMMEDIATE")


def owed_twice(w: World) -> list[Statement]:
    lines = {"fees": 4 * money.EURO, "owed": -2 * money.EURO, "others owed": -2 * money.EURO}
    return [
        *money.accepted(w),
        *money.an_act(w),
        *money.a_posting(w, "act", lines, act_id=FREE),
    ]


def two_paid_by_one_approval(w: World) -> list[Statement]:
    lines = {
        "owed": 2 * money.EURO,
        "others owed": 2 * money.EURO,
        "treasury": -4 * money.EURO,
    }
    return [
        *money.a_posting(w, "payout", lines),
        *money.paid_out(w, "approved", transaction_id=f"'{FREE}'"),
    ]


def mirrored(w: World, kind: str, lines: dict[str, int]) -> list[Statement]:
    ((sql, values), *rest) = money.a_posting(w, "reversal", lines)
    undone = (
        "(SELECT t.id FROM review_ledgertransaction t JOIN review_ledgerentry e"
        " ON e.transaction_id = t.id"
        f" WHERE t.kind = '{kind}' AND e.account_id = '{w.review.accounts['owed']}'"
        f" AND e.amount_micro = {-lines['owed']} LIMIT 1)"
    )
    sql = sql.replace(
        "%(other)s::jsonb", f"%(other)s::jsonb || jsonb_build_object('reverses_id', {undone})"
    )
    return [(sql, values), *rest]


def written_over(table: str, where: str, how: str) -> Statement:
    select = f"SELECT * FROM review_{table} WHERE {where}"
    return (f"INSERT INTO review_{table} {select} ON CONFLICT {how}", {})


def reopened_by_a_merge(w: World) -> list[Statement]:
    merge = (
        "MERGE INTO review_contribution c USING (SELECT) AS nothing"
        f" ON c.{w.review.contribution('declined')}"
        " WHEN MATCHED THEN UPDATE SET state = 'filed', triaged_by_id = NULL,"
        " triaged_at = NULL, decline_reason = '', answer = ''"
    )
    return [(merge, {})]


HACKS: dict[str, tuple[str, Deed]] = {
    "the words of a decision are changed on the way from the press": (
        "a_decision_is_a_verdict_that_is_due",
        lambda w: review.a_decision(
            w, "sound decline", reason="Because it makes fun of the programme."
        ),
    ),
    "a verdict is rewritten when its ten seconds are over": (
        "it_happens_when_it_is_written",
        lambda w: change(
            "review_verdict", "reason = 'Something else.'", w.review.of_case("sound decline")
        ),
    ),
    "a verdict is pressed and decided at once": (
        "a_decision_is_a_verdict_that_is_due",
        lambda w: [
            *change(
                "review_verdict",
                f"outcome = 'approved', {review.PRESSED_NOW}",
                w.review.of_case("sound approval"),
            ),
            *review.a_decision(w, "sound approval"),
        ],
    ),
    "what was declined is withdrawn, to be put forward anew": (
        "case_moves",
        lambda w: change("review_case", "state = 'withdrawn'", w.review.case("declined")),
    ),
    "whoever is named on a clip becomes a reviewer and takes it": (
        "only_who_may_judge_claims",
        lambda w: [
            *own.a_role(w, "reviewer", membership_id=membership_of(w.second_tester).id),
            *review.claimed_by(w, w.second_tester.party_id),
        ],
    ),
    "the first judge takes the appeal": (
        "only_who_may_judge_claims",
        lambda w: change(
            "review_case",
            f"state = 'claimed', lease_by_id = '{w.reviewer.party_id}',"
            " lease_until = core_now(), lease_slot = 1, lease_number = lease_number + 1",
            w.review.case("appeal"),
        ),
    ),
    "whoever said they know the maker takes the next submission of the clip": (
        "only_who_may_judge_claims",
        lambda w: [
            *review.put_forward_again(w, "withdrawn"),
            *change(
                "review_case",
                f"state = 'claimed', lease_by_id = '{w.review.third_reviewer.party_id}',"
                " lease_until = core_now(), lease_slot = 3, lease_number = 1",
                f"submission_id = '{FREE}'",
            ),
        ],
    ),
    "a lease is handed on without a claim": (
        "case_lease_is_claimed",
        lambda w: change(
            "review_case",
            f"lease_by_id = '{w.reviewer.party_id}', lease_number = lease_number + 1",
            w.review.case("claimed"),
        ),
    ),
    "an earning is moved to a moment of its own": (
        "an_act_was_done",
        lambda w: [
            *money.accepted(w),
            *money.an_act(w, occurred_at=w.review.contributions["declined"].filed_at),
            *money.a_posting(w, "act", money.EARNED, act_id=FREE),
        ],
    ),
    "one act is owed to two": ("lines_are_those_of_their_kind", owed_twice),
    "money leaves without a payout": (
        "lines_are_those_of_their_kind",
        lambda w: money.a_posting(w, "payout", {"owed": money.EURO, "treasury": -money.EURO}),
    ),
    "two are paid by one approval": (
        "lines_are_those_of_their_kind",
        two_paid_by_one_approval,
    ),
    "a payment is reversed, to be paid again": (
        "a_reversal_is_a_mirror",
        lambda w: mirrored(w, "payout", {"owed": -5 * money.EURO, "treasury": 5 * money.EURO}),
    ),
    "an earning is taken back": (
        "a_reversal_is_a_mirror",
        lambda w: mirrored(w, "act", {"fees": -2 * money.EURO, "owed": 2 * money.EURO}),
    ),
    "more is paid than is owed": (
        "balance_within_its_bounds",
        lambda w: money.a_posting(
            w, "payout", {"owed": 3 * money.EURO, "treasury": -3 * money.EURO}
        ),
    ),
    "a line is slipped into a committed posting behind a savepoint": (
        "a_transaction_is_sealed",
        lambda w: [
            ("SAVEPOINT quietly", {}),
            *clone("review_ledgerentry", line=9),
        ],
    ),
    "a balance is written from an anonymous block": (
        "a_balance_is_the_sum_of_its_lines",
        lambda _: [("DO $$ BEGIN UPDATE review_ledgerbalance SET balance_micro = 0; END $$", {})],
    ),
    "a balance is written over by an insert": (
        "a_balance_is_the_sum_of_its_lines",
        lambda _: [
            written_over("ledgerbalance", "true", "(account_id) DO UPDATE SET balance_micro = 0")
        ],
    ),
    "a payout is approved over by an insert": (
        "a_payout_is_approved_before_it_is_paid",
        lambda w: [
            written_over(
                "payout", w.review.payout("proposed"), "(id) DO UPDATE SET state = 'approved'"
            )
        ],
    ),
    "a finished answer is merged into another": (
        "contribution_moves",
        reopened_by_a_merge,
    ),
}


@pytest.mark.parametrize("role", [APP, OWNER])
@pytest.mark.parametrize("name", HACKS)
def test_cleverness_meets_the_same_rules(name, role, world, roles):
    rule, deed = HACKS[name]
    assert refusal_of(roles[role], deed(world)).constraint_name == rule


@pytest.mark.parametrize("table", ["decision", "ledgerentry", "submission", "act", "clause"])
def test_history_is_not_written_over_by_an_insert(table, world, roles):
    over = written_over(table, "true", "(id) DO UPDATE SET id = EXCLUDED.id")
    assert refusal_of(roles[APP], [over]).sqlstate == NO_RIGHT
    owner = refusal_of(roles[OWNER], [over])
    # Rows that come with another in one transaction are refused before anybody looks further.
    assert owner.sqlstate == RAISED


TOOLS = {
    "lift a trigger": "ALTER TABLE review_case DISABLE TRIGGER case_law",
    "drop a trigger": "DROP TRIGGER case_law ON review_case",
    "lift a constraint": "ALTER TABLE review_decision DROP CONSTRAINT outcome_is_known",
    "silence all triggers": "SET session_replication_role = replica",
    "turn the clock": "CREATE OR REPLACE FUNCTION core_now() RETURNS timestamptz LANGUAGE sql"
    " AS $$ SELECT '1999-01-01'::timestamptz $$",
    "stand before a table": "CREATE TEMPORARY TABLE review_case (id uuid)",
    "stand before a function": "CREATE FUNCTION pg_temp.review_bar(uuid, uuid) RETURNS text"
    " LANGUAGE sql AS $$ SELECT NULL::text $$",
    "be the owner": f"SET ROLE {OWNER}",
    "give oneself a right": "SELECT core_grant('GRANT DELETE ON review_decision TO {app}')",
    "turn back the queue numbers": "SELECT setval('review_case_number', 1)",
    "read other people's secrets": "SELECT rolpassword FROM pg_authid",
}


@pytest.mark.parametrize("tool", TOOLS)
def test_the_application_has_no_tools(tool, world, roles):
    refused = refusal_of(roles[APP], [(TOOLS[tool], {})])
    assert refused.sqlstate == NO_RIGHT


def deceit(w: World) -> list[Statement]:
    """A rate of ours, a thousand times as high, in a table that stands before the true one."""
    return [
        ("CREATE TEMPORARY TABLE accounts_rate AS SELECT * FROM accounts_rate", {}),
        ("UPDATE pg_temp.accounts_rate SET amount_micro = 1000 * amount_micro", {}),
        *money.an_act(w, amount_micro=2000 * money.EURO),
    ]


def test_a_table_put_before_ours_deceives_no_law(world, roles):
    """The application may make none in our own cluster; on other people's servers it often may."""
    refused = refusal_of(roles[OWNER], deceit(world))
    assert refused.constraint_name == "an_act_earns_its_rate"


def test_control_a_law_that_looks_for_temporary_tables_first_is_deceived(world, roles):
    lifted: Statement = ("ALTER FUNCTION review_act_begins() RESET search_path", {})
    refused = refusal_of(roles[OWNER], [lifted, *deceit(world)])
    assert refused.constraint_name == "an_act_is_posted", "only the end of the deed was missing"
