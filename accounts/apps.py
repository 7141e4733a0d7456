from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts.announcements import queries  # noqa: F401  (says what notices are about)
        from accounts.credentials import signals  # noqa: F401
        from accounts.post import commands  # noqa: F401  (registers its outbox listener)
        from accounts.webhooks import commands as webhooks  # noqa: F401  (registers its own)
