"""Deeds against the rules of worker credentials."""

from __future__ import annotations

from typing import Any

from invariants.deeds import Attack, Statement, again, change, checks, raised, unique

TABLE = "generation_workercredential"
LIVE, REVOKED = "revoked_at IS NULL", "revoked_at IS NOT NULL"


def another(**other: Any) -> list[Statement]:
    return again(TABLE, LIVE, **{"key_id": "A" * 12, **other})


MACHINES = [
    checks("a_worker_credential_names_its_machine", lambda _: another(machine="a room:1")),
    checks("a_worker_credential_has_a_key_and_a_pepper", lambda _: another(pepper_id="")),
    checks("a_worker_credential_keeps_a_digest", lambda _: another(digest="\\x00")),
    checks(
        "a_worker_credential_is_revoked_after_it_is_made",
        lambda _: change(TABLE, "revoked_at = made_at - interval '1 second'", LIVE),
    ),
    unique("generation_workercredential_key_id_key", lambda _: again(TABLE, LIVE)),
    raised(
        "a_worker_credential_begins_live",
        lambda _: another(last_used_at="2026-01-01T00:00:00Z"),
    ),
    raised(
        "a_worker_credential_stays_itself",
        lambda _: change(TABLE, "machine = 'another-room'", LIVE),
        application_may_try=False,
    ),
    raised(
        "a_worker_credential_is_revoked_once",
        lambda _: change(TABLE, "revoked_at = NULL", REVOKED),
    ),
]

VARIANTS: list[Attack] = [
    checks("a_worker_credential_names_its_machine", lambda _: another(machine="a" * 25)),
    checks("a_worker_credential_has_a_key_and_a_pepper", lambda _: another(key_id="short")),
    raised(
        "a_worker_credential_begins_live",
        lambda _: another(made_at="2026-01-01T00:00:00Z"),
    ),
    raised(
        "a_worker_credential_stays_itself",
        lambda _: change(TABLE, "digest = sha256('mine')", LIVE),
        application_may_try=False,
    ),
    raised(
        "a_worker_credential_is_revoked_once",
        lambda _: change(TABLE, "last_used_at = core_now()", REVOKED),
    ),
]
