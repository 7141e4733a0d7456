"""Naming somebody is a question; the answer, and the name, are theirs."""

import pytest
from django.db import connection

from accounts.notices.models import Notice
from accounts.people.models import PersonalDetail
from accounts.programmes.models import Membership, Role
from core.audit.models import AuditEvent
from core.clock import now
from core.errors import Absent, InvalidOrder, WrongScope
from core.ids import new_id, shown
from core.outbox.commands import deliver
from review.credits.commands import (
    AlreadyNamed,
    UnderReview,
    answer_credit,
    credit_the_maker,
    name_person,
)
from review.credits.models import CreditLine
from review.credits.queries import accepted_lines, credit_lines_on, parties_credited
from review.credits.rules import CreditRole, DisplayForm
from review.credits.words import shown_credits
from stage.builders import a_clip
from stage.cast import a_member, api_of
from stage.review import a_decision, a_submission, open_review

pytestmark = pytest.mark.django_db


@pytest.fixture
def clip(tester):
    return a_clip(tester)


def clip_id(clip):
    return shown("clip", clip.id)


def party(member):
    return shown("party", member.party_id)


def named(member, by, clip, role="composer"):
    return name_person(actor=by.actor, clip_id=clip_id(clip), party=party(member), role=role)


def answered(line, by, move="accept", form=None):
    public_id = shown("credit_line", line.id)
    return answer_credit(actor=by.actor, credit_line_id=public_id, move=move, display_form=form)


def called(member, **names):
    PersonalDetail.objects.filter(person=member.person).update(**names)


def credits_of(clip):
    return [(credit.role_words, credit.name) for credit in shown_credits(credit_lines_on(clip.id))]


def test_whoever_is_named_is_asked_and_shown_only_after_a_yes(tester, second_tester, clip):
    called(second_tester, display_name="Clara", credit_name="C.")
    line = named(second_tester, tester, clip)
    assert (line.state, credits_of(clip)) == ("proposed", [])
    answered(line, second_tester, form="name")
    assert credits_of(clip) == [("Music by", "Clara")]


@pytest.mark.parametrize(
    ("form", "name"),
    [("name", "Clara"), ("pseudonym", "C."), ("none", "somebody who prefers no name")],
)
def test_everybody_chooses_how_they_are_named_and_may_choose_anew(
    tester, second_tester, clip, form, name
):
    called(second_tester, display_name="Clara", credit_name="C.")
    line = answered(named(second_tester, tester, clip), second_tester, form="name")
    answered(line, second_tester, form=form)
    assert credits_of(clip) == [("Music by", name)]


@pytest.mark.parametrize("form", ["name", "pseudonym"])
def test_a_name_that_was_never_written_is_said_in_words(tester, second_tester, clip, form):
    answered(named(second_tester, tester, clip), second_tester, form=form)
    assert credits_of(clip) == [("Music by", "somebody who prefers no name")]


def test_a_name_is_read_when_it_is_shown(tester, second_tester, clip):
    answered(named(second_tester, tester, clip), second_tester, form="name")
    called(second_tester, display_name="Clara Rockmore")
    assert credits_of(clip) == [("Music by", "Clara Rockmore")]


def test_an_erased_person_leaves_a_credit_without_a_name(tester, second_tester, clip):
    called(second_tester, display_name="Clara")
    answered(named(second_tester, tester, clip), second_tester, form="name")
    party_id = second_tester.party_id
    second_tester.person.delete()
    assert credits_of(clip) == [("Music by", "somebody who prefers no name")]
    assert parties_credited(clip.id) == {party_id}


def test_either_answer_may_be_changed_and_the_same_one_given_twice(tester, second_tester, clip):
    line = named(second_tester, tester, clip)
    for move, state in [
        ("decline", "declined"),
        ("decline", "declined"),
        ("accept", "accepted"),
        ("accept", "accepted"),
        ("decline", "declined"),
    ]:
        assert answered(line, second_tester, move).state == state
    assert parties_credited(clip.id) == set()
    kinds = AuditEvent.objects.filter(subject_id=line.id).values_list("kind", flat=True)
    assert sorted(kinds) == [
        "credit.accepted",
        "credit.declined",
        "credit.declined",
        "credit.proposed",
    ]


def test_no_name_of_anybody_stands_in_audit_or_outbox(tester, second_tester, clip):
    called(second_tester, display_name="Clara", credit_name="C. R.")
    answered(named(second_tester, tester, clip), second_tester, form="name")
    written = str(list(AuditEvent.objects.values_list("facts", flat=True)))
    assert "Clara" not in written
    assert "C. R." not in written


