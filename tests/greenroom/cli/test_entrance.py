"""Signing in by a code, with a token, and out; and where the token lies meanwhile."""

from __future__ import annotations

import io
import json
import re
import stat
from dataclasses import replace

import pytest

from accounts.credentials.commands import revoke_token
from accounts.credentials.models import Credential
from accounts.credentials.queries import actor_by_token
from accounts.device_logins.models import DeviceLogin
from greenroom.cli import client
from greenroom.cli.outcomes import Exit
from greenroom.cli.screen import Screen
from stage.cast import PASSWORD, Member

pytestmark = pytest.mark.django_db(transaction=True)

CODE = re.compile(r"type the code\s+([A-Z]{4}-[A-Z]{4})")


class Person:
    """Reads what the terminal shows, and answers in the portal."""

    def __init__(self, member: Member, monkeypatch: pytest.MonkeyPatch) -> None:
        self.member = member
        self.answers = "allow"
        self.asked: list[str] = []
        self.polls = 0
        monkeypatch.setattr(client, "pause", self.meanwhile)

    def meanwhile(self, _seconds: float) -> None:
        """Called where the command line would wait for the next poll."""
        self.polls += 1
        if self.polls == 2:
            self.answer(self.typed())

    def typed(self) -> str:
        raise NotImplementedError

    def answer(self, code: str) -> None:
        browser = self.member.client
        page = browser.post("/device", {"code": code}).url
        if self.answers == "deny":
            browser.post(f"{page}/deny")
            return
        browser.post("/account/reauthenticate/", {"password": PASSWORD})
        login = DeviceLogin.objects.get()
        self.asked = login.scopes
        wish = {"programme": self.member.programme.slug, "scopes": login.scopes, "days": 7}
        assert browser.post(page, wish).status_code == 302


@pytest.fixture
def person(tester, monkeypatch, shell):
    """``shell.err`` is what is on the terminal at that moment."""
    made = Person(tester, monkeypatch)
    said: list[str] = []
    real = Screen.tell

    def tell(screen, line):
        said.append(line)
        real(screen, line)

    monkeypatch.setattr(Screen, "tell", tell)
    made.typed = lambda: CODE.search("\n".join(said))[1]
    return made


def test_a_code_lets_the_machine_in(shell, person, tester):
    said = shell("login", "--json", "--name", "greenroom on workbench")
    assert said.exit == Exit.DONE, said.err
    assert "/device\n" in said.err
    kept = json.loads(shell.kept.read_text())["servers"][shell.address]
    actor = actor_by_token(kept["token"])
    assert actor.party_id == tester.party_id
    assert set(person.asked) >= {"clips:create", "clips:read", "tokens:revoke"}
    assert Credential.objects.get(id=actor.credential_id).name == "greenroom on workbench"
    assert said.json["key_id"] == actor.key_id
    assert kept["token"] not in said.out + said.err
    assert shell("quota").exit == Exit.DONE


def test_a_no_signs_nobody_in(shell, person):
    person.answers = "deny"
    said = shell("login", "--json")
    assert (said.exit, said.json["error"]["code"]) == (Exit.NOT_SIGNED_IN, "access_denied")
    assert not shell.kept.exists()


def test_a_code_that_nobody_types_ends(shell, monkeypatch, clock):
    monkeypatch.setattr(client, "pause", lambda _seconds: clock.advance(minutes=6))
    said = shell("login")
    assert said.exit == Exit.NOT_SIGNED_IN
    assert "expired_token" in said.err


def test_a_token_of_the_shell_is_said_to_win(shell, person, tester):
    environment = {**shell.environment, "GREENROOM_TOKEN": tester.token()}
    said = replace(shell, environment=environment)("login")
    assert (said.exit, "is used instead" in said.err) == (Exit.DONE, True)


def test_only_what_is_named_is_asked_for(shell, person):
    assert shell("login", "--scope", "clips:read", "--scope", "quota:read").exit == Exit.DONE
    assert person.asked == ["clips:read", "quota:read"]


