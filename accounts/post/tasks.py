from __future__ import annotations

from celery import shared_task

from accounts.post.commands import make_digests, send_unless_somebody_does


@shared_task(name="post.send")
def send_post() -> None:
    send_unless_somebody_does()


@shared_task(name="post.digest")
def write_digests() -> None:
    make_digests()
