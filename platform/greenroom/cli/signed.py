"""Which server, and with which token: said on the command line, in the environment, or kept."""

from __future__ import annotations

from argparse import Namespace

from greenroom.cli.client import Server, checked_address
from greenroom.cli.kept import Kept
from greenroom.cli.outcomes import Exit, Stop
from greenroom.cli.screen import Screen

USUAL_ADDRESS = "http://localhost:8000"


def address_asked(asked: str | None, screen: Screen, kept: Kept) -> str:
    said = asked or screen.environment.get("GREENROOM_URL") or kept.default()
    return checked_address(said or USUAL_ADDRESS)


def server_of(asked: Namespace, screen: Screen) -> Server:
    """Raises ``Stop`` where there is no token for it. The environment's wins over the kept one:
    whoever sets it means it."""
    kept = Kept.at(screen.environment)
    address = address_asked(asked.server, screen, kept)
    token = screen.environment.get("GREENROOM_TOKEN", "").strip()
    if not token:
        found = kept.token(address)
        token = str(found["token"]) if found else ""
    if not token:
        raise Stop(Exit.NOT_SIGNED_IN, "not_signed_in", f"You are not signed in at {address}.")
    if not token.isascii() or not token.isprintable():
        raise Stop(Exit.USAGE, "token_malformed", "That is no token: it begins with grm_.")
    return Server(address, token, screen.hint)
