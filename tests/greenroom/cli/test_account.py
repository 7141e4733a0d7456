"""Quota, money, tokens, models and styles, typed."""

from __future__ import annotations

import pytest

from accounts.credentials.models import Credential
from accounts.webhooks.commands import make_webhook
from core.ids import shown
from greenroom.cli.account import money
from greenroom.cli.outcomes import Exit
from greenroom.cli.screen import harmless
from stage.builders import a_job, a_model
from stage.cast import give_credits
from stage.money import a_rate, an_earning

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_quota_is_told_in_credits(mine, tester):
    give_credits(tester, 40)
    a_job(tester)
    said = mine("quota", "--json").json
    assert (said["limit"], said["reserved"], said["left"]) == (40, 1, 39)
    assert mine("quota").out.splitlines()[0].split() == ["left", "39", "credits"]


def test_earnings_are_told_exactly_and_line_by_line(mine, tester, reviewer):
    a_rate(tester.programme.id, amount_micro=25_120_000)
    an_earning(tester, reviewer)
    said = mine("earnings", "--lines", "--json").json
    assert said["earned_micro"] == said["lines"][0]["amount_micro"] == 25_120_000
    assert "25.12 EUR" in mine("earnings").out
    assert len(mine("earnings", "--lines").out.splitlines()) == 4


@pytest.mark.parametrize(
    ("micro", "shown"),
    [(0, "0.00"), (25_120_000, "25.12"), (-1, "-0.000001"), (1_500_000, "1.50")],
)
def test_money_is_shown_to_the_micro_unit(micro, shown):
    assert money(micro, "EUR") == f"{shown} EUR"


def test_tokens_are_listed_and_revoked_by_their_key_id(mine, tester, second_tester):
    other = tester.token(name="the other")
    theirs = second_tester.token()
    assert "the other" in mine("tokens").out
    assert len(mine("tokens", "--json").json["items"]) == 2
    said = mine("tokens", "--revoke", other[6:18], "--json")
    assert (said.exit, said.json["state"]) == (Exit.DONE, "revoked")
    assert mine("tokens", "--revoke", theirs[6:18]).exit == Exit.NOT_FOUND
    assert Credential.objects.get(key_id=theirs[6:18]).state == "active"


def test_a_token_without_the_scope_is_refused_with_its_code(shell, tester):
    said = shell.as_member(tester, "clips:read")("earnings", "--json")
    assert said.exit == Exit.REFUSED
    assert said.json["error"]["code"] == "wrong_scope"
    assert said.json["error"]["status"] == 403


def test_models_and_styles_are_listed(mine):
    a_model()
    assert mine("models").out.split()[0] == "still"
    assert mine("models", "--json").json["items"][0]["slug"] == "still"
    assert mine("styles", "--json").json == {"items": []}


def test_a_refusal_names_the_fields_once(mine):
    a_model()
    said = mine("create", "boat", "--size", "9x9", "--json")
    assert said.exit == Exit.REFUSED
    assert said.err.count(said.json["error"]["sentence"].splitlines()[0]) == 1


def test_words_from_elsewhere_do_not_steer_the_terminal():
    words = harmless("a\x1b]0;title\x07 boat\x9b2J\r\x1b[31mred\x1b[0m\ttwo\nlines")
    assert words == "a]0;title boat2J\x1b[31mred\x1b[0mtwo\nlines"


def test_webhooks_are_listed_and_tried(mine, tester, receiver):
    made, _secret = make_webhook(
        actor=tester.actor, name="my tool", address=receiver.url, event_types=["video.completed"]
    )
    webhook = shown("webhook_endpoint", made.id)
    assert mine("webhooks").out.split()[:2] == [webhook, "enabled"]
    tried = mine("webhooks", "--try", webhook, "--json")
    assert tried.exit == Exit.DONE, tried.err
    assert (tried.exit, tried.json["state"]) == (Exit.DONE, "delivered")
    assert len(receiver.arrived) == 1
    assert mine("webhooks", "--try", "whk_" + "0" * 26).exit == Exit.NOT_FOUND
    assert mine("webhooks", "--try", "tool").exit == Exit.USAGE
    receiver.usual = b"HTTP/1.1 500 Broken\r\n\r\n"
    assert mine("webhooks", "--try", webhook).exit == Exit.REFUSED
