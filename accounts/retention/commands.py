"""Publishing how long files are kept. It changes nothing on the disk by itself."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.programmes.commands import lock_programme, next_number
from accounts.retention.models import RetentionVersion
from core.audit.commands import record
from core.errors import InvalidOrder

SHORTEST_WARNING_DAYS = 7  # so does the database
LONGEST_WARNING_DAYS = 365
LONGEST_DAYS = 36_500
LONGEST_YEARS = 100
STATES = ("draft_days", "unreleased_days", "released_days")
FIELDS = (*STATES, "warning_days", "books_years")


@dataclass(frozen=True, slots=True)
class RetentionWish:
    """Days from the moment a clip came into its state, None for as long as the installation runs;
    see ``RetentionVersion``."""

    draft_days: int | None = None
    unreleased_days: int | None = None
    released_days: int | None = None
    warning_days: int = 14
    books_years: int = 10


def publish_retention(
    *,
    programme_id: UUID,
    wish: RetentionWish,
    seen: int | None = None,
    actor: UUID | None = None,
) -> RetentionVersion:
    """Put the next version in force.

    Raises ``InvalidOrder`` for terms that would take a file before its owner's week of warning,
    ``ChangedMeanwhile`` where another version came in between.
    """
    _must_make_sense(wish)
    with transaction.atomic():
        lock_programme(programme_id)
        versions = RetentionVersion.objects.filter(programme_id=programme_id)
        version = RetentionVersion.objects.create(
            programme_id=programme_id,
            number=next_number(versions, seen=seen, fields=FIELDS),
            published_by_id=actor,
            **asdict(wish),
        )
        record(
            "retention.published",
            subject=("retention", version.id),
            actor=actor,
            number=version.number,
        )
    return version


def _must_make_sense(wish: RetentionWish) -> None:
    if not SHORTEST_WARNING_DAYS <= wish.warning_days <= LONGEST_WARNING_DAYS:
        raise InvalidOrder(
            "warning_out_of_range",
            _("An owner is warned between %(least)s and %(most)s days ahead.")
            % {"least": SHORTEST_WARNING_DAYS, "most": LONGEST_WARNING_DAYS},
            field="warning_days",
        )
    if not 1 <= wish.books_years <= LONGEST_YEARS:
        raise InvalidOrder(
            "books_out_of_range",
            _("Books are kept between 1 and %(most)s years.") % {"most": LONGEST_YEARS},
            field="books_years",
        )
    for field in STATES:
        days = getattr(wish, field)
        if days is not None and not wish.warning_days <= days <= LONGEST_DAYS:
            raise InvalidOrder(
                "retention_out_of_range",
                _(
                    "Files are kept at least as long as the warning, %(least)s days, and at most"
                    " %(most)s; without a number, for as long as the programme runs."
                )
                % {"least": wish.warning_days, "most": LONGEST_DAYS},
                field=field,
                least=wish.warning_days,
                most=LONGEST_DAYS,
            )
