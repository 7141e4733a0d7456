"""Which programme a signed-in person is in at the moment."""

from __future__ import annotations

from dataclasses import replace

from django.http import HttpRequest

from accounts.credentials.queries import Actor
from accounts.programmes.queries import programmes_of, roles_in

CHOSEN = "programme"


def place_of_session(request: HttpRequest, person: Actor) -> Actor:
    """The person in the programme they chose, else in their first; in none where they have none."""
    mine = list(programmes_of(person.party_id))
    chosen = request.session.get(CHOSEN)
    programme = next((one for one in mine if str(one.id) == chosen), mine[0] if mine else None)
    request.programme = programme  # type: ignore[attr-defined]  # read by the templates
    if programme is None:
        return person
    return replace(person, programme_id=programme.id, roles=roles_in(programme.id, person.party_id))
