"""Building archives in the house queue, and clearing them away.

An attempt writes beside the place where its archive will stand and moves it there when it is
whole; a killed one leaves a part that the next attempt, or the sweep, removes. No transaction is
open meanwhile: it would hold back whoever reads the outbox.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import time
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.utils import translation

from accounts.exports.commands import (
    ArchiveFacts,
    claim_export,
    end_exports,
    fail_exports,
    finish_export,
    put_export_back,
    renew_export,
)
from accounts.exports.models import Export
from accounts.exports.queries import exports_with_files, files_to_delete
from accounts.people.models import PersonalDetail
from generation.clips.models import Clip
from generation.references.models import Reference
from greenroom.exports.archive import Archive
from greenroom.exports.contents import CONTENTS
from greenroom.exports.documents import each, reader_of
from greenroom.exports.index import index_page, read_me
from greenroom.exports.of_money import STATEMENT_COLUMNS, statements
from greenroom.exports.of_work import file_name, files_of, reference_file_name

log = logging.getLogger("greenroom.exports")

FOLDER = "exports"
RENEW_EVERY_S = 20.0


class TakenOver(Exception):
    """The lease ran out, or the person was erased meanwhile: nobody waits for this attempt."""


def build_exports() -> int:
    """Build what waits, one after the other; returns how many became ready."""
    ready = 0
    while (export := claim_export()) is not None:
        try:
            ready += build_export(export)
        except TakenOver:
            log.info("export_taken_over", extra={"export": str(export.id)})
        except Exception:  # the outer loop: one that cannot be built must not stop the others
            log.exception("export_failed", extra={"export": str(export.id)})
            put_export_back(export)
    return ready


def build_export(export: Export) -> bool:
    """One attempt. The file is whole or absent, and counts only with its row."""
    folder = Path(settings.MEDIA_FOLDER) / FOLDER / str(export.id)
    shutil.rmtree(folder, ignore_errors=True)  # of an attempt that was killed
    folder.mkdir(parents=True, mode=0o700)
    place = folder / f"{export.attempts}.zip"
    part = place.with_suffix(".part")
    try:
        _write(export, part)
        facts = _facts(part, place)
        part.rename(place)
        if not finish_export(export, facts):
            raise TakenOver
    except BaseException:
        part.unlink(missing_ok=True)
        place.unlink(missing_ok=True)
        raise
    return True


def sweep_exports() -> None:
    """End those whose week is over, give up those that failed, and delete every file that no
    living export names."""
    end_exports(files_to_delete())
    fail_exports()
    clear_export_files()


def clear_export_files() -> int:
    root = Path(settings.MEDIA_FOLDER) / FOLDER
    if not root.is_dir():
        return 0
    # The folders first, then the rows: a builder's row is there before its folder.
    folders = list(root.iterdir())
    living = exports_with_files()
    strays = [folder for folder in folders if _read_uuid(folder.name) not in living]
    for folder in strays:
        shutil.rmtree(folder, ignore_errors=True)
    return len(strays)


def _write(export: Export, part: Path) -> None:
    reader = reader_of(export.party_id)
    with (
        translation.override(_language_of(export.party_id)),
        Archive(part, at=export.asked_at, tick=_Heartbeat(export)) as archive,
    ):
        missing = _add_files(archive, export.party_id)
        counts = {
            document.name: archive.add_json(f"data/{document.name}", document.rows(reader))
            for document in CONTENTS
        }
        archive.add_csv("data/statements.csv", STATEMENT_COLUMNS, statements(reader))
        archive.add_text(name="index.html", text=index_page(reader, export, counts, missing))
        archive.add_text(name="README.txt", text=read_me(export))


def _add_files(archive: Archive, party_id: UUID) -> set[str]:
    """Every file that is still there; the names of those that are not."""
    missing = set()
    for clip in each(Clip.objects.filter(party_id=party_id).order_by("made_at", "id")):
        for rendition in files_of(clip):
            name = file_name(rendition)
            if not archive.add_file(name, Path(settings.MEDIA_FOLDER) / rendition.storage_key):
                missing.add(name)
    sent = Reference.objects.filter(party_id=party_id, cleared_at=None)
    for reference in each(sent.order_by("made_at", "id")):
        name = reference_file_name(reference)
        if not archive.add_file(name, Path(settings.MEDIA_FOLDER) / reference.storage_key):
            missing.add(name)
    return missing


def _facts(part: Path, place: Path) -> ArchiveFacts:
    with part.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
        os.fsync(opened.fileno())
    return ArchiveFacts(
        storage_key=str(place.relative_to(settings.MEDIA_FOLDER)),
        bytes=part.stat().st_size,
        sha256=digest,
    )


class _Heartbeat:
    """Renews the lease now and then. Raises ``TakenOver`` where it is not ours any more."""

    def __init__(self, export: Export) -> None:
        self._export = export
        self._last = time.monotonic()

    def __call__(self) -> None:
        moment = time.monotonic()
        if moment - self._last < RENEW_EVERY_S:
            return
        self._last = moment
        if not renew_export(self._export):
            raise TakenOver


def _language_of(party_id: UUID) -> str:
    detail = PersonalDetail.objects.filter(person__party_id=party_id).first()
    language = detail.language if detail else ""
    return language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def _read_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
