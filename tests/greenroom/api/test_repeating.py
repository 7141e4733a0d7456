"""What makes or orders something takes an ``Idempotency-Key``; what does not bears repeating."""

from __future__ import annotations

import pytest

from greenroom.api.schema import document

STATE = "It brings a thing into a state: done already, it stays there, or a 409 says so."
SEEN = "It names the version that it was made from; the second is told of the first."
ONCE = "There may be one of the name, of the address or at a time; the second is told so."
ASKS = "It makes nothing that is kept."
AGAIN = "Doing it again is what one does where the first answer was lost; nothing is counted twice."
DEVICE = "No credential has come yet, and so nobody whose key it would be; what is unused ends."
WITHOUT = {
    "administrators/{party}/end": STATE,
    "administrators/invitations": ONCE,
    "agreement/answer": STATE,
    "agreement/versions": SEEN,
    "cases/{case_id}/renew": STATE,
    "cases/{case_id}/return": STATE,
    "cases/{case_id}/verdict": STATE,
    "cases/{case_id}/verdict/take-back": STATE,
    "cases/claim": "cases?is_yours=true names what the lost answer gave; its lease ends by itself.",
    "clips/{clip_id}/keep": STATE,
    "clips/{clip_id}/remove": STATE,
    "clips/{clip_id}/viewings": AGAIN,
    "cohorts": ONCE,
    "cohorts/{cohort}/end": STATE,
    "cohorts/{cohort}/seat": STATE,
    "cohorts/{cohort}/unseat": STATE,
    "consents/grant": STATE,
    "consents/revoke": STATE,
    "consents/versions": SEEN,
    "contributions/{contribution}/triage": STATE,
    "credits/{credit_line_id}/answer": STATE,
    "device-login": DEVICE,
    "device-login/token": DEVICE,
    "devices/{device}/drain": STATE,
    "devices/{device}/serve": STATE,
    "erasures": ONCE,
    "exports": ONCE,
    "invitations": ONCE,
    "invitations/{invitation}/resend": AGAIN,
    "invitations/{invitation}/revoke": STATE,
    "invitations/list": ONCE,
    "jobs/{job_id}/cancel": STATE,
    "jobs/{job_id}/resume": STATE,
    "ledger/transactions/{transaction}/reverse": STATE,
    "left/{slug}/consents/revoke": STATE,
    "links/{link_id}/revoke": STATE,
    "notices/{notice_id}/dismiss": STATE,
    "notices/dismiss": STATE,
    "payouts/{payout}/approve": STATE,
    "payouts/{payout}/cancel": STATE,
    "payouts/{payout}/pay": STATE,
    "people/{party}/end-role": STATE,
    "people/{party}/grant-role": STATE,
    "people/{party}/offboard": STATE,
    "people/{party}/offboard-everywhere": STATE,
    "programme/calendar": SEEN,
    "programme/charter": SEEN,
    "programme/close": STATE,
    "programme/credits": STATE,
    "programme/defaults": STATE,
    "programme/models": SEEN,
    "programme/open": STATE,
    "programme/particulars": SEEN,
    "programme/policy": SEEN,
    "programme/rates": SEEN,
    "programme/retention": SEEN,
    "programmes": ONCE,
    "quotes": ASKS,
    "references/{reference_id}/remove": STATE,
    "releases/{release_id}/take-down": STATE,
    "sessions/revoke": STATE,
    "settings/post/again": STATE,
    "submissions/{submission_id}/withdraw": STATE,
    "tokens/{token}/revoke": STATE,
    "webhooks/{webhook}/deliveries/{delivery}/replay": AGAIN,
    "webhooks/{webhook}/replay": AGAIN,
    "webhooks/{webhook}/rotate-secret": AGAIN,
    "webhooks/{webhook}/test": AGAIN,
}
POSTS = {
    path.removeprefix("/api/v1/"): methods["post"]
    for path, methods in document()["paths"].items()
    if "post" in methods and path.startswith("/api/v1/")
}


def takes_a_key(said) -> bool:
    return any(each["name"] == "Idempotency-Key" for each in said.get("parameters", ()))


@pytest.mark.parametrize("path", sorted(POSTS))
def test_a_post_takes_a_key_or_bears_repeating(path):
    assert takes_a_key(POSTS[path]) is (path not in WITHOUT), (
        "mark the operation is_repeatable, or say in WITHOUT why repeating it is harmless"
    )


def test_the_table_names_no_other():
    assert set(WITHOUT) <= set(POSTS)


@pytest.mark.parametrize("path", sorted(path for path in POSTS if takes_a_key(POSTS[path])))
def test_what_takes_a_key_says_what_becomes_of_one_that_is_used_again(path):
    refused = POSTS[path]["responses"]["422"]["x-codes"]
    assert {"idempotency_key_reused", "idempotency_key_invalid"} <= set(refused)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("cohorts", {"name": "Autumn"}),
        ("invitations", {"email": "new@studio.example", "role": "tester"}),
        ("programme/credits", {"limit": 20_000_000}),
        ("invitations/list", {"csv": "email\nnew@studio.example\n", "role": "tester"}),
    ],
)
def test_what_a_manager_sends_twice_is_there_once(path, body, manager):
    first, second = (manager.api.post(f"/api/v1/{path}", body) for _ in range(2))
    assert first.status_code in (200, 201), first.json()
    assert second.status_code in (200, 409, 422), second.json()
    lists = {"cohorts": "cohorts", "programme/credits": None}
    if name := lists.get(path, "invitations"):
        assert len(manager.api.get(f"/api/v1/{name}").json()["items"]) == 1
