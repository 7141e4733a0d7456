from __future__ import annotations

import pytest
from django.test import Client

from stage.cast import ADDRESS, PASSWORD


def sign_in(email: str, password: str = PASSWORD, client: Client | None = None) -> Client:
    """Through the form, as a browser does."""
    browser = client or a_browser()
    answer = browser.post("/account/login/", {"login": email, "password": password})
    assert answer.status_code == 302, answer.content.decode()
    return browser


def a_browser(**options) -> Client:
    return Client(headers={"host": ADDRESS}, **options)


def show_again(client: Client, password: str = PASSWORD) -> None:
    """Re-authenticate by password."""
    answer = client.post("/account/reauthenticate/", {"password": password})
    assert answer.status_code == 302, answer.content.decode()


@pytest.fixture
def browser() -> Client:
    return a_browser()


@pytest.fixture(name="sign_in")
def _sign_in():
    return sign_in


@pytest.fixture(name="show_again")
def _show_again():
    return show_again


@pytest.fixture(name="a_browser")
def _a_browser():
    return a_browser
