"""Django's half of the web process; the router calls it through a2wsgi."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "greenroom.settings")

application = get_wsgi_application()

from greenroom.checks import refuse_unsafe_start  # noqa: E402  (the apps must be there)

refuse_unsafe_start()
