"""The addresses of this door that Django never sees, for its description."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from accounts.credentials.rules import Scope
from greenroom.api.problems import words_of


def raw_paths() -> dict[str, Any]:
    return {
        "/v1/videos/{video_id}/content": {"get": _content()},
        "/v1/files/{file_id}/content": {"get": _picture()},
    }


def _content() -> dict[str, Any]:
    kinds: dict[str, Any] = {"video/mp4": {}, "image/webp": {}}
    return {
        "operationId": "get_videos_video_id_content",
        "summary": _("Receive a video, its poster or its contact sheet"),
        "description": _(
            "One byte range at a time; the ETag is the file's SHA-256. Before it is approved, the"
            " programme's policy decides: the clip, a light copy of it, or 403 with the reason."
        ),
        "tags": ["videos"],
        **_guarded(),
        "parameters": [
            _in_path("video_id"),
            {
                "name": "variant",
                "in": "query",
                "schema": {
                    "type": "string",
                    "enum": ["video", "thumbnail", "spritesheet"],
                    "default": "video",
                },
            },
            _range(),
        ],
        "responses": _sent(kinds, 400, 401, 403, 404),
    }


def _picture() -> dict[str, Any]:
    return {
        "operationId": "get_files_file_id_content",
        "summary": _("See a file as it is used"),
        "description": _("The first frame that engines get: a PNG without metadata."),
        "tags": ["files"],
        **_guarded(),
        "parameters": [_in_path("file_id"), _range()],
        "responses": _sent({"image/png": {}}, 400, 401, 403, 404),
    }


def _sent(content: dict[str, Any], *refused: int) -> dict[str, Any]:
    error = {"schema": {"$ref": "#/components/schemas/Error"}}
    return {
        "200": {"description": _("The whole file."), "content": content},
        "206": {"description": _("The part that was asked for."), "content": content},
        "304": {"description": _("You have it already.")},
        **{
            str(status): {
                "description": words_of(status),
                "content": {"application/json": error},
            }
            for status in refused
        },
        "416": {"description": _("The file has no such part.")},
    }


def _in_path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _range() -> dict[str, Any]:
    return {
        "name": "Range",
        "in": "header",
        "schema": {"type": "string"},
        "description": _("For instance bytes=0-1023."),
    }


def _guarded() -> dict[str, Any]:
    asked = [Scope.CLIPS_READ.value]
    return {"security": [{"token": asked}], "x-scope": Scope.CLIPS_READ.value}
