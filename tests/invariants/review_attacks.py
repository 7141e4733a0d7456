"""Deeds against the rules of policies, credit lines, submissions, cases, decisions and releases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from invariants.deeds import (
    A_HASH,
    FOREVER,
    FREE,
    LONG_AGO,
    OLD_PICTURE,
    WITH_AN_OLD_PICTURE,
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
from invariants.world import World

from core.ids import new_id

IN_TWO_DAYS = "'due_at', core_now() + interval '48 hours'"
IN_FIVE_DAYS = "'due_at', core_now() + interval '120 hours'"
LIFT = "ALTER TABLE {} DISABLE TRIGGER {}"
NOW_IT_HAPPENS, ITS_TRANSACTION = (
    "it_happens_when_it_is_written",
    "no_row_names_another_transaction",
)
SOMEBODY_ELSES = {"xid": "3"}


def a_policy(**other: Any) -> list[Statement]:
    """A new version without clauses, to hang some on."""
    return again("review_policyversion", **{"id": FREE, "number": 9, **other})


def a_charter(**other: Any) -> list[Statement]:
    return again("review_charterversion", **{"number": 9, **other})


def a_line(w: World, **other: Any) -> list[Statement]:
    """The maker's own credit line once more, in another role."""
    own = f"party_id = '{w.tester.party_id}'"
    return clone("review_creditline", own, **{"role": "editor", **other})


def only_sealed(w: World, **other: Any) -> list[Statement]:
    """A submission of the clip that nobody has put forward, without case and people."""
    like = w.review.of_submission("queued")
    return again("review_submission", like, **{"id": FREE, **w.review.spare_clip, **other})


def its_people(w: World) -> list[Statement]:
    like = f"submission_id = '{w.review.cases['queued'].submission_id}'"
    return clone("review_sealedperson", like, submission_id=FREE)


def a_case_of(w: World, **other: Any) -> list[Statement]:
    facts = {
        "submission_id": FREE,
        "chain_id": w.review.spare_clip["clip_id"],
        "master_sha256": w.review.spare_clip["master_sha256"],
        "queue_number": new_id().int >> 66,
    }
    return again("review_case", w.review.case("queued"), written=IN_TWO_DAYS, **{**facts, **other})


def put_forward(w: World, **case: Any) -> list[Statement]:
    """All that a new submission is made of; only ``case`` is wrong."""
    return [*only_sealed(w), *its_people(w), *a_case_of(w, **case)]


def put_forward_again(w: World, name: str) -> list[Statement]:
    """The very bytes of this case in a new submission, whole."""
    old = w.review.cases[name]
    sealed = again("review_submission", w.review.of_submission(name), id=FREE, answers_id=None)
    about = {"chain_id": old.chain_id, "master_sha256": old.master_sha256}
    return [*sealed, *its_people(w), *a_case_of(w, **about)]


def a_second_round(w: World, **other: Any) -> list[Statement]:
    """The case of an appeal that nobody has filed."""
    facts: dict[str, Any] = {
        "id": FREE,
        "state": "queued",
        "closed_at": None,
        "kind": "appeal",
        "round": 2,
        "queue_number": new_id().int >> 66,
    }
    return again(
        "review_case", w.review.case("declined"), written=IN_FIVE_DAYS, **{**facts, **other}
    )


def an_appeal(w: World, **other: Any) -> list[Statement]:
    """Against the decision that nobody has appealed, with the case of ``a_second_round``."""
    decision = w.review.decisions["declined"]
    facts = {"decision_id": decision.id, "case_id": FREE, "chain_id": decision.chain_id}
    return again("review_appeal", **{**facts, **other})


def a_decision(w: World, name: str, **other: Any) -> list[Statement]:
    """What a due verdict becomes, of which only ``other`` is wrong."""
    written = (
        "jsonb_build_object('case_id', c.id, 'decided_at', core_now(),"
        " 'xid', pg_current_xact_id()::text)"
    )
    insert = (
        "INSERT INTO review_decision SELECT d.* FROM review_case c"
        " JOIN review_verdict v ON v.case_id = c.id,"
        f" jsonb_populate_record(NULL::review_decision, to_jsonb(c) || to_jsonb(v) || {written}"
        f" || %(other)s::jsonb) d WHERE c.{w.review.case(name)}"
    )
    ((_sql, values),) = clone("review_decision", **{"id": FREE, **other})
    return [(insert, values)]


