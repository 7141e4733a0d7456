"""Asking for an archive, building it whatever happens to the builder, and its end."""

from __future__ import annotations

import threading
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from accounts.administrators.models import Administrator
from accounts.erasures.commands import begin_erasure
from accounts.exports.commands import (
    ArchiveFacts,
    ask_export,
    claim_export,
    end_exports_of,
    finish_export,
    renew_export,
)
from accounts.exports.models import Export
from accounts.exports.queries import export_for
from accounts.exports.rules import LASTS, LEASE
from accounts.programmes.models import Membership
from core.clock import CoreNow, now
from core.errors import Absent, WrongScope
from core.ids import shown
from core.outbox.models import OutboxMessage
from greenroom.exports import commands
from greenroom.exports.archive import Archive
from greenroom.exports.commands import build_export, build_exports, sweep_exports
from stage.builders import a_clip
from stage.together import wait_until


def folder():
    return Path(settings.MEDIA_FOLDER) / "exports"


def files_of(export):
    place = folder() / str(export.id)
    return sorted(file.name for file in place.iterdir()) if place.is_dir() else []


@pytest.fixture
def asked(tester):
    return ask_export(actor=tester.actor)


def test_asking_again_while_one_is_made_gives_the_same(tester, asked):
    assert ask_export(actor=tester.actor).id == asked.id
    assert Export.objects.count() == 1


def test_it_becomes_ready_once_and_its_owner_is_told(tester, asked):
    assert (build_exports(), build_exports()) == (1, 0)
    asked.refresh_from_db()
    assert (asked.state, asked.attempts) == ("ready", 1)
    assert asked.expires_at == asked.ready_at + LASTS
    assert files_of(asked) == ["1.zip"]
    assert OutboxMessage.objects.get(kind="export.ready").party_id == tester.party_id


def test_who_left_the_programme_or_declined_takes_everything_along(tester, clock):
    a_clip(tester)
    clock.advance(minutes=1)
    Membership.objects.filter(party=tester.party).update(ended_at=CoreNow())
    export = ask_export(actor=tester.actor)
    assert build_exports() == 1
    export.refresh_from_db()
    with zipfile.ZipFile(Path(settings.MEDIA_FOLDER) / export.storage_key) as archive:
        films = [name for name in archive.namelist() if name.endswith(".mp4")]
    assert len(films) == 2, "the master and its light copy"


def test_it_is_absent_for_everybody_else(asked, second_tester, manager):
    for other in (second_tester, manager):
        with pytest.raises(Absent):
            export_for(other.actor, shown("export", asked.id))


def test_asking_needs_its_scope(tester):
    with pytest.raises(WrongScope):
        ask_export(actor=tester.token_actor("exports:read"))


def test_a_builder_has_it_alone_until_its_lease_ends(asked, clock):
    first = claim_export()
    assert claim_export() is None
    clock.advance(minutes=5)
    assert renew_export(first)
    clock.advance(minutes=6)
    assert claim_export() is None
    clock.advance(minutes=5)
    second = claim_export()
    assert (second.id, second.attempts) == (first.id, 2)
    assert not renew_export(first)
    facts = commands.ArchiveFacts("exports/x.zip", 1, "0" * 64)
    assert not finish_export(first, facts)


class Killed(BaseException):
    """What ends a process, and is no error that anybody handles."""


def test_killed_and_tried_again_leaves_no_half_file(asked, monkeypatch, clock):
    whole = Archive.add_json

    def dies(self, name, rows):
        raise Killed

    monkeypatch.setattr(Archive, "add_json", dies)
    monkeypatch.setattr(Path, "unlink", lambda *_args, **_more: None)  # nobody tidies up
    with pytest.raises(Killed):
        build_export(claim_export())
    monkeypatch.undo()
    assert files_of(asked) == ["1.part"]

    monkeypatch.setattr(Archive, "add_json", whole)
    assert build_exports() == 0
    clock.advance(minutes=11)
    assert build_exports() == 1
    assert files_of(asked) == ["2.zip"]


