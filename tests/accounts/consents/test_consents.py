"""Four consents: off until granted, for everything or for one clip, taken back at any time."""

import re

import pytest
from django.db import IntegrityError

from accounts.consents.commands import (
    ConsentNotAsked,
    grant_consent,
    issue_consent_receipt,
    publish_consent,
    revoke_consent,
)
from accounts.consents.models import ConsentAct
from accounts.consents.queries import consents_in_force, consents_of, is_consented
from accounts.consents.rules import Purpose
from accounts.consents.words import EFFECTS
from accounts.notices.commands import write_notices
from accounts.notices.models import Notice
from accounts.notices.rules import Topic
from accounts.notices.words import shown_notice
from accounts.programmes.commands import ChangedMeanwhile
from core.audit.models import AuditEvent
from core.clock import CoreNow
from core.errors import Absent, Anonymous, InvalidOrder, WrongScope
from core.ids import shown
from core.outbox.models import OutboxMessage
from core.seal.queries import is_signed_here
from core.seal.rules import read_signed
from stage.builders import a_clip

pytestmark = pytest.mark.django_db

TRAINING = Purpose.TRAINING
API = "/api/v1/consents"


def ask(programme, purpose=TRAINING, words="We may train models with your clips.", **facts):
    return publish_consent(
        programme_id=programme.id, purpose=purpose, words=words, **({"is_asked": True} | facts)
    )


@pytest.fixture
def asked(programme):
    for purpose in Purpose:
        ask(programme, purpose, f"What we ask for {purpose.value}.")
    return programme


def standing(member, purpose=TRAINING):
    found = consents_of(member.programme.id, member.party_id)
    return next(each for each in found if each.purpose == purpose)


def consents(member, purpose=TRAINING, clip=None):
    return is_consented(
        programme_id=member.programme.id,
        party_id=member.party_id,
        purpose=purpose,
        clip_id=clip.id if clip else None,
    )


# What is asked ------------------------------------------------------------------------------------


def test_each_purpose_has_versions_of_its_own(programme, manager):
    ask(programme)
    newer = ask(programme, words="Other words.", seen=1, actor=manager.party_id)
    ask(programme, Purpose.LABOUR, is_asked=False, words="")
    found = consents_in_force(programme.id)
    assert (found[TRAINING], found[Purpose.LABOUR].number) == (newer, 1)
    assert set(found) == {TRAINING, Purpose.LABOUR}
    event = AuditEvent.objects.filter(kind="consent.published").order_by("id")[1]
    assert (event.actor_party_id, event.facts["number"]) == (manager.party_id, 2)


def test_the_second_of_two_writers_sees_what_changed(programme):
    ask(programme)
    with pytest.raises(ChangedMeanwhile) as refusal:
        ask(programme, words="Mine.", seen=0)
    assert {each["field"] for each in refusal.value.facts["changes"]} == {"is_asked", "words"}


@pytest.mark.parametrize("words", ["", " \n ", "x\0", "x" * 4001])
def test_what_is_asked_is_said_in_words_that_can_be_read(programme, words):
    with pytest.raises(InvalidOrder):
        ask(programme, words=words)


# What is answered ---------------------------------------------------------------------------------


def test_every_consent_is_off_until_it_is_granted(asked, tester):
    assert not any(each.is_given for each in consents_of(asked.id, tester.party_id))
    assert not any(consents(tester, purpose) for purpose in Purpose)


def test_one_grants_and_takes_back_one_purpose_alone(asked, tester):
    grant_consent(actor=tester.actor, purpose=TRAINING)
    assert [each.is_given for each in consents_of(asked.id, tester.party_id)] == [
        purpose == TRAINING for purpose in Purpose
    ]
    assert consents(tester)
    revoke_consent(actor=tester.actor, purpose=TRAINING)
    assert not consents(tester)
    assert ConsentAct.objects.filter(party_id=tester.party_id).count() == 2


