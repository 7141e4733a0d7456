"""What an owner does: put a clip forward, withdraw it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.agreements.queries import governing_acceptance
from accounts.credentials.commands import lock_live_credential
from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope
from accounts.programmes.models import Role
from accounts.programmes.queries import parties_with_role
from core.audit.commands import record
from core.clock import now
from core.errors import AgreementMissing, InvalidOrder, NotReady, TooLate
from core.idempotency.commands import Once
from core.ids import shown
from core.outbox.commands import say
from core.states import advance
from core.text import is_readable
from generation.clips.commands import keep_files
from generation.clips.models import Clip
from review.credits.commands import credit_the_maker
from review.credits.queries import parties_credited
from review.credits.rules import DisplayForm
from review.policies.models import CharterVersion, PolicyVersion
from review.policies.queries import charter_in_force, policy_in_force
from review.submissions.models import Case, SealedPerson, Submission
from review.submissions.queries import (
    changes_to_answer,
    clip_to_submit,
    open_case_of,
    submission_for,
)
from review.submissions.rules import MOVES, OPEN, CaseKind, Move, State, due_time

LONGEST_NOTE = 2000
Answer = Callable[[Submission], tuple[int, Any]]


class AlreadySubmitted(TooLate):
    code = "already_submitted"


class AlreadyDecided(TooLate):
    code = "already_decided"


def submit_clip(
    *,
    actor: Actor,
    clip_id: str,
    display_form: DisplayForm,
    note: str = "",
    once: Once | None = None,
    answer: Answer | None = None,
) -> Submission:
    """Put a clip's master forward: sealed with its recipe, its people and the policy in force.

    ``display_form`` is how the owner is named if it is released, where they have no credit line
    for it yet. Raises ``AlreadySubmitted`` while a case about these bytes is open and
    ``AlreadyDecided`` once one was decided: that is appealed, not put forward again.
    """
    actor.must_act(Scope.SUBMISSIONS_CREATE)
    _must_be_readable(note)
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        if once:
            once.begin()
        clip = clip_to_submit(actor, clip_id)
        if governing_acceptance(actor.programme, actor.party_id) is None:
            raise AgreementMissing
        policy, charter = _in_force(actor.programme)
        keep_files(
            clip=clip, why="put_forward", actor=actor.party_id, credential=actor.credential_id
        )
        stand_in_line(actor.programme, actor.party_id)
        _must_be_new(actor, clip)
        credit_the_maker(clip=clip, display_form=display_form)
        submission = _seal(actor, clip, policy, charter, note.strip())
        case = open_case(submission, CaseKind.RELEASE, charter.decide_within_hours, now())
        facts = {"clip": str(clip.id), "due_at": case.due_at.isoformat()}
        record(
            "submission.sealed",
            subject=("submission", submission.id),
            actor=actor.party_id,
            credential=actor.credential_id,
            **facts,
        )
        say(
            "submission.sealed",
            subject=("submission", submission.id),
            party=actor.party_id,
            **facts,
        )
        if once and answer:
            once.keep(*answer(submission))
    return submission


def withdraw_submission(*, actor: Actor, submission_id: str) -> Submission:
    """Take it back while nothing is decided; a verdict that was only pressed falls with it.

    Withdrawing twice is fine. Raises ``TooLate`` once there is a decision.
    """
    actor.must_act(Scope.SUBMISSIONS_CREATE)
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        submission = submission_for(actor, submission_id)
        # Locked: a decision that takes effect in this moment comes wholly before or after.
        case = Case.objects.select_for_update().filter(submission=submission).latest("round")
        if case.state in OPEN:
            _withdraw(case, actor)
        elif case.state != State.WITHDRAWN:
            raise TooLate(_("This was decided meanwhile, so there is nothing to withdraw."))
    return submission_for(actor, submission_id)


def withdraw_all_of(*, party_id: UUID) -> int:
    """Everything of a party that is under review is withdrawn, since they leave for good. How many.

    Inside the caller's transaction.
    """
    waiting = Case.objects.filter(owner_id=party_id, state__in=OPEN)
    cases = list(waiting.select_for_update(no_key=True, of=("self",)).order_by("id"))
    for case in cases:
        _withdraw(case, None)
    return len(cases)


def open_case(submission: Submission, kind: CaseKind, hours: int, moment: datetime) -> Case:
    """A case of this submission, in its fair place. The caller has called ``stand_in_line``."""
    fair_tag = _fair_tag(submission.programme_id, submission.owner_id)
    case = Case.objects.create(
        submission=submission,
        chain_id=submission.clip_id,
        programme_id=submission.programme_id,
        owner_id=submission.owner_id,
        policy_id=submission.policy_id,
        master_sha256=submission.master_sha256,
        kind=kind,
        round=1 if kind is CaseKind.RELEASE else 2,
        fair_tag=fair_tag,
        fair_end=fair_tag + 1,
        opened_at=moment,
        due_at=due_time(moment, hours),
    )
    if not _has_a_judge(case):
        tell_managers("case.unstaffed", case)
    return case


def stand_in_line(programme_id: UUID, owner_id: UUID) -> None:
    """One submission of a party at a time: the fair tag is read from the party's last case, and
    whether these bytes were put forward before must still be true at the commit."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"desk:{programme_id}:{owner_id}"],
        )


