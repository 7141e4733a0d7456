"""Setting a programme up, for programs: what the set-up pages do, step by step.

Agreement, consents, calendar, retention, models, clauses and charter have endpoints of their own.
Each publishes the next version of one thing. ``seen`` is the number of the version it was made
from; where another came in between, the answer is 409 with its ``changes``.
"""

from __future__ import annotations

from typing import Any

from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.commands import in_charge
from accounts.credentials.rules import Scope
from accounts.programmes.commands import (
    ParticularsWish,
    close_programme,
    make_programme,
    publish_particulars,
)
from accounts.programmes.models import Particulars, Programme
from accounts.programmes.queries import particulars_in_force, programme_by_id, roles_in
from accounts.quotas.commands import grant_budget
from accounts.quotas.models import Kind
from accounts.quotas.queries import programme_budget
from accounts.rates.commands import publish_rate
from accounts.rates.queries import rates_of
from accounts.rates.rules import ActKind
from core.api import (
    Endpoint,
    Moment,
    PageWish,
    PublicId,
    Shape,
    Text,
    Whole,
    operation,
    page_of,
)
from core.clock import now
from core.errors import Absent
from greenroom.portal.place import places_of
from greenroom.setup.commands import keep_defaults, open_when_ready
from greenroom.setup.queries import progress_of

SEEN = _("The version this was made from, 0 before the first; a newer one refuses it.")


class FindingShown(Shape):
    code = Text()
    step = Text(help_text=_("The code of the step where it is mended."))
    sentence = Text(help_text=_("What is wrong and what to do, in your language."))


class StepShown(Shape):
    code = Text()
    title = Text()
    state = Text(help_text=_("“done”, “open” (nobody decided yet) or “wrong”."))
    sentence = Text(help_text=_("How it stands."))
    number = Whole(
        allow_null=True, help_text=_("The version in force, where the step has versions.")
    )


class SetupShown(Shape):
    is_open = serializers.BooleanField()
    is_ready = serializers.BooleanField(help_text=_("Nothing is wrong."))
    steps = StepShown(many=True)
    findings = FindingShown(many=True)


class ProgrammeState(Shape):
    id = PublicId("programme")
    url = Text(help_text=_("The page that everybody can read."))
    slug = Text()
    name = Text()
    currency = Text()
    is_open = serializers.BooleanField()
    opened_at = serializers.DateTimeField(allow_null=True, help_text=_("For the first time."))


class PlaceShown(ProgrammeState):
    roles = serializers.ListField(child=Text(), help_text=_("Yours in it."))


class ParticularsShown(Shape):
    number = Whole()
    name = Text()
    time_zone = Text()
    opens_on = serializers.DateField(allow_null=True)
    closes_on = serializers.DateField(allow_null=True)
    languages = serializers.ListField(child=Text())
    contact = Text()
    credits_per_tester = Whole()
    submissions_per_day = Whole()
    cases_per_hour = Whole()
    published_at = serializers.DateTimeField()


class ParticularsFields(Shape):
    """What is left out stays as it is; in a new programme, as is usual."""

    time_zone = Text(required=False, help_text=_("Like Europe/Lisbon."))
    opens_on = serializers.DateField(required=False, allow_null=True)
    closes_on = serializers.DateField(
        required=False, allow_null=True, help_text=_("The last day, included.")
    )
    languages = serializers.ListField(child=Text(), required=False)
    contact = Text(required=False, allow_blank=True)
    credits_per_tester = Whole(required=False, help_text=_("What a new tester is granted."))
    submissions_per_day = Whole(required=False, help_text=_("What you expect."))
    cases_per_hour = Whole(required=False, help_text=_("Of one reviewer, as you expect."))


class ParticularsBody(ParticularsFields):
    name = Text(required=False)
    seen = Whole(required=False, help_text=SEEN)


class NewProgramme(ParticularsFields):
    slug = serializers.SlugField(max_length=64)
    name = Text()
    currency = serializers.RegexField(
        r"^[A-Z]{3}\Z", required=False, help_text=_("ISO 4217; it stays as it is. Usually EUR.")
    )


class RateWish(Shape):
    kind = serializers.ChoiceField(ActKind.choices)
    amount_micro = Whole(help_text=_("Millionths of the currency's unit; zero pays nothing."))
    applies_from = Moment(required=False, help_text=_("Now or later."))
    words = Text(required=False, allow_blank=True)
    seen = Whole(
        required=False,
        help_text=_("The number of the kind's newest rate, 0 before the first; another refuses."),
    )


class RatePublished(Shape):
    id = PublicId("rate")
    kind = serializers.ChoiceField(ActKind.choices)
    number = Whole(help_text=_("Of this kind, in the order of publishing."))
    amount_micro = Whole()
    currency = Text()
    words = Text()
    published_at = serializers.DateTimeField()
    applies_from = serializers.DateTimeField()


class CreditsWish(Shape):
    limit = Whole(help_text=_("Whole credits in all, those already used included."))


class CreditsGranted(Shape):
    limit = Whole()
    reserved = Whole()
    spent = Whole()
    left = Whole()


