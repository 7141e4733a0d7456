"""Leaving for good: what ends, what stays, and that nothing points to a person any more."""

from __future__ import annotations

from datetime import date

import pytest
from django.core.management import call_command

from accounts.administrators.commands import LastAdministrator
from accounts.credentials.models import Credential
from accounts.credentials.queries import actor_by_token
from accounts.erasures.commands import begin_erasure
from accounts.erasures.models import Erasure
from accounts.erasures.queries import erasure_by_secret
from accounts.exports.commands import ask_export
from accounts.exports.models import Export
from accounts.invitations.commands import invite_person
from accounts.invitations.models import Invitation
from accounts.people.models import Person, PersonalDetail
from accounts.programmes.models import Membership, Role
from accounts.retention.commands import RetentionWish, publish_retention
from accounts.roles.commands import LastManager
from core.audit.models import AuditEvent
from core.errors import Absent, InvalidOrder, TooLate, WrongScope
from core.ids import shown
from core.seal.queries import is_signed_here
from generation.clips.models import Removal
from generation.jobs.models import Job
from greenroom.erasures import commands
from greenroom.erasures.commands import ask_erasure, finish_erasures, issue_receipt
from greenroom.erasures.rules import Releases
from greenroom.exports.commands import build_exports
from review.credits.models import CreditLine
from review.ledger.queries import ledger_discrepancies, owed_to
from review.payouts.commands import cancel_payout, pay_payout
from review.releases.commands import make_share_link, release_clip
from review.releases.models import ShareLink
from stage.builders import a_clip, a_job
from stage.cast import a_member
from stage.money import a_funding, a_payout, a_rate, an_earning
from stage.review import a_submission, an_approved_clip, open_review


def leave(member, **wish):
    return ask_erasure(party_id=member.party_id, address=member.email, actor=member.actor, **wish)


def is_gone(member):
    return not Person.objects.filter(party=member.party).exists()


@pytest.fixture
def released(programme, tester, reviewer, clock):
    open_review(programme)
    clip = an_approved_clip(tester, reviewer, clock)
    release = release_clip(actor=tester.actor, clip_id=shown("clip", clip.id), title="A boat")
    make_share_link(actor=tester.actor, release_id=shown("release", release.id))
    return release


@pytest.fixture
def payout(programme, tester, reviewer, finance, manager):
    a_rate(programme.id)
    a_funding(finance)
    an_earning(tester, reviewer)
    return a_payout(tester, finance, manager)


def test_the_person_is_gone_and_the_party_stays(tester):
    erasure, _secret = leave(tester)
    assert is_gone(tester)
    assert not PersonalDetail.objects.filter(person_id=tester.person.id).exists()
    assert (erasure.waits_for, erasure.done_at is not None) == ("", True)
    tester.party.refresh_from_db()


def test_everything_that_gives_access_ends(tester):
    token = tester.token()
    tester.client.get("/")
    leave(tester)
    assert tester.client.get("/tokens").status_code == 302
    assert actor_by_token(token) is None
    assert not Membership.objects.filter(party=tester.party, ended_at=None).exists()


def test_what_acted_stays_without_the_words_of_its_owner(tester, second_tester):
    for member in (tester, second_tester):
        member.token(name="Rosa's laptop")
    leave(tester)
    mine = Credential.objects.filter(party_id=tester.party_id)
    assert set(mine.values_list("name", "reason")) == {("", "")}
    assert Credential.objects.filter(name="Rosa's laptop").count() == 1


def test_drafts_and_what_waits_go_with_their_owner(tester, clock):
    clip, job = a_clip(tester), a_job(tester)
    leave(tester)
    assert Removal.objects.get(clip=clip).why == "erasure"
    assert Job.objects.get(id=job.id).state == "cancelled"
    finish_erasures()
    assert Removal.objects.get(clip=clip).done_at is not None


def test_what_is_under_review_is_withdrawn(programme, tester):
    open_review(programme)
    case = a_submission(tester).cases.get()
    leave(tester)
    case.refresh_from_db()
    assert case.state == "withdrawn"


