"""Deeds against the rules of webhooks: whose they are, what is sent, in what order, its log."""

from __future__ import annotations

from typing import Any

from invariants.deeds import (
    FOREVER,
    Attack,
    Statement,
    change,
    checks,
    clone,
    raised,
    unique,
)
from invariants.world import World

from core.ids import new_id

ENDED = "ended_at = core_now()"


def a_webhook(**other: Any) -> list[Statement]:
    return clone("accounts_webhookendpoint", **{"slot": 2, **other})


def the_webhook(written: str) -> list[Statement]:
    return change("accounts_webhookendpoint", written)


def a_secret(**other: Any) -> list[Statement]:
    return clone("accounts_webhooksecret", "until IS NULL", **other)


def a_delivery(w: World, **other: Any) -> list[Statement]:
    fresh = {"message_id": new_id(), "number": new_id().int >> 66}
    return clone("accounts_webhookdelivery", w.webhooks.delivery("waiting"), **{**fresh, **other})


def the_delivery(w: World, which: str, written: str) -> list[Statement]:
    return change("accounts_webhookdelivery", written, w.webhooks.delivery(which))


WEBHOOKS = [
    checks("a_party_has_ten_webhooks_at_most", lambda _: a_webhook(slot=11)),
    checks("a_webhook_says_why_iff_it_is_off", lambda _: the_webhook("disabled_reason = 'owner'")),
    checks("a_webhook_address_is_http", lambda _: the_webhook("url = 'https://me@example.org'")),
    checks("a_webhook_hears_of_something", lambda _: the_webhook("event_types = '{}'")),
    checks("a_webhook_fails_since_iff_it_fails", lambda _: the_webhook("failures = 1")),
    checks(
        "a_webhook_secret_is_sealed",
        lambda _: clone("accounts_webhooksecret", "until IS NOT NULL", sealed="whsec_c2VjcmV0"),
    ),
    checks("a_webhook_body_is_small", lambda w: a_delivery(w, body="x" * 20_000)),
    checks(
        "a_delivery_ends_iff_it_waits_no_more",
        lambda w: the_delivery(w, "waiting", "state = 'failed'"),
    ),
    checks(
        "only_a_waiting_delivery_is_leased",
        lambda w: the_delivery(w, "in_hand", f"state = 'delivered', {ENDED}"),
    ),
    unique("one_webhook_in_a_slot", lambda _: a_webhook(slot=1)),
    unique("one_secret_of_a_webhook_in_force", lambda _: a_secret()),
    unique(
        "one_delivery_of_an_event_to_a_webhook",
        lambda w: clone(
            "accounts_webhookdelivery",
            w.webhooks.delivery("waiting"),
            number=new_id().int >> 66,
        ),
    ),
    unique(
        "accounts_webhookdelivery_number_key",
        lambda w: clone(
            "accounts_webhookdelivery", w.webhooks.delivery("waiting"), message_id=new_id()
        ),
    ),
    unique("webhook_attempts_are_numbered", lambda _: clone("accounts_webhookattempt")),
    raised("a_webhook_is_a_members", lambda w: a_webhook(party_id=w.stranger.party_id)),
    raised(
        "a_webhook_stays_its_owners",
        lambda w: the_webhook(f"party_id = '{w.second_tester.party_id}'"),
        application_may_try=False,
    ),
    raised(
        "a_webhook_secret_is_what_it_was",
        lambda _: change("accounts_webhooksecret", "sealed = 'another'"),
        application_may_try=False,
    ),
    raised(
        "an_old_secret_counts_for_a_day",
        lambda _: change("accounts_webhooksecret", f"until = '{FOREVER}'"),
    ),
    raised("a_delivery_begins_waiting", lambda w: a_delivery(w, attempts=1)),
    raised(
        "a_delivery_is_what_it_was",
        lambda w: the_delivery(w, "waiting", "body = '{\"id\":1}'"),
        application_may_try=False,
    ),
    raised("webhook_delivery_moves", lambda w: the_delivery(w, "arrived", "state = 'failed'")),
    raised(
        "a_claim_counts_an_attempt",
        lambda w: the_delivery(w, "waiting", "lease_until = core_now() + interval '1 minute'"),
    ),
    raised(
        "a_delivery_is_in_one_hand",
        lambda w: the_delivery(w, "in_hand", "attempts = attempts + 1"),
    ),
    raised(
        "events_of_a_thing_go_in_order",
        lambda w: the_delivery(w, "after_it", "attempts = attempts + 1"),
    ),
    raised(
        "webhook_log_stays",
        lambda w: [
            (f"DELETE FROM accounts_webhookdelivery WHERE {w.webhooks.delivery('arrived')}", {})
        ],
    ),
    raised(
        "webhook_attempts_are_history",
        lambda _: change("accounts_webhookattempt", "status = 200"),
        application_may_try=False,
    ),
]

VARIANTS: list[Attack] = [
    raised(
        "webhook_attempts_are_history",
        lambda _: [("DELETE FROM accounts_webhookattempt", {})],
        application_may_try=False,
    ),
    raised(
        "webhook_log_stays",
        lambda w: [
            (f"DELETE FROM accounts_webhookdelivery WHERE {w.webhooks.delivery('waiting')}", {})
        ],
    ),
    raised(
        "an_old_secret_counts_for_a_day",
        lambda _: clone("accounts_webhooksecret", until=FOREVER),
    ),
    raised(
        "a_claim_counts_an_attempt",
        lambda w: the_delivery(w, "waiting", "attempts = attempts + 2"),
    ),
    raised(
        "a_delivery_begins_waiting",
        lambda w: a_delivery(w, state="delivered", ended_at=FOREVER),
    ),
    raised(
        "a_delivery_is_in_one_hand",
        lambda w: the_delivery(w, "arrived", "attempts = attempts + 1"),
    ),
]
