"""Somebody leaves for good with money still owed: they take everything along, nothing of who they
were is left anywhere, the books prove what is owed, and their receipt gets them paid."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from journeys.forms import send

from accounts.exports.models import Export
from core.ids import shown
from core.seal.queries import signing_keys
from core.seal.rules import verify
from greenroom.erasures.commands import finish_erasures
from greenroom.exports.commands import build_exports
from review.ledger.queries import ledger_discrepancies
from review.payouts.commands import pay_payout
from stage.cast import ADDRESS, PASSWORD
from stage.life import Others, a_life
from stage.money import a_payout


@pytest.fixture
def others(second_tester, reviewer, manager, finance):
    return Others(second_tester, reviewer, manager, finance)


def places_of(database, *patterns):
    """Every column of every table that holds something like this."""
    columns = database.superuser.execute(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public'"
        " AND data_type IN ('text', 'character varying', 'jsonb', 'ARRAY')"
    ).fetchall()
    return {
        f"{table}.{column}"
        for table, column in columns
        for pattern in patterns
        if database.superuser.execute(
            f'SELECT EXISTS (SELECT FROM "{table}" WHERE "{column}"::text ~* %s)', [pattern]
        ).fetchone()[0]
    }


@pytest.mark.django_db(transaction=True)
def test_taking_everything_along_and_leaving_for_good(tester, others, clock, database):
    life = a_life(tester, others, clock)
    email, party = tester.email, shown("party", tester.party_id)
    # Another member's address ends alike.
    names = ("Ada Quill", r"Ada Q\.", rf"(^|[^.\w]){email}", "call after ten")
    assert places_of(database, *names) >= {
        "accounts_person.email",
        "accounts_personaldetail.display_name",
        "account_emailaddress.email",
    }

    # Take everything along.
    send(tester.client, "/exports", "/exports")
    assert build_exports() == 1
    export = Export.objects.get()
    archive = Path(settings.MEDIA_FOLDER) / export.storage_key
    kept = zipfile.ZipFile(io.BytesIO(archive.read_bytes()))
    assert f"files/{shown('clip', life.released.id)}.mp4" in kept.namelist()

    # Leave, with 25 euros still owed.
    assert "25.00" in tester.client.get("/leave").text
    tester.client.post("/account/reauthenticate/", {"password": PASSWORD})
    done = send(tester.client, "/leave/confirm", "/leave/confirm", status=201, address=email)
    link = done.text.split('id="link" value="')[1].split('"')[0].partition(ADDRESS)[2]

    # Nothing says who it was; the archive of it is gone as well, and nobody signs in.
    assert places_of(database, *names) == set()
    assert not archive.exists()
    browser = Client(headers={"host": ADDRESS})
    answer = browser.post("/account/login/", {"login": email, "password": PASSWORD})
    assert answer.status_code == 200
    assert browser.get("/settings").status_code == 302
    finish_erasures()
    for clip in (life.released, life.declined):
        for file in clip.renditions.all():
            assert not (Path(settings.MEDIA_FOLDER) / file.storage_key).exists()

    # The books still prove, and the receipt verifies with the published key alone.
    assert ledger_discrepancies() == []
    receipt = json.loads(browser.get(f"{link}/receipt.json").content)
    (key,) = signing_keys()
    assert verify(receipt, bytes(key.public_key))
    assert not verify({**receipt, "party": "par_somebody_else"}, bytes(key.public_key))
    (books,) = [each for each in receipt["kept"] if each["what"] == "books"]
    assert (books["owed_micro"], books["currency"]) == (25_000_000, "EUR")
    assert receipt["party"] == party

    # Finance finds the party by the receipt, and pays.
    page = others.finance.client.get(f"/finance/parties/{party}").text
    assert "Erased" in page
    assert "25.00" in page
    payout = a_payout(tester, others.finance, others.manager)
    pay_payout(
        actor=others.finance.actor, payout_id=shown("payout", payout.id), reference="receipt shown"
    )
    assert ledger_discrepancies() == []
