"""What somebody hears of by mail, and that mail to them works again."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.credentials.doors import PortalRequest, signed_in
from accounts.notices.rules import Topic
from accounts.post.commands import choose_ways, mail_again
from accounts.post.queries import choices_of
from accounts.post.rules import ALWAYS_MAILED, Way


@require_http_methods(["GET", "POST"])
@signed_in
def preferences(request: PortalRequest) -> HttpResponse:
    if request.method == "POST":
        choose_ways(actor=request.actor, ways=_chosen(request))
        messages.success(request, _("Saved."))
        return redirect("post-preferences")
    context = {
        "choices": choices_of(request.actor.party_id),
        "ways": Way,
        "address": request.user.email,
    }
    return render(request, "accounts/post/preferences.html", context)


@require_POST
@signed_in
def again(request: PortalRequest) -> HttpResponse:
    mail_again(actor=request.actor)
    messages.success(request, _("From now on mail goes to you again."))
    return redirect("inbox")


def _chosen(request: PortalRequest) -> dict[Topic, Way]:
    said = {topic: request.POST.get(topic.value) for topic in Topic if topic not in ALWAYS_MAILED}
    return {topic: Way(way) for topic, way in said.items() if way in Way.values}


urlpatterns = [
    path("settings/post", preferences, name="post-preferences"),
    path("settings/post/again", again, name="mail-again"),
]
