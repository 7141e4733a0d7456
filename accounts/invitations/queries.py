from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import get_supported_language_variant

from accounts.administrators.queries import must_be_administrator
from accounts.credentials.peppers import PepperUnknown, pepper
from accounts.credentials.queries import Actor
from accounts.credentials.rules import Scope
from accounts.invitations.models import Invitation
from accounts.invitations.rules import digest_of, link_secret
from accounts.people.models import Person
from accounts.programmes.rules import ADMINISTRATOR
from core.clock import CoreNow
from core.errors import Absent
from core.ids import read_id

NEWEST_FIRST = ("-made_at", "-id")


def invitations_open() -> QuerySet[Invitation]:
    """Neither taken nor withdrawn nor too old, to a programme that is open or not open yet, or
    among the administrators."""
    return (
        Invitation.objects.select_related("programme")
        .filter(ended_at=None, expires_at__gt=CoreNow())
        .exclude(programme__is_open=False, programme__opened_at__isnull=False)
    )


def invitations_of(actor: Actor) -> QuerySet[Invitation]:
    """Those of the actor's programme that nobody took yet, the newest first; those that ran out
    stand among them until they are tidied away, since they can still be sent again."""
    actor.must_act(Scope.PEOPLE_READ)
    waiting = Invitation.objects.filter(programme_id=actor.programme, ended_at=None)
    return waiting.select_related("cohort", "programme").order_by(*NEWEST_FIRST)


def administrator_invitations(actor: Actor) -> QuerySet[Invitation]:
    """Those among the administrators. Raises ``Absent`` for who is none."""
    must_be_administrator(actor)
    waiting = Invitation.objects.filter(programme=None, ended_at=None)
    return waiting.order_by(*NEWEST_FIRST)


def invitation_for(actor: Actor, shown_id: str) -> Invitation:
    """An open one that this actor looks after. Raises ``Absent`` for all others."""
    invitation_id = read_id("invitation", shown_id)
    if invitation_id is None:
        raise Absent
    lists = [invitations_of] if actor.programme_id else []
    if ADMINISTRATOR in actor.roles:
        lists.append(administrator_invitations)
    for waiting in lists:
        found = waiting(actor).filter(id=invitation_id).first()
        if found is not None:
            return found
    raise Absent


def invitation_by_secret(secret: str) -> Invitation | None:
    """None for every link that does not open: made up, used, withdrawn and expired look alike."""
    return invitations_open().filter(digest=digest_of(secret)).first()


def invitation_open(invitation_id: UUID) -> Invitation | None:
    return invitations_open().filter(id=invitation_id).first()


def invitation_secret(invitation_id: UUID, number: int, pepper_id: str) -> str:
    """Raises ``PepperUnknown`` where it was made under a pepper that is not here any more."""
    if not pepper_id:
        raise PepperUnknown(pepper_id)
    return link_secret(invitation_id, number, pepper(pepper_id))


def invitation_link(invitation: Invitation) -> str:
    """The newest link, computed anew each time. Raises ``PepperUnknown`` as above: then only
    sending it again makes one."""
    secret = invitation_secret(invitation.id, invitation.number, invitation.pepper_id)
    return f"{settings.PUBLIC_ADDRESS}{reverse('invitation-link', args=[secret])}"


def way_in(invitation: Invitation, person: Person | None) -> str | None:
    """How this reader may take it: as a ``new`` person, ``join`` with the account they are signed
    in with, ``sign-in`` first. None for who is signed in as somebody else: to them it is no
    invitation at all."""
    if person is not None:
        return "join" if person.email == invitation.email else None
    known = Person.objects.filter(email=invitation.email).exists()
    return "sign-in" if known else "new"


def offered_language(invitation: Invitation) -> str:
    """The language of pages that comes nearest to the invitation's (“pt” for “pt-BR”), as the
    settings write it; empty where there is none."""
    try:
        return get_supported_language_variant(invitation.language.lower())
    except LookupError:
        return ""
