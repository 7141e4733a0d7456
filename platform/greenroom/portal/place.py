"""Which programme a signed-in person is in at the moment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import HttpRequest

from accounts.credentials.queries import Actor
from accounts.profile.choices import CHOSEN
from accounts.programmes.models import Programme
from accounts.programmes.queries import programmes_listed, programmes_of, roles_in
from accounts.programmes.rules import ADMINISTRATOR


def place_of_session(request: HttpRequest, person: Actor) -> Actor:
    """The person in the programme they chose, else in their first; in none where they have none.

    An administrator may stand in every programme, whoever is a member of it.
    """
    mine = places_of(person)
    chosen = request.session.get(CHOSEN)
    programme = next((one for one in mine if str(one.id) == chosen), mine[0] if mine else None)
    request.programme = programme  # type: ignore[attr-defined]  # read by the templates
    request.places = mine  # type: ignore[attr-defined]  # read by the menu
    if programme is None:
        return person
    roles = roles_in(programme.id, person.party_id) | person.roles
    return replace(person, programme_id=programme.id, roles=roles)


def places_of(person: Any) -> list[Programme]:
    """Where this person may stand: their own programmes first, then an administrator's others."""
    mine = list(programmes_of(person.party_id))
    if ADMINISTRATOR in person.roles:
        mine += [one for one in programmes_listed() if one not in mine]
    return mine
