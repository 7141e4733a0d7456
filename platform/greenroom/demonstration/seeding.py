"""Making the demonstration, and leaving it alone when it is there.

The sheet holds what the database cannot give back: passwords and tokens. Who stands in both
stays as they are; whoever is missing in one of them gets a new password and a new token.
"""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.db import transaction

from accounts.agreements.commands import answer_agreement, publish_agreement
from accounts.agreements.models import Acceptance
from accounts.agreements.queries import agreement_in_force, governing_acceptance
from accounts.calendars.commands import publish_calendar
from accounts.calendars.queries import calendar_in_force
from accounts.credentials.commands import end_other_sessions, issue_token
from accounts.credentials.queries import actor_by_token
from accounts.credentials.rules import TOKEN_SCOPES, USUAL_LIFE_DAYS
from accounts.people.models import Person, PersonalDetail
from accounts.programmes.commands import (
    ParticularsWish,
    add_member,
    make_programme,
    open_programme,
)
from accounts.programmes.models import Programme
from accounts.programmes.queries import membership_of
from accounts.quotas.commands import grant_budget
from accounts.quotas.models import Budget, Kind
from core.audit.commands import record
from core.ids import ALPHABET
from generation.catalogue.commands import USUAL_CLIP_CREDITS, offer_still_model
from generation.shipped.commands import offer_shipped_model, offer_shipped_styles
from greenroom.demonstration import sheet
from greenroom.demonstration.cast import CAST, HERE, NEXT_DOOR, House, Part
from greenroom.demonstration.policy import FUNDING, WEEK
from greenroom.demonstration.sheet import SignIn
from greenroom.demonstration.terms import SUMMARY, TEXT
from greenroom.setup.commands import keep_defaults
from review.ledger.commands import record_funding_at_the_machine

CLIPS = 50
CREDITS = CLIPS * USUAL_CLIP_CREDITS


def seed(path: Path) -> int:
    """Make what is missing; returns how many sign-ins were made new."""
    kept = sheet.read(path)
    offer_still_model()
    offer_shipped_model()
    offer_shipped_styles()
    new = {part.email: _password() for part in CAST if not _is_known(part, kept)}
    hashes = _hashed(new)
    with transaction.atomic():
        programmes = {house: _programme(house) for house in (HERE, NEXT_DOOR)}
        people = [
            _sign_in(part, _person(part, hashes), programmes[part.house], new, kept)
            for part in CAST
        ]
    if kept != {each.email: each for each in people}:
        sheet.write(path, people)
    return len(new)


def _is_known(part: Part, kept: dict[str, SignIn]) -> bool:
    """Whether the sheet's entry is about this very person, in this very database.

    Its token says so at the price of one query; a password only where the token has ended.
    """
    person = Person.objects.filter(email=part.email).first()
    entry = kept.get(part.email)
    if person is None or entry is None:
        return False
    actor = actor_by_token(entry.token)
    if actor is not None:
        return actor.party_id == person.party_id
    return person.check_password(entry.password)


def _password() -> str:
    """Eighty random bits, in groups that can be typed."""
    signs = "".join(secrets.choice(ALPHABET) for _place in range(16))
    return "-".join(signs[start : start + 4] for start in range(0, 16, 4))


def _hashed(passwords: dict[str, str]) -> dict[str, str]:
    # A third of a second each, on purpose; two threads, since the work is done outside the GIL.
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(passwords, pool.map(make_password, passwords.values()), strict=True))


def _programme(house: House) -> Programme:
    """With everything that a programme begins with: each only where nothing is decided yet."""
    programme = Programme.objects.filter(slug=house.slug).first()
    if programme is None:
        programme = make_programme(
            slug=house.slug, wish=ParticularsWish(house.name), is_demonstration=True
        )
    if agreement_in_force(programme.id) is None:
        publish_agreement(programme_id=programme.id, text=TEXT, summary=SUMMARY)
    if calendar_in_force(programme.id) is None:
        publish_calendar(programme_id=programme.id, week=WEEK, holidays=[])
    members = sum(part.house == house for part in CAST)
    is_new = not Budget.objects.filter(programme=programme, party=None, kind=Kind.CREDITS).exists()
    if is_new:
        grant_budget(programme_id=programme.id, kind=Kind.CREDITS, limit=members * CREDITS)
    keep_defaults(programme_id=programme.id)
    if not Budget.objects.filter(programme=programme, kind=Kind.MONEY).exists():
        record_funding_at_the_machine(
            programme_id=programme.id, amount_micro=FUNDING, words="For the demonstration"
        )
    # Its people come next; whoever closed it later finds it closed.
    return open_programme(programme_id=programme.id) if is_new else programme


def _person(part: Part, hashes: dict[str, str]) -> Person:
    person = Person.objects.filter(email=part.email).first()
    if person is None:
        person = Person.objects.create_user(part.email, is_demonstration=True)
        EmailAddress.objects.create(user=person, email=part.email, primary=True, verified=True)
        PersonalDetail.objects.filter(person=person).update(display_name=part.name)
        record("person.made", subject=("party", person.party_id))
    if part.email in hashes:
        person.password = hashes[part.email]
        person.save(update_fields=["password"])
        end_other_sessions(party_id=person.party_id, keep=None, reason="password_changed")
    return person


def _sign_in(
    part: Part,
    person: Person,
    programme: Programme,
    new: dict[str, str],
    kept: dict[str, SignIn],
) -> SignIn:
    _seat(part, person, programme)
    entry = kept.get(part.email)
    password = new.get(part.email) or (entry.password if entry else "")
    actor = actor_by_token(entry.token) if entry else None
    # A token of an earlier version may carry fewer scopes, and scopes are never added to one.
    if entry and actor and actor.scopes >= set(TOKEN_SCOPES) and part.email not in new:
        return SignIn(part.role, part.email, password, entry.token)
    token = issue_token(
        party_id=person.party_id,
        programme_id=programme.id,
        name="demonstration",
        scopes=TOKEN_SCOPES,
        days=USUAL_LIFE_DAYS,
    )
    return SignIn(part.role, part.email, password, token)


def _seat(part: Part, person: Person, programme: Programme) -> None:
    """Membership, role, agreement, credits: each only where it is not there yet."""
    if membership_of(programme.id, person.party_id) is None:
        add_member(programme_id=programme.id, party_id=person.party_id, roles=[part.holds])
    if not Budget.objects.filter(
        programme=programme, party_id=person.party_id, kind=Kind.CREDITS
    ).exists():
        grant_budget(
            programme_id=programme.id,
            party_id=person.party_id,
            kind=Kind.CREDITS,
            limit=CREDITS,
        )
        _accept(person, programme)


def _accept(person: Person, programme: Programme) -> None:
    version = agreement_in_force(programme.id)
    if version is None or governing_acceptance(programme.id, person.party_id):
        return
    answer_agreement(
        programme_id=programme.id,
        party_id=person.party_id,
        number=version.number,
        act=Acceptance.Act.ACCEPTED,
        credential_id=None,
    )
