"""What an archive holds: everything that is somebody's, and nothing of anybody else."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from html.parser import HTMLParser
from pathlib import Path

from django.conf import settings
from house.test_personal_data import section

from accounts.exports.commands import ask_export
from accounts.exports.models import Export
from core.ids import shown
from core.seal.queries import is_signed_here
from generation.references.models import Reference
from greenroom.exports.commands import build_exports
from greenroom.exports.contents import CONTENTS
from stage.builders import a_clip


def archive_of(member):
    export = ask_export(actor=member.actor)
    assert build_exports() == 1
    export.refresh_from_db()
    return zipfile.ZipFile(Path(settings.MEDIA_FOLDER) / export.storage_key)


def text_of(archive):
    """All that can be read in it."""
    names = [name for name in archive.namelist() if not name.startswith("files/")]
    return "\n".join(archive.read(name).decode() for name in names)


def rows(archive, name):
    return json.loads(archive.read(f"data/{name}.json"))


def promised():
    """Every column that docs/personal_data.md promises somebody in their export."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in section("Personal")]
    return {line[0].strip("`") for line in lines if not line[2].startswith("no")}


# What must be found of the one whose life it is, for every promised column. Where it is a word of
# others said to them, the stage wrote it so.
FOUND = {
    "accounts_person.email": "tester@studio.example",
    "accounts_person.last_login": '"last_login": "20',
    "accounts_person.party_id": '"party": "par_',
    "accounts_personaldetail.display_name": "Ada Quill",
    "accounts_personaldetail.credit_name": "Ada Q.",
    "accounts_personaldetail.language": '"language": "en"',
    "accounts_personaldetail.languages": '"languages": ["pt", "en"]',
    "accounts_personaldetail.contact": "Ada: call after ten",
    "accounts_personaldetail.country": '"country": "PT"',
    "accounts_personaldetail.theme": '"theme": "dark"',
    "accounts_personaldetail.time_zone": "Europe/Lisbon",
    "accounts_person_groups.person_id": '"groups": []',
    "accounts_person_user_permissions.person_id": '"permissions": []',
    "account_emailaddress.email": '"addresses": [{"email": "tester@studio.example"',
    "mfa_authenticator.type": '"type": "totp"',
    "mfa_authenticator.data": "Ada's key",
    "accounts_credential.name": "Ada's nightly",
    "accounts_credential.reason": '"reason": ""',
    "accounts_postpreference.topic": '"topic": "clips"',
    "accounts_postpreference.way": '"way": "mail"',
    "accounts_webhookendpoint.name": "Ada's tool",
    "accounts_webhookendpoint.url": "https://ada.example/hooks",
    "accounts_remark.words": "Ada: whom do I ask?",
    "accounts_announcement.title": "Said to Ada and all",
    "accounts_announcement.words": "We close at six.",
    "generation_job.prompt": '"prompt": "a paper boat crosses a green room", "model"',
    "generation_clip.prompt": '"prompt": "a paper boat crosses a green room", "seed"',
    "generation_reference.name": '"name": "Ada\'s boat.png"',
    "generation_reference.rights_words": "Ada: by letter of 3 May.",
    "review_submission.note": "Ada: a note to the desk.",
    "review_decision.reason": "Said to Ada: a face is recognisable.",
    "review_decision.remedy": '"remedy": ""',
    "review_appeal.text": "The face is a mask; look at frame 3.",
    "review_release.title": "Ada's boat",
    "review_sharelink.name": "Ada's link",
    "review_contribution.title": "Ada: the lamp",
    "review_contribution.words": "Ada: it is out.",
    "review_contribution.answer": '"answer": ""',
    "review_payout.reference": "Said to Ada: 1",
    "review_ledgertransaction.words": '"words": ""',
}


def every_column_that_the_document_promises_is_in_an_archive(archive, life, others):
    assert promised() - set(FOUND) == set(), "say where in an archive it stands"
    said = text_of(archive)
    assert [column for column in sorted(promised()) if FOUND[column] not in said] == []


def test_every_promised_table_is_named_by_a_document():
    tables = {column.split(".")[0] for column in promised()}
    named = {table for document in CONTENTS for table in document.tables}
    assert tables - named == {"accounts_announcement"} - named


