"""This door's own description: OpenAPI 3.1 from the same operations, errors in its own form."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import Direction, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from greenroom.api.problems import words_of
from greenroom.api.schema import Endpoint, refused_by
from greenroom.openai.errors import status_here
from greenroom.openai.raw_routes import raw_paths

# DRF's serializers are generic only for the type checker.
if TYPE_CHECKING:
    Serializer = serializers.Serializer[Any]
else:
    Serializer = serializers.Serializer


class ErrorFacts(Serializer):
    message = serializers.CharField()
    type = serializers.ChoiceField(
        [
            ("invalid_request_error", ""),
            ("authentication_error", ""),
            ("permission_error", ""),
            ("rate_limit_error", ""),
            ("server_error", ""),
        ]
    )
    param = serializers.CharField(allow_null=True)
    code = serializers.CharField(allow_null=True)


class Error(Serializer):
    """Beside the four that every SDK reads stand the facts of the refusal."""

    error = ErrorFacts()


class DoorSchema(Endpoint):
    """As the native one reads an operation; what differs is how a refusal looks, and the ids."""

    def get_response_serializers(self) -> Any:
        said = self.operation
        with_body = (413, 415) if said.asks else ()
        found = {status_here(status) for status in (404, *with_body, *refused_by(said))}
        refusals = {
            str(status): OpenApiResponse(Error, description=_words(status))
            for status in sorted(found)
        }
        return {"200": OpenApiResponse(said.answers, description=_("Done.")), **refusals}

    def get_override_parameters(self) -> list[Any]:
        found = [one for one in super().get_override_parameters() if not _is_location(one)]
        if self.operation.is_repeatable:
            found.append(_retry_count())
        return found

    def get_tags(self) -> list[str]:
        return [self.path.strip("/").split("/")[1]]

    def get_operation_id(self) -> str:
        return "_".join(word.replace("-", "_") for word in (self.method.lower(), *self._words()))

    def _words(self) -> list[str]:
        parts = self.path.strip("/").split("/")[1:]
        return [part.strip("{}") for part in parts]


@lru_cache(maxsize=8)
def _document(language: str) -> dict[str, Any]:
    # Addresses name views, and views this schema.
    from greenroom.openai.urls import described

    with override(language):
        generator: Any = SchemaGenerator(patterns=described())  # type: ignore[no-untyped-call]
        document: dict[str, Any] = generator.get_schema(request=None, public=True)
        document["paths"].update(raw_paths())
        document["info"]["title"] = "Greenroom, OpenAI Videos API"
        document["info"]["description"] = _(
            "The OpenAI Videos API over the same commands as the native API; a token is the API"
            " key, the base address ends in /v1."
        )
        return document


def document() -> dict[str, Any]:
    """In the reader's language; made once per language and process."""
    return _document(get_language() or "en")


@require_safe
def openapi(_request: HttpRequest) -> HttpResponse:
    return JsonResponse(document())


def _words(status: int) -> str:
    return _("The body is neither JSON nor a form.") if status == 415 else words_of(status)


def _is_location(parameter: Any) -> bool:
    return isinstance(parameter, OpenApiParameter) and parameter.name == "Location"


def _retry_count() -> OpenApiParameter:
    return OpenApiParameter(
        "x-stainless-retry-count",
        type=int,
        location=OpenApiParameter.HEADER,
        description=_(
            "SDKs count their tries here. Above 0, an order that was sent with the same fields and"
            " files in the last ten minutes is answered with the job it made."
        ),
    )


class ConstantField(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "greenroom.openai.fields.Constant"

    def map_serializer_field(self, auto_schema: Any, direction: Direction) -> dict[str, Any]:
        return {"type": "string", "const": self.target.says}


class LooseSecondsField(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "greenroom.openai.fields.LooseSeconds"

    def map_serializer_field(self, auto_schema: Any, direction: Direction) -> dict[str, Any]:
        return {"type": ["string", "number"], "examples": ["4", 4]}


class InputReferenceField(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "greenroom.openai.fields.InputReference"

    def map_serializer_field(self, auto_schema: Any, direction: Direction) -> dict[str, Any]:
        return {"oneOf": [_FILE, _object("file_id"), _object("image_url")]}


class VideoGivenField(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "greenroom.openai.fields.VideoGiven"

    def map_serializer_field(self, auto_schema: Any, direction: Direction) -> dict[str, Any]:
        return {"oneOf": [_FILE, _object("id")]}


_FILE = {"type": "string", "format": "binary"}


def _object(name: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: {"type": "string"}},
        "required": [name],
        "additionalProperties": False,
    }
