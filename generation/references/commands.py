"""The only writers of references: add, take a further frame, remove, clear."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Max
from django.db.models.functions import Greatest
from django.utils.translation import gettext as _

from accounts.credentials.commands import lock_live_credential
from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope
from accounts.programmes.models import Role
from accounts.retention.queries import retention_in_force
from core.audit.commands import record
from core.clock import CoreNow, now
from core.errors import Absent, InvalidOrder, StorageFull, is_storage_full
from core.idempotency.commands import Once
from core.ids import new_id
from core.outbox.commands import say
from core.sweeps import sweep
from generation.media.failure import MediaCode, MediaFailure
from generation.media.files import (
    PARTIAL,
    clear_partials,
    facts_of,
    flush,
    remove_files,
    whole_folder,
)
from generation.media.intake import LAST, Intake, IntakeRefused, Still, take_in
from generation.references.models import Reference, ReferenceStill
from generation.references.queries import is_needed, kept_by, reference_for, still_of
from generation.references.rules import (
    FOLDER,
    KEPT_AFTER_LEAVING,
    TYPES,
    Shape,
    Why,
    checked_rights,
    cleaned_name,
    intake_refusal,
    must_be_some,
    must_fit,
)

log = logging.getLogger("greenroom.references")

PIECE = 1024 * 1024
AT_ONCE = 5_000
STRAY_AFTER = timedelta(hours=1)
Answer = Callable[[Reference], tuple[int, Any]]


@dataclass(frozen=True, slots=True)
class Sent:
    """What came through whichever door. ``name`` is whatever the sender called it."""

    file: IO[bytes]
    size: int
    name: str
    rights: str
    rights_words: str = ""


def add_reference(
    *, actor: Actor, sent: Sent, once: Once | None = None, answer: Answer | None = None
) -> Reference:
    """Keep the original and what is used of it, or nothing.

    The file is read in a process apart, before the transaction. Raises ``InvalidOrder`` naming what
    is wrong with it, ``ReferencesFull``, ``NotAllowed`` for who is no tester, ``StorageFull``.
    """
    actor.must_carry(Scope.CLIPS_CREATE)
    actor.must_be(Role.TESTER, _("Only testers of the programme keep references."))
    rights, words = checked_rights(sent.rights, sent.rights_words)
    must_be_some(sent.size)
    must_fit(*kept_by(actor.programme, actor.party_id), sent.size)
    reference = Reference(
        id=new_id(),
        programme_id=actor.programme,
        party_id=actor.party_id,
        credential_id=actor.credential_id,
        name=cleaned_name(sent.name),
        rights=rights,
        rights_words=words,
    )
    with _or_storage_full():
        stills = _kept(reference, sent)
    try:
        _write(actor, reference, stills, once, answer)
    except BaseException:
        shutil.rmtree(_folder_of(reference.id), ignore_errors=True)
        raise
    return reference


def take_still(*, reference: Reference, frame: int) -> ReferenceStill:
    """A frame of it as engines get it: the one that is there, or one taken from the clip now.

    Raises ``InvalidOrder`` beyond its end, ``Absent`` where it is removed meanwhile,
    ``StorageFull``.
    """
    found = still_of(reference, frame)
    if found is not None:
        return found
    try:
        with _or_storage_full():
            return _taken(reference, frame)
    except (IntegrityError, FileNotFoundError):
        if Reference.objects.filter(id=reference.id, removed_at=None).exists():
            raise
        raise Absent from None


def remove_reference(*, actor: Actor, shown_id: str) -> Reference:
    """The owner wants it gone: no new job takes it, and its files go as soon as no job needs them.

    Raises ``Absent`` for what is not there any more, too.
    """
    actor.must_carry(Scope.CLIPS_CREATE)
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        reference = reference_for(actor, shown_id)
        _remove(reference, Why.OWNER, now(), actor)
        transaction.on_commit(clear_references, robust=True)
    reference.refresh_from_db()
    return reference


def remove_references_of(
    *, party_id: UUID, programme_id: UUID | None, why: Why, actor: Actor | None = None
) -> int:
    """Everything of a party, in one programme or in all. Inside the caller's transaction.

    With an erasure, what it was called goes too, and what was to go later goes now.
    """
    mine = Reference.objects.filter(party_id=party_id, cleared_at=None)
    if programme_id is not None:
        mine = mine.filter(programme_id=programme_id)
    moment = now()
    due_at = moment if why is Why.ERASURE else moment + KEPT_AFTER_LEAVING
    removed = 0
    for reference in list(mine.filter(removed_at=None).order_by("id")):
        removed += _remove(reference, why, due_at, actor)
    if why is Why.ERASURE:
        mine.filter(due_at__gt=moment).update(due_at=moment, removed_why=why)
        Reference.objects.filter(party_id=party_id).exclude(name="").update(name="")
        transaction.on_commit(clear_references, robust=True)
    return removed


def remove_idle_references() -> int:
    """What nobody used for as long as the programme's terms keep a draft; its owner hears of it,
    and has the terms' warning to take it along."""
    standing = Reference.objects.filter(removed_at=None).annotate(
        used_at=Greatest("made_at", Max("conditions__job__queued_at"))
    )
    going = []
    for programme_id in standing.order_by().values_list("programme_id", flat=True).distinct():
        terms = retention_in_force(programme_id)
        if terms is None or terms.draft_days is None:
            continue
        before = now() - timedelta(days=terms.draft_days)
        idle = standing.filter(programme_id=programme_id, used_at__lt=before).exclude(is_needed())
        due_at = now() + timedelta(days=terms.warning_days)
        going += [(one, due_at) for one in idle.order_by("id")[:AT_ONCE]]
    return sweep("remove_idle_references", going, _remove_idle)


