"""Files are kept as long as the terms say, nobody loses one unwarned, and what is shown or judged
stays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.retention.models import RetentionVersion
from core.audit.models import AuditEvent
from core.clock import now
from core.errors import Absent, TooLate
from core.ids import shown
from core.outbox.models import OutboxMessage
from generation.clips import commands as clips
from generation.clips.commands import FilesRemoved, finish_removals
from generation.clips.models import Removal
from generation.jobs.commands import cancel_job
from review.releases.commands import release_clip, take_down_release
from review.releases.models import Release
from review.retention import commands
from review.retention.commands import (
    RemovalStays,
    ShownOrJudged,
    finish_retention,
    keep_own_clip,
    remove_own_clip,
    stop_overtaken,
    warn_owners,
)
from review.retention.queries import (
    clips_going,
    removals_overtaken,
    standing_of,
    storage_for,
    storage_of,
    terms_in_force,
)
from review.retention.rules import State, Terms, goes_at
from review.retention.tasks import retain
from review.submissions.commands import withdraw_submission
from stage.builders import a_clip, a_job, a_model
from stage.cast import Member
from stage.review import a_decision, a_submission, an_approved_clip

pytestmark = pytest.mark.usefixtures("review_open")
DAY = timedelta(days=1)


def publish(programme, **days) -> RetentionVersion:
    return RetentionVersion.objects.create(
        programme=programme, number=programme.retentions.count() + 1, **days
    )


def removals() -> list[tuple[str, bool, bool]]:
    return [
        (one.why, one.done_at is not None, one.stopped_at is not None)
        for one in Removal.objects.order_by("announced_at", "id")
    ]


def signed_in_again(member: Member) -> Member:
    """A sign-in lasts two weeks, and files longer."""
    return Member(member.person, member.programme)


@pytest.fixture
def clip(tester):
    return a_clip(tester)


@pytest.fixture
def released(tester, reviewer, clock):
    clip = an_approved_clip(tester, reviewer, clock)
    release_clip(actor=tester.actor, clip_id=shown("clip", clip.id), title="A boat")
    return clip


# What a clip is --------------------------------------------------------------------------------


def test_a_clips_time_begins_anew_with_each_thing_that_happens_to_it(
    programme, tester, reviewer, clock, clip
):
    publish(programme, draft_days=90, unreleased_days=180, released_days=1000)

    def is_now(state, since, days, clip=clip):
        standing = standing_of(clip)
        assert (standing.state, standing.since) == (state, since)
        assert standing.goes_at == (since + days * DAY if since else None)

    is_now(State.DRAFT, clip.made_at, 90)
    submission = a_submission(tester, clip)
    is_now(State.UNRELEASED, None, 180)
    withdraw_submission(actor=tester.actor, submission_id=shown("submission", submission.id))
    is_now(State.UNRELEASED, submission.cases.get().closed_at, 180)
    judged = a_submission(tester).clip
    decision = a_decision(reviewer, clock)
    is_now(State.UNRELEASED, decision.case.closed_at, 180, judged)
    release = release_clip(actor=tester.actor, clip_id=shown("clip", judged.id), title="A boat")
    is_now(State.RELEASED, release.released_at, 1000, judged)
    clock.advance(days=3)
    release = take_down_release(actor=tester.actor, release_id=shown("release", release.id))
    is_now(State.UNRELEASED, release.ended_at, 180, judged)


def test_the_sweep_finds_whom_the_rule_finds(programme, tester, reviewer, clock, clip, released):
    """The rule stands twice, in Python and in SQL."""
    declined = a_submission(tester).clip
    a_decision(reviewer, clock, "declined")
    everything = [clip, released, declined, a_submission(tester).clip]
    for days in (
        {},
        {"draft_days": 7},
        {"unreleased_days": 7},
        {"released_days": 7},
        {"draft_days": 20, "unreleased_days": 8, "released_days": 30},
    ):
        publish(programme, **days)
        terms = terms_in_force(programme.id)
        for ahead in (0, 10, 20):
            clock.advance(days=ahead)
            by_rule = {
                (one.id, found)
                for one in everything
                for standing in [standing_of(one)]
                if (found := goes_at(standing.state, standing.since, terms, standing.appeal_until))
                and found <= now() + terms.warning_days * DAY
            }
            assert {(one.clip_id, one.goes_at) for one in clips_going(10)} == by_rule
            clock.advance(days=-ahead)


# Warning and going -----------------------------------------------------------------------------


def test_an_owner_is_warned_and_the_files_go_at_the_time_that_was_said(
    programme, tester, clock, clip
):
    publish(programme, draft_days=90, warning_days=14)
    assert warn_owners() == 0
    clock.set(clip.made_at + 76 * DAY)
    assert warn_owners() == 1
    assert warn_owners() == 0
    heard = OutboxMessage.objects.get(kind="removal.announced")
    assert heard.party_id == tester.party_id
    assert heard.facts["due_at"] == (clip.made_at + 90 * DAY).isoformat()
    clock.advance(days=13)
    retain()
    assert removals() == [("retention", False, False)]
    clock.advance(days=2)
    retain()
    assert removals() == [("retention", True, False)]
    assert Removal.objects.get().cleared_at is not None


def test_one_clip_that_cannot_go_keeps_no_other(programme, tester, clock, clip, monkeypatch):
    a_clip(tester)
    publish(programme, draft_days=90)
    clock.advance(days=80)
    assert warn_owners() == 2
    clock.advance(days=20)
    whole = commands.finish_removal

    def broken(*, removal):
        if removal.clip_id == clip.id:
            raise ValueError("no such thing")
        return whole(removal=removal)

    monkeypatch.setattr(commands, "finish_removal", broken)
    assert finish_retention() == 1
    assert Removal.objects.get(clip=clip).done_at is None


def but_for(clip_id, whole, of):
    """``whole``, which fails for what is about this clip; ``of`` says what it is about."""

    def broken(*parts, **named):
        if of(*parts, **named) == clip_id:
            raise ValueError("no such thing")
        return whole(*parts, **named)

    return broken


def failed(caplog) -> list[tuple[str, int, int]]:
    return [
        (each.sweep, each.done, each.failed)
        for each in caplog.records
        if each.message == "sweep_failed"
    ]


def test_one_owner_who_cannot_be_warned_keeps_no_other_from_it(
    programme, tester, clock, clip, monkeypatch, caplog
):
    other = a_clip(tester)
    publish(programme, draft_days=90)
    clock.advance(days=80)
    broken = but_for(clip.id, commands.announce_removal, lambda **named: named["clip"].id)
    monkeypatch.setattr(commands, "announce_removal", broken)
    assert warn_owners() == 1
    assert Removal.objects.get().clip_id == other.id
    assert failed(caplog) == [("warn_owners", 1, 1)]


def test_one_removal_that_cannot_be_stopped_keeps_no_other_from_it(
    programme, tester, clock, clip, monkeypatch, caplog
):
    other = a_clip(tester)
    publish(programme, draft_days=30, warning_days=14)
    clock.advance(days=20)
    assert warn_owners() == 2
    publish(programme, draft_days=60, warning_days=14)
    broken = but_for(clip.id, commands.stop_removal, lambda **named: named["removal"].clip_id)
    monkeypatch.setattr(commands, "stop_removal", broken)
    assert stop_overtaken() == 1
    assert Removal.objects.exclude(stopped_at=None).get().clip_id == other.id
    assert failed(caplog) == [("stop_overtaken", 1, 1)]


def test_one_clip_of_its_owner_that_cannot_go_keeps_no_other(
    tester, clock, clip, monkeypatch, caplog
):
    other = a_clip(tester)
    for each in (clip, other):
        remove_own_clip(actor=tester.actor, clip_id=shown("clip", each.id))
    clock.advance(days=2)
    broken = but_for(clip.id, clips.finish_removal, lambda **named: named["removal"].clip_id)
    monkeypatch.setattr(clips, "finish_removal", broken)
    assert finish_removals() == 1
    assert Removal.objects.exclude(done_at=None).get().clip_id == other.id
    assert failed(caplog) == [("finish_removals", 1, 1)]


@pytest.mark.parametrize("warning_days", [7, 30])
def test_a_clip_long_past_its_time_has_the_warnings_full_time_all_the_same(
    programme, clock, clip, warning_days
):
    clock.advance(days=400)
    publish(programme, draft_days=30, warning_days=warning_days)
    moment = clock.stop()
    assert warn_owners() == 1
    assert Removal.objects.get().due_at == moment + warning_days * DAY


def test_without_terms_or_without_a_time_everything_is_kept(programme, clock, clip):
    clock.advance(days=4000)
    assert warn_owners() == 0
    publish(programme, unreleased_days=7)
    assert warn_owners() == 0


def test_the_terms_of_one_programme_are_not_anothers(programme, other_programme, clock, clip):
    publish(other_programme, draft_days=7, warning_days=7)
    clock.advance(days=100)
    assert warn_owners() == 0


def test_what_is_put_forward_stays_and_begins_anew(programme, tester, clock, clip):
    publish(programme, draft_days=30, unreleased_days=60, warning_days=14)
    clock.advance(days=20)
    warn_owners()
    tester = signed_in_again(tester)
    submission = a_submission(tester, clip)
    assert removals() == [("retention", False, True)]
    assert OutboxMessage.objects.get(kind="removal.stopped").party_id == tester.party_id
    clock.advance(days=300)
    retain()
    assert Removal.objects.count() == 1, "what is judged is neither removed nor announced"
    tester = signed_in_again(tester)
    withdraw_submission(actor=tester.actor, submission_id=shown("submission", submission.id))
    clock.advance(days=47)
    retain()
    assert removals()[1:] == [("retention", False, False)]


def test_longer_terms_stop_what_was_announced(programme, clock, clip):
    publish(programme, draft_days=30, warning_days=14)
    clock.advance(days=20)
    warn_owners()
    publish(programme, draft_days=60, warning_days=14)
    clock.advance(days=15)
    assert finish_retention() == 0, "asked once more, it is not yet its time"
    assert stop_overtaken() == 1
    assert stop_overtaken() == 0
    line = AuditEvent.objects.get(kind="removal.stopped")
    assert (line.subject_id, line.facts) == (clip.id, {"why": "terms"})
    assert warn_owners() == 0
    clock.set(clip.made_at + 46 * DAY)
    assert warn_owners() == 1
    assert Removal.objects.get(stopped_at=None).due_at == clip.made_at + 60 * DAY


def test_what_was_declined_stays_as_long_as_its_owner_may_appeal(
    programme, tester, reviewer, clock
):
    declined = a_submission(tester).clip
    decision = a_decision(reviewer, clock, "declined")
    open_days = decision.case.submission.charter.appeal_open_days
    publish(programme, draft_days=7, unreleased_days=7, warning_days=7)
    until = decision.decided_at + open_days * DAY
    assert standing_of(declined).goes_at == max(until, decision.case.closed_at + 7 * DAY)
    clock.set(until - 8 * DAY)
    retain()
    assert removals() == []
    clock.advance(days=2)
    retain()
    assert Removal.objects.get().due_at >= until
    clock.set(Removal.objects.get().due_at + timedelta(minutes=1))
    retain()
    assert removals() == [("retention", True, False)]


def test_what_is_released_is_kept_where_the_terms_name_no_time_for_it(programme, clock, released):
    publish(programme, draft_days=7, unreleased_days=7, warning_days=7)
    clock.advance(days=1000)
    retain()
    assert removals() == []


def test_where_they_do_the_release_ends_with_its_files_and_not_before(programme, clock, released):
    publish(programme, released_days=100, warning_days=14)
    clock.advance(days=86)
    retain()
    assert removals() == [("retention", False, False)]
    clock.advance(days=13)
    retain()
    assert Release.objects.get().ended_at is None
    clock.advance(days=1)
    retain()
    assert removals() == [("retention", True, False)]
    assert Release.objects.get().ended_at == Removal.objects.get().done_at
    line = AuditEvent.objects.get(kind="release.taken_down")
    assert line.facts["why"] == "retention"


def test_a_release_that_is_being_extended_ends_only_when_that_job_is_over(
    programme, tester, clock, released
):
    publish(programme, released_days=100, warning_days=14)
    clock.advance(days=86)
    retain()
    clock.advance(days=14)
    del tester.actor  # whoever signed in a hundred days ago signs in again
    a_model("pictured", modes=["text", "image"], most_conditions=1)
    job = a_job(tester, model="pictured", extends=shown("clip", released.id))
    retain()
    assert Release.objects.get().ended_at is None
    assert removals() == [("retention", False, False)]
    cancel_job(actor=tester.actor, shown_id=shown("job", job.id))
    retain()
    assert Release.objects.get().ended_at is not None
    assert removals() == [("retention", True, False)]


def test_a_clip_without_files_is_neither_put_forward_nor_appealed_nor_released(
    programme, tester, reviewer, clock, clip
):
    approved = an_approved_clip(tester, reviewer, clock)
    publish(programme, draft_days=7, unreleased_days=7, warning_days=7)
    clock.advance(days=8)
    retain()
    clock.advance(days=8)
    retain()
    assert removals() == [("retention", True, False)] * 2
    tester = signed_in_again(tester)
    with pytest.raises(FilesRemoved):
        a_submission(tester, clip)
    with pytest.raises(FilesRemoved):
        release_clip(actor=tester.actor, clip_id=shown("clip", approved.id), title="A boat")


# An owner's own word ---------------------------------------------------------------------------


def test_an_owner_removes_a_clip_and_has_a_day_to_keep_it(tester, clock, clip):
    shown_id = shown("clip", clip.id)
    moment = clock.stop()
    first = remove_own_clip(actor=tester.actor, clip_id=shown_id)
    assert first.due_at == moment + DAY
    assert remove_own_clip(actor=tester.actor, clip_id=shown_id) == first
    keep_own_clip(actor=tester.actor, clip_id=shown_id)
    keep_own_clip(actor=tester.actor, clip_id=shown_id)
    remove_own_clip(actor=tester.actor, clip_id=shown_id)
    clock.advance(days=1)
    retain()
    assert removals() == [("owner", False, True), ("owner", True, False)]
    with pytest.raises(RemovalStays):
        keep_own_clip(actor=tester.actor, clip_id=shown_id)


def test_what_is_shown_or_judged_is_not_removed_by_its_owner_either(tester, released):
    judged = a_submission(tester).clip
    for clip in (released, judged):
        with pytest.raises(ShownOrJudged):
            remove_own_clip(actor=tester.actor, clip_id=shown("clip", clip.id))
    assert not Removal.objects.exists()


@pytest.mark.parametrize("outsider", ["second_tester", "stranger", "reviewer", "manager"])
def test_nobody_removes_or_keeps_somebody_elses(outsider, request, clip, tester):
    other = request.getfixturevalue(outsider)
    for deed in (remove_own_clip, keep_own_clip):
        with pytest.raises(Absent):
            deed(actor=other.actor, clip_id=shown("clip", clip.id))


def test_what_goes_by_the_terms_is_not_kept_by_a_word(programme, tester, clock, clip):
    publish(programme, draft_days=30)
    clock.advance(days=20)
    warn_owners()
    tester = signed_in_again(tester)
    with pytest.raises(RemovalStays):
        keep_own_clip(actor=tester.actor, clip_id=shown("clip", clip.id))
    assert issubclass(RemovalStays, TooLate)


def test_the_law_holds_back_what_a_sweep_would_take(tester, clip, clock):
    """Past the commands: a removal stands, and the clip is judged."""
    a_submission(tester, clip)
    Removal.objects.create(clip=clip, why="erasure", due_at=now())
    assert finish_removals() == 0
    assert removals() == [("erasure", False, False)]
    assert removals_overtaken(9) == [], "an erasure is not stopped by anything"


# Storage ---------------------------------------------------------------------------------------


def total(clip) -> int:
    return sum(clip.renditions.values_list("bytes", flat=True))


def test_storage_is_counted_by_state_with_what_goes(programme, tester, clock, clip, released):
    judged = a_submission(tester).clip
    publish(programme, draft_days=40, released_days=80)
    found = storage_of(programme.id, now())
    by_state = {each.state: each for each in found.stored}
    assert [each.clips for each in found.stored] == [1, 1, 1]
    assert by_state[State.DRAFT].bytes == total(clip)
    assert by_state[State.UNRELEASED].bytes == total(judged)
    assert found.bytes == total(clip) + total(judged) + total(released)
    assert by_state[State.DRAFT].goes_within(30) == (0, 0)
    assert by_state[State.DRAFT].goes_within(60) == (1, total(clip))
    assert by_state[State.RELEASED].goes_within(60) == (0, 0)
    assert by_state[State.RELEASED].goes_within(90) == (1, total(released))
    assert by_state[State.UNRELEASED].goes_within(365) == (0, 0)
    assert found.forecasts is None, "the programme is too young to say"


def test_an_overdue_clip_goes_when_its_warning_is_over(programme, clock, clip):
    clock.advance(days=200)
    publish(programme, draft_days=10, warning_days=45)
    draft = storage_of(programme.id, now()).stored[0]
    assert draft.goes_within(30) == (0, 0)
    assert draft.goes_within(60) == (1, total(clip))


def test_what_was_removed_is_counted_apart(programme, tester, clock, clip):
    kept = a_clip(tester, seed=8)
    remove_own_clip(actor=tester.actor, clip_id=shown("clip", clip.id))
    assert storage_of(programme.id, now()).stored[0].goes_within(30) == (1, total(clip))
    clock.advance(days=31)
    retain()
    found = storage_of(programme.id, now())
    assert (found.removed_clips, found.removed_bytes) == (1, total(clip))
    assert (found.clips, found.bytes) == (1, total(kept))
    assert [each.days for each in found.forecasts] == [30, 60, 90, 365]
    assert {each.all_kept_bytes for each in found.forecasts} == {total(kept)}, "nothing new is made"


def test_storage_is_for_the_programmes_people(programme, tester, manager, auditor, finance):
    assert storage_for(manager.actor).terms is None
    assert storage_for(auditor.actor).clips == 0
    for outsider in (tester, finance):
        with pytest.raises(Absent):
            storage_for(outsider.actor)


def test_the_number_of_queries_does_not_grow_with_the_clips(
    programme, tester, django_assert_num_queries
):
    publish(programme, draft_days=40)
    for seed in range(3):
        a_clip(tester, seed=seed)
    with django_assert_num_queries(3):
        storage_of(programme.id, now())
    assert Terms(draft_days=40).days(State.DRAFT) == 40
