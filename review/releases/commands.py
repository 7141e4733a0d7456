"""The owner's acts after approval: show a clip, take it down, hand out links and revoke them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.credentials.commands import lock_live_credential
from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope, random_base62
from accounts.rates.commands import hold_rates
from accounts.rates.queries import rate_in_force
from accounts.rates.rules import ActKind
from core.audit.commands import record
from core.clock import now
from core.errors import InvalidOrder, TooLate
from core.idempotency.commands import Once
from core.outbox.commands import say
from core.text import is_readable, visible_signs
from generation.clips.commands import keep_files
from generation.clips.models import Clip
from review.decisions.models import Decision
from review.decisions.queries import approval_of
from review.ledger.commands import record_act
from review.releases.models import Release, ShareLink
from review.releases.queries import clip_to_release, has_earned, link_for, release_for
from review.releases.rules import LONGEST_LINK_NAME, LONGEST_TITLE, SECRET_SIGNS, digest_of

Answer = Callable[[Release], tuple[int, Any]]
LinkAnswer = Callable[[ShareLink], tuple[int, Any]]


class NotApproved(TooLate):
    code = "not_approved"


class AlreadyReleased(TooLate):
    code = "already_released"


class NotReleased(TooLate):
    code = "not_released"


def release_clip(
    *,
    actor: Actor,
    clip_id: str,
    title: str,
    shows_prompt: bool = False,
    is_listed: bool = True,
    once: Once | None = None,
    answer: Answer | None = None,
) -> Release:
    """Show an approved clip: to everybody on the showcase, or by links alone.

    A clip earns once: its first release at which a rate is in force is owed that rate, in the same
    transaction. Raises ``NotApproved`` without an approval, ``AlreadyReleased`` while one is live.
    """
    actor.must_act(Scope.RELEASES_CREATE)
    _must_be_a_title(title)
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        if once:
            once.begin()
        clip = clip_to_release(actor, clip_id)
        approval = approval_of(clip.id)
        if approval is None:
            raise NotApproved(_("Only an approved clip can be released. Put it forward first."))
        keep_files(clip=clip, why="released", actor=actor.party_id, credential=actor.credential_id)
        hold_rates(clip.programme_id)
        wanted = Release(title=title.strip(), shows_prompt=shows_prompt, is_listed=is_listed)
        release = _begin(wanted, clip, approval, actor)
        facts = {"clip": str(clip.id), "is_listed": is_listed, "shows_prompt": shows_prompt}
        _tell("release.published", ("release", release), actor, **facts)
        # The accounts of the ledger are the last locks before the commit.
        _earn(release, clip)
        if once and answer:
            once.keep(*answer(release))
    return release


def take_down_release(*, actor: Actor, release_id: str) -> Release:
    """Show it no more, from the next request on; its links are dead with it. Twice is fine."""
    actor.must_act(Scope.RELEASES_CREATE)
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        release = release_for(actor, release_id)
        live = Release.objects.filter(id=release.id, ended_at=None)
        if live.update(ended_at=now()):
            _tell("release.taken_down", ("release", release), actor, clip=str(release.clip_id))
    return release_for(actor, release_id)


def take_down_for_good(*, clip_id: UUID, why: str) -> bool:
    """The platform ends a clip's live release, since its files go: ``why`` says by what."""
    with transaction.atomic():
        release = Release.objects.filter(clip_id=clip_id, ended_at=None).first()
        if release is None:
            return False
        live = Release.objects.filter(id=release.id, ended_at=None)
        if not live.update(ended_at=now()):
            return False
        facts: dict[str, Any] = {"clip": str(clip_id), "why": why}
        record("release.taken_down", subject=("release", release.id), **facts)
        say("release.taken_down", subject=("release", release.id), party=release.owner_id, **facts)
    return True