def test_a_clips_own_answer_goes_before_the_programmes(asked, tester):
    clip, other = a_clip(tester), a_clip(tester, seed=8)
    grant_consent(actor=tester.actor, purpose=TRAINING)
    revoke_consent(actor=tester.actor, purpose=TRAINING, clip_id=clip.id)
    assert (consents(tester, clip=clip), consents(tester, clip=other)) == (False, True)
    revoke_consent(actor=tester.actor, purpose=TRAINING)
    grant_consent(actor=tester.actor, purpose=TRAINING, clip_id=other.id)
    assert (consents(tester, clip=clip), consents(tester, clip=other)) == (False, True)
    assert set(standing(tester).clips) == {clip.id, other.id}


def test_granting_or_refusing_twice_is_one_act(asked, tester):
    first = grant_consent(actor=tester.actor, purpose=TRAINING)
    assert grant_consent(actor=tester.actor, purpose=TRAINING) == first
    last = revoke_consent(actor=tester.actor, purpose=TRAINING)
    assert revoke_consent(actor=tester.actor, purpose=TRAINING) == last
    assert ConsentAct.objects.count() == 2


def test_a_yes_stands_for_the_words_it_was_said_to(asked, tester):
    grant_consent(actor=tester.actor, purpose=TRAINING)
    newer = ask(asked, words="Much more than before.")
    assert standing(tester).act.version.number == 1
    page = tester.client.get("/consents").content.decode()
    assert "that yes stands for those" in page
    assert "What we ask for training." in page
    assert grant_consent(actor=tester.actor, purpose=TRAINING).version == newer


def test_what_is_not_asked_is_not_granted_and_still_taken_back(programme, tester):
    with pytest.raises(ConsentNotAsked):
        grant_consent(actor=tester.actor, purpose=TRAINING)
    with pytest.raises(ConsentNotAsked):
        revoke_consent(actor=tester.actor, purpose=TRAINING)
    ask(programme)
    grant_consent(actor=tester.actor, purpose=TRAINING)
    ask(programme, is_asked=False, words="")
    with pytest.raises(ConsentNotAsked):
        grant_consent(actor=tester.actor, purpose=TRAINING)
    assert consents(tester)
    revoke_consent(actor=tester.actor, purpose=TRAINING)
    assert not consents(tester)


def test_a_token_answers_nothing(asked, tester):
    with pytest.raises(WrongScope):
        grant_consent(actor=tester.token_actor(), purpose=TRAINING)
    with pytest.raises(WrongScope):
        revoke_consent(actor=tester.token_actor(), purpose=TRAINING)


def test_a_sign_in_that_ended_answers_nothing(asked, tester):
    from accounts.credentials.commands import revoke_sessions

    revoke_sessions(actor=tester.actor)
    with pytest.raises(Anonymous):
        grant_consent(actor=tester.actor, purpose=TRAINING)


def test_the_database_knows_ones_own_clips_only(asked, tester, second_tester):
    clip = a_clip(second_tester)
    with pytest.raises(IntegrityError, match="consent_is_for_ones_own_clip"):
        grant_consent(actor=tester.actor, purpose=TRAINING, clip_id=clip.id)


def test_an_answer_is_recorded_and_told_to_its_party(asked, tester):
    act = grant_consent(actor=tester.actor, purpose=TRAINING)
    message = OutboxMessage.objects.get(kind="consent.granted")
    assert (message.party_id, message.subject_id) == (tester.party_id, act.id)
    event = AuditEvent.objects.get(kind="consent.granted")
    assert event.credential_id == tester.actor.credential_id
    revoke_consent(actor=tester.actor, purpose=TRAINING)
    assert OutboxMessage.objects.filter(kind="consent.revoked").exists()


