"""Programmes as everybody can read them: their terms, and what came of them."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.dates import WEEKDAYS
from django.views.decorators.http import require_safe

from accounts.calendars.queries import calendar_in_force
from accounts.consents.queries import consents_in_force
from accounts.programmes.queries import (
    particulars_in_force,
    programme_by_slug,
    programmes_listed,
)
from accounts.rates.words import shown_rate_card
from accounts.retention.queries import retention_in_force
from accounts.retention.words import retention_sentences
from core.clock import now
from review.policies.models import PolicyVersion
from review.policies.rules import Ground
from review.policies.words import files_before_sentence
from review.transparency.queries import figures, terms_of
from review.transparency.words import charter_sentences, shown_figures


@require_safe
def programmes(request: HttpRequest) -> HttpResponse:
    context = {"programmes": list(programmes_listed())}
    return render(request, "portal/public/programmes.html", context)


@require_safe
def programme_page(request: HttpRequest, slug: str) -> HttpResponse:
    terms = terms_of(programme_by_slug(slug), now())
    calendar = calendar_in_force(terms.programme.id)
    retention = retention_in_force(terms.programme.id)
    context = {
        "shown": terms.programme,
        "particulars": particulars_in_force(terms.programme.id),
        "calendar": calendar,
        "days": list(zip(WEEKDAYS.values(), calendar.week, strict=True)) if calendar else [],
        "consents": [one for one in consents_in_force(terms.programme.id).values() if one.is_asked],
        "retention": retention,
        "kept": retention_sentences(retention) if retention else [],
        "agreement": terms.agreement,
        "policy": _policy(terms.policy) if terms.policy else None,
        "charter": terms.charter,
        "promises": charter_sentences(terms.charter) if terms.charter else [],
        "rates": shown_rate_card(terms.rates),
    }
    return render(request, "portal/public/programme.html", context)


@require_safe
def figures_page(request: HttpRequest, slug: str) -> HttpResponse:
    programme = programme_by_slug(slug)
    found = figures(programme.id, now())
    context = {
        "shown": programme,
        "at": found.at,
        "groups": shown_figures(found),
        "clauses": found.clauses,
        "has_money": bool(found.money),
    }
    return render(request, "portal/public/figures.html", context)


def _policy(policy: PolicyVersion) -> dict[str, Any]:
    return {
        "number": policy.number,
        "introduction": policy.introduction,
        "files_before": files_before_sentence(policy.files_before),
        "published_at": policy.published_at,
        "clauses": [
            {
                "number": clause.number,
                "ground": Ground(clause.ground).label,
                "title": clause.title,
                "words": clause.words,
            }
            for clause in policy.clauses.all()
        ],
    }


urlpatterns = [
    path("programmes", programmes, name="programmes"),
    path("programmes/<slug:slug>", programme_page, name="programme"),
    path("programmes/<slug:slug>/figures", figures_page, name="programme-figures"),
]