def tell_managers(kind: str, case: Case, **facts: Any) -> None:
    """All but its owner, from whom the desk keeps their own case."""
    for party_id in parties_with_role(case.programme_id, Role.MANAGER).exclude(
        membership__party_id=case.owner_id
    ):
        say(kind, subject=("case", case.id), party=party_id, **facts)


def _seal(
    actor: Actor, clip: Clip, policy: PolicyVersion, charter: CharterVersion, note: str
) -> Submission:
    submission = Submission.objects.create(
        programme_id=actor.programme,
        clip=clip,
        owner_id=actor.party_id,
        credential_id=actor.credential_id,
        master_sha256=clip.master_sha256,
        frames=clip.frames,
        recipe_sha256=_recipe_sha256(clip.id),
        policy=policy,
        charter=charter,
        answers=changes_to_answer(clip),
        note=note,
    )
    people = {actor.party_id, *parties_credited(clip.id)}
    SealedPerson.objects.bulk_create(
        [SealedPerson(submission=submission, party_id=party_id) for party_id in sorted(people)]
    )
    return submission


def _withdraw(case: Case, actor: Actor | None) -> None:
    advance(
        Case.objects.filter(id=case.id),
        MOVES,
        Move.WITHDRAW,
        seen=State(case.state),
        closed_at=now(),
        lease_by=None,
        lease_until=None,
        lease_slot=None,
    )
    subject = ("submission", case.submission_id)
    facts = {"round": case.round}
    record(
        "submission.withdrawn",
        subject=subject,
        actor=actor.party_id if actor else None,
        credential=actor.credential_id if actor else None,
        **facts,
    )
    say("submission.withdrawn", subject=subject, party=case.owner_id, **facts)


def _must_be_readable(note: str) -> None:
    if len(note) > LONGEST_NOTE or not is_readable(note, lines=True):
        raise InvalidOrder(
            "note_invalid",
            _("A note has at most %(most)s characters of plain text.") % {"most": LONGEST_NOTE},
            field="note",
            most=LONGEST_NOTE,
        )


def _must_be_new(actor: Actor, clip: Clip) -> None:
    case = open_case_of(actor, clip.master_sha256)
    if case is not None:
        raise AlreadySubmitted(
            _("These very bytes are under review already."),
            submission=shown("submission", case.submission_id),
        )
    decided = (
        Case.objects.filter(
            owner_id=actor.party_id,
            programme_id=actor.programme,
            master_sha256=clip.master_sha256,
            decision__isnull=False,
        )
        .order_by("-closed_at")
        .first()
    )
    if decided is not None:
        raise AlreadyDecided(
            _("These very bytes were decided on already. You can appeal, or make a new version."),
            submission=shown("submission", decided.submission_id),
        )


def _in_force(programme_id: UUID) -> tuple[PolicyVersion, CharterVersion]:
    policy, charter = policy_in_force(programme_id), charter_in_force(programme_id)
    if policy is None or charter is None:
        raise NotReady(
            "review_not_open",
            _("This programme has not published its clauses and its clock yet."),
        )
    return policy, charter


def _recipe_sha256(clip_id: UUID) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT encode(sha256(convert_to(recipe::text, 'UTF8')), 'hex')"
            " FROM generation_clip WHERE id = %s",
            [clip_id],
        )
        (digest,) = cursor.fetchone()
    return str(digest)


def _fair_tag(programme_id: UUID, owner_id: UUID) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT review_fair_tag(%s, %s)", [programme_id, owner_id])
        (tag,) = cursor.fetchone()
    return int(tag)


def _has_a_judge(case: Case) -> bool:
    reviewers = list(parties_with_role(case.programme_id, Role.REVIEWER))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM unnest(%s::uuid[]) AS who (id)"
            " WHERE review_bar(%s, who.id) IS NULL)",
            [reviewers, case.id],
        )
        (found,) = cursor.fetchone()
    return bool(found)
