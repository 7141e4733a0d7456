from django.apps import AppConfig


class GenerationConfig(AppConfig):
    name = "generation"

    def ready(self) -> None:
        from generation.jobs import bell  # noqa: F401  (registers the Celery doorbell)
