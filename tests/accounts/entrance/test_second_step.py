from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from allauth.mfa.utils import decrypt, encrypt
from django.conf import settings

from accounts.credentials.peppers import PepperUnknown
from stage.cast import Member

SEED = "JBSWY3DPEHPK3PXP"


def test_a_dump_of_the_database_gives_no_second_factor_away(tester: Member) -> None:
    TOTP.activate(tester.person, SEED)
    RecoveryCodes.activate(tester.person)
    for kept in Authenticator.objects.filter(user=tester.person):
        assert SEED not in str(kept.data)
        for value in kept.data.values():
            if isinstance(value, str):
                assert value.partition(":")[0] in settings.PEPPERS()


def test_what_was_sealed_opens_again(tester: Member) -> None:
    assert decrypt(encrypt(SEED)) == SEED
    assert encrypt(SEED) != encrypt(SEED)


def test_another_installation_cannot_open_it() -> None:
    sealed = encrypt(SEED).partition(":")[2]
    with pytest.raises(PepperUnknown):
        decrypt(f"elsewhere:{sealed}")
