"""The raw ASGI half of the web process: live events, media, health; the rest goes to Django."""

from greenroom.router.exchange import is_body_lost as is_body_lost
from greenroom.router.exchange import note_credential as note_credential
