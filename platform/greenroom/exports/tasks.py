from __future__ import annotations

from celery import shared_task

from greenroom.exports.commands import build_exports, sweep_exports


@shared_task(name="exports.build")
def build() -> None:
    build_exports()


@shared_task(name="exports.sweep")
def sweep() -> None:
    sweep_exports()
