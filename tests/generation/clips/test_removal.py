"""Files of a clip go when their row says so, never before; a killed sweep leaves none behind."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from core.audit.models import AuditEvent
from core.clock import now
from core.ids import shown
from core.outbox.models import OutboxMessage
from generation.clips import commands
from generation.clips.commands import (
    FilesRemoved,
    announce_removal,
    clear_removed_files,
    finish_removal,
    finish_removals,
    keep_files,
    stop_removal,
)
from generation.clips.models import Clip, Removal
from generation.clips.queries import clip_for, removal_of
from generation.media.files import remove_files
from stage.builders import a_clip

Why = Removal.Why
KILLED = Path(__file__).with_name("killed_remover.py")


@pytest.fixture
def clip(tester) -> Clip:
    return a_clip(tester)


def files_of(clip: Clip) -> list[Path]:
    return [
        Path(settings.MEDIA_FOLDER) / key
        for key in clip.renditions.values_list("storage_key", flat=True)
    ]


def served(clip: Clip, reader) -> list[object]:
    """What the raw route would get for each of the clip's files."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT f.* FROM generation_rendition r, rendition_for(r.id, %s) f"
            " WHERE r.clip_id = %s",
            [reader.party_id, clip.id],
        )
        return cursor.fetchall()


def test_files_go_when_their_time_has_come_and_the_record_stays(clip, tester, clock):
    announce_removal(clip=clip, why=Why.OWNER, due_at=now() + timedelta(days=1))
    assert finish_removals() == 0
    assert all(path.exists() for path in files_of(clip))
    assert len(served(clip, tester)) == 5
    clock.advance(days=1)
    assert finish_removals() == 1
    assert not any(path.exists() for path in files_of(clip))
    assert not files_of(clip)[0].parent.exists()
    assert served(clip, tester) == []
    removal = Removal.objects.get(clip=clip)
    assert removal.done_at is not None
    assert removal.cleared_at is not None
    found = clip_for(tester.actor, shown("clip", clip.id))
    assert list(found.renditions.all()) == []
    assert removal_of(found) == removal
    assert finish_removals() == 0


def test_the_owner_hears_and_it_is_on_record(clip, tester, clock):
    due = now() + timedelta(days=8)
    announce_removal(clip=clip, why=Why.RETENTION, due_at=due)
    heard = OutboxMessage.objects.get(kind="removal.announced")
    assert (heard.party_id, heard.subject_id) == (tester.party_id, clip.id)
    assert heard.facts == {"why": "retention", "due_at": due.isoformat()}
    assert AuditEvent.objects.filter(kind="removal.announced", subject_id=clip.id).count() == 1


def test_an_erasure_says_nothing_to_whoever_is_erased(clip):
    announce_removal(clip=clip, why=Why.ERASURE, due_at=now())
    assert finish_removals() == 1
    assert not OutboxMessage.objects.filter(kind__startswith="removal.").exists()
    assert AuditEvent.objects.filter(kind="removal.done").count() == 1


def test_what_goes_earlier_replaces_what_would_go_later_and_not_the_other_way(clip):
    first = announce_removal(clip=clip, why=Why.RETENTION, due_at=now() + timedelta(days=9))
    later = announce_removal(clip=clip, why=Why.OWNER, due_at=now() + timedelta(days=10))
    assert later == first
    sooner = announce_removal(clip=clip, why=Why.ERASURE, due_at=now() - timedelta(days=1))
    assert sooner != first
    first.refresh_from_db()
    assert first.stopped_at is not None
    assert finish_removals() == 1
    assert announce_removal(clip=clip, why=Why.OWNER, due_at=now()) == sooner


def test_what_was_stopped_stays(clip, clock):
    removal = announce_removal(clip=clip, why=Why.OWNER, due_at=now())
    assert stop_removal(removal=removal, why="kept")
    assert not stop_removal(removal=removal, why="kept")
    assert finish_removals() == 0
    assert not finish_removal(removal=removal)
    assert all(path.exists() for path in files_of(clip))


