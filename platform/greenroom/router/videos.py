"""GET and HEAD of a video at the door ``/v1``, past Django: the clip, its poster or its sheet.

``/v1/videos/<id>/content?variant=video|thumbnail|spritesheet`` for the video's owner, by a token.
What they may have before it is approved is the programme's policy: one SQL function says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Protocol
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.credentials.rules import Scope
from core.errors import TITLES, Kind
from generation.jobs.rules import State
from greenroom.openai.ids import FILE, VIDEO, native_id, uuid_of
from greenroom.router import problems
from greenroom.router.authentication import Credential
from greenroom.router.exchange import Exchange
from greenroom.router.media import Allowed, Authenticate, Media, Opening, is_reading
from greenroom.router.problems import Problem, refuse
from greenroom.router.references import References

VARIANTS = ("video", "thumbnail", "spritesheet")


def _absent(detail: Promise, *, code: str) -> Problem:
    return Problem(HTTPStatus.NOT_FOUND, code, TITLES[Kind.ABSENT], detail)


VARIANT_UNKNOWN = Problem(
    HTTPStatus.BAD_REQUEST,
    "variant_unknown",
    TITLES[Kind.INVALID],
    gettext_lazy("A variant is video, thumbnail or spritesheet."),
    param="variant",
)
NOT_RENDERED = _absent(gettext_lazy("This video is not rendered yet."), code="video_not_ready")
CANCELLED = _absent(gettext_lazy("This video was cancelled."), code="cancelled")
FAILED = _absent(gettext_lazy("This video failed, so there is nothing to send."), code="failed")
REMOVED = _absent(gettext_lazy("The files of this video were removed."), code="content_removed")
PENDING = Problem(
    HTTPStatus.FORBIDDEN,
    "content_pending_review",
    TITLES[Kind.FORBIDDEN],
    gettext_lazy("The programme gives no file before the review has approved it."),
)
REJECTED = Problem(
    HTTPStatus.FORBIDDEN,
    "content_rejected",
    TITLES[Kind.FORBIDDEN],
    gettext_lazy("The review declined this video."),
)
HELD_BACK = {problem.code: problem for problem in (PENDING, REJECTED)}


@dataclass(frozen=True)
class Content:
    """What a video has to give. ``opening`` is None where that is nothing; ``code`` and ``reason``
    then say whether a review keeps it."""

    state: str
    failure_code: str
    code: str
    reason: str
    opening: Opening | None


class Contents(Protocol):
    async def video_content(
        self, credential: Credential, job_id: UUID, variant: str
    ) -> Content | None:
        """None for absent, deleted and somebody else's: nobody can tell which."""
        ...


class Videos:
    def __init__(
        self,
        authenticate: Authenticate,
        contents: Contents,
        media: Media,
        references: References,
    ) -> None:
        self._authenticate = authenticate
        self._contents = contents
        self._media = media
        self._references = references

    async def __call__(self, exchange: Exchange, name: str) -> None:
        if not await is_reading(exchange):
            return
        credential = await self._reader(exchange)
        if credential is None:
            return
        variant = dict(exchange.query).get("variant", "video")
        if variant not in VARIANTS:
            await refuse(exchange, VARIANT_UNKNOWN)
            return
        job_id = uuid_of(VIDEO, name)
        content = (
            await self._contents.video_content(credential, job_id, variant) if job_id else None
        )
        if content is None:
            await refuse(exchange, problems.NOT_FOUND)
        elif content.opening is None:
            await refuse(exchange, why_nothing(content))
        else:
            # Nobody but the owner gets this far, so there is nobody to write down.
            await self._media.open(exchange, Allowed(content.opening, None))

    async def file(self, exchange: Exchange, name: str) -> None:
        """A reference's picture, under the id that it has here."""
        if not await is_reading(exchange):
            return
        if await self._reader(exchange) is not None:
            await self._references(exchange, native_id(FILE, name), is_end=False)

    async def _reader(self, exchange: Exchange) -> Credential | None:
        """Whose token this is; a cookie counts as nobody's, as everywhere at this door."""
        credential = await self._authenticate(exchange)
        if credential is None or credential.session:
            await refuse(exchange, problems.NOT_SIGNED_IN)
            return None
        if not credential.carries(Scope.CLIPS_READ):
            await refuse(exchange, problems.WRONG_SCOPE)
            return None
        return credential


def why_nothing(content: Content) -> Problem:
    """A video without a file for its owner: why."""
    if content.state == State.CANCELLED:
        return CANCELLED
    if content.state == State.FAILED:
        return replace(FAILED, code=content.failure_code)
    if content.state != State.FINISHED:
        return NOT_RENDERED
    held_back = HELD_BACK.get(content.code)
    if held_back is None:
        return REMOVED
    return replace(held_back, detail=content.reason) if content.reason else held_back
