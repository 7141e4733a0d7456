"""Which duties are never in one hand. The database says the same (``duties_are_separate``)."""

from __future__ import annotations

from accounts.programmes.rules import ADMINISTRATOR

TESTER, REVIEWER, MANAGER = "tester", "reviewer", "manager"
FINANCE, AUDITOR = "finance", "auditor"

# Who proposes payouts does not approve them, and who looks at everything does nothing else.
APART = frozenset(
    frozenset(pair)
    for pair in (
        (FINANCE, MANAGER),
        (FINANCE, ADMINISTRATOR),
        (AUDITOR, TESTER),
        (AUDITOR, REVIEWER),
        (AUDITOR, MANAGER),
        (AUDITOR, FINANCE),
        (AUDITOR, ADMINISTRATOR),
    )
)


def kept_apart(role: str, held: frozenset[str]) -> frozenset[str]:
    """Those of the held roles that this one never joins."""
    return frozenset(other for other in held if frozenset((role, other)) in APART)