class DefaultsWish(Shape):
    steps = serializers.ListField(
        child=Text(), required=False, help_text=_("Only these; else every step that has one.")
    )


class DefaultsKept(Shape):
    steps = serializers.ListField(
        child=Text(), help_text=_("Those that had nothing and have their default now.")
    )


class Setup(Endpoint):
    @operation(
        scope=Scope.PROGRAMME_WRITE,
        summary=_("How far the programme is"),
        words=_("Its steps in order, and what keeps it from opening."),
        answers=SetupShown,
        refuses=(404,),
    )
    def get(self, _request: Request) -> Response:
        self.actor.must_act(Scope.PROGRAMME_WRITE)
        progress = progress_of(self.actor.programme, now())
        facts = {
            "is_open": programme_by_id(self.actor.programme).is_open,
            "is_ready": not progress.findings,
            "steps": progress.steps,
            "findings": progress.findings,
        }
        return self.answer(dict(SetupShown(facts).data))


class ProgrammeParticulars(Endpoint):
    @operation(
        scope=Scope.PROGRAMME_READ,
        summary=_("Read what the programme says about itself"),
        answers=ParticularsShown,
        refuses=(404,),
    )
    def get(self, _request: Request) -> Response:
        version = particulars_in_force(self.actor.programme)
        if version is None:
            raise Absent
        return self.answer(dict(ParticularsShown(version).data))

    @operation(
        scope=Scope.PROGRAMME_WRITE,
        summary=_("Publish what the programme says about itself"),
        words=_("The next version. What is left out stays as it is."),
        asks=ParticularsBody,
        answers=ParticularsShown,
        refuses=(404, 409),
        example={"name": "Harbour tests", "contact": "hello@example.org"},
    )
    def post(self, _request: Request) -> Response:
        self.actor.must_act(Scope.PROGRAMME_WRITE)
        asked = self.asked()
        seen = asked.pop("seen", None)
        last = particulars_in_force(self.actor.programme)
        with in_charge(self.actor, Scope.PROGRAMME_WRITE, self.actor.programme) as by:
            version = publish_particulars(
                programme_id=self.actor.programme,
                wish=_wish(last, asked),
                # What is left out was read just now, and must be what stands at the commit.
                seen=seen if seen is not None or last is None else last.number,
                actor=by,
            )
        return self.answer(dict(ParticularsShown(version).data))


class ProgrammeRates(Endpoint):
    @operation(
        scope=Scope.PROGRAMME_READ,
        summary=_("List every rate that was published"),
        words=_(
            "Those over and those to come, too; the newest first. Of a kind, the one that began to"
            " apply last is in force."
        ),
        answers=RatePublished,
        query=PageWish,
        is_list=True,
        refuses=(404,),
    )
    def get(self, _request: Request) -> Response:
        page = page_of(
            rates_of(self.actor.programme), self.asked_in_query(), by=("-published_at", "-id")
        )
        return self.answer(page.shown([dict(RatePublished(row).data) for row in page.rows]))

    @operation(
        scope=Scope.PROGRAMME_WRITE,
        summary=_("Publish a rate"),
        words=_("What acts of a kind earn from a moment on. Nothing earned before moves."),
        asks=RateWish,
        answers=RatePublished,
        refuses=(404, 409),
        example={"kind": "release", "amount_micro": 25000000},
    )
    def post(self, _request: Request) -> Response:
        self.actor.must_act(Scope.PROGRAMME_WRITE)
        asked = self.asked()
        with in_charge(self.actor, Scope.PROGRAMME_WRITE, self.actor.programme) as by:
            rate = publish_rate(
                programme_id=self.actor.programme,
                kind=ActKind(asked["kind"]),
                amount_micro=asked["amount_micro"],
                applies_from=asked.get("applies_from"),
                words=asked.get("words", ""),
                seen=asked.get("seen"),
                actor=by,
            )
        return self.answer(dict(RatePublished(rate).data))


class ProgrammeCredits(Endpoint):
    @operation(
        scope=Scope.PROGRAMME_WRITE,
        summary=_("Read the programme's limit of credits"),
        words=_("Of everybody together, and how much of it is reserved, spent and left."),
        answers=CreditsGranted,
        refuses=(404,),
    )
    def get(self, _request: Request) -> Response:
        self.actor.must_act(Scope.PROGRAMME_WRITE)
        budget = programme_budget(self.actor.programme, Kind.CREDITS)
        return self.answer(dict(CreditsGranted(budget).data))

    @operation(
        scope=Scope.PROGRAMME_WRITE,
        summary=_("Set the programme's limit of credits"),
        words=_("Of everybody together; a member's own is set in People. Twice the same is fine."),
        asks=CreditsWish,
        answers=CreditsGranted,
        refuses=(404,),
        example={"limit": 20000},
    )
    def post(self, _request: Request) -> Response:
        self.actor.must_act(Scope.PROGRAMME_WRITE)
        with in_charge(self.actor, Scope.PROGRAMME_WRITE, self.actor.programme) as by:
            budget = grant_budget(
                programme_id=self.actor.programme,
                kind=Kind.CREDITS,
                limit=self.asked()["limit"],
                actor=by,
            )
        return self.answer(dict(CreditsGranted(budget).data))