def clear_references() -> int:
    """Take the files off the disk that are due, unless a job under way needs them; and what a
    killed process left. Returns how many references were cleared."""
    root = Path(settings.MEDIA_FOLDER)
    due = Reference.objects.filter(
        removed_at__isnull=False, cleared_at=None, due_at__lte=CoreNow()
    ).exclude(is_needed())
    cleared = sweep("clear_references", due.order_by("due_at", "id")[:AT_ONCE], _clear)
    clear_partials(root / FOLDER)
    _clear_strays(root / FOLDER)
    return cleared


def _kept(reference: Reference, sent: Sent) -> list[ReferenceStill]:
    """The files, whole or absent; the reference learns what its file is."""
    folder = _folder_of(reference.id)
    with whole_folder(folder) as partial:
        original = partial / "original"
        with original.open("wb") as kept:
            shutil.copyfileobj(sent.file, kept, PIECE)
        must_be_some(original.stat().st_size)  # a door may not have known
        taken = _read(original, partial, [0, LAST])
        suffixed = original.rename(original.with_suffix(f".{TYPES[taken.media_type]}"))
        flush(suffixed)
        facts = facts_of(suffixed, taken.media_type)
    reference.shape = Shape.IMAGE if taken.rate == 0 else Shape.CLIP
    reference.sha256, reference.bytes = facts.sha256, facts.size_bytes
    reference.media_type, reference.frames = taken.media_type, taken.frames
    reference.rate_num, reference.rate_den = taken.rate.numerator, taken.rate.denominator
    reference.storage_key = f"{FOLDER}/{reference.id}/{suffixed.name}"
    return [
        ReferenceStill(reference=reference, frame=one.frame, **_facts_of_still(folder, one))
        for one in taken.stills
    ]