def some_evidence(**other: Any) -> list[Statement]:
    return clone("review_evidence", **{"decision_id": FREE, **other})


def closed(w: World, name: str, state: str) -> list[Statement]:
    written = (
        f"state = '{state}', closed_at = core_now(), lease_by_id = NULL, lease_until = NULL,"
        " lease_slot = NULL"
    )
    return change("review_case", written, w.review.case(name))


def claimed_by(w: World, party: Any, slot: int = 1, number: str = "lease_number + 1") -> Any:
    written = (
        f"state = 'claimed', lease_by_id = '{party}', lease_until = core_now(),"
        f" lease_slot = {slot}, lease_number = {number}"
    )
    return change("review_case", written, w.review.case("queued"))


def pressed_anew(w: World, written: str) -> list[Statement]:
    return change("review_verdict", written, w.review.of_case("pending"))


PRESSED_NOW = "pressed_at = core_now(), effective_at = core_now() + interval '10 seconds'"


def role_taken(party: Any) -> list[Statement]:
    return change(
        "accounts_rolegrant",
        "ended_at = core_now()",
        "membership_id IN (SELECT id FROM accounts_membership"
        f" WHERE party_id = '{party}' AND ended_at IS NULL)",
    )


def a_release(w: World, **other: Any) -> list[Statement]:
    """Of the clip whose appeal was won and that nobody has released."""
    won = w.review.decisions["second word"]
    facts = {
        "clip_id": won.chain_id,
        "decision_id": won.id,
        "master_sha256": won.master_sha256,
    }
    return again("review_release", "ended_at IS NULL", **{**facts, **other})


LIVE, ENDED = "ended_at IS NULL", "ended_at IS NOT NULL"

RATES_AND_OPENINGS = [
    checks(
        "a_rate_is_published_before_it_applies",
        lambda _: again("accounts_rate", applies_from=LONG_AGO),
    ),
    checks(
        "a_rate_takes_nothing_away",
        lambda _: again("accounts_rate", applies_from=FOREVER, amount_micro=-1),
    ),
    checks(
        "rate_is_of_a_known_kind",
        lambda _: again("accounts_rate", applies_from=FOREVER, kind="smiling", number=1),
    ),
    unique(
        "one_rate_begins_at_a_time",
        lambda w: again("accounts_rate", f"id = '{w.review.rates['coming']}'"),
    ),
    raised(
        "a_rate_is_published_now",
        lambda _: again("accounts_rate", published_at=LONG_AGO, applies_from=FOREVER),
    ),
    unique(
        "rates_are_numbered",
        lambda _: again("accounts_rate", applies_from=FOREVER, number=1),
        behind="versions_come_one_after_another",
        lifts=("ALTER TABLE accounts_rate DISABLE TRIGGER rate_begins",),
    ),
    checks(
        "rate_number_starts_at_one",
        lambda _: again("accounts_rate", applies_from=FOREVER, number=0),
        behind="versions_come_one_after_another",
        lifts=("ALTER TABLE accounts_rate DISABLE TRIGGER rate_begins",),
    ),
    raised(
        "versions_come_one_after_another",
        lambda _: again("accounts_rate", applies_from=FOREVER, number=99),
    ),
    raised(
        OLD_PICTURE,
        lambda _: [WITH_AN_OLD_PICTURE, *again("accounts_rate", applies_from=FOREVER)],
    ),
    raised(
        "a_rate_is_in_the_programmes_currency",
        lambda _: again("accounts_rate", applies_from=FOREVER, currency="USD"),
    ),
    checks(
        "an_opening_names_a_viewer_or_the_public",
        lambda _: clone("generation_opening", viewer_id=None),
    ),
]

