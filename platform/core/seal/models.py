from __future__ import annotations

from django.db import models

from core.clock import CoreNow


class SigningKey(models.Model):
    """The public half of every key that signed a receipt here. Old ones stay: their receipts must
    verify for as long as somebody keeps them. ``key_id``: 16 hexadecimal signs of its SHA-256."""

    key_id = models.CharField(max_length=16, primary_key=True)
    public_key = models.BinaryField(unique=True)
    first_used_at = models.DateTimeField(db_default=CoreNow())