def test_naming_oneself_is_a_yes(tester, clip):
    line = named(tester, tester, clip, "director")
    assert line.state == "accepted"


def test_nobody_answers_for_somebody_else(tester, second_tester, stranger, clip):
    line = named(second_tester, tester, clip)
    for other in (tester, stranger):
        with pytest.raises(Absent):
            answered(line, other)


def test_only_the_owner_names_people(tester, second_tester, stranger, reviewer, clip):
    for other in (second_tester, stranger, reviewer):
        with pytest.raises(Absent):
            named(tester, other, clip)


def test_who_is_not_in_the_programme_is_refused_in_one_way(tester, stranger, clip):
    former = a_member(tester.programme, Role.TESTER, name="former")
    Membership.objects.filter(party_id=former.party_id).update(ended_at=now())
    sentences = set()
    for text in (party(stranger), party(former), shown("party", new_id()), "par_x", ""):
        with pytest.raises(InvalidOrder) as refused:
            name_person(
                actor=tester.actor, clip_id=clip_id(clip), party=text, role=CreditRole.EDITOR
            )
        assert (refused.value.code, refused.value.field) == ("party_unknown", "party")
        sentences.add(refused.value.sentence)
    assert len(sentences) == 1


def test_nobody_is_named_twice_for_the_same(tester, second_tester, clip):
    line = named(second_tester, tester, clip)
    answered(line, second_tester, "decline")
    with pytest.raises(AlreadyNamed):
        named(second_tester, tester, clip)
    assert named(second_tester, tester, clip, "writer").state == "proposed"


def test_unknown_roles_moves_and_forms_are_refused(tester, second_tester, clip):
    with pytest.raises(InvalidOrder, match="roles"):
        named(second_tester, tester, clip, "producer")
    line = named(second_tester, tester, clip)
    with pytest.raises(InvalidOrder, match="decline"):
        answered(line, second_tester, "ignore")
    with pytest.raises(InvalidOrder, match="named"):
        answered(line, second_tester, form="initials")


def test_the_scope_is_asked(tester, second_tester, clip):
    reading = second_tester.token_actor("credits:read")
    line = named(second_tester, tester, clip)
    with pytest.raises(WrongScope):
        answer_credit(actor=reading, credit_line_id=shown("credit_line", line.id), move="accept")


@pytest.mark.django_db(transaction=True)
def test_whoever_is_named_hears_of_it_once(tester, second_tester, clip):
    named(second_tester, tester, clip)
    named(tester, tester, clip, "editor")
    deliver("notices")
    (notice,) = Notice.objects.filter(kind="credit.proposed")
    assert notice.party_id == second_tester.party_id
    assert "name you" in second_tester.client.get("/").content.decode()


def test_the_public_reads_accepted_lines_with_one_query(
    tester, second_tester, clip, django_assert_num_queries
):
    credit_the_maker(clip=clip, display_form=DisplayForm.NAME)
    answered(named(second_tester, tester, clip), second_tester, form="name")
    named(second_tester, tester, clip, "writer")
    with django_assert_num_queries(1):
        assert len(shown_credits(accepted_lines().filter(clip=clip))) == 2


# Pages


def test_the_owner_names_somebody_on_a_page_and_once(tester, second_tester, clip):
    path = f"/clips/{clip_id(clip)}/credits"
    once = tester.client.get(path).context["credits"]["form"]["once"].value()
    wish = {"party": f" {party(second_tester)} ", "role": "editor", "once": once}
    assert tester.client.post(path, wish).url == f"/clips/{clip_id(clip)}"
    assert tester.client.post(path, wish).url == f"/clips/{clip_id(clip)}"
    assert CreditLine.objects.count() == 1


def test_a_refused_name_comes_back_with_its_form(tester, stranger, clip):
    path = f"/clips/{clip_id(clip)}/credits"
    page = tester.client.post(path, {"party": party(stranger), "role": "editor", "once": "1"})
    assert page.status_code == 422
    assert party(stranger) in page.content.decode()
    assert "Nobody in this programme" in page.content.decode()


def test_the_page_of_a_clips_credits_is_its_owners(second_tester, reviewer, clip):
    for other in (second_tester, reviewer):
        assert other.client.get(f"/clips/{clip_id(clip)}/credits").status_code == 404


def test_a_person_answers_on_their_page(tester, second_tester, clip):
    called(second_tester, display_name="Clara")
    line = named(second_tester, tester, clip)
    path = f"/credits/{shown('credit_line', line.id)}/answer"
    assert "Waiting for your answer" in second_tester.client.get("/credits").content.decode()
    answer = second_tester.client.post(path, {"move": "accept", "display_form": "name"})
    assert answer.url == "/credits"
    page = second_tester.client.get("/credits").content.decode()
    assert "Waiting for your answer" not in page
    assert "Music by Clara" in page
    assert tester.client.post(path, {"move": "decline"}).status_code == 404


