"""The People room: who is in the programme, as what, in which cohorts, and how somebody leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.administrators.queries import person_for
from accounts.cohorts.commands import end_cohort, make_cohort, seat_member, unseat_member
from accounts.cohorts.queries import cohort_for, cohorts_by_member, cohorts_of
from accounts.credentials.doors import PortalRequest, only_for
from accounts.invitations.queries import (
    invitations_of,
)
from accounts.programmes.models import Membership, Role
from accounts.quotas.commands import grant_credits
from accounts.quotas.queries import credits_of
from accounts.roles.commands import end_role, grant_role
from accounts.roles.queries import MEMBER_ORDER, last_seen, member_for, members_of
from core.api import page_of
from core.clock import now
from core.errors import Absent, Refusal
from core.ids import read_id, shown
from greenroom.offboarding.commands import offboard_everywhere, offboard_member
from greenroom.offboarding.queries import under_way
from greenroom.offboarding.rules import Why
from greenroom.people.forms import (
    Cohort,
    Credits,
    Filter,
    GiveRole,
    Leave,
    posted,
)
from greenroom.people.rules import PEOPLE_ON_A_PAGE, READERS, WRITERS, may_write
from greenroom.people.words import (
    leaving_words,
    name_of,
    roles_to_give,
    seen_words,
    shown_grants,
    shown_members,
)


@require_GET
@only_for(*READERS)
def people(request: PortalRequest) -> HttpResponse:
    actor = request.actor
    cohorts = list(cohorts_of(actor))
    chosen = Filter(request.GET, [(shown("cohort", one.id), one.name) for one in cohorts])
    wanted = chosen.cleaned_data if chosen.is_valid() else {}
    rows = members_of(
        actor,
        name=wanted.get("name", ""),
        role=wanted.get("role", ""),
        cohort_id=read_id("cohort", wanted.get("cohort", "")),
    )
    cursor = request.GET.get("cursor")
    page = page_of(rows, {"limit": PEOPLE_ON_A_PAGE, "cursor": cursor}, by=MEMBER_ORDER)
    kept = {name: value for name, value in wanted.items() if value}
    context = {
        "filter": chosen,
        "is_filtered": bool(kept),
        "people": shown_members(
            page.rows,
            cohorts_by_member(row.id for row in page.rows),
            last_seen([row.party_id for row in page.rows]),
            now(),
        ),
        "more_url": f"?{urlencode({**kept, 'cursor': page.next})}" if page.next else None,
        "may_write": may_write(request.actor),
        "waiting": invitations_of(actor).count(),
        "is_administrator": "administrator" in actor.roles,
    }
    return render(request, "greenroom/people/people.html", context)


# One person --------------------------------------------------------------------------------------


@require_GET
@only_for(*READERS)
def person(request: PortalRequest, party: str) -> HttpResponse:
    return _person(request, member_for(request.actor, party))


@require_POST
@only_for(*WRITERS)
def give_role(request: PortalRequest, party: str) -> HttpResponse:
    member = member_for(request.actor, party)
    form = GiveRole(request.POST, roles=roles_to_give(member))
    if not form.is_valid():
        return _person(request, member, role=form, status=422)
    return _deed(
        request,
        member,
        lambda: grant_role(
            programme_id=member.programme_id,
            party_id=member.party_id,
            role=Role(form.cleaned_data["role"]),
            expires_at=form.expires_at(),
            actor=request.actor,
        ),
        _("Given. They hear of it."),
        role=form,
    )


@require_POST
@only_for(*WRITERS)
def take_role(request: PortalRequest, party: str, role: str) -> HttpResponse:
    member = member_for(request.actor, party)
    if role not in Role.values:
        raise Absent
    return _deed(
        request,
        member,
        lambda: end_role(
            programme_id=member.programme_id,
            party_id=member.party_id,
            role=Role(role),
            actor=request.actor,
        ),
        _("Ended. They hear of it."),
    )


@require_POST
@only_for(*WRITERS)
def give_credits(request: PortalRequest, party: str) -> HttpResponse:
    member = member_for(request.actor, party)
    form = Credits(request.POST)
    if not form.is_valid():
        return _person(request, member, credits=form, status=422)
    return _deed(
        request,
        member,
        lambda: grant_credits(
            programme_id=member.programme_id,
            party_id=member.party_id,
            limit=form.cleaned_data["limit"],
            actor=request.actor,
        ),
        _("Set. It counts from the next job on."),
        credits=form,
    )


@require_POST
@only_for(*WRITERS)
def seat(request: PortalRequest, party: str) -> HttpResponse:
    member = member_for(request.actor, party)
    cohort = cohort_for(request.actor, request.POST.get("cohort", ""))
    seat_member(cohort_id=cohort.id, party_id=member.party_id, actor=request.actor)
    return redirect("person", party)


@require_POST
@only_for(*WRITERS)
def unseat(request: PortalRequest, party: str, cohort: str) -> HttpResponse:
    member = member_for(request.actor, party)
    found = cohort_for(request.actor, cohort)
    unseat_member(cohort_id=found.id, party_id=member.party_id, actor=request.actor)
    return redirect("person", party)


@require_http_methods(["GET", "POST"])
@only_for(*WRITERS)
def leave(request: PortalRequest, party: str) -> HttpResponse:
    """First what it will do, with the figures of this moment; then the button."""
    member = member_for(request.actor, party)
    form = Leave(posted(request))
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            _offboard(request, member, Why(form.cleaned_data["reason"]))
        except Absent:
            raise
        except Refusal as refused:
            refusal = refused
        else:
            messages.success(request, _("Ended. What is finished, and what is owed, stays."))
            return redirect("people")
    found = under_way(member.programme_id, member.party_id)
    context = {
        "name": name_of(member.party),
        "public_id": party,
        "form": form,
        "lines": leaving_words(found),
        "other_programmes": found.programmes,
        "may_everywhere": "administrator" in request.actor.roles,
        "refusal": refusal,
    }
    status = refusal.http_status if refusal else 422 if form.is_bound else 200
    return render(request, "greenroom/people/leave.html", context, status=status)


# Cohorts -----------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@only_for(*READERS)
def cohorts(request: PortalRequest) -> HttpResponse:
    form = Cohort(posted(request))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                make_cohort(
                    programme_id=request.actor.programme,
                    name=form.cleaned_data["name"],
                    actor=request.actor,
                )
            except Absent:
                raise
            except Refusal as refusal:
                form.add_error(refusal.field, refusal.sentence)
            else:
                return redirect("cohorts")
    context = {
        "cohorts": [
            {"public_id": shown("cohort", one.id), "name": one.name, "members": one.members}  # type: ignore[attr-defined]
            for one in cohorts_of(request.actor)
        ],
        "form": form,
        "may_write": may_write(request.actor),
    }
    return render(request, "greenroom/people/cohorts.html", context, status=status)


@require_POST
@only_for(*WRITERS)
def close_cohort(request: PortalRequest, cohort: str) -> HttpResponse:
    found = cohort_for(request.actor, cohort)
    end_cohort(cohort_id=found.id, actor=request.actor)
    messages.success(request, _("Ended. Its members stay in the programme."))
    return redirect("cohorts")


# Pieces ------------------------------------------------------------------------------------------


def _person(
    request: PortalRequest,
    member: Membership,
    *,
    role: GiveRole | None = None,
    credits: Credits | None = None,  # noqa: A002
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    actor, moment = request.actor, now()
    own = credits_of(member.programme_id, member.party_id)
    inside = cohorts_by_member([member.id]).get(member.id, [])
    is_self = member.party_id == actor.party_id
    context = {
        "public_id": shown("party", member.party_id),
        "name": name_of(member.party),
        "detail": getattr(getattr(member.party, "person", None), "detail", None),
        "email": getattr(getattr(member.party, "person", None), "email", ""),
        "joined_at": member.joined_at,
        "seen": seen_words(last_seen([member.party_id]).get(member.party_id), moment),
        "grants": shown_grants(member),
        "role_form": role or GiveRole(roles=roles_to_give(member)),
        "roles_to_give": roles_to_give(member),
        "cohorts": [{"public_id": shown("cohort", one.id), "name": one.name} for one in inside],
        "other_cohorts": [
            (shown("cohort", one.id), one.name)
            for one in cohorts_of(actor)
            if one.id not in {each.id for each in inside}
        ],
        "budget": own,
        "credits_form": credits or Credits(initial={"limit": own.limit}),
        "is_self": is_self,
        "may_write": may_write(request.actor),
        "may_change": may_write(request.actor) and not is_self,
        "refusal": refusal,
    }
    return render(request, "greenroom/people/person.html", context, status=status)


def _deed(
    request: PortalRequest,
    member: Membership,
    deed: Callable[[], Any],
    success: str,
    **forms: Any,
) -> HttpResponse:
    """Do it, and say so on the person's page; where it is refused, say that there."""
    try:
        deed()
    except Absent:
        raise
    except Refusal as refusal:
        again = member_for(request.actor, shown("party", member.party_id))
        return _person(request, again, refusal=refusal, status=refusal.http_status, **forms)
    messages.success(request, success)
    return redirect("person", shown("party", member.party_id))


def _offboard(request: PortalRequest, member: Membership, reason: Why) -> None:
    actor = request.actor
    if request.POST.get("deed") == "everywhere":
        found = person_for(actor, shown("party", member.party_id))
        offboard_everywhere(party_id=found.party_id, reason=reason, actor=actor)
        return
    offboard_member(
        programme_id=member.programme_id, party_id=member.party_id, reason=reason, actor=actor
    )


urlpatterns = [
    path("people", people, name="people"),
    path("people/cohorts", cohorts, name="cohorts"),
    path("people/cohorts/<str:cohort>/end", close_cohort, name="end-cohort"),
    path("people/<str:party>", person, name="person"),
    path("people/<str:party>/roles", give_role, name="grant-role"),
    path("people/<str:party>/roles/<str:role>/end", take_role, name="end-role"),
    path("people/<str:party>/credits", give_credits, name="grant-credits"),
    path("people/<str:party>/cohorts", seat, name="seat-member"),
    path("people/<str:party>/cohorts/<str:cohort>/end", unseat, name="unseat-member"),
    path("people/<str:party>/leave", leave, name="offboard"),
]