def nothing_of_anybody_else_is_in_it(archive, life, others):
    said = text_of(archive)
    assert "Bela" not in said
    for other in (others.second_tester, others.reviewer, others.manager, others.finance):
        assert other.email not in said
        assert shown("party", other.party_id) not in said
        assert str(other.party_id) not in said


def secrets_are_not_in_it(archive, life, others):
    said = text_of(archive)
    assert "hush-hush-hush" not in said
    assert "pbkdf2" not in said
    assert "grm_" not in said
    assert "whsec_" not in said


def test_what_others_take_along_holds_their_words_and_not_these(life, others):
    for other in (others.second_tester, others.reviewer, others.manager, others.finance):
        said = text_of(archive_of(other))
        assert not re.search(r"(?<!Said to )Ada\b", said), other.email
        assert re.search(rf"(?<![.\w]){life.member.email}", said) is None
    reviewers = archive_of(others.reviewer)
    assert [one["reason"] for one in rows(reviewers, "decided")] == [
        "Said to Ada: a face is recognisable.",
        "",
    ]
    read = said_on_the_page(reviewers)["decided"]
    assert "Said to Ada: a face is recognisable." in read
    assert "Approved" in read
    managers = archive_of(others.manager)
    assert [
        remark["words"] for one in rows(managers, "conversations") for remark in one["remarks"]
    ] == ["Said to Ada: me."]


def the_masters_are_there_byte_for_byte(archive, life, others):
    for clip in (life.released, life.declined):
        master = clip.renditions.get(kind="master")
        name = f"files/{shown('clip', clip.id)}.mp4"
        whole = (Path(settings.MEDIA_FOLDER) / master.storage_key).read_bytes()
        assert archive.read(name) == whole
        assert archive.getinfo(name).compress_type == zipfile.ZIP_STORED
        suffixes = {"poster": "webp", "sprite": "webp", "index": "vtt", "proxy": "mp4"}
        for kind, suffix in suffixes.items():
            made = clip.renditions.get(kind=kind)
            whole = (Path(settings.MEDIA_FOLDER) / made.storage_key).read_bytes()
            assert archive.read(f"files/{shown('clip', clip.id)}-{kind}.{suffix}") == whole
    assert archive.testzip() is None


def references_are_there_as_they_were_sent(archive, life, others):
    kept = Reference.objects.get(party_id=life.member.party_id)
    (row,) = rows(archive, "references")
    assert row["files"] == [f"files/{shown('reference', kept.id)}.png"]
    whole = (Path(settings.MEDIA_FOLDER) / kept.storage_key).read_bytes()
    assert archive.read(row["files"][0]) == whole
    assert row["sha256"] == kept.sha256


def clips_come_with_recipe_record_and_who_saw_them(archive, life, others):
    (clip,) = [
        one for one in rows(archive, "clips") if one["id"] == shown("clip", life.released.id)
    ]
    assert clip["recipe"] == life.released.recipe
    assert [look["role"] for look in clip["seen_by"]] == ["manager"]
    sentences = [entry["sentence"] for entry in clip["record"]]
    assert "Put the clip forward; it was sealed as it is." in sentences
    assert "Approved it." in sentences
    assert "Released it." in sentences
    assert {entry["role"] for entry in clip["record"]} <= {
        "You", "A reviewer", "A programme manager", "Greenroom", "Somebody named", "Staff",
    }  # fmt: skip
    (opening,) = rows(archive, "openings")
    assert (opening["role"], opening["why"]) == ("manager", "question")


def a_decision_says_clause_reason_and_appeal(archive, life, others):
    (declined,) = [
        one
        for one in rows(archive, "submissions")
        if one["clip"] == shown("clip", life.declined.id)
    ]
    first, appeal = declined["cases"]
    assert first["decision"]["outcome"] == "declined"
    assert first["decision"]["clause"]["number"] == 1
    assert appeal["appeal"]["text"] == "The face is a mask; look at frame 3."
    assert appeal["decision"] is None


def the_statement_is_whole_numbers_and_decimals_alike(archive, life, others):
    lines = rows(archive, "statements")
    assert [(one["amount_micro"], one["amount"], one["balance_micro"]) for one in lines] == [
        (25_000_000, "25.000000", 25_000_000),
        (-25_000_000, "-25.000000", 0),
    ]
    table = list(csv.DictReader(io.StringIO(archive.read("data/statements.csv").decode())))
    assert [row["amount_micro"] for row in table] == ["25000000", "-25000000"]
    assert rows(archive, "payouts")[0]["reference"] == "Said to Ada: 1"


