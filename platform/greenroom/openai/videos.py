"""Videos: create, follow, list, delete; remix, extend, cancel."""

from __future__ import annotations

from typing import Any, NoReturn

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.rules import Scope
from core.api import operation
from core.errors import Absent, InvalidOrder
from core.idempotency.commands import AlreadyAnswered
from core.ids import shown
from generation.jobs.commands import cancel_job
from generation.jobs.models import Job
from generation.jobs.orders import Wish
from greenroom.openai import shapes
from greenroom.openai.commands import Order, Try, delete_video, order_video
from greenroom.openai.endpoint import Door
from greenroom.openai.orders import (
    continued_wish,
    extension_wish,
    remix_wish,
    video_wish,
)
from greenroom.openai.queries import (
    About,
    about,
    after_unknown,
    followed_video,
    page,
    place_of,
    video_for,
    videos_of,
    was_deleted,
)
from greenroom.openai.shown import poll_after_ms, video, video_now

POLL_AFTER = "openai-poll-after-ms"
EXAMPLE = {
    "prompt": "A lighthouse at dusk, waves breaking on the rocks",
    "model": "still",
    "size": "640x360",
    "seconds": "2",
    "extensions": {"seed": 7},
}


class VideoDoor(Door):
    """What its addresses have in common."""

    def ordered(self, asked: dict[str, Any], order: Order) -> Response:
        fingerprint = self.fingerprint(asked)
        sent = Try(fingerprint, is_retry=self.is_retry, once=self.once_for(fingerprint))
        first: dict[str, Any] = {}

        def answer(job: Job) -> tuple[int, Any]:
            first.update(self._body(job))
            return self.operation.status, first

        job, is_new = order_video(actor=self.actor, order=order, sent=sent, answer=answer)
        if not is_new:
            raise AlreadyAnswered(self.operation.status, self._body(job))
        return self.polled(job)

    def polled(self, job: Job, known: About | None = None) -> Response:
        """The video, and when to ask again."""
        known = known or about(self.actor, [job])[job.id]
        response = self.answer(video(job, known))
        after = poll_after_ms(known)
        if after is not None:
            response.headers[POLL_AFTER] = str(after)
        return response

    def _body(self, job: Job) -> dict[str, Any]:
        return video_now(self.actor, job)


class Videos(VideoDoor):
    @operation(
        scope=Scope.CLIPS_READ,
        summary=gettext_lazy("List your videos"),
        words=gettext_lazy("Of this programme, newest first. What was deleted here is not in it."),
        query=shapes.ListWish,
        answers=shapes.VideoList,
    )
    def get(self, request: Request) -> Response:
        wish = self.asked_in_query()
        mine = videos_of(self.actor)
        rows, has_more = page(mine, wish, by="queue_number", after=self._after(wish))
        known = about(self.actor, rows)
        videos = [video(job, known[job.id]) for job in rows]
        return self.answer(
            {
                "object": "list",
                "data": videos,
                "first_id": videos[0]["id"] if videos else None,
                "last_id": videos[-1]["id"] if videos else None,
                "has_more": has_more,
            }
        )

    @operation(
        scope=Scope.CLIPS_CREATE,
        summary=gettext_lazy("Create a video"),
        words=gettext_lazy(
            "As JSON or as a form. Checks everything, reserves the exact price and queues one job,"
            " or changes nothing. A try that an SDK counts as a retry, or that has the"
            " Idempotency-Key of an earlier one, never renders twice."
        ),
        asks=shapes.VideoWish,
        answers=shapes.Video,
        is_repeatable=True,
        refuses=(404, 413, 429, 503, 507),
        example=EXAMPLE,
    )
    def post(self, request: Request) -> Response:
        asked = self.asked()

        def wish(picture: str | None) -> Wish:
            return video_wish(self.actor, asked, picture)

        order = Order(wish, asked.get("input_reference"), *_rights(asked))
        return self.ordered(asked, order)

    def _after(self, wish: dict[str, Any]) -> int | None:
        if "after" not in wish:
            return None
        place = place_of(self.actor, wish["after"])
        if place is None:
            raise after_unknown()
        return place


