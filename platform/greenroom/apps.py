from django.apps import AppConfig


class GreenroomConfig(AppConfig):
    name = "greenroom"

    def ready(self) -> None:
        # The Celery application is the current one in every process that may ring.
        from greenroom import celery, checks, languages  # noqa: F401
        from greenroom.exports import bell  # noqa: F401  (rings when somebody asks for one)
        from greenroom.portal import subjects  # noqa: F401  (says what notices are about)

        languages.install()
