"""How far notices come, over the native API."""

from __future__ import annotations

from typing import Any

from django.urls import path
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.credentials.rules import Scope
from accounts.notices.rules import Topic
from accounts.post.commands import choose_ways, mail_again
from accounts.post.queries import choices_of, mail_bounced_at
from accounts.post.rules import Way
from core.api import Endpoint, Shape, Text, operation


class TopicShown(Shape):
    topic = Text()
    words = Text()
    way = Text(help_text=_("“inbox”, “digest” (one mail a day) or “mail” (at once)."))
    can_be_turned_down = serializers.BooleanField()


class PostShown(Shape):
    topics = TopicShown(many=True)
    mail_bounced_at = serializers.DateTimeField(
        allow_null=True, help_text=_("Since when mail to you does not arrive; nothing is mailed.")
    )


class PostWish(Shape):
    """One field for each topic."""

    clips = serializers.ChoiceField(Way.choices, required=False)
    review = serializers.ChoiceField(Way.choices, required=False)
    credits = serializers.ChoiceField(Way.choices, required=False)
    pay = serializers.ChoiceField(Way.choices, required=False)
    talk = serializers.ChoiceField(Way.choices, required=False)
    news = serializers.ChoiceField(Way.choices, required=False)
    desk = serializers.ChoiceField(Way.choices, required=False)
    access = serializers.ChoiceField(Way.choices, required=False)
    terms = serializers.ChoiceField(Way.choices, required=False)


class Post(Endpoint):
    @operation(
        scope=Scope.SETTINGS_READ,
        summary=_("Read what you hear of by mail"),
        answers=PostShown,
    )
    def get(self, request: Request) -> Response:
        return self.answer(_shown(self.actor.party_id))

    @operation(
        scope=Scope.SETTINGS_WRITE,
        summary=_("Choose what you hear of by mail"),
        words=_(
            "Only the topics that are given change. Some cannot be turned down, since something"
            " opens or ends for you. Everything stands in the inbox, whatever is mailed."
        ),
        asks=PostWish,
        answers=PostShown,
        example={"clips": "digest", "news": "inbox"},
    )
    def patch(self, request: Request) -> Response:
        ways = {Topic(topic): Way(way) for topic, way in self.asked().items()}
        choose_ways(actor=self.actor, ways=ways)
        return self.answer(_shown(self.actor.party_id))


class Again(Endpoint):
    @operation(
        scope=Scope.SETTINGS_WRITE,
        summary=_("Say that mail to you works again"),
        words=_("After mail to you did not arrive. What was not mailed stands in the inbox."),
        answers=PostShown,
    )
    def post(self, request: Request) -> Response:
        mail_again(actor=self.actor)
        return self.answer(_shown(self.actor.party_id))


def _shown(party_id: Any) -> dict[str, Any]:
    topics = [
        {
            "topic": choice.topic.value,
            "words": choice.topic.label,
            "way": choice.way.value,
            "can_be_turned_down": not choice.is_fixed,
        }
        for choice in choices_of(party_id)
    ]
    return dict(PostShown({"topics": topics, "mail_bounced_at": mail_bounced_at(party_id)}).data)


urlpatterns = [
    path("settings/post", Post.as_view(), name="api-post"),
    path("settings/post/again", Again.as_view(), name="api-post-again"),
]