class OneVideo(VideoDoor):
    @operation(
        scope=Scope.CLIPS_READ,
        summary=gettext_lazy("Read one video"),
        words=gettext_lazy(
            "A failed one is answered with 200 as well, and says why in error. While it is not"
            " over, the header openai-poll-after-ms says when to ask again."
        ),
        answers=shapes.Video,
        refuses=(404,),
    )
    def get(self, request: Request, video_id: str) -> Response:
        return self.polled(*followed_video(self.actor, video_id))

    @operation(
        scope=Scope.CLIPS_CREATE,
        summary=gettext_lazy("Delete a video"),
        words=gettext_lazy(
            "One that is not over is cancelled. The files of a finished one go in a day, unless"
            " you keep them in the portal; while it is released or under review it is refused."
            " It is absent here from then on; its record stays."
        ),
        answers=shapes.VideoDeleted,
        refuses=(400, 404),
    )
    def delete(self, request: Request, video_id: str) -> Response:
        try:
            delete_video(actor=self.actor, video_id=video_id)
        except Absent:
            # The first try did it, and its answer was lost.
            if not (self.is_retry and was_deleted(self.actor, video_id)):
                raise
        return self.answer({"id": video_id, "object": "video.deleted", "deleted": True})


class Cancel(VideoDoor):
    @operation(
        scope=Scope.CLIPS_CREATE,
        summary=gettext_lazy("Cancel a video"),
        words=gettext_lazy(
            "Ours, beyond the standard. While it waits, everything comes back; while it renders,"
            " the steps done are charged."
        ),
        answers=shapes.Video,
        refuses=(400, 404),
    )
    def post(self, request: Request, video_id: str) -> Response:
        job = video_for(self.actor, video_id)
        cancel_job(actor=self.actor, shown_id=shown("job", job.id))
        return self.polled(video_for(self.actor, video_id))


class Remix(VideoDoor):
    @operation(
        scope=Scope.CLIPS_CREATE,
        summary=gettext_lazy("Remix a video"),
        words=gettext_lazy(
            "Other words, everything else as it was: model, size, length, tier, seed, styles,"
            " pictures and thread."
        ),
        asks=shapes.RemixWish,
        answers=shapes.Video,
        is_repeatable=True,
        refuses=(404, 429, 503, 507),
        example={"prompt": "The same lighthouse in a storm"},
    )
    def post(self, request: Request, video_id: str) -> Response:
        source = video_for(self.actor, video_id)
        asked = self.asked()
        return self.ordered(asked, Order(lambda _none: remix_wish(source, asked["prompt"])))


class Extensions(VideoDoor):
    @operation(
        scope=Scope.CLIPS_CREATE,
        summary=gettext_lazy("Extend a video"),
        words=gettext_lazy(
            "Goes on from the last frame. A video that is here is stitched to what is new, and"
            " seconds then says the total; after a file the new part stands alone."
        ),
        asks=shapes.ExtensionWish,
        answers=shapes.Video,
        is_repeatable=True,
        refuses=(404, 413, 429, 503, 507),
        example={
            "prompt": "The light goes on",
            "seconds": "2",
            "video": {"id": "video_01k0000000000000000000000a"},
        },
    )
    def post(self, request: Request) -> Response:
        asked = self.asked()
        given = asked["video"]

        def stitched(_none: str | None) -> Wish:
            return extension_wish(self.actor, asked)

        def continued(clip: str | None) -> Wish:
            return continued_wish(self.actor, asked, clip)

        if given.file is None:
            return self.ordered(asked, Order(stitched, field="video"))
        return self.ordered(asked, Order(continued, given, *_rights(asked), field="video"))


class Edits(VideoDoor):
    @operation(
        scope=Scope.CLIPS_CREATE,
        summary=gettext_lazy("Edit a video"),
        words=gettext_lazy("For models that can. None that is offered here can."),
        asks=shapes.EditWish,
        answers=shapes.Video,
        refuses=(404,),
    )
    def post(self, request: Request) -> Response:
        self.asked()
        _unsupported()


class Characters(VideoDoor):
    @operation(
        scope=Scope.CLIPS_CREATE,
        summary=gettext_lazy("Make a character"),
        words=gettext_lazy("For models that can. None that is offered here can."),
        asks=shapes.CharacterWish,
        answers=shapes.Character,
        refuses=(404,),
    )
    def post(self, request: Request) -> Response:
        self.asked()
        _unsupported()


class OneCharacter(VideoDoor):
    @operation(
        scope=Scope.CLIPS_READ,
        summary=gettext_lazy("Read a character"),
        words=gettext_lazy("For models that can. None that is offered here can."),
        answers=shapes.Character,
        refuses=(400, 404),
    )
    def get(self, request: Request, character_id: str) -> Response:
        _unsupported()


def _rights(asked: dict[str, Any]) -> tuple[str, str]:
    return asked.get("rights", ""), asked.get("rights_words", "")


def _unsupported() -> NoReturn:
    raise InvalidOrder(
        "unsupported_by_model", _("No model that is offered here can do this."), field="model"
    )