POLICIES = [
    checks("policy_number_starts_at_one", lambda _: a_policy(number=0)),
    unique("policy_versions_are_numbered", lambda _: a_policy(number=1)),
    raised(NOW_IT_HAPPENS, lambda _: a_policy(published_at=LONG_AGO)),
    raised(ITS_TRANSACTION, lambda _: a_policy(**SOMEBODY_ELSES)),
    raised("clauses_come_with_their_policy", lambda _: clone("review_clause", number=9)),
    checks(
        "ground_is_known",
        lambda _: [*a_policy(), *clone("review_clause", policy_id=FREE, ground="criticism")],
    ),
    unique(
        "clauses_of_a_policy_are_numbered",
        lambda _: [
            *a_policy(),
            *clone("review_clause", policy_id=FREE),
            *clone("review_clause", policy_id=FREE),
        ],
    ),
    unique("charter_versions_are_numbered", lambda _: a_charter(number=1)),
    checks("a_charter_promises_something", lambda _: a_charter(appeal_open_days=0)),
    raised(NOW_IT_HAPPENS, lambda _: a_charter(published_at=LONG_AGO)),
]

CREDITS = [
    checks("credit_role_is_known", lambda w: a_line(w, role="hero")),
    checks("display_form_is_known", lambda w: a_line(w, display_form="loud")),
    checks("credit_line_is_answered_by_a_time", lambda w: a_line(w, answered_at=None)),
    unique("nobody_is_credited_twice_for_the_same", lambda w: a_line(w, role="maker")),
    foreign(
        "only_its_maker_names_people",
        lambda w: a_line(
            w, party_id=w.second_tester.party_id, proposed_by_id=w.second_tester.party_id
        ),
    ),
    raised(
        "credited_is_a_member",
        lambda w: a_line(w, party_id=w.stranger.party_id, state="proposed", answered_at=None),
    ),
    raised("a_credit_is_first_proposed", lambda w: a_line(w, party_id=w.second_tester.party_id)),
    raised(
        "credit_line_is_what_it_was",
        lambda _: change("review_creditline", "role = 'writer'"),
        application_may_try=False,
    ),
    raised(
        "credit_line_moves",
        lambda _: change(
            "review_creditline", "state = 'proposed', answered_at = NULL", "state = 'accepted'"
        ),
    ),
]

SUBMISSIONS = [
    raised(NOW_IT_HAPPENS, lambda w: only_sealed(w, sealed_at=LONG_AGO)),
    raised(ITS_TRANSACTION, lambda w: only_sealed(w, **SOMEBODY_ELSES)),
    foreign(
        "submission_is_of_its_owners_clip",
        lambda w: only_sealed(
            w, owner_id=w.second_tester.party_id, credential_id=w.others_credential
        ),
    ),
    foreign("submission_names_its_clips_master", lambda w: only_sealed(w, master_sha256=A_HASH)),
    foreign(
        "submission_credential_is_its_owners",
        lambda w: only_sealed(w, credential_id=w.others_credential),
    ),
    foreign(
        "submission_policy_is_its_programmes",
        lambda w: only_sealed(w, policy_id=w.review.foreign_policy),
    ),
    foreign(
        "submission_charter_is_its_programmes",
        lambda w: only_sealed(w, charter_id=w.review.foreign_charter),
    ),
    foreign(
        "submission_answers_its_owners",
        lambda w: only_sealed(w, answers_id=w.review.others_submission),
    ),
    raised("submission_seals_its_clip", lambda w: only_sealed(w, recipe_sha256=A_HASH)),
    raised(
        "submission_seals_what_is_in_force",
        lambda w: only_sealed(w, policy_id=w.review.old_policy),
    ),
    raised(
        "a_submission_has_a_case_and_people",
        lambda w: [*only_sealed(w), *a_case_of(w)],
    ),
    unique(
        "a_person_is_sealed_once",
        lambda w: [*only_sealed(w), *its_people(w), *its_people(w)],
    ),
    raised(
        "people_come_with_their_submission",
        lambda w: clone("review_sealedperson", party_id=w.reviewer.party_id),
    ),
]

