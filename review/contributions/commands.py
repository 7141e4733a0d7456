"""Filing a contribution, and answering it. Whoever accepts one makes its pay due."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.agreements.queries import governing_acceptance
from accounts.credentials.commands import lock_live_credential
from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope
from accounts.programmes.models import Role
from accounts.rates.commands import hold_rates
from accounts.rates.queries import rate_in_force
from accounts.rates.rules import ActKind
from core.audit.commands import record
from core.clock import now
from core.errors import AgreementMissing, InvalidOrder, NotAllowed, TooLate
from core.idempotency.commands import Once
from core.outbox.commands import say
from core.states import advance
from core.text import is_readable
from generation.clips.models import Clip
from review.contributions.models import Contribution
from review.contributions.queries import clip_to_write_about, contribution_for
from review.contributions.rules import (
    LONGEST_TEXT,
    LONGEST_TITLE,
    MOVES,
    SHORTEST_ANSWER,
    DeclineReason,
    Kind,
    Move,
    State,
    Wish,
)
from review.ledger.commands import record_act

Answer = Callable[[Contribution], tuple[int, Any]]


class OwnContribution(NotAllowed):
    code = "own_contribution"


def file_contribution(
    *, actor: Actor, wish: Wish, once: Once | None = None, answer: Answer | None = None
) -> Contribution:
    """Say something that the programme can use. If it is accepted, it earns today's rate.

    Raises ``InvalidOrder`` for what cannot be read or lies outside the clip, ``Absent`` for a clip
    of somebody else's, ``AgreementMissing`` where no acceptance governs them.
    """
    actor.must_act(Scope.CONTRIBUTIONS_CREATE)
    actor.must_be(Role.TESTER, _("Contributions are filed by testers of the programme."))
    _must_say_something(wish)
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        if once:
            once.begin()
        if governing_acceptance(actor.programme, actor.party_id) is None:
            raise AgreementMissing
        clip = clip_to_write_about(actor, wish.clip) if wish.clip else None
        frame_from, frame_to = _frames(wish, clip)
        hold_rates(actor.programme)
        moment = now()
        contribution = Contribution.objects.create(
            programme_id=actor.programme,
            party_id=actor.party_id,
            kind=wish.kind,
            clip=clip,
            frame_from=frame_from,
            frame_to=frame_to,
            title=wish.title.strip(),
            words=wish.words.strip(),
            rate=rate_in_force(actor.programme, wish.kind, moment),
            filed_at=moment,
        )
        _tell("contribution.filed", contribution, actor, about=contribution.kind)
        if once and answer:
            once.keep(*answer(contribution))
    return contribution


def triage_contribution(
    *,
    actor: Actor,
    contribution_id: str,
    accept: bool,
    decline_reason: str = "",
    answer: str = "",
) -> Contribution:
    """Answer somebody else's contribution, for good. Accepted, it is owed its rate at once.

    Declining needs a reason of the list and an answer in words. Raises ``TooLate`` where somebody
    answered before, ``OwnContribution`` for one's own.
    """
    actor.must_act(Scope.CONTRIBUTIONS_TRIAGE)
    reason = "" if accept else decline_reason
    _must_be_an_answer(accept=accept, reason=reason, answer=answer)
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        contribution = contribution_for(actor, contribution_id)
        if contribution.party_id == actor.party_id:
            raise OwnContribution(_("Somebody else answers what you filed yourself."))
        move = Move.ACCEPT if accept else Move.DECLINE
        is_first = advance(
            Contribution.objects.filter(id=contribution.id),
            MOVES,
            move,
            seen=State.FILED,
            triaged_by_id=actor.party_id,
            triaged_at=now(),
            decline_reason=reason,
            answer=answer.strip(),
        )
        if not is_first:
            raise TooLate(_("Somebody has answered this already."))
        if accept:
            _pay(contribution)
            _tell("contribution.accepted", contribution, actor)
        else:
            _tell("contribution.declined", contribution, actor, reason=reason)
    contribution.refresh_from_db()
    return contribution


def _pay(contribution: Contribution) -> None:
    """At the rate of its filing: the wait for an answer changes nothing."""
    if contribution.rate is None:
        return
    record_act(
        programme_id=contribution.programme_id,
        party_id=contribution.party_id,
        kind=ActKind(contribution.kind),
        subject_id=contribution.id,
        rate=contribution.rate,
        occurred_at=contribution.filed_at,
    )


def _tell(kind: str, contribution: Contribution, actor: Actor, **facts: Any) -> None:
    subject = ("contribution", contribution.id)
    record(
        kind,
        subject=subject,
        actor=actor.party_id,
        credential=actor.credential_id,
        **facts,
    )
    say(kind, subject=subject, party=contribution.party_id, **facts)


def _must_say_something(wish: Wish) -> None:
    if wish.kind not in Kind.values:
        raise InvalidOrder("kind_unknown", _("Choose one of the kinds."), field="kind")
    if not 1 <= len(wish.title.strip()) <= LONGEST_TITLE or not is_readable(wish.title):
        raise InvalidOrder(
            "title_invalid",
            _("A title is one line of 1 to %(most)s characters.") % {"most": LONGEST_TITLE},
            field="title",
            most=LONGEST_TITLE,
        )
    if not 1 <= len(wish.words.strip()) <= LONGEST_TEXT or not is_readable(wish.words, lines=True):
        raise InvalidOrder(
            "words_invalid",
            _("Say it in 1 to %(most)s characters of plain text.") % {"most": LONGEST_TEXT},
            field="words",
            most=LONGEST_TEXT,
        )


def _frames(wish: Wish, clip: Clip | None) -> tuple[int | None, int | None]:
    first = wish.frame_from if wish.frame_from is not None else wish.frame_to
    last = wish.frame_to if wish.frame_to is not None else wish.frame_from
    if first is None or last is None:
        return None, None
    if clip is None:
        raise InvalidOrder(
            "frames_without_clip",
            _("Frames belong to a clip: choose the clip, or leave the frames empty."),
            field="frame_from",
        )
    if not 0 <= first <= last < clip.frames:
        raise InvalidOrder(
            "frames_outside_the_clip",
            _("The frames of this clip are 0 to %(last)s, the first one before the last.")
            % {"last": clip.frames - 1},
            field="frame_from",
            last=clip.frames - 1,
        )
    return first, last


def _must_be_an_answer(*, accept: bool, reason: str, answer: str) -> None:
    if not accept and reason not in DeclineReason.values:
        raise InvalidOrder(
            "decline_reason_unknown", _("Choose one of the reasons."), field="decline_reason"
        )
    if not accept and len(answer.strip()) < SHORTEST_ANSWER:
        raise InvalidOrder(
            "answer_too_short",
            _("Tell its maker why, in at least %(least)s characters.") % {"least": SHORTEST_ANSWER},
            field="answer",
            least=SHORTEST_ANSWER,
        )
    if len(answer) > LONGEST_TEXT or not is_readable(answer, lines=True):
        raise InvalidOrder(
            "answer_invalid",
            _("An answer has at most %(most)s characters of plain text.") % {"most": LONGEST_TEXT},
            field="answer",
            most=LONGEST_TEXT,
        )