def test_after_three_attempts_it_has_failed_and_can_be_asked_anew(
    tester, asked, monkeypatch, clock, caplog
):
    def breaks(*_args):
        raise OSError("no space left")

    monkeypatch.setattr(commands, "_write", breaks)
    for _ in range(4):
        build_exports()
        clock.advance(minutes=3)
    sweep_exports()
    asked.refresh_from_db()
    assert (asked.state, asked.attempts, files_of(asked)) == ("failed", 3, [])
    assert OutboxMessage.objects.filter(kind="export.failed").count() == 1
    assert ask_export(actor=tester.actor).id != asked.id


def test_a_builder_that_was_overtaken_leaves_nothing_behind(asked, monkeypatch):
    first = claim_export()
    monkeypatch.setattr(commands, "finish_export", lambda *_args: False)
    with pytest.raises(commands.TakenOver):
        build_export(first)
    assert files_of(asked) == []


def test_who_leaves_for_good_is_finished_no_archive(tester, asked):
    first = claim_export()
    begin_erasure(party_id=tester.party_id, waits_for="", kept=[], actor=None)
    with pytest.raises(commands.TakenOver):
        build_export(first)
    assert files_of(asked) == []
    assert not OutboxMessage.objects.filter(kind="export.ready").exists()


def waits_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
def test_an_archive_that_is_finished_while_its_owner_leaves_ends_too(tester, asked):
    first = claim_export()
    raised = []

    def leave():
        try:
            end_exports_of(tester.party_id)
        except Exception as error:  # noqa: BLE001  (told by the assertion below)
            raised.append(error)
        finally:
            connection.close()

    leaving = threading.Thread(target=leave, daemon=True)
    with transaction.atomic():
        assert finish_export(first, ArchiveFacts(f"exports/{first.id}/1.zip", 10, "a" * 64))
        leaving.start()
        wait_until(waits_for_a_lock)
    leaving.join(60)
    asked.refresh_from_db()
    assert (raised, asked.state) == ([], "ended")


def test_after_a_week_the_file_is_deleted_and_the_row_stays(asked, clock):
    build_exports()
    clock.advance(days=7, seconds=1)
    sweep_exports()
    asked.refresh_from_db()
    assert (asked.state, files_of(asked)) == ("ended", [])
    assert not (folder() / str(asked.id)).exists()


def test_a_new_one_takes_the_place_of_the_one_before(tester, asked):
    build_exports()
    second = ask_export(actor=tester.actor)
    build_exports()
    sweep_exports()
    asked.refresh_from_db()
    assert (asked.state, files_of(asked), files_of(second)) == ("ended", [], ["1.zip"])


def test_what_nobody_knows_is_swept_away(asked):
    build_exports()
    stray = folder() / "0190-not-a-row"
    stray.mkdir()
    (stray / "1.part").write_bytes(b"half")
    sweep_exports()
    assert not stray.exists()
    assert files_of(asked) == ["1.zip"]


@pytest.mark.django_db
def test_a_large_clip_is_copied_piece_by_piece(tmp_path):
    """No piece is larger than a mebibyte, whatever the file is."""
    source = tmp_path / "master.mp4"
    with source.open("wb") as file:
        file.truncate(40 * 1024 * 1024)
    ticks = []
    with Archive(tmp_path / "a.zip", at=now(), tick=lambda: ticks.append(1)) as archive:
        assert archive.add_file("files/master.mp4", source)
    assert len(ticks) == 40


def test_the_lease_is_far_longer_than_the_pause_between_two_signs_of_life():
    assert timedelta(seconds=10 * commands.RENEW_EVERY_S) < LEASE


def test_the_database_keeps_an_export_to_its_moves(asked):
    with pytest.raises(IntegrityError):
        Export.objects.filter(id=asked.id).update(state="ended")


def test_an_administrator_of_no_programme_may_ask_too(administrator):
    export = ask_export(actor=administrator.actor)
    assert build_exports() == 1
    export.refresh_from_db()
    assert Administrator.objects.exists()
    assert export.state == "ready"