def test_released_clips_are_taken_down_unless_one_says_otherwise(released, tester):
    leave(tester)
    released.refresh_from_db()
    assert released.ended_at is not None
    assert Removal.objects.filter(clip=released.clip, why="erasure").exists()


def test_or_they_stay_without_a_name(released, tester):
    CreditLine.objects.filter(clip=released.clip).update(display_form="name")
    erasure, _secret = leave(tester, releases=Releases.NAMELESS)
    released.refresh_from_db()
    assert released.ended_at is None
    assert not Removal.objects.filter(clip=released.clip).exists()
    assert {line.display_form for line in CreditLine.objects.all()} == {"none"}
    assert ShareLink.objects.get().revoked_at is not None
    assert {"what": "releases", "count": 1, "until": None} in erasure.kept


def test_archives_and_open_invitations_go_too(tester, other_programme, clock):
    invite_person(programme_id=other_programme.id, email=tester.email, role=Role.TESTER)
    ask_export(actor=tester.actor)
    build_exports()
    leave(tester)
    assert Export.objects.get().state == "ended"
    assert Invitation.objects.get().email == ""


def test_an_unpaid_balance_stops_nothing_and_stands_on_the_receipt(
    programme, tester, reviewer, finance
):
    a_rate(programme.id)
    an_earning(tester, reviewer)
    publish_retention(programme_id=programme.id, wish=RetentionWish(books_years=7))
    erasure, _secret = leave(tester)
    assert is_gone(tester)
    (books,) = [each for each in erasure.kept if each["what"] == "books"]
    year = erasure.asked_at.year + 7
    assert books == {
        "what": "books",
        "programme": shown("programme", programme.id),
        "until": date(year, 12, 31).isoformat(),
        "owed_micro": 25_000_000,
        "currency": "EUR",
    }
    assert owed_to(tester.party_id, programme.id).left.amount_micro == 25_000_000
    assert ledger_discrepancies() == []


def test_what_is_owed_is_paid_after_they_left(programme, tester, reviewer, finance, manager):
    a_rate(programme.id)
    a_funding(finance)
    an_earning(tester, reviewer)
    leave(tester)
    party = shown("party", tester.party_id)
    page = finance.client.get(f"/finance/parties/{party}").text
    assert "Erased" in page
    paid = a_payout(tester, finance, manager)
    pay_payout(actor=finance.actor, payout_id=shown("payout", paid.id), reference="receipt 1")
    assert owed_to(tester.party_id, programme.id).left.amount_micro == 0


def test_while_a_payout_is_on_its_way_the_name_waits_and_access_does_not(tester, payout):
    erasure, secret = leave(tester)
    assert (erasure.waits_for, erasure.done_at) == ("payout", None)
    assert not Person.objects.get(party=tester.party).is_active
    assert finish_erasures() == 0
    assert issue_receipt(erasure_by_secret(secret))["done_by"] is not None


@pytest.mark.parametrize("how", ["paid", "cancelled"])
def test_once_it_is_settled_the_name_goes(tester, payout, finance, how):
    erasure, _secret = leave(tester)
    payout_id = shown("payout", payout.id)
    if how == "paid":
        pay_payout(actor=finance.actor, payout_id=payout_id, reference="done")
    else:
        cancel_payout(actor=finance.actor, payout_id=payout_id)
    assert finish_erasures() == 1
    erasure.refresh_from_db()
    assert is_gone(tester)
    assert (erasure.waits_for, erasure.done_at is not None) == ("", True)


def test_a_month_is_the_longest_that_anybody_waits(tester, payout, clock):
    leave(tester)
    clock.advance(days=29)
    assert finish_erasures() == 0
    clock.advance(days=1)
    assert finish_erasures() == 1
    assert is_gone(tester)


