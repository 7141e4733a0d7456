"""Talk to a person: with the programme's managers; and for them, with everybody who asks."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from accounts.conversations.commands import OnesOwnManager, write_remark
from accounts.conversations.models import Remark
from accounts.conversations.queries import (
    conversation_about,
    conversation_for,
    conversations_of,
    conversations_to_answer,
    conversations_waiting,
    may_answer,
    readers_of,
    remarks_of,
)
from accounts.conversations.rules import LONGEST_REMARK
from accounts.credentials.doors import PortalRequest, signed_in
from core.api import page_of
from core.errors import Refusal
from core.idempotency.commands import AlreadyAnswered, Once
from core.ids import shown
from generation.clips.models import Clip
from greenroom.conversations.queries import clip_to_talk_about
from greenroom.conversations.words import (
    ShownConversation,
    shown_conversation,
    shown_conversations,
    shown_remarks,
)

ON_A_PAGE = 20
REMARKS_ON_A_PAGE = 200
MINE, WAITING, ALL = "mine", "waiting", "all"


class NewRemark(forms.Form):
    """How long it may be is the command's to judge: a browser would cut a long text in silence."""

    words = forms.CharField(
        label=gettext_lazy("Your message"), widget=forms.Textarea(attrs={"rows": 5})
    )
    # One form sends once, however often it is pressed.
    once = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["words"].help_text = _(
            "At most %(most)s characters, plain text. Once sent it cannot be changed."
        ) % {"most": LONGEST_REMARK}


@require_GET
@signed_in
def conversations(request: PortalRequest) -> HttpResponse:
    show = _shown_list(request)
    rows: Any = conversations_of(request.actor)
    by: tuple[str, ...] = ("-last_at", "-id")
    if show == ALL:
        rows, by = conversations_to_answer(request.actor), ("-waits", "-last_at", "-id")
    elif show == WAITING:
        rows, by = conversations_waiting(request.actor), ("last_at", "id")
    page = page_of(rows, {"limit": ON_A_PAGE, "cursor": request.GET.get("cursor")}, by=by)
    context = {
        "conversations": shown_conversations(page.rows, request.actor),
        "more_url": f"?{urlencode({'show': show, 'cursor': page.next})}" if page.next else None,
        "show": show,
        "may_answer": may_answer(request.actor),
    }
    return render(request, "conversations/conversations.html", context)


@require_http_methods(["GET", "POST"])
@signed_in
def new_conversation(request: PortalRequest) -> HttpResponse:
    """About a clip that ``clip`` names, or about anything; the one there is, where it was begun."""
    wanted = request.GET.get("clip", "")
    clip = clip_to_talk_about(request.actor, wanted) if wanted else None
    party_id = clip.party_id if clip else request.actor.party_id
    begun = conversation_about(request.actor, clip.id if clip else None, party_id)
    if request.method == "GET":
        if begun is not None:
            return redirect("conversation", shown("conversation", begun.id))
        return _first_look(request, clip, is_own=party_id == request.actor.party_id)
    form = NewRemark(request.POST)
    if not form.is_valid():
        return _begin(request, clip, form, status=422)
    try:
        remark = write_remark(
            actor=request.actor,
            words=form.cleaned_data["words"],
            clip_id=clip.id if clip else None,
            party_id=party_id,
            once=_once(request, form),
            answer=_kept,
        )
    except AlreadyAnswered as first:
        return redirect("conversation", first.body["conversation"])
    except Refusal as refusal:
        refused = _refused(form, refusal)
        return _begin(request, clip, form, refusal=refused, status=refusal.http_status)
    return _sent(request, shown("conversation", remark.conversation_id))


@require_http_methods(["GET", "POST"])
@signed_in
def conversation_page(request: PortalRequest, conversation: str) -> HttpResponse:
    found = conversation_for(request.actor, conversation)
    if request.method == "GET":
        return _page(request, found, _blank())
    form = NewRemark(request.POST)
    if not form.is_valid():
        return _page(request, found, form, status=422)
    try:
        write_remark(
            actor=request.actor,
            words=form.cleaned_data["words"],
            conversation_id=conversation,
            once=_once(request, form),
            answer=_kept,
        )
    except AlreadyAnswered:
        return redirect("conversation", conversation)
    except Refusal as refusal:
        refused = _refused(form, refusal)
        return _page(request, found, form, refusal=refused, status=refusal.http_status)
    return _sent(request, conversation)


def _first_look(request: PortalRequest, clip: Clip | None, *, is_own: bool) -> HttpResponse:
    if is_own and may_answer(request.actor):
        messages.info(request, OnesOwnManager().sentence)
        return redirect("conversations")
    return _begin(request, clip, _blank())


def _sent(request: PortalRequest, public_id: str) -> HttpResponse:
    messages.success(request, _("Sent."))
    return redirect("conversation", public_id)


def _page(
    request: PortalRequest,
    found: Any,
    form: NewRemark,
    *,
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    conversation = shown_conversation(found, request.actor)
    page = page_of(
        remarks_of(found).select_related("author__person__detail"),
        {"limit": REMARKS_ON_A_PAGE, "cursor": request.GET.get("cursor")},
        by=("at", "id"),
    )
    context = {
        "conversation": conversation,
        "remarks": shown_remarks(page.rows, conversation, request.actor),
        "more_url": f"?{urlencode({'cursor': page.next})}" if page.next else None,
        "form": form,
        "refusal": refusal,
        "readers": _readers(request, conversation),
    }
    return render(request, "conversations/conversation.html", context, status=status)


def _begin(
    request: PortalRequest,
    clip: Clip | None,
    form: NewRemark,
    *,
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    is_mine = clip is None or clip.party_id == request.actor.party_id
    action = reverse("new-conversation")
    context = {
        "clip": {"id": shown("clip", clip.id), "prompt": clip.prompt} if clip else None,
        "is_mine": is_mine,
        "action": f"{action}?{urlencode({'clip': shown('clip', clip.id)})}" if clip else action,
        "form": form,
        "refusal": refusal,
        "readers": readers_of(request.actor.programme) if is_mine else [],
    }
    return render(request, "conversations/new.html", context, status=status)


def _readers(request: PortalRequest, conversation: ShownConversation) -> list[str]:
    return readers_of(request.actor.programme) if conversation.is_mine else []


def _shown_list(request: PortalRequest) -> str:
    if not may_answer(request.actor):
        return MINE
    asked = request.GET.get("show", "")
    return asked if asked in (MINE, WAITING) else ALL


def _blank() -> NewRemark:
    return NewRemark(initial={"once": uuid4().hex})


def _refused(form: NewRemark, refusal: Refusal) -> Refusal | None:
    """The refusal, unless it belongs beside its field."""
    if refusal.field not in form.fields:
        return refusal
    form.add_error(refusal.field, refusal.sentence)
    return None


def _once(request: PortalRequest, form: NewRemark) -> Once:
    return Once.of(
        scope=f"{request.actor.party_id}:{request.actor.programme}:remark",
        key=form.cleaned_data["once"],
        payload=[request.get_full_path(), form.cleaned_data["words"]],
    )


def _kept(remark: Remark) -> tuple[int, dict[str, str]]:
    return 303, {"conversation": shown("conversation", remark.conversation_id)}


urlpatterns = [
    path("conversations", conversations, name="conversations"),
    path("conversations/new", new_conversation, name="new-conversation"),
    path("conversations/<str:conversation>", conversation_page, name="conversation"),
]
