"""Where the rooms of this door hang. Order matters: words before ids."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from greenroom.openai import catalogue, files, schema, videos, webhooks
from greenroom.openai.endpoint import Nothing

DOOR: list[URLPattern | URLResolver] = [
    path("videos", videos.Videos.as_view(), name="openai-videos"),
    path("videos/extensions", videos.Extensions.as_view(), name="openai-extensions"),
    path("videos/edits", videos.Edits.as_view(), name="openai-edits"),
    path("videos/characters", videos.Characters.as_view(), name="openai-characters"),
    path(
        "videos/characters/<str:character_id>",
        videos.OneCharacter.as_view(),
        name="openai-character",
    ),
    path("videos/<str:video_id>", videos.OneVideo.as_view(), name="openai-video"),
    path("videos/<str:video_id>/remix", videos.Remix.as_view(), name="openai-remix"),
    path("videos/<str:video_id>/cancel", videos.Cancel.as_view(), name="openai-cancel"),
    path("models", catalogue.Models.as_view(), name="openai-models"),
    path("models/<str:model>", catalogue.OneModel.as_view(), name="openai-model"),
    path("files", files.Files.as_view(), name="openai-files"),
    path("files/<str:file_id>", files.OneFile.as_view(), name="openai-file"),
    path("webhook_endpoints", webhooks.Endpoints.as_view(), name="openai-webhooks"),
    path(
        "webhook_endpoints/<str:webhook_endpoint_id>",
        webhooks.OneEndpoint.as_view(),
        name="openai-webhook",
    ),
    path(
        "webhook_endpoints/<str:webhook_endpoint_id>/rotate_secret",
        webhooks.RotateSecret.as_view(),
        name="openai-webhook-secret",
    ),
    path(
        "webhook_endpoints/<str:webhook_endpoint_id>/test",
        webhooks.Test.as_view(),
        name="openai-webhook-test",
    ),
    path("webhook_event_types", webhooks.EventTypes.as_view(), name="openai-webhook-event-types"),
]


def described() -> list[URLPattern | URLResolver]:
    """What the description of this door is made from."""
    return [path("v1/", include(DOOR))]


urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/openapi.json", schema.openapi, name="openai-schema"),
    *described(),
    # After everything else below /v1.
    path("v1", Nothing.as_view()),
    path("v1/", Nothing.as_view()),
    path("v1/<path:rest>", Nothing.as_view()),
]
