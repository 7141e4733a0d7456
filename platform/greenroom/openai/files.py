"""Files: references, as SDKs send and name them. Their picture is served past Django."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.rules import Scope
from core.api import Shape, Text, operation
from generation.references.commands import Sent, remove_reference
from generation.references.models import Reference
from generation.references.queries import own_references, reference_for, was_own
from generation.references.rules import Rights
from greenroom.openai.commands import Try, keep_file
from greenroom.openai.endpoint import BracketedParts, Door, WideJson
from greenroom.openai.fields import Constant, Given
from greenroom.openai.ids import FILE, id_here, native_id
from greenroom.openai.queries import after_unknown, page
from greenroom.openai.shapes import ListWish

# What a file is for here, whatever was said: a picture that videos show.
PURPOSE = "vision"


class FileWish(Shape):
    file = serializers.FileField(
        allow_empty_file=True,  # refused with a code of its own
        help_text=_("PNG, JPEG, WebP or MP4, at most 20 MB; an MP4 at most ten seconds."),
    )
    purpose = Text(required=False, help_text=_("Read and not kept: every file is a reference."))
    rights = Text(
        required=False,
        help_text=_(
            "Why you may use it: own, licensed or public_domain. Sending it without a word states"
            " that it is your own."
        ),
    )
    rights_words = Text(allow_blank=True, required=False)


class FilesWish(ListWish):
    purpose = serializers.CharField(required=False)


class File(Shape):
    id = serializers.CharField()
    object = Constant(says="file")
    bytes = serializers.IntegerField()
    created_at = serializers.IntegerField()
    expires_at = serializers.IntegerField(allow_null=True)
    filename = serializers.CharField()
    purpose = serializers.CharField()
    status = Constant(says="processed")
    reference = serializers.CharField(help_text=_("Ours: the same in the native API."))
    rights = serializers.ChoiceField(Rights.choices)


class FileList(Shape):
    object = Constant(says="list")
    # DRF has a property of this name, which the metaclass takes out of the way.
    data = File(many=True)  # type: ignore[assignment]
    first_id = serializers.CharField(allow_null=True)
    last_id = serializers.CharField(allow_null=True)
    has_more = serializers.BooleanField()


class FileDeleted(Shape):
    id = serializers.CharField()
    object = Constant(says="file")
    deleted = serializers.BooleanField()


class Files(Door):
    parser_classes = (BracketedParts, WideJson)

    @operation(
        scope=Scope.CLIPS_READ,
        summary=_("List your files"),
        query=FilesWish,
        answers=FileList,
    )
    def get(self, request: Request) -> Response:
        wish = self.asked_in_query()
        rows, has_more = page(own_references(self.actor), wish, by="id", after=self._after(wish))
        files = [_shown(one) for one in rows]
        return self.answer(
            {
                "object": "list",
                "data": files,
                "first_id": files[0]["id"] if files else None,
                "last_id": files[-1]["id"] if files else None,
                "has_more": has_more,
            }
        )

    @operation(
        scope=Scope.CLIPS_CREATE,
        summary=_("Send a file"),
        words=_(
            "As multipart/form-data; it becomes a reference. What videos are made from is a copy"
            " without metadata: no place, no camera, no names."
        ),
        asks=FileWish,
        answers=File,
        is_repeatable=True,
        refuses=(413, 429, 507),
    )
    def post(self, request: Request) -> Response:
        asked = self.asked()
        file = asked["file"]
        sent = Sent(
            file=file,
            size=file.size,
            name=file.name,
            rights=asked.get("rights") or Rights.OWN,
            rights_words=asked.get("rights_words", ""),
        )

        def answer(reference: Reference) -> tuple[int, Any]:
            return self.operation.status, _shown(reference)

        fingerprint = self.fingerprint({**asked, "file": Given(file=file)})
        tried = Try(fingerprint, is_retry=self.is_retry, once=self.once_for(fingerprint))
        kept = keep_file(actor=self.actor, file=sent, sent=tried, answer=answer)
        return self.answer(_shown(kept))

    def _after(self, wish: dict[str, Any]) -> Any:
        if "after" not in wish:
            return None
        place = was_own(self.actor, native_id(FILE, wish["after"]))
        if place is None:
            raise after_unknown()
        return place


class OneFile(Door):
    @operation(scope=Scope.CLIPS_READ, summary=_("Read one file"), answers=File, refuses=(404,))
    def get(self, request: Request, file_id: str) -> Response:
        return self.answer(_shown(reference_for(self.actor, native_id(FILE, file_id))))

    @operation(
        scope=Scope.CLIPS_CREATE,
        summary=_("Delete a file"),
        words=_(
            "No new video takes it. It goes now, or as soon as no job that is under way needs it."
        ),
        answers=FileDeleted,
        refuses=(404,),
    )
    def delete(self, request: Request, file_id: str) -> Response:
        remove_reference(actor=self.actor, shown_id=native_id(FILE, file_id))
        return self.answer({"id": file_id, "object": "file", "deleted": True})


def _shown(reference: Reference) -> dict[str, Any]:
    return {
        "id": id_here(FILE, reference.id),
        "object": "file",
        "bytes": reference.bytes,
        "created_at": int(reference.made_at.timestamp()),
        "expires_at": int(reference.due_at.timestamp()) if reference.due_at else None,
        "filename": reference.name,
        "purpose": PURPOSE,
        "status": "processed",
        "reference": "ref_" + id_here(FILE, reference.id).removeprefix(FILE),
        "rights": reference.rights,
    }
