from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts.credentials import signals  # noqa: F401
        from accounts.notices import commands  # noqa: F401  (registers its outbox listener)
