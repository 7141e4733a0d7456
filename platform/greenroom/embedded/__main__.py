"""python -m greenroom.embedded start|stop|status|psql-url|remove"""

from __future__ import annotations

import sys
from collections.abc import Callable

from greenroom.secrets import load_secrets

from .cluster import Cluster
from .errors import EmbeddedError
from .roles import OWNER
from .urls import cluster_home, embedded_cluster


def _start() -> None:
    cluster = embedded_cluster()
    cluster.start()
    print(f"PostgreSQL {cluster.status().major} is running in {cluster.place.root}.")


def _stop() -> None:
    _as_it_is().stop()
    print("PostgreSQL is stopped.")


def _status() -> None:
    status = _as_it_is().status()
    if not status.is_running:
        print("PostgreSQL is not running.")
        raise SystemExit(3)
    print(f"PostgreSQL {status.major} is running in {status.root} (process {status.pid}).")


def _psql_url() -> None:
    passwords = load_secrets(create=False).database
    print(Cluster(home=cluster_home(), passwords=passwords).url(OWNER))


def _remove() -> None:
    _as_it_is().remove()
    print("The embedded database and all its data are gone.")


def _as_it_is() -> Cluster:
    """Enough for what needs no password; makes neither secrets nor folders."""
    return Cluster(home=cluster_home(), passwords={})


COMMANDS: dict[str, Callable[[], None]] = {
    "start": _start,
    "stop": _stop,
    "status": _status,
    "psql-url": _psql_url,
    "remove": _remove,
}


def main(words: list[str]) -> None:
    if len(words) != 1 or words[0] not in COMMANDS:
        raise SystemExit(f"usage: python -m greenroom.embedded {'|'.join(COMMANDS)}")
    try:
        COMMANDS[words[0]]()
    except EmbeddedError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main(sys.argv[1:])