def test_stopping_the_wait_keeps_nothing(shell, monkeypatch):
    def stop(_seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(client, "pause", stop)
    said = shell("login")
    assert said.exit == Exit.INTERRUPTED
    assert "Nothing was kept" in said.err
    assert not shell.kept.exists()


def test_a_token_is_taken_from_the_environment_and_kept_for_its_owner_alone(shell, tester):
    token = tester.token()
    entering = replace(shell, environment={**shell.environment, "GREENROOM_TOKEN": token})
    assert entering("login", "--token").exit == Exit.DONE
    assert stat.S_IMODE(shell.kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(shell.kept.parent.stat().st_mode) == 0o700
    assert shell("quota").exit == Exit.DONE


def test_a_token_comes_by_standard_input(shell, tester, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{tester.token('clips:read')}\n"))
    assert shell("login", "--token").exit == Exit.DONE
    assert shell("list").exit == Exit.DONE
    assert shell("quota").exit == Exit.REFUSED  # not its scope


@pytest.mark.parametrize("text", ["hello", "", "grm_t_" + "0" * 61])
def test_what_is_no_token_is_not_kept(shell, text, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert shell("login", "--token").exit in {Exit.USAGE, Exit.NOT_SIGNED_IN}
    assert not shell.kept.exists()


def test_signing_out_revokes_the_token_and_forgets_it(shell, person, tester):
    shell("login")
    token = json.loads(shell.kept.read_text())["servers"][shell.address]["token"]
    said = shell("logout")
    assert said.exit == Exit.DONE, said.err
    assert actor_by_token(token) is None
    assert Credential.objects.get(key_id=token[6:18]).state == "revoked"
    assert token not in shell.kept.read_text()
    assert shell("quota").exit == Exit.NOT_SIGNED_IN


def test_a_token_that_may_not_revoke_itself_is_forgotten_and_said_to_count_still(shell, tester):
    token = tester.token("clips:read")
    entering = replace(shell, environment={**shell.environment, "GREENROOM_TOKEN": token})
    entering("login", "--token")
    said = shell("logout")
    assert said.exit == Exit.REFUSED
    assert "still counts" in said.err
    assert f"{shell.address}/tokens" in said.err
    assert token not in shell.kept.read_text()


def test_a_token_that_was_revoked_elsewhere_is_forgotten_too(shell, person, tester):
    shell("login")
    token = json.loads(shell.kept.read_text())["servers"][shell.address]["token"]
    held = Credential.objects.get(key_id=token[6:18])
    revoke_token(actor=tester.actor, credential_id=held.id)
    assert shell("quota").exit == Exit.NOT_SIGNED_IN
    assert shell("logout").exit == Exit.DONE


def test_whoever_is_not_signed_in_is_told_how(shell):
    said = shell("list", "--json")
    assert said.exit == Exit.NOT_SIGNED_IN
    assert said.json["error"]["code"] == "not_signed_in"
    assert "greenroom login" in said.err
    assert shell("logout").exit == Exit.NOT_SIGNED_IN


def test_a_file_that_others_could_read_is_closed_to_them(shell, tester):
    token = tester.token()
    entering = replace(shell, environment={**shell.environment, "GREENROOM_TOKEN": token})
    entering("login", "--token")
    shell.kept.chmod(0o644)
    shell("quota")
    assert stat.S_IMODE(shell.kept.stat().st_mode) == 0o600


def test_a_broken_file_is_said_and_left(shell):
    shell.kept.parent.mkdir(parents=True)
    shell.kept.write_text("{")
    said = shell("quota")
    assert (said.exit, shell.kept.read_text()) == (Exit.FILE, "{")


@pytest.mark.parametrize(
    "address", ["http://greenroom.example", "https://a.example/path", "https://me:it@a.example", ""]
)
def test_a_token_goes_to_a_whole_address_over_https_only(shell, address):
    assert shell("login", address or "https://").exit == Exit.USAGE
