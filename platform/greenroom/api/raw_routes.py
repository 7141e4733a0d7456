"""The addresses of the API that are no endpoints of ours, for the schema: files, live events, and
the device login that another standard words."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from accounts.credentials.rules import Scope
from greenroom.api.device_login_paths import device_login_paths
from greenroom.api.problems import words_of


def raw_paths() -> dict[str, Any]:
    return {
        "/media/{rendition_id}": {"get": _media()},
        "/exports/{export_id}/file": {"get": _archive()},
        "/jobs/{job_id}/preview": {"get": _preview()},
        "/references/{reference_id}/picture": {"get": _reference()},
        "/events": {"get": _events()},
        **device_login_paths(),
    }


def _media() -> dict[str, Any]:
    return {
        "operationId": "media_read",
        "summary": _("Receive a file of a clip"),
        "description": _(
            "The bytes of one rendition: of your own clip, or as staff after saying why. What is"
            " on the showcase is everybody's, without a credential too; what is released by link"
            " is at /shared/{secret}/{rendition_id}. One byte range at a time; the ETag is the"
            " file's SHA-256."
        ),
        "tags": ["media"],
        **_guarded(),
        "parameters": [
            {
                "name": "rendition_id",
                "in": "path",
                "required": True,
                "schema": {"type": "string"},
                "description": _("From the clip's list of renditions."),
            },
            _range(),
        ],
        "responses": {
            "200": {
                "description": _("The whole file."),
                "content": {"video/mp4": {}, "image/webp": {}, "text/vtt": {}},
            },
            "206": {"description": _("The part that was asked for."), "content": {"video/mp4": {}}},
            "304": {"description": _("You have it already.")},
            **_refused(401, 403, 404),
            "416": {"description": _("The file has no such part.")},
        },
    }


def _archive() -> dict[str, Any]:
    content: dict[str, Any] = {"application/zip": {}}
    return {
        "operationId": "exports_download",
        "summary": _("Download an export"),
        "description": _(
            "The archive, while it is ready: a ZIP, one byte range at a time, so that a download"
            " that broke off goes on. The ETag is its SHA-256."
        ),
        "tags": ["exports"],
        **_guarded(Scope.EXPORTS_READ),
        "parameters": [
            {
                "name": "export_id",
                "in": "path",
                "required": True,
                "schema": {"type": "string"},
                "description": _("From the list of your exports."),
            },
            _range(),
        ],
        "responses": {
            "200": {"description": _("The whole file."), "content": content},
            "206": {"description": _("The part that was asked for."), "content": content},
            "304": {"description": _("You have it already.")},
            **_refused(401, 403, 404),
            "416": {"description": _("The file has no such part.")},
        },
    }


def _preview() -> dict[str, Any]:
    return {
        "operationId": "jobs_preview",
        "summary": _("See how a running job looks so far"),
        "description": _(
            "A small, rough picture from the middle of the clip, after the first step and then"
            " every few seconds. For the job's owner alone, and gone when the job is over."
            " Not every engine makes one."
        ),
        "tags": ["jobs"],
        **_guarded(),
        "parameters": [
            {
                "name": "job_id",
                "in": "path",
                "required": True,
                "schema": {"type": "string"},
                "description": _("A job of yours that is running."),
            },
        ],
        "responses": {
            "200": {"description": _("The picture."), "content": {"image/webp": {}}},
            "304": {"description": _("You have it already.")},
            **_refused(401, 403, 404),
        },
    }


def _reference() -> dict[str, Any]:
    content: dict[str, Any] = {"image/png": {}}
    return {
        "operationId": "references_picture",
        "summary": _("See a reference as it is used"),
        "description": _(
            "The first frame that engines get: upright, in sRGB, without metadata. For its owner"
            " alone. The last frame of a clip is at /references/{reference_id}/end."
        ),
        "tags": ["references"],
        **_guarded(),
        "parameters": [
            {
                "name": "reference_id",
                "in": "path",
                "required": True,
                "schema": {"type": "string"},
                "description": _("A reference of yours."),
            },
            _range(),
        ],
        "responses": {
            "200": {"description": _("The picture."), "content": content},
            "206": {"description": _("The part that was asked for."), "content": content},
            "304": {"description": _("You have it already.")},
            **_refused(401, 403, 404),
            "416": {"description": _("The file has no such part.")},
        },
    }


def _events() -> dict[str, Any]:
    return {
        "operationId": "events_listen",
        "summary": _("Hear live what happens to you"),
        "description": _(
            "Server-sent events. First your live jobs, as “event: job” with id, state, stage, step,"
            " steps, place, eta_s and clip, and “event: snapshot” with their ids; then every change"
            " of them. Beside them what happened, by the names and with the bodies of webhooks,"
            " each for its own scope. These and the snapshot carry an id: with Last-Event-ID a"
            " stream begins with what came after it. Where that is too much, “event: missed” says"
            " so, and the snapshot begins anew."
        ),
        "tags": ["events"],
        **_guarded(),
        "parameters": [
            {
                "name": "Last-Event-ID",
                "in": "header",
                "schema": {"type": "string", "pattern": r"^(0|[1-9][0-9]{0,18})-[0-9a-z]{26}$"},
                "description": _("The last id that a stream gave you."),
            },
        ],
        "responses": {
            "200": {
                "description": _("A stream that does not end by itself."),
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            },
            **_refused(400, 401, 403, 429),
        },
    }


def _range() -> dict[str, Any]:
    return {
        "name": "Range",
        "in": "header",
        "schema": {"type": "string"},
        "description": _("For instance bytes=0-1023."),
    }


def _guarded(scope: Scope = Scope.CLIPS_READ) -> dict[str, Any]:
    asked = [scope.value]
    return {"security": [{"token": asked}, {"session": asked}], "x-scope": scope.value}


def _refused(*statuses: int) -> dict[str, Any]:
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        str(status): {
            "description": words_of(status),
            "content": {"application/problem+json": problem},
        }
        for status in statuses
    }