def test_a_receipt_holds_the_words_and_the_act(asked, tester):
    clip = a_clip(tester)
    act = revoke_consent(actor=tester.actor, purpose=TRAINING, clip_id=clip.id)
    receipt = issue_consent_receipt(actor=tester.actor, act_id=shown("consent_act", act.id))
    assert is_signed_here(receipt)
    assert receipt["consent"]["words"] == "What we ask for training."
    assert receipt["act"]["act"] == "revoked"
    assert receipt["act"]["clip"] == shown("clip", clip.id)
    assert receipt["act"]["signed_in_by"] == "password"


def test_a_receipt_is_its_partys_alone(asked, tester, second_tester):
    act = grant_consent(actor=tester.actor, purpose=TRAINING)
    for shown_id in (shown("consent_act", act.id), "cna_nonsense"):
        with pytest.raises(Absent):
            issue_consent_receipt(actor=second_tester.actor, act_id=shown_id)


def test_every_purpose_says_what_a_no_stops_and_leaves():
    assert set(EFFECTS) == set(Purpose)


# The pages ----------------------------------------------------------------------------------------


def test_the_page_shows_all_four_with_a_yes_and_a_no_of_equal_weight(asked, tester):
    page = tester.client.get("/consents").content.decode()
    for purpose in Purpose:
        assert f"What we ask for {purpose.value}." in page
        assert str(EFFECTS[purpose].stops) in page
    buttons = re.findall(r'<button class="([^"]+)" type="submit" name="answer" value="(\w+)"', page)
    assert buttons == [("button quiet", "granted"), ("button quiet", "revoked")] * 4
    assert page.count("You have not answered, and need not.") == 4


def test_one_answers_by_a_press(asked, tester):
    answer = tester.client.post("/consents/training", {"answer": "granted"}, follow=True)
    assert "Yes, since" in answer.content.decode()
    assert consents(tester)
    tester.client.post("/consents/training", {"answer": "revoked"})
    assert not consents(tester)
    page = tester.client.get("/consents").content.decode()
    for url in re.findall(r'href="(/consents/acts/cna_\w+/receipt)"', page):
        receipt = read_signed(tester.client.get(url).content.decode())
        assert is_signed_here(receipt)


@pytest.mark.parametrize(
    ("path", "answer"),
    [("/consents/training", "maybe"), ("/consents/training", ""), ("/consents/soul", "granted")],
)
def test_nonsense_answers_nothing(asked, tester, path, answer):
    assert tester.client.post(path, {"answer": answer}).status_code == 404
    assert not ConsentAct.objects.exists()


def test_what_is_not_asked_has_no_buttons_and_a_press_says_so(programme, tester):
    page = tester.client.get("/consents").content.decode()
    assert page.count("The programme does not ask for this.") == 4
    assert 'name="answer"' not in page
    late = tester.client.post("/consents/training", {"answer": "granted"}, follow=True)
    assert "does not ask for this consent" in late.content.decode()


def test_a_clip_has_its_own_answers(asked, tester):
    clip = a_clip(tester)
    shown_id = shown("clip", clip.id)
    assert f"/clips/{shown_id}/consents" in tester.client.get(f"/clips/{shown_id}").content.decode()
    tester.client.post("/consents/training", {"answer": "granted"})
    page = tester.client.get(f"/clips/{shown_id}/consents").content.decode()
    assert "Yes, as for the whole programme, since" in page
    tester.client.post(f"/clips/{shown_id}/consents/training", {"answer": "revoked"})
    assert (consents(tester), consents(tester, clip=clip)) == (True, False)
    page = tester.client.get("/consents").content.decode()
    assert "Clips with an answer of their own" in page
    assert clip.prompt in page


def test_nobody_answers_for_a_clip_of_somebody_elses(asked, tester, second_tester, stranger):
    shown_id = shown("clip", a_clip(tester).id)
    for other in (second_tester, stranger):
        assert other.client.get(f"/clips/{shown_id}/consents").status_code == 404
        path = f"/clips/{shown_id}/consents/training"
        assert other.client.post(path, {"answer": "granted"}).status_code == 404
    assert not ConsentAct.objects.exists()