CASES = [
    checks(
        "case_state_is_known",
        lambda w: put_forward(w, state="lost", closed_at=FOREVER),
        behind="case_begins_queued",
        lifts=(LIFT.format("review_case", "case_begins"),),
    ),
    checks("an_appeal_is_the_second_round", lambda w: put_forward(w, round=2)),
    checks(
        "case_is_leased_iff_claimed",
        lambda w: change("review_case", "lease_until = NULL", w.review.case("claimed")),
    ),
    checks("nobody_leases_their_own_work", lambda w: claimed_by(w, w.tester.party_id)),
    checks(
        "three_leases_at_most",
        lambda w: change("review_case", "lease_slot = 4", w.review.case("claimed")),
    ),
    checks(
        "case_has_an_end_iff_closed",
        lambda w: change("review_case", "closed_at = core_now()", w.review.case("queued")),
    ),
    checks("case_takes_a_stretch_of_virtual_time", lambda w: put_forward(w, fair_tag=9**9)),
    unique(
        "one_case_per_round_of_a_submission",
        lambda w: again(
            "review_case",
            w.review.case("withdrawn"),
            written=IN_TWO_DAYS,
            state="queued",
            closed_at=None,
            queue_number=10**15,
        ),
    ),
    unique("one_open_case_per_master", lambda w: put_forward_again(w, "queued")),
    unique(
        "a_reviewers_leases_are_counted",
        lambda w: claimed_by(w, w.review.third_reviewer.party_id),
    ),
    unique(
        "review_case_queue_number_key",
        lambda w: put_forward(w, queue_number=w.review.cases["queued"].queue_number),
    ),
    foreign(
        "case_is_of_its_submission",
        lambda w: put_forward(w, policy_id=w.review.old_policy),
    ),
    raised("case_begins_queued", lambda w: put_forward(w, state="withdrawn", closed_at=FOREVER)),
    raised("case_is_due_as_the_charter_says", lambda w: put_forward(w, due_at=FOREVER)),
    raised(
        NOW_IT_HAPPENS,
        lambda w: put_forward(w, opened_at=LONG_AGO, due_at="1999-01-03T00:00:00Z"),
    ),
    raised("what_was_decided_is_not_reopened", lambda w: put_forward_again(w, "declined")),
    raised("a_second_round_rests_on_an_appeal", a_second_round),
    raised(
        OLD_PICTURE,
        lambda w: [WITH_AN_OLD_PICTURE, *put_forward(w)],
        # Whether the files are there is asked first, in the same words.
        lifts=(
            WITH_AN_OLD_PICTURE[0],
            LIFT.format("review_submission", "needs_files"),
            LIFT.format("review_case", "needs_files"),
        ),
    ),
    raised(
        "case_moves",
        lambda w: change(
            "review_case", "state = 'queued', closed_at = NULL", w.review.case("declined")
        ),
    ),
    raised(
        "case_is_what_was_put_forward",
        lambda w: change("review_case", "due_at = core_now()", w.review.case("queued")),
        application_may_try=False,
    ),
    raised(
        "case_lease_is_claimed",
        lambda w: change(
            "review_case",
            f"lease_by_id = '{w.reviewer.party_id}', lease_slot = 3",
            w.review.case("claimed"),
        ),
    ),
    raised("only_who_may_judge_claims", lambda w: claimed_by(w, w.second_tester.party_id)),
    raised(
        "a_closed_case_stays_as_it_is",
        lambda w: change("review_case", f"closed_at = '{FOREVER}'", w.review.case("declined")),
    ),
    raised("a_decided_case_has_its_decision", lambda w: closed(w, "claimed", "changes_requested")),
    checks("a_skip_has_a_reason", lambda _: clone("review_skip", why="other")),
]

VERDICTS = [
    checks(
        "verdict_outcome_is_known",
        lambda w: pressed_anew(w, f"outcome = 'perhaps', {PRESSED_NOW}"),
    ),
    checks(
        "a_verdict_can_be_taken_back_for_ten_seconds",
        lambda w: pressed_anew(w, "pressed_at = core_now(), effective_at = core_now()"),
    ),
    raised(NOW_IT_HAPPENS, lambda w: pressed_anew(w, f"pressed_at = '{LONG_AGO}'")),
    raised(
        "a_verdict_is_its_lease_holders",
        lambda w: pressed_anew(w, f"reviewer_id = '{w.reviewer.party_id}', {PRESSED_NOW}"),
    ),
]

