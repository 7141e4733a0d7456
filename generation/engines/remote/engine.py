"""The engine whose device is elsewhere: it orders a clip from a video server, waits, takes it home.

Ids there are mortal and so is the server: the clip is fetched the moment it is done, decoded and
checked frame by frame, and encoded anew here like any other.
"""

from __future__ import annotations

import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

from generation.engines.limits import Capabilities
from generation.engines.order import Order
from generation.engines.protocol import (
    EngineFailure,
    Estimate,
    FailureCode,
    Frames,
    Inspection,
    TierFacts,
    Watch,
)
from generation.engines.remote.errand import Errand
from generation.engines.remote.line import ServerAway
from generation.engines.remote.note import Note
from generation.engines.remote.reading import FILE, digest_of, read_server
from generation.engines.remote.server import Server
from generation.engines.remote.talk import Talk


class RemoteEngine:
    name: ClassVar[str] = "remote"
    packages: ClassVar[tuple[str, ...]] = ("h11", "av")

    def __init__(self) -> None:
        self._server: Server | None = None
        self._digest = ""
        self._greeting: dict[str, Any] = {}
        self._last: dict[str, Any] = {}
        self._slowness: float | None = None

    def capabilities(self, checkpoint: Path | None) -> Capabilities:
        return read_server(checkpoint).capabilities

    def inspect(self, checkpoint: Path | None) -> Inspection:
        """Nothing is asked: the weights are elsewhere, and ``remote.json`` stands for them."""
        server = read_server(checkpoint)
        tiers = {
            name: TierFacts(
                steps=tier.steps,
                levers={"model": tier.model or server.model, **tier.fields},
                is_lossy=tier.is_lossy,
                measured=dict(tier.measured),
            )
            for name, tier in server.tiers.items()
        }
        return Inspection(
            family=server.dialect.name, weights={FILE: digest_of(server.folder)}, tiers=tiers
        )

    def load(self, checkpoint: Path | None) -> None:
        """Nothing is heavy here: it asks the server whether it is well, and has our model."""
        found = read_server(checkpoint)
        if found == self._server:
            return
        digest = digest_of(found.folder)
        self.close()
        talk = Talk(found, _go_on)
        try:
            self._greeting = talk.greet()
        except ServerAway as away:
            raise talk.failure(FailureCode.REMOTE_AWAY, str(away)) from away
        self._server, self._digest = found, digest

    def estimate(self, order: Order) -> Estimate:
        """From ``usual_s`` until a clip was fetched, from that clip afterwards."""
        server = read_server(order.checkpoint)
        seconds = _usual_s(server, order) * (self._slowness or 1.0)
        spread = 4.0 if self._slowness is None else 2.0  # others may stand in the queue there
        return Estimate(
            seconds=seconds,
            seconds_low=seconds / spread,
            seconds_high=seconds * spread,
            memory_bytes=8 * order.width * order.height * 3,
        )

    def render(self, order: Order, watch: Watch, *, kept: Path | None = None) -> Frames:
        server = self._server
        if server is None or server.folder != order.checkpoint:
            raise EngineFailure(FailureCode.CHECKPOINT_NOT_LOADED, str(order.checkpoint))
        server.check(order)
        began = time.monotonic()
        errand = Errand(server, order, watch, Note(kept, order, server))
        is_home = False
        try:
            with tempfile.TemporaryDirectory(prefix="greenroom-remote-") as folder:
                film = Path(folder) / "clip.mp4"
                job = errand.fetched(film)
                self._last = dict(job.facts)
                self._slowness = (time.monotonic() - began) / _usual_s(server, order)
                yield from errand.pieces(film)
            is_home = True
        finally:
            errand.leave(is_home=is_home)

    def describe(self) -> dict[str, Any]:
        server = self._server
        if server is None:
            raise EngineFailure(FailureCode.CHECKPOINT_NOT_LOADED)
        return {
            "engine": self.name,
            "dialect": server.dialect.name,
            "host": server.address.shown,
            "model": server.model,
            "server": dict(self._greeting),
            "answer": dict(self._last),
            "lacks": list(server.dialect.lacks),
            "device": "remote",
            # Its weights are out of sight: what is known of them is how it was asked.
            "weights": {FILE: self._digest},
            "libraries": {name: version(name) for name in (*self.packages, "numpy")},
        }

    def close(self) -> None:
        self._server, self._greeting, self._last, self._slowness = None, {}, {}, None


def _usual_s(server: Server, order: Order) -> float:
    """In proportion to pixels and frames of the longest, largest clip."""
    limits = server.capabilities
    largest = limits.sizes.most_pixels * limits.frames.maximum
    return max(1.0, server.usual_s * order.width * order.height * order.frames / largest)


def _go_on() -> None:
    """Loading has nobody to ask; it is short."""
