from __future__ import annotations

import re
from dataclasses import asdict, dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.people.models import Person, PersonalDetail
from accounts.programmes.rules import is_a_language, zone_names
from core.audit.commands import record
from core.errors import InvalidOrder
from core.text import is_readable


@dataclass(frozen=True, slots=True)
class Detail:
    """What a person says about themselves.

    Empty means: as the browser or the programme has it. None means: as it was. ``languages`` are
    those they speak and ``contact`` is how else they can be reached; the programme's managers see
    both. ``country`` is two letters of ISO 3166-1, for models whose licence does not hold
    everywhere; nobody else sees it.
    """

    display_name: str | None = None
    credit_name: str | None = None
    language: str | None = None
    theme: str | None = None
    time_zone: str | None = None
    languages: list[str] | None = None
    contact: str | None = None
    country: str | None = None


LONGEST_CONTACT = 254
MOST_LANGUAGES = 20
_COUNTRY = re.compile(r"[A-Z]{2}")


def save_detail(*, person: Person, detail: Detail) -> None:
    """Raises ``InvalidOrder`` for a name that cannot be read as it stands, and for no time zone.

    The audit hears that it was said, not what: that is personal and stands in its own row."""
    said = {name: text for name, text in asdict(detail).items() if text is not None}
    for field in ("display_name", "credit_name"):
        if not is_readable(said.get(field, "")):
            raise InvalidOrder("name_invalid", _("A name has no control characters."), field=field)
    _must_be_languages(said.get("languages", []))
    if len(said.get("contact", "")) > LONGEST_CONTACT or not is_readable(said.get("contact", "")):
        raise InvalidOrder(
            "contact_invalid", _("A contact is one line of plain text."), field="contact"
        )
    _must_be_a_country(said.get("country", ""))
    # A zone nobody knows would break every page of this person.
    if said.get("time_zone") and said["time_zone"] not in zone_names():
        raise InvalidOrder(
            "time_zone_unknown", _("There is no time zone of this name."), field="time_zone"
        )
    with transaction.atomic():
        PersonalDetail.objects.filter(person=person).update(**said)
        record("detail.saved", subject=("party", person.party_id), actor=person.party_id)


def _must_be_a_country(country: str) -> None:
    if country and not _COUNTRY.fullmatch(country):
        raise InvalidOrder(
            "country_unknown",
            _("A country is two capital letters, like “NL” or “KR”."),
            field="country",
        )


def _must_be_languages(languages: list[str]) -> None:
    if len(languages) > MOST_LANGUAGES or not all(is_a_language(each) for each in languages):
        raise InvalidOrder(
            "language_unknown",
            _("Languages are written like “en” or “pt-BR”, up to 20 of them."),
            field="languages",
        )
