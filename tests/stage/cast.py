"""The cast, fixed and named by role. Everybody is a member; only testers make clips."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.administrators.commands import make_administrator
from accounts.administrators.queries import administrators_now
from accounts.agreements.commands import answer_agreement
from accounts.agreements.models import Acceptance
from accounts.credentials.commands import begin_session, issue_token
from accounts.credentials.queries import Actor, actor_by_token
from accounts.credentials.rules import TOKEN_SCOPES
from accounts.people.models import Person
from accounts.programmes.commands import add_member
from accounts.programmes.models import Programme, Role
from accounts.programmes.queries import roles_in
from accounts.programmes.rules import ADMINISTRATOR
from accounts.quotas.commands import grant_budget
from accounts.quotas.models import Kind
from stage.builders import CREDITS_OF_A_TESTER, a_programme

PASSWORD = "a quiet rehearsal"
ADDRESS = "localhost:8000"


class JsonClient(APIClient):
    default_format = "json"


@dataclass
class Member:
    """One person in one programme, with everything they act with."""

    person: Person
    programme: Programme
    password: str = field(default=PASSWORD, repr=False)

    @property
    def party_id(self) -> UUID:
        return self.person.party_id

    @property
    def party(self) -> Any:
        return self.person.party

    @property
    def email(self) -> str:
        return self.person.email

    @cached_property
    def actor(self) -> Actor:
        """Signed in to the portal; for commands and queries."""
        return portal_actor(self)

    def token(self, *scopes: str, days: int = 30, name: str = "rehearsal") -> str:
        """The text of a fresh token; without scopes it carries all of them."""
        return issue_token(
            party_id=self.party_id,
            programme_id=self.programme.id,
            name=name,
            scopes=list(scopes) or TOKEN_SCOPES,
            days=days,
        )

    def token_actor(self, *scopes: str, days: int = 30) -> Actor:
        """Who a fresh token speaks for."""
        actor = actor_by_token(self.token(*scopes, days=days))
        assert actor is not None
        return actor

    @cached_property
    def client(self) -> Client:
        """A browser without scripts that is signed in to the portal."""
        return client_of(self.person)

    @cached_property
    def api(self) -> JsonClient:
        """The native API with a token of every scope."""
        return api_of(self.token())


def client_of(person: Person, **options: Any) -> Client:
    client = Client(headers={"host": ADDRESS}, **options)
    client.force_login(person)
    return client


def api_of(token: str | None) -> JsonClient:
    """None: nobody. Bodies are JSON both ways."""
    client = JsonClient(headers={"host": ADDRESS})
    if token is not None:
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def portal_actor(member: Member) -> Actor:
    session = begin_session(party_id=member.party_id, auth_method="password")
    return Actor(
        credential_id=session.id,
        key_id=session.key_id,
        lineage_id=session.lineage_id,
        party_id=member.party_id,
        programme_id=member.programme.id,
        scopes=frozenset(session.scopes),
        roles=_roles(member),
        is_portal=True,
    )


def _roles(member: Member) -> frozenset[str]:
    roles = roles_in(member.programme.id, member.party_id)
    rules = administrators_now().filter(party_id=member.party_id).exists()
    return roles | {ADMINISTRATOR} if rules else roles


def a_member(
    programme: Programme,
    *roles: Role,
    name: str,
    has_accepted: bool = True,
    credits: int | None = None,  # noqa: A002
) -> Member:
    """Anybody else the fixed cast lacks. ``credits`` None: as many as suits the role."""
    person = Person.objects.create_user(
        f"{name.replace(' ', '.')}@{programme.slug}.example", PASSWORD
    )
    add_member(programme_id=programme.id, party_id=person.party_id, roles=list(roles))
    member = Member(person, programme)
    if has_accepted:
        accept(member)
    if credits is None:
        credits = CREDITS_OF_A_TESTER if Role.TESTER in roles else 0  # noqa: A001
    if credits:
        give_credits(member, credits)
    return member


def an_administrator(programme: Programme, name: str) -> Member:
    person = Person.objects.create_user(f"{name.replace(' ', '.')}@house.example", PASSWORD)
    make_administrator(party_id=person.party_id, granted_by=None)
    return Member(person, programme)


def accept(member: Member) -> Acceptance:
    """The newest agreement of the member's programme."""
    return _say(member, Acceptance.Act.ACCEPTED)


def decline(member: Member) -> Acceptance:
    """Say no to it: new work stops."""
    return _say(member, Acceptance.Act.DECLINED)


def _say(member: Member, act: Acceptance.Act) -> Acceptance:
    newest = member.programme.agreements.order_by("-number").first()
    assert newest is not None
    return answer_agreement(
        programme_id=member.programme.id,
        party_id=member.party_id,
        number=newest.number,
        act=act,
        credential_id=None,
    )


def give_credits(member: Member, limit: int) -> None:
    """The member's own budget, exactly this large."""
    grant_budget(
        programme_id=member.programme.id,
        party_id=member.party_id,
        kind=Kind.CREDITS,
        limit=limit,
    )


@pytest.fixture
def programme(db: None) -> Programme:
    return a_programme("studio")


@pytest.fixture
def other_programme(db: None) -> Programme:
    return a_programme("elsewhere")


@pytest.fixture
def tester(programme: Programme) -> Member:
    return a_member(programme, Role.TESTER, name="tester")


@pytest.fixture
def second_tester(programme: Programme) -> Member:
    return a_member(programme, Role.TESTER, name="second tester")


@pytest.fixture
def stranger(other_programme: Programme) -> Member:
    """A tester of another programme, who must see nothing of this one."""
    return a_member(other_programme, Role.TESTER, name="stranger")


@pytest.fixture
def reviewer(programme: Programme) -> Member:
    return a_member(programme, Role.REVIEWER, name="reviewer")


@pytest.fixture
def second_reviewer(programme: Programme) -> Member:
    return a_member(programme, Role.REVIEWER, name="second reviewer")


@pytest.fixture
def finance(programme: Programme) -> Member:
    return a_member(programme, Role.FINANCE, name="finance")


@pytest.fixture
def manager(programme: Programme) -> Member:
    return a_member(programme, Role.MANAGER, name="manager")


@pytest.fixture
def auditor(programme: Programme) -> Member:
    return a_member(programme, Role.AUDITOR, name="auditor")


@pytest.fixture
def administrator(programme: Programme) -> Member:
    """Looks after the installation, as a member of no programme; stands in the usual one."""
    return an_administrator(programme, "administrator")


@pytest.fixture
def second_administrator(programme: Programme) -> Member:
    return an_administrator(programme, "second administrator")


@pytest.fixture
def anybody() -> JsonClient:
    """The native API without a credential."""
    return api_of(None)
