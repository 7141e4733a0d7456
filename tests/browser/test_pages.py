from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from core.ids import shown
from generation.catalogue.commands import offer_still_model
from generation.clips.models import Clip
from stage.cast import Member
from stage.rooms import PHONE, Visit
from stage.together import wait_until

FRONT = ["/", "/account/login/", "/nowhere"]
ROOMS = [
    "/",
    "/clips/new",
    "/tokens",
    "/tokens/new",
    "/webhooks",
    "/webhooks/new",
    "/settings",
    "/settings/post",
    "/inbox",
    "/announcements",
    "/agreement",
    "/api/docs",
    "/account/password/change/",
    "/account/2fa/",
    "/account/2fa/totp/activate/",
    "/account/2fa/passkeys/",
    "/account/2fa/passkeys/add/",
    "/account/reauthenticate/",
    "/account/logout/",
    "/jobs/job_00000000000000000000000000",
]


@pytest.mark.parametrize("of_the_account", [True, False], ids=["account", "rooms"])
def test_every_page_is_accessible_and_within_the_policy(
    visit: Callable[..., Visit], tester: Member, of_the_account: bool
) -> None:
    here = visit()
    found = [fault for path in FRONT if of_the_account for fault in here.faults_at(path)]
    here.sign_in_by_form(tester)  # a moment ago: pages that ask for that are there
    pages = [path for path in ROOMS if path.startswith("/account/") == of_the_account]
    found += [fault for path in pages for fault in here.faults_at(path)]
    assert found == []


def test_a_job_and_its_clip_are_accessible_from_the_line_to_the_end(
    visit: Callable[..., Visit], tester: Member
) -> None:
    here = visit()
    here.sign_in(tester)
    with _a_life(here, tester) as paths:
        assert [fault for path in paths for fault in here.faults_at(path)] == []


def test_no_page_shows_a_word_that_was_not_translated(
    visit: Callable[..., Visit], tester: Member
) -> None:
    here = visit(extra_http_headers={"Accept-Language": "en-XA"})
    front = [fault for path in FRONT for fault in _plain_words(here, path)]
    here.sign_in(tester)
    with _a_life(here, tester) as paths:
        rooms = [fault for path in [*ROOMS, *paths] for fault in _plain_words(here, path)]
    assert front + rooms == []


def test_nothing_is_wider_than_a_phone(visit: Callable[..., Visit], tester: Member) -> None:
    here = visit(viewport=PHONE)
    here.sign_in(tester)
    with _a_life(here, tester, prompt="Donaudampfschifffahrtsgesellschaft" * 30) as paths:
        wide = []
        for path in [*ROOMS, *paths]:
            here.go(path)
            if here.is_too_wide():
                wide.append(path)
    assert wide == []


@contextmanager
def _a_life(here: Visit, tester: Member, prompt: str = "A lamp in a window") -> Iterator[list[str]]:
    """Pages of a finished job, its clip, and a job that waits while they are looked at."""
    offer_still_model()
    finished = _ordered(here, tester, prompt)
    wait_until(Clip.objects.exists)
    clip = shown("clip", Clip.objects.get().id)
    with here.room.rest():
        yield [finished, f"/clips/{clip}", _ordered(here, tester, prompt)]


def _ordered(here: Visit, tester: Member, prompt: str) -> str:
    """The page of a job ordered through the API, so that the house itself rings for its worker."""
    order = {"prompt": prompt, "model": "still", "size": "640x360", "seconds": 1}
    answer = here.context.request.post(
        f"{here.room.address}/api/v1/jobs",
        data=order,
        headers={"Authorization": f"Bearer {tester.token()}"},
    )
    assert answer.status == 201, answer.text()
    return f"/jobs/{answer.json()['id']}"


# What is not ours to translate: names, addresses, ids, figures, code, what people wrote.
NOT_WORDS = (
    "code, pre, .mono, .figure, kbd, time, [data-said], .said, .title, .place, .mark, [lang]"
)


def _plain_words(here: Visit, path: str) -> list[str]:
    """Texts that came out without the accents of the pseudo-locale."""
    page = here.go(path)
    texts: list[str] = page.evaluate(
        """(skipped) => {
            const out = [];
            const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
            for (let node = walk.nextNode(); node; node = walk.nextNode()) {
                const parent = node.parentElement;
                if (parent.closest(skipped + ', script, style, template, option')) continue;
                const text = node.textContent.trim();
                if (text) out.push(text);
            }
            return out;
        }""",
        NOT_WORDS.replace("[lang]", "[lang]:not(html)"),
    )
    return [f"{path}: {text}" for text in texts if _is_plain(text)]


def _is_plain(text: str) -> bool:
    words = re.findall(r"[A-Za-z]{4,}", text)
    return bool(words) and text.isascii() and "@" not in text and "Greenroom" not in text
