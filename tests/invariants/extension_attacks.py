"""Deeds against the rules of extensions, and of files before approval."""

from __future__ import annotations

from typing import Any

from invariants.deeds import (
    A_HASH,
    FREE,
    OLD_PICTURE,
    WITH_AN_OLD_PICTURE,
    Statement,
    again,
    change,
    checks,
    clone,
    foreign,
    raised,
)
from invariants.world import World

from core.ids import new_id

LIFT = "ALTER TABLE {} DISABLE TRIGGER {}"
GONE = "done_at = core_now()"


def an_order(w: World, **other: Any) -> list[Statement]:
    """A job that extends the source, as it waits already, of which only ``other`` is different."""
    reservation = new_id()
    whole = w.extensions.whole
    return [
        *clone("accounts_reservation", f"work_id = '{whole.id}'", id=reservation, work_id=FREE),
        *again(
            "generation_job",
            f"id = '{whole.id}'",
            id=FREE,
            reservation_id=reservation,
            queue_number=new_id().int >> 66,
            **other,
        ),
    ]


def a_picture(w: World, *frames: int) -> list[Statement]:
    mine = f"reference_id = '{w.references.standing.id}'"
    return [
        statement
        for number, frame in enumerate(frames)
        for statement in again(
            "generation_jobcondition", mine, job_id=FREE, number=number, frame=frame
        )
    ]


def a_removal(w: World, clip: str = "source") -> list[Statement]:
    """Of the clip that a waiting job extends: announced, then done."""
    which = getattr(w.extensions, clip).id
    nothing = dict.fromkeys(("done_at", "stopped_at", "cleared_at"))
    return [
        *again(
            "generation_removal",
            "true",
            written="'due_at', core_now()",
            why="owner",
            clip_id=which,
            **nothing,
        ),
        *change("generation_removal", GONE, f"clip_id = '{which}'"),
    ]


def a_whole(w: World, **other: Any) -> list[Statement]:
    """The clip of the job that waits."""
    whole = w.extensions.whole
    return clone(
        "generation_clip",
        f"id = '{w.extensions.source.id}'",
        **{"job_id": whole.id, "version": 2, "master_sha256": A_HASH, "frames": 8, **other},
    )


def held_back(w: World, clip: str, **other: Any) -> list[Statement]:
    """That a clip is held back, written anew."""
    made = getattr(w.extensions, clip)
    columns = {"clip_id": made.id, "programme_id": made.programme_id, "allows": "preview", **other}
    values = ", ".join(f"'{value}'" for value in columns.values())
    return [(f"INSERT INTO generation_heldback ({', '.join(columns)}) VALUES ({values})", {})]


def the_policy(w: World, written: str) -> list[Statement]:
    programme = w.extensions.held.programme_id
    return change("generation_filesbefore", written, f"programme_id = '{programme}'")


EXTENSIONS = [
    checks(
        "job_has_frames_before_iff_it_extends",
        lambda w: an_order(w, extends_id=None),
    ),
    foreign(
        "job_extends_its_partys_clip", lambda w: an_order(w, extends_id=w.extensions.others.id)
    ),
    raised(OLD_PICTURE, lambda w: [WITH_AN_OLD_PICTURE, *an_order(w)]),
    raised(
        "a_removed_clip_is_not_extended",
        lambda w: an_order(w, extends_id=w.extensions.removed.id),
    ),
    raised("an_extension_is_like_its_clip", lambda w: an_order(w, frames_before=7)),
    raised("a_whole_lasts_two_minutes_at_most", lambda w: an_order(w, frames=954)),
    raised(
        "an_extension_stays_one",
        lambda w: change("generation_job", "extends_id = NULL", f"id = '{w.extensions.whole.id}'"),
        application_may_try=False,
    ),
    raised("an_extension_begins_with_its_clip", lambda w: [*an_order(w), *a_picture(w, 0)]),
    raised(
        "a_model_is_asked_for_what_it_offers",
        lambda w: an_order(w, model_id=w.extensions.plain),
    ),
    raised("a_whole_is_of_both_its_parts", a_whole),
    raised("a_clip_stays_while_a_job_extends_it", a_removal),
    raised(OLD_PICTURE, lambda w: [WITH_AN_OLD_PICTURE, *a_removal(w)]),
    checks(
        "a_policy_says_which_files",
        lambda _: again("review_policyversion", number=9, files_before="nothing"),
    ),
    checks(
        "a_programme_says_which_files",
        lambda w: the_policy(w, "allows = 'nothing'"),
        behind="files_before_are_the_policys",
        lifts=(LIFT.format("generation_filesbefore", "files_before_law"),),
    ),
    checks(
        "what_is_held_back_is_less",
        lambda w: held_back(w, "open_clip", allows="clip"),
        behind="a_clip_is_held_back_from_the_start",
        lifts=(LIFT.format("generation_heldback", "heldback_law"),),
    ),
    raised("a_clip_is_held_back_from_the_start", lambda w: held_back(w, "open_clip")),
    raised("files_before_are_the_policys", lambda w: the_policy(w, "allows = 'clip'")),
    raised(
        "held_back_until_approved",
        lambda w: [("DELETE FROM generation_heldback", {})],
    ),
]

VARIANTS = [
    raised("an_extension_is_like_its_clip", lambda w: an_order(w, width=256)),
    raised("an_extension_is_like_its_clip", lambda w: an_order(w, rate_num=16)),
    raised("a_model_takes_so_many_pictures", lambda w: [*an_order(w), *a_picture(w, 3, 7)]),
    # The last frame of a clip counts as a first picture: with one in between it is none of these.
    raised("a_model_is_asked_for_what_it_offers", lambda w: [*an_order(w), *a_picture(w, 3)]),
    checks("job_has_frames_before_iff_it_extends", lambda w: an_order(w, frames=1)),
    raised(
        "a_clip_is_held_back_from_the_start",
        lambda w: change("generation_heldback", "allows = 'pictures'"),
        application_may_try=False,
    ),
]
