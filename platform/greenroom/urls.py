"""The list of rooms. Each feature brings its own addresses; here stands where they hang."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from accounts.agreements import api as agreement_api
from accounts.agreements import pages as agreement_pages
from accounts.credentials import api as credential_api
from accounts.credentials import pages as credential_pages
from accounts.invitations import pages as invitation_pages
from accounts.notices import api as notice_api
from accounts.notices import pages as notice_pages
from accounts.profile import api as profile_api
from accounts.profile import pages as profile_pages
from accounts.quotas import api as quota_api
from generation.catalogue import api as catalogue_api
from generation.clips import api as clip_api
from generation.clips import pages as clip_pages
from generation.jobs import api as job_api
from generation.jobs import pages as job_pages
from greenroom.api import docs
from greenroom.portal import api as portal_api
from greenroom.portal import clip, errors, programmes, public
from greenroom.portal import pages as portal_pages
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
from review.releases import api as release_api
from review.releases import pages as release_pages
from review.transparency import api as transparency_api

API: list[URLPattern | URLResolver] = [
    *catalogue_api.urlpatterns,
    *job_api.urlpatterns,
    *clip_api.urlpatterns,
    *portal_api.urlpatterns,
    *quota_api.urlpatterns,
    *credential_api.urlpatterns,
    *agreement_api.urlpatterns,
    *notice_api.urlpatterns,
    *profile_api.urlpatterns,
    *credit_api.urlpatterns,
    *chain_api.urlpatterns,
    *desk_api.urlpatterns,
    *release_api.urlpatterns,
    *contribution_api.urlpatterns,
    *ledger_api.urlpatterns,
    *payout_api.urlpatterns,
    *transparency_api.urlpatterns,
]

urlpatterns: list[URLPattern | URLResolver] = [
    *portal_pages.urlpatterns,
    *job_pages.urlpatterns,
    *clip.urlpatterns,
    *clip_pages.urlpatterns,
    *credential_pages.urlpatterns,
    *profile_pages.urlpatterns,
    *invitation_pages.urlpatterns,
    *agreement_pages.urlpatterns,
    *notice_pages.urlpatterns,
    *credit_pages.urlpatterns,
    *chain_pages.urlpatterns,
    *desk_pages.urlpatterns,
    *release_pages.urlpatterns,
    *contribution_pages.urlpatterns,
    *ledger_pages.urlpatterns,
    *payout_pages.urlpatterns,
    *public.urlpatterns,
    *programmes.urlpatterns,
    path("account/", include("accounts.entrance.allauth_urls")),
    path("api/v1/", include(API)),
    *docs.urlpatterns,
]

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.absent
handler500 = errors.broken