def test_who_looks_at_somebody_elses_clip_sees_no_consents(asked, tester, manager):
    shown_id = shown("clip", a_clip(tester).id)
    manager.client.post(f"/clips/{shown_id}/why", {"why": "support"})
    page = manager.client.get(f"/clips/{shown_id}", follow=True).content.decode()
    assert "Consents for this clip" not in page
    assert manager.client.get(f"/clips/{shown_id}/consents").status_code == 404


# The API ------------------------------------------------------------------------------------------


def test_programs_read_and_never_answer(asked, tester):
    items = tester.api.get(API).json()["items"]
    assert [each["purpose"] for each in items] == Purpose.values
    assert not any(each["is_given"] for each in items)
    refused = tester.api.post(f"{API}/grant", {"purpose": "training"})
    assert (refused.status_code, refused.json()["code"]) == (403, "wrong_scope")


def by_person(member, path, body):
    return member.client.post(f"{API}/{path}", body, content_type="application/json")


def test_a_person_grants_and_takes_back_over_the_api(asked, tester):
    clip = a_clip(tester)
    shown_id = shown("clip", clip.id)
    assert by_person(tester, "grant", {"purpose": "training"}).json()["answer"] == "granted"
    act = by_person(tester, "revoke", {"purpose": "training", "clip": shown_id}).json()
    assert (act["answer"], act["clip"]) == ("revoked", shown_id)
    found = next(e for e in tester.api.get(API).json()["items"] if e["purpose"] == "training")
    assert (found["is_given"], found["read"]) == (True, 1)
    assert [(each["clip"], each["is_given"]) for each in found["clips"]] == [(shown_id, False)]
    acts = tester.api.get(f"{API}/acts").json()["items"]
    assert acts[0]["id"] == act["id"]
    assert is_signed_here(tester.api.get(f"{API}/acts/{act['id']}/receipt").json())


def test_over_the_api_nobody_answers_for_anothers_clip(asked, tester, second_tester):
    body = {"purpose": "training", "clip": shown("clip", a_clip(tester).id)}
    assert by_person(second_tester, "grant", body).status_code == 404
    assert by_person(second_tester, "grant", {"purpose": "soul"}).status_code == 422


def test_a_manager_publishes_over_the_api_and_nobody_else(programme, manager, tester):
    wish = {"purpose": "training", "is_asked": True, "words": "We ask.", "seen": 0}
    assert tester.api.post(f"{API}/versions", wish).status_code == 404
    made = manager.api.post(f"{API}/versions", wish)
    assert (made.status_code, made.json()["number"]) == (200, 1)
    late = manager.api.post(f"{API}/versions", wish)
    assert (late.status_code, late.json()["code"]) == (409, "changed_meanwhile")
    assert by_person(tester, "grant", {"purpose": "publicity"}).json()["code"] == (
        "consent_not_asked"
    )


def test_who_is_in_no_programme_is_asked_for_nothing(stranger):
    stranger.programme.memberships.update(ended_at=CoreNow())
    assert "nobody asks you" in stranger.client.get("/consents").content.decode()
    assert "There is no agreement yet" in stranger.client.get("/agreement").content.decode()


def test_testers_hear_what_a_programme_asks_for_and_not_what_it_asks_no_more(
    programme, tester, reviewer
):
    ask(programme, is_asked=False, words="")
    assert not OutboxMessage.objects.filter(kind="consent.published").exists()
    ask(programme)
    write_notices(OutboxMessage.objects.get(kind="consent.published"))
    notice = Notice.objects.get()
    assert notice.party_id == tester.party_id
    said = shown_notice(notice)
    assert "“Studio” asks for your consent to something: Training of models. No is" in said.text
    assert (said.page, said.topic) == ("/consents", Topic.NEWS)
