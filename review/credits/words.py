"""Names and sentences of credit lines. A name is read from the person in the moment it is shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.people.models import Party
from review.credits.models import CreditLine
from review.credits.rules import CreditRole, DisplayForm, State


@dataclass(frozen=True, slots=True)
class ShownCredit:
    """One line as the public reads it; where nobody is named, ``name`` says so in words."""

    role_words: str
    name: str
    is_named: bool


def shown_credits(lines: Iterable[CreditLine]) -> list[ShownCredit]:
    """The accepted ones among ``lines``, in their order."""
    return [shown_credit(line) for line in lines if line.state == State.ACCEPTED]


def shown_credit(line: CreditLine) -> ShownCredit:
    name = name_shown(line)
    return ShownCredit(
        role_words=str(CreditRole(line.role).label),
        name=name or _("somebody who prefers no name"),
        is_named=bool(name),
    )


def name_shown(line: CreditLine) -> str:
    """The name as its bearer wants it; empty where they want none, have none or were erased."""
    return name_in_form(line.party, DisplayForm(line.display_form))


def name_in_form(party: Party, form: DisplayForm) -> str:
    person = getattr(party, "person", None)
    detail = getattr(person, "detail", None)
    if detail is None or form is DisplayForm.NONE:
        return ""
    return str(detail.credit_name if form is DisplayForm.PSEUDONYM else detail.display_name)


def state_words(state: State) -> str:
    """For the maker of the clip, about somebody else's answer."""
    return {
        State.PROPOSED: _("Waits for their answer"),
        State.ACCEPTED: _("Accepted"),
        State.DECLINED: _("Declined"),
    }[state]
