"""Who is invited, to the programme and among the administrators, and who those are."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.administrators.commands import end_administrator
from accounts.administrators.queries import administrator_for, administrators_of
from accounts.credentials.doors import PortalRequest, only_for
from accounts.invitations.commands import (
    AlreadyInvited,
    SentAMomentAgo,
    invite_administrator,
    invite_many,
    invite_member,
    resend_invitation,
    revoke_invitation,
)
from accounts.invitations.queries import (
    NEWEST_FIRST,
    administrator_invitations,
    invitation_for,
    invitations_of,
)
from accounts.programmes.models import Role
from core.api import page_of
from core.clock import now
from core.errors import Refusal
from core.ids import read_id
from greenroom.people.forms import (
    Invite,
    InviteAdministrator,
    cohort_choices,
    posted,
)
from greenroom.people.rules import PEOPLE_ON_A_PAGE, READERS, WRITERS, may_write
from greenroom.people.words import (
    shown_administrator,
    shown_fault,
    shown_invitation,
)

# Invitations -------------------------------------------------------------------------------------


@require_GET
@only_for(*READERS)
def invitations(request: PortalRequest) -> HttpResponse:
    return _invitations(request)


@require_POST
@only_for(*WRITERS)
def invite_one(request: PortalRequest) -> HttpResponse:
    form = Invite(request.POST, cohorts=cohort_choices(request.actor))
    if not form.is_valid():
        return _invitations(request, one=form, status=422)
    said = form.cleaned_data
    try:
        invite_member(
            actor=request.actor,
            email=said["email"],
            role=Role(said["role"]),
            cohort_id=read_id("cohort", said.get("cohort", "")),
            language=said["language"],
        )
    except AlreadyInvited as invited:
        form.add_error("email", invited.sentence)
        again = invited.facts["invitation"]
        return _invitations(request, one=form, again=again, status=invited.http_status)
    except Refusal as refusal:
        return _invitations(request, one=_said(form, refusal), status=refusal.http_status)
    messages.success(request, _("Invited. The letter is on its way."))
    return redirect("invitations")


@require_POST
@only_for(*WRITERS)
def invite_list(request: PortalRequest) -> HttpResponse:
    form = Invite(request.POST, request.FILES, cohorts=cohort_choices(request.actor), is_list=True)
    if not form.is_valid():
        return _invitations(request, many=form, status=422)
    said = form.cleaned_data
    try:
        result = invite_many(
            actor=request.actor,
            csv_bytes=form.raw_list(),
            role=Role(said["role"]),
            cohort_id=read_id("cohort", said.get("cohort", "")),
        )
    except Refusal as refusal:
        return _invitations(request, many=_said(form, refusal), status=refusal.http_status)
    context = {
        "invited": [shown_invitation(one, one.made_at) for one in result.invited],
        "faults": [shown_fault(fault) for fault in result.faults],
    }
    return render(request, "greenroom/people/list.html", context)


@require_POST
@only_for(*WRITERS)
def resend(request: PortalRequest, invitation: str) -> HttpResponse:
    found = invitation_for(request.actor, invitation)
    try:
        resend_invitation(invitation_id=found.id, actor=request.actor)
    except SentAMomentAgo as refusal:
        messages.warning(request, refusal.sentence)
    else:
        messages.success(request, _("Sent again. The link before opens no more."))
    return redirect("invitations" if found.programme_id else "administrators")


@require_POST
@only_for(*WRITERS)
def revoke(request: PortalRequest, invitation: str) -> HttpResponse:
    found = invitation_for(request.actor, invitation)
    revoke_invitation(invitation_id=found.id, actor=request.actor)
    messages.success(request, _("Withdrawn. Its link opens no more, and the address is forgotten."))
    return redirect("invitations" if found.programme_id else "administrators")


# Administrators ----------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@only_for("administrator")
def administrators(request: PortalRequest) -> HttpResponse:
    form = InviteAdministrator(posted(request))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                invite_administrator(actor=request.actor, email=form.cleaned_data["email"])
            except Refusal as refusal:
                form.add_error(refusal.field, refusal.sentence)
            else:
                messages.success(request, _("Invited. The letter is on its way."))
                return redirect("administrators")
    return _administrators(request, form, status=status)


@require_POST
@only_for("administrator")
def close_administrator(request: PortalRequest, party: str) -> HttpResponse:
    found = administrator_for(request.actor, party)
    try:
        end_administrator(party_id=found.party_id, actor=request.actor)
    except Refusal as refusal:
        return _administrators(
            request, InviteAdministrator(), refusal=refusal, status=refusal.http_status
        )
    messages.success(request, _("Ended. Their account and their memberships stay."))
    return redirect("people" if found.party_id == request.actor.party_id else "administrators")


# Pieces ----------------------------------------------------------------------------------------


def _invitations(
    request: PortalRequest,
    *,
    one: Invite | None = None,
    many: Invite | None = None,
    again: str | None = None,
    status: int = 200,
) -> HttpResponse:
    waiting = invitations_of(request.actor)
    cursor = request.GET.get("cursor")
    page = page_of(waiting, {"limit": PEOPLE_ON_A_PAGE, "cursor": cursor}, by=NEWEST_FIRST)
    moment = now()
    context = {
        "one": one or Invite(cohorts=cohort_choices(request.actor)),
        "many": many or Invite(cohorts=cohort_choices(request.actor), is_list=True),
        "again": again,
        "invitations": [shown_invitation(row, moment) for row in page.rows],
        "more_url": f"?{urlencode({'cursor': page.next})}" if page.next else None,
        "may_write": may_write(request.actor),
    }
    return render(request, "greenroom/people/invitations.html", context, status=status)


def _administrators(
    request: PortalRequest,
    form: InviteAdministrator,
    *,
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    moment, me = now(), request.actor.party_id
    context = {
        "administrators": [
            shown_administrator(row, me) for row in administrators_of(request.actor)
        ],
        "invitations": [
            shown_invitation(row, moment) for row in administrator_invitations(request.actor)
        ],
        "form": form,
        "refusal": refusal,
    }
    return render(request, "greenroom/people/administrators.html", context, status=status)


def _said(form: Invite, refusal: Refusal) -> Invite:
    """The refusal beside its field; that of the file beside the file."""
    field = "file" if refusal.field == "csv" else refusal.field
    form.add_error(field if field in form.fields else None, refusal.sentence)
    return form


urlpatterns = [
    path("people/invitations", invitations, name="invitations"),
    path("people/invitations/one", invite_one, name="invite-one"),
    path("people/invitations/list", invite_list, name="invite-list"),
    path("people/invitations/<str:invitation>/resend", resend, name="resend-invitation"),
    path("people/invitations/<str:invitation>/revoke", revoke, name="revoke-invitation"),
    path("administrators", administrators, name="administrators"),
    path("administrators/<str:party>/end", close_administrator, name="end-administrator"),
]
