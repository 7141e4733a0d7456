"""Credit lines: those that name you, and those of your clips."""

from __future__ import annotations

from typing import Any

from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.rules import Scope
from core.api import Endpoint, PageWish, PublicId, Shape, Text, only, operation, page_of
from core.ids import shown
from review.credits.commands import answer_credit, name_person
from review.credits.models import CreditLine
from review.credits.queries import (
    clip_to_credit,
    credit_line_for,
    credit_line_to_read,
    credit_lines_of,
    credit_lines_on,
)
from review.credits.rules import CreditRole, DisplayForm, Move, State
from review.credits.words import name_shown


class CreditShown(Shape):
    id = PublicId("credit_line")
    url = serializers.CharField()
    clip = PublicId("clip")
    party = PublicId("party", help_text=_("Who is named, by their credit id."))
    proposed_by = PublicId("party")
    role = serializers.ChoiceField(CreditRole.choices)
    state = serializers.ChoiceField(State.choices)
    display_form = serializers.ChoiceField(
        DisplayForm.choices, help_text=_("How whoever is named wants to be named.")
    )
    name = serializers.CharField(
        allow_null=True, help_text=_("The name the public reads; null for none, and until a yes.")
    )
    made_at = serializers.DateTimeField()
    answered_at = serializers.DateTimeField(allow_null=True)


class NewCredit(Shape):
    party = Text(help_text=_("Their credit id, par_…; they find it on their settings page."))
    role = serializers.ChoiceField(CreditRole.choices)


class CreditAnswer(Shape):
    move = serializers.ChoiceField([move.value for move in Move])
    display_form = serializers.ChoiceField(
        DisplayForm.choices,
        required=False,
        help_text=_("How you want to be named; without it, as it was."),
    )


class CreditsWish(PageWish):
    state = serializers.ChoiceField(
        State.choices, required=False, help_text=_("Only lines in this state.")
    )


class Credits(Endpoint):
    @operation(
        scope=Scope.CREDITS_READ,
        summary=_("List the credits that name you"),
        words=_(
            "Of this programme, newest first, those that wait for your answer among them; for"
            " whoever is in none, of those they were in."
        ),
        query=CreditsWish,
        answers=CreditShown,
        is_list=True,
    )
    def get(self, request: Request) -> Response:
        wish = self.asked_in_query()
        lines = only(credit_lines_of(self.actor), wish, state="state")
        page = page_of(lines, wish, by=("-made_at", "-id"))
        return self.answer(page.shown([_shown(line) for line in page.rows]))


class OneCredit(Endpoint):
    @operation(
        scope=Scope.CREDITS_READ,
        summary=_("Read one credit line"),
        words=_("One that names you, or one of a clip of yours."),
        answers=CreditShown,
        refuses=(404,),
    )
    def get(self, request: Request, credit_line_id: str) -> Response:
        return self.answer(_shown(credit_line_to_read(self.actor, credit_line_id)))


class CreditsOfClip(Endpoint):
    @operation(
        scope=Scope.CREDITS_READ,
        summary=_("List the credits of your clip"),
        words=_("In the order in which people were named, whatever they answered."),
        query=PageWish,
        answers=CreditShown,
        is_list=True,
        refuses=(404,),
    )
    def get(self, request: Request, clip_id: str) -> Response:
        clip = clip_to_credit(self.actor, clip_id)
        page = page_of(credit_lines_on(clip.id), self.asked_in_query(), by=("made_at", "id"))
        return self.answer(page.shown([_shown(line) for line in page.rows]))

    @operation(
        scope=Scope.CREDITS_WRITE,
        summary=_("Name somebody on your clip"),
        words=_(
            "They hear of it and answer themselves; nobody is shown as credited before they said"
            " yes. Who is not in the programme is refused, whether they exist or not."
        ),
        answers=CreditShown,
        status=201,
        asks=NewCredit,
        is_repeatable=True,
        refuses=(404, 409),
        example={"party": "par_01hzy3v0r6f8tq9m2k7w5x4d3c", "role": "composer"},
    )
    def post(self, request: Request, clip_id: str) -> Response:
        clip_to_credit(self.actor, clip_id)  # before the body: somebody else's is absent
        line = name_person(
            actor=self.actor,
            clip_id=clip_id,
            once=self.once(),
            answer=lambda made: (201, _shown(made)),
            **self.asked(),
        )
        return self.answer(_shown(line))


class CreditAnswers(Endpoint):
    @operation(
        scope=Scope.CREDITS_WRITE,
        summary=_("Answer a credit that names you"),
        words=_(
            "Accept or decline, and choose how you are named. Either may be changed at any time;"
            " what is shown changes with it. The same answer twice is fine."
        ),
        answers=CreditShown,
        asks=CreditAnswer,
        refuses=(404, 409),
        example={"move": "accept", "display_form": "pseudonym"},
    )
    def post(self, request: Request, credit_line_id: str) -> Response:
        credit_line_for(self.actor, credit_line_id)  # before the body, likewise
        line = answer_credit(actor=self.actor, credit_line_id=credit_line_id, **self.asked())
        return self.answer(_shown(line))


def _shown(line: CreditLine) -> dict[str, Any]:
    facts = {
        "id": line.id,
        "url": reverse("api-credit", args=[shown("credit_line", line.id)]),
        "clip": line.clip_id,
        "party": line.party_id,
        "proposed_by": line.proposed_by_id,
        "role": line.role,
        "state": line.state,
        "display_form": line.display_form,
        "name": (name_shown(line) or None) if line.state == State.ACCEPTED else None,
        "made_at": line.made_at,
        "answered_at": line.answered_at,
    }
    return dict(CreditShown(facts).data)


urlpatterns = [
    path("credits", Credits.as_view(), name="api-credits"),
    path("credits/<str:credit_line_id>", OneCredit.as_view(), name="api-credit"),
    path("credits/<str:credit_line_id>/answer", CreditAnswers.as_view(), name="api-answer-credit"),
    path("clips/<str:clip_id>/credits", CreditsOfClip.as_view(), name="api-clip-credits"),
]
