"""What the application role may do, table by table: this list and no more.

Everything may be read and added to (default privileges). UPDATE is granted by column, so that a
whole-row ``save()`` fails and the law of named fields is kept by the database.
"""

from __future__ import annotations

from typing import Any

import pytest

from greenroom.embedded.roles import APP

ALL = "every column"

# table: columns that may be updated, whether rows may be deleted
OURS: dict[str, tuple[set[str], bool]] = {
    "accounts_administrator": ({"ended_at"}, False),
    "accounts_budget": ({"limit", "reserved", "spent"}, False),
    "accounts_credential": (
        {
            "name",
            "reason",
            "scopes",
            "state",
            "expires_at",
            "last_used_at",
            "ended_at",
            "ended_reason",
        },
        False,
    ),
    "accounts_cohort": ({"ended_at"}, False),
    "accounts_cohortseat": ({"ended_at"}, False),
    "accounts_devicelogin": (
        {
            *("state", "interval_s", "polled_at", "opened_by_id", "programme_id", "token_id"),
            *("allowed_scopes", "allowed_days", "allowed_with_id", "auth_method"),
        },
        True,
    ),
    "accounts_devicelogintry": (set(), True),
    "accounts_erasure": ({"waits_for", "done_at", "kept"}, False),
    "accounts_export": (
        {
            "state",
            "attempts",
            "lease_until",
            "ready_at",
            "expires_at",
            "ended_at",
            "bytes",
            "sha256",
            "storage_key",
        },
        False,
    ),
    "accounts_invitation": (
        {
            *("email", "number", "digest", "pepper_id", "sent_at", "expires_at", "ended_at"),
            "accepted_by_id",
        },
        False,
    ),
    "accounts_mail": (
        {"state", "attempts", "due_at", "lease_until", "ended_at", "failure"},
        False,
    ),
    "accounts_membership": ({"ended_at"}, False),
    "accounts_notice": ({"read_at", "mail_id"}, False),
    "accounts_person": ({"password", "last_login", "email", "is_active"}, True),
    "accounts_personaldetail": (
        {
            "display_name",
            "credit_name",
            "language",
            "languages",
            "contact",
            "country",
            "theme",
            "time_zone",
            "mail_bounced_at",
        },
        True,
    ),
    "accounts_postpreference": ({"way"}, True),
    "accounts_programme": ({"name", "time_zone", "is_open", "opened_at"}, False),
    "accounts_reservation": ({"settled", "state", "ended_at"}, False),
    "accounts_rolegrant": ({"ended_at"}, False),
    "accounts_webhookdelivery": (
        {"state", "attempts", "tries", "due_at", "lease_until", "ended_at"},
        True,
    ),
    "accounts_webhookendpoint": (
        {
            *("name", "url", "event_types", "credential_id", "state", "disabled_reason"),
            *("changed_at", "tried_at", "failures", "failing_since", "rests_until"),
        },
        True,
    ),
    "accounts_webhooksecret": ({"until"}, True),
    "core_keptanswer": ({"status", "body"}, True),
    "core_outboxcursor": ({"xid", "message_id", "failures", "retry_at"}, False),
    "generation_attempt": ({"ended_at", "outcome", "code", "device_ms"}, False),
    "generation_device": (
        {
            *("label", "memory_bytes", "slots", "lanes", "state", "deaths_in_a_row"),
            *("out_reason", "seen_at"),
        },
        False,
    ),
    "generation_placement": ({"is_warm"}, True),
    "generation_job": (
        {
            "state",
            "vouched_by_id",
            "fair_tag",
            "fair_end",
            "attempts",
            "fence",
            "lease_until",
            "cancel_asked_at",
            "held_until",
            "stage",
            "steps_done",
            "stepped_at",
            "step_limit_s",
            "not_on_id",
            "finished_at",
            "failure_code",
        },
        False,
    ),
    "generation_reference": (
        {"removed_at", "removed_why", "due_at", "cleared_at", "name"},
        False,
    ),
    "generation_style": ({"state"}, False),
    "generation_removal": ({"done_at", "stopped_at", "cleared_at"}, False),
    "generation_thread": (
        {"made_at"},
        False,
    ),  # only so that a row can be locked; a trigger refuses
    "generation_videomodel": ({"state", "order"}, False),
    "generation_viewing": ({"until"}, False),
    "generation_workercredential": ({"last_used_at", "revoked_at"}, False),
    "review_case": (
        {
            "state",
            "lease_by_id",
            "lease_until",
            "lease_slot",
            "lease_number",
            "escalated_at",
            "closed_at",
        },
        False,
    ),
    "review_contribution": (
        {"state", "triaged_by_id", "triaged_at", "decline_reason", "answer"},
        False,
    ),
    "review_creditline": ({"display_form", "state", "answered_at"}, False),
    "review_ledgerbalance": ({"balance_micro"}, False),  # by the lines' own trigger, no other way
    "review_payout": (
        {"state", "paid_by_id", "ended_at", "reference", "transaction_id"},
        False,
    ),
    "generation_filesbefore": ({"allows"}, False),
    "generation_heldback": (set(), True),
    "review_perishable": (set(), True),
    "review_release": ({"ended_at"}, False),
    "review_sharelink": ({"revoked_at"}, False),
    "review_verdict": (
        {
            "outcome",
            "clause_id",
            "reason",
            "remedy",
            "reversal",
            "evidence",
            "pressed_at",
            "effective_at",
            "lease_number",
            "reviewer_id",
        },
        True,
    ),
}