NO_ASKING = (LIFT.format("review_decision", "decision_begins"),)
DECISIONS = [
    checks(
        "outcome_is_known",
        lambda w: a_decision(w, "sound decline", outcome="perhaps"),
        behind="a_decision_is_a_verdict_that_is_due",
        lifts=NO_ASKING,
    ),
    checks(
        "nobody_decides_on_their_own_work",
        lambda w: a_decision(w, "sound approval", reviewer_id=w.tester.party_id),
        behind="a_decision_is_its_lease_holders",
        lifts=NO_ASKING,
    ),
    checks(
        "a_decision_waited_ten_seconds",
        lambda w: a_decision(w, "sound approval", pressed_at=FOREVER),
        behind="a_decision_is_a_verdict_that_is_due",
        lifts=NO_ASKING,
    ),
    checks("a_decline_has_clause_and_reason", lambda w: a_decision(w, "short reason")),
    checks("changes_come_with_a_remedy", lambda w: a_decision(w, "no remedy")),
    checks("an_appeal_is_upheld_or_overturned", lambda w: a_decision(w, "sound changes", round=2)),
    checks("an_overturned_decision_says_why", lambda w: a_decision(w, "sound approval", round=2)),
    unique(
        "nobody_decides_twice_in_a_chain",
        lambda w: again(
            "review_decision",
            w.review.decision("appealed"),
            case_id=w.review.cases["appeal"].id,
            round=2,
        ),
        behind="a_decision_is_its_lease_holders",
        lifts=NO_ASKING,
    ),
    unique(
        "review_decision_case_id_key",
        lambda w: again(
            "review_decision",
            w.review.decision("declined"),
            reviewer_id=w.review.third_reviewer.party_id,
        ),
        behind="a_decision_is_its_lease_holders",
        lifts=NO_ASKING,
    ),
    foreign(
        "decision_is_of_its_case",
        lambda w: a_decision(w, "sound decline", master_sha256=A_HASH),
    ),
    foreign("decision_clause_is_of_the_sealed_policy", lambda w: a_decision(w, "old clause")),
    raised(
        "a_decision_is_its_lease_holders",
        lambda w: a_decision(w, "sound decline", reviewer_id=w.review.third_reviewer.party_id),
    ),
    raised("a_decision_is_a_verdict_that_is_due", lambda w: a_decision(w, "pending")),
    raised(
        "only_who_may_judge_decides",
        lambda w: [
            *role_taken(w.review.second_reviewer.party_id),
            *a_decision(w, "sound decline"),
        ],
    ),
    raised(
        OLD_PICTURE,
        lambda w: [WITH_AN_OLD_PICTURE, *a_decision(w, "sound decline")],
    ),
    raised(NOW_IT_HAPPENS, lambda w: a_decision(w, "sound decline", decided_at=FOREVER)),
    raised(ITS_TRANSACTION, lambda w: a_decision(w, "sound decline", **SOMEBODY_ELSES)),
    raised(
        "a_decline_shows_evidence",
        lambda w: [*a_decision(w, "sound decline"), *closed(w, "sound decline", "declined")],
    ),
    raised(
        "a_decision_closes_its_case",
        lambda w: [*a_decision(w, "sound decline"), *some_evidence()],
    ),
    checks(
        "evidence_is_frames_or_words",
        lambda w: [*a_decision(w, "sound decline"), *some_evidence(frame_to=1)],
    ),
    raised("evidence_comes_with_its_decision", lambda _: clone("review_evidence")),
    raised(
        "evidence_lies_within_the_clip",
        lambda w: [*a_decision(w, "sound decline"), *some_evidence(frame_to=8)],
    ),
]

