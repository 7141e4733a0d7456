"""What a production start refuses."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import Error, Tags, Warning, register  # noqa: A004
from django.db import ProgrammingError, connection

from greenroom.environment import PLACEHOLDER_KEY


@register(Tags.security, deploy=True)
def no_placeholders(app_configs: Any, **_: Any) -> list[Error]:
    found = []
    if settings.SECRET_KEY == PLACEHOLDER_KEY:
        found.append(
            Error(
                "SECRET_KEY is a placeholder.",
                hint="Set GREENROOM_SECRET_KEY and GREENROOM_PEPPERS, or run `manage.py secrets`.",
                id="greenroom.E001",
            )
        )
    if settings.DEBUG:
        found.append(Error("DEBUG is on.", id="greenroom.E002"))
    if settings.PRODUCTION and not settings.PUBLIC_ADDRESS.startswith("https://"):
        found.append(
            Error(
                "GREENROOM_ADDRESS is not an https address.",
                hint="Passkeys and secure cookies need one.",
                id="greenroom.E003",
            )
        )
    return found


@register(Tags.security, deploy=True)
def mail_can_leave(app_configs: Any, **_: Any) -> list[Warning]:
    if settings.MAIL_LEAVES:
        return []
    return [
        Warning(
            "No mail leaves the house: invitations, decisions and warnings wait.",
            hint="Set GREENROOM_MAIL_URL, or hand out invitation links yourself.",
            id="greenroom.W001",
        )
    ]


def demonstration_people() -> bool:
    """Whether the database holds anybody made by `demo seed`. Raises where it cannot be asked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM accounts_person WHERE is_demonstration)")
        (found,) = cursor.fetchone()
    return bool(found)


@register(Tags.database)
def no_demonstration_people(app_configs: Any, databases: Any = None, **_: Any) -> list[Error]:
    if not settings.PRODUCTION or not databases:
        return []
    try:
        found = demonstration_people()
    except ProgrammingError:
        return []  # not migrated yet: nobody is there
    if not found:
        return []
    return [
        Error(
            "The database holds demonstration people, whose passwords stand in a file.",
            hint="Use another database for production.",
            id="greenroom.E004",
        )
    ]


def refuse_unsafe_start() -> None:
    """Ends a production process, before it serves or works, that these checks would refuse.

    A check runs when somebody thinks of it; web and workers call this whenever they start.
    Raises where the database cannot be asked: better late than with open doors.
    """
    if not settings.PRODUCTION:
        return
    found = [*no_placeholders(None), *no_demonstration_people(None, databases=["default"])]
    connection.close()
    if found:
        reasons = "\n".join(f"  {each.msg} {each.hint or ''}".rstrip() for each in found)
        raise SystemExit(f"Greenroom does not start in production:\n{reasons}")
