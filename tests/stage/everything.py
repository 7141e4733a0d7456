"""A programme with everybody in it and one of everything, for tables over all addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from accounts.administrators.models import Administrator
from accounts.announcements.models import Announcement
from accounts.cohorts.models import Cohort, CohortSeat
from accounts.consents.models import ConsentAct, ConsentVersion
from accounts.conversations.commands import write_remark
from accounts.credentials.models import Credential
from accounts.exports.models import Export
from accounts.invitations.commands import invite_person
from accounts.invitations.models import Invitation
from accounts.notices.models import Notice
from accounts.programmes.models import Role
from accounts.programmes.rules import ADMINISTRATOR
from accounts.webhooks.commands import make_webhook
from accounts.webhooks.models import WebhookDelivery
from core.ids import new_id, shown
from core.outbox.commands import deliver
from generation.placement.models import Device
from review.releases.commands import make_share_link, release_clip
from review.releases.models import Release
from review.submissions.models import Submission
from stage.builders import a_clip, a_programme, a_reference
from stage.cast import JsonClient, Member, a_member, api_of
from stage.clock import Clock
from stage.database import Database
from stage.money import a_contribution, a_funding, a_payout, a_rate, an_earning
from stage.network import free_port
from stage.review import a_decision, a_submission, open_review

# What the gaps in addresses hold.
KINDS = {
    "acceptance_id": "acceptance",
    "act_id": "consent_act",
    "announcement_id": "announcement",
    "case_id": "case",
    "clip_id": "clip",
    "cohort": "cohort",
    "contribution": "contribution",
    "conversation": "conversation",
    "credit_line_id": "credit_line",
    "delivery": "webhook_delivery",
    "device": "device",
    "export": "export",
    "invitation": "invitation",
    "job_id": "job",
    "link_id": "share_link",
    "notice_id": "notice",
    "party": "party",
    "payout": "payout",
    "reference_id": "reference",
    "release_id": "release",
    "submission_id": "submission",
    "token": "credential",
    "transaction": "transaction",
    "webhook": "webhook_endpoint",
    "webhook_endpoint_id": "webhook_endpoint",
}
SLUG = "slug"  # of a programme, which is named by its word and not by an id


def absent_ids() -> dict[str, str]:
    return {SLUG: "nowhere", **{name: shown(kind, new_id()) for name, kind in KINDS.items()}}


class House:
    """A programme with everybody in it and one of everything of the tester's, or that staff have
    about them. Committed once: no test of the table leaves a trace in it."""

    def __init__(self, clock: Clock) -> None:
        studio = a_programme("studio")
        self.cast = {role: a_member(studio, Role(role), name=role) for role in Role.values}
        self.cast[ADMINISTRATOR] = a_member(studio, name="administrator")
        Administrator.objects.create(party=self.cast[ADMINISTRATOR].party)
        self.cast["second_tester"] = a_member(studio, Role.TESTER, name="second tester")
        self.cast["stranger"] = a_member(a_programme("elsewhere"), Role.TESTER, name="stranger")
        self.tokens = {name: member.token() for name, member in self.cast.items()}
        self.ids = self._reviewed(clock) | self._owned() | self._told() | self._of_money()

    @property
    def tester(self) -> Member:
        return self.cast["tester"]

    def shown(self, path: str) -> dict[str, str]:
        """The ids that the path asks for."""
        names = (name for name in re.findall(r"{(\w+)}", path) if name in KINDS)
        ids = {name: shown(KINDS[name], self.ids[name]) for name in names}
        return {SLUG: self.tester.programme.slug, **ids}

    def api(self, name: str) -> JsonClient:
        return api_of(self.tokens[name])

    def door(self, name: str, door: str) -> Client:
        """A browser is signed in anew: what it was given in a test is gone with the test."""
        return self.api(name) if door == "api" else replace(self.cast[name]).client

    def _reviewed(self, clock: Clock) -> dict[str, UUID]:
        open_review(self.tester.programme)
        a_submission(self.tester)
        decision = a_decision(self.cast["reviewer"], clock)
        release = self._release(decision.chain_id)
        link, _secret = make_share_link(
            actor=self.tester.actor, release_id=shown("release", release.id)
        )
        waiting: Submission = a_submission(self.tester)
        return {
            "release_id": release.id,
            "link_id": link.id,
            "submission_id": waiting.id,
            "case_id": waiting.cases.get().id,
            "credit_line_id": waiting.clip.credit_lines.get().id,
        }

    def _release(self, clip_id: UUID) -> Release:
        return release_clip(actor=self.tester.actor, clip_id=shown("clip", clip_id), title="A boat")

    def _owned(self) -> dict[str, UUID]:
        party = self.tester.party
        token = Credential.objects.get(party_id=party.id, kind="token")
        webhook, _secret = make_webhook(
            actor=self.tester.actor,
            name="my tool",
            address=f"http://127.0.0.1:{free_port()}/",  # nobody listens there
            event_types=["video.completed"],
        )
        clip = a_clip(self.tester)
        while deliver("webhooks"):
            pass
        return {
            "webhook": webhook.id,
            "webhook_endpoint_id": webhook.id,
            "delivery": WebhookDelivery.objects.get().id,
            "clip_id": clip.id,
            "job_id": clip.job_id,
            "device": Device.objects.get().id,
            "reference_id": a_reference(self.tester).id,
            "token": token.id,
            "party": party.id,
            "acceptance_id": party.acceptances.get().id,
            "act_id": self._consent().id,
            "export": Export.objects.create(party=party).id,
        }

    def _consent(self) -> ConsentAct:
        facts: dict[str, Any] = {"programme": self.tester.programme, "purpose": "training"}
        version = ConsentVersion.objects.create(number=1, is_asked=True, words="May we?", **facts)
        return ConsentAct.objects.create(
            version=version, party=self.tester.party, deed="granted", **facts
        )

    def _told(self) -> dict[str, UUID]:
        programme, party = self.tester.programme, self.tester.party
        cohort = Cohort.objects.create(programme=programme, name="Autumn")
        CohortSeat.objects.create(
            cohort=cohort, programme=programme, membership=programme.memberships.get(party=party)
        )
        announcement = Announcement.objects.create(
            programme=programme,
            cohort=cohort,
            title="Tuesday",
            words="We are closed.",
            made_by=self.cast["manager"].party,
        )
        notice = Notice.objects.create(
            id=new_id(),
            party=party,
            kind="token.minted",
            subject_kind="credential",
            subject_id=new_id(),
        )
        invite_person(programme_id=programme.id, email="new@studio.example", role=Role.TESTER)
        return {
            "cohort": cohort.id,
            "announcement_id": announcement.id,
            "notice_id": notice.id,
            "conversation": write_remark(
                actor=self.tester.actor, words="May it be blue?"
            ).conversation_id,
            "invitation": Invitation.objects.get(email="new@studio.example").id,
        }

    def _of_money(self) -> dict[str, UUID]:
        a_rate(self.tester.programme.id)
        an_earning(self.tester, self.cast["reviewer"])
        return {
            "contribution": a_contribution(self.tester).id,
            "payout": a_payout(self.tester, self.cast["finance"]).id,
            "transaction": a_funding(self.cast["finance"]).id,
        }


@pytest.fixture(scope="module", name="house")
def _house(database: Database, django_db_setup: None, django_db_blocker: Any) -> Iterator[House]:
    with django_db_blocker.unblock():
        made = House(Clock(database))
    yield made
    database.reset()
