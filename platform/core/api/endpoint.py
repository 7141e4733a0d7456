"""The view behind every address of the native API."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.operations import Operation, operation_of
from core.api.shapes import Shape
from core.errors import BodyTooLarge, Unreadable
from core.idempotency.commands import AlreadyAnswered, Once

LARGEST_BODY = 1024 * 1024


class OnlyJson(BaseContentNegotiation):
    """JSON goes out whatever ``Accept`` says; what comes in must say that it is JSON."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        kind = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == kind), None)

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class StrictJson(BaseParser):
    """One JSON object in UTF-8 (RFC 8259), of bounded size."""

    media_type = "application/json"
    largest = LARGEST_BODY

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        raw = stream.read(self.largest + 1)
        if len(raw) > self.largest:
            raise BodyTooLarge(
                _("A body has at most %(most)s MiB.") % {"most": self.largest // 2**20},
                most=self.largest,
            )
        try:
            body = json.loads(raw.decode(), parse_constant=_no_number)
            # Escapes can spell half a surrogate pair, which no text column and no answer can hold.
            json.dumps(body, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            raise Unreadable(_("The body is not valid JSON in UTF-8.")) from None
        if not isinstance(body, dict):
            raise Unreadable(_("The body must be one JSON object."))
        return body


class Parts(MultiPartParser):
    """Fields and files of a form (RFC 7578): what an endpoint takes that is sent a file."""


class Endpoint(APIView):
    """One address. Each method carries an ``operation``; what has none is not allowed."""

    parser_classes: Sequence[type[BaseParser]] = (StrictJson,)
    content_negotiation_class = OnlyJson
    # No OPTIONS: the schema says it better.
    http_method_names: Sequence[str] = ("get", "head", "post", "put", "patch", "delete")

    @property
    def actor(self) -> Any:
        """Whoever authentication found; this floor does not know of what class."""
        return self.request.auth

    @property
    def operation(self) -> Operation:
        found = operation_of(self, self.request.method)
        assert found is not None, "the method carries no operation"
        return found

    @property
    def scope(self) -> str | None:
        """What the request's method asks for; None for one that is answered 405 anyway."""
        found = operation_of(self, self.request.method)
        return found.scope if found else None

    def asked(self) -> dict[str, Any]:
        """The valid body. Raises DRF's ``ValidationError`` with a code for each field."""
        return _valid(self.operation.asks, self.request.data)

    def asked_in_query(self) -> dict[str, Any]:
        return _valid(self.operation.query, self.request.query_params.dict())

    def once(self) -> Once | None:
        """The request's ``Idempotency-Key``, bound to party, programme, route and payload.

        Not to the token: rotating one in the middle of a retry must not do the deed twice.
        """
        key = self.request.headers.get("Idempotency-Key")
        if key is None:
            return None
        match = self.request.resolver_match
        route = f"{self.request.method} {match.route if match else ''}"
        return Once.of(
            scope=f"{self.actor.party_id}:{self.actor.programme}:{route}",
            key=key,
            payload={"path": self.kwargs, "body": _told_apart(self.request.data)},
        )

    def answer(self, body: dict[str, Any]) -> Response:
        """The operation's own status; of something new, ``url`` also says where it is."""
        return answered(self.operation.status, body)

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, AlreadyAnswered):
            again = answered(exc.status, exc.body)
            again.headers["Idempotent-Replayed"] = "true"
            return again
        return super().handle_exception(exc)


def answered(status: int, body: Any) -> Response:
    headers = {"Location": body["url"]} if status == 201 else None
    return Response(body, status=status, headers=headers)


def _told_apart(data: Any) -> dict[str, Any]:
    """A body with each file by its bytes: two of one name may differ."""
    return {
        name: _digest_of(value) if hasattr(value, "chunks") else value
        for name, value in data.items()
    }


def _digest_of(file: Any) -> str:
    digest = hashlib.sha256()
    for piece in file.chunks():
        digest.update(piece)
    file.seek(0)
    return digest.hexdigest()


def _valid(shape_class: type[Shape] | None, raw: Any) -> dict[str, Any]:
    assert shape_class is not None, "the operation has no shape for this"
    shape = shape_class(data=raw)
    shape.is_valid(raise_exception=True)
    found: dict[str, Any] = shape.validated_data
    return found


def _no_number(_name: str) -> Any:
    raise ValueError("NaN and infinities are no JSON")
