"""Deeds against the rules of remixes, of orders that come again, and of what is deleted at /v1."""

from __future__ import annotations

from typing import Any

from invariants.deeds import (
    FREE,
    LONG_AGO,
    Statement,
    again,
    change,
    checks,
    clone,
    foreign,
    raised,
    unique,
)
from invariants.world import World

from core.ids import new_id


def an_order(w: World, *further: list[Statement], **other: Any) -> list[Statement]:
    """A job that waits, of which only ``other`` is different, and what is written with it."""
    reservation = new_id()
    return [
        *clone("accounts_reservation", w.reservation("queued"), id=reservation, work_id=FREE),
        *again(
            "generation_job",
            w.job("queued"),
            id=FREE,
            reservation_id=reservation,
            queue_number=new_id().int >> 66,
            **other,
        ),
        *(statement for one in further for statement in one),
    ]


def a_request(**other: Any) -> list[Statement]:
    return again("generation_jobrequest", **{"job_id": FREE, **other})


def a_deletion(job_id: Any, **other: Any) -> list[Statement]:
    return again("generation_deletedvideo", **{"job_id": job_id, **other})


DOOR = [
    checks("a_job_is_no_remix_of_itself", lambda w: an_order(w, remix_of_id=FREE)),
    foreign("a_remix_is_of_ones_own_job", lambda w: an_order(w, remix_of_id=w.door.others)),
    raised(
        "a_remix_stays_one",
        lambda w: change(
            "generation_job", f"remix_of_id = '{w.door.deleted}'", f"id = '{w.door.standing}'"
        ),
        application_may_try=False,
    ),
    checks("a_fingerprint_is_a_sha256", lambda w: an_order(w, a_request(fingerprint="a boat"))),
    unique("generation_jobrequest_job_id_key", lambda w: an_order(w, a_request(), a_request())),
    raised("a_request_is_kept_with_its_job", lambda w: a_request(job_id=w.jobs["running"])),
    unique("generation_deletedvideo_job_id_key", lambda w: a_deletion(w.door.deleted)),
    raised("a_live_video_is_not_deleted", lambda w: a_deletion(w.jobs["queued"])),
    raised("a_video_is_deleted_now", lambda w: a_deletion(w.door.standing, at=LONG_AGO)),
]

VARIANTS = [
    raised(
        "a_request_is_kept_with_its_job", lambda w: an_order(w, a_request(at=LONG_AGO))
    ),
    raised("a_live_video_is_not_deleted", lambda w: a_deletion(w.jobs["running"])),
    raised("a_live_video_is_not_deleted", lambda w: a_deletion(w.jobs["held"])),
]  # fmt: skip
