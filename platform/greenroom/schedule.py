"""Celery's settings and the beat: sweeps that find what a lost doorbell left lying."""

from __future__ import annotations

from django.conf import settings

from greenroom.broker import transport_options

broker_url = settings.CELERY_BROKER_URL
broker_connection_retry_on_startup = True
# A publisher gives up at once: the ring comes after a commit, and a sweep rings again anyway.
broker_transport_options = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
} | (transport_options() if broker_url.startswith("doorbell:") else {})
broker_connection_timeout = 2.0
task_ignore_result = True
task_acks_late = False
task_store_errors_even_if_ignored = False
worker_prefetch_multiplier = 1
worker_hijack_root_logger = False
worker_redirect_stdouts = False
worker_send_task_events = False
task_default_queue = "house"
task_routes = {"generation.render": {"queue": "render"}}
enable_utc = True
# Identical doorbells coalesce in the queue, so a worker that was away finds one, not a thousand.
beat_schedule = {
    "ring-the-renderers": {
        "task": "generation.render",
        "schedule": 5.0,
        "options": {"queue": "render"},
    },
    "watch-the-leases": {"task": "generation.watch", "schedule": 5.0},
    "end-what-was-held": {"task": "generation.lapse", "schedule": 300.0},
    "sweep-stray-files": {"task": "generation.sweep", "schedule": 3600.0},
    "sweep-references": {"task": "references.sweep", "schedule": 3600.0},
    # A verdict takes effect ten seconds after the press, and at most this much later.
    "decide-what-is-due": {"task": "review.decide", "schedule": 2.0},
    "watch-the-desk": {"task": "review.watch", "schedule": 15.0},
    "remove-what-is-due": {"task": "review.retain", "schedule": 3600.0},
    "deliver-the-outbox": {"task": "greenroom.deliver", "schedule": 5.0},
    "send-the-post": {"task": "post.send", "schedule": 10.0},
    "deliver-to-webhooks": {"task": "webhooks.deliver", "schedule": 5.0},
    # At eight in whatever zone somebody lives.
    "make-the-digests": {"task": "post.digest", "schedule": 300.0},
    "tidy-accounts": {"task": "accounts.tidy", "schedule": 3600.0},
    "build-what-was-asked": {"task": "exports.build", "schedule": 60.0},
    "sweep-old-exports": {"task": "exports.sweep", "schedule": 3600.0},
    "finish-erasures": {"task": "erasures.finish", "schedule": 300.0},
}