def an_agreement_comes_with_a_receipt_that_verifies(archive, life, others):
    (answer,) = rows(archive, "agreements")
    assert answer["act"] == "accepted"
    assert is_signed_here(answer["receipt"])


def other_people_are_named_by_what_they_are(archive, life, others):
    (conversation,) = rows(archive, "conversations")
    assert [one["role"] for one in conversation["remarks"]] == ["member", "manager"]
    (line,) = [one for one in rows(archive, "credit_lines") if one["who"] != "you"]
    assert set(line) & {"party", "name"} == set()


class Links(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.links, self.tags, self.ids = [], set(), set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.add(tag)
        self.ids.add(given.get("id"))
        self.links += [given[name] for name in ("href", "src") if name in given]


def the_index_leads_to_everything_and_nowhere_else(archive, life, others):
    page = Links(archive.read("index.html").decode())
    assert "script" not in page.tags
    assert "link" not in page.tags
    inside = {link for link in page.links if not link.startswith("#")}
    assert inside <= set(archive.namelist())
    assert {link[1:] for link in page.links if link.startswith("#")} <= page.ids
    data = {name for name in archive.namelist() if name.startswith("data/")}
    filled = {f"data/{document.name}" for document in CONTENTS if rows(archive, document.name[:-5])}
    assert filled <= inside
    assert data - filled <= data
    assert {name for name in archive.namelist() if name.startswith("files/")} <= inside


def said_on_the_page(archive):
    """What somebody reads who opens it, part by part."""
    page = archive.read("index.html").decode()
    parts = re.findall(r'<section aria-labelledby="(\w+)">(.*?)</section>', page, re.DOTALL)
    return {name: " ".join(re.sub(r"<[^>]*>", " ", part).split()) for name, part in parts}


def decisions_and_answers_are_read_without_any_program(archive, life, others):
    said = said_on_the_page(archive)
    assert "You accepted version 1 of the agreement" in said["you"]
    assert "Declined" in said["reviews"]
    assert "Clause 1: Nobody unasked" in said["reviews"]
    assert "It rests on: frame" in said["reviews"]
    assert "Said to Ada: a face is recognisable." in said["reviews"]
    assert "Your appeal The face is a mask; look at frame 3." in said["reviews"]
    assert "Ada: it is out. Accepted" in said["contributions"]
    assert "decided" not in said, "who decided nothing has no such part"


def read_me_says_what_is_what(archive, life, others):
    said = archive.read("README.txt").decode()
    assert "index.html opens in any browser" in said
    assert all(document.name in said for document in CONTENTS)


CHECKS = [
    every_column_that_the_document_promises_is_in_an_archive,
    nothing_of_anybody_else_is_in_it,
    secrets_are_not_in_it,
    the_masters_are_there_byte_for_byte,
    references_are_there_as_they_were_sent,
    clips_come_with_recipe_record_and_who_saw_them,
    a_decision_says_clause_reason_and_appeal,
    the_statement_is_whole_numbers_and_decimals_alike,
    an_agreement_comes_with_a_receipt_that_verifies,
    other_people_are_named_by_what_they_are,
    the_index_leads_to_everything_and_nowhere_else,
    decisions_and_answers_are_read_without_any_program,
    read_me_says_what_is_what,
]


def test_an_archive_holds_everything_of_its_owner_and_of_nobody_else(life, others, subtests):
    """One archive for all of these promises: it takes a life to make one."""
    archive = archive_of(life.member)
    for check in CHECKS:
        with subtests.test(check.__name__):
            check(archive, life, others)


def test_a_file_that_is_gone_is_named_and_the_rest_is_there(tester):
    clip = a_clip(tester)
    master = clip.renditions.get(kind="master")
    (Path(settings.MEDIA_FOLDER) / master.storage_key).unlink()
    archive = archive_of(tester)
    name = f"files/{shown('clip', clip.id)}.mp4"
    assert name not in archive.namelist()
    assert name in archive.read("index.html").decode()
    assert archive.testzip() is None


def test_somebody_who_has_done_nothing_gets_an_archive_too(stranger):
    archive = archive_of(stranger)
    assert rows(archive, "clips") == []
    assert "You have made no clip." in archive.read("index.html").decode()
    assert Export.objects.get().state == "ready"
