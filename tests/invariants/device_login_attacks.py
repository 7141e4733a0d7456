"""Deeds against the rules of device logins. Each makes its own row: one counts ten minutes only."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from invariants.deeds import (
    FREE,
    LONG_AGO,
    OLD_PICTURE,
    WITH_AN_OLD_PICTURE,
    Statement,
    change,
    checks,
    raised,
    unique,
)
from invariants.world import World

from core.ids import new_id

LOGIN, TRY = "accounts_devicelogin", "accounts_devicelogintry"
ANYTIME = f"ALTER TABLE {LOGIN} DISABLE TRIGGER device_login_begins"
ASKED = {
    "client_name": "a tool",
    "scopes": ["clips:create", "clips:read"],
    "days": 30,
    "asked_from": "192.0.2.7",
    "state": "waiting",
    "interval_s": 5,
    "allowed_scopes": [],
    "auth_method": "",
}
MINE = f"id = '{FREE}'"


def asked(*, ago: str = "0", lasts: str = "10 minutes", many: int = 1, **other: Any) -> Statement:
    """A new row. Codes are drawn anew for each, unless they are given."""
    columns = json.dumps({"id": FREE, **ASKED, **other}, default=str)
    new_ids = " || jsonb_build_object('id', core_new_id())" if many > 1 else ""
    statement = (
        f"INSERT INTO {LOGIN} SELECT n.* FROM generate_series(1, {many}) g, LATERAL"
        f" jsonb_populate_record(NULL::{LOGIN}, jsonb_build_object("
        "  'made_at', core_now() - %(ago)s::interval,"
        "  'expires_at', core_now() - %(ago)s::interval + %(lasts)s::interval,"
        "  'device_digest', '\\x' || md5(random()::text || g),"
        "  'user_digest', '\\x' || md5(random()::text || g))"
        f" || %(asked)s::jsonb{new_ids}) n"
    )
    return statement, {"asked": columns, "ago": ago, "lasts": lasts}


def written(columns: str, where: str = MINE) -> Statement:
    (statement,) = change(LOGIN, columns, where)
    return statement


def opened(w: World, **other: Any) -> list[Statement]:
    return [asked(opened_by_id=None, **other), written(f"opened_by_id = '{w.tester.party_id}'")]


def yes(w: World, **other: str) -> Statement:
    """Allowed by the tester, as far as ``other`` leaves it so. Values are SQL."""
    columns = {
        "state": "'allowed'",
        "programme_id": f"'{w.tester.programme.id}'",
        "allowed_scopes": "'{clips:read}'",
        "allowed_days": "7",
        "allowed_with_id": f"'{w.session}'",
        "auth_method": "'password'",
        **other,
    }
    return written(", ".join(f"{name} = {value}" for name, value in columns.items()))


def allowed(w: World) -> list[Statement]:
    return [*opened(w), yes(w)]


def minted(w: World, token: UUID) -> Statement:
    """The very token that was allowed."""
    columns = {
        "id": token,
        "key_id": str(token)[-12:],
        "lineage_id": new_id(),
        "scopes": ["clips:read"],
        "minted_auth_method": "password",
    }
    statement = (
        "INSERT INTO accounts_credential SELECT n.* FROM accounts_credential r,"
        " jsonb_populate_record(r, %(columns)s::jsonb || jsonb_build_object("
        "  'minted_at', core_now(), 'expires_at', core_now() + interval '7 days')) n"
        " WHERE r.id = %(like)s"
    )
    return statement, {"columns": json.dumps(columns, default=str), "like": w.token}


def taken(token: Any, where: str = MINE) -> Statement:
    return written(f"state = 'taken', token_id = '{token}'", where)


def two_with_one_token(w: World) -> list[Statement]:
    token, other = new_id(), new_id()
    second = [
        asked(id=other),
        written(f"opened_by_id = '{w.tester.party_id}'", f"id = '{other}'"),
        (yes(w)[0].replace(str(FREE), str(other)), {}),
    ]
    return [*allowed(w), *second, minted(w, token), taken(token), taken(token, f"id = '{other}'")]


def tried(w: World, **other: Any) -> list[Statement]:
    many = other.pop("many", 1)
    columns = json.dumps({"party_id": w.tester.party_id, **other}, default=str)
    statement = (
        f"INSERT INTO {TRY} SELECT n.* FROM generate_series(1, {many}) g, LATERAL"
        f" jsonb_populate_record(NULL::{TRY}, jsonb_build_object('id', core_new_id(),"
        " 'at', core_now() + 0 * g * interval '1 s') || %(columns)s::jsonb) n"
    )
    return [(statement, {"columns": columns})]


def removed(table: str) -> Statement:
    return (f"DELETE FROM {table}", {})


DEVICE_LOGINS = [
    # What was asked
    checks("a_device_login_asks_for_something", lambda _: [asked(scopes=[])]),
    checks("a_device_login_lasts_ten_minutes", lambda _: [asked(lasts="11 minutes")]),
    checks("a_device_login_is_asked_in_seconds", lambda _: [asked(interval_s=0)]),
    unique(
        "accounts_devicelogin_device_digest_key",
        lambda _: [asked(device_digest="\\x00"), asked(id=new_id(), device_digest="\\x00")],
    ),
    unique(
        "one_waiting_device_login_of_a_user_code",
        lambda _: [asked(user_digest="\\x00"), asked(id=new_id(), user_digest="\\x00")],
    ),
    raised("a_device_login_begins_waiting", lambda _: [asked(ago="1 minute")]),
    raised(OLD_PICTURE, lambda _: [WITH_AN_OLD_PICTURE, asked()]),
    raised("device_logins_are_not_hammered", lambda _: [asked(many=21)]),
    # What was answered
    checks("a_device_login_is_allowed_whole", lambda w: [*opened(w), yes(w, programme_id="NULL")]),
    checks(
        "no_more_is_allowed_than_was_asked",
        lambda w: [*opened(w), yes(w, allowed_scopes="'{ledger:fund}'")],
    ),
    raised(
        "device_login_is_what_was_asked",
        lambda w: [*allowed(w), written("allowed_scopes = '{clips:create}'")],
    ),
    raised(
        "device_login_moves",
        lambda w: [*allowed(w), written("state = 'denied'")],
    ),
    raised(
        "a_device_login_is_one_persons",
        lambda w: [*opened(w), written(f"opened_by_id = '{w.second_tester.party_id}'")],
    ),
    raised(
        "a_device_login_ends",
        lambda w: opened(w, ago="11 minutes"),
        behind="a_device_login_begins_waiting",
        lifts=(ANYTIME,),
    ),
    raised(
        "a_device_login_is_allowed_by_who_opened_it",
        lambda w: [*opened(w), yes(w, allowed_with_id=f"'{w.token}'")],
    ),
    # What was taken
    raised("a_device_login_gives_what_was_allowed", lambda w: [*allowed(w), taken(w.token)]),
    unique("accounts_devicelogin_token_id_key", two_with_one_token),
    raised("a_device_login_is_forgotten_when_it_is_over", lambda _: [asked(), removed(LOGIN)]),
    # Tries
    raised("a_try_is_of_this_moment", lambda w: tried(w, at=LONG_AGO)),
    raised(OLD_PICTURE, lambda w: [WITH_AN_OLD_PICTURE, *tried(w)]),
    raised("user_codes_are_not_guessed", lambda w: tried(w, many=11)),
    raised("a_try_counts_for_ten_minutes", lambda w: [*tried(w), removed(TRY)]),
]

VARIANTS = [
    raised("device_logins_are_not_hammered", lambda _: [asked(many=2001, asked_from=None)]),
    raised("a_device_login_begins_waiting", lambda _: [asked(state="allowed")]),
    checks("a_device_login_asks_for_something", lambda _: [asked(days=91)]),
    checks("no_more_is_allowed_than_was_asked", lambda w: [*opened(w), yes(w, allowed_days="31")]),
    checks("a_device_login_is_allowed_whole", lambda w: [*opened(w), yes(w, auth_method="''")]),
    raised("a_device_login_is_one_persons", lambda w: [asked(), yes(w)]),
    raised(
        "device_login_is_what_was_asked",
        lambda _: [asked(), written("client_name = 'another'")],
        application_may_try=False,
    ),
    raised(
        "a_try_counts_for_ten_minutes",
        lambda w: [*tried(w), (f"UPDATE {TRY} SET at = core_now() - interval '1 hour'", {})],
        application_may_try=False,
    ),
]

MINUS_ONE: dict[str, Callable[[World, str], list[Statement]]] = {
    LOGIN: lambda _, column: [asked(**{column: -1})],
}
