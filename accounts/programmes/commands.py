from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.programmes.models import Membership, Particulars, Programme, Role, RoleGrant
from accounts.programmes.rules import (
    FIELDS,
    USUAL_LANGUAGES,
    differences,
    is_a_currency,
    is_a_language,
    is_a_slug,
    zone_names,
)
from core.audit.commands import record
from core.clock import must_be_in_range, now
from core.errors import Absent, InvalidOrder, TooLate
from core.outbox.commands import say
from core.text import is_readable

LONGEST_NAME = 120


class ChangedMeanwhile(TooLate):
    """Somebody else published a version after the one this change was made from.

    ``changes`` says which field it moved from what to what, so that a page can show it.
    """

    code = "changed_meanwhile"

    def __init__(self, number: int, changes: list[dict[str, Any]]) -> None:
        super().__init__(
            _("Somebody changed this while you were writing. See what is new, then save again."),
            number=number,
            changes=changes,
        )


@dataclass(frozen=True, slots=True)
class ParticularsWish:
    """What a programme says about itself; see ``Particulars``."""

    name: str
    time_zone: str = "Europe/Berlin"
    opens_on: date | None = None
    closes_on: date | None = None
    languages: tuple[str, ...] = USUAL_LANGUAGES
    contact: str = ""
    credits_per_tester: int = 400
    submissions_per_day: int = 20
    cases_per_hour: int = 6


def make_programme(
    *,
    slug: str,
    wish: ParticularsWish,
    currency: str = "EUR",
    is_demonstration: bool = False,
    actor: UUID | None = None,
) -> Programme:
    """A programme that is not open yet, with its first particulars.

    Raises ``InvalidOrder`` for a slug that is taken or what makes no sense.
    """
    _must_make_sense(wish)
    if not is_a_slug(slug):
        raise InvalidOrder(
            "slug_invalid",
            _("A short name is up to 64 small letters and figures, with hyphens between."),
            field="slug",
        )
    if not is_a_currency(currency):
        raise InvalidOrder(
            "currency_invalid", _("A currency is three capital letters."), field="currency"
        )
    with transaction.atomic():
        try:
            with transaction.atomic():
                programme = Programme.objects.create(
                    slug=slug,
                    name=wish.name.strip(),
                    time_zone=wish.time_zone,
                    currency=currency,
                    is_demonstration=is_demonstration,
                )
        # Asked of the database alone: of two who choose one slug at once, neither sees the other's.
        except IntegrityError as refused:
            if Programme.objects.filter(slug=slug).exists():
                raise InvalidOrder(
                    "slug_taken", _("There is a programme of this slug."), field="slug"
                ) from refused
            raise
        _publish(programme.id, 1, wish, actor)
        record("programme.made", subject=("programme", programme.id), actor=actor)
    return programme


def publish_particulars(
    *,
    programme_id: UUID,
    wish: ParticularsWish,
    seen: int | None = None,
    actor: UUID | None = None,
) -> Particulars:
    """Put the next version in force. ``seen`` is the number the writer had before them.

    Raises ``ChangedMeanwhile`` where another came in between.
    """
    _must_make_sense(wish)
    with transaction.atomic():
        lock_programme(programme_id)
        versions = Particulars.objects.filter(programme_id=programme_id)
        number = next_number(versions, seen=seen, fields=FIELDS)
        return _publish(programme_id, number, wish, actor)


def open_programme(*, programme_id: UUID, actor: UUID | None = None) -> Programme:
    """Let testers work. The caller has checked that nothing is missing; the database asks for the
    least once more. Opening twice is fine."""
    with transaction.atomic():
        programme = lock_programme(programme_id)
        if not programme.is_open:
            moment = now()
            Programme.objects.filter(id=programme_id).update(
                is_open=True, opened_at=programme.opened_at or moment
            )
            record("programme.opened", subject=("programme", programme_id), actor=actor)
            without = str(actor) if actor else None
            say("programme.opened", subject=("programme", programme_id), without=without)
    return Programme.objects.get(id=programme_id)


