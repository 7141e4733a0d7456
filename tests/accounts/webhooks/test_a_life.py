"""A whole life in a programme, told by real commands: each thing under its own event, to its owner
alone, with nothing in it that is somebody else's or nobody's business."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from accounts.credentials.commands import revoke_token
from accounts.notices.models import Notice
from accounts.webhooks.delivering import deliver_due
from accounts.webhooks.events import TABLE, TYPES
from accounts.webhooks.models import WebhookDelivery
from core.ids import PREFIXES, read_id, shown
from core.outbox.commands import deliver
from core.outbox.models import OutboxMessage
from generation.jobs.commands import cancel_job
from stage.builders import a_job
from stage.life import Life, Others, a_life, a_paid_payout
from stage.receiver import heard

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def others(second_tester, reviewer, manager, finance):
    return Others(second_tester, reviewer, manager, finance)


@pytest.fixture
def life(tester, others, clock, hook, receiver) -> Life:
    """Everybody listens from the beginning."""
    hook(tester, *TYPES)
    for other in (others.second_tester, others.reviewer, others.manager, others.finance):
        hook(other, *TYPES, url=f"{receiver.url}&whose=others")
    made = a_life(tester, others, clock)
    a_paid_payout(made, others)
    cancel_job(actor=tester.actor, shown_id=shown("job", a_job(tester).id))
    token = tester.token_actor()
    revoke_token(actor=tester.actor, credential_id=token.credential_id)
    heard()
    deliver_due()
    waiting = WebhookDelivery.objects.filter(state="waiting")
    assert not waiting.exists(), [
        (w.event_type, w.attempts, w.due_at, clock.now()) for w in waiting
    ]
    return made


def bodies(receiver, *, of_others: bool = False):
    found = [each for each in receiver.arrived if ("others" in each.target) is of_others]
    return [json.loads(each.body) for each in found]


def test_each_thing_arrives_under_its_own_event(life, receiver):
    told = Counter(body["type"] for body in bodies(receiver))
    expected = {
        "video.completed",
        "video.failed",
        "review.submitted",
        "review.approved",
        "review.declined",
        "review.appealed",
        "release.published",
        "earning.posted",
        "contribution.accepted",
        "payout.proposed",
        "payout.approved",
        "payout.paid",
        "token.revoked",
    }
    assert expected <= set(told)
    kinds = {each.kind for each in TABLE}
    mine = OutboxMessage.objects.filter(party_id=life.member.party_id, kind__in=kinds)
    sessions = mine.filter(kind="credential.revoked").count() - told["token.revoked"]
    assert sum(told.values()) == mine.count() - sessions, "exactly what was committed"


def test_nothing_in_it_is_anybody_elses_or_nobodys_business(life, others, receiver):
    said = json.dumps(bodies(receiver))
    for other in (others.second_tester, others.reviewer, others.manager, others.finance):
        assert str(other.party_id) not in said
        assert shown("party", other.party_id) not in said
    for word in ("Ada", "Bela", "paper boat", "grm_", "whsec_", "@"):
        assert word not in said
    assert max(len(each.body) for each in receiver.arrived) < 1000


def test_nobody_else_is_told_of_it(life, receiver):
    told = json.dumps(bodies(receiver, of_others=True))
    for body in bodies(receiver):
        assert body["data"]["id"] not in told
        assert body["id"] not in told


def test_every_id_is_one_of_this_house(life, receiver):
    things = {prefix: thing for thing, prefix in PREFIXES.items()} | {"video": "job"}
    for body in bodies(receiver):
        ids = [body["id"], body["data"]["id"], *filter(None, [body["data"].get("clip")])]
        for text in ids:
            thing = things[text.partition("_")[0]]
            assert read_id(thing, f"{PREFIXES[thing]}_{text.partition('_')[2]}") is not None


def test_the_owner_reads_in_their_inbox_that_a_webhook_was_turned_off(
    tester, hook, receiver, clock
):
    webhook, _ = hook(tester)
    receiver.usual = b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"
    cancel_job(actor=tester.actor, shown_id=shown("job", a_job(tester).id))
    heard()
    deliver_due()
    while deliver("notices"):
        pass
    inbox = tester.client.get("/inbox").content.decode()
    assert "Your webhook “my tool” was turned off. Its page says why." in inbox
    notice = Notice.objects.get(kind="webhook.disabled")
    answer = tester.client.get(f"/inbox/{shown('notice', notice.id)}")
    assert answer.headers["Location"].endswith(f"/webhooks/{webhook}")
