"""Inviting by a list: what is wrong is told by its line, and the rest comes in unharmed."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from accounts.cohorts.commands import make_cohort
from accounts.invitations.commands import invite_many, invite_person, resend_invitation
from accounts.invitations.lists import MOST_BYTES, MOST_LINES, read_list, shown_cell
from accounts.invitations.models import Invitation
from accounts.invitations.rules import digest_of
from accounts.programmes.models import Role
from core.errors import Absent, InvalidOrder
from core.ids import read_id
from core.outbox.models import OutboxMessage


def lines_of(text: str | bytes) -> list[tuple[int, str, str]]:
    raw = text.encode() if isinstance(text, str) else text
    lines, faults = read_list(raw)
    assert faults == []
    return [(line.number, line.email, line.language) for line in lines]


def refused(raw: bytes | str) -> InvalidOrder:
    with pytest.raises(InvalidOrder) as found:
        read_list(raw.encode() if isinstance(raw, str) else raw)
    return found.value


# Reading ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "a@x.org\nb@x.org\n",
        "a@x.org\r\nb@x.org",
        "a@x.org\rb@x.org\r",
        "email\na@x.org\nb@x.org",
        "\ufeffEmail\n a@x.org \nB@X.org",
        '"a@x.org"\n"b@x.org"\n',
        "name,email\nAda,a@x.org\nBabbage,b@x.org",
        "E-mail".replace("-", "") + ";Name\na@x.org;Ada\nb@x.org;",
        "email\tname\na@x.org\tAda, Countess\nb@x.org\t",
    ],
)
def test_it_is_read_as_spreadsheets_write_it(text):
    assert [email for _, email, _ in lines_of(text)] == ["a@x.org", "b@x.org"]


def test_languages_stand_beside_the_address():
    assert lines_of("a@x.org,de\nb@x.org\nc@x.org,pt-BR,Carla") == [
        (1, "a@x.org", "de"),
        (2, "b@x.org", ""),
        (3, "c@x.org", "pt-BR"),
    ]


def test_lines_are_numbered_as_an_editor_numbers_them():
    text = 'email,name\n\n\na@x.org,"two\nlines"\nb@x.org,B\n'
    assert [(number, email) for number, email, _ in lines_of(text)] == [
        (4, "a@x.org"),
        (6, "b@x.org"),
    ]


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"PK\x03\x04rest", "xlsx"),
        (b"\xd0\xcf\x11\xe0rest", "xls"),
        (b"%PDF-1.7", "PDF"),
        (b"\x89PNG\r\n", "PNG"),
        (b"\xff\xd8\xff\xe0", "JPEG"),
        ("a@x.org\n".encode("utf-16"), "UTF-16"),
        (b"\x1f\x8b\x08", "gzip"),
    ],
)
def test_another_kind_of_file_is_called_by_its_name(raw, kind):
    refusal = refused(raw)
    assert refusal.code == "csv_unreadable"
    assert kind in refusal.sentence


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"a@x.org\nb@x.org\0", "bytes"),
        ("a@x.org\nb@x.org\nJürgen@x.org".encode("latin-1"), "Line 3"),
        (b'a@x.org\n"b@x.org', "Line 2"),
        (b'a@x.org\n"b"c@x.org', "Line 2"),
    ],
)
def test_what_is_no_text_is_refused_with_its_place(raw, said):
    refusal = refused(raw)
    assert refusal.code == "csv_unreadable"
    assert said in refusal.sentence


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("", "csv_empty"),
        ("\n \n;;\n", "csv_empty"),
        ("email\n", "csv_empty"),
        ("email,phone\na@x.org,1", "csv_column_unknown"),
        ("Adresse;Sprache\na@x.org;de", "csv_column_unknown"),
        ("language,name\nde,Ada", "csv_column_missing"),
        ("email,email\na@x.org,b@x.org", "csv_column_missing"),
        ("a@x.org\n" * (MOST_LINES + 1), "csv_too_long"),
        ("a" * (MOST_BYTES + 1), "csv_too_large"),
    ],
)
def test_a_list_that_cannot_be_taken_is_refused_whole(raw, code):
    assert refused(raw).code == code


def test_the_column_that_is_not_known_is_named():
    assert "“phone”" in refused("email,phone\na@x.org,1").sentence


def test_what_is_wrong_with_one_line_is_told_of_that_line():
    lines, faults = read_list(b"a@x.org\nb@x.org,klingonisch\nc@x.org,en,C,D,E\nd@x.org")
    assert [line.email for line in lines] == ["a@x.org", "d@x.org"]
    assert [(fault.line, fault.code) for fault in faults] == [
        (2, "language_unknown"),
        (3, "csv_line_too_wide"),
    ]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_no_program_takes_what_is_shown_for_a_formula(sign):
    assert shown_cell(f"{sign}HYPERLINK(0)")[0] == "“"
    assert len(shown_cell("x" * 10_000)) < 70
    assert "\x1b" not in shown_cell("\x1b[31m")


# Inviting ---------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_of_three_hundred_with_seven_faulty_lines_two_hundred_and_ninety_three_are_invited(
    manager, tester, programme, clock
):
    waiting = invite_person(programme_id=programme.id, email="waits@x.org", role=Role.TESTER)
    rows = [f"person{number}@x.org,en" for number in range(MOST_LINES)]
    faulty = {
        3: ("nobody", "email_invalid"),
        50: ("", "email_invalid"),
        51: ("PERSON1@x.org", "address_twice"),
        100: (tester.email, "already_member"),
        150: ("Waits@x.org", "already_invited"),
        200: ("person200@x.org,klingonisch", "language_unknown"),
        300: ("=cmd|' /C calc'!A0", "email_invalid"),
    }
    for number, (row, _code) in faulty.items():
        rows[number - 1] = row or ",en"
    result = invite_many(
        actor=manager.actor, csv_bytes="\r\n".join(rows).encode(), role=Role.TESTER, cohort_id=None
    )
    assert [(fault.line, fault.code) for fault in result.faults] == [
        (number, code) for number, (_row, code) in faulty.items()
    ]
    assert len(result.invited) == MOST_LINES - len(faulty)
    assert Invitation.objects.filter(programme=programme, ended_at=None).count() == 294
    assert len({bytes(each.digest) for each in Invitation.objects.all()}) == 294
    assert OutboxMessage.objects.filter(kind="invitation.made").count() == 294
    assert "line 2" in result.faults[2].sentence
    (again,) = [fault.invitation for fault in result.faults if fault.invitation]
    assert read_id("invitation", again) == waiting.id
    clock.advance(minutes=5)
    assert resend_invitation(invitation_id=waiting.id, actor=manager.actor).number == 2


@pytest.mark.django_db
def test_the_same_list_twice_invites_nobody_twice(manager):
    raw = b"a@x.org\nb@x.org"
    first, second = (
        invite_many(actor=manager.actor, csv_bytes=raw, role=Role.TESTER, cohort_id=None)
        for _ in range(2)
    )
    assert (len(first.invited), len(second.invited)) == (2, 0)
    assert {fault.code for fault in second.faults} == {"already_invited"}


@pytest.mark.django_db
def test_everybody_on_it_has_the_role_and_the_cohort_that_were_chosen(manager, programme):
    cohort = make_cohort(programme_id=programme.id, name="spring", actor=manager.actor)
    invite_many(
        actor=manager.actor, csv_bytes=b"a@x.org,de", role=Role.REVIEWER, cohort_id=cohort.id
    )
    made = Invitation.objects.get()
    assert (made.role, made.cohort_id, made.language) == ("reviewer", cohort.id, "de")
    assert made.made_by_id == manager.party_id
    assert bytes(made.digest) != digest_of("")


@pytest.mark.django_db
def test_a_file_that_is_no_list_invites_nobody(manager):
    with pytest.raises(InvalidOrder):
        invite_many(
            actor=manager.actor, csv_bytes=b"a@x.org\n\xff", role=Role.TESTER, cohort_id=None
        )
    assert not Invitation.objects.exists()


@pytest.mark.django_db
def test_only_who_looks_after_the_people_invites_by_list(tester):
    with pytest.raises(Absent):
        invite_many(actor=tester.actor, csv_bytes=b"a@x.org", role=Role.TESTER, cohort_id=None)


@pytest.mark.django_db
def test_the_command_takes_a_list_and_tells_the_faults(programme, tmp_path, capsys):
    make_cohort(programme_id=programme.id, name="Spring")
    file = tmp_path / "people.csv"
    file.write_bytes(b"a@x.org\nnobody\n")
    call_command("invite", csv=str(file), programme="studio", cohort="spring")
    said = capsys.readouterr().out
    assert "Invited: 1." in said
    assert "Line 2 “nobody”: That is not an e-mail address." in said
    assert Invitation.objects.get().cohort.name == "Spring"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"csv": "/nowhere/people.csv"}, "cannot be read"),
        ({}, "Name one address"),
        ({"cohort": "autumn", "csv": "/dev/null"}, "no cohort"),
    ],
)
def test_the_command_says_what_is_wrong_with_a_list(programme, options, said):
    with pytest.raises(CommandError, match=said):
        call_command("invite", programme="studio", **options)


@pytest.mark.django_db
def test_the_command_sends_again_only_when_asked(programme, capsys, clock):
    call_command("invite", "a@x.org", programme="studio")
    first = capsys.readouterr().out.split()[-1]
    with pytest.raises(CommandError, match="--again"):
        call_command("invite", "a@x.org", programme="studio")
    with pytest.raises(CommandError, match="in 5 minutes"):
        call_command("invite", "a@x.org", programme="studio", again=True)
    clock.advance(minutes=5)
    call_command("invite", "a@x.org", programme="studio", again=True)
    assert capsys.readouterr().out.split()[-1] != first
    assert Invitation.objects.get().number == 2
