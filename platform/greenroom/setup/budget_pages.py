"""Credits and money: how much may be rendered, and what is set aside to pay with."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.credentials.doors import PortalRequest
from accounts.programmes.commands import ChangedMeanwhile, ParticularsWish, publish_particulars
from accounts.programmes.models import Role
from accounts.programmes.queries import particulars_in_force, parties_with_role
from accounts.quotas.commands import grant_budget
from accounts.quotas.models import Kind
from accounts.quotas.queries import programme_budget
from core.errors import Absent, Refusal
from core.money import shown_money
from greenroom.setup.history import FIELDS, versions_of
from greenroom.setup.step_forms import LimitForm, NewTesterForm
from greenroom.setup.step_shown import (
    STEPS,
    conflict,
    from_now,
    managing,
    managing_now,
    seen,
    standing,
    with_refusal,
)
from review.ledger.queries import names_of, treasury_of


@require_http_methods(["GET", "POST"])
@managing
def credits_page(request: PortalRequest) -> HttpResponse:
    if request.method == "GET":
        return _show_credits(request)
    if request.POST.get("deed") == "tester":
        return _new_tester(request, NewTesterForm(request.POST))
    form = LimitForm(request.POST)
    if not form.is_valid():
        return _show_credits(request, limit_form=form, status=422)
    try:
        with managing_now(request) as by:
            grant_budget(
                programme_id=request.actor.programme,
                kind=Kind.CREDITS,
                limit=form.cleaned_data["limit"],
                actor=by,
            )
    except Refusal as refusal:
        form = with_refusal(form, refusal)
        return _show_credits(request, limit_form=form, status=refusal.http_status)
    messages.success(request, _("The limit is set."))
    return redirect("setup-credits")


def _new_tester(request: PortalRequest, form: NewTesterForm) -> HttpResponse:
    if not form.is_valid():
        return _show_credits(request, tester_form=form, status=422)
    try:
        with managing_now(request) as by:
            publish_particulars(
                programme_id=request.actor.programme,
                wish=_particulars_with(request, form.cleaned_data["credits_per_tester"]),
                seen=form.cleaned_data["seen"],
                actor=by,
            )
    except ChangedMeanwhile as refusal:
        again = NewTesterForm(from_now(request.POST, refusal))
        return _show_credits(request, tester_form=again, changed=refusal)
    except Refusal as refusal:
        form = with_refusal(form, refusal)
        return _show_credits(request, tester_form=form, status=refusal.http_status)
    messages.success(request, _("Saved."))
    return redirect("setup-credits")


def _show_credits(
    request: PortalRequest,
    *,
    limit_form: LimitForm | None = None,
    tester_form: NewTesterForm | None = None,
    changed: ChangedMeanwhile | None = None,
    status: int = 200,
) -> HttpResponse:
    budget = programme_budget(request.actor.programme, Kind.CREDITS)
    versions = versions_of("particulars", request.actor.programme)
    context = {
        "step": STEPS["credits"],
        "budget": budget,
        "limit_form": limit_form or LimitForm(initial={"limit": budget.limit}),
        "tester_form": tester_form
        or NewTesterForm(
            initial={"credits_per_tester": versions[0].credits_per_tester, **seen(versions)}
        ),
        **standing("particulars", versions),
        "versions": [],
        **conflict(changed),
    }
    return render(
        request, "setup/credits.html", context, status=changed.http_status if changed else status
    )


@require_GET
@managing
def money_page(request: PortalRequest) -> HttpResponse:
    actor = request.actor
    finance = parties_with_role(actor.programme, Role.FINANCE)
    context = {
        "step": STEPS["money"],
        "treasury": shown_money(treasury_of(actor.programme)),
        "may_look": Role.MANAGER in actor.roles,
        "finance_names": sorted(names_of(finance).values()),
    }
    return render(request, "setup/money.html", context)


def _particulars_with(request: PortalRequest, credits_per_tester: int) -> ParticularsWish:
    """What is in force with this figure, and nothing else of it moved."""
    version = particulars_in_force(request.actor.programme)
    if version is None:
        raise Absent
    kept = {name: getattr(version, name) for name in FIELDS["particulars"]}
    kept |= {"languages": tuple(version.languages), "credits_per_tester": credits_per_tester}
    return ParticularsWish(**kept)


urlpatterns = [
    path("setup/credits", credits_page, name="setup-credits"),
    path("setup/money", money_page, name="setup-money"),
]
