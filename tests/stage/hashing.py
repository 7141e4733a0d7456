"""Passwords in tests: the stock algorithm, so that child processes can read them, in one round."""

from __future__ import annotations

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class FewRounds(PBKDF2PasswordHasher):
    iterations = 1

    def must_update(self, encoded: str) -> bool:
        return False
