"""Releases and share links of one's own clips."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.rules import Scope
from core.api import Endpoint, PageWish, PublicId, Shape, Text, only, operation, page_of
from core.ids import shown
from review.releases.commands import (
    make_share_link,
    release_clip,
    revoke_share_link,
    take_down_release,
)
from review.releases.models import Release, ShareLink
from review.releases.queries import link_for, links_of, release_for, releases_of
from review.releases.rules import LONGEST_LINK_NAME, LONGEST_TITLE
from review.releases.words import shown_link


class ReleaseShown(Shape):
    id = PublicId("release")
    url = serializers.CharField()
    clip = PublicId("clip")
    title = serializers.CharField()
    shows_prompt = serializers.BooleanField()
    is_listed = serializers.BooleanField(
        help_text=_("On the showcase for everybody; else only by a link.")
    )
    is_live = serializers.BooleanField()
    master_sha256 = serializers.CharField(help_text=_("The approved bytes, and no others."))
    policy_version = serializers.IntegerField(help_text=_("Under which it was approved."))
    public_address = serializers.CharField(
        allow_null=True, help_text=_("Its page on the showcase, while it is there.")
    )
    released_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class NewRelease(Shape):
    clip = Text(help_text=_("An approved clip of yours."))
    title = Text(max_length=LONGEST_TITLE)
    shows_prompt = serializers.BooleanField(
        default=False, help_text=_("Whether the public reads the prompt.")
    )
    is_listed = serializers.BooleanField(
        default=True, help_text=_("On the showcase; false: only by links.")
    )


class LinkShown(Shape):
    id = PublicId("share_link")
    url = serializers.CharField()
    release = PublicId("release")
    name = serializers.CharField()
    is_live = serializers.BooleanField(help_text=_("Whether it still opens anything."))
    made_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)


class MadeLink(LinkShown):
    address = serializers.CharField(
        allow_null=True,
        help_text=_("The link itself, in this answer only; null in a repeated one."),
    )


class NewLink(Shape):
    name = Text(
        required=False,
        allow_blank=True,
        max_length=LONGEST_LINK_NAME,
        help_text=_("Who it is for; only you read it."),
    )


class ReleasesWish(PageWish):
    clip = PublicId("clip", required=False, help_text=_("Only of this clip."))
    is_live = serializers.BooleanField(
        required=False, help_text=_("true: only what is shown; false: only what is no more.")
    )


class Releases(Endpoint):
    @operation(
        scope=Scope.RELEASES_READ,
        summary=_("List your releases"),
        words=_("Of this programme, newest first, those taken down too."),
        query=ReleasesWish,
        answers=ReleaseShown,
        is_list=True,
    )
    def get(self, request: Request) -> Response:
        wish = self.asked_in_query()
        mine = only(releases_of(self.actor), wish, clip="clip_id", is_live="ended_at__isnull")
        page = page_of(mine, wish, by=("-released_at", "-id"))
        return self.answer(page.shown([_release(release) for release in page.rows]))

    @operation(
        scope=Scope.RELEASES_CREATE,
        summary=_("Release a clip"),
        words=_(
            "Shows an approved clip to everybody, or by links alone. If a rate for releases is in"
            " force, it is owed to you at once, one time for each clip. It can be taken down at"
            " any time."
        ),
        answers=ReleaseShown,
        status=201,
        asks=NewRelease,
        is_repeatable=True,
        refuses=(404, 409),
        example={
            "clip": "clp_01hzy3v0r6f8tq9m2k7w5x4d3c",
            "title": "A lighthouse at dusk",
            "shows_prompt": True,
        },
    )
    def post(self, request: Request) -> Response:
        wish = self.asked()
        release = release_clip(
            actor=self.actor,
            clip_id=wish.pop("clip"),
            once=self.once(),
            answer=lambda made: (201, _release(made)),
            **wish,
        )
        return self.answer(_release(release))


class OneRelease(Endpoint):
    @operation(
        scope=Scope.RELEASES_READ,
        summary=_("Read one release"),
        answers=ReleaseShown,
        refuses=(404,),
    )
    def get(self, request: Request, release_id: str) -> Response:
        return self.answer(_release(release_for(self.actor, release_id)))


class TakeDown(Endpoint):
    @operation(
        scope=Scope.RELEASES_CREATE,
        summary=_("Take a release down"),
        words=_("From the next request on nobody sees it, by no link either. Twice is fine."),
        answers=ReleaseShown,
        refuses=(404,),
    )
    def post(self, request: Request, release_id: str) -> Response:
        return self.answer(_release(take_down_release(actor=self.actor, release_id=release_id)))


class Links(Endpoint):
    @operation(
        scope=Scope.RELEASES_READ,
        summary=_("List the share links of a release"),
        words=_("Newest first, the revoked ones too. Their secrets are never among them."),
        query=PageWish,
        answers=LinkShown,
        is_list=True,
        refuses=(404,),
    )
    def get(self, request: Request, release_id: str) -> Response:
        release = release_for(self.actor, release_id)
        page = page_of(links_of(release), self.asked_in_query(), by=("-made_at", "-id"))
        return self.answer(page.shown([_link(link, release) for link in page.rows]))

    @operation(
        scope=Scope.RELEASES_CREATE,
        summary=_("Make a share link"),
        words=_(
            "Whoever has it sees the release without signing in. The address stands in this one"
            " answer and nowhere else; we keep a fingerprint of it."
        ),
        answers=MadeLink,
        status=201,
        asks=NewLink,
        is_repeatable=True,
        refuses=(404, 409),
        example={"name": "for the festival"},
    )
    @sensitive_variables("secret")
    def post(self, request: Request, release_id: str) -> Response:
        release = release_for(self.actor, release_id)
        link, secret = make_share_link(
            actor=self.actor,
            release_id=release_id,
            once=self.once(),
            answer=lambda made: (201, {**_link(made, release), "address": None}),
            **self.asked(),
        )
        address = f"{settings.PUBLIC_ADDRESS}{reverse('shared', args=[secret])}"
        return self.answer({**_link(link, release), "address": address})


class OneLink(Endpoint):
    @operation(
        scope=Scope.RELEASES_READ,
        summary=_("Read one share link"),
        answers=LinkShown,
        refuses=(404,),
    )
    def get(self, request: Request, link_id: str) -> Response:
        link = link_for(self.actor, link_id)
        return self.answer(_link(link, link.release))


class LinkRevocation(Endpoint):
    @operation(
        scope=Scope.RELEASES_CREATE,
        summary=_("Revoke a share link"),
        words=_("It opens nothing from the next request on. Twice is fine."),
        answers=LinkShown,
        refuses=(404,),
    )
    def post(self, request: Request, link_id: str) -> Response:
        link = revoke_share_link(actor=self.actor, link_id=link_id)
        return self.answer(_link(link, link.release))


def _release(release: Release) -> dict[str, Any]:
    public_id = shown("release", release.id)
    is_live = release.ended_at is None
    page = reverse("showcase-release", args=[public_id])
    facts = {
        "id": release.id,
        "url": reverse("api-release", args=[public_id]),
        "clip": release.clip_id,
        "title": release.title,
        "shows_prompt": release.shows_prompt,
        "is_listed": release.is_listed,
        "is_live": is_live,
        "master_sha256": release.master_sha256,
        "policy_version": release.decision.policy.number,
        "public_address": f"{settings.PUBLIC_ADDRESS}{page}"
        if is_live and release.is_listed
        else None,
        "released_at": release.released_at,
        "ended_at": release.ended_at,
    }
    return dict(ReleaseShown(facts).data)


def _link(link: ShareLink, release: Release) -> dict[str, Any]:
    facts = {
        "id": link.id,
        "url": reverse("api-link", args=[shown("share_link", link.id)]),
        "release": release.id,
        "name": link.name,
        "is_live": shown_link(link, release).state == "live",
        "made_at": link.made_at,
        "revoked_at": link.revoked_at,
    }
    return dict(LinkShown(facts).data)


urlpatterns = [
    path("releases", Releases.as_view(), name="api-releases"),
    path("releases/<str:release_id>", OneRelease.as_view(), name="api-release"),
    path("releases/<str:release_id>/take-down", TakeDown.as_view(), name="api-take-down-release"),
    path("releases/<str:release_id>/links", Links.as_view(), name="api-release-links"),
    path("links/<str:link_id>", OneLink.as_view(), name="api-link"),
    path("links/<str:link_id>/revoke", LinkRevocation.as_view(), name="api-revoke-link"),
]
