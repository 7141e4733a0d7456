"""python -m greenroom.parent.database: keeps the embedded PostgreSQL while it runs.

Its own process, so that the parent stays quick while a crashed server replays its log. It ends when
the server does, and the parent starts it again.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType

from greenroom.embedded import EmbeddedError, embedded_cluster
from greenroom.secrets import var_folder

LOOK_EVERY_S = 0.5


def keep() -> None:
    """Raises SystemExit with a sentence where the server cannot start or has gone away."""
    leaving = threading.Event()

    def leave(_number: int, _frame: FrameType | None) -> None:
        leaving.set()

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    cluster = embedded_cluster(log=var_folder() / "log" / "postgres.log", dies_with_us=True)
    try:
        cluster.start()
        print(f"PostgreSQL {cluster.status().major} accepts connections.", flush=True)
        while not leaving.wait(LOOK_EVERY_S):
            if not cluster.status().is_running:
                raise SystemExit("PostgreSQL has gone away.")
        cluster.stop()
    except EmbeddedError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    keep()
