"""The list of rooms. Each feature brings its own addresses; here stands where they hang."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from accounts.administrators import api as administrator_api
from accounts.agreements import api as agreement_api
from accounts.agreements import pages as agreement_pages
from accounts.announcements import api as announcement_api
from accounts.announcements import pages as announcement_pages
from accounts.arrivals import pages as arrival_pages
from accounts.calendars import api as calendar_api
from accounts.cohorts import api as cohort_api
from accounts.credentials import api as credential_api
from accounts.credentials import pages as credential_pages
from accounts.device_logins import api as device_login_api
from accounts.device_logins import pages as device_login_pages
from accounts.entrance import pages as entrance_pages
from accounts.invitations import api as invitation_api
from accounts.notices import api as notice_api
from accounts.notices import pages as notice_pages
from accounts.post import api as post_api
from accounts.post import pages as post_pages
from accounts.profile import api as profile_api
from accounts.profile import pages as profile_pages
from accounts.quotas import api as quota_api
from accounts.retention import api as retention_terms_api
from accounts.roles import api as role_api
from accounts.webhooks import api as webhook_api
from accounts.webhooks import pages as webhook_pages
from generation.catalogue import api as catalogue_api
from generation.clips import api as clip_api
from generation.clips import pages as clip_pages
from generation.jobs import api as job_api
from generation.jobs import pages as job_pages
from generation.references import api as reference_api
from generation.references import pages as reference_pages
from generation.styles import api as style_api
from generation.styles import pages as style_pages
from greenroom.api import docs
from greenroom.conversations import api as conversation_api
from greenroom.conversations import pages as conversation_pages
from greenroom.devices import api as device_api
from greenroom.devices import pages as device_pages
from greenroom.erasures import api as erasure_api
from greenroom.erasures import pages as erasure_pages
from greenroom.exports import api as export_api
from greenroom.exports import pages as export_pages
from greenroom.mailbox import pages as mailbox_pages
from greenroom.offboarding import api as offboarding_api
from greenroom.openai import urls as openai_urls
from greenroom.people import invitation_pages as people_invitation_pages
from greenroom.people import pages as people_pages
from greenroom.portal import api as portal_api
from greenroom.portal import (
    clip,
    consents,
    consents_api,
    errors,
    keys,
    left,
    left_api,
    programmes,
    public,
)
from greenroom.portal import pages as portal_pages
from greenroom.setup import api as setup_api
from greenroom.setup import budget_pages, consent_pages, rate_pages, step_pages
from greenroom.setup import pages as setup_pages
from review.chains import api as chain_api
from review.chains import pages as chain_pages
from review.contributions import api as contribution_api
from review.contributions import pages as contribution_pages
from review.credits import api as credit_api
from review.credits import pages as credit_pages
from review.desk import api as desk_api
from review.desk import pages as desk_pages
from review.ledger import api as ledger_api
from review.ledger import pages as ledger_pages
from review.payouts import api as payout_api
from review.payouts import pages as payout_pages
from review.policies import api as policy_api
from review.releases import api as release_api
from review.releases import pages as release_pages
from review.retention import api as retention_api
from review.retention import pages as retention_pages
from review.transparency import api as transparency_api

API: list[URLPattern | URLResolver] = [
    *catalogue_api.urlpatterns,
    *job_api.urlpatterns,
    *clip_api.urlpatterns,
    *reference_api.urlpatterns,
    *style_api.urlpatterns,
    *portal_api.urlpatterns,
    *consents_api.urlpatterns,
    *left_api.urlpatterns,
    *quota_api.urlpatterns,
    *credential_api.urlpatterns,
    *agreement_api.urlpatterns,
    *notice_api.urlpatterns,
    *post_api.urlpatterns,
    *announcement_api.urlpatterns,
    *profile_api.urlpatterns,
    *credit_api.urlpatterns,
    *chain_api.urlpatterns,
    *desk_api.urlpatterns,
    *release_api.urlpatterns,
    *contribution_api.urlpatterns,
    *ledger_api.urlpatterns,
    *payout_api.urlpatterns,
    *retention_api.urlpatterns,
    *transparency_api.urlpatterns,
    *setup_api.urlpatterns,
    *calendar_api.urlpatterns,
    *retention_terms_api.urlpatterns,
    *policy_api.urlpatterns,
    *administrator_api.urlpatterns,
    *invitation_api.urlpatterns,
    *cohort_api.urlpatterns,
    *role_api.urlpatterns,
    *offboarding_api.urlpatterns,
    *conversation_api.urlpatterns,
    *export_api.urlpatterns,
    *erasure_api.urlpatterns,
    *device_api.urlpatterns,
    *webhook_api.urlpatterns,
]

urlpatterns: list[URLPattern | URLResolver] = [
    *portal_pages.urlpatterns,
    *job_pages.urlpatterns,
    *clip.urlpatterns,
    *clip_pages.urlpatterns,
    *reference_pages.urlpatterns,
    *style_pages.urlpatterns,
    *credential_pages.urlpatterns,
    *webhook_pages.urlpatterns,
    *device_login_pages.urlpatterns,
    *profile_pages.urlpatterns,
    *arrival_pages.urlpatterns,
    *agreement_pages.urlpatterns,
    # Before the others: a person's page takes every word after /people/.
    *people_invitation_pages.urlpatterns,
    *people_pages.urlpatterns,
    *notice_pages.urlpatterns,
    *post_pages.urlpatterns,
    *announcement_pages.urlpatterns,
    *mailbox_pages.urlpatterns,
    *credit_pages.urlpatterns,
    *chain_pages.urlpatterns,
    *desk_pages.urlpatterns,
    *release_pages.urlpatterns,
    *retention_pages.urlpatterns,
    *contribution_pages.urlpatterns,
    *ledger_pages.urlpatterns,
    *payout_pages.urlpatterns,
    *conversation_pages.urlpatterns,
    *export_pages.urlpatterns,
    *erasure_pages.urlpatterns,
    *device_pages.urlpatterns,
    *setup_pages.urlpatterns,
    *step_pages.urlpatterns,
    *consent_pages.urlpatterns,
    *rate_pages.urlpatterns,
    *budget_pages.urlpatterns,
    *public.urlpatterns,
    *programmes.urlpatterns,
    *consents.urlpatterns,
    *left.urlpatterns,
    *keys.urlpatterns,
    path("account/", include("accounts.entrance.allauth_urls")),
    path("account/", include(entrance_pages.urlpatterns)),
    # No endpoints of ours by their forms: see there.
    *device_login_api.urlpatterns,
    path("api/v1/", include(API)),
    *openai_urls.urlpatterns,
    *docs.urlpatterns,
]

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.absent
handler500 = errors.broken
