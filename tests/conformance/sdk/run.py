"""The SDK of OpenAI for Python, put to work: runs in an environment of its own, far from our code.

``python run.py sync|async`` reads the world (a JSON object) from standard input and prints one
JSON object per check: its name, whether it held, what was said where it did not, and the facts
that the database is to be asked about.
"""

from __future__ import annotations

import asyncio
import json
import sys
import traceback
from importlib import import_module
from typing import Any

from desk import CHECKS, HERE, Desk

ROOMS = ("videos", "content", "sources", "catalogue", "refusals", "retries", "webhooks")


def _stay_here(event: str, arguments: tuple[Any, ...]) -> None:
    """Nothing but this machine is reached from here, whatever a library tries."""
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = str(arguments[1][0])
        if host not in HERE:
            raise RuntimeError(f"a check reached for {host}")


async def main() -> None:
    sys.addaudithook(_stay_here)
    for room in ROOMS:
        import_module(room)
    world = json.load(sys.stdin)
    desk = Desk(world, is_async=sys.argv[1] == "async")
    for name, function in CHECKS.items():
        told: dict[str, Any] = {"check": name, "ok": False, "facts": {}}
        try:
            told["facts"] = await function(desk) or {}
            told["ok"] = True
        except Exception:  # noqa: BLE001  (its traceback is the answer)
            told["said"] = traceback.format_exc()[-3000:]
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