# Django's session store and other people's apps write whole rows.
THIRD_PARTY: dict[str, tuple[set[str] | str, bool]] = {
    "account_emailaddress": (ALL, True),
    "account_emailconfirmation": (ALL, True),
    "accounts_person_groups": (set(), True),
    "accounts_person_user_permissions": (set(), True),
    "accounts_portalsession": (ALL, True),
    "mfa_authenticator": (ALL, True),
}


@pytest.fixture(scope="module")
def tables(database) -> dict[str, dict[str, Any]]:
    rows = database.superuser.execute(
        "SELECT c.relname, has_table_privilege(%(app)s, c.oid, 'SELECT'),"
        " has_table_privilege(%(app)s, c.oid, 'INSERT'),"
        " has_table_privilege(%(app)s, c.oid, 'DELETE'),"
        " has_table_privilege(%(app)s, c.oid, 'TRUNCATE'),"
        " has_table_privilege(%(app)s, c.oid, 'REFERENCES'),"
        " has_table_privilege(%(app)s, c.oid, 'TRIGGER'),"
        " ARRAY(SELECT attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND attnum > 0"
        "   AND NOT attisdropped),"
        " ARRAY(SELECT attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND attnum > 0"
        "   AND NOT attisdropped AND has_column_privilege(%(app)s, c.oid, attnum, 'UPDATE'))"
        " FROM pg_class c WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'p', 'v')",
        {"app": APP},
    ).fetchall()
    names = ("select", "insert", "delete", "truncate", "references", "trigger", "columns", "update")
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}


def test_the_application_reads_and_adds_everywhere(tables):
    assert [name for name, has in tables.items() if not (has["select"] and has["insert"])] == []


@pytest.mark.parametrize("deed", ["truncate", "references", "trigger"])
def test_no_table_may_be_emptied_or_given_a_trigger(deed, tables):
    assert [name for name, has in tables.items() if has[deed]] == []


def test_rows_are_deleted_only_where_the_list_says_so(tables):
    listed = {name for name, (_, may) in {**OURS, **THIRD_PARTY}.items() if may}
    assert {name for name, has in tables.items() if has["delete"]} == listed


def test_columns_are_updated_only_where_the_list_says_so(tables):
    found = {
        name: ALL if set(has["update"]) == set(has["columns"]) else set(has["update"])
        for name, has in tables.items()
        if has["update"]
    }
    listed = {name: columns for name, (columns, _) in {**OURS, **THIRD_PARTY}.items() if columns}
    assert found == listed


def test_no_table_of_ours_may_be_updated_whole(tables):
    assert [
        name for name in OURS if set(tables[name]["update"]) == set(tables[name]["columns"])
    ] == []


def test_the_application_owns_nothing_makes_nothing_and_grants_nothing(database):
    """No temporary tables either: they would stand before ours in every trigger's eyes."""
    (found,) = database.superuser.execute(
        "SELECT ARRAY(SELECT relname::text FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner"
        " WHERE r.rolname = %(app)s)"
        " || ARRAY(SELECT nspname::text FROM pg_namespace"
        "   WHERE has_schema_privilege(%(app)s, oid, 'CREATE'))"
        " || ARRAY(SELECT datname::text FROM pg_database"
        "   WHERE has_database_privilege(%(app)s, oid, 'CREATE, TEMPORARY')"
        "   AND datname = current_database())"
        " || ARRAY(SELECT proname::text FROM pg_proc WHERE proname = 'core_grant'"
        "   AND has_function_privilege(%(app)s, oid, 'EXECUTE'))",
        {"app": APP},
    ).fetchone()
    assert found == []


def test_no_function_runs_with_the_rights_of_its_owner(database):
    rows = database.superuser.execute(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef"
    ).fetchall()
    assert rows == []


def test_every_law_looks_for_temporary_tables_last(database):
    rows = database.superuser.execute(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        " AND prorettype = 'trigger'::regtype"
        " AND proconfig IS DISTINCT FROM '{\"search_path=public, pg_temp\"}'::text[]"
    ).fetchall()
    assert rows == []