def test_a_person_finds_their_own_credit_id(tester):
    for page in ("/settings", "/credits"):
        assert party(tester) in tester.client.get(page).content.decode()


def test_the_page_costs_as_much_for_many_lines_as_for_few(tester, second_tester):
    def cost():
        queries = 0

        def count(execute, *arguments):
            nonlocal queries
            queries += 1
            return execute(*arguments)

        second_tester.client.get("/credits")
        with connection.execute_wrapper(count):
            second_tester.client.get("/credits")
        return queries

    def name_on_a_clip():
        for role, move in (("editor", None), ("writer", "accept"), ("style", "decline")):
            line = named(second_tester, tester, clip, role)
            if move:
                answered(line, second_tester, move)

    clip = a_clip(tester)
    name_on_a_clip()
    few = cost()
    for _ in range(4):
        clip = a_clip(tester)
        name_on_a_clip()
    assert cost() == few


# API


def test_the_api_does_what_the_pages_do(tester, second_tester, clip):
    called(second_tester, credit_name="C.")
    address = f"/api/v1/clips/{clip_id(clip)}/credits"
    wish = {"party": party(second_tester), "role": "composer"}
    made = tester.api.post(address, wish, headers={"Idempotency-Key": "k"})
    again = tester.api.post(address, wish, headers={"Idempotency-Key": "k"})
    assert (made.status_code, again.json()) == (201, made.json())
    assert made["Location"] == made.json()["url"]
    (mine,) = second_tester.api.get("/api/v1/credits").json()["items"]
    assert (mine["state"], mine["name"]) == ("proposed", None)
    yes = {"move": "accept", "display_form": "pseudonym"}
    answer = second_tester.api.post(f"{mine['url']}/answer", yes)
    assert (answer.status_code, answer.json()["name"]) == (200, "C.")
    assert tester.api.get(address).json()["items"] == [answer.json()]
    assert tester.api.get(mine["url"]).json() == answer.json()
    assert tester.api.post(address, wish).json()["code"] == "already_named"


def test_the_api_asks_its_scopes_and_shows_strangers_nothing(tester, second_tester, stranger, clip):
    line = named(second_tester, tester, clip)
    url = f"/api/v1/credits/{shown('credit_line', line.id)}"
    reading = api_of(second_tester.token("credits:read"))
    assert reading.get(url).status_code == 200
    assert reading.post(f"{url}/answer", {"move": "accept"}).status_code == 403
    writing = api_of(second_tester.token("credits:write"))
    assert writing.get("/api/v1/credits").status_code == 403
    assert writing.post(f"{url}/answer", {"move": "accept"}).status_code == 200
    for outsider in (stranger.api, api_of(stranger.token("credits:read", "credits:write"))):
        assert outsider.get(url).status_code == 404
        assert outsider.post(f"{url}/answer", {"move": "accept"}).status_code == 404
        assert outsider.get(f"/api/v1/clips/{clip_id(clip)}/credits").status_code == 404


def test_nobody_is_named_while_the_clip_is_judged(tester, second_tester, reviewer, clock):
    open_review(tester.programme)
    submission = a_submission(tester)
    wish = {
        "actor": tester.actor,
        "clip_id": shown("clip", submission.clip_id),
        "party": shown("party", second_tester.party_id),
        "role": "writer",
    }
    with pytest.raises(UnderReview):
        name_person(**wish)
    a_decision(reviewer, clock)
    assert name_person(**wish).state == "proposed"


def test_who_is_in_no_programme_finds_a_kind_page(tester):
    assert "You are in no programme" not in tester.client.get("/credits").text
    Membership.objects.filter(party=tester.party).update(ended_at=now())
    answer = tester.client.get("/credits")
    assert answer.status_code == 200
    assert "You are in no programme at present." in answer.text
    assert party(tester) in answer.text


def test_who_left_still_sees_where_they_are_named_and_may_say_no(tester, second_tester, clip):
    line = answered(named(second_tester, tester, clip), second_tester)
    browser = second_tester.client
    Membership.objects.filter(party=second_tester.party).update(ended_at=now())
    page = browser.get("/credits").text
    assert clip.prompt in page
    assert f'href="/clips/{clip_id(clip)}"' not in page
    public_id = shown("credit_line", line.id)
    sent = browser.post(f"/credits/{public_id}/answer", {"move": "decline"})
    assert sent.status_code == 302
    line.refresh_from_db()
    assert line.state == "declined"