class ProgrammeDefaults(Endpoint):
    @operation(
        scope=Scope.PROGRAMME_WRITE,
        summary=_("Keep the kind defaults"),
        words=_("Of every step that has nothing yet. Twice is fine."),
        asks=DefaultsWish,
        answers=DefaultsKept,
        refuses=(404,),
        example={"steps": ["calendar", "agreement"]},
    )
    def post(self, _request: Request) -> Response:
        self.actor.must_act(Scope.PROGRAMME_WRITE)
        with in_charge(self.actor, Scope.PROGRAMME_WRITE, self.actor.programme) as by:
            kept = keep_defaults(
                programme_id=self.actor.programme, steps=self.asked().get("steps"), actor=by
            )
        return self.answer(dict(DefaultsKept({"steps": kept}).data))


class ProgrammeOpening(Endpoint):
    @operation(
        scope=Scope.PROGRAMME_WRITE,
        summary=_("Open the programme"),
        words=_("If nothing is wrong; else the problem's “findings” say what is. Twice is fine."),
        answers=ProgrammeState,
        refuses=(404, 409),
    )
    def post(self, _request: Request) -> Response:
        self.actor.must_act(Scope.PROGRAMME_WRITE)
        with in_charge(self.actor, Scope.PROGRAMME_WRITE, self.actor.programme) as by:
            programme = open_when_ready(programme_id=self.actor.programme, actor=by)
        return self.answer(dict(ProgrammeState(_state(programme)).data))


class ProgrammeClosing(Endpoint):
    @operation(
        scope=Scope.PROGRAMME_WRITE,
        summary=_("Close the programme"),
        words=_("No new work from now on; what is queued, judged and owed goes its way."),
        answers=ProgrammeState,
        refuses=(404,),
    )
    def post(self, _request: Request) -> Response:
        self.actor.must_act(Scope.PROGRAMME_WRITE)
        with in_charge(self.actor, Scope.PROGRAMME_WRITE, self.actor.programme) as by:
            programme = close_programme(programme_id=self.actor.programme, actor=by)
        return self.answer(dict(ProgrammeState(_state(programme)).data))


class Programmes(Endpoint):
    @operation(
        scope=Scope.PROGRAMME_READ,
        summary=_("List the programmes you may stand in"),
        words=_(
            "Your own first; an administrator's are all. A token stays in the one it was made for,"
            " a portal session may change."
        ),
        answers=PlaceShown,
        is_list=True,
    )
    def get(self, _request: Request) -> Response:
        actor = self.actor
        items = [
            PlaceShown(
                _state(programme) | {"roles": sorted(roles_in(programme.id, actor.party_id))}
            ).data
            for programme in places_of(actor)
        ]
        return self.answer({"items": items, "next": None})

    @operation(
        scope=Scope.PROGRAMMES_CREATE,
        summary=_("Make a programme"),
        words=_("Closed until its set-up is ready and somebody opens it."),
        asks=NewProgramme,
        answers=ProgrammeState,
        status=201,
        refuses=(404,),
        example={"slug": "harbour", "name": "Harbour tests", "time_zone": "Europe/Lisbon"},
    )
    def post(self, _request: Request) -> Response:
        self.actor.must_act(Scope.PROGRAMMES_CREATE)
        asked = self.asked()
        with in_charge(self.actor, Scope.PROGRAMMES_CREATE, None) as by:
            programme = make_programme(
                slug=asked.pop("slug"),
                currency=asked.pop("currency", "EUR"),
                wish=_wish(None, asked),
                actor=by,
            )
        return self.answer(dict(ProgrammeState(_state(programme)).data))


def _wish(last: Particulars | None, asked: dict[str, Any]) -> ParticularsWish:
    """What was said, over what stands there."""
    fields = ParticularsWish.__dataclass_fields__
    usual = {name: getattr(last, name) for name in fields} if last else {"name": ""}
    said = usual | asked
    if "languages" in said:
        said["languages"] = tuple(said["languages"])
    return ParticularsWish(**said)


def _state(programme: Programme) -> dict[str, Any]:
    return {
        "id": programme.id,
        "url": reverse("programme", args=[programme.slug]),
        "slug": programme.slug,
        "name": programme.name,
        "currency": programme.currency,
        "is_open": programme.is_open,
        "opened_at": programme.opened_at,
    }


urlpatterns = [
    path("programme/setup", Setup.as_view(), name="api-setup"),
    path("programme/particulars", ProgrammeParticulars.as_view(), name="api-particulars"),
    path("programme/rates", ProgrammeRates.as_view(), name="api-programme-rates"),
    path("programme/credits", ProgrammeCredits.as_view(), name="api-programme-credits"),
    path("programme/defaults", ProgrammeDefaults.as_view(), name="api-programme-defaults"),
    path("programme/open", ProgrammeOpening.as_view(), name="api-programme-open"),
    path("programme/close", ProgrammeClosing.as_view(), name="api-programme-close"),
    path("programmes", Programmes.as_view(), name="api-programmes"),
]
