"""Sweeps: many rows, one after another, of which one that cannot must not keep the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from django.db import Error, connection, transaction

log = logging.getLogger("greenroom.sweeps")

Row = TypeVar("Row")


def sweep(name: str, rows: Iterable[Row], deed: Callable[[Row], int]) -> int:
    """What ``deed`` did in all, each row in a transaction of its own.

    One that fails is logged as ``sweep_row_failed`` and stays for the next time; at the end
    ``sweep_failed`` says how many did. Only where the connection is gone it ends at once, and
    raises what ended it.
    """
    done, failed = 0, 0
    for row in list(rows):
        try:
            with transaction.atomic():
                done += deed(row)
        except Exception as fault:  # the outer loop: the next row has a transaction of its own
            if isinstance(fault, Error) and not connection.is_usable():
                raise
            failed += 1
            log.exception("sweep_row_failed", extra={"sweep": name, "row": _named(row)})
    if failed:
        log.error("sweep_failed", extra={"sweep": name, "done": done, "failed": failed})
    return done


def sweep_all(*sweeps: Callable[[], int]) -> None:
    """One after the other, each whatever became of the others; then the first failure is raised,
    so that whoever rang hears of it."""
    faults: list[Exception] = []
    for each in sweeps:
        try:
            each()
        except Exception as fault:
            log.exception("sweep_broke_off", extra={"sweep": getattr(each, "__name__", str(each))})
            faults.append(fault)
    if faults:
        raise faults[0]


def _named(row: object) -> str:
    """By its id: a log holds no names and no addresses."""
    return str(getattr(row, "id", row))
