"""What uvicorn runs: the router, and Django behind it.

    uvicorn greenroom.asgi:application --no-proxy-headers --no-access-log --no-server-header
        --ws none --lifespan on --http greenroom.router.wire:Bounded
        --timeout-graceful-shutdown 3

`--no-proxy-headers`: the router alone decides whom to believe. `--http`: uvicorn's own protocol
takes headers without end. `--timeout-graceful-shutdown`: open event streams never end by
themselves.
"""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "greenroom.settings")

from django.conf import settings

from accounts.credentials.peppers import pepper
from greenroom import wsgi
from greenroom.router.app import application as router
from greenroom.router.database import Database, connection_parameters
from greenroom.router.options import Options

application = router(
    wsgi.application,
    Options.from_settings(),
    database=Database(connection_parameters(settings.DATABASES["default"])),
    pepper=pepper,
)
