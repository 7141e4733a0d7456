"""Files that are either whole or absent, and the facts a rendition row keeps about each."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from uuid import UUID

from generation.media.failure import media_errors

PARTIAL = ".partial-"
_LOCK = "writer.lock"


@dataclass(frozen=True, kw_only=True)
class FileFacts:
    path: Path
    sha256: str
    size_bytes: int
    media_type: str


def facts_of(path: Path, media_type: str) -> FileFacts:
    with path.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    return FileFacts(
        path=path, sha256=digest, size_bytes=path.stat().st_size, media_type=media_type
    )


def flush(path: Path) -> None:
    """Bytes of a file, or names of a folder, survive a power cut after this."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Yields a hidden sibling to write in; it becomes ``folder`` at the end or vanishes.

    ``folder`` must not exist: every attempt writes under a name of its own. Errors of making and
    naming the folder are ``MediaFailure``, the caller's pass unchanged. The lock inside tells
    ``clear_partials`` that the writer lives; the kernel drops it on any death.
    """
    with ExitStack() as kept:
        with media_errors():
            partial, lock = _begun(folder)
            kept.enter_context(lock)
        try:
            yield partial
            with media_errors():
                flush(partial)
                partial.rename(folder)
                (folder / _LOCK).unlink()
                flush(folder.parent)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise


def remove_files(root: Path, keys: Iterable[str]) -> None:
    """Files below ``root`` are off the disk after this, a power cut or not; twice is fine.

    A folder that is named by an attempt is one clip's own and goes whole. Raises ``OSError`` where
    that could not be done: also where the folder around theirs is missing, since then a whole disk
    may be away.
    """
    paths = [_below(root, key) for key in keys]
    for folder in sorted({path.parent for path in paths}):
        if not folder.parent.is_dir():
            raise FileNotFoundError(folder.parent)
        for path in paths:
            if path.parent == folder:
                path.unlink(missing_ok=True)
        if not folder.is_dir():
            continue
        if _is_of_an_attempt(folder):
            shutil.rmtree(folder)
            flush(folder.parent)
        else:
            flush(folder)


def _is_of_an_attempt(folder: Path) -> bool:
    try:
        return str(UUID(folder.name)) == folder.name
    except ValueError:
        return False


def _below(root: Path, key: str) -> Path:
    path = root / key
    if Path(key).is_absolute() or ".." in path.parts:
        raise ValueError(key)
    return path


def clear_partials(root: Path) -> int:
    """Removes what killed writers left directly below ``root``, and nothing of a living one."""
    if not root.exists():
        return 0
    with _alone(root):
        return sum(_cleared(partial) for partial in root.glob(f"{PARTIAL}*"))


class Landing:
    """One file of ``folder`` on its way in: hidden beside the folder until it is whole, and swept
    like any other partial when its writer dies.

    Errors of the disk pass as they are. ``drop`` ends it, kept or not.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / name
        self.digest = hashlib.sha256()
        self.size = 0
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _alone(folder.parent):
            self._partial, self._lock = _hidden(folder)
        self._file = (self._partial / name).open("wb")

    def write(self, piece: bytes) -> None:
        self._file.write(piece)
        self.digest.update(piece)
        self.size += len(piece)

    def keep(self) -> bool:
        """It stands at its place after this, a power cut or not. False where one stood there."""
        self._file.flush()
        os.fsync(self._file.fileno())
        folder = self.path.parent
        folder.mkdir(exist_ok=True)
        with _alone(folder):  # a rename alone would put another file's place in doubt
            is_first = not self.path.exists()
            if is_first:
                (self._partial / self.path.name).rename(self.path)
                flush(folder)
                flush(folder.parent)
        return is_first

    def drop(self) -> None:
        with suppress(OSError):  # what a full disk did not take cannot be flushed now either
            self._file.close()
        shutil.rmtree(self._partial, ignore_errors=True)
        self._lock.close()


def _begun(folder: Path) -> tuple[Path, IO[str]]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone(folder.parent):
        if folder.exists():
            raise FileExistsError(folder)
        return _hidden(folder)


def _hidden(folder: Path) -> tuple[Path, IO[str]]:
    """Inside ``_alone``: a sweep must not meet a folder whose lock is not there yet."""
    partial = Path(tempfile.mkdtemp(prefix=f"{PARTIAL}{folder.name}-", dir=folder.parent))
    lock = (partial / _LOCK).open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return partial, lock


def _cleared(partial: Path) -> bool:
    try:
        with (partial / _LOCK).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(partial, ignore_errors=True)
    except OSError:
        return False
    return True


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
