"""Whatever a page shows, a program can ask for: every query of a page is behind an endpoint, or is
the page's own help to its reader."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from house.test_doors import METHODS, page_modules

from core.api import operation_of
from greenroom.api.codes import reached
from greenroom.urls import API

VISITOR = "Whoever reads it holds no credential yet: its link, or the front page, is for visitors."
FILTER = "A list with filters gives the same rows: "
HELP = "It fills or words the page's own form; the endpoint's refusal says the same."
MARK = "A mark beside something that the endpoint shows itself."
OTHERWISE = {
    "accounts.announcements.queries.possible_readers": HELP,
    "accounts.cohorts.queries.cohorts_by_member": FILTER + "people?cohort=",
    "accounts.conversations.queries.conversation_about": MARK,
    "accounts.conversations.queries.conversations_waiting": FILTER + "conversations/to-answer",
    "accounts.conversations.queries.readers_of": HELP,
    "accounts.credentials.queries.token_by_key_for": "tokens/{token} gives it by its public id.",
    "accounts.device_logins.queries.answered_login_for": "A person in the portal lets a device in.",
    "accounts.device_logins.queries.device_login_for": "A person in the portal lets a device in.",
    "accounts.device_logins.queries.where_from": "A person in the portal lets a device in.",
    "accounts.entrance.queries.staff_at": VISITOR,
    "accounts.erasures.queries.erasure_by_secret": VISITOR,
    "accounts.invitations.queries.invitation_by_secret": VISITOR,
    "accounts.invitations.queries.invitation_open": VISITOR,
    "accounts.invitations.queries.offered_language": VISITOR,
    "accounts.invitations.queries.way_in": VISITOR,
    "accounts.notices.queries.finder": "It registers how a thing is found and shows nothing.",
    "accounts.notices.queries.notice_for": FILTER + "notices",
    "accounts.notices.queries.unread_count": FILTER + "notices?show=unread",
    "accounts.notices.queries.unread_notices": FILTER + "notices?show=unread",
    "accounts.programmes.queries.programme_by_slug": VISITOR,
    "accounts.programmes.queries.why_not_working": HELP,
    "core.seal.queries.shown_key": "/keys is JSON for everybody, without a credential.",
    "core.seal.queries.signing_keys": "/keys is JSON for everybody, without a credential.",
    "generation.catalogue.queries.by_name": HELP,
    "generation.catalogue.queries.usual_model": HELP,
    "generation.catalogue.queries.usual_size": HELP,
    "generation.jobs.queries.live_jobs_of": FILTER + "jobs?is_live=true",
    "generation.styles.queries.styles_known": "styles gives those that may be ordered with.",
    "greenroom.mailbox.queries.letter_kept": "The demonstration's mailbox; production has none.",
    "greenroom.mailbox.queries.letters_kept": "The demonstration's mailbox; production has none.",
    "review.chains.queries.last_case_of": FILTER + "submissions?clip=",
    "review.chains.queries.new_version_of": FILTER + "clips?thread=",
    "review.chains.queries.newest_submission_of": FILTER + "submissions?clip=",
    "review.chains.queries.submission_to_follow": HELP,
    "review.chains.queries.submissions_with_pictures": FILTER + "submissions; clips has the files",
    "review.contributions.queries.clips_to_write_about": HELP,
    "review.credits.queries.credit_lines_answered": FILTER + "credits?state=",
    "review.credits.queries.credit_lines_waiting": FILTER + "credits?state=",
    "review.desk.queries.handed_back_by": MARK,
    "review.desk.queries.held_by": FILTER + "cases?is_yours=true",
    "review.ledger.queries.fundings_of": FILTER + "ledger/transactions?kind=funding",
    "review.ledger.queries.names_of": "people gives a party's name.",
    "review.ledger.queries.owed_balances": FILTER + "ledger/balances?account=owed",
    "review.ledger.queries.treasury_of": FILTER + "ledger/balances?account=treasury",
    "review.payouts.queries.open_payouts": FILTER + "payouts?state=",
    "review.payouts.queries.open_payouts_by_party": FILTER + "payouts?state=&party=",
    "review.payouts.queries.payouts_to": FILTER + "payouts?party=",
    "review.releases.queries.last_release_of": FILTER + "releases?clip=",
    "review.releases.queries.release_by_link": VISITOR,
    "review.retention.queries.standing_of": MARK,
}


def queries_used(module: ast.Module) -> set[str]:
    """The dotted names of all queries that a module imports and has any use for."""
    imported = {
        name.asname or name.name: f"{node.module}.{name.name}"
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith(".queries")
        for name in node.names
        if name.name[0].islower()
    }
    return {
        imported[node.id]
        for node in ast.walk(module)
        if isinstance(node, ast.Name) and node.id in imported
    }


def queries_asked(patterns: Iterable[object] = API) -> set[str]:
    """Those that an operation may come to call."""
    views = [pattern.callback.view_class for pattern in patterns]  # type: ignore[attr-defined]
    return {
        f"{function.__module__}.{function.__name__}"
        for view in views
        for method in METHODS
        if operation_of(view, method)
        for function in reached(getattr(view, method.lower()), view)
        if function.__module__.endswith(".queries")
    }


def test_every_query_of_a_page_is_asked_by_an_endpoint_too():
    used = {query for module in page_modules() for query in queries_used(module)}
    missing = used - queries_asked() - set(OTHERWISE)
    assert missing == set(), "pages show these, and no endpoint does: give them one, or say why not"


def test_the_list_of_other_queries_names_no_more():
    used = {query for module in page_modules() for query in queries_used(module)}
    assert set(OTHERWISE) <= used
    assert set(OTHERWISE) & queries_asked() == set()


def test_a_query_is_seen_however_a_page_uses_it():
    module = ast.parse(
        "from accounts.made_up.queries import Shape, all_of as every, unused\n"
        "def page(request):\n    return [each for each in every(request)]"
    )
    assert queries_used(module) == {"accounts.made_up.queries.all_of"}


def test_without_its_endpoint_a_query_is_missed():
    without = [
        pattern
        for pattern in API
        if pattern.callback.view_class.__module__ != "accounts.notices.api"
    ]
    assert "accounts.notices.queries.notices_of" in queries_asked() - queries_asked(without)
