"""The API's own description: the OpenAPI document, and a page over it for people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from core.api.snippets import Asked, Gives, Snippet, snippets
from greenroom.api.problems import Nothing
from greenroom.api.schema import document


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    where: str
    type: str
    required: bool
    words: str


@dataclass(frozen=True, slots=True)
class Answer:
    """``example`` is what is answered; ``codes``, where it is a refusal, which there may be."""

    status: str
    words: str
    codes: list[str]
    example: str


@dataclass(frozen=True, slots=True)
class Deed:
    """One operation as the page shows it; ``body`` is an example, ``programs`` send it.

    ``template`` is the whole address with its gaps, ``url`` the same with ``parts`` in them.
    """

    id: str
    method: str
    path: str
    summary: str
    description: str
    scope: str
    parameters: list[Parameter]
    body: str
    answers: list[Answer]
    template: str
    url: str
    parts: list[tuple[str, str]]
    programs: list[Snippet]

    @property
    def has_fields(self) -> bool:
        return bool(self.parts or (self.body and self.is_json))

    @property
    def is_json(self) -> bool:
        return not any(
            each.text.startswith("curl") and " -F " in each.text for each in self.programs
        )


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    operations: list[Deed]


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    return JsonResponse(document())


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    schema = document()
    return render(request, "greenroom/docs.html", {"schema": schema, "groups": groups(schema)})


@require_safe
def one(request: HttpRequest, deed: str) -> HttpResponse:
    """One operation with its examples, and as programs."""
    schema, here = document(), request.build_absolute_uri("/").rstrip("/")
    for address, methods in schema["paths"].items():
        for method, said in methods.items():
            if said["operationId"] == deed:
                found = _deed(address, method, said, schema, here)
                return render(request, "greenroom/docs_deed.html", {"operation": found})
    raise Http404


def groups(schema: dict[str, Any], here: str = "") -> list[Group]:
    """The operations by tag, in the order in which one needs them; ``here`` is the server's own
    address, as its reader knows it."""
    found: dict[str, list[Deed]] = {}
    for address, methods in schema["paths"].items():
        for method, said in methods.items():
            deed = _deed(address, method, said, schema, here)
            found.setdefault(said["tags"][0], []).append(deed)
    names = {
        "models": _("Models"),
        "styles": _("Styles"),
        "quotes": _("Prices"),
        "references": _("References"),
        "jobs": _("Jobs"),
        "clips": _("Clips"),
        "media": _("Media"),
        "events": _("Live events"),
        "quota": _("Quota"),
        "submissions": _("Submissions"),
        "credits": _("Credit lines"),
        "releases": _("Releases"),
        "showcase": _("The showcase"),
        "links": _("Share links"),
        "contributions": _("Contributions"),
        "earnings": _("Earnings"),
        "programme": _("The programme"),
        "left": _("Programmes you left"),
        "programmes": _("Programmes"),
        "devices": _("Devices"),
        "agreement": _("The agreement"),
        "consents": _("Consents"),
        "cases": _("The review desk"),
        "ledger": _("The ledger"),
        "payouts": _("Payouts"),
        "notices": _("Notices"),
        "settings": _("Settings"),
        "conversations": _("Conversations"),
        "exports": _("Taking everything along"),
        "erasures": _("Leaving for good"),
        "device-login": _("Device login"),
        "webhooks": _("Webhooks"),
        "webhook-event-types": _("What webhooks tell"),
        "tokens": _("Tokens"),
        "sessions": _("Sign-ins"),
        "people": _("People"),
        "announcements": _("Announcements"),
        "cohorts": _("Cohorts"),
        "invitations": _("Invitations"),
        "administrators": _("Administrators"),
    }
    order = [*names, *(tag for tag in found if tag not in names)]
    return [Group(names.get(tag, tag), found[tag]) for tag in order if tag in found]


def _deed(
    address: str, method: str, said: dict[str, Any], schema: dict[str, Any], here: str
) -> Deed:
    parts = [
        (parameter["name"], str(parameter["example"]))
        for parameter in said.get("parameters", ())
        if parameter["in"] == "path"
    ]
    url = here + address.format(**dict(parts))
    return Deed(
        id=said["operationId"],
        template=here + address,
        url=url,
        parts=parts,
        programs=snippets(_asked(method, url, said)),
        method=method.upper(),
        path=address,
        summary=said["summary"],
        description=said.get("description", ""),
        scope=said["x-scope"],
        parameters=[
            *(_parameter(parameter) for parameter in said.get("parameters", ())),
            *_body_fields(said, schema),
        ],
        body=_example(said),
        answers=[
            Answer(
                status, answer["description"], answer.get("x-codes", []), _answered(status, answer)
            )
            for status, answer in sorted(said["responses"].items())
        ],
    )


def _asked(method: str, url: str, said: dict[str, Any]) -> Asked:
    contents: dict[str, Any] = said.get("requestBody", {}).get("content", {})
    media_type = next(iter(contents), "")
    return Asked(
        method=method.upper(),
        url=url,
        body=contents[media_type].get("example", {}) if contents else None,
        file="file" if media_type == "multipart/form-data" else "",
        key=f"order-{uuid4().hex[:12]}" if _takes_a_key(said) else "",
        is_open=not said["x-scope"],
        gives=_gives(said["responses"]),
    )


def _takes_a_key(said: dict[str, Any]) -> bool:
    return any(each["name"] == "Idempotency-Key" for each in said.get("parameters", ()))


def _gives(responses: dict[str, Any]) -> Gives:
    good = next(answer for status, answer in responses.items() if status.startswith("2"))
    kinds = set(good.get("content", {}))
    if "text/event-stream" in kinds:
        return Gives.EVENTS
    return Gives.JSON if "application/json" in kinds or not kinds else Gives.BYTES


def _answered(status: str, answer: dict[str, Any]) -> str:
    """Of what was done; refusals look alike."""
    content = answer.get("content", {}).get("application/json", {})
    if not status.startswith("2") or "example" not in content:
        return ""
    return json.dumps(content["example"], indent=2, ensure_ascii=False)


def _parameter(parameter: dict[str, Any]) -> Parameter:
    return Parameter(
        name=parameter["name"],
        where=_place(parameter["in"]),
        type=_type(parameter["schema"]),
        required=parameter.get("required", False),
        words=parameter.get("description", ""),
    )


def _body_fields(said: dict[str, Any], schema: dict[str, Any]) -> Iterator[Parameter]:
    contents = said.get("requestBody", {}).get("content", {})
    content = next(iter(contents.values()), None)
    if content is None:
        return
    shape = schema["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
    for name, field in shape.get("properties", {}).items():
        yield Parameter(
            name=name,
            where=_place("body"),
            type=_type(field),
            required=name in shape.get("required", ()),
            words=field.get("description", ""),
        )


def _example(said: dict[str, Any]) -> str:
    for content in said.get("requestBody", {}).get("content", {}).values():
        if "example" in content:
            return json.dumps(content["example"], indent=2, ensure_ascii=False)
    return ""


def _place(where: str) -> str:
    return {
        "path": _("address"),
        "query": _("query"),
        "header": _("header"),
        "body": _("body"),
    }[where]


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    kind = schema.get("type", "object")
    return " | ".join(kind) if isinstance(kind, list) else str(kind)


urlpatterns = [
    path("api/openapi.json", openapi, name="schema"),
    path("api/docs", docs, name="api-docs"),
    path("api/docs/<slug:deed>", one, name="api-docs-deed"),
    # After everything else below /api/v1: what nobody serves is absent, as a problem, not a page.
    path("api/v1/<path:rest>", Nothing.as_view()),
]
