"""No address of the house answers with a blank page, whoever opens it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

pytestmark = pytest.mark.django_db

# A word for each kind of gap in an address; the real thing need not be there.
FILLED = {"int": "1", "path": "some/where", "slug": "release", "str": "somebody"}


def addresses(patterns: list[URLPattern | URLResolver], before: str = "/") -> Iterator[str]:
    for each in patterns:
        path = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from addresses(each.url_patterns, path)
        else:
            yield filled(path)


def filled(path: str) -> str:
    """Gaps of both kinds that Django knows: ``<str:name>``, and groups of a regular expression."""
    path = re.sub(r"\(\?P<\w+>[^)]*\)", FILLED["str"], path)
    path = re.sub(r"<(\w+):\w+>", lambda gap: FILLED[gap[1]], path)
    return path.replace("^", "").replace("$", "")


ADDRESSES = sorted(set(addresses(get_resolver().url_patterns)))


def is_said(answer) -> bool:
    """A redirect leads on; everything else has words."""
    return answer.status_code in (301, 302, 303) or bool(answer.getvalue().strip())


def words_of(answer) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).split())


def test_the_walk_finds_the_house():
    assert {"/", "/setup/open", "/people/somebody/roles/somebody/end", "/account/login/"} <= set(
        ADDRESSES
    )
    assert any(path.startswith("/api/v1/") for path in ADDRESSES)
    assert not re.search(r"[<^(\\]", "".join(ADDRESSES)), "every gap is filled"


def test_no_address_that_is_opened_stays_blank(client):
    answers = {path: client.get(path, headers={"host": "localhost"}) for path in ADDRESSES}
    assert [path for path, answer in answers.items() if not is_said(answer)] == []


def buttons(member) -> dict[str, str]:
    """Addresses that take no opening, each with its page. Nothing that was opened is blank."""
    answers = {path: member.client.get(path) for path in ADDRESSES if not path.startswith("/api/")}
    assert [path for path, answer in answers.items() if not is_said(answer)] == []
    refused = {path: each for path, each in answers.items() if each.status_code == 405}
    for path, answer in refused.items():
        assert "GET" not in answer["Allow"], path
        assert answer["Allow"], path
    return {path: answer.content.decode() for path, answer in refused.items()}


def test_the_address_of_a_button_says_so_and_leads_to_its_room(manager):
    found = buttons(manager)
    assert {"/setup/open", "/people/somebody/roles", "/place", "/agreement/accept"} <= set(found)
    ways = {
        path: re.findall(r'<a class="button[^"]*" href="([^"]+)"', said.partition("<main")[2])
        for path, said in found.items()
    }
    assert all(way[-1] == "/" for way in ways.values())
    assert ways["/setup/open"] == ["/setup", "/"]
    assert ways["/people/somebody/roles/somebody/end"] == ["/people", "/"]
    assert ways["/place"] == ["/"]
    leading = sorted({way for each in ways.values() for way in each})
    assert {way: manager.client.get(way).status_code for way in leading} == dict.fromkeys(
        leading, 200
    )


def test_a_button_of_somebody_elses_room_leads_to_the_start(tester):
    said = tester.client.get("/setup/open")
    assert said.status_code == 405
    assert "Nothing was changed" in words_of(said)
    assert 'href="/setup"' not in said.content.decode()


def test_what_a_page_does_not_take_is_said_the_same_way(client):
    answer = client.post("/showcase", headers={"host": "localhost"})
    assert answer.status_code == 405
    assert "POST" not in answer["Allow"]
    assert "This is no page to open" in words_of(answer)


def test_programs_hear_it_as_a_problem(tester):
    for path in (path for path in ADDRESSES if path.startswith("/api/")):
        answer = tester.client.patch(path) if "openapi" in path else tester.client.trace(path)
        if answer.status_code == 405:
            assert answer["Content-Type"] == "application/problem+json", path
            assert answer.json()["code"] == "method_not_allowed", path
