from __future__ import annotations

from celery import shared_task

from accounts.credentials.commands import end_expired, forget_old_sessions
from accounts.device_logins.commands import forget_old_device_logins
from accounts.invitations.commands import end_expired_invitations
from accounts.post.tasks import send_post, write_digests  # noqa: F401  (Celery looks here)
from accounts.roles.commands import end_expired_grants
from accounts.webhooks.commands import forget_old_deliveries
from accounts.webhooks.tasks import deliver  # noqa: F401
from core.idempotency.commands import forget_old_answers
from core.sweeps import sweep_all


@shared_task(name="accounts.tidy")
def tidy() -> None:
    """Housekeeping. Nothing depends on it being prompt: every question asks the time itself."""
    sweep_all(
        end_expired,
        forget_old_sessions,
        forget_old_device_logins,
        end_expired_invitations,
        end_expired_grants,
        forget_old_answers,
        forget_old_deliveries,
    )
