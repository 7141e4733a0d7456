"""Naming people on a clip, and each person's own answer to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.credentials.commands import lock_live_credential
from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope
from accounts.programmes.queries import membership_of
from core.audit.commands import record
from core.clock import now
from core.errors import InvalidOrder, TooLate
from core.idempotency.commands import Once
from core.ids import read_id
from core.outbox.commands import say
from core.states import advance
from generation.clips.models import Clip
from review.credits.models import CreditLine
from review.credits.queries import clip_to_credit, credit_line_for
from review.credits.rules import MOVES, CreditRole, DisplayForm, Move, State

Answer = Callable[[CreditLine], tuple[int, Any]]
REACHED_BY = {Move.ACCEPT: State.ACCEPTED, Move.DECLINE: State.DECLINED}


class AlreadyNamed(TooLate):
    code = "already_named"


class UnderReview(TooLate):
    code = "under_review"


def name_person(
    *,
    actor: Actor,
    clip_id: str,
    party: str,
    role: str,
    once: Once | None = None,
    answer: Answer | None = None,
) -> CreditLine:
    """Propose a credit on one's own clip. Saying yes stays with whoever is named.

    ``party`` is their credit id (``par_…``). Naming oneself is a yes. Raises ``UnderReview`` while
    a case about the clip is open, ``AlreadyNamed`` for the same person and role, and one
    ``InvalidOrder`` for whoever is not in the programme: who exists elsewhere cannot be found out.
    """
    actor.must_act(Scope.CREDITS_WRITE)
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        if once:
            once.begin()
        clip = clip_to_credit(actor, clip_id)
        _must_not_be_judged_now(clip)
        if role not in CreditRole.values:
            raise InvalidOrder("role_unknown", _("Choose one of the roles."), field="role")
        line, is_new = CreditLine.objects.get_or_create(
            clip=clip,
            party_id=_member(actor, party),
            role=role,
            defaults=_first_answer(clip, read_id("party", party)),
        )
        if not is_new:
            raise AlreadyNamed(_("They are named for this already, or have said no to it."))
        if line.state == State.PROPOSED:
            _tell("credit.proposed", line, actor, party_id=line.party_id)
        else:
            _tell("credit.accepted", line, actor, party_id=line.proposed_by_id)
        if once and answer:
            once.keep(*answer(line))
    return line


def _must_not_be_judged_now(clip: Clip) -> None:
    """Whoever is named may not judge the clip, so naming somebody would take a case from its judge
    and tell who that was. By relation: cases belong to a feature above this one."""
    if clip.cases.filter(closed_at=None).exists():
        raise UnderReview(
            _("The clip is under review. You can name people again when there is a decision.")
        )


def answer_credit(
    *, actor: Actor, credit_line_id: str, move: str, display_form: str | None = None
) -> CreditLine:
    """Accept or decline a line that names the actor, or choose anew how they are named in it.

    Either answer may be changed later; the same one twice is fine. ``display_form`` None leaves it
    as it is.
    """
    actor.must_act(Scope.CREDITS_WRITE)
    if move not in list(Move):
        raise InvalidOrder("move_unknown", _("Accept it, or decline it."), field="move")
    if display_form is not None and display_form not in DisplayForm.values:
        raise InvalidOrder(
            "display_form_unknown", _("Choose how you want to be named."), field="display_form"
        )
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        line = credit_line_for(actor, credit_line_id)
        form = DisplayForm(display_form or line.display_form)
        if State(line.state) is not REACHED_BY[Move(move)]:
            _answer(line, Move(move), form, actor)
        elif form != line.display_form:
            _choose_form(line, form, actor)
    return credit_line_for(actor, credit_line_id)


def credit_the_maker(*, clip: Clip, display_form: DisplayForm) -> None:
    """The maker's own line, where there is none yet. Belongs to the caller's transaction."""
    CreditLine.objects.bulk_create(
        [
            CreditLine(
                clip=clip,
                programme_id=clip.programme_id,
                party_id=clip.party_id,
                proposed_by_id=clip.party_id,
                role=CreditRole.MAKER,
                display_form=display_form,
                state=State.ACCEPTED,
                answered_at=now(),
            )
        ],
        ignore_conflicts=True,
    )


def forget_names(*, party_id: UUID) -> int:
    """Every line of a party that leaves for good shows no name from now on. How many did.

    Names stand in no line anyhow; this keeps the choice from outliving the person. Inside the
    caller's transaction.
    """
    named = CreditLine.objects.filter(party_id=party_id).exclude(display_form=DisplayForm.NONE)
    lines = list(named.order_by("id"))
    for line in lines:
        CreditLine.objects.filter(id=line.id).update(display_form=DisplayForm.NONE)
        record(
            "credit.form_chosen",
            subject=("credit_line", line.id),
            clip=str(line.clip_id),
            role=line.role,
        )
    return len(lines)


def _member(actor: Actor, party: str) -> UUID:
    party_id = read_id("party", party.strip())
    if party_id is None or membership_of(actor.programme, party_id) is None:
        raise InvalidOrder(
            "party_unknown",
            _("Nobody in this programme has this credit id. Ask them for theirs."),
            field="party",
        )
    return party_id


def _first_answer(clip: Clip, party_id: UUID | None) -> dict[str, Any]:
    defaults: dict[str, Any] = {
        "programme_id": clip.programme_id,
        "proposed_by_id": clip.party_id,
    }
    if party_id == clip.party_id:
        defaults |= {"state": State.ACCEPTED, "answered_at": now()}
    return defaults


def _answer(line: CreditLine, move: Move, form: DisplayForm, actor: Actor) -> None:
    seen = State(line.state)
    mine = CreditLine.objects.filter(id=line.id)
    if not advance(mine, MOVES, move, seen=seen, display_form=form, answered_at=now()):
        raise TooLate(_("This was answered in another window meanwhile. Look at it again."))
    if move is Move.ACCEPT:
        _tell("credit.accepted", line, actor, party_id=line.proposed_by_id)
    else:
        _tell("credit.declined", line, actor, party_id=line.proposed_by_id)


def _choose_form(line: CreditLine, form: DisplayForm, actor: Actor) -> None:
    CreditLine.objects.filter(id=line.id).update(display_form=form)
    _tell("credit.form_chosen", line, actor, party_id=line.party_id)


def _tell(kind: str, line: CreditLine, actor: Actor, *, party_id: UUID) -> None:
    """Facts name the clip and the role, never how somebody is called."""
    facts = {"clip": str(line.clip_id), "role": line.role}
    record(
        kind,
        subject=("credit_line", line.id),
        actor=actor.party_id,
        credential=actor.credential_id,
        **facts,
    )
    say(kind, subject=("credit_line", line.id), party=party_id, **facts)
