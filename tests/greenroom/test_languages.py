"""The pseudo-locale changes every word and nothing that a program reads."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.middleware.locale import LocaleMiddleware
from django.template import Context, Engine
from django.test import RequestFactory, override_settings
from django.utils import translation
from django.utils.functional import lazystr
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import (
    gettext,
    gettext_lazy,
    ngettext,
    npgettext,
    pgettext,
    trans_real,
)

from greenroom.languages import KEPT, PSEUDO_CODE, PSEUDO_LANGUAGE, install, pseudo


@pytest.fixture(autouse=True)
def pseudo_locale() -> Iterator[None]:
    """The languages of a demonstration, whatever mode the tests run in."""
    known = dict(trans_real._translations)
    languages = [("en", "English"), PSEUDO_LANGUAGE]
    with override_settings(PSEUDO_LOCALE=True, LANGUAGES=languages):
        install()
        yield
    trans_real._translations.clear()
    trans_real._translations.update(known)


def plain(text: str) -> str:
    """What is left when accents and doubling are ignored: nothing of ASCII's letters may be."""
    return "".join(letter for letter in KEPT.sub("", text) if letter.isascii() and letter.isalpha())


def test_words_come_out_accented_bracketed_and_a_third_longer() -> None:
    english = "A paper boat drifts down a rain gutter at dusk"
    shown = pseudo(english)
    assert shown.startswith("[")
    assert shown.endswith("]")
    assert plain(shown) == ""
    assert 1.25 <= len(shown) / len(english) <= 1.45


@pytest.mark.parametrize(
    "kept",
    [
        "%(name)s", "%(left)d", "%s", "%d", "%.2f", "%%", "{x}", "{0:.2f}", "{step}",
        '<a href="/settings?a=b">', "</a>", "<code>", "&nbsp;", "&#8239;", "&amp;",
        "https://example.org/path",
    ],
)  # fmt: skip
def test_what_a_program_reads_stays_as_it_was(kept: str) -> None:
    shown = pseudo(f"before {kept} after")
    assert kept in shown
    assert plain(shown) == ""


def test_placeholders_can_still_be_filled_in() -> None:
    with translation.override(PSEUDO_CODE):
        assert "7 " in gettext("This needs %(asked)s credits") % {"asked": "7"} + " "
        assert "<b>x</b>" in gettext("Hello {name}, welcome").format(name="<b>x</b>")
        assert "50%" in gettext("%d%% done") % 50


def test_a_string_without_words_is_left_alone() -> None:
    for text in ("", "%s", "—", ": %(value)s", "12:30", "<br>"):
        assert pseudo(text) == text


def test_white_space_around_the_words_stays_outside_the_brackets() -> None:
    assert pseudo("\n  Sign in \n").startswith("\n  [")
    assert pseudo("\n  Sign in \n").endswith("] \n")


def test_plurals_choose_the_form_of_english() -> None:
    with translation.override(PSEUDO_CODE):
        one = ngettext("%(n)d clip", "%(n)d clips", 1) % {"n": 1}
        many = ngettext("%(n)d clip", "%(n)d clips", 2) % {"n": 2}
    assert one.startswith("[1 ")
    assert many.startswith("[2 ")
    assert len(many) > len(one)


def test_a_context_does_not_show_and_does_not_hide_the_translation() -> None:
    with translation.override(PSEUDO_CODE):
        assert pgettext("verb", "Open") == pseudo("Open")
        assert npgettext("noun", "clip", "clips", 3) == pseudo("clips")


def test_third_parties_and_lazy_strings_go_through_it_too() -> None:
    lazy = gettext_lazy("This field is required.")
    with translation.override(PSEUDO_CODE):
        assert str(lazy) == pseudo("This field is required.")
        assert plain(gettext("Enter a valid email address.")) == ""
    assert str(lazy) == "This field is required."
    assert str(lazystr("untouched")) == "untouched"


def test_what_was_safe_stays_safe_and_what_was_not_does_not() -> None:
    with translation.override(PSEUDO_CODE):
        assert isinstance(gettext(mark_safe("<b>Sign in</b>")), SafeString)
        assert not isinstance(gettext("Sign in"), SafeString)


def test_templates_show_it_with_their_variables_filled_in() -> None:
    source = (
        "{% load i18n %}{% translate 'Studio' %}|"
        "{% blocktranslate count n=3 trimmed %}{{ n }} clip{% plural %}{{ n }} clips"
        "{% endblocktranslate %}"
    )
    engine = Engine(libraries={"i18n": "django.templatetags.i18n"})
    with translation.override(PSEUDO_CODE):
        studio, clips = engine.from_string(source).render(Context()).split("|")
    assert studio == pseudo("Studio")
    assert clips.startswith("[3 ")
    assert plain(studio + clips) == ""


@pytest.mark.parametrize(
    "asked",
    [
        {"HTTP_ACCEPT_LANGUAGE": "en-XA,en;q=0.5"},
        {"HTTP_COOKIE": f"{settings.LANGUAGE_COOKIE_NAME}={PSEUDO_CODE}"},
    ],
)
def test_a_browser_gets_it_by_cookie_or_header(asked: dict[str, str]) -> None:
    door = LocaleMiddleware(lambda _request: HttpResponse(gettext("Studio")))
    response = door(RequestFactory().get("/", **asked))
    assert response.content.decode() == pseudo("Studio")
    assert response["Content-Language"] == PSEUDO_CODE


def test_another_language_is_not_touched() -> None:
    with translation.override("en"):
        assert gettext("Studio") == "Studio"
        assert ngettext("%d clip", "%d clips", 2) == "%d clips"


def test_production_does_not_have_it() -> None:
    trans_real._translations.pop(PSEUDO_CODE, None)
    with override_settings(PSEUDO_LOCALE=False):
        install()
    assert PSEUDO_CODE not in trans_real._translations


def test_threads_do_not_disturb_each_other() -> None:
    wrong: list[str] = []
    barrier = threading.Barrier(8)

    def speak(number: int) -> None:
        code = PSEUDO_CODE if number % 2 else "en"
        barrier.wait()
        with translation.override(code):
            for turn in range(200):
                text = f"Clip number {number} of turn {turn}"
                if gettext(text) != (pseudo(text) if number % 2 else text):
                    wrong.append(text)

    threads = [threading.Thread(target=speak, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
