from django.apps import AppConfig


class GreenroomConfig(AppConfig):
    name = "greenroom"

    def ready(self) -> None:
        # The Celery application is the current one in every process that may ring.
        from greenroom import celery, checks, languages  # noqa: F401

        languages.install()