def _taken(reference: Reference, frame: int) -> ReferenceStill:
    folder = _folder_of(reference.id)
    original = Path(settings.MEDIA_FOLDER) / reference.storage_key
    scratch = folder / f"{PARTIAL}{new_id()}"
    scratch.mkdir()
    try:
        made = [one for one in _read(original, scratch, [frame]).stills if one.frame == frame]
        if not made:
            raise InvalidOrder(
                "reference_too_short", _("The clip ends before this moment."), field="conditions"
            )
        # Whoever takes the same frame at once makes the same file.
        made[0].file.path.replace(folder / made[0].file.path.name)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    flush(folder)
    still, _is_new = ReferenceStill.objects.get_or_create(
        reference=reference, frame=frame, defaults=_facts_of_still(folder, made[0])
    )
    return still


@contextmanager
def _or_storage_full() -> Iterator[None]:
    """What a full disk says, wherever it was noticed, as the refusal it is."""
    try:
        yield
    except MediaFailure as failure:
        if failure.code is not MediaCode.DISK_FULL:
            raise
        raise StorageFull from failure
    except OSError as fault:
        if not is_storage_full(fault):
            raise
        raise StorageFull from fault


def _read(original: Path, folder: Path, wanted: list[int | str]) -> Intake:
    try:
        return take_in(original, folder, wanted)
    except IntakeRefused as refused:
        raise intake_refusal(refused.code, refused.facts) from None


def _facts_of_still(folder: Path, one: Still) -> dict[str, Any]:
    return {
        "sha256": one.file.sha256,
        "bytes": one.file.size_bytes,
        "width": one.width,
        "height": one.height,
        "storage_key": f"{FOLDER}/{folder.name}/{one.file.path.name}",
    }


def _write(
    actor: Actor,
    reference: Reference,
    stills: list[ReferenceStill],
    once: Once | None,
    answer: Answer | None,
) -> None:
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        if once:
            once.begin()
        with connection.cursor() as cursor:
            cursor.execute("SELECT references_one_at_a_time(%s)", [actor.party_id])
        must_fit(*kept_by(actor.programme, actor.party_id), reference.bytes)
        reference.save(force_insert=True)
        ReferenceStill.objects.bulk_create(stills)
        record(
            "reference.added",
            subject=("reference", reference.id),
            actor=actor.party_id,
            credential=actor.credential_id,
            sha256=reference.sha256,
            rights=reference.rights,
        )
        reference.refresh_from_db()
        if once and answer:
            once.keep(*answer(reference))


def _remove(reference: Reference, why: Why, due_at: datetime, actor: Actor | None) -> int:
    taken = Reference.objects.filter(id=reference.id, removed_at=None).update(
        removed_at=now(), removed_why=why, due_at=due_at
    )
    if taken:
        record(
            "reference.removed",
            subject=("reference", reference.id),
            actor=actor.party_id if actor else None,
            credential=actor.credential_id if actor else None,
            why=str(why),
        )
    return taken


def _remove_idle(going: tuple[Reference, datetime]) -> int:
    reference, due_at = going
    removed = _remove(reference, Why.RETENTION, due_at, None)
    if removed:
        say(
            "reference.expired",
            subject=("reference", reference.id),
            party=reference.party_id,
            due_at=due_at.isoformat(),
        )
    return removed


def _clear(reference: Reference) -> int:
    """The row first: the database refuses while a job needs them. Where the disk then fails, all
    is as before."""
    cleared = Reference.objects.filter(id=reference.id, cleared_at=None).update(cleared_at=now())
    if cleared:
        remove_files(Path(settings.MEDIA_FOLDER), [reference.storage_key])
    return cleared


def _clear_strays(root: Path) -> None:
    """Folders whose row never came to be."""
    if not root.is_dir():
        return
    before = (now() - STRAY_AFTER).timestamp()
    for folder in root.iterdir():
        found = _read_uuid(folder.name)
        if found is None or folder.stat().st_mtime > before:
            continue
        if not Reference.objects.filter(id=found, cleared_at=None).exists():
            shutil.rmtree(folder, ignore_errors=True)


def _folder_of(reference_id: UUID) -> Path:
    return Path(settings.MEDIA_FOLDER) / FOLDER / str(reference_id)


def _read_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
