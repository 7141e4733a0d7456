"""The view behind every address of this door."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.parsers import BaseParser
from rest_framework.response import Response

from core.api import Endpoint, Parts
from core.api.endpoint import StrictJson
from core.errors import Absent
from core.idempotency.commands import Once
from greenroom.api.authentication import TokenAuthentication
from greenroom.openai.fields import Given
from greenroom.openai.forms import nested, unfolded
from greenroom.openai.handler import answer_for
from greenroom.openai.schema import DoorSchema

# What SDKs put into a body for themselves and no server reads.
OF_THE_CLIENT = frozenset({"poll_interval_ms"})


class WideJson(StrictJson):
    """Pictures may stand in it, as data addresses."""

    largest = 25 * 1024 * 1024


class BracketedParts(Parts):
    """A form, its brackets read."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        form = super().parse(stream, media_type, parser_context)
        return nested([*form.data.lists(), *form.files.lists()])


class Door(Endpoint):
    """One address of ``/v1``. Tokens alone: a cookie comes unasked, and no SDK sends one."""

    parser_classes: Sequence[type[BaseParser]] = (WideJson, BracketedParts)
    authentication_classes: Sequence[type[BaseAuthentication]] = (TokenAuthentication,)
    schema = DoorSchema()

    def get_exception_handler(self) -> Callable[..., Any]:
        return answer_for

    def asked(self) -> dict[str, Any]:
        sent: Any = self.request.data  # both parsers give a dictionary
        body = unfolded(sent)
        known = {name: value for name, value in body.items() if name not in OF_THE_CLIENT}
        assert self.operation.asks is not None
        shape = self.operation.asks(data=known)
        shape.is_valid(raise_exception=True)
        found: dict[str, Any] = shape.validated_data
        return found

    def fingerprint(self, asked: dict[str, Any]) -> str:
        """What an order is told by when it comes again: who, where, what, and the files' bytes.

        Over the fields as they were read: an SDK draws another boundary for every try.
        """
        match = self.request.resolver_match
        told = {
            "who": [str(self.actor.party_id), str(self.actor.programme)],
            "where": [self.request.method, match.route if match else "", self.kwargs],
            "what": asked,
        }
        canonical = json.dumps(told, sort_keys=True, separators=(",", ":"), default=_canonical)
        return hashlib.sha256(canonical.encode()).hexdigest()

    @property
    def is_retry(self) -> bool:
        """Whether the SDK says that it sent this before."""
        tried = self.request.headers.get("x-stainless-retry-count", "")
        return tried.isdecimal() and len(tried) < 10 and int(tried) > 0

    def once_for(self, fingerprint: str) -> Once | None:
        key = self.request.headers.get("Idempotency-Key")
        if key is None:
            return None
        match = self.request.resolver_match
        route = f"{self.request.method} /v1/{match.route if match else ''}"
        scope = f"{self.actor.party_id}:{self.actor.programme}:{route}"
        return Once.of(scope=scope, key=key, payload=fingerprint)


class Nothing(Door):
    """Addresses below ``/v1`` that nobody serves."""

    authentication_classes = ()
    permission_classes = ()
    http_method_names = ()
    schema = None  # type: ignore[assignment]  # so that no description shows it

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        raise Absent


def _canonical(value: Any) -> Any:
    if isinstance(value, Given):
        return value.told_apart()
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    return str(value)
