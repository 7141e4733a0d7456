"""Webhooks in the portal: the list, making and changing one, its secret once, its log."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.credentials.doors import PortalRequest, signed_in
from accounts.webhooks.commands import (
    Change,
    change_webhook,
    make_webhook,
    remove_webhook,
    replay_deliveries,
    replay_delivery,
    rotate_webhook_secret,
)
from accounts.webhooks.delivering import try_webhook
from accounts.webhooks.models import WebhookEndpoint
from accounts.webhooks.queries import deliveries_of, delivery_for, endpoint_for, endpoints_of
from accounts.webhooks.rules import LONGEST_NAME, LONGEST_URL, State
from accounts.webhooks.words import event_groups, said_words, shown_delivery, shown_webhook
from core.api import page_of
from core.errors import KeyReused, Refusal, TooLate
from core.idempotency.commands import AlreadyAnswered, Once
from core.ids import shown

ON_A_PAGE = 20


class WebhookForm(forms.Form):
    """Lengths and limits are the command's to judge; the attributes only help in typing."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("By which you will know it again."),
        widget=forms.TextInput(attrs={"maxlength": LONGEST_NAME, "autocomplete": "off"}),
    )
    address = forms.CharField(
        label=gettext_lazy("Address"),
        help_text=gettext_lazy("Where events are posted to. It begins with https://."),
        widget=forms.TextInput(
            attrs={
                "maxlength": LONGEST_URL,
                "autocomplete": "off",
                "spellcheck": "false",
                "inputmode": "url",
            }
        ),
    )
    event_types = forms.MultipleChoiceField(
        label=gettext_lazy("What it is told of"),
        widget=forms.CheckboxSelectMultiple,
        initial=["video.completed", "video.failed"],
    )
    # One form makes one webhook: loading the next page again must not make a second.
    once = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)

    def __init__(self, scopes: frozenset[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._groups = event_groups(scopes)
        offered = self.fields["event_types"]
        assert isinstance(offered, forms.MultipleChoiceField)
        offered.choices = [choice for _title, inside in self._groups for choice in inside]

    def event_groups(self) -> list[tuple[Any, list[tuple[Any, str]]]]:
        """The checkboxes under their headings, each with the event's own name."""
        boxes = {box.data["value"]: box for box in self["event_types"].subwidgets}
        return [
            (title, [(boxes[type_], type_) for type_, _words in inside])
            for title, inside in self._groups
        ]


@require_GET
@signed_in
def webhooks(request: PortalRequest) -> HttpResponse:
    shown_ones = [shown_webhook(each) for each in endpoints_of(request.actor)]
    return render(request, "accounts/webhooks/webhooks.html", {"webhooks": shown_ones})


@require_http_methods(["GET", "POST"])
@signed_in
def new_webhook(request: PortalRequest) -> HttpResponse:
    scopes = request.actor.scopes
    if request.method == "GET":
        return _ask(request, WebhookForm(scopes, initial={"once": uuid4().hex}))
    form = WebhookForm(scopes, request.POST)
    if not form.is_valid():
        return _ask(request, form, status=422)
    try:
        return _make(request, form.cleaned_data)
    except (AlreadyAnswered, KeyReused):
        messages.warning(
            request, _("That form has made its webhook already, and its secret is not shown twice.")
        )
        return redirect("webhooks")
    except Refusal as refusal:
        return _ask_again(request, form, refusal)


@sensitive_variables("secret")
def _make(request: PortalRequest, wish: dict[str, Any]) -> HttpResponse:
    actor = request.actor
    key = wish.pop("once") or uuid4().hex
    scope = f"{actor.party_id}:{actor.programme}:new-webhook"
    endpoint, secret = make_webhook(
        actor=actor,
        once=Once.of(scope=scope, key=key, payload=wish),
        answer=lambda made: (201, {"id": shown("webhook_endpoint", made.id)}),
        **wish,
    )
    return _show_secret(request, endpoint, secret, status=201)


@require_GET
@signed_in
def webhook_page(request: PortalRequest, webhook: str) -> HttpResponse:
    endpoint = endpoint_for(request.actor, webhook)
    asked = request.GET.get("state", "")
    state = State(asked) if asked in State.values else None
    page = page_of(
        deliveries_of(request.actor, endpoint, state=state),
        {"limit": ON_A_PAGE, "cursor": request.GET.get("cursor")},
        by=("-number",),
    )
    kept = {"state": asked} if state else {}
    context = {
        "webhook": shown_webhook(endpoint),
        "deliveries": [shown_delivery(each) for each in page.rows],
        "more_url": f"?{urlencode({**kept, 'cursor': page.next})}" if page.next else None,
        "states": State,
        "state": state,
    }
    return render(request, "accounts/webhooks/webhook.html", context)


@require_http_methods(["GET", "POST"])
@signed_in
def change_page(request: PortalRequest, webhook: str) -> HttpResponse:
    endpoint = endpoint_for(request.actor, webhook)
    scopes = request.actor.scopes
    if request.method == "GET":
        now_ = {
            "name": endpoint.name,
            "address": endpoint.url,
            "event_types": endpoint.event_types,
        }
        return _ask(request, WebhookForm(scopes, initial=now_), webhook=webhook)
    form = WebhookForm(scopes, request.POST)
    if not form.is_valid():
        return _ask(request, form, webhook=webhook, status=422)
    wish = form.cleaned_data
    try:
        change_webhook(
            actor=request.actor,
            webhook=webhook,
            change=Change(wish["name"], wish["address"], wish["event_types"]),
        )
    except Refusal as refusal:
        return _ask_again(request, form, refusal, webhook=webhook)
    messages.success(request, _("Saved."))
    return redirect("webhook", webhook)


@require_POST
@signed_in
def switch(request: PortalRequest, webhook: str) -> HttpResponse:
    is_on = request.POST.get("state") == "enabled"
    change_webhook(actor=request.actor, webhook=webhook, change=Change(is_on=is_on))
    messages.success(
        request,
        _("It is on: it hears of what happens from now on.")
        if is_on
        else _("It is off: nothing is sent to it any more."),
    )
    return redirect("webhook", webhook)


@require_POST
@signed_in
@sensitive_variables("secret")
def rotate(request: PortalRequest, webhook: str) -> HttpResponse:
    endpoint, secret = rotate_webhook_secret(
        actor=request.actor, webhook=webhook, keep_old="keep_old" in request.POST
    )
    return _show_secret(request, endpoint, secret)


@require_POST
@signed_in
def test(request: PortalRequest, webhook: str) -> HttpResponse:
    """Waits for the answer, a few seconds at most."""
    endpoint = endpoint_for(request.actor, webhook)
    try:
        _tried, said = try_webhook(
            actor=request.actor, webhook=webhook, event_type=endpoint.event_types[0]
        )
    except TooLate as late:
        messages.warning(request, late.sentence)
        return redirect("webhook", webhook)
    tell = messages.success if said.is_fine else messages.error
    tell(request, _("The example was sent. %(answer)s") % {"answer": said_words(said)})
    return redirect("webhook", webhook)


@require_POST
@signed_in
def remove(request: PortalRequest, webhook: str) -> HttpResponse:
    name = endpoint_for(request.actor, webhook).name
    remove_webhook(actor=request.actor, webhook=webhook)
    messages.success(request, _("“%(name)s” is removed.") % {"name": name})
    return redirect("webhooks")


@require_POST
@signed_in
def send_missed(request: PortalRequest, webhook: str) -> HttpResponse:
    try:
        count = replay_deliveries(actor=request.actor, webhook=webhook)
    except TooLate as late:
        messages.warning(request, late.sentence)
        return redirect("webhook", webhook)
    words = ngettext(
        "%(count)s event is sent again.", "%(count)s events are sent again.", count
    ) % {"count": count}
    messages.success(request, words if count else _("Nothing was missed."))
    return redirect("webhook", webhook)


@require_GET
@signed_in
def delivery_page(request: PortalRequest, webhook: str, delivery: str) -> HttpResponse:
    endpoint = endpoint_for(request.actor, webhook)
    found = delivery_for(request.actor, endpoint, delivery)
    context = {"webhook": shown_webhook(endpoint), "delivery": shown_delivery(found)}
    return render(request, "accounts/webhooks/delivery.html", context)


@require_POST
@signed_in
def send_again(request: PortalRequest, webhook: str, delivery: str) -> HttpResponse:
    try:
        replay_delivery(actor=request.actor, webhook=webhook, delivery=delivery)
        messages.success(request, _("It is sent again."))
    except TooLate as late:
        messages.warning(request, late.sentence)
    return redirect("webhook-delivery", webhook, delivery)


@sensitive_variables("secret")
def _show_secret(
    request: PortalRequest, endpoint: WebhookEndpoint, secret: str, *, status: int = 200
) -> HttpResponse:
    """The only page that ever holds the secret; it is not kept by the browser (no-store)."""
    context = {"webhook": shown_webhook(endpoint), "secret": secret}
    return render(request, "accounts/webhooks/secret.html", context, status=status)


def _ask(
    request: PortalRequest,
    form: WebhookForm,
    *,
    webhook: str = "",
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {"form": form, "webhook": webhook, "refusal": refusal}
    return render(request, "accounts/webhooks/form.html", context, status=status)


def _ask_again(
    request: PortalRequest, form: WebhookForm, refusal: Refusal, *, webhook: str = ""
) -> HttpResponse:
    status = refusal.http_status
    if refusal.field in form.fields:
        form.add_error(refusal.field, refusal.sentence)
        return _ask(request, form, webhook=webhook, status=status)
    return _ask(request, form, webhook=webhook, refusal=refusal, status=status)


urlpatterns = [
    path("webhooks", webhooks, name="webhooks"),
    path("webhooks/new", new_webhook, name="new-webhook"),
    path("webhooks/<str:webhook>", webhook_page, name="webhook"),
    path("webhooks/<str:webhook>/change", change_page, name="change-webhook"),
    path("webhooks/<str:webhook>/switch", switch, name="switch-webhook"),
    path("webhooks/<str:webhook>/rotate-secret", rotate, name="rotate-webhook-secret"),
    path("webhooks/<str:webhook>/test", test, name="test-webhook"),
    path("webhooks/<str:webhook>/remove", remove, name="remove-webhook"),
    path("webhooks/<str:webhook>/send-missed", send_missed, name="send-missed"),
    path(
        "webhooks/<str:webhook>/deliveries/<str:delivery>", delivery_page, name="webhook-delivery"
    ),
    path(
        "webhooks/<str:webhook>/deliveries/<str:delivery>/send-again",
        send_again,
        name="send-webhook-again",
    ),
]
