from pathlib import Path

import accounts.webhooks.models
import core.clock
import core.ids
import django.contrib.postgres.fields
import django.db.models.deletion
from core.sql.operations import grant
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0011_country"),
    ]

    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE accounts_webhook_number", "DROP SEQUENCE accounts_webhook_number"
        ),
        migrations.CreateModel(
            name="WebhookEndpoint",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("slot", models.PositiveSmallIntegerField()),
                ("name", models.CharField(max_length=80)),
                ("url", models.CharField(max_length=500)),
                (
                    "event_types",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64), size=None
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("enabled", "On"), ("disabled", "Off")],
                        default="enabled",
                        max_length=8,
                    ),
                ),
                (
                    "disabled_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("owner", "You turned it off."),
                            ("gone", "It answered 410: gone, for good."),
                            ("no_answer", "Nothing but failures for three days."),
                            (
                                "credential_revoked",
                                "The token or sign-in that made or changed it was revoked.",
                            ),
                        ],
                        max_length=24,
                    ),
                ),
                ("made_at", models.DateTimeField(db_default=core.clock.CoreNow())),
                ("changed_at", models.DateTimeField(db_default=core.clock.CoreNow())),
                ("tried_at", models.DateTimeField(null=True)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("failing_since", models.DateTimeField(null=True)),
                ("rests_until", models.DateTimeField(null=True)),
                (
                    "credential",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.credential",
                    ),
                ),
                (
                    "party",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="webhooks",
                        to="accounts.party",
                    ),
                ),
                (
                    "programme",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="webhooks",
                        to="accounts.programme",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="WebhookDelivery",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "number",
                    models.BigIntegerField(
                        db_default=accounts.webhooks.models.NextDeliveryNumber(),
                        editable=False,
                        unique=True,
                    ),
                ),
                ("message_id", models.UUIDField()),
                ("event_type", models.CharField(max_length=64)),
                ("subject_id", models.UUIDField()),
                ("is_test", models.BooleanField(default=False)),
                ("body", models.TextField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("delivered", "Delivered"),
                            ("failed", "Given up"),
                            ("dropped", "Not sent"),
                        ],
                        default="waiting",
                        max_length=12,
                    ),
                ),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("tries", models.PositiveIntegerField(default=0)),
                ("made_at", models.DateTimeField(db_default=core.clock.CoreNow())),
                ("due_at", models.DateTimeField(db_default=core.clock.CoreNow())),
                ("lease_until", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "endpoint",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="deliveries",
                        to="accounts.webhookendpoint",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="WebhookSecret",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("sealed", models.TextField()),
                ("hint", models.CharField(max_length=16)),
                ("made_at", models.DateTimeField(db_default=core.clock.CoreNow())),
                ("until", models.DateTimeField(null=True)),
                (
                    "endpoint",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="secrets",
                        to="accounts.webhookendpoint",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="WebhookAttempt",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("at", models.DateTimeField(db_default=core.clock.CoreNow())),
                ("took_ms", models.PositiveIntegerField()),
                ("status", models.PositiveSmallIntegerField(null=True)),
                ("failure", models.CharField(blank=True, max_length=48)),
                ("answer", models.CharField(blank=True, max_length=300)),
                (
                    "delivery",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="attempts_made",
                        to="accounts.webhookdelivery",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("delivery", "number"), name="webhook_attempts_are_numbered"
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="webhookendpoint",
            index=models.Index(
                condition=models.Q(("state", "enabled")),
                fields=["tried_at", "id"],
                name="webhooks_in_turn",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.UniqueConstraint(
                fields=("party", "programme", "slot"), name="one_webhook_in_a_slot"
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(("slot__gte", 1), ("slot__lte", 10)),
                name="a_party_has_ten_webhooks_at_most",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("disabled_reason", ""), ("state", "enabled")),
                    models.Q(
                        (
                            "disabled_reason__in",
                            ["owner", "gone", "no_answer", "credential_revoked"],
                        ),
                        ("state", "disabled"),
                    ),
                    _connector="OR",
                ),
                name="a_webhook_says_why_iff_it_is_off",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(("url__regex", "^https?://[^\\s@]+$")),
                name="a_webhook_address_is_http",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(("event_types__len__gte", 1)),
                name="a_webhook_hears_of_something",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("failing_since", None), ("failures", 0)),
                    models.Q(("failing_since__isnull", False), ("failures__gte", 1)),
                    _connector="OR",
                ),
                name="a_webhook_fails_since_iff_it_fails",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=models.Q(("state", "waiting")),
                fields=["endpoint", "due_at", "number"],
                name="webhook_deliveries_due",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=models.Q(("state", "waiting")),
                fields=["endpoint", "subject_id", "number"],
                name="webhook_deliveries_in_order",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(fields=["endpoint", "-number"], name="webhook_log"),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(fields=["made_at"], name="webhook_log_by_age"),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.UniqueConstraint(
                fields=("endpoint", "message_id"), name="one_delivery_of_an_event_to_a_webhook"
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at", None), ("state", "waiting")),
                    models.Q(
                        ("ended_at__isnull", False),
                        ("state__in", ["delivered", "failed", "dropped"]),
                    ),
                    _connector="OR",
                ),
                name="a_delivery_ends_iff_it_waits_no_more",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(("lease_until", None), ("state", "waiting"), _connector="OR"),
                name="only_a_waiting_delivery_is_leased",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhooksecret",
            constraint=models.UniqueConstraint(
                condition=models.Q(("until", None)),
                fields=("endpoint",),
                name="one_secret_of_a_webhook_in_force",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhooksecret",
            constraint=models.CheckConstraint(
                condition=models.Q(("sealed__contains", "whsec_"), _negated=True),
                name="a_webhook_secret_is_sealed",
            ),
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
        grant(
            "GRANT UPDATE (name, url, event_types, credential_id, state, disabled_reason,"
            " changed_at, tried_at, failures, failing_since, rests_until), DELETE"
            " ON accounts_webhookendpoint TO {app}"
        ),
        grant("GRANT UPDATE (until), DELETE ON accounts_webhooksecret TO {app}"),
        grant(
            "GRANT UPDATE (state, attempts, tries, due_at, lease_until, ended_at), DELETE"
            " ON accounts_webhookdelivery TO {app}"
        ),
    ]
