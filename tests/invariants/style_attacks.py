"""Deeds against the rules of styles, and of the styles that a job uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from invariants.deeds import (
    FREE,
    LONG_AGO,
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


def a_style(w: World, **other: Any) -> list[Statement]:
    return again("generation_style", f"id = '{w.styles.ink.id}'", **{"slug": "new", **other})


def the_style(w: World, written: str, which: str = "ink") -> list[Statement]:
    return change("generation_style", written, f"id = '{getattr(w.styles, which).id}'")


def a_fit(w: World, **other: Any) -> list[Statement]:
    """That the style without any fits a model."""
    return again("generation_stylefit", **{"style_id": w.styles.bare.id, **other})


def an_order(w: World, *used: list[Statement], model: Any = None) -> list[Statement]:
    """A job for the model with styles, and those that it uses."""
    reservation = new_id()
    return [
        *clone("accounts_reservation", w.reservation("queued"), id=reservation, work_id=FREE),
        *again(
            "generation_job",
            w.job("queued"),
            id=FREE,
            reservation_id=reservation,
            queue_number=new_id().int >> 66,
            model_id=model or w.styles.model,
        ),
        *(statement for one in used for statement in one),
    ]


def a_use(**other: Any) -> list[Statement]:
    return again("generation_jobstyle", **{"job_id": FREE, **other})


STYLES = [
    checks("style_state_is_known", lambda w: the_style(w, "state = 'hidden'")),
    checks("a_style_is_a_file", lambda w: a_style(w, sha256="a hash")),
    checks("a_style_says_what_it_is", lambda w: a_style(w, description="")),
    checks("a_style_has_a_usual_weight_in_its_range", lambda w: a_style(w, usual_weight=0)),
    checks("a_fit_changes_something", lambda w: a_fit(w, layers=0)),
    checks("a_job_has_three_styles_at_most", lambda w: an_order(w, a_use(number=3))),
    unique("one_row_per_style_revision", lambda w: a_style(w, slug="ink")),
    unique(
        "one_revision_of_a_style_is_offered",
        lambda w: [
            *a_style(w, slug="ink", revision=2, id=FREE),
            *a_fit(w, style_id=FREE),
            *change("generation_style", "state = 'offered'", f"id = '{FREE}'"),
        ],
    ),
    unique("a_style_fits_a_model_once", lambda w: a_fit(w, style_id=w.styles.ink.id)),
    unique(
        "styles_of_a_job_are_numbered",
        lambda w: an_order(w, a_use(), a_use(style_id=w.styles.oil.id)),
    ),
    unique("a_style_is_used_once_in_a_job", lambda w: an_order(w, a_use(), a_use(number=1))),
    foreign(
        "style_is_of_its_jobs_model",
        lambda w: an_order(w, a_use(), model=w.references.model),
    ),
    foreign(
        "style_fits_its_jobs_model",
        lambda w: an_order(w, a_use(style_id=w.styles.others.id)),
    ),
    raised("a_style_begins_added", lambda w: a_style(w, state="offered")),
    raised(
        "a_style_never_changes",
        lambda w: the_style(w, "sha256 = repeat('cd', 32)"),
        application_may_try=False,
    ),
    raised("a_style_goes_one_way", lambda w: the_style(w, "state = 'offered'", "retired")),
    raised("a_style_is_offered_where_it_fits", lambda w: the_style(w, "state = 'offered'", "bare")),
    raised("a_fit_is_found_now", lambda w: a_fit(w, checked_at=LONG_AGO)),
    raised(
        "a_style_is_for_a_model_that_takes_any",
        lambda w: a_fit(w, model_id=w.references.model),
    ),
    raised("styles_are_ordered_with_the_job", lambda w: a_use(job_id=w.jobs["running"])),
    raised(
        "only_an_offered_style_is_ordered",
        lambda w: an_order(w, a_use(style_id=w.styles.retired.id)),
    ),
    raised("a_style_is_used_within_its_weights", lambda w: an_order(w, a_use(weight=1.6))),
]

VARIANTS: list[Attack] = [
    raised("a_style_begins_added", lambda w: a_style(w, made_at=LONG_AGO)),
    raised(
        "only_an_offered_style_is_ordered",
        lambda w: an_order(w, a_use(style_id=w.styles.bare.id)),
    ),
    raised("a_style_is_used_within_its_weights", lambda w: an_order(w, a_use(weight="NaN"))),
    raised("a_style_is_used_within_its_weights", lambda w: an_order(w, a_use(weight=-0.1))),
]

MINUS_ONE: dict[str, Callable[[World, str], list[Statement]]] = {
    "generation_style": lambda w, column: a_style(w, **{column: -1}),
    "generation_stylefit": lambda w, column: a_fit(w, **{column: -1}),
    "generation_jobstyle": lambda w, column: an_order(w, a_use(**{column: -1})),
}
