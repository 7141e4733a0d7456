"""Who is in the demonstration. The addresses are of a domain that is reserved for examples."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.programmes.models import Role


@dataclass(frozen=True, slots=True)
class House:
    slug: str
    name: str


HERE = House("demonstration", "Demonstration")
NEXT_DOOR = House("next-door", "Next door")


@dataclass(frozen=True, slots=True)
class Part:
    """``role`` is the word in var/demo.json; several people may have the same."""

    role: str
    email: str
    name: str
    holds: Role
    house: House = HERE


def _several(role: str, holds: Role, how_many: int) -> list[Part]:
    address = role.replace(" ", "-")
    return [
        Part(role, f"{address}-{number}@example.org", f"{role.capitalize()} {number}", holds)
        for number in range(1, how_many + 1)
    ]


# Nine reviewers are enough for a full appeal in which nobody decides twice.
CAST = [
    Part("tester", "tester@example.org", "Tester", Role.TESTER),
    Part("second tester", "second-tester@example.org", "Second tester", Role.TESTER),
    Part("stranger", "stranger@example.org", "Stranger", Role.TESTER, NEXT_DOOR),
    *_several("reviewer", Role.REVIEWER, 9),
    *_several("finance", Role.FINANCE, 3),
    *_several("programme manager", Role.MANAGER, 2),
    Part("auditor", "auditor@example.org", "Auditor", Role.AUDITOR),
]
