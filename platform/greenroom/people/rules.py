from __future__ import annotations

from accounts.credentials.queries import Actor

PEOPLE_ON_A_PAGE = 50
READERS = ("manager", "administrator", "auditor")
WRITERS = ("manager", "administrator")


def may_write(actor: Actor) -> bool:
    return bool(actor.roles.intersection(WRITERS))
