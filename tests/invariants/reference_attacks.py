"""Deeds against the rules of references, and of the pictures that a job shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from invariants.deeds import (
    FREE,
    LONG_AGO,
    OLD_PICTURE,
    WITH_AN_OLD_PICTURE,
    Attack,
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

REMOVED_NOW = "removed_at = core_now(), due_at = core_now(), removed_why = 'owner'"
CLEARED_NOW = "cleared_at = core_now()"


def a_reference(w: World, **other: Any) -> list[Statement]:
    which = f"id = '{w.references.standing.id}'"
    return again("generation_reference", which, **{"storage_key": str(new_id()), **other})


def the_reference(w: World, written: str, which: str = "standing") -> list[Statement]:
    found = getattr(w.references, which)
    return change("generation_reference", written, f"id = '{found.id}'")


def a_still(w: World, **other: Any) -> list[Statement]:
    """A further frame of the clip."""
    which = f"id = '{w.references.still.id}'"
    usual = {"reference_id": w.references.clip.id, "frame": 3, "storage_key": str(new_id())}
    return again("generation_referencestill", which, **{**usual, **other})


def an_order(w: World, *pictures: list[Statement]) -> list[Statement]:
    """A job of eight frames, and what it shows."""
    reservation = new_id()
    queued = w.job("queued")
    return [
        *clone("accounts_reservation", w.reservation("queued"), id=reservation, work_id=FREE),
        *again(
            "generation_job",
            queued,
            id=FREE,
            reservation_id=reservation,
            queue_number=new_id().int >> 66,
            model_id=w.references.model,
        ),
        *(statement for picture in pictures for statement in picture),
    ]


def a_picture(w: World, **other: Any) -> list[Statement]:
    usual = {"job_id": FREE, "number": 0, "frame": 0}
    mine = f"reference_id = '{w.references.standing.id}'"
    return again("generation_jobcondition", mine, **{**usual, **other})


def of_the_other(w: World) -> dict[str, Any]:
    return {"reference_id": w.references.others.id, "still_id": w.references.others_still.id}


REFERENCES = [
    checks("a_reference_is_a_picture_or_a_clip", lambda w: a_reference(w, frames=2)),
    checks("a_reference_states_its_rights", lambda w: a_reference(w, rights="licensed")),
    checks("a_reference_is_a_file", lambda w: a_reference(w, sha256="a hash")),
    checks("a_reference_goes_in_steps", lambda w: the_reference(w, "due_at = core_now()")),
    checks("a_still_is_a_picture", lambda w: a_still(w, width=0)),
    checks("a_condition_has_a_strength", lambda w: an_order(w, a_picture(w, strength=0))),
    unique(
        "generation_reference_storage_key_key",
        lambda w: a_reference(w, storage_key=w.references.standing.storage_key),
    ),
    unique(
        "generation_referencestill_storage_key_key",
        lambda w: a_still(w, storage_key=w.references.still.storage_key),
    ),
    unique(
        "one_still_per_frame",
        lambda w: a_still(w, reference_id=w.references.standing.id, frame=0),
    ),
    unique(
        "conditions_are_numbered",
        lambda w: an_order(w, a_picture(w), a_picture(w, frame=7)),
    ),
    unique(
        "one_picture_per_frame",
        lambda w: an_order(w, a_picture(w), a_picture(w, number=1)),
    ),
    foreign(
        "reference_credential_is_its_partys",
        lambda w: a_reference(w, credential_id=w.others_credential),
    ),
    foreign(
        "condition_is_of_its_jobs_party",
        lambda w: an_order(w, a_picture(w, party_id=w.second_tester.party_id, **of_the_other(w))),
    ),
    foreign(
        "condition_shows_ones_own_reference",
        lambda w: an_order(w, a_picture(w, **of_the_other(w))),
    ),
    foreign(
        "condition_shows_a_still_of_its_reference",
        lambda w: an_order(w, a_picture(w, still_id=w.references.others_still.id)),
    ),
    raised("a_reference_begins_standing", lambda w: a_reference(w, made_at=LONG_AGO)),
    raised("a_reference_is_a_testers", lambda w: a_reference(w, party_id=w.reviewer.party_id)),
    raised("a_tester_keeps_so_much", lambda w: a_reference(w, bytes=501 * 2**20)),
    raised(OLD_PICTURE, lambda w: [WITH_AN_OLD_PICTURE, *a_reference(w)]),
    raised(
        OLD_PICTURE,
        lambda w: [
            WITH_AN_OLD_PICTURE,
            *the_reference(w, REMOVED_NOW, "clip"),
            *the_reference(w, CLEARED_NOW, "clip"),
        ],
    ),
    raised(
        "a_reference_is_what_was_sent",
        lambda w: the_reference(w, "rights_words = 'something else'"),
        application_may_try=False,
    ),
    raised(
        "a_reference_is_removed_once", lambda w: the_reference(w, "removed_at = NULL", "removed")
    ),
    raised(
        "a_removal_of_a_reference_stands",
        lambda w: the_reference(w, "due_at = due_at + interval '1 day'", "removed"),
    ),
    raised(
        "a_reference_is_cleared_once", lambda w: the_reference(w, "cleared_at = NULL", "cleared")
    ),
    raised(
        "a_reference_stays_while_a_job_shows_it",
        lambda w: [*the_reference(w, REMOVED_NOW), *the_reference(w, CLEARED_NOW)],
    ),
    raised("a_still_is_a_frame_of_its_reference", lambda w: a_still(w, frame=99)),
    raised(
        "an_order_is_written_at_once",
        lambda w: a_picture(w, job_id=w.jobs["running"]),
    ),
    raised(
        "a_condition_lies_within_its_clip",
        lambda w: an_order(w, a_picture(w, frame=8)),
    ),
    raised(
        "a_model_takes_so_many_pictures",
        lambda w: an_order(w, a_picture(w, number=2)),
    ),
    raised(
        "a_model_takes_a_strength",
        lambda w: an_order(w, a_picture(w, strength=0.5)),
    ),
    raised(
        "a_removed_reference_is_not_shown",
        lambda w: an_order(w, a_picture(w, reference_id=w.references.removed.id)),
    ),
    raised(
        "a_model_is_asked_for_what_it_offers",
        lambda w: an_order(w, a_picture(w, frame=3)),
    ),
]

VARIANTS: list[Attack] = [
    raised(
        "a_reference_is_what_was_sent",
        lambda w: the_reference(w, "name = 'another'"),
    ),
    raised(
        "a_still_is_a_frame_of_its_reference",
        lambda w: a_still(w, reference_id=w.references.removed.id, frame=0),
    ),
    raised(
        "a_model_is_asked_for_what_it_offers",
        lambda w: an_order(w, a_picture(w), a_picture(w, number=1, frame=3)),
    ),
]

MINUS_ONE: dict[str, Callable[[World, str], list[Statement]]] = {
    "generation_reference": lambda w, column: a_reference(w, **{column: -1}),
    "generation_referencestill": lambda w, column: a_still(w, **{column: -1}),
    "generation_jobcondition": lambda w, column: an_order(w, a_picture(w, **{column: -1})),
}
