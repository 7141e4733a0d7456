from __future__ import annotations

from uuid import UUID

from accounts.people.models import PersonalDetail
from core.errors import Absent


def country_of(party_id: UUID) -> str:
    """Two letters, or nothing where they have not said."""
    said = PersonalDetail.objects.filter(person__party_id=party_id)
    return said.values_list("country", flat=True).first() or ""


def detail_of(party_id: UUID) -> PersonalDetail:
    """With its person. Raises ``Absent`` for a party that is no person, or no longer."""
    detail = PersonalDetail.objects.select_related("person").filter(person__party_id=party_id)
    found = detail.first()
    if found is None:
        raise Absent
    return found