def make_share_link(
    *,
    actor: Actor,
    release_id: str,
    name: str = "",
    once: Once | None = None,
    answer: LinkAnswer | None = None,
) -> tuple[ShareLink, str]:
    """A link that opens a live release to whoever has it. The returned text is its only copy.

    Asking again with the same ``once`` raises ``AlreadyAnswered`` with what ``answer`` gave, which
    never holds the secret. Raises ``NotReleased`` for a release that was taken down.
    """
    actor.must_act(Scope.RELEASES_CREATE)
    if len(name.strip()) > LONGEST_LINK_NAME or not is_readable(name):
        raise InvalidOrder(
            "name_invalid", _("Give the link a name of up to 80 characters."), field="name"
        )
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        if once:
            once.begin()
        release = release_for(actor, release_id)
        if release.ended_at is not None:
            raise NotReleased(_("This was taken down, so a link would open nothing."))
        secret = random_base62(SECRET_SIGNS)
        link = ShareLink.objects.create(
            release=release, name=name.strip(), digest=digest_of(secret)
        )
        _tell("share_link.made", ("share_link", link), actor, release=str(release.id))
        if once and answer:
            once.keep(*answer(link))
    return link, secret


def revoke_share_link(*, actor: Actor, link_id: str) -> ShareLink:
    """The link opens nothing more, from the next request on. Twice is fine."""
    actor.must_act(Scope.RELEASES_CREATE)
    with transaction.atomic():
        lock_live_credential(actor.credential_id)
        link = link_for(actor, link_id)
        if ShareLink.objects.filter(id=link.id, revoked_at=None).update(revoked_at=now()):
            _tell("share_link.revoked", ("share_link", link), actor, release=str(link.release_id))
    return link_for(actor, link_id)


def revoke_links_of(*, party_id: UUID) -> int:
    """Every link of a party that leaves for good; the releases themselves stay. How many.

    Inside the caller's transaction.
    """
    live = ShareLink.objects.filter(release__owner_id=party_id, revoked_at=None)
    links = list(live.order_by("id").values_list("id", "release_id"))
    for link_id, release_id in links:
        ShareLink.objects.filter(id=link_id, revoked_at=None).update(revoked_at=now())
        record("share_link.revoked", subject=("share_link", link_id), release=str(release_id))
    return len(links)


def _begin(wanted: Release, clip: Clip, approval: Decision, actor: Actor) -> Release:
    """One live release per clip: whoever comes second waits for the first and is refused."""
    wanted.programme_id = clip.programme_id
    wanted.clip = clip
    wanted.owner_id = actor.party_id
    wanted.credential_id = actor.credential_id
    wanted.decision = approval
    wanted.master_sha256 = clip.master_sha256
    wanted.released_at = now()
    Release.objects.bulk_create([wanted], ignore_conflicts=True)
    if not Release.objects.filter(id=wanted.id).exists():
        raise AlreadyReleased(_("This clip is released already. Take that down first."))
    return wanted


def _earn(release: Release, clip: Clip) -> None:
    rate = rate_in_force(clip.programme_id, ActKind.RELEASE, release.released_at)
    if rate is None or has_earned(clip):
        return
    record_act(
        programme_id=clip.programme_id,
        party_id=clip.party_id,
        kind=ActKind.RELEASE,
        subject_id=clip.id,
        rate=rate,
        occurred_at=release.released_at,
    )


def _must_be_a_title(title: str) -> None:
    has_a_length = visible_signs(title) and len(title.strip()) <= LONGEST_TITLE
    if not has_a_length or not is_readable(title):
        raise InvalidOrder(
            "title_invalid",
            _("Give it a title of up to %(most)s characters.") % {"most": LONGEST_TITLE},
            field="title",
            most=LONGEST_TITLE,
        )


def _tell(kind: str, about: tuple[str, Release | ShareLink], actor: Actor, **facts: Any) -> None:
    thing, row = about
    record(
        kind,
        subject=(thing, row.id),
        actor=actor.party_id,
        credential=actor.credential_id,
        **facts,
    )
    say(kind, subject=(thing, row.id), party=actor.party_id, **facts)
