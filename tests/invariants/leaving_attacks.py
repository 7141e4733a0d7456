"""Deeds against the rules of post, of talk, of what is taken along and of what goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from invariants.deeds import (
    A_HASH,
    FOREVER,
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
from invariants.own_programme_attacks import NOW_IT_HAPPENS, a_version
from invariants.review_attacks import LIFT, a_second_round, only_sealed, put_forward
from invariants.world import World

from core.ids import new_id


def a_mail(w: World, name: str, **other: Any) -> list[Statement]:
    """One like this, that waits."""
    facts = {"state": "waiting", "ended_at": None}
    return clone("accounts_mail", f"id = '{w.own.mails[name]}'", **{**facts, **other})


def the_mail(w: World, name: str, written: str) -> list[Statement]:
    return change("accounts_mail", written, f"id = '{w.own.mails[name]}'")


def in_the_mail(w: World, name: str, notice: str) -> list[Statement]:
    return change("accounts_notice", f"mail_id = '{w.own.mails[name]}'", notice)


POST = [
    checks("a_mail_has_one_reader", lambda w: a_mail(w, "waiting", party_id=None)),
    checks("a_digest_is_of_a_day", lambda w: a_mail(w, "digest", digest_day=None)),
    checks(
        "a_mail_ends_iff_it_waits_no_more",
        lambda w: the_mail(w, "waiting", "state = 'sent'"),
    ),
    unique("one_digest_a_day", lambda w: a_mail(w, "digest")),
    unique("one_mail_for_each_sending_of_an_invitation", lambda w: a_mail(w, "invitation")),
    raised(
        "a_mail_begins_waiting",
        lambda w: a_mail(w, "waiting", state="sent", ended_at=FOREVER),
    ),
    raised(
        "a_mail_is_what_it_was",
        lambda w: the_mail(w, "waiting", f"party_id = '{w.stranger.party_id}'"),
        application_may_try=False,
    ),
    raised("mail_moves", lambda w: the_mail(w, "sent", "state = 'waiting', ended_at = NULL")),
    raised(
        "a_notice_goes_out_once",
        lambda w: in_the_mail(w, "waiting", f"id = '{w.own.notice_of_another}'"),
    ),
    checks("topic_and_way_are_known", lambda _: clone("accounts_postpreference", topic="gossip")),
    unique("one_way_for_a_topic", lambda _: clone("accounts_postpreference")),
]


def an_announcement(**other: Any) -> list[Statement]:
    return again("accounts_announcement", **other)


def a_conversation(w: World, **other: Any) -> list[Statement]:
    facts = {"id": FREE, "party_id": w.second_tester.party_id}
    return again("accounts_conversation", **{**facts, **other})


def a_remark(w: World, **other: Any) -> list[Statement]:
    facts = {"conversation_id": w.own.conversation}
    return again("accounts_remark", **{**facts, **other})


TALK = [
    checks("an_announcement_says_something", lambda _: an_announcement(words="")),
    foreign(
        "announced_to_a_cohort_of_its_programme",
        lambda w: an_announcement(cohort_id=w.own.cohorts["strange"]),
    ),
    raised("staff_announces", lambda w: an_announcement(made_by_id=w.tester.party_id)),
    raised(NOW_IT_HAPPENS, lambda _: an_announcement(made_at=LONG_AGO)),
    unique(
        "one_conversation_for_each_matter",
        lambda w: a_conversation(w, party_id=w.tester.party_id),
    ),
    foreign("a_conversation_is_about_ones_own_clip", lambda w: a_conversation(w, clip_id=w.clip)),
    raised(
        "a_conversation_is_a_members", lambda w: a_conversation(w, party_id=w.stranger.party_id)
    ),
    raised(NOW_IT_HAPPENS, lambda w: a_conversation(w, opened_at=LONG_AGO)),
    checks("a_remark_says_something", lambda w: a_remark(w, words="")),
    checks(
        "a_remark_is_a_members_or_a_managers",
        lambda w: a_remark(w, role="guest", author_id=w.review.manager.party_id),
    ),
    raised(NOW_IT_HAPPENS, lambda w: a_remark(w, at=LONG_AGO)),
    raised("only_its_people_talk", lambda w: a_remark(w, author_id=w.second_tester.party_id)),
]

READY = "state = 'ready'"


def made_ready(key: str, size: int = 10) -> list[Statement]:
    """The export that was asked for."""
    written = (
        "state = 'ready', ready_at = core_now(), expires_at = core_now() + interval '1 day',"
        f" bytes = {size}, sha256 = '{A_HASH}', storage_key = '{key}'"
    )
    return change("accounts_export", written, "state = 'asked'")


def an_export(w: World, **other: Any) -> list[Statement]:
    facts = {"party_id": w.stranger.party_id}
    return clone("accounts_export", "state = 'asked'", **{**facts, **other})


def an_erasure(w: World, **other: Any) -> list[Statement]:
    facts = {"party_id": w.stranger.party_id, "digest": "\\x03", "done_at": None}
    return again("accounts_erasure", **{**facts, **other})


def the_erasure(w: World, written: str, party: UUID | None = None) -> list[Statement]:
    return change("accounts_erasure", written, f"party_id = '{party or w.own.gone.party_id}'")


def a_person(w: World, party: UUID) -> list[Statement]:
    return clone("accounts_person", party_id=party, email="back@studio.example")


LEAVING = [
    unique("one_export_at_a_time", lambda w: an_export(w, party_id=w.second_tester.party_id)),
    checks(
        "a_ready_export_is_a_file_that_ends",
        lambda _: made_ready("exports/second_tester.zip", size=0),
    ),
    unique(
        "an_archive_is_one_export",
        lambda _: made_ready("exports/tester.zip"),
    ),
    raised(
        "an_export_begins_asked",
        lambda w: clone("accounts_export", READY, storage_key="", party_id=w.stranger.party_id),
    ),
    raised(
        "an_export_is_what_it_was",
        lambda _: change("accounts_export", "storage_key = 'exports/other.zip'", READY),
    ),
    raised("export_moves", lambda _: change("accounts_export", "state = 'asked'", READY)),
    checks(
        "a_done_erasure_waits_for_nothing",
        lambda w: the_erasure(w, "done_at = core_now(), waits_for = 'money'"),
        behind="an_erasure_leaves_no_person",
        lifts=(LIFT.format("accounts_erasure", "erasure_law"),),
    ),
    unique(
        "accounts_erasure_digest_key",
        lambda w: again("accounts_erasure", "done_at IS NULL", party_id=w.stranger.party_id),
    ),
    unique("accounts_erasure_party_id_key", lambda w: an_erasure(w, party_id=w.own.gone.party_id)),
    raised("an_erasure_is_asked_first", lambda w: an_erasure(w, done_at=FOREVER)),
    raised(
        "an_erasure_is_done_once",
        lambda w: the_erasure(w, "kept = '[\"nothing\"]'", w.own.erased),
    ),
    raised(
        "an_erasure_leaves_no_person",
        lambda w: the_erasure(w, "done_at = core_now(), waits_for = ''"),
    ),
    raised("an_erased_party_is_nobody", lambda w: a_person(w, w.own.erased)),
    raised(OLD_PICTURE, lambda w: [WITH_AN_OLD_PICTURE, *a_person(w, w.spare_party)]),
]


def a_removal(w: World, **other: Any) -> list[Statement]:
    """Of the clip that stays, announced only."""
    facts = {"clip_id": w.own.clips["kept"], "done_at": None, "stopped_at": None}
    return again(
        "generation_removal",
        written="'due_at', core_now() + interval '8 days'",
        **{**facts, **other},
    )


def the_removal(w: World, name: str, written: str) -> list[Statement]:
    return change("generation_removal", written, f"clip_id = '{w.own.clips[name]}'")


DONE, STOPPED = "done_at = core_now()", "stopped_at = core_now()"


def a_job_now(w: World) -> list[Statement]:
    job, reservation = new_id(), new_id()
    return [
        *clone("accounts_reservation", w.reservation("queued"), id=reservation, work_id=job),
        *clone(
            "generation_job",
            w.job("queued"),
            id=job,
            reservation_id=reservation,
            queue_number=new_id().int >> 66,
        ),
    ]


def released(w: World, name: str) -> list[Statement]:
    facts = {"clip_id": w.own.clips[name]}
    return again("review_release", "ended_at IS NULL", **facts)


WORK = [
    raised(
        "a_job_uses_an_allowed_model",
        lambda w: [*a_version("generation_allowedmodels", slugs=["film"]), *a_job_now(w)],
    ),
    raised(
        "a_job_begins_while_its_programme_works",
        lambda w: [*change("accounts_programme", "is_open = false"), *a_job_now(w)],
    ),
    raised(OLD_PICTURE, lambda w: [WITH_AN_OLD_PICTURE, *a_job_now(w)]),
    unique("one_removal_of_a_clip_at_a_time", lambda w: a_removal(w, clip_id=w.own.clips["going"])),
    checks("a_removal_is_done_or_stopped", lambda w: the_removal(w, "going", f"{DONE}, {STOPPED}")),
    checks(
        "nothing_goes_before_its_time", lambda w: [*a_removal(w), *the_removal(w, "kept", DONE)]
    ),
    raised("a_removal_is_announced_first", lambda w: a_removal(w, announced_at=LONG_AGO)),
    raised(
        "an_owner_is_warned_a_week_ahead",
        lambda w: again(
            "generation_removal",
            written="'due_at', core_now() + interval '167 hours'",
            clip_id=w.own.clips["kept"],
            why="retention",
            done_at=None,
        ),
    ),
    raised("a_removal_ends_once", lambda w: the_removal(w, "removed", STOPPED)),
    raised(
        "a_removal_is_not_ahead_of_time",
        lambda w: the_removal(w, "going", f"done_at = '{FOREVER}'"),
    ),
    raised("what_is_shown_or_judged_stays", lambda w: the_removal(w, "shown", DONE)),
    raised(OLD_PICTURE, lambda w: [WITH_AN_OLD_PICTURE, *the_removal(w, "going", DONE)]),
    raised(
        "nothing_is_shown_without_its_files",
        lambda w: only_sealed(w, clip_id=w.own.clips["removed"]),
    ),
    raised(OLD_PICTURE, lambda w: [WITH_AN_OLD_PICTURE, *only_sealed(w)]),
    raised(
        "nothing_is_shown_without_its_files",
        lambda w: put_forward(w, chain_id=w.own.clips["removed"]),
    ),
    raised(OLD_PICTURE, lambda w: [WITH_AN_OLD_PICTURE, *a_second_round(w)]),
    raised("nothing_is_shown_without_its_files", lambda w: released(w, "removed")),
    raised(OLD_PICTURE, lambda w: [WITH_AN_OLD_PICTURE, *released(w, "kept")]),
]

TAKING_LEAVE: list[Attack] = [*POST, *TALK, *LEAVING, *WORK]

# Further ways to break a rule that was broken above.
VARIANTS = [
    raised("mail_moves", lambda w: the_mail(w, "sent", "attempts = 9")),
    raised("mail_moves", lambda w: the_mail(w, "sent", f"ended_at = '{LONG_AGO}'")),
    raised(
        "a_notice_goes_out_once",
        lambda w: clone(
            "accounts_notice",
            f"id = '{w.own.notice_of_another}'",
            mail_id=w.own.mails["waiting"],
        ),
    ),
    # It was sent already: the notice would be in no mail.
    raised(
        "a_notice_goes_out_once",
        lambda w: clone(
            "accounts_notice", f"party_id = '{w.tester.party_id}'", mail_id=w.own.mails["sent"]
        ),
    ),
    raised(
        "a_notice_goes_out_once",
        lambda w: in_the_mail(w, "waiting", f"mail_id = '{w.own.mails['sent']}'"),
    ),
    raised(
        "staff_announces",
        lambda w: [
            *change("accounts_rolegrant", "ended_at = core_now()", "ended_at IS NULL"),
            *an_announcement(),
        ],
    ),
    raised("staff_announces", lambda w: an_announcement(made_by_id=w.own.second_chief.party_id)),
    raised(
        "only_its_people_talk",
        lambda w: a_remark(w, role="manager", author_id=w.tester.party_id),
    ),
    raised("only_its_people_talk", lambda w: a_remark(w, author_id=w.review.manager.party_id)),
    raised(
        "only_its_people_talk",
        lambda w: a_remark(w, role="manager", author_id=w.stranger.party_id),
    ),
    raised(
        "a_job_uses_an_allowed_model",
        lambda w: [*a_version("generation_allowedmodels", slugs=[None, "film"]), *a_job_now(w)],
    ),
    raised(
        "a_job_begins_while_its_programme_works",
        lambda w: [
            *again(
                "accounts_particulars",
                f"programme_id = '{w.tester.programme.id}'",
                number=2,
                closes_on="2001-01-01",
            ),
            *a_job_now(w),
        ],
    ),
    raised("what_is_shown_or_judged_stays", lambda w: the_removal(w, "judged", DONE)),
    raised("a_removal_is_announced_first", lambda w: a_removal(w, done_at=FOREVER)),
    raised(
        "a_removal_ends_once",
        lambda w: [*the_removal(w, "going", STOPPED), *the_removal(w, "going", DONE)],
    ),
    raised(
        "a_removal_ends_once",
        lambda w: the_removal(w, "going", "due_at = due_at + interval '1 day'"),
        application_may_try=False,
    ),
    raised(
        "an_export_is_what_it_was",
        lambda w: change("accounts_export", f"party_id = '{w.stranger.party_id}'", READY),
        application_may_try=False,
    ),
]

MINUS_ONE: dict[str, Callable[[World, str], list[Statement]]] = {
    "accounts_export": lambda w, column: an_export(w, **{column: -1}),
    "accounts_mail": lambda w, column: a_mail(w, "waiting", **{column: -1}),
}
