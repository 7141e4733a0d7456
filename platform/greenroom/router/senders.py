"""The ways a rendition's bytes get out: from here, or by the proxy in front of us."""

from __future__ import annotations

import asyncio
import logging
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from greenroom.router.exchange import Exchange, Headers, TooSlow
from greenroom.router.media import Backend, FileDamaged, FileVanished, Opening
from greenroom.router.options import Options
from greenroom.router.ranges import Part

log = logging.getLogger(__name__)

CHUNK = 256 * 1024
ACCEL_PREFIX = "/protected-media/"
# A paused player keeps its connection and reads nothing; it asks for the rest when it is cut off.
_READER_STALL_S = 300.0
_THREADS = 8


class Disk:
    """Opens files of the media folder in a few threads of its own: a slow disk stops no event."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="media")

    async def opened(self, opening: Opening) -> int:
        """A file descriptor of the whole file. Raises FileVanished or FileDamaged."""
        place = asyncio.get_running_loop().run_in_executor
        return await place(self._threads, _opened, self._folder, opening)

    async def read(self, handle: int, length: int, at: int) -> bytes:
        place = asyncio.get_running_loop().run_in_executor
        return await place(self._threads, os.pread, handle, length, at)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


class FromHere:
    """The default. A slow reader costs one piece of memory and no thread."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    async def ready(self, opening: Opening) -> FromHereDelivery:
        return FromHereDelivery(self._disk, opening, await self._disk.opened(opening))

    def close(self) -> None:
        self._disk.close()


@dataclass(frozen=True)
class FromHereDelivery:
    disk: Disk
    opening: Opening
    handle: int

    async def send(self, exchange: Exchange, part: Part | None, headers: Headers) -> None:
        status = HTTPStatus.OK if part is None else HTTPStatus.PARTIAL_CONTENT
        if part is not None:
            headers = [*headers, ("Content-Range", part.content_range)]
        sent = part or Part(0, self.opening.size, self.opening.size)
        await exchange.start(status, [*headers, ("Content-Length", str(sent.length))])
        if exchange.method == "HEAD":
            await exchange.body(b"")
            return
        exchange.watch()
        try:
            await self._pieces(exchange, sent)
        except TooSlow:
            log.info("a viewer stopped reading")
        finally:
            await exchange.forget()

    async def _pieces(self, exchange: Exchange, part: Part) -> None:
        at, end = part.start, part.start + part.length
        while at < end and not exchange.is_gone:
            # An empty piece returns when the one before has left; only then is the next one read.
            await exchange.push(b"", within_s=_READER_STALL_S)
            piece = await self.disk.read(self.handle, min(CHUNK, end - at), at)
            if not piece:
                # The length is promised already: only a cut tells the reader that it is wrong.
                log.error("a file shrank on its way: %s", self.opening.rendition_id)
                exchange.drop()
                return
            await exchange.push(piece, within_s=_READER_STALL_S)
            at += len(piece)
        if not exchange.is_gone:
            await exchange.body(b"")

    def close(self) -> None:
        os.close(self.handle)


class ByProxy:
    """nginx sends the file and sees to ranges.

    It needs `location /protected-media/ { internal; alias <media folder>/; }`.
    """

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    async def ready(self, opening: Opening) -> ByProxyDelivery:
        os.close(await self._disk.opened(opening))
        return ByProxyDelivery(opening)

    def close(self) -> None:
        self._disk.close()


@dataclass(frozen=True)
class ByProxyDelivery:
    opening: Opening

    async def send(self, exchange: Exchange, part: Part | None, headers: Headers) -> None:
        place = ACCEL_PREFIX + quote(self.opening.storage_path)
        await exchange.answer(HTTPStatus.OK, [*headers, ("X-Accel-Redirect", place)])

    def close(self) -> None:
        pass


def sender(options: Options) -> Backend:
    disk = Disk(options.media_folder)
    return ByProxy(disk) if options.media_backend == "accel" else FromHere(disk)


def _opened(folder: Path, opening: Opening) -> int:
    inside = PurePosixPath(opening.storage_path)
    if inside.is_absolute() or ".." in inside.parts:
        raise FileVanished
    try:
        handle = os.open(folder / inside, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise FileVanished from error
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode) or found.st_size != opening.size:
        os.close(handle)
        raise FileDamaged
    return handle