def test_whoever_judges_or_shows_it_keeps_the_files_and_never_gets_a_clip_without(clip, tester):
    removal = announce_removal(clip=clip, why=Why.OWNER, due_at=now())
    keep_files(clip=clip, why="put_forward", actor=tester.party_id)
    removal.refresh_from_db()
    assert removal.stopped_at is not None
    announce_removal(clip=clip, why=Why.OWNER, due_at=now())
    finish_removals()
    with pytest.raises(FilesRemoved):
        keep_files(clip=clip, why="put_forward", actor=tester.party_id)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"cleared_at": "core_now()"}, "nothing_goes_before_its_time"),
        ({"done_at": "core_now()"}, "nothing_goes_before_its_time"),
        ({"done_at": "core_now() + interval '2 days'"}, "a_removal_is_not_ahead_of_time"),
    ],
)
def test_the_database_lets_no_file_go_ahead_of_its_row(clip, change, constraint):
    announce_removal(clip=clip, why=Why.OWNER, due_at=now() + timedelta(days=1))
    ((column, value),) = change.items()
    with (
        pytest.raises(IntegrityError) as refused,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"UPDATE generation_removal SET {column} = {value}")
    assert refused.value.__cause__.diag.constraint_name in {constraint, "a_removal_ends_once"}


def test_a_file_that_cannot_go_is_tried_again(clip, monkeypatch, clock):
    def away(*_arguments):
        raise PermissionError

    announce_removal(clip=clip, why=Why.OWNER, due_at=now())
    monkeypatch.setattr(commands, "remove_files", away)
    assert finish_removals() == 1
    assert Removal.objects.get(clip=clip).cleared_at is None
    assert all(path.exists() for path in files_of(clip))
    monkeypatch.undo()
    assert clear_removed_files() == 1
    assert not any(path.exists() for path in files_of(clip))


def test_a_disk_that_is_away_does_not_count_as_files_that_are_gone(tmp_path):
    with pytest.raises(FileNotFoundError):
        remove_files(tmp_path / "media", ["2026/11/attempt/clip.mp4"])
    (tmp_path / "media").mkdir()
    with pytest.raises(FileNotFoundError):
        remove_files(tmp_path / "media", ["2026/11/attempt/clip.mp4"])


def test_a_clips_own_folder_goes_whole_and_nothing_beside_it(tmp_path):
    media = tmp_path / "media"
    own, shelf = media / "2026/11" / str(uuid4()), media / "2026/12"
    for folder in (own, shelf):
        folder.mkdir(parents=True)
        for name in ("clip.mp4", "sheet.vtt"):
            (folder / name).write_text(name)
    outside = tmp_path / "outside"
    outside.write_text("stays")
    for key in ("../outside", str(outside)):
        with pytest.raises(ValueError):
            remove_files(media, [key])
    for _twice in range(2):
        remove_files(media, [f"2026/11/{own.name}/clip.mp4", "2026/12/clip.mp4"])
    assert outside.exists()
    assert not own.exists()
    assert own.parent.exists()
    assert [path.name for path in shelf.iterdir()] == ["sheet.vtt"]


@pytest.mark.django_db(transaction=True)
def test_files_are_never_taken_inside_a_transaction_that_may_yet_be_undone(clip):
    announce_removal(clip=clip, why=Why.OWNER, due_at=now())
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        finish_removals()
    assert all(path.exists() for path in files_of(clip))


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_sweep_killed_between_any_two_lines_never_takes_a_file_ahead_of_its_row(database, tester):
    clips = [a_clip(tester, seed=seed) for seed in range(2)]
    for clip in clips:
        announce_removal(clip=clip, why=Why.OWNER, due_at=now())
    done = subprocess.run(
        [sys.executable, str(KILLED)],
        env={**database.environment(), "GREENROOM_MEDIA": str(settings.MEDIA_FOLDER)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 20, "the tracer saw too little of the sweep"
    # Whatever the last killed one left behind, the next sweep finds.
    finish_removals()
    assert Removal.objects.filter(cleared_at=None).count() == 0
    assert not any(path.exists() for clip in clips for path in files_of(clip))
    assert AuditEvent.objects.filter(kind="removal.done").count() == len(clips)
