"""Credits over the native API."""

import pytest

from accounts.quotas.commands import grant_budget, settle_reservation
from accounts.quotas.models import Kind
from core.ids import shown
from stage.builders import a_job
from stage.cast import api_of

pytestmark = pytest.mark.django_db


def test_the_sum_is_what_it_says(tester):
    job = a_job(tester)
    settled = a_job(tester)
    settle_reservation(work_id=settled.id, kind=Kind.CREDITS, charge=settled.price_credits)
    quota = tester.api.get("/api/v1/quota").json()
    assert quota["reserved"] == job.price_credits
    assert quota["spent"] == settled.price_credits
    assert quota["left"] == quota["limit"] - quota["reserved"] - quota["spent"]
    assert quota["kind"] == "credits"


def test_what_is_left_is_the_smallest_rest_on_the_way(tester):
    actor = tester.token_actor()
    grant_budget(
        programme_id=tester.programme.id,
        party_id=tester.party_id,
        lineage_id=actor.lineage_id,
        kind=Kind.CREDITS,
        limit=3,
    )
    from accounts.credentials.models import Credential

    key_id = Credential.objects.get(id=actor.credential_id).key_id
    assert key_id == actor.key_id
    from accounts.quotas.queries import quota_of

    sums = quota_of(
        programme_id=tester.programme.id,
        party_id=tester.party_id,
        lineage_id=actor.lineage_id,
        kind=Kind.CREDITS,
    )
    assert sums.left == 3
    assert tester.api.get("/api/v1/quota").json()["left"] > 3


def test_each_job_has_its_line_and_the_pages_hold_all_of_them(tester):
    jobs = [a_job(tester) for _number in range(5)]
    seen, cursor = [], ""
    while cursor is not None:
        page = tester.api.get(f"/api/v1/quota/reservations?limit=2{cursor}").json()
        seen += page["items"]
        cursor = f"&cursor={page['next']}" if page["next"] else None
    assert [each["job"] for each in seen] == [shown("job", job.id) for job in reversed(jobs)]
    assert {each["state"] for each in seen} == {"held"}
    assert {each["charged"] for each in seen} == {None}


def test_nobody_sees_the_credits_of_others(tester, second_tester):
    a_job(tester)
    assert second_tester.api.get("/api/v1/quota/reservations").json()["items"] == []


def test_it_needs_its_scope(tester, anybody):
    assert api_of(tester.token("clips:read")).get("/api/v1/quota").status_code == 403
    assert anybody.get("/api/v1/quota").status_code == 401
