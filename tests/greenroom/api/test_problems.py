"""Whatever goes wrong is answered as problem details, and nothing leaks."""

from __future__ import annotations

import errno
import json
import logging

import pytest
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404
from rest_framework import exceptions

from core.errors import HTTP_STATUS, Absent, InvalidOrder, Kind, NotReady, QuotaExceeded, Refusal
from core.trace import request_id
from greenroom.api.problems import answer_for, problem_response

QUOTES = "/api/v1/quotes"
QUOTE = {"model": "still", "size": "128x96", "seconds": 1}


def kinds(parent=Refusal):
    for child in parent.__subclasses__():
        yield child
        yield from kinds(child)


def test_every_kind_has_a_status_and_every_refusal_a_code_of_its_own():
    assert set(HTTP_STATUS) == set(Kind)
    codes = [refusal.code for refusal in kinds() if "code" in vars(refusal)]
    assert len(codes) == len(set(codes))


def test_a_refusal_tells_kind_code_sentence_and_facts():
    token = request_id.set("r-1")
    try:
        answer = answer_for(
            QuotaExceeded(asked=5, left=3, budget="your credits", budget_kind="credits"), {}
        )
    finally:
        request_id.reset(token)
    assert answer.status_code == 429
    assert answer.content_type == "application/problem+json"
    assert answer.headers["Retry-After"] == "60"
    assert answer.data == {
        "type": "about:blank",
        "title": "There is not enough left.",
        "status": 429,
        "detail": "This needs 5, and 3 is left in the budget “your credits”.",
        "code": "quota_exceeded",
        "asked": 5,
        "left": 3,
        "budget": "your credits",
        "budget_kind": "credits",
        "request_id": "r-1",
    }


def test_a_refusal_about_a_field_says_which():
    answer = answer_for(InvalidOrder("model_unknown", "No.", field="model"), {})
    assert answer.data["errors"] == [{"field": "model", "code": "model_unknown", "message": "No."}]


def test_facts_never_take_the_place_of_what_a_problem_is():
    answer = answer_for(NotReady("not_ready", "Later.", status=200, type="x"), {})
    assert (answer.data["status"], answer.data["type"]) == (503, "about:blank")
    assert answer.headers["Retry-After"] == "15"


@pytest.mark.parametrize("absent", [Absent(), Http404("the job of Ann"), exceptions.NotFound()])
def test_absent_is_the_same_bytes_whoever_says_it(absent):
    token = request_id.set("another one")
    try:
        assert answer_for(absent, {}).data == answer_for(Absent(), {}).data
    finally:
        request_id.reset(token)
    assert "request_id" not in answer_for(absent, {}).data


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (exceptions.NotAuthenticated(), 401, "not_signed_in"),
        (exceptions.PermissionDenied(), 403, "not_allowed"),
        (PermissionDenied(), 403, "not_allowed"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (exceptions.UnsupportedMediaType("text/plain"), 415, "media_type_unsupported"),
        (exceptions.ParseError(), 400, "body_unreadable"),
        (OperationalError("server closed the connection at 10.0.0.5"), 503, "not_ready"),
        (OSError(errno.ENOSPC, "No space left", "/secret"), 507, "storage_full"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), 507, "storage_full"),
        (OSError(errno.EIO, "secret"), 500, "internal_error"),
        (RuntimeError("secret place"), 500, "internal_error"),
    ],
)
def test_what_others_raise_has_a_code_too(raised, status, code):
    answer = answer_for(raised, {})
    assert (answer.status_code, answer.data["code"]) == (status, code)
    assert answer.content_type == "application/problem+json"
    assert "secret" not in str(answer.data)
    assert "10.0.0.5" not in str(answer.data)


def test_the_unexpected_is_logged_and_nothing_of_it_is_told(tester, monkeypatch, caplog):
    def breaks(*_args, **_facts):
        raise ValueError("the pepper is xyz")

    monkeypatch.setattr("generation.jobs.api.jobs_asked_for", breaks)
    with caplog.at_level(logging.ERROR, logger="greenroom.api"):
        answer = tester.api.get("/api/v1/jobs", headers={"x-request-id": "r-77"})
    assert answer.status_code == 500
    problem = answer.json()
    assert (problem["code"], problem["request_id"]) == ("internal_error", "r-77")
    assert "xyz" not in answer.content.decode()
    assert "the pepper is xyz" in caplog.text


def test_outside_drf_it_is_the_same_problem():
    outside = json.loads(problem_response(Absent(), status=404).content)
    assert outside == answer_for(Absent(), {}).data


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"7",
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"a": "\\ud800"}',
        b'{"\\ud800": 1}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_a_body_that_is_no_json_object_is_400(body, tester):
    answer = tester.api.generic("POST", QUOTES, body, content_type="application/json")
    if body == b"":  # no body is an empty order
        assert answer.json()["code"] == "fields_invalid"
        return
    assert answer.status_code == 400
    assert answer.json()["code"] == "body_unreadable"


def test_a_body_of_more_than_a_mebibyte_is_413(tester):
    body = b'{"a": "' + b"x" * (1024 * 1024) + b'"}'
    answer = tester.api.generic("POST", QUOTES, body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_that_does_not_say_it_is_json_is_415(kind, tester):
    answer = tester.api.generic("POST", QUOTES, json.dumps(QUOTE), content_type=kind)
    assert (answer.status_code, answer.json()["code"]) == (415, "media_type_unsupported")


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/*;q=0.1"])
def test_json_comes_back_whatever_is_accepted(accept, tester):
    answer = tester.api.get("/api/v1/models", headers={"accept": accept})
    assert answer["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"modle": "still"}, "modle", "field_unknown"),
        ({"model": None}, "model", "wrong_type"),
        ({"model": 5}, "model", "wrong_type"),
        ({"model": ["still"]}, "model", "wrong_type"),
        ({"model": "st\u0000ill"}, "model", "wrong_type"),
        ({"size": "128"}, "size", "wrong_type"),
        ({"size": "128x96\n"}, "size", "wrong_type"),
        ({"size": "١٢٨x96"}, "size", "wrong_type"),
        ({"seconds": "1"}, "seconds", "wrong_type"),
        ({"seconds": True}, "seconds", "wrong_type"),
        ({"tier": 1}, "tier", "wrong_type"),
    ],
)
def test_a_wrong_field_is_named_with_a_code(change, field, code, tester, model):
    answer = tester.api.post(QUOTES, QUOTE | change)
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["code"] == "fields_invalid"
    assert [(error["field"], error["code"]) for error in problem["errors"]] == [(field, code)]
    assert all(error["message"] for error in problem["errors"])


def test_all_wrong_fields_are_named_at_once(tester):
    problem = tester.api.post(QUOTES, {"size": 3, "colour": "red"}).json()
    assert {(error["field"], error["code"]) for error in problem["errors"]} == {
        ("model", "field_missing"),
        ("size", "wrong_type"),
        ("seconds", "field_missing"),
        ("colour", "field_unknown"),
    }


def test_problems_speak_the_readers_language(tester):
    plain = tester.api.get("/api/v1/jobs/none").json()
    pseudo = tester.api.get("/api/v1/jobs/none", headers={"accept-language": "en-xa"}).json()
    assert plain["code"] == pseudo["code"]
    assert pseudo["title"] != plain["title"]
    assert pseudo["title"].startswith("[")