def close_programme(*, programme_id: UUID, actor: UUID | None = None) -> Programme:
    """No new work from now on; what is queued, judged and owed goes its way. Twice is fine."""
    with transaction.atomic():
        programme = lock_programme(programme_id)
        if programme.is_open:
            Programme.objects.filter(id=programme_id).update(is_open=False)
            record("programme.closed", subject=("programme", programme_id), actor=actor)
            say("programme.closed", subject=("programme", programme_id))
    return Programme.objects.get(id=programme_id)


def lock_programme(programme_id: UUID) -> Programme:
    """Its row, held until the commit: two publishers stand in a line. Raises ``Absent``."""
    programme = Programme.objects.select_for_update(no_key=True).filter(id=programme_id).first()
    if programme is None:
        raise Absent
    return programme


def next_number(
    versions: QuerySet[Any],
    *,
    seen: int | None,
    fields: tuple[str, ...],
    said: Callable[[Any], Any] = lambda version: version,
) -> int:
    """One more than the last of these versions; the caller holds the programme's row.

    ``seen`` is the number the writer had before them, 0 before the first, None where they did not
    look. ``said`` gives what a version says as attributes named ``fields``. Raises
    ``ChangedMeanwhile`` where the last is not the one seen.
    """
    last = versions.order_by("-number").first()
    if last is None:
        return 1
    if seen is not None and seen != last.number:
        before = versions.filter(number=seen).first()
        raise ChangedMeanwhile(
            last.number, differences(said(before) if before else None, said(last), fields)
        )
    return int(last.number) + 1


def add_member(
    *, programme_id: UUID, party_id: UUID, roles: list[Role], granted_by: UUID | None = None
) -> Membership:
    with transaction.atomic():
        membership = Membership.objects.create(programme_id=programme_id, party_id=party_id)
        RoleGrant.objects.bulk_create(
            [
                RoleGrant(membership=membership, role=role, granted_by_id=granted_by)
                for role in roles
            ]
        )
        record(
            "member.added",
            subject=("programme", programme_id),
            actor=granted_by,
            party=str(party_id),
            roles=[role.value for role in roles],
        )
    return membership


def _publish(
    programme_id: UUID, number: int, wish: ParticularsWish, actor: UUID | None
) -> Particulars:
    version = Particulars.objects.create(
        programme_id=programme_id,
        number=number,
        name=wish.name.strip(),
        time_zone=wish.time_zone,
        opens_on=wish.opens_on,
        closes_on=wish.closes_on,
        languages=list(wish.languages),
        contact=wish.contact.strip(),
        credits_per_tester=wish.credits_per_tester,
        submissions_per_day=wish.submissions_per_day,
        cases_per_hour=wish.cases_per_hour,
        published_by_id=actor,
    )
    record(
        "particulars.published",
        subject=("programme", programme_id),
        actor=actor,
        number=number,
    )
    return version


def _must_make_sense(wish: ParticularsWish) -> None:
    if not 1 <= len(wish.name.strip()) <= LONGEST_NAME or not is_readable(wish.name):
        raise InvalidOrder(
            "name_invalid", _("Give it a name of up to 120 characters."), field="name"
        )
    if wish.time_zone not in zone_names():
        raise InvalidOrder(
            "time_zone_unknown", _("There is no time zone of this name."), field="time_zone"
        )
    must_be_in_range(wish.opens_on, field="opens_on")
    must_be_in_range(wish.closes_on, field="closes_on")
    if wish.opens_on and wish.closes_on and wish.closes_on < wish.opens_on:
        raise InvalidOrder("dates_reversed", _("It closes before it opens."), field="closes_on")
    if not wish.languages or not all(is_a_language(each) for each in wish.languages):
        raise InvalidOrder(
            "language_unknown",
            _("Languages are written like “en” or “pt-BR”, one at least."),
            field="languages",
        )
    if not 0 <= wish.credits_per_tester <= 10**12 or not 0 <= wish.submissions_per_day <= 10**6:
        raise InvalidOrder(
            "figure_out_of_range", _("This figure is out of range."), field="credits_per_tester"
        )
    if not 1 <= wish.cases_per_hour <= 1000:
        raise InvalidOrder(
            "figure_out_of_range",
            _("A reviewer decides at least one case an hour, a thousand at most."),
            field="cases_per_hour",
        )
    if not is_readable(wish.contact) or len(wish.contact.strip()) > 254:
        raise InvalidOrder(
            "contact_invalid", _("A contact is one line of plain text."), field="contact"
        )
