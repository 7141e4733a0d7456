"""python -m greenroom.parent [reset]: what `make up` and `make reset` run."""

from __future__ import annotations

import shutil
import sys
from contextlib import suppress
from pathlib import Path

from greenroom.checkout import CHECKOUT
from greenroom.embedded import Cluster, EmbeddedError
from greenroom.embedded.urls import cluster_home
from greenroom.secrets import SecretsUnsafe, var_folder

from .house import House
from .ports import PortUnusable, bind_local, wanted_port
from .register import AlreadyRunning, Register


def tell(sentence: str) -> None:
    with suppress(OSError):  # the terminal may be closed before the house is
        print(sentence, flush=True)


def up() -> int:
    port, folder = wanted_port(), var_folder()
    register = Register(folder)
    register.take()
    if ended := register.end_leftovers():
        tell(f"Ended {ended} processes that an earlier start had left behind.")
    return House(folder, port, bind_local(port), register, tell).run()


def reset() -> int:
    folder = var_folder()
    register = Register(folder)
    register.take()
    register.end_leftovers()
    Cluster(home=cluster_home(), passwords={}).remove()
    _refuse_foreign(folder)
    shutil.rmtree(folder)
    tell(f"Deleted {folder}.")
    return 0


def _refuse_foreign(folder: Path) -> None:
    """GREENROOM_VAR may name anything; only a folder that Greenroom has filled is deleted."""
    if folder != CHECKOUT / "var" and not (folder / "secrets.json").exists():
        raise EmbeddedError(
            f"{folder} does not look like Greenroom's own folder. Nothing was deleted."
        )


def main(words: list[str]) -> int:
    deed = {(): up, ("reset",): reset}.get(tuple(words))
    if deed is None:
        tell("usage: python -m greenroom.parent [reset]")
        return 2
    try:
        return deed()
    except (AlreadyRunning, EmbeddedError, PortUnusable, SecretsUnsafe, ValueError) as refusal:
        tell(str(refusal))
        return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
