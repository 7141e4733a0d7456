"""Every list of the API is walked page by page while rows arrive: none twice, none lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from accounts.cohorts.models import Cohort
from accounts.conversations.commands import write_remark
from accounts.credentials.commands import begin_session
from accounts.exports.models import Export
from accounts.invitations.commands import invite_administrator, invite_person
from accounts.notices.models import Notice
from accounts.programmes.models import Role
from accounts.rates.rules import ActKind
from accounts.webhooks.commands import make_webhook
from accounts.webhooks.models import WebhookDelivery
from core.ids import new_id, read_id, shown
from greenroom.api.schema import document
from review.credits.commands import name_person
from review.releases.commands import make_share_link, release_clip
from stage.builders import a_clip, a_job, a_model, a_reference
from stage.cast import Member, a_member, an_administrator
from stage.clock import Clock
from stage.money import a_contribution, a_funding, a_payout, a_rate, an_earning
from stage.network import free_port
from stage.review import a_decision, a_submission, an_approved_clip, open_review

pytestmark = pytest.mark.django_db

LISTS = {
    path
    for path, methods in document()["paths"].items()
    if any(each["name"] == "cursor" for each in methods.get("get", {}).get("parameters", ()))
}


class Stage:
    """Everybody, and what adds one row to each list. ``ids`` are of what a list is of."""

    def __init__(self, programme: Any, clock: Clock) -> None:
        self.programme, self.clock, self.numbers = programme, clock, count(1)
        self.tester = a_member(programme, Role.TESTER, name="tester")
        self.reviewer = a_member(programme, Role.REVIEWER, name="reviewer")
        self.manager = a_member(programme, Role.MANAGER, name="manager")
        self.finance = a_member(programme, Role.FINANCE, name="finance")
        self.administrator = an_administrator(programme, "administrator")
        self.ids: dict[str, str] = {"party": shown("party", self.tester.party_id)}

    @property
    def number(self) -> int:
        return next(self.numbers)

    def member(self) -> Member:
        return a_member(self.programme, Role.TESTER, name=f"member {self.number}")

    def notice(self) -> None:
        facts = {"kind": "job.finished", "subject_kind": "job", "subject_id": new_id()}
        Notice.objects.create(id=new_id(), party_id=self.tester.party_id, **facts)

    def reviewed(self) -> None:
        if "open" not in self.ids:
            self.ids["open"] = ""
            open_review(self.programme)

    def submission(self) -> Any:
        self.reviewed()
        return a_submission(self.tester)

    def decision(self) -> None:
        self.submission()
        a_decision(self.reviewer, self.clock)

    def release(self) -> Any:
        self.reviewed()
        clip = an_approved_clip(self.tester, self.reviewer, self.clock)
        return release_clip(
            actor=self.tester.actor, clip_id=shown("clip", clip.id), title=f"Boat {self.number}"
        )

    def link(self) -> None:
        if "release_id" not in self.ids:
            self.ids["release_id"] = shown("release", self.release().id)
        make_share_link(actor=self.tester.actor, release_id=self.ids["release_id"])

    def earning(self, member: Member | None = None) -> None:
        if "rate" not in self.ids:
            self.ids["rate"] = ""
            a_rate(self.programme.id)
        an_earning(member or self.tester, self.reviewer)

    def payout(self) -> None:
        if "funds" not in self.ids:
            self.ids["funds"] = ""
            a_funding(self.finance)
        member = self.member()
        self.earning(member)
        a_payout(member, self.finance)

    def credit(self) -> None:
        """One that names the reviewer: somebody whom the maker may name."""
        clip = a_clip(self.tester, seed=self.number)
        name_person(
            actor=self.tester.actor,
            clip_id=shown("clip", clip.id),
            party=shown("party", self.reviewer.party_id),
            role="writer",
        )

    def credit_of_clip(self) -> None:
        if "clip_id" not in self.ids:
            self.ids["clip_id"] = shown("clip", a_clip(self.tester).id)
        name_person(
            actor=self.tester.actor,
            clip_id=self.ids["clip_id"],
            party=shown("party", self.member().party_id),
            role="writer",
        )

    def remark(self) -> None:
        said = write_remark(actor=self.tester.actor, words=f"Question {self.number}")
        self.ids["conversation"] = shown("conversation", said.conversation_id)

    def conversation(self) -> None:
        clip = a_clip(self.tester, seed=self.number)
        write_remark(actor=self.tester.actor, words="And this?", clip_id=clip.id)

    def cohort(self) -> None:
        Cohort.objects.create(programme=self.programme, name=f"Autumn {self.number}")

    def invitation(self) -> None:
        invite_person(
            programme_id=self.programme.id,
            email=f"new{self.number}@studio.example",
            role=Role.TESTER,
        )

    def announcement(self) -> None:
        self.manager.api.post(
            "/api/v1/announcements", {"title": f"News {self.number}", "words": "We are open."}
        )

    def webhook(self) -> str:
        endpoint, _secret = make_webhook(
            actor=self.tester.actor,
            name=f"tool {self.number}",
            address=f"http://127.0.0.1:{free_port()}/",
            event_types=["video.completed"],
        )
        return shown("webhook_endpoint", endpoint.id)

    def delivery(self) -> None:
        if "webhook" not in self.ids:
            self.ids["webhook"] = self.webhook()
        WebhookDelivery.objects.create(
            endpoint_id=read_id("webhook_endpoint", self.ids["webhook"]),
            message_id=new_id(),
            event_type="video.completed",
            subject_id=new_id(),
            body="{}",
        )

    def rate(self) -> None:
        kind = list(ActKind)[self.number % len(ActKind)]
        a_rate(self.programme.id, kind=kind)
        self.clock.advance(seconds=1)

    def export(self) -> None:
        Export.objects.filter(party_id=self.tester.party_id, state="asked").update(state="failed")
        Export.objects.create(party=self.tester.party)


Deed = Callable[[Stage], Any]
MAKERS: dict[str, tuple[str, Deed]] = {
    "jobs": ("tester", lambda s: a_job(s.tester, state="finished", seed=s.number)),
    "clips": ("tester", lambda s: a_clip(s.tester, seed=s.number)),
    "quota/reservations": ("tester", lambda s: a_job(s.tester, state="finished", seed=s.number)),
    "references": ("tester", lambda s: a_reference(s.tester)),
    "tokens": ("tester", lambda s: s.tester.token()),
    "sessions": (
        "tester",
        lambda s: begin_session(party_id=s.tester.party_id, auth_method="password"),
    ),
    "notices": ("tester", Stage.notice),
    "submissions": ("tester", Stage.submission),
    "cases": ("reviewer", Stage.submission),
    "cases/decided": ("reviewer", Stage.decision),
    "releases": ("tester", Stage.release),
    "showcase": ("reviewer", Stage.release),
    "releases/{release_id}/links": ("tester", Stage.link),
    "credits": ("reviewer", Stage.credit),
    "clips/{clip_id}/credits": ("tester", Stage.credit_of_clip),
    "contributions": ("tester", lambda s: a_contribution(s.tester)),
    "contributions/to-triage": ("reviewer", lambda s: a_contribution(s.tester)),
    "earnings/lines": ("tester", Stage.earning),
    "ledger/parties/{party}/lines": ("finance", Stage.earning),
    "ledger/balances": ("finance", lambda s: s.earning(s.member())),
    "ledger/transactions": ("finance", lambda s: a_funding(s.finance)),
    "payouts": ("finance", Stage.payout),
    "programme/rates": ("tester", Stage.rate),
    "announcements": ("tester", Stage.announcement),
    "conversations": ("tester", Stage.conversation),
    "conversations/to-answer": ("manager", Stage.conversation),
    "conversations/{conversation}/remarks": ("tester", Stage.remark),
    "people": ("manager", Stage.member),
    "cohorts": ("manager", Stage.cohort),
    "invitations": ("manager", Stage.invitation),
    "administrators": (
        "administrator",
        lambda s: an_administrator(s.programme, f"administrator {s.number}"),
    ),
    "administrators/invitations": (
        "administrator",
        lambda s: invite_administrator(
            actor=s.administrator.actor, email=f"admin{s.number}@house.example"
        ),
    ),
    "webhooks": ("tester", Stage.webhook),
    "webhooks/{webhook}/deliveries": ("tester", Stage.delivery),
    "exports": ("tester", Stage.export),
}
# The same rows as those of a list above, of a programme that one has left.
WITHOUT = {"left/{slug}/earnings/lines"}


def test_every_list_is_in_the_table():
    named = {f"/api/v1/{path}" for path in (*MAKERS, *WITHOUT)}
    assert named == LISTS


def key_of(item: dict[str, Any]) -> str:
    """Its id; what has none is known by all that does not change when others come."""
    still = {k: v for k, v in item.items() if k not in {"owed_micro", "place", "balance_micro"}}
    return str(item["id"]) if "id" in item else json.dumps(still, sort_keys=True)


@pytest.mark.parametrize("path", MAKERS)
def test_a_list_is_walked_while_rows_arrive(path, programme, clock):
    role, make = MAKERS[path]
    stage = Stage(programme, clock)
    a_model()
    for _ in range(3):
        make(stage)
    member = getattr(stage, role)
    api = member.client if role == "administrator" else member.api
    address = f"/api/v1/{path.format(**stage.ids)}"
    before = {key_of(item) for item in api.get(f"{address}?limit=100").json()["items"]}
    assert len(before) >= 3
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = api.get(f"{address}?limit=2{cursor and f'&cursor={cursor}'}").json()
        seen += [key_of(item) for item in page["items"]]
        cursor = page["next"]
        if len(seen) == 2:
            make(stage)
    assert len(seen) == len(set(seen)), "one was shown twice"
    assert before <= set(seen), "one was lost"


@pytest.mark.parametrize("path", sorted(path for path in LISTS if "{" not in path))
def test_a_filter_that_is_not_offered_is_refused(path, tester, manager, finance, administrator):
    answers = [
        member.client.get(f"{path}?colour=blue")
        for member in (tester, manager, finance, administrator)
    ]
    refused = [answer for answer in answers if answer.status_code == 422]
    assert refused
    assert {answer.status_code for answer in answers} <= {404, 422}
    for answer in refused:
        assert [each["code"] for each in answer.json()["errors"]] == ["field_unknown"]
