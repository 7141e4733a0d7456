from __future__ import annotations

from dataclasses import asdict, dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.people.models import Person, PersonalDetail
from core.audit.commands import record
from core.errors import InvalidOrder
from core.text import is_readable


@dataclass(frozen=True, slots=True)
class Detail:
    """What a person says about themselves; empty means: as the browser or the programme has it."""

    display_name: str
    language: str
    theme: str
    time_zone: str


def save_detail(*, person: Person, detail: Detail) -> None:
    """Raises ``InvalidOrder`` for a name that cannot be read as it stands.

    The audit hears that it was said, not what: that is personal and stands in its own row."""
    if not is_readable(detail.display_name):
        raise InvalidOrder(
            "name_invalid", _("A name has no control characters."), field="display_name"
        )
    with transaction.atomic():
        PersonalDetail.objects.filter(person=person).update(**asdict(detail))
        record("detail.saved", subject=("party", person.party_id), actor=person.party_id)


def keep_theme(*, person: Person, theme: str) -> None:
    PersonalDetail.objects.filter(person=person).update(theme=theme)


def keep_language(*, person: Person, language: str) -> None:
    PersonalDetail.objects.filter(person=person).update(language=language)