APPEALS = [
    checks("an_appeal_says_something", lambda w: [*a_second_round(w), *an_appeal(w, text="")]),
    unique("review_appeal_case_id_key", lambda _: again("review_appeal")),
    unique(
        "review_appeal_decision_id_key",
        lambda w: again("review_appeal", case_id=w.review.cases["queued"].id),
        behind="an_appeal_is_open_and_in_time",
        lifts=(LIFT.format("review_appeal", "appeal_begins"),),
    ),
    foreign(
        "appeal_is_against_its_owners_decision",
        lambda w: [
            *a_second_round(w),
            *an_appeal(w, chain_id=w.review.spare_clip["clip_id"]),
        ],
    ),
    foreign(
        "appeal_case_is_of_the_same_chain",
        lambda w: an_appeal(w, case_id=w.review.cases["queued"].id),
        behind="an_appeal_is_open_and_in_time",
        lifts=(LIFT.format("review_appeal", "appeal_begins"),),
    ),
    raised(
        "an_appeal_is_open_and_in_time",
        lambda w: an_appeal(w, case_id=w.review.cases["declined"].id),
    ),
    raised(NOW_IT_HAPPENS, lambda w: [*a_second_round(w), *an_appeal(w, filed_at=LONG_AGO)]),
]

RELEASES = [
    checks("only_what_was_approved_is_released", lambda w: a_release(w, outcome="declined")),
    checks("a_release_has_a_title", lambda w: a_release(w, title="")),
    checks(
        "a_release_ends_after_it_began",
        lambda _: change("review_release", f"ended_at = '{LONG_AGO}'", LIVE),
    ),
    unique("one_live_release_per_clip", lambda _: again("review_release", LIVE)),
    foreign(
        "release_rests_on_an_approval",
        lambda w: a_release(w, decision_id=w.review.decisions["overturned"].id),
    ),
    foreign(
        "release_is_of_its_owners_clip",
        lambda w: a_release(w, programme_id=w.stranger.programme.id),
    ),
    foreign(
        "release_credential_is_its_owners",
        lambda w: a_release(w, credential_id=w.others_credential),
    ),
    raised(
        "what_may_go_is_looked_for",
        lambda _: [("DELETE FROM review_perishable", {})],
    ),
    raised("release_begins_live", lambda w: a_release(w, ended_at=FOREVER)),
    raised(NOW_IT_HAPPENS, lambda w: a_release(w, released_at=LONG_AGO)),
    raised("a_release_is_owed", a_release),
    raised(
        "release_is_what_it_was",
        lambda _: change("review_release", "is_listed = NOT is_listed"),
        application_may_try=False,
    ),
    raised(
        "a_release_ends_once",
        lambda _: change("review_release", "ended_at = NULL", ENDED),
    ),
    unique("review_sharelink_digest_key", lambda _: clone("review_sharelink")),
    raised(
        "share_link_is_what_it_was",
        lambda _: change("review_sharelink", "name = 'another'"),
        application_may_try=False,
    ),
    raised(
        "a_share_link_ends_once",
        lambda _: change("review_sharelink", "revoked_at = NULL", "revoked_at IS NOT NULL"),
    ),
]

REVIEW: list[Attack] = [
    *RATES_AND_OPENINGS,
    *POLICIES,
    *CREDITS,
    *SUBMISSIONS,
    *CASES,
    *VERDICTS,
    *DECISIONS,
    *APPEALS,
    *RELEASES,
]


MINUS_ONE: dict[str, Callable[[World, str], list[Statement]]] = {
    "review_policyversion": lambda _, column: a_policy(**{column: -1}),
    "review_charterversion": lambda _, column: a_charter(**{column: -1}),
    "review_clause": lambda _, column: [
        *a_policy(),
        *clone("review_clause", policy_id=FREE, **{column: -1}),
    ],
    "review_submission": lambda w, column: only_sealed(w, **{column: -1}),
    "review_case": lambda w, column: (
        put_forward(w, round=-1)
        if column == "round"
        else change("review_case", f"{column} = -1", w.review.case("claimed"))
    ),
    "review_decision": lambda w, column: a_decision(w, "sound decline", **{column: -1}),
    "review_evidence": lambda w, column: [
        *a_decision(w, "sound decline"),
        *some_evidence(**{column: -1}),
    ],
}
