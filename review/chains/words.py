"""Where a review stands, in sentences for whoever made the clip."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib.humanize.templatetags.humanize import ordinal
from django.utils.translation import gettext as _

from accounts.credentials.queries import Actor
from review.chains.queries import standing_cases
from review.decisions.models import Appeal, Decision
from review.decisions.rules import Outcome, appeal_closes
from review.decisions.words import ShownDecision, appeal_words, shown_decision
from review.submissions.models import Case, Submission
from review.submissions.queries import Place, places_of
from review.submissions.rules import OPEN, State
from review.submissions.words import due_words

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Standing:
    """One sentence; ``tone`` is ``good``, ``wait``, ``stop`` or empty, beside the words."""

    sentence: str
    tone: str


@dataclass(frozen=True, slots=True)
class AppealStanding:
    """Whether the first decision can be appealed, until when, and what was said if it was."""

    is_open: bool
    until: datetime | None
    appeal: Appeal | None


def standing_case(submission: Submission) -> Case:
    """Its last case, but for an appeal that was withdrawn: then the first decision stands."""
    cases = list(submission.cases.all())
    was_withdrawn = cases[-1].round == 2 and cases[-1].state == State.WITHDRAWN
    return cases[0] if was_withdrawn else cases[-1]


def last_word_of(submission: Submission) -> Decision | None:
    found: Decision | None = getattr(standing_case(submission), "decision", None)
    return found


def decisions_told(submission: Submission) -> dict[int, ShownDecision]:
    """By round, in full."""
    decided = [(case.round, getattr(case, "decision", None)) for case in submission.cases.all()]
    prompt = submission.clip.prompt
    return {number: shown_decision(one, prompt) for number, one in decided if one}


def appeal_standing(submission: Submission, moment: datetime) -> AppealStanding:
    first: Decision | None = getattr(submission.cases.all()[0], "decision", None)
    if first is None or first.outcome == Outcome.APPROVED:
        return AppealStanding(is_open=False, until=None, appeal=None)
    appeal: Appeal | None = getattr(first, "appeal", None)
    until = appeal_closes(first.decided_at, submission.charter.appeal_open_days)
    return AppealStanding(is_open=appeal is None and moment <= until, until=until, appeal=appeal)


def standing_of(submission: Submission, place: Place | None, moment: datetime) -> Standing:
    case = standing_case(submission)
    if case.state in OPEN:
        return Standing(_open_words(case, place, moment), "wait")
    decision = last_word_of(submission)
    if decision is None:
        return Standing(_("Withdrawn before anything was decided."), "")
    sentence = shown_decision(decision, submission.clip.prompt).sentence
    if decision.outcome == Outcome.APPROVED:
        more = _("It is released.") if is_released(submission) else _("You can release it.")
        return Standing(f"{sentence} {more}", "good")
    tone = "wait" if decision.outcome == Outcome.CHANGES_REQUESTED else "stop"
    return Standing(f"{sentence} {_last_word(submission, decision, moment)}", tone)


def is_released(row: Submission | Case) -> bool:
    """Whether its clip has a live release, where the query asked for it."""
    found: bool = getattr(row, "is_released", False)
    return found


def card_states(actor: Actor, clip_ids: Iterable[UUID]) -> dict[UUID, str]:
    """A few words for each clip's card. Two queries for any number of clips."""
    wanted = list(clip_ids)
    cases = {case.chain_id: case for case in standing_cases(actor, wanted)}
    places = places_of(case.id for case in cases.values() if case.state == State.QUEUED)
    return {clip_id: _card_words(cases.get(clip_id), places) for clip_id in wanted}


def staff_words(case: Case, moment: datetime) -> str:
    """For staff on a clip's page: the state alone, by role."""
    if case.state in OPEN:
        return _open_words(case, None, moment)
    return _closed_words(case)


def waiting_words(place: Place) -> str:
    return _("Waiting for review, %(place)s of %(waiting)s") % {
        "place": ordinal(place.place),
        "waiting": place.waiting,
    }


def _open_words(case: Case, place: Place | None, moment: datetime) -> str:
    facts = {"due": due_words(case.due_at, moment)}
    if case.state == State.CLAIMED:
        if case.round == 2:
            return _("A reviewer who did not decide before looks at your appeal; %(due)s.") % facts
        return _("A reviewer is looking at it; %(due)s.") % facts
    if place is None:
        return _("Waiting for review; %(due)s.") % facts
    if case.round == 2:
        return _("Your appeal waits, %(place)s of %(waiting)s; %(due)s.") % {
            **facts,
            "place": ordinal(place.place),
            "waiting": place.waiting,
        }
    return f"{waiting_words(place)}; {facts['due']}."


def _last_word(submission: Submission, decision: Decision, moment: datetime) -> str:
    if decision.round == 2:
        return _("This was the last word on it.")
    standing = appeal_standing(submission, moment)
    if standing.appeal is not None:
        return _("You withdrew your appeal, so it stands.")
    assert standing.until is not None
    return appeal_words(standing.until, moment)


def _card_words(case: Case | None, places: Mapping[UUID, Place]) -> str:
    if case is None or case.state == State.WITHDRAWN:
        return _("Only you can see it")
    if is_released(case):
        return _("Released")
    if case.state == State.QUEUED and case.id in places:
        return waiting_words(places[case.id])
    if case.state in OPEN:
        return _("A reviewer is looking at it")
    return _closed_words(case)


def _closed_words(case: Case) -> str:
    decision: Decision | None = getattr(case, "decision", None)
    if decision is None:
        return _("Withdrawn")
    if decision.clause is None:
        return _("Approved; you can release it")
    number = {"number": decision.clause.number}
    if decision.outcome == Outcome.CHANGES_REQUESTED:
        return _("Changes asked for under clause %(number)s") % number
    return _("Declined under clause %(number)s") % number
