"""Celery shells: the clock of the desk. No task carries a payload, each may be lost or doubled."""

from __future__ import annotations

from celery import shared_task

from core.sweeps import sweep_all
from review.decisions.commands import decide_due
from review.desk.commands import escalate_overdue, return_expired_leases


@shared_task(name="review.decide")
def decide() -> None:
    decide_due()


@shared_task(name="review.watch")
def watch() -> None:
    sweep_all(return_expired_leases, escalate_overdue)
