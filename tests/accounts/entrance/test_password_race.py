"""A sign-in with the old password, at the moment in which it is changed."""

import threading

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts.credentials import signals
from accounts.credentials.queries import actor_by_session
from accounts.entrance.commands import change_password
from accounts.people.models import Person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


@pytest.fixture
def old_cookie(tester, at_once, a_browser):
    """The cookie (or the refusal) of who signs in after the change and before its commit."""

    def run():
        old = Person.objects.get(pk=tester.person.pk)  # as the form has just checked it
        is_changed, has_begun = threading.Event(), threading.Event()

        def one(number):
            if number == 0:
                with transaction.atomic():
                    change_password(person=tester.person, password="a new rehearsal", keep=None)
                    is_changed.set()
                    has_begun.wait(2)  # it cannot, while the guard stands
                return None
            is_changed.wait(60)
            browser = a_browser()
            browser.force_login(old)
            has_begun.set()
            return browser.cookies["greenroom_session"].value

        return at_once(2, one)[1]

    return run


def test_no_session_begins_on_the_password_that_is_just_being_changed(old_cookie):
    assert isinstance(old_cookie(), PermissionDenied)


def test_control_without_the_look_at_the_row_the_old_password_opens_a_session(
    old_cookie, monkeypatch
):
    monkeypatch.setattr(signals, "_refuse_stale", lambda _request, _user: None)
    assert actor_by_session(old_cookie()) is not None
