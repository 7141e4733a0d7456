"""manage.py db roles|start|stop|status: the two roles, and the embedded server by hand."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from core.command_line import HouseCommand
from greenroom.embedded import EmbeddedError, database_urls, embedded_cluster
from greenroom.embedded.roles import DATABASE, ensure_application_role, ensure_roles
from greenroom.secrets import load_secrets


class Command(HouseCommand):
    help = (
        "Owner and application roles of the database; start, stop and status of the embedded one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("deed", choices=("roles", "start", "stop", "status"))

    def handle(self, *_: Any, deed: str, **__: Any) -> None:
        try:
            getattr(self, deed)()
        except (EmbeddedError, ValueError) as error:
            raise CommandError(str(error)) from error

    def roles(self) -> None:
        """Before the first migrate, and harmless at any time after it."""
        load_secrets(create=True)  # the application role's password is kept there
        urls = database_urls()
        if urls.is_embedded:
            embedded_cluster().create_database(DATABASE)
        else:
            if urls.makes_application_role:
                ensure_application_role(urls.owner, urls.app)
            ensure_roles(urls.owner, urls.app)
        self.stdout.write("The owner and application roles are in order.")

    def start(self) -> None:
        self._refuse_unless_embedded()
        embedded_cluster().start()
        self.status()

    def stop(self) -> None:
        self._refuse_unless_embedded()
        embedded_cluster().stop()
        self.status()

    def status(self) -> None:
        self._refuse_unless_embedded()
        status = embedded_cluster().status()
        running = f"is running (process {status.pid})" if status.is_running else "is not running"
        self.stdout.write(f"The embedded database in {status.root} {running}.")

    def _refuse_unless_embedded(self) -> None:
        if not database_urls().is_embedded:
            raise CommandError("DATABASE_URL is set: its server is started and stopped elsewhere.")
