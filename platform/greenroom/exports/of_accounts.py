"""Who somebody is here, where they belong, what they agreed to, what they act with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db.models import Prefetch

from accounts.administrators.models import Administrator
from accounts.agreements.commands import issue_receipt
from accounts.agreements.models import Acceptance, AgreementView
from accounts.announcements.models import Announcement
from accounts.cohorts.models import CohortSeat
from accounts.consents.models import ConsentAct
from accounts.conversations.models import Conversation, Remark
from accounts.conversations.rules import Speaker
from accounts.credentials.models import Credential
from accounts.credentials.queries import Actor
from accounts.notices.models import Notice
from accounts.people.models import Person
from accounts.post.models import PostPreference
from accounts.programmes.models import Membership, RoleGrant
from accounts.quotas.models import Budget
from accounts.webhooks.models import WebhookEndpoint
from core.ids import shown
from greenroom.exports.documents import Row, each, id_of, reader_of


def profile(reader: Actor) -> Iterator[Row]:
    person = Person.objects.select_related("detail").filter(party_id=reader.party_id).first()
    if person is None:
        return
    detail = person.detail
    yield {
        "party": shown("party", person.party_id),
        "email": person.email,
        "made_at": person.made_at,
        "last_login": person.last_login,
        "is_active": person.is_active,
        "display_name": detail.display_name,
        "credit_name": detail.credit_name,
        "language": detail.language,
        "languages": detail.languages,
        "theme": detail.theme,
        "time_zone": detail.time_zone,
        "contact": detail.contact,
        "country": detail.country,
        "mail_bounced_at": detail.mail_bounced_at,
        "addresses": [
            {"email": one.email, "verified": one.verified, "primary": one.primary}
            for one in EmailAddress.objects.filter(user=person).order_by("id")
        ],
        "ways_of_signing_in": [_way(one) for one in Authenticator.objects.filter(user=person)],
        "groups": list(person.groups.values_list("name", flat=True)),
        "permissions": list(person.user_permissions.values_list("codename", flat=True)),
        "mail": [
            {"topic": one.topic, "way": one.way}
            for one in PostPreference.objects.filter(party_id=reader.party_id).order_by("topic")
        ],
    }


def memberships(reader: Actor) -> Iterator[Row]:
    grants = RoleGrant.objects.order_by("granted_at", "id")
    seats = CohortSeat.objects.select_related("cohort").order_by("joined_at", "id")
    mine = (
        Membership.objects.filter(party_id=reader.party_id)
        .select_related("programme")
        .prefetch_related(Prefetch("grants", queryset=grants), Prefetch("seats", queryset=seats))
        .order_by("joined_at", "id")
    )
    for one in each(mine):
        yield {
            **_programme(one),
            "joined_at": one.joined_at,
            "ended_at": one.ended_at,
            "roles": [
                {
                    "role": grant.role,
                    "granted_at": grant.granted_at,
                    "expires_at": grant.expires_at,
                    "ended_at": grant.ended_at,
                }
                for grant in one.grants.all()
            ],
            "cohorts": [
                {"name": seat.cohort.name, "joined_at": seat.joined_at, "ended_at": seat.ended_at}
                for seat in one.seats.all()
            ],
        }
    for right in Administrator.objects.filter(party_id=reader.party_id):
        yield {
            "programme": None,
            "name": "",
            "joined_at": None,
            "ended_at": right.ended_at,
            "roles": [{"role": "administrator", "ended_at": right.ended_at}],
            "cohorts": [],
        }


def agreements(reader: Actor) -> Iterator[Row]:
    """Each answer with what was answered, signed: it verifies without this house."""
    answers = Acceptance.objects.filter(party_id=reader.party_id).select_related("version")
    views = dict(
        AgreementView.objects.filter(party_id=reader.party_id).values_list("version_id", "at")
    )
    for one in each(answers.order_by("at", "id")):
        signed_for = reader_of(reader.party_id, one.version.programme_id)
        yield {
            "programme": shown("programme", one.version.programme_id),
            "number": one.version.number,
            "act": one.act,
            "at": one.at,
            "viewed_at": views.get(one.version_id),
            "receipt": issue_receipt(actor=signed_for, acceptance_id=shown("acceptance", one.id)),
        }


def consents(reader: Actor) -> Iterator[Row]:
    acts = ConsentAct.objects.filter(party_id=reader.party_id).select_related("version")
    for one in each(acts.order_by("at", "id")):
        yield {
            "programme": shown("programme", one.programme_id),
            "purpose": one.purpose,
            "clip": id_of("clip", one.clip_id),
            "deed": one.deed,
            "at": one.at,
            "version": one.version.number,
            "words": one.version.words,
        }


def credentials(reader: Actor) -> Iterator[Row]:
    """Names and dates; the secrets are nowhere."""
    for one in each(
        Credential.objects.filter(party_id=reader.party_id).order_by("minted_at", "id")
    ):
        yield {
            "id": shown("credential", one.id),
            "kind": one.kind,
            "key_id": one.key_id,
            "programme": id_of("programme", one.programme_id),
            "name": one.name,
            "reason": one.reason,
            "scopes": one.scopes,
            "state": one.state,
            "made_at": one.minted_at,
            "signed_in_by": one.minted_auth_method,
            "expires_at": one.expires_at,
            "last_used_at": one.last_used_at,
            "ended_at": one.ended_at,
            "ended_reason": one.ended_reason,
        }


def webhooks(reader: Actor) -> Iterator[Row]:
    """Where somebody's events go; what was sent is told of its things themselves."""
    for one in each(
        WebhookEndpoint.objects.filter(party_id=reader.party_id).order_by("made_at", "id")
    ):
        yield {
            "id": shown("webhook_endpoint", one.id),
            "programme": shown("programme", one.programme_id),
            "name": one.name,
            "address": one.url,
            "event_types": one.event_types,
            "state": one.state,
            "disabled_reason": one.disabled_reason,
            "made_at": one.made_at,
            "changed_at": one.changed_at,
        }


