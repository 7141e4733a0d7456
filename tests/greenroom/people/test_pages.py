"""The People room, without scripts."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.administrators.queries import administrators_now
from accounts.cohorts.commands import make_cohort, seat_member
from accounts.cohorts.queries import parties_in_cohort
from accounts.invitations.commands import invite_person
from accounts.invitations.lists import MOST_BYTES
from accounts.invitations.models import Invitation
from accounts.people.models import PersonalDetail
from accounts.programmes.models import Role
from accounts.programmes.queries import membership_of, roles_in
from accounts.quotas.queries import credits_of
from core.ids import shown
from greenroom.people.words import seen_words
from stage.builders import a_job
from stage.cast import a_member

pytestmark = pytest.mark.django_db


def page_of(member, address="/people", status=200):
    answer = member.client.get(address)
    assert answer.status_code == status, answer.content.decode()
    return answer.content.decode()


def of(member, *rest):
    return "/".join(["/people", shown("party", member.party_id), *rest])


def test_members_stand_there_with_roles_cohorts_and_no_hour(manager, tester, reviewer):
    cohort = make_cohort(programme_id=tester.programme.id, name="Spring")
    seat_member(cohort_id=cohort.id, party_id=tester.party_id)
    page = page_of(manager)
    for said in (tester.email, reviewer.email, "Spring", "programme manager", "Never"):
        assert said in page


def test_a_sign_in_counts_as_seen_and_is_told_coarsely(manager, tester, reviewer):
    tester.client.get("/")
    assert "<dd data-said>Today</dd>" in page_of(manager, of(tester))
    assert "<dd data-said>Never</dd>" in page_of(manager, of(reviewer))
    wednesday = datetime(2035, 6, 6, 9, tzinfo=UTC)
    for days, words in ((0, "Today"), (1, "This week"), (6, "6 Jun 2035")):
        assert seen_words(wednesday, wednesday + timedelta(days=days)) == words


def test_they_are_found_by_name_role_and_cohort(manager, tester, reviewer):
    cohort = make_cohort(programme_id=tester.programme.id, name="Spring")
    seat_member(cohort_id=cohort.id, party_id=tester.party_id)
    for query in (
        "name=TESTER",
        "role=tester",
        f"cohort={shown('cohort', cohort.id)}",
    ):
        page = page_of(manager, f"/people?{query}")
        assert tester.email in page
        assert reviewer.email not in page
    assert "Nobody fits" in page_of(manager, "/people?name=nobody")
    assert tester.email in page_of(manager, "/people?role=unknown&cohort=coh_x")


def test_the_list_costs_the_same_for_one_and_for_many(
    manager, programme, django_assert_max_num_queries
):
    page_of(manager)
    for number in range(12):
        a_member(programme, Role.TESTER, name=f"t{number}", has_accepted=False, credits=0)
    with django_assert_max_num_queries(20):
        page_of(manager)


@pytest.mark.parametrize("who", ["tester", "reviewer", "finance"])
@pytest.mark.parametrize(
    "address", ["/people", "/people/invitations", "/people/cohorts", "/administrators"]
)
def test_for_everybody_else_there_is_no_such_room(request, who, address):
    member = request.getfixturevalue(who)
    assert member.client.get(address).status_code == 404


def test_an_auditor_reads_and_has_no_button(auditor, tester, programme):
    invite_person(programme_id=programme.id, email="a@x.org", role=Role.TESTER)
    make_cohort(programme_id=programme.id, name="Spring")
    for address in ("/people", "/people/invitations", "/people/cohorts", of(tester)):
        main = page_of(auditor, address).partition("<main")[2].partition("</main")[0]
        assert 'method="post"' not in main
    for address in (of(tester, "leave"), "/administrators"):
        assert auditor.client.get(address).status_code == 404
    answer = auditor.client.post("/people/invitations/one", {"email": "b@x.org", "role": "tester"})
    assert answer.status_code == 404
    assert auditor.client.post("/people/cohorts", {"name": "Autumn"}).status_code == 404


# Invitations --------------------------------------------------------------------------------------


def test_one_is_invited_sent_again_and_withdrawn(manager, clock):
    sent = {"email": "new@x.org", "role": "reviewer", "language": "de"}
    assert manager.client.post("/people/invitations/one", sent).status_code == 302
    assert "new@x.org" in page_of(manager, "/people/invitations")
    again = manager.client.post("/people/invitations/one", sent)
    assert again.status_code == 409
    assert "Send it again" in again.content.decode()
    made = Invitation.objects.get()
    assert (made.role, made.language, made.made_by_id) == ("reviewer", "de", manager.party_id)
    address = f"/people/invitations/{shown('invitation', made.id)}"
    soon = manager.client.post(f"{address}/resend", follow=True)
    assert "You can send this again in 5 minutes." in soon.content.decode()
    clock.advance(minutes=5)
    manager.client.post(f"{address}/resend")
    made.refresh_from_db()
    assert made.number == 2
    manager.client.post(f"{address}/revoke")
    assert "new@x.org" not in page_of(manager, "/people/invitations")
    assert manager.client.post(f"{address}/revoke").status_code == 404


def test_no_page_shows_a_link_that_opens(manager, programme):
    invite_person(programme_id=programme.id, email="a@x.org", role=Role.TESTER)
    assert not re.search(r"/invitation/[0-9A-Za-z]{43}", page_of(manager, "/people/invitations"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "nobody"},
        {"email": ""},
        {"role": "administrator"},
        {"language": "klingonisch"},
        {"cohort": "coh_x"},
    ],
)
def test_what_is_wrong_is_said_beside_its_field(manager, wrong, programme):
    make_cohort(programme_id=programme.id, name="Spring")
    sent = {"email": "new@x.org", "role": "tester"} | wrong
    answer = manager.client.post("/people/invitations/one", sent)
    assert answer.status_code == 422
    assert 'class="wrong"' in answer.content.decode()
    assert not Invitation.objects.exists()


def upload(member, raw, name="people.csv"):
    file = SimpleUploadedFile(name, raw, content_type="text/csv")
    return member.client.post("/people/invitations/list", {"file": file, "role": "tester"})


def test_a_list_is_taken_and_its_faults_told_by_line(manager, programme):
    invite_person(programme_id=programme.id, email="waits@x.org", role=Role.TESTER)
    answer = upload(manager, b"email\na@x.org\n<script>@\nwaits@x.org\nb@x.org\n")
    page = answer.content.decode()
    assert "2 people are invited" in page
    assert "2 lines were passed over" in page
    assert "“&lt;script&gt;@”" in page
    assert "Send again" in page
    assert Invitation.objects.filter(programme=programme).count() == 3


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"PK\x03\x04", "Excel"),
        (b"x" * (MOST_BYTES + 10), "256 KiB"),
        (b"", "empty"),
    ],
)
def test_what_is_no_list_is_refused_beside_the_file(manager, raw, said):
    answer = upload(manager, raw)
    assert answer.status_code == 422
    assert said in answer.content.decode()


# One person ---------------------------------------------------------------------------------------


def test_a_persons_page_says_what_they_say_of_themselves(manager, tester):
    PersonalDetail.objects.filter(person=tester.person).update(
        display_name="Ada", languages=["en", "fr"], contact="@ada"
    )
    page = page_of(manager, of(tester))
    for said in ("Ada", "en, fr", "@ada", tester.email):
        assert said in page


def test_roles_are_given_until_a_day_and_ended(manager, tester):
    answer = manager.client.post(
        of(tester, "roles"), {"role": "reviewer", "until": "2199-01-31"}, follow=True
    )
    assert "31 Jan 2199" in answer.content.decode() or "1 Feb 2199" in answer.content.decode()
    assert roles_in(tester.programme.id, tester.party_id) == {"tester", "reviewer"}
    manager.client.post(of(tester, "roles", "reviewer", "end"))
    assert roles_in(tester.programme.id, tester.party_id) == {"tester"}
    assert manager.client.post(of(tester, "roles", "pope", "end")).status_code == 404


def test_a_refusal_stands_on_the_persons_page(manager, tester):
    answer = manager.client.post(of(tester, "roles"), {"role": "reviewer", "until": "2001-01-31"})
    assert answer.status_code == 422
    assert "over already" in answer.content.decode()
    answer = manager.client.post(of(manager, "roles", "manager", "end"))
    assert answer.status_code == 409
    assert "at least one manager" in answer.content.decode()
    assert manager.client.post(of(tester, "roles"), {"role": "auditor"}).status_code == 422


def test_credits_are_set_but_not_below_what_is_in_use_and_not_ones_own(manager, tester):
    a_job(tester)
    assert manager.client.post(of(tester, "credits"), {"limit": "7"}).status_code == 302
    assert credits_of(tester.programme.id, tester.party_id).limit == 7
    for limit in ("0", "-1", "many", "9" * 30):
        assert manager.client.post(of(tester, "credits"), {"limit": limit}).status_code == 422
    assert manager.client.post(of(manager, "credits"), {"limit": "7"}).status_code == 403
    assert credits_of(tester.programme.id, tester.party_id).limit == 7


def test_cohorts_are_made_joined_left_and_ended(manager, tester):
    manager.client.post("/people/cohorts", {"name": "Spring"})
    assert manager.client.post("/people/cohorts", {"name": "spring"}).status_code == 422
    page = page_of(manager, "/people/cohorts")
    cohort = re.search(r"coh_[0-9a-z]{26}", page).group()
    manager.client.post(of(tester, "cohorts"), {"cohort": cohort})
    assert "Spring" in page_of(manager, of(tester))
    manager.client.post(of(tester, "cohorts", cohort, "end"))
    manager.client.post(of(tester, "cohorts"), {"cohort": cohort})
    manager.client.post(f"/people/cohorts/{cohort}/end")
    assert "no cohort yet" in page_of(manager, "/people/cohorts")


def test_leaving_says_what_it_will_do_and_asks_first(manager, tester):
    a_job(tester)
    tester.token()
    page = page_of(manager, of(tester, "leave"))
    assert "1 token of this programme is revoked" in page
    assert "1 job that waits is cancelled" in page
    assert "close the account" not in page
    assert manager.client.post(of(tester, "leave"), {}).status_code == 422
    assert membership_of(tester.programme.id, tester.party_id) is not None
    assert manager.client.post(of(tester, "leave"), {"reason": "over"}).url == "/people"
    assert membership_of(tester.programme.id, tester.party_id) is None
    assert manager.client.get(of(tester, "leave")).status_code == 404


def test_only_an_administrator_ends_everything(manager, administrator, tester, second_tester):
    everywhere = {"reason": "safety", "deed": "everywhere"}
    assert manager.client.post(of(tester, "leave"), everywhere).status_code == 404
    assert "close the account" in page_of(administrator, of(tester, "leave"))
    administrator.client.post(of(tester, "leave"), everywhere)
    tester.person.refresh_from_db()
    assert not tester.person.is_active
    assert manager.client.post(of(manager, "leave"), {"reason": "over"}).status_code == 403


def test_a_stranger_has_no_page_here(manager, stranger):
    for rest in ((), ("leave",)):
        assert manager.client.get(of(stranger, *rest)).status_code == 404


def test_a_long_name_and_marks_are_shown_as_they_are(manager, tester):
    PersonalDetail.objects.filter(person=tester.person).update(display_name="<b>" + "n" * 117)
    for address in ("/people", of(tester), of(tester, "leave")):
        page = page_of(manager, address)
        assert "&lt;b&gt;nnn" in page
        assert "<b>nnn" not in page


# Administrators -----------------------------------------------------------------------------------


def test_administrators_invite_and_end_each_other(administrator, second_administrator):
    page = page_of(administrator, "/administrators")
    assert second_administrator.email in page
    assert administrator.client.post("/administrators", {"email": "x"}).status_code == 422
    administrator.client.post("/administrators", {"email": "next@x.org"})
    assert "next@x.org" in page_of(administrator, "/administrators")
    made = shown("invitation", Invitation.objects.get().id)
    answer = administrator.client.post(f"/people/invitations/{made}/revoke")
    assert answer.url == "/administrators"
    second = shown("party", second_administrator.party_id)
    administrator.client.post(f"/administrators/{second}/end")
    assert administrators_now().count() == 1
    me = shown("party", administrator.party_id)
    answer = administrator.client.post(f"/administrators/{me}/end")
    assert answer.status_code == 409
    assert "at least one administrator" in answer.content.decode()


def test_cohort_names_reach_nobody_elsewhere(manager, stranger, programme):
    cohort = make_cohort(programme_id=programme.id, name="Spring")
    assert list(parties_in_cohort(cohort.id)) == []
    assert stranger.client.get("/people/cohorts").status_code == 404
