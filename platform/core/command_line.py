"""What the house's own ``manage.py`` commands have in common."""

from __future__ import annotations

from django.core.management.base import BaseCommand


class HouseCommand(BaseCommand):
    # Django's checks read every page and serializer, two thirds of a short command's time, and what
    # they find is the same whatever was asked: `manage.py check` and the production start run them.
    requires_system_checks: list[str] = []
