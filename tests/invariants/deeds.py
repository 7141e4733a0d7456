"""What attacks are made of.

``clone`` copies a row with other values in some columns, ``again`` writes a copy at this moment;
``change`` updates rows. An attack is a list of statements; the last one, or the end of the
transaction, must be refused by the rule.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from invariants.world import World

from core.ids import new_id

Statement = tuple[str, dict[str, Any]]
Deed = Callable[[World], list[Statement]]

CHECK, UNIQUE, FOREIGN, RAISED = "23514", "23505", "23503", "23001"
NO_RIGHT = "42501"


@dataclass(frozen=True)
class Attack:
    """``sqlstate`` is the owner's answer; the application's is ``NO_RIGHT`` where it may not try.

    ``behind`` names the rule that refuses first; the owner lifts it, and whatever else stands in
    front, by ``lifts``.
    """

    name: str
    sqlstate: str
    deed: Deed
    application_may_try: bool = True
    behind: str | None = None
    lifts: tuple[str, ...] = ()


def clone(table: str, where: str = "true", /, **other: Any) -> list[Statement]:
    columns = {"id": new_id(), **other}
    copied = "(jsonb_populate_record(r, %(other)s::jsonb)).*"
    insert = f"INSERT INTO {table} SELECT {copied} FROM {table} r WHERE {where} LIMIT 1"
    return [(insert, {"other": json.dumps(columns, default=str)})]


def change(table: str, written: str, where: str = "true") -> list[Statement]:
    return [(f"UPDATE {table} SET {written} WHERE {where}", {})]


# What the rules of these tables want to be of this moment and of this transaction.
FRESH = {
    "accounts_acceptance": "'at', core_now()",
    "accounts_administrator": "'granted_at', core_now()",
    "accounts_agreementversion": "'published_at', core_now()",
    "accounts_agreementview": "'at', core_now()",
    "accounts_announcement": "'made_at', core_now()",
    "accounts_calendarversion": "'published_at', core_now()",
    "accounts_cohort": "'made_at', core_now()",
    "accounts_cohortseat": "'joined_at', core_now()",
    "accounts_consentact": "'at', core_now()",
    "accounts_consentversion": "'published_at', core_now()",
    "accounts_conversation": "'opened_at', core_now()",
    "accounts_erasure": "'asked_at', core_now()",
    "accounts_membership": "'joined_at', core_now()",
    "accounts_particulars": "'published_at', core_now()",
    "accounts_rate": (
        "'published_at', core_now(), 'number', (SELECT max(number) + 1 FROM accounts_rate x"
        " WHERE x.programme_id = r.programme_id AND x.kind = r.kind)"
    ),
    "accounts_remark": "'at', core_now()",
    "accounts_retentionversion": "'published_at', core_now()",
    "accounts_rolegrant": "'granted_at', core_now()",
    "core_auditevent": "'xid', pg_current_xact_id()::text",
    "core_outboxmessage": "'xid', pg_current_xact_id()::text",
    "generation_allowedmodels": "'published_at', core_now()",
    "generation_modelcheck": "'at', core_now()",
    "generation_job": "'queued_at', core_now()",
    "generation_deletedvideo": "'at', core_now()",
    "generation_jobcondition": "",
    "generation_jobrequest": "'at', core_now()",
    "generation_jobstyle": "",
    "generation_reference": "'made_at', core_now()",
    "generation_referencestill": "'made_at', core_now()",
    "generation_removal": "'announced_at', core_now()",
    "generation_workercredential": "'made_at', core_now(), 'last_used_at', NULL",
    "generation_style": "'made_at', core_now(), 'state', 'added'",
    "generation_stylefit": "'checked_at', core_now()",
    "review_appeal": "'filed_at', core_now()",
    "review_case": "'opened_at', core_now()",
    "review_charterversion": "'published_at', core_now()",
    "review_contribution": "'filed_at', core_now()",
    "review_decision": "'decided_at', core_now(), 'xid', pg_current_xact_id()::text",
    "review_ledgertransaction": "'posted_at', core_now(), 'xid', pg_current_xact_id()::text",
    "review_policyversion": "'published_at', core_now(), 'xid', pg_current_xact_id()::text",
    "review_release": "'released_at', core_now()",
    "review_submission": "'sealed_at', core_now(), 'xid', pg_current_xact_id()::text",
}


def again(
    table: str, where: str = "true", /, *, written: str = "", **other: Any
) -> list[Statement]:
    """A copy that is written now. ``written`` gives further columns: ``'name', expression``."""
    fresh = ", ".join(filter(None, [FRESH[table], written]))
    built = f"to_jsonb(r) || jsonb_build_object({fresh}) || %(other)s::jsonb"
    insert = (
        f"INSERT INTO {table} SELECT n.* FROM (SELECT * FROM {table} WHERE {where} LIMIT 1) r,"
        f" jsonb_populate_record(NULL::{table}, {built}) n"
    )
    return [(insert, {"other": json.dumps({"id": new_id(), **other}, default=str)})]


def checks(name: str, deed: Deed, **how: Any) -> Attack:
    return Attack(name, CHECK, deed, **how)


def unique(name: str, deed: Deed, **how: Any) -> Attack:
    return Attack(name, UNIQUE, deed, **how)


def foreign(name: str, deed: Deed, **how: Any) -> Attack:
    return Attack(name, FOREIGN, deed, **how)


def raised(name: str, deed: Deed, **how: Any) -> Attack:
    return Attack(name, RAISED, deed, **how)


FOREVER, LONG_AGO = "2999-01-01T00:00:00Z", "1999-01-01T00:00:00Z"
A_HASH = "ab" * 32
OLD_PICTURE = "nothing_is_judged_by_an_old_picture"
WITH_AN_OLD_PICTURE: Statement = ("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", {})
FREE = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
