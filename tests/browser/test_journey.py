"""From a prompt to a payout with the keyboard alone, every page accessible on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, expect

from accounts.programmes.models import Programme
from accounts.rates.commands import publish_rate
from accounts.rates.rules import ActKind
from core.ids import shown
from core.money import MICRO
from generation.catalogue.commands import offer_still_model
from review.decisions.commands import decide_due
from review.ledger.commands import record_funding_at_the_machine
from review.payouts.models import Payout
from stage.cast import Member
from stage.clock import Clock
from stage.review import REASON, open_review
from stage.rooms import Visit

PATIENCE_MS = 60_000
MOST_TABS = 150


@pytest.fixture(autouse=True)
def _open(programme: Programme) -> None:
    offer_still_model()
    open_review(programme)
    publish_rate(programme_id=programme.id, kind=ActKind.RELEASE, amount_micro=25 * MICRO)
    record_funding_at_the_machine(programme_id=programme.id, amount_micro=100 * MICRO)


@dataclass
class Keys:
    """Somebody without a mouse: Tab, arrows, Space, Enter and letters."""

    visit: Visit

    def go(self, path: str) -> None:
        self.visit.go(path)
        self.look()

    def look(self) -> None:
        assert self.visit.axe() == [], self.visit.page.url

    def reach(self, wanted: Locator) -> None:
        """Tab until it has the focus, as anybody would; it must be seen when it has."""
        page = self.visit.page
        for _press in range(MOST_TABS):
            if wanted.evaluate("(node) => node === document.activeElement"):
                expect(wanted).to_be_visible()
                return
            page.keyboard.press("Tab")
        pytest.fail(f"{wanted} cannot be reached by Tab on {page.url}")

    def press(self, role: str, name: str, *, leads_to: str) -> None:
        self.reach(self.visit.page.get_by_role(role, name=name).first)  # type: ignore[arg-type]
        with self.visit.page.expect_navigation(url=leads_to):
            self.visit.page.keyboard.press("Enter")
        self.look()

    def write(self, label: str, text: str) -> None:
        self.reach(self.visit.page.get_by_label(label).first)
        self.visit.page.keyboard.press("Control+A")
        self.visit.page.keyboard.type(text)

    def sign_in(self, member: Member) -> None:
        self.go("/account/login/")
        self.write("E-mail", member.email)
        self.write("Password", member.password)
        self.visit.page.keyboard.press("Enter")
        self.visit.page.wait_for_url(f"{self.visit.room.address}/")


def test_the_whole_way_with_the_keyboard_alone(
    visit: Callable[..., Visit],
    tester: Member,
    reviewer: Member,
    second_reviewer: Member,
    finance: Member,
    manager: Member,
    clock: Clock,
) -> None:
    artist, public = Keys(visit()), Keys(visit())
    artist.sign_in(tester)
    clip = _a_clip(artist)

    artist.press("link", "Put it forward", leads_to="**/submissions/new?*")
    artist.press("button", "Put it forward", leads_to="**/submissions/sub_*")

    first = Keys(visit())
    first.sign_in(reviewer)
    _decide(first, clock, "d", clause="1")
    artist.visit.page.reload()
    expect(artist.visit.page.get_by_text(REASON)).to_be_visible()
    artist.look()
    artist.write("Why the decision is wrong", "It is a mask; look at frame 3.")
    artist.press("button", "Appeal", leads_to="**/submissions/sub_*")

    second = Keys(visit())
    second.sign_in(second_reviewer)
    _decide(second, clock, "a", reversal="2")
    artist.visit.page.reload()
    expect(artist.visit.page.get_by_text("You can release it").first).to_be_visible()

    artist.go(clip)
    artist.press("link", "Release it", leads_to="**/releases/new?*")
    artist.write("Title", "A harbour before sunrise")
    artist.press("button", "Release it", leads_to="**/clips/clp_*")

    public.go("/")
    public.press("link", "Showcase", leads_to="**/showcase")
    public.press("link", "A harbour before sunrise", leads_to="**/showcase/rel_*")
    release = public.visit.page.url
    _plays(public)
    for path in ("/programmes", "/programmes/studio", "/programmes/studio/figures"):
        public.go(path)

    artist.go("/earnings")
    expect(artist.visit.page.get_by_text("25.00").first).to_be_visible()
    _pay_out(visit, tester, finance, manager)
    artist.go("/earnings")
    expect(artist.visit.page.get_by_text("SEPA 1").first).to_be_visible()

    artist.go(clip)
    artist.press("button", "Take it down", leads_to="**/clips/clp_*")
    answer = public.visit.page.goto(release)
    assert answer is not None
    assert answer.status == 404
    public.look()


def test_the_core_works_without_a_script(
    visit: Callable[..., Visit],
    tester: Member,
    reviewer: Member,
    second_reviewer: Member,
    clock: Clock,
) -> None:
    artist = visit(java_script_enabled=False)
    artist.sign_in_by_form(tester)
    page = artist.go("/clips/new")
    page.get_by_label("What should be seen").fill("A quiet stair")
    page.get_by_label("Size").select_option("640x360")
    page.get_by_label("Length in seconds").fill("1")
    page.get_by_role("button", name="Show price").click()
    page.get_by_role("button", name="Make this clip").click()
    page.wait_for_url("**/jobs/job_*")
    for _look in range(300):
        if page.get_by_role("link", name="Watch the clip").count():
            break
        page.wait_for_timeout(200)
        page.reload()
    page.get_by_role("link", name="Watch the clip").click()
    clip = page.url
    page.get_by_role("link", name="Put it forward").click()
    page.get_by_role("button", name="Put it forward").click()
    submission = page.url

    for member, outcome in ((reviewer, "declined"), (second_reviewer, "approved")):
        desk = visit(java_script_enabled=False)
        desk.sign_in(member)
        case = desk.go("/desk")
        case.get_by_role("button", name="Take the next").first.click()
        case.wait_for_url("**/desk/cases/cas_*")
        case.locator(f"input[name=outcome][value={outcome}]").check()
        if outcome == "declined":
            case.locator("input[name=clause][value='1']").check()
            case.locator("input[name=frame_from]").first.fill("2")
            case.locator("input[name=frame_to]").first.fill("5")
            case.get_by_label("Reason").fill(REASON)
        else:
            case.locator("input[name=reversal]").first.check()
        case.get_by_role("button", name="Decide").click()
        expect(case.get_by_role("button", name="Take it back")).to_be_visible()
        clock.advance(seconds=11)
        assert decide_due() == 1
        if outcome == "declined":
            page.goto(submission)
            page.get_by_label("Why the decision is wrong").fill("It is nobody's face.")
            page.get_by_role("button", name="Appeal").click()

    page.goto(clip)
    page.get_by_role("link", name="Release it").click()
    page.get_by_label("Title").fill("A quiet stair")
    page.get_by_role("button", name="Release it").click()
    anybody = visit(java_script_enabled=False).go("/showcase")
    anybody.get_by_role("link", name="A quiet stair").click()
    expect(anybody.locator("video")).to_have_attribute("controls", "")


def _a_clip(artist: Keys) -> str:
    page = artist.visit.page
    artist.go("/clips/new")
    artist.write("What should be seen", "A harbour before sunrise")
    artist.reach(page.get_by_label("Size"))
    page.keyboard.type("640")
    artist.write("Length in seconds", "1")
    expect(page.locator(".price .amount")).to_contain_text("1")
    artist.press("button", "Make this clip", leads_to="**/jobs/job_*")
    watch = page.get_by_role("link", name="Watch the clip")
    expect(watch).to_be_visible(timeout=PATIENCE_MS)
    artist.press("link", "Watch the clip", leads_to="**/clips/clp_*")
    return page.url.removeprefix(artist.visit.room.address)


def _decide(
    desk: Keys, clock: Clock, outcome: str, *, clause: str = "", reversal: str = ""
) -> None:
    page = desk.visit.page
    desk.go("/desk")
    page.keyboard.press("n")
    page.wait_for_url("**/desk/cases/cas_*")
    desk.look()
    page.keyboard.press(outcome)
    if clause:
        page.keyboard.press(clause)
        page.keyboard.press("i")
        page.keyboard.press("o")
        page.keyboard.press("r")
        page.keyboard.type(REASON)
    if reversal:
        page.keyboard.press(reversal)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("to take it back").first).to_be_visible()
    desk.look()
    clock.advance(seconds=11)
    assert decide_due() == 1


def _plays(public: Keys) -> None:
    """The released file plays for somebody who is not signed in, and can be sought."""
    public.visit.page.wait_for_function(
        "() => { const v = document.querySelector('video'); return v && v.readyState >= 2; }"
    )


def _pay_out(visit: Callable[..., Visit], tester: Member, finance: Member, manager: Member) -> None:
    money, lead = Keys(visit()), Keys(visit())
    money.sign_in(finance)
    money.go("/finance")
    money.go(f"/finance/parties/{shown('party', tester.party_id)}")
    money.press("button", "Propose", leads_to="**/finance/payouts/pay_*")
    payout = f"/finance/payouts/{shown('payout', Payout.objects.get().id)}"
    lead.sign_in(manager)
    lead.go(payout)
    lead.press("button", "Approve this instruction", leads_to="**/finance/payouts/pay_*")
    money.go(payout)
    money.write("Reference", "SEPA 1")
    money.press("button", "Record as paid", leads_to="**/finance/payouts/pay_*")
    expect(money.visit.page.get_by_text("SEPA 1").first).to_be_visible()
    assert Payout.objects.get().state == "paid"
