"""What changes who gets in."""

from __future__ import annotations

from uuid import UUID

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.credentials.commands import end_other_sessions, revoke_sessions_of
from accounts.entrance.queries import letters_asked_lately
from accounts.people.models import Person, PersonalDetail
from core.audit.commands import record
from core.errors import InvalidOrder, Kind, Refusal
from core.outbox.commands import say
from core.text import is_readable

LONGEST_NAME = 120
LONGEST_ADDRESS = 254  # as the columns have it
LETTERS_AN_HOUR = 3
# The subject where nobody here has the address: written all the same, so that both cases cost the
# same time.
NOBODY = UUID(int=0)


class LetterGone(Refusal):
    """Used, too old, or overtaken by another change: one answer for all of them."""

    kind = Kind.ABSENT
    code = "letter_gone"

    def __init__(self) -> None:
        super().__init__(
            _("This link opens nothing any more. Ask for another letter at the sign-in.")
        )


def make_person(*, email: str, password: str, display_name: str = "") -> Person:
    """Somebody whose address the operator vouches for. The caller has checked the password.

    Raises ``InvalidOrder`` for an impossible address or one that somebody here has.
    """
    address = _checked(email)
    if not is_readable(display_name) or len(display_name) > LONGEST_NAME:
        raise InvalidOrder("name_invalid", _("A name is one line, up to 120 characters."))
    with transaction.atomic():
        if Person.objects.filter(email=address).exists():
            raise InvalidOrder("email_taken", _("Somebody here has this address."), field="email")
        person = Person.objects.create_user(address, password)
        EmailAddress.objects.create(user=person, email=address, primary=True, verified=True)
        PersonalDetail.objects.filter(person=person).update(display_name=display_name.strip())
        record("person.made", subject=("party", person.party_id))
    return person


def change_password(*, person: Person, password: str, keep: UUID | None) -> None:
    """Set it, and sign the person out everywhere but in the session ``keep``, at one stroke."""
    person.set_password(password)
    with transaction.atomic():
        person.save(update_fields=["password"])
        end_other_sessions(party_id=person.party_id, keep=keep, reason="password_changed")
        record(
            "password.changed",
            subject=("party", person.party_id),
            actor=person.party_id if keep else None,
            credential=keep,
        )


def ask_password_letter(*, person: Person | None) -> bool:
    """A letter with a link that sets a new password once, written by who hears of it.

    False where nothing was asked for: nobody (``person`` None), or three letters within an hour.
    Whoever asked is told neither, so that nobody learns who has an account.
    """
    with transaction.atomic():
        if person is None:
            record("password.letter_asked", subject=("party", NOBODY))
            return False
        # Held, so that several at once are counted one after the other.
        Person.objects.select_for_update(no_key=True).get(pk=person.pk)
        subject = ("party", person.party_id)
        if letters_asked_lately(person.party_id) >= LETTERS_AN_HOUR:
            return False
        record("password.letter_asked", subject=subject)
        say("password.letter_asked", subject=subject)
    return True


def reset_password(*, person: Person, password: str) -> None:
    """Set it by a letter's link, sign the person out everywhere, and tell them.

    ``person`` is as it was when the link was looked at. Raises ``LetterGone`` where the password
    was changed since, by this link or otherwise, and for an account that is closed.
    """
    with transaction.atomic():
        kept = Person.objects.select_for_update().filter(pk=person.pk, is_active=True).first()
        if kept is None or kept.password != person.password:
            raise LetterGone
        person.set_password(password)
        person.save(update_fields=["password"])
        revoke_sessions_of(party_id=person.party_id, reason="password_reset")
        subject = ("party", person.party_id)
        record("password.reset", subject=subject)
        say("password.reset", subject=subject, party=person.party_id)


def close_account(*, person: Person, actor: UUID | None = None) -> None:
    """Nobody gets in with it any more, and no token of it works. What was made stays."""
    with transaction.atomic():
        if Person.objects.filter(pk=person.pk, is_active=True).update(is_active=False):
            end_other_sessions(party_id=person.party_id, keep=None, reason="account_closed")
            record("account.closed", subject=("party", person.party_id), actor=actor)


def open_account(*, person: Person) -> None:
    with transaction.atomic():
        if Person.objects.filter(pk=person.pk, is_active=False).update(is_active=True):
            record("account.opened", subject=("party", person.party_id))


def _checked(email: str) -> str:
    address = email.strip().lower()
    try:
        validate_email(address)
        # As it was written: “lower case” makes another's address of some signs.
        email.partition("@")[0].strip().encode("ascii")
    except (ValidationError, UnicodeEncodeError):
        address = ""
    if not 0 < len(address) <= LONGEST_ADDRESS:
        raise InvalidOrder("email_invalid", _("That is not an e-mail address."), field="email")
    return address
