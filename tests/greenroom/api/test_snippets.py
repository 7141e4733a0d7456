"""The programs of the docs page do what they say, and none of them holds a token."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from core.api.snippets import Asked, Gives, curl, python, snippets
from greenroom.api.docs import groups
from greenroom.api.schema import document
from stage.programs import PROMPT, tell

RUN = {
    "curl": (curl, lambda text: ["bash", "-c", text]),
    "python": (python, lambda text: [sys.executable, "-c", text]),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("language", RUN)
def test_a_program_does_what_it_says_when_it_is_run(language, web, tester, tmp_path):
    tell(web, tester, tmp_path, *RUN[language])


def test_every_operation_has_its_programs_with_the_readers_own_address():
    deeds = [deed for group in groups(document(), "http://here:8000") for deed in group.operations]
    assert len(deeds) > 150
    for deed in deeds:
        assert [each.language for each in deed.programs] == ["curl", "python", "javascript"]
        for each in deed.programs:
            assert deed.url in each.text, each.text
            assert "{" not in deed.url
            assert "grm_" not in each.text
            assert ("GREENROOM_TOKEN" in each.text) is bool(deed.scope)
            if each.language == "python":
                compile(each.text, deed.id, "exec")


@pytest.mark.django_db
def test_the_page_shows_the_address_that_its_reader_used(client):
    said = client.get("/api/docs/jobs_cancel", headers={"host": "localhost:8000"})
    assert "http://localhost:8000/api/v1/jobs/job_" in said.content.decode()
    assert client.get("/api/docs/nothing", headers={"host": "localhost"}).status_code == 404


@pytest.mark.django_db
def test_every_operation_leads_to_its_programs(client):
    page = client.get("/api/docs", headers={"host": "localhost"}).content.decode()
    for methods in document()["paths"].values():
        for said in methods.values():
            assert f'href="/api/docs/{said["operationId"]}"' in page


def test_words_that_a_shell_would_read_are_quoted():
    text = curl(Asked(method="POST", url="http://here/", body={"prompt": PROMPT}))
    said = subprocess.run(
        ["bash", "-c", text.replace("curl -sS", "printf '%s\\n'", 1)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(said.stdout.splitlines()[-1]) == {"prompt": PROMPT}


def test_a_stream_is_read_as_it_comes():
    told = {
        each.language: each.text
        for each in snippets(Asked(method="GET", url="http://here/events", gives=Gives.EVENTS))
    }
    assert "-sSN" in told["curl"]
    assert "for line in answer" in told["python"]
    assert "for await" in told["javascript"]