def test_one_that_cannot_be_erased_keeps_no_other_waiting(tester, second_tester, monkeypatch):
    for member in (tester, second_tester):
        begin_erasure(party_id=member.party_id, waits_for="payout", kept=[], actor=None)
    whole = commands.erase_person

    def broken(erasure):
        if erasure.party_id == tester.party_id:
            raise ValueError("no such thing")
        return whole(erasure)

    monkeypatch.setattr(commands, "erase_person", broken)
    assert finish_erasures() == 1
    assert (is_gone(tester), is_gone(second_tester)) == (False, True)


def test_asking_twice_while_it_waits_is_refused(tester, payout):
    leave(tester)
    with pytest.raises(TooLate):
        ask_erasure(party_id=tester.party_id, address=tester.email)
    assert Erasure.objects.count() == 1


def test_the_address_must_be_typed_and_be_the_right_one(tester, second_tester):
    for typed in ("", second_tester.email):
        with pytest.raises(InvalidOrder, match="not the address"):
            ask_erasure(party_id=tester.party_id, address=typed, actor=tester.actor)
    assert ask_erasure(
        party_id=tester.party_id, address=f" {tester.email.upper()} ", actor=tester.actor
    )


def test_nobody_erases_anybody_else_and_no_token_erases_anybody(tester, second_tester):
    with pytest.raises(Absent):
        ask_erasure(
            party_id=second_tester.party_id, address=second_tester.email, actor=tester.actor
        )
    with pytest.raises(WrongScope):
        ask_erasure(party_id=tester.party_id, address=tester.email, actor=tester.token_actor())


def test_the_last_administrator_and_the_last_manager_stay(
    administrator, programme, manager, second_tester
):
    with pytest.raises(LastAdministrator):
        leave(administrator)
    with pytest.raises(LastManager):
        leave(manager)
    a_member(programme, Role.MANAGER, name="another manager")
    leave(manager)
    assert is_gone(manager)


def test_one_of_two_administrators_may_leave(administrator, second_administrator):
    leave(administrator)
    assert is_gone(administrator)


def test_the_receipt_is_signed_and_says_the_same_each_time(tester, programme):
    erasure, secret = leave(tester)
    document = issue_receipt(erasure_by_secret(secret))
    assert is_signed_here(document)
    assert document == issue_receipt(erasure)
    assert document["party"] == shown("party", tester.party_id)
    assert [each["what"] for each in document["kept"]] == ["agreements", "work", "audit"]
    assert tester.email not in str(document)
    assert not is_signed_here({**document, "party": "par_other"})


def test_the_secret_of_the_link_is_kept_nowhere(tester):
    erasure, secret = leave(tester)
    assert secret not in str(Erasure.objects.values())
    assert erasure_by_secret(secret).id == erasure.id
    for guess in ("", "x" * 43, secret[:-1], secret + "a"):
        with pytest.raises(Absent):
            erasure_by_secret(guess)


def test_the_audit_says_that_it_was_asked_and_done(tester):
    erasure, _secret = leave(tester)
    kinds = AuditEvent.objects.filter(subject_id=erasure.id).values_list("kind", flat=True)
    assert set(kinds) == {"erasure.asked", "erasure.done"}


def test_the_operator_erases_who_cannot_sign_in(tester, capsys):
    call_command("person", "erase", tester.email)
    said = capsys.readouterr().out
    assert "/erasures/" in said
    assert is_gone(tester)
    secret = said.split("/erasures/")[1].split()[0]
    assert erasure_by_secret(secret).done_at is not None


def test_letters_that_the_demonstration_kept_for_them_go_too(
    tester, second_tester, settings, tmp_path, django_capture_on_commit_callbacks
):
    settings.MAIL_FOLDER = tmp_path
    for number, member in enumerate((tester, second_tester)):
        letter = f"To: Somebody <{member.email}>\r\nSubject: News\r\n\r\nHello.\r\n"
        (tmp_path / f"{number}.eml").write_text(letter)
    with django_capture_on_commit_callbacks(execute=True):
        leave(tester)
    assert [letter.name for letter in tmp_path.iterdir()] == ["1.eml"]
