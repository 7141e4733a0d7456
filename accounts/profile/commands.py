from __future__ import annotations

from dataclasses import asdict, dataclass

from django.db import transaction

from accounts.people.models import Person, PersonalDetail
from core.audit.commands import record


@dataclass(frozen=True, slots=True)
class Detail:
    """What a person says about themselves; empty means: as the browser or the programme has it."""

    display_name: str
    language: str
    theme: str
    time_zone: str


def save_detail(*, person: Person, detail: Detail) -> None:
    """The audit hears that it was said, not what: that is personal and stands in its own row."""
    with transaction.atomic():
        PersonalDetail.objects.filter(person=person).update(**asdict(detail))
        record("detail.saved", subject=("party", person.party_id), actor=person.party_id)


def keep_theme(*, person: Person, theme: str) -> None:
    PersonalDetail.objects.filter(person=person).update(theme=theme)


def keep_language(*, person: Person, language: str) -> None:
    PersonalDetail.objects.filter(person=person).update(language=language)
