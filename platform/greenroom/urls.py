"""The list of rooms. Each feature brings its own addresses; here stands where they hang."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from accounts.agreements import pages as agreement_pages
from accounts.credentials import api as credential_api
from accounts.credentials import pages as credential_pages
from accounts.invitations import pages as invitation_pages
from accounts.notices import pages as notice_pages
from accounts.profile import pages as profile_pages
from accounts.quotas import api as quota_api
from generation.catalogue import api as catalogue_api
from generation.clips import api as clip_api
from generation.clips import pages as clip_pages
from generation.jobs import api as job_api
from generation.jobs import pages as job_pages
from greenroom.api import docs
from greenroom.portal import errors
from greenroom.portal import pages as portal_pages

API: list[URLPattern | URLResolver] = [
    *catalogue_api.urlpatterns,
    *job_api.urlpatterns,
    *clip_api.urlpatterns,
    *quota_api.urlpatterns,
    *credential_api.urlpatterns,
]

urlpatterns: list[URLPattern | URLResolver] = [
    *portal_pages.urlpatterns,
    *job_pages.urlpatterns,
    *clip_pages.urlpatterns,
    *credential_pages.urlpatterns,
    *profile_pages.urlpatterns,
    *invitation_pages.urlpatterns,
    *agreement_pages.urlpatterns,
    *notice_pages.urlpatterns,
    path("account/", include("accounts.entrance.allauth_urls")),
    path("api/v1/", include(API)),
    *docs.urlpatterns,
]

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.absent
handler500 = errors.broken
