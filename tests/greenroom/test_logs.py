"""Log lines: one JSON object each, and no secret of a link in any of them."""

from __future__ import annotations

import json
import logging

import pytest

from accounts.credentials.rules import SECRET_SIGNS, Letter, new_token
from greenroom.logs import JsonLines

SECRET = "Q" * SECRET_SIGNS


def _lines(caplog):
    return [
        (record.name, JsonLines().format(record))
        for record in caplog.records
        if record.name.startswith("django.")
    ]


def test_a_line_is_one_json_object():
    record = logging.makeLogRecord({"name": "any", "msg": "said\n%s", "args": ("so",)})

    assert json.loads(JsonLines().format(record))["event"] == "said\nso"


@pytest.mark.parametrize("method", ["head", "put"])
def test_a_refused_look_at_an_invitation_leaves_no_secret_behind(db, client, caplog, method):
    answer = getattr(client, method)(f"/invitation/{SECRET}", headers={"host": "localhost"})

    assert answer.status_code == 405
    lines = _lines(caplog)
    assert lines
    assert all(SECRET not in line and "/invitation/…" in line for _name, line in lines)


def test_a_token_in_an_address_is_not_written_down(db, client, caplog):
    _parts, text = new_token(Letter.TESTER)
    client.get(f"/clips/none/{text}", headers={"host": "localhost"})

    lines = _lines(caplog)
    assert lines
    assert all(text[6:] not in line for _name, line in lines)
