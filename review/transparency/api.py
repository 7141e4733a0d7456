"""The actor's own programme: what is in force there, and what came of it."""

from __future__ import annotations

from typing import Any

from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.rules import Scope
from accounts.programmes.queries import programme_by_id
from accounts.rates.queries import RateLine
from accounts.rates.rules import ActKind
from core.api import Endpoint, PublicId, Shape, operation
from core.clock import now
from generation.clips.rules import Allows
from review.policies.rules import Ground
from review.transparency.queries import Figures, MoneyFigure, Terms, figures, terms_of


class AgreementShown(Shape):
    version = serializers.IntegerField(source="number")
    summary = serializers.CharField()
    text = serializers.CharField()
    text_sha256 = serializers.CharField()
    published_at = serializers.DateTimeField()


class PolicyClause(Shape):
    number = serializers.IntegerField()
    ground = serializers.ChoiceField(Ground.choices)
    title = serializers.CharField()
    words = serializers.CharField()


class PolicyShown(Shape):
    version = serializers.IntegerField(source="number")
    introduction = serializers.CharField()
    files_before = serializers.ChoiceField(
        Allows.choices,
        help_text=_("Which files of a clip its owner gets before it is approved."),
    )
    clauses = PolicyClause(many=True)
    published_at = serializers.DateTimeField()


class CharterShown(Shape):
    version = serializers.IntegerField(source="number")
    decide_within_hours = serializers.IntegerField()
    appeal_within_hours = serializers.IntegerField()
    appeal_open_days = serializers.IntegerField()
    words = serializers.CharField()
    published_at = serializers.DateTimeField()


class RateShown(Shape):
    id = PublicId("rate")
    amount_micro = serializers.IntegerField(help_text=_("Millionths of the currency's unit."))
    currency = serializers.CharField()
    words = serializers.CharField()
    published_at = serializers.DateTimeField()
    applies_from = serializers.DateTimeField()


class RateLineShown(Shape):
    kind = serializers.ChoiceField(ActKind.choices)
    in_force = RateShown(allow_null=True, help_text=_("Null where nothing is paid."))
    later = RateShown(many=True, help_text=_("Published, and not in force yet."))


class ProgrammeShown(Shape):
    id = PublicId("programme")
    slug = serializers.CharField()
    name = serializers.CharField()
    public_address = serializers.CharField(help_text=_("The page that everybody can read."))
    agreement = AgreementShown(allow_null=True)
    policy = PolicyShown(allow_null=True)
    charter = CharterShown(allow_null=True)
    rates = RateLineShown(many=True)


class ClauseFigureShown(Shape):
    policy = serializers.IntegerField()
    number = serializers.IntegerField()
    title = serializers.CharField()
    declined = serializers.IntegerField()
    changes_requested = serializers.IntegerField()


class MoneyShown(Shape):
    currency = serializers.CharField()
    earned_micro = serializers.IntegerField()
    paid_micro = serializers.IntegerField()
    owed_micro = serializers.IntegerField(help_text=_("Earned, less paid."))


class FiguresShown(Shape):
    at = serializers.DateTimeField()
    submitted = serializers.IntegerField(
        help_text=_("Approved, declined, changes requested, withdrawn and waiting together.")
    )
    approved = serializers.IntegerField()
    declined = serializers.IntegerField()
    changes_requested = serializers.IntegerField()
    withdrawn = serializers.IntegerField()
    waiting = serializers.IntegerField()
    overdue = serializers.IntegerField()
    decided = serializers.IntegerField()
    decided_late = serializers.IntegerField()
    median_decision_s = serializers.FloatField(allow_null=True)
    median_appeal_s = serializers.FloatField(allow_null=True)
    appeals_filed = serializers.IntegerField()
    appeals_decided = serializers.IntegerField()
    appeals_upheld = serializers.IntegerField()
    appeals_overturned = serializers.IntegerField()
    appeals_independent = serializers.IntegerField(
        help_text=_("Decided by somebody without any part before; counted, not assumed.")
    )
    released_listed = serializers.IntegerField()
    released_by_link = serializers.IntegerField()
    clauses = ClauseFigureShown(many=True)
    money = MoneyShown(many=True)


class OwnProgramme(Endpoint):
    @operation(
        scope=Scope.PROGRAMME_READ,
        summary=_("Read your programme's terms"),
        words=_(
            "What is in force: agreement, clauses, charter and rates, and the rates published for"
            " later. The same stands on a page that everybody can read."
        ),
        answers=ProgrammeShown,
    )
    def get(self, request: Request) -> Response:
        programme = programme_by_id(self.actor.programme)
        return self.answer(_terms(terms_of(programme, now())))


class OwnFigures(Endpoint):
    @operation(
        scope=Scope.PROGRAMME_READ,
        summary=_("Read your programme's figures"),
        words=_(
            "Counted from the rows at this moment. A submission counts by its last word; while a"
            " case about it is open, an appeal too, it waits."
        ),
        answers=FiguresShown,
    )
    def get(self, request: Request) -> Response:
        return self.answer(_figures(figures(self.actor.programme, now())))


def _terms(terms: Terms) -> dict[str, Any]:
    policy = terms.policy
    facts = {
        "id": terms.programme.id,
        "slug": terms.programme.slug,
        "name": terms.programme.name,
        "public_address": reverse("programme", args=[terms.programme.slug]),
        "agreement": terms.agreement,
        "policy": {
            "number": policy.number,
            "introduction": policy.introduction,
            "files_before": policy.files_before,
            "clauses": list(policy.clauses.all()),
            "published_at": policy.published_at,
        }
        if policy
        else None,
        "charter": terms.charter,
        "rates": [_rate_line(line) for line in terms.rates],
    }
    return dict(ProgrammeShown(facts).data)


def _rate_line(line: RateLine) -> dict[str, Any]:
    return {"kind": line.kind, "in_force": line.in_force, "later": line.later}


def _figures(found: Figures) -> dict[str, Any]:
    facts: dict[str, Any] = {name: getattr(found, name) for name in FiguresShown().get_fields()}
    facts["money"] = [_money(each) for each in found.money]
    return dict(FiguresShown(facts).data)


def _money(money: MoneyFigure) -> dict[str, Any]:
    return {
        "currency": money.earned.currency,
        "earned_micro": money.earned.amount_micro,
        "paid_micro": money.paid.amount_micro,
        "owed_micro": money.owed.amount_micro,
    }


urlpatterns = [
    path("programme", OwnProgramme.as_view(), name="api-programme"),
    path("programme/figures", OwnFigures.as_view(), name="api-figures"),
]
