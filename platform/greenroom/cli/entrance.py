"""Signing in by a device login (RFC 8628) or with a token that one has, and out."""

from __future__ import annotations

import sys
from argparse import Namespace
from getpass import getpass
from platform import node
from typing import Any

from greenroom.cli import client
from greenroom.cli.client import Server
from greenroom.cli.kept import Kept
from greenroom.cli.outcomes import Exit, Refused, Stop
from greenroom.cli.screen import Screen
from greenroom.cli.signed import address_asked

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
CLIENT = "greenroom-cli"
USUAL_SCOPES = (
    *("clips:create", "clips:read", "quota:read", "submissions:create", "submissions:read"),
    *("earnings:read", "tokens:read", "tokens:revoke"),
)
KEY_ID = slice(6, 18)  # of a token: its public part


def login(asked: Namespace, screen: Screen) -> int:
    kept = Kept.at(screen.environment)
    address = address_asked(asked.address, screen, kept)
    if asked.token:
        token = _with_token(address, screen)
    else:
        try:
            token = _with_code(Server(address, tell=screen.hint), asked, screen)
        except KeyboardInterrupt:
            screen.tell("Stopped. Nothing was kept; the code ends by itself.")
            return Exit.INTERRUPTED
    kept.keep(address, token)
    shown = {"server": address, "key_id": token["key_id"], "scope": token.get("scope")}
    screen.answer(
        {**shown, "expires_at": token.get("expires_at")},
        f"Signed in at {address} with the token {token['key_id']}.",
    )
    if not asked.token and screen.environment.get("GREENROOM_TOKEN"):
        screen.tell("GREENROOM_TOKEN is set in this shell, and is used instead of it.")
    return Exit.DONE


def logout(asked: Namespace, screen: Screen) -> int:
    """The token is forgotten here even where it cannot be revoked; then one is told to do it."""
    kept = Kept.at(screen.environment)
    address = address_asked(asked.server, screen, kept)
    found = kept.token(address)
    if found is None:
        raise Stop(Exit.NOT_SIGNED_IN, "not_signed_in", f"You are not signed in at {address}.")
    server, key_id = Server(address, str(found["token"])), str(found["key_id"])
    try:
        _revoke(server, found)
    except Refused as refused:
        kept.forget(address)
        if refused.status == 401:
            screen.answer({"server": address, "revoked": True}, "It had ended already.")
            return Exit.DONE
        raise Stop(
            refused.exit_code,
            refused.code,
            f"{refused.sentence}\nForgotten here, but it still counts: revoke {key_id} in the"
            f" portal, at {address}/tokens.",
        ) from None
    kept.forget(address)
    screen.answer(
        {"server": address, "key_id": key_id, "revoked": True},
        f"Signed out of {address}: the token {key_id} is revoked.",
    )
    return Exit.DONE


def _with_code(server: Server, asked: Namespace, screen: Screen) -> dict[str, Any]:
    begun = server.post(
        "/api/v1/device-login",
        {
            "client_id": CLIENT,
            "client_name": (asked.name or f"greenroom on {node() or 'a machine'}")[:80],
            "scope": " ".join(asked.scope or USUAL_SCOPES),
            "days": asked.days,
        },
        again=True,
    )
    # On standard error: with --json, what comes out is the answer alone.
    screen.tell(
        f"Open   {begun['verification_uri']}\n"
        f"and type the code   {begun['user_code']}\n"
        f"(or open {begun['verification_uri_complete']})\n"
        f"It counts for {int(begun['expires_in']) // 60} minutes."
    )
    screen.hint("Waiting until you allow it. Ctrl-C stops.")
    return _taken(server, str(begun["device_code"]), float(begun["interval"]))


def _taken(server: Server, device_code: str, interval_s: float) -> dict[str, Any]:
    """Ends with the codes at the latest: the server then says ``expired_token``."""
    fields = {"grant_type": GRANT_TYPE, "device_code": device_code, "client_id": CLIENT}
    while True:
        client.pause(interval_s)
        try:
            given = server.post("/api/v1/device-login/token", fields, again=True)
        except Refused as refused:
            if refused.code == "slow_down":
                interval_s += 5
            elif refused.code != "authorization_pending":
                raise Stop(Exit.NOT_SIGNED_IN, refused.code, refused.sentence) from None
            continue
        text = str(given.pop("access_token"))
        return {**given, "token": text, "key_id": given.get("key_id", text[KEY_ID])}


def _with_token(address: str, screen: Screen) -> dict[str, Any]:
    text = screen.environment.get("GREENROOM_TOKEN", "").strip()
    if not text:
        text = (getpass("Token: ") if sys.stdin.isatty() else sys.stdin.readline()).strip()
    if not text.startswith("grm_") or len(text) != 67:
        raise Stop(Exit.USAGE, "token_malformed", "That is no token: it begins with grm_.")
    try:
        Server(address, text).get("/api/v1/quota")
    except Refused as refused:
        if refused.status != 403:  # it lacks that one scope, and is known
            raise
    return {"token": text, "key_id": text[KEY_ID]}


def _revoke(server: Server, found: dict[str, Any]) -> None:
    token_id = found.get("id")
    if token_id is None:
        mine = server.items("/api/v1/tokens", 1000)
        token_id = next((one["id"] for one in mine if one["key_id"] == found["key_id"]), "")
    server.post(f"/api/v1/tokens/{token_id}/revoke", again=True)
