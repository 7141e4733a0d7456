"""Review, quota, money, tokens, and what one may order with."""

from __future__ import annotations

import secrets
from argparse import Namespace
from typing import Any

from greenroom.cli.client import Server
from greenroom.cli.downloads import clip_id_of
from greenroom.cli.outcomes import Exit, Stop, is_id
from greenroom.cli.screen import Screen, shortened, table
from greenroom.cli.signed import server_of

MICRO = 1_000_000


def submit(asked: Namespace, screen: Screen) -> int:
    server = server_of(asked, screen)
    made = server.post(
        "/api/v1/submissions",
        {"clip": clip_id_of(server, asked.id), "note": asked.note},
        key=asked.idempotency_key or secrets.token_hex(16),
    )
    screen.answer(made, f"{made['id']}  {made['state']}, decision due {made['due_at']}")
    return Exit.DONE


def quota(asked: Namespace, screen: Screen) -> int:
    found = server_of(asked, screen).get("/api/v1/quota")
    names = ("left", "reserved", "spent", "limit")
    screen.answer(found, *table([(name, f"{found[name]} credits") for name in names]))
    return Exit.DONE


def earnings(asked: Namespace, screen: Screen) -> int:
    server = server_of(asked, screen)
    found = server.get("/api/v1/earnings")
    currency = found["currency"]
    rows = [(name, money(found[f"{name}_micro"], currency)) for name in ("earned", "paid", "owed")]
    if not asked.lines:
        screen.answer(found, *table(rows))
        return Exit.DONE
    lines = server.items("/api/v1/earnings/lines", asked.limit)
    shown = [
        (
            each["posted_at"],
            money(each["amount_micro"], each["currency"]),
            each["act"] or each["kind"],
            each["subject"],
        )
        for each in lines
    ]
    screen.answer({**found, "lines": lines}, *table(rows), *table(shown))
    return Exit.DONE


def tokens(asked: Namespace, screen: Screen) -> int:
    server = server_of(asked, screen)
    mine = server.items("/api/v1/tokens", 1000)
    if asked.revoke is None:
        rows = [
            (
                one["key_id"],
                "works" if one["is_live"] else "ended",
                f"until {one['expires_at'][:10]}",
                shortened(one["name"]),
            )
            for one in mine
        ]
        screen.answer({"items": mine}, *table(rows))
        return Exit.DONE
    named = [one for one in mine if asked.revoke in (one["id"], one["key_id"])]
    if not named:
        raise Stop(Exit.NOT_FOUND, "not_found", f"You have no token {asked.revoke}.")
    ended = server.post(f"/api/v1/tokens/{named[0]['id']}/revoke", again=True)
    screen.answer(ended, f"{ended['key_id']}  revoked")
    return Exit.DONE


def models(asked: Namespace, screen: Screen) -> int:
    found = server_of(asked, screen).get("/api/v1/models")["items"]
    rows = [(one["slug"], ", ".join(one["sizes"]), _lengths(one), one["name"]) for one in found]
    screen.answer({"items": found}, *table(rows))
    return Exit.DONE


def styles(asked: Namespace, screen: Screen) -> int:
    found = server_of(asked, screen).get("/api/v1/styles")["items"]
    rows = [
        (one["slug"], f"{one['weight']['usual']:g}", ", ".join(one["models"]), one["name"])
        for one in found
    ]
    screen.answer({"items": found}, *table(rows))
    if not found:
        screen.hint("There is none to order with.")
    return Exit.DONE


def webhooks(asked: Namespace, screen: Screen) -> int:
    server = server_of(asked, screen)
    if asked.tried is not None:
        return _try_webhook(server, asked.tried, screen)
    found = server.items("/api/v1/webhooks", 100)
    rows = [(one["id"], one["state"], shortened(one["name"], 24), one["address"]) for one in found]
    screen.answer({"items": found}, *table(rows))
    return Exit.DONE


def money(amount_micro: int, currency: str) -> str:
    """Exact: micro-units are whole numbers, and so is what is shown of them."""
    whole, rest = divmod(abs(amount_micro), MICRO)
    digits = f"{rest:06d}".rstrip("0").ljust(2, "0")
    return f"{'-' if amount_micro < 0 else ''}{whole}.{digits} {currency}"


def _try_webhook(server: Server, webhook: str, screen: Screen) -> int:
    """Refused by who receives it is refused: scripts ask whether their receiver is ready."""
    if not is_id(webhook, "whk"):
        raise Stop(Exit.USAGE, "id_malformed", f"“{webhook}” is no webhook: it begins with whk_.")
    made = server.post(f"/api/v1/webhooks/{webhook}/test", {})
    screen.answer(made, f"{made['event_type']}  {made['state']}")
    return Exit.DONE if made["state"] == "delivered" else Exit.REFUSED


def _lengths(model: dict[str, Any]) -> str:
    seconds = [each["seconds"] for each in model["lengths"]]
    if not seconds:
        return "-"
    return f"{min(seconds):g} to {max(seconds):g} s"
