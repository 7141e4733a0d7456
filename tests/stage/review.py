"""A review on the stage: clauses, a clock, and cases brought to a state by the house's commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accounts.programmes.models import Programme
from core.ids import shown
from generation.clips.models import Clip
from review.credits.rules import DisplayForm
from review.decisions.commands import VerdictWish, decide, file_appeal, press_verdict
from review.decisions.models import Decision
from review.desk.commands import claim_next_case
from review.policies.commands import NewClause, publish_charter, publish_policy
from review.policies.rules import Ground
from review.submissions.commands import submit_clip
from review.submissions.models import Case, Submission
from stage.builders import a_clip
from stage.clock import Clock

if TYPE_CHECKING:
    from stage.cast import Member
    from stage.database import Database

REASON = "A face can be recognised in these frames."
CLAUSES = [
    NewClause(Ground.REAL_PERSON, "Nobody unasked", "No recognisable person who did not agree."),
    NewClause(Ground.VIOLENCE, "No gore", "Nothing that dwells on wounds."),
    NewClause(Ground.BROKEN_FILE, "It plays", "The file plays from its first frame to its last."),
]


def open_review(programme: Programme, *, hours: int = 48, appeal_hours: int = 120) -> None:
    """Three clauses, and a clock of two days, five for an appeal."""
    publish_policy(
        programme_id=programme.id, introduction="Why a clip may be declined.", clauses=CLAUSES
    )
    publish_charter(
        programme_id=programme.id, decide_within_hours=hours, appeal_within_hours=appeal_hours
    )


def a_submission(member: Member, clip: Clip | None = None, **wanted: Any) -> Submission:
    """A clip of theirs put forward; a fresh one (with a seed of its own) where none is given."""
    clip = clip or a_clip(member, seed=Clip.objects.count() + 1000)
    usual: dict[str, Any] = {"display_form": DisplayForm.NONE}
    return submit_clip(actor=member.actor, clip_id=shown("clip", clip.id), **(usual | wanted))


def a_claim_of(reviewer: Member) -> Case:
    """The head of the desk in this reviewer's hands."""
    case = claim_next_case(actor=reviewer.actor)
    assert case is not None, "nobody waits whom this reviewer may judge"
    return case


def press(reviewer: Member, case: Case, outcome: str = "approved", **wanted: Any) -> None:
    """A verdict with everything its outcome must come with."""
    usual: dict[str, Any] = {"lease_number": case.lease_number}
    if outcome != "approved":
        usual |= {"clause": 1, "reason": REASON, "frames": [(2, 5)]}
    if outcome == "changes_requested":
        usual |= {"remedy": "Blur the face."}
    if outcome == "approved" and case.round == 2:
        usual |= {"reversal": "fact_wrong"}
    wish = VerdictWish(outcome=outcome, **(usual | wanted))
    press_verdict(actor=reviewer.actor, case_id=shown("case", case.id), wish=wish)


def a_decision(
    reviewer: Member, clock: Clock, outcome: str = "approved", **wanted: Any
) -> Decision:
    """The head of the desk decided by this reviewer; the ten seconds pass on the test clock."""
    case = a_claim_of(reviewer)
    press(reviewer, case, outcome, **wanted)
    clock.advance(seconds=11)
    assert decide(case.id)
    return Decision.objects.get(case=case)


def an_approved_clip(member: Member, reviewer: Member, clock: Clock) -> Clip:
    """Rendered, put forward and approved. Nobody else may wait at the desk."""
    submission = a_submission(member)
    decision = a_decision(reviewer, clock)
    assert decision.chain_id == submission.clip_id
    return submission.clip


def an_appeal(member: Member, submission: Submission) -> Case:
    """The appeal's case, waiting for somebody outside the chain."""
    appeal = file_appeal(
        actor=member.actor,
        submission_id=shown("submission", submission.id),
        text="The face is a mask; look at frame 3.",
    )
    return appeal.case


def a_full_desk(database: Database, case: Case, number: int) -> None:
    """So many more cases like this committed one, behind it, each of a clip of its own.

    By the superuser and without triggers: what a thousand testers would have made in a month.
    """
    first = Case.objects.count()
    wanted = {"case": case.id, "first": first, "last": first + number - 1}
    with database.superuser.transaction():
        database.superuser.execute("SET LOCAL session_replication_role = replica")
        for statement in COPIES.split(";"):
            database.superuser.execute(statement, wanted)


# jsonb_populate_record copies a row but for the columns that are named.
COPIES = """
CREATE TEMPORARY TABLE copies ON COMMIT DROP AS SELECT number,
gen_random_uuid() AS job, gen_random_uuid() AS clip, gen_random_uuid() AS submission,
gen_random_uuid() AS id, encode(sha256(number::text::bytea), 'hex') AS master
FROM generate_series(%(first)s::int, %(last)s::int) AS number;
INSERT INTO generation_job SELECT (jsonb_populate_record(j, jsonb_build_object(
'id', n.job, 'reservation_id', n.job, 'queue_number', 1000000 + n.number))).*
FROM copies n, review_case c JOIN generation_clip k ON k.id = c.chain_id
JOIN generation_job j ON j.id = k.job_id WHERE c.id = %(case)s;
INSERT INTO generation_clip SELECT (jsonb_populate_record(k, jsonb_build_object(
'id', n.clip, 'job_id', n.job, 'version', 1000 + n.number, 'master_sha256', n.master))).*
FROM copies n, review_case c JOIN generation_clip k ON k.id = c.chain_id
WHERE c.id = %(case)s;
INSERT INTO review_submission SELECT (jsonb_populate_record(s, jsonb_build_object(
'id', n.submission, 'clip_id', n.clip, 'master_sha256', n.master))).*
FROM copies n, review_case c JOIN review_submission s ON s.id = c.submission_id
WHERE c.id = %(case)s;
INSERT INTO review_case SELECT (jsonb_populate_record(c, jsonb_build_object(
'id', n.id, 'submission_id', n.submission, 'chain_id', n.clip, 'master_sha256', n.master,
'queue_number', 1000000 + n.number, 'fair_tag', c.fair_tag + n.number,
'fair_end', c.fair_end + n.number))).*
FROM copies n, review_case c WHERE c.id = %(case)s
"""
