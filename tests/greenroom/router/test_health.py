"""Alive and ready, and nothing more said than that."""

from __future__ import annotations

import json

import pytest

from greenroom.router import health as health_module
from greenroom.router.health import migrations_on_disk


def test_it_is_live_without_a_database(asks, house, rows):
    rows.away = True
    answer = asks(house.router, "/health/live")

    assert (answer.status, json.loads(answer.content)) == (200, {"status": "live"})
    assert rows.asked == 0


def test_it_is_ready_when_the_database_answers_and_is_migrated(asks, house):
    answer = asks(house.router, "/health/ready")

    assert (answer.status, json.loads(answer.content)) == (200, {"status": "ready"})


@pytest.mark.parametrize("what", ["away", "behind"])
def test_it_is_not_ready_otherwise_and_does_not_say_why(asks, house, rows, what):
    rows.away = what == "away"
    rows.migrated = what != "behind"
    answer = asks(house.router, "/health/ready")

    assert answer.status == 503
    assert answer.headers["content-type"] == "application/problem+json"
    said = json.loads(answer.content)
    assert said.pop("request_id") == answer.headers["x-request-id"]
    assert said == {
        "type": "about:blank",
        "title": "This is not ready yet.",
        "status": 503,
        "detail": "The service is starting, or waits for its database. Try again soon.",
        "code": "not_ready",
    }


def test_many_questions_are_one_for_the_database(served, rows, monkeypatch):
    monkeypatch.setattr(health_module, "_ANSWER_KEPT_S", 60.0)
    answers = [served.ask("/health/ready").status for _ in range(20)]

    assert answers == [200] * 20
    assert rows.asked == 1


def test_it_becomes_ready_again(asks, house, rows, monkeypatch):
    monkeypatch.setattr(health_module, "_ANSWER_KEPT_S", 0.0)
    rows.away = True
    assert asks(house.router, "/health/ready").status == 503
    rows.away = False

    assert asks(house.router, "/health/ready").status == 200


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_health_can_only_be_read(asks, house, path):
    assert asks(house.router, path, method="POST").status == 405
    assert asks(house.router, path, method="HEAD").content == b""


def test_the_migrations_on_disk_are_the_newest_of_each_app():
    wanted = dict(migrations_on_disk())

    assert {"core", "accounts", "generation"} <= set(wanted)
    assert len(wanted) == len(migrations_on_disk())
