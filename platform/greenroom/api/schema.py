"""From the operations to OpenAPI 3.1, by drf-spectacular."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import uritemplate
from django.urls import URLPattern, URLResolver, include, path
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from core.api import Operation, operation_of
from core.ids import PREFIXES
from greenroom.api.codes import codes_of
from greenroom.api.described import webhook_shapes, webhooks, with_codes, with_examples
from greenroom.api.device_login_paths import device_login_shapes
from greenroom.api.problems import MEDIA_TYPE, words_of
from greenroom.api.raw_routes import raw_paths

VERBS = {"GET": "read", "POST": "create", "PATCH": "change", "DELETE": "delete"}
ALWAYS_REFUSED = (401, 403)
REFUSED_WITH_INPUT = (400, 422)


# DRF's serializers are generic only for the type checker.
if TYPE_CHECKING:
    Serializer = serializers.Serializer[Any]
else:
    Serializer = serializers.Serializer


class FieldProblem(Serializer):
    field = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class Problem(Serializer):
    """RFC 9457, and beside it the facts of the refusal: what was asked, what is left."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    request_id = serializers.CharField(required=False)
    # DRF has a property of this name, which the metaclass takes out of the way.
    errors = FieldProblem(many=True, required=False)  # type: ignore[assignment]


class Endpoint(AutoSchema):
    """Reads one ``core.api.Operation``; a method without one does not exist here."""

    @property
    def _operation(self) -> Operation | None:
        return operation_of(self.view, self.method)

    @property
    def operation(self) -> Operation:
        found = self._operation
        assert found is not None
        return found

    def is_excluded(self) -> bool:
        return self._operation is None

    def get_operation(self, *given: Any) -> Any:
        said = super().get_operation(*given)
        codes = codes_of(self.view, self.method, self.operation) if said else {}
        return with_codes(said, codes) if said else said

    def get_operation_id(self) -> str:
        words = [word.replace("-", "_") for word in self._tokenize_path()]
        if self.operation.is_list:
            return "_".join((*words, "list"))
        if self.method == "POST" and "{" in self.path:
            return "_".join(words)  # the last word is the verb: jobs_cancel
        return "_".join((*words, VERBS[self.method]))

    def get_summary(self) -> str:
        return str(self.operation.summary)

    def get_description(self) -> str:  # type: ignore[override]
        return str(self.operation.words)

    def get_extensions(self) -> dict[str, Any]:
        return {"x-scope": str(self.operation.scope)}

    def get_override_parameters(self) -> list[Any]:
        parameters: list[Any] = [self.operation.query] if self.operation.query else []
        parameters += [_id_in_path(name) for name in uritemplate.variables(self.path)]
        if self.operation.is_repeatable:
            parameters += [_idempotency_key(), _replayed(self.operation.status)]
        if self.operation.status == 201:
            parameters.append(_location())
        return parameters

    def get_request_serializer(self) -> Any:
        return self.operation.asks

    def get_response_serializers(self) -> Any:
        said = self.operation
        success = OpenApiResponse(self._answer(said), description=_("Done."))
        refusals = {
            (str(status), MEDIA_TYPE): OpenApiResponse(Problem, description=words_of(status))
            for status in refused_by(said)
        }
        return {str(said.status): success, **refusals}

    def _answer(self, said: Operation) -> Any:
        if not said.is_list:
            return said.answers
        return {
            "type": "object",
            "required": ["items", "next"],
            "properties": {
                "items": {
                    "type": "array",
                    "items": self.resolve_serializer(said.answers, "response").ref,
                },
                "next": {
                    "type": ["string", "null"],
                    "description": _("The cursor of the next page, null on the last."),
                },
            },
        }

    def get_examples(self) -> list[Any]:
        return []

    def _get_request_body(self, direction: Direction = "request") -> Any:
        body = super()._get_request_body(direction)  # type: ignore[no-untyped-call]
        if body and self.operation.example:
            for content in body["content"].values():
                content["example"] = dict(self.operation.example)
        return body


def refused_by(said: Operation) -> list[int]:
    with_input = REFUSED_WITH_INPUT if said.asks or said.query else ()
    return sorted({*ALWAYS_REFUSED, *with_input, *said.refuses})


def native() -> list[URLPattern | URLResolver]:
    from greenroom.urls import API

    return API


@lru_cache(maxsize=8)
def _document(language: str) -> dict[str, Any]:
    with override(language):
        # The door /v1 describes itself, at /v1/openapi.json.
        generator: Any = SchemaGenerator(patterns=[path("api/v1/", include(native()))])  # type: ignore[no-untyped-call]
        document: dict[str, Any] = generator.get_schema(request=None, public=True)
        document["paths"].update(raw_paths())
        document["components"]["schemas"].update(device_login_shapes())
        document["components"]["schemas"].update(webhook_shapes())
        with_examples(document)
        document["webhooks"] = webhooks()
        document["info"]["description"] = _("The native API: what the portal does, for programs.")
        return document


def document() -> dict[str, Any]:
    """The OpenAPI document in the reader's language; made once per language and process."""
    return _document(get_language() or "en")


def _id_in_path(name: str) -> OpenApiParameter:
    return OpenApiParameter(
        name,
        type=str,
        location=OpenApiParameter.PATH,
        description=_("Its id, as every answer shows it."),
    )


def _idempotency_key() -> OpenApiParameter:
    return OpenApiParameter(
        "Idempotency-Key",
        type=str,
        location=OpenApiParameter.HEADER,
        description=_(
            "1 to 255 printable characters without spaces. The same key with the same body gives"
            " the first answer again, for 30 days; with another body it is refused."
        ),
    )


def _replayed(status: int) -> OpenApiParameter:
    return OpenApiParameter(
        "Idempotent-Replayed",
        type=bool,
        location=OpenApiParameter.HEADER,
        response=[str(status)],
        description=_("Present where this is the first answer again."),
    )


def _location() -> OpenApiParameter:
    return OpenApiParameter(
        "Location",
        type=str,
        location=OpenApiParameter.HEADER,
        response=["201"],
        description=_("Where the new thing is."),
    )


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "greenroom.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[str]]:
        return {self.name: [str(auto_schema.operation.scope)]}

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "grm_…",
            "description": _("A token from the portal's page “Tokens”."),
        }


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "greenroom.api.authentication.PortalSessionAuthentication"
    name = "session"

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[str]]:
        return {self.name: [str(auto_schema.operation.scope)]}

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "greenroom_session",
            "description": _(
                "The portal's session; what changes something also needs X-CSRFToken."
            ),
        }


class StrictShape(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    target_class = "core.api.shapes.Shape"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Direction) -> dict[str, Any]:
        mapped: dict[str, Any] = auto_schema._map_serializer(  # noqa: SLF001
            self.target, direction, bypass_extensions=True
        )
        if direction == "request":
            mapped["additionalProperties"] = False
        return mapped


class PublicIdField(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "core.api.fields.PublicId"

    def map_serializer_field(self, auto_schema: Any, direction: Direction) -> dict[str, Any]:
        prefix = PREFIXES[self.target.thing]
        return {"type": "string", "pattern": f"^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$"}


class RatioField(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "core.api.fields.Ratio"

    def map_serializer_field(self, auto_schema: Any, direction: Direction) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[0-9]+/[0-9]+$", "examples": ["24000/1001"]}


class SecondsField(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "core.api.fields.Seconds"

    def map_serializer_field(self, auto_schema: Any, direction: Direction) -> dict[str, Any]:
        return {"type": "number"}
