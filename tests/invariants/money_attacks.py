"""Deeds against the rules of contributions, acts, the ledger and payouts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from invariants.deeds import (
    A_HASH,
    FOREVER,
    FREE,
    LONG_AGO,
    Attack,
    Statement,
    again,
    change,
    checks,
    clone,
    foreign,
    raised,
    unique,
)
from invariants.review_attacks import ITS_TRANSACTION, LIFT, NOW_IT_HAPPENS, SOMEBODY_ELSES
from invariants.world import World

from core.ids import new_id
from review.payouts.rules import instruction_sha256

DROP = "ALTER TABLE {} DROP CONSTRAINT {}"
CENT, EURO = 10_000, 1_000_000
LONG_ENOUGH = "'This is why it is not, in words enough.'"
EARLY: Statement = ("SET CONSTRAINTS transaction_adds_up IMMEDIATE", {})


def a_contribution(w: World, **other: Any) -> list[Statement]:
    return again("review_contribution", w.review.contribution("filed"), **other)


def answered(w: World, name: str, state: str, by: Any, **other: str) -> list[Statement]:
    columns = {
        "state": f"'{state}'",
        "triaged_by_id": f"'{by}'",
        "triaged_at": "core_now()",
        **other,
    }
    written = ", ".join(f"{column} = {value}" for column, value in columns.items())
    return change("review_contribution", written, w.review.contribution(name))


def accepted(w: World) -> list[Statement]:
    return answered(w, "filed", "accepted", w.reviewer.party_id)


def declined(w: World, answer: str) -> list[Statement]:
    how = {"decline_reason": "'duplicate'", "answer": answer}
    return answered(w, "filed", "declined", w.reviewer.party_id, **how)


def an_act(w: World, **other: Any) -> list[Statement]:
    """What the filed report would earn if it was accepted."""
    filed = w.review.contributions["filed"]
    facts = {"id": FREE, "subject_id": filed.id, "occurred_at": filed.filed_at.isoformat()}
    return clone("review_act", f"subject_id = '{paid(w)}'", **{**facts, **other})


def paid(w: World) -> Any:
    return w.review.contributions["accepted"].id


def a_posting(w: World, kind: str, lines: dict[str, int], **other: Any) -> list[Statement]:
    """A transaction of this kind with these lines: account and amount."""
    return [*only_head(w, kind=kind, **other), *(more_lines(w, lines))]


def only_head(w: World, **other: Any) -> list[Statement]:
    facts = {"id": FREE, "key": str(new_id()), **other}
    return again("review_ledgertransaction", transaction(w, "small change"), **facts)


def more_lines(w: World, lines: dict[str, int], first: int = 1) -> list[Statement]:
    return [
        statement
        for number, (account, amount) in enumerate(lines.items(), first)
        for statement in a_line(w, account, amount_micro=amount, line=number)
    ]


def a_line(w: World, account: str, **other: Any) -> list[Statement]:
    facts = {"transaction_id": FREE, "account_id": w.review.accounts[account], **other}
    return clone("review_ledgerentry", **facts)


def transaction(w: World, name: str) -> str:
    return f"id = '{w.review.transactions[name]}'"


FUNDED = {"treasury": EURO, "funder": -EURO}
EARNED = {"fees": 2 * EURO, "owed": -2 * EURO}
INVENTED = {"fees": EURO, "owed": -EURO}


def a_payout(w: World, **other: Any) -> list[Statement]:
    """To somebody who has none open, with the digest of its facts."""
    facts: dict[str, Any] = {
        "id": FREE,
        "party_id": w.stranger.party_id,
        "amount_micro": EURO,
        "currency": "EUR",
        **other,
    }
    told = instruction_sha256(
        facts["id"], facts["party_id"], facts["amount_micro"], facts["currency"]
    )
    return clone(
        "review_payout", w.review.payout("proposed"), **{"instruction_sha256": told, **facts}
    )


def paid_out(w: World, name: str, **other: str) -> list[Statement]:
    columns = {
        "state": "'paid'",
        "paid_by_id": f"'{w.review.finance.party_id}'",
        "ended_at": "core_now()",
        "reference": "'SEPA 2'",
        "transaction_id": f"'{w.review.transactions['small change']}'",
        **other,
    }
    written = ", ".join(f"{column} = {value}" for column, value in columns.items())
    return change("review_payout", written, w.review.payout(name))


def an_approval(w: World, **other: Any) -> list[Statement]:
    """Of the payout that still waits for one."""
    waiting = f"payout_id = '{w.review.payouts['approved']}'"
    row = f"(SELECT p.%s FROM review_payout p WHERE p.{w.review.payout('proposed')})"
    ((_sql, values),) = clone("review_payoutapproval", waiting, **other)
    of_it = ", ".join(
        f"'{name}', {row % column}"
        for name, column in (
            ("payout_id", "id"),
            ("party_id", "party_id"),
            ("made_by_id", "made_by_id"),
            ("instruction_sha256", "instruction_sha256"),
        )
    )
    insert = (
        "INSERT INTO review_payoutapproval SELECT n.* FROM review_payoutapproval r,"
        " jsonb_populate_record(NULL::review_payoutapproval,"
        f" to_jsonb(r) || jsonb_build_object({of_it}) || %(other)s::jsonb) n WHERE r.{waiting}"
    )
    return [(insert, values)]


CONTRIBUTIONS = [
    checks("contribution_kind_is_known", lambda w: a_contribution(w, kind="poem", rate_id=None)),
    checks("a_contribution_says_something", lambda w: a_contribution(w, words="")),
    checks("contribution_frames_are_of_its_clip", lambda w: a_contribution(w, clip_id=None)),
    checks(
        "contribution_is_triaged_by_somebody",
        lambda w: answered(w, "filed", "accepted", w.reviewer.party_id, triaged_at="NULL"),
    ),
    checks(
        "nobody_triages_their_own",
        lambda w: answered(w, "of staff", "accepted", w.reviewer.party_id),
    ),
    checks("a_declined_contribution_hears_why", lambda w: declined(w, "'No.'")),
    foreign(
        "contribution_is_about_ones_own_clip",
        lambda w: a_contribution(w, party_id=w.second_tester.party_id),
    ),
    foreign(
        "contribution_rate_is_of_its_kind",
        lambda w: a_contribution(w, rate_id=w.review.rates["release"]),
        behind="contribution_has_the_rate_in_force",
        lifts=(LIFT.format("review_contribution", "contribution_begins"),),
    ),
    raised(
        "contribution_begins_filed",
        lambda w: a_contribution(
            w, state="accepted", triaged_by_id=w.reviewer.party_id, triaged_at=FOREVER
        ),
    ),
    raised("contribution_has_the_rate_in_force", lambda w: a_contribution(w, rate_id=None)),
    raised("contribution_frames_lie_within_the_clip", lambda w: a_contribution(w, frame_to=8)),
    raised(NOW_IT_HAPPENS, lambda w: a_contribution(w, filed_at=LONG_AGO, rate_id=None)),
    raised(
        "contribution_is_what_was_filed",
        lambda w: change(
            "review_contribution", "words = 'Nothing.'", w.review.contribution("filed")
        ),
        application_may_try=False,
    ),
    raised(
        "contribution_moves",
        lambda w: change(
            "review_contribution",
            f"state = 'declined', decline_reason = 'duplicate', answer = {LONG_ENOUGH}",
            w.review.contribution("accepted"),
        ),
    ),
    raised(
        "contribution_is_triaged_by_staff",
        lambda w: answered(w, "filed", "accepted", w.second_tester.party_id),
    ),
    raised("an_accepted_contribution_is_owed", accepted),
]

ACTS = [
    checks(
        "an_act_earns_something",
        lambda w: an_act(w, kind="feedback", rate_id=w.review.rates["feedback"], amount_micro=0),
    ),
    unique("an_act_earns_once", lambda _: clone("review_act")),
    foreign(
        "act_acceptance_is_its_partys",
        lambda w: an_act(w, acceptance_id=w.others_acceptance),
    ),
    foreign("act_rate_is_of_its_kind_and_currency", lambda w: an_act(w, currency="USD")),
    raised(
        "an_act_has_the_rate_in_force",
        lambda w: an_act(w, rate_id=w.review.rates["coming"], amount_micro=9 * EURO),
    ),
    raised("an_act_earns_its_rate", lambda w: an_act(w, amount_micro=9 * EURO)),
    raised(
        "an_act_rests_on_an_acceptance",
        lambda w: an_act(w, acceptance_id=w.strange_acceptance),
    ),
    raised("an_act_is_posted", lambda w: [*accepted(w), *an_act(w)]),
    raised(
        "an_act_was_done",
        lambda w: [*an_act(w), *a_posting(w, "act", EARNED, act_id=FREE)],
    ),
]

LEDGER = [
    checks(
        "account_kind_is_known",
        lambda w: clone("review_ledgeraccount", "kind = 'fees'", kind="slush"),
    ),
    checks(
        "what_is_owed_is_owed_to_somebody",
        lambda w: clone("review_ledgeraccount", "kind = 'fees'", kind="owed"),
    ),
    unique("one_account_per_place_and_currency", lambda _: clone("review_ledgeraccount")),
    checks(
        "balance_within_its_bounds",
        lambda w: [*only_head(w), *more_lines(w, {"treasury": -(10**15)})],
    ),
    checks("a_line_moves_something", lambda w: [*only_head(w), *more_lines(w, {"fees": 0})]),
    checks("payload_digest_is_a_sha256", lambda w: only_head(w, payload_sha256="ab")),
    checks(
        "transaction_kind_is_known",
        lambda w: only_head(w, kind="gift"),
        behind="a_transaction_names_what_it_is_for",
        lifts=(DROP.format("review_ledgertransaction", "a_transaction_names_what_it_is_for"),),
    ),
    checks("a_transaction_names_what_it_is_for", lambda w: only_head(w, kind="act")),
    unique("a_key_posts_once", lambda w: again("review_ledgertransaction")),
    unique(
        "review_ledgertransaction_act_id_key",
        lambda _: again("review_ledgertransaction", "kind = 'act'", key="once more"),
    ),
    unique(
        "review_ledgertransaction_reverses_id_key",
        lambda _: again("review_ledgertransaction", "kind = 'reversal'", key="once more"),
    ),
    unique(
        "lines_of_a_transaction_are_numbered",
        lambda w: [
            *only_head(w),
            *more_lines(w, {"treasury": EURO}),
            *more_lines(w, {"funder": -EURO}),
        ],
    ),
    unique(
        "an_account_has_one_line_in_a_transaction",
        lambda w: [
            *a_posting(w, "funding", FUNDED),
            *more_lines(w, {"funder": -EURO}, first=3),
        ],
    ),
    foreign(
        "line_is_in_its_accounts_currency",
        lambda w: [
            *only_head(w),
            *a_line(w, "fees", amount_micro=EURO, currency="USD"),
        ],
    ),
    foreign(
        "line_is_of_its_transactions_programme",
        lambda w: [
            *only_head(w),
            *a_line(w, "fees", amount_micro=EURO, programme_id=w.stranger.programme.id),
        ],
    ),
    foreign(
        "transaction_is_of_its_programmes_act",
        lambda w: [
            *an_act(w),
            *only_head(w, kind="act", act_id=FREE, programme_id=w.stranger.programme.id),
        ],
    ),
    raised(NOW_IT_HAPPENS, lambda w: only_head(w, posted_at=LONG_AGO)),
    raised(ITS_TRANSACTION, lambda w: only_head(w, **SOMEBODY_ELSES)),
    raised(
        "a_balance_is_the_sum_of_its_lines",
        lambda _: change("review_ledgerbalance", "balance_micro = balance_micro - 1"),
    ),
    raised(
        "a_transaction_is_sealed",
        lambda w: clone("review_ledgerentry", line=9, account_id=w.review.accounts["owed"]),
    ),
    raised(
        "postings_sum_to_zero",
        lambda w: a_posting(w, "funding", {"treasury": EURO, "funder": -EURO + CENT}),
    ),
    raised(
        "postings_sum_to_zero",
        lambda w: [
            *a_posting(w, "funding", FUNDED),
            EARLY,
            *more_lines(w, {"fees": CENT}, first=3),
        ],
    ),
    raised("lines_are_those_of_their_kind", lambda w: a_posting(w, "funding", INVENTED)),
    raised(
        "lines_are_those_of_their_kind",
        lambda w: [
            *a_posting(w, "funding", FUNDED),
            EARLY,
            *more_lines(w, INVENTED, first=3),
        ],
    ),
    raised(
        "a_reversal_is_a_mirror",
        lambda w: a_posting(
            w,
            "reversal",
            {"treasury": -EURO, "funder": EURO},
            reverses_id=w.review.transactions["small change"],
        ),
    ),
    raised(
        "a_reversal_is_a_mirror",
        lambda w: [
            *a_posting(
                w,
                "reversal",
                {"treasury": -3 * EURO, "funder": 3 * EURO},
                reverses_id=w.review.transactions["small change"],
            ),
            EARLY,
            *more_lines(w, INVENTED, first=3),
        ],
    ),
]

PAYOUTS = [
    checks(
        "payout_state_is_known",
        lambda w: a_payout(w, state="lost"),
        behind="payout_begins_proposed",
        lifts=(
            LIFT.format("review_payout", "payout_begins"),
            DROP.format("review_payout", "a_payout_is_posted_iff_paid"),
        ),
    ),
    checks("a_payout_pays_something", lambda w: a_payout(w, amount_micro=0)),
    checks("a_payout_is_in_whole_minor_units", lambda w: a_payout(w, amount_micro=CENT + 1)),
    checks(
        "payout_instruction_is_of_its_facts",
        lambda w: a_payout(w, instruction_sha256=A_HASH),
    ),
    checks(
        "nobody_proposes_their_own_payout",
        lambda w: a_payout(w, party_id=w.review.finance.party_id),
    ),
    checks(
        "nobody_pays_themselves",
        lambda w: paid_out(w, "to finance", paid_by_id=f"'{w.review.second_finance.party_id}'"),
    ),
    checks("a_payout_is_posted_iff_paid", lambda w: paid_out(w, "approved", transaction_id="NULL")),
    unique(
        "one_open_payout_per_party",
        lambda w: a_payout(w, party_id=w.second_tester.party_id),
    ),
    unique(
        "review_payout_transaction_id_key",
        lambda w: paid_out(w, "approved", transaction_id=f"'{w.review.transactions['payout']}'"),
    ),
    raised("payout_begins_proposed", lambda w: a_payout(w, state="approved")),
    raised(
        "a_payout_is_proposed_by_finance",
        lambda w: a_payout(w, made_by_id=w.review.manager.party_id),
    ),
    raised(
        "payout_is_what_was_proposed",
        lambda w: change("review_payout", "amount_micro = 1", w.review.payout("approved")),
        application_may_try=False,
    ),
    raised(
        "payout_moves",
        lambda w: change(
            "review_payout", "state = 'proposed', ended_at = NULL", w.review.payout("cancelled")
        ),
    ),
    raised(
        "a_payout_is_approved_before_it_is_paid",
        lambda w: change("review_payout", "state = 'approved'", w.review.payout("proposed")),
    ),
    raised(
        "a_payout_is_paid_by_finance",
        lambda w: paid_out(w, "approved", paid_by_id=f"'{w.review.manager.party_id}'"),
    ),
    raised("a_payout_is_posted_in_full", lambda w: paid_out(w, "approved")),
    unique("one_approval_each", lambda _: clone("review_payoutapproval")),
    checks(
        "a_payout_is_approved_by_a_second_person",
        lambda w: an_approval(w, approver_id=w.review.finance.party_id),
    ),
    foreign(
        "approval_is_of_this_instruction",
        lambda w: an_approval(w, instruction_sha256=A_HASH),
    ),
    raised(
        "a_payout_is_approved_by_staff",
        lambda w: an_approval(w, approver_id=w.reviewer.party_id),
    ),
]

MONEY: list[Attack] = [*CONTRIBUTIONS, *ACTS, *LEDGER, *PAYOUTS]

MINUS_ONE: dict[str, Callable[[World, str], list[Statement]]] = {
    "review_contribution": lambda w, column: a_contribution(w, **{column: -1}),
    "review_ledgerentry": lambda w, column: [
        *only_head(w),
        *a_line(w, "fees", **{column: -1}),
    ],
}
