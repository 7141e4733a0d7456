"""Portal sessions: Django's store, with our table, hashed keys and our credential.

A session is a credential like a token. Whether it still counts is asked of the credential's row;
Django's own expiry is housekeeping.
"""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from accounts.credentials.models import PortalSession
from accounts.credentials.rules import session_digest
from core.clock import CoreNow

CREDENTIAL = "_credential_id"


class SessionStore(DatabaseStore):
    @classmethod
    def get_model_class(cls) -> type[PortalSession]:
        return PortalSession

    # The cookie is never stored: every look-up goes by its digest.
    def _get_session_from_db(self) -> Any:
        key = self.session_key
        if key is None:
            return None
        try:
            return self.model.objects.get(
                session_key=session_digest(key), expire_date__gt=CoreNow()
            )
        except self.model.DoesNotExist:
            self._session_key = None
            return None

    def exists(self, session_key: str) -> bool:
        return self.model.objects.filter(session_key=session_digest(session_key)).exists()

    def create_model_instance(self, data: dict[str, Any]) -> PortalSession:
        return PortalSession(
            session_key=session_digest(self._get_or_create_session_key()),  # type: ignore[attr-defined]
            session_data=self.encode(data),
            expire_date=self.get_expiry_date(),
            credential_id=data.get(CREDENTIAL),
        )

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            self.model.objects.filter(session_key=session_digest(key)).delete()
