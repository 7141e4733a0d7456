"""The demonstration is made once, for the operator's eyes, and never in production."""

import json
import stat
from collections import Counter

import pytest
from django.core.management import CommandError, call_command

from accounts.agreements.commands import answer_agreement
from accounts.agreements.models import Acceptance
from accounts.agreements.queries import governing_acceptance
from accounts.calendars.queries import calendar_in_force
from accounts.credentials.models import Credential
from accounts.credentials.queries import actor_by_token
from accounts.credentials.rules import TOKEN_SCOPES
from accounts.people.models import Person
from accounts.programmes.commands import ParticularsWish, make_programme
from accounts.programmes.models import Programme
from accounts.quotas.models import Budget, Kind
from accounts.quotas.queries import quota_of
from accounts.rates.queries import rate_in_force
from accounts.rates.rules import ActKind
from core.clock import now
from generation.catalogue.commands import USUAL_CLIP_CREDITS
from greenroom.demonstration.cast import CAST, HERE
from greenroom.demonstration.policy import FUNDING
from greenroom.demonstration.seeding import seed
from greenroom.setup.queries import findings
from review.ledger.queries import ledger_discrepancies
from review.policies.commands import publish_charter
from review.policies.queries import charter_in_force, policy_in_force
from review.policies.rules import Ground
from stage.cast import api_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(tmp_path):
    return tmp_path / "demo.json"


@pytest.fixture
def few(monkeypatch):
    """Three people are enough for what is the same for all."""
    monkeypatch.setattr("greenroom.demonstration.seeding.CAST", CAST[:3])
    return CAST[:3]


def people(path):
    return json.loads(path.read_text())["people"]


def test_the_whole_cast_is_there(path):
    seed(path)
    assert Counter(each["role"] for each in people(path)) == {
        "tester": 1,
        "second tester": 1,
        "stranger": 1,
        "reviewer": 9,
        "finance": 3,
        "programme manager": 2,
        "auditor": 1,
    }
    assert {frozenset(each) for each in people(path)} == {
        frozenset({"role", "email", "password", "token"})
    }


def test_the_file_is_for_its_owner_alone(path, few):
    seed(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_everybody_can_sign_in_and_act_by_token(path, few, a_browser):
    seed(path)
    for each in people(path):
        answer = a_browser.post(
            "/account/login/", {"login": each["email"], "password": each["password"]}
        )
        assert answer.url == "/", each["role"]
        a_browser.post("/account/logout/")
        assert api_of(each["token"]).get("/api/v1/quota").status_code == 200


def test_everybody_has_accepted_and_holds_credits_for_fifty_clips(path):
    seed(path)
    for each in people(path):
        actor = actor_by_token(each["token"])
        assert governing_acceptance(actor.programme, actor.party_id) is not None
        sums = quota_of(
            programme_id=actor.programme,
            party_id=actor.party_id,
            lineage_id=actor.lineage_id,
            kind=Kind.CREDITS,
        )
        assert sums.left == sums.limit == 50 * USUAL_CLIP_CREDITS


def test_the_stranger_is_in_another_programme(path, few):
    seed(path)
    by_role = {each["role"]: actor_by_token(each["token"]) for each in people(path)}
    assert by_role["stranger"].programme_id != by_role["tester"].programme_id
    assert by_role["tester"].programme_id == by_role["second tester"].programme_id


def test_a_second_seeding_changes_nothing(path):
    assert seed(path) == len(CAST)
    before, written = path.read_bytes(), path.stat().st_mtime_ns
    rows = (Credential.objects.count(), Person.objects.count(), Budget.objects.count())
    assert seed(path) == 0
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (before, written)
    assert (Credential.objects.count(), Person.objects.count(), Budget.objects.count()) == rows


def test_a_lost_file_means_new_passwords_for_the_same_people(path, few):
    seed(path)
    first = people(path)
    path.unlink()
    seed(path)
    assert [each["email"] for each in people(path)] == [each["email"] for each in first]
    assert people(path)[0]["password"] != first[0]["password"]
    assert Person.objects.get(email="tester@example.org").check_password(
        people(path)[0]["password"]
    )


def test_a_file_of_another_database_is_not_believed(path, few):
    seed(path)
    other = [{**each, "token": "grm_t_x", "password": "x"} for each in people(path)]
    path.write_text(json.dumps({"people": other}))
    assert seed(path) == len(few)
    assert people(path)[0]["password"] != "x"


@pytest.mark.django_db(transaction=True)
def test_after_a_month_only_the_tokens_are_new(path, few, clock):
    seed(path)
    first = people(path)[0]
    clock.advance(days=30)
    assert seed(path) == 0
    again = people(path)[0]
    assert again["password"] == first["password"]
    assert again["token"] != first["token"]
    assert actor_by_token(again["token"]) is not None


def test_a_declined_agreement_is_not_accepted_again_behind_ones_back(path, few):
    seed(path)
    actor = actor_by_token(people(path)[0]["token"])
    answer_agreement(
        programme_id=actor.programme,
        party_id=actor.party_id,
        number=1,
        act=Acceptance.Act.DECLINED,
        credential_id=None,
    )
    seed(path)
    assert governing_acceptance(actor.programme, actor.party_id) is None


def test_the_command_prints_no_secret(tmp_path, few, monkeypatch, capsys):
    monkeypatch.setenv("GREENROOM_VAR", str(tmp_path))
    call_command("demo", "seed")
    said = capsys.readouterr().out
    for each in people(tmp_path / "demo.json"):
        assert each["password"] not in said
        assert each["token"] not in said
    assert str(tmp_path / "demo.json") in said


def test_there_is_no_demonstration_in_production(settings):
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="production"):
        call_command("demo", "seed")
    assert not Person.objects.exists()


def test_a_review_is_open_paid_for_and_seeded_once(path, few):
    seed(path)
    seed(path)
    programme = Programme.objects.get(slug=HERE.slug)
    assert {clause.ground for clause in policy_in_force(programme.id).clauses.all()} == set(
        Ground.values
    )
    assert charter_in_force(programme.id).number == 1
    assert all(rate_in_force(programme.id, kind, now()) for kind in ActKind)
    money = Budget.objects.get(programme=programme, kind=Kind.MONEY)
    assert money.limit == FUNDING
    assert ledger_discrepancies() == []


def test_nothing_is_wrong_with_the_demonstration(path, capsys):
    seed(path)
    call_command("programme", "check", HERE.slug)
    assert capsys.readouterr().out == "Nothing is wrong.\n"


def test_a_demonstration_of_an_earlier_version_gets_what_it_lacks(path):
    """What was promised then stays promised, and can be kept."""
    house = make_programme(slug=HERE.slug, wish=ParticularsWish(HERE.name), is_demonstration=True)
    publish_charter(programme_id=house.id, decide_within_hours=48, appeal_within_hours=120)
    seed(path)
    assert charter_in_force(house.id).number == 1
    assert calendar_in_force(house.id) is not None
    assert findings(house.id, now()) == []


def test_a_token_of_an_earlier_version_is_replaced_by_one_with_every_scope(path, few):
    seed(path)
    before = people(path)[0]
    actor = actor_by_token(before["token"])
    Credential.objects.filter(id=actor.credential_id).update(scopes=["clips:read"])
    seed(path)
    after = people(path)[0]
    assert after["password"] == before["password"]
    assert actor_by_token(after["token"]).scopes == set(TOKEN_SCOPES)