def quotas(reader: Actor) -> Iterator[Row]:
    for one in each(Budget.objects.filter(party_id=reader.party_id).order_by("made_at", "id")):
        yield {
            "programme": shown("programme", one.programme_id),
            "kind": one.kind,
            "limit": one.limit,
            "reserved": one.reserved,
            "spent": one.spent,
        }


def notices(reader: Actor) -> Iterator[Row]:
    for one in each(Notice.objects.filter(party_id=reader.party_id).order_by("at", "id")):
        yield {
            "id": shown("notice", one.id),
            "kind": one.kind,
            "subject": id_of(one.subject_kind, one.subject_id),
            "at": one.at,
            "read_at": one.read_at,
        }


def announcements(reader: Actor) -> Iterator[Row]:
    """Those that reached this person; who wrote them is left out."""
    told = dict(
        Notice.objects.filter(party_id=reader.party_id, subject_kind="announcement").values_list(
            "subject_id", "read_at"
        )
    )
    for one in each(Announcement.objects.filter(id__in=told).order_by("made_at", "id")):
        yield {
            "id": shown("announcement", one.id),
            "programme": shown("programme", one.programme_id),
            "title": one.title,
            "words": one.words,
            "made_at": one.made_at,
            "read_at": told[one.id],
        }


def conversations(reader: Actor) -> Iterator[Row]:
    """One's own with the answers, by role; for managers, what they answered and nothing else."""
    remarks = Remark.objects.order_by("at", "id")
    mine = Conversation.objects.filter(party_id=reader.party_id).prefetch_related(
        Prefetch("remarks", queryset=remarks)
    )
    for one in each(mine.order_by("opened_at", "id")):
        yield {
            "id": shown("conversation", one.id),
            "programme": shown("programme", one.programme_id),
            "clip": id_of("clip", one.clip_id),
            "opened_at": one.opened_at,
            "remarks": [_remark(remark) for remark in one.remarks.all()],
        }
    answered = remarks.filter(author_id=reader.party_id, role=Speaker.MANAGER)
    for said in each(answered.select_related("conversation")):
        yield {
            "id": shown("conversation", said.conversation_id),
            "programme": shown("programme", said.conversation.programme_id),
            "clip": None,
            "opened_at": None,
            "remarks": [_remark(said)],
        }


def said_to_all(reader: Actor) -> Iterator[Row]:
    """What this person announced."""
    for one in each(Announcement.objects.filter(made_by_id=reader.party_id).order_by("made_at")):
        yield {
            "announcement": shown("announcement", one.id),
            "programme": shown("programme", one.programme_id),
            "title": one.title,
            "words": one.words,
            "at": one.made_at,
        }


def _remark(remark: Remark) -> Row:
    return {
        "id": shown("remark", remark.id),
        "role": remark.role,
        "words": remark.words,
        "at": remark.at,
    }


def _programme(membership: Membership) -> Row:
    programme = membership.programme
    return {"programme": shown("programme", programme.id), "name": programme.name}


def _way(authenticator: Any) -> Row:
    """What is public of it: its kind, and what its owner called a passkey."""
    name = authenticator.data.get("name", "") if authenticator.type == "webauthn" else ""
    return {
        "type": authenticator.type,
        "name": name,
        "made_at": authenticator.created_at,
        "last_used_at": authenticator.last_used_at,
    }
