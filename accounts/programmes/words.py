from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.programmes.models import Role
from accounts.programmes.rules import ADMINISTRATOR

ROLE_WORDS = {
    Role.TESTER: _("tester"),
    Role.REVIEWER: _("reviewer"),
    Role.MANAGER: _("programme manager"),
    Role.FINANCE: _("finance"),
    Role.AUDITOR: _("auditor"),
    ADMINISTRATOR: _("administrator"),
}
