from pathlib import Path

import core.clock
import core.ids
import django.contrib.postgres.fields
import django.db.models.deletion
from core.sql.operations import grant
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0012_webhooks")]

    operations = [
        migrations.CreateModel(
            name="DeviceLogin",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("device_digest", models.BinaryField(unique=True)),
                ("user_digest", models.BinaryField()),
                ("client_name", models.CharField(max_length=80)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=32), size=None
                    ),
                ),
                ("days", models.PositiveSmallIntegerField()),
                ("asked_from", models.GenericIPAddressField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("allowed", "Allowed"),
                            ("denied", "Denied"),
                            ("taken", "Taken"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("made_at", models.DateTimeField(db_default=core.clock.CoreNow())),
                ("expires_at", models.DateTimeField()),
                ("interval_s", models.PositiveSmallIntegerField()),
                ("polled_at", models.DateTimeField(null=True)),
                (
                    "allowed_scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=32), default=list, size=None
                    ),
                ),
                ("allowed_days", models.PositiveSmallIntegerField(null=True)),
                ("auth_method", models.CharField(blank=True, max_length=16)),
                (
                    "allowed_with",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.credential",
                    ),
                ),
                (
                    "opened_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.party",
                    ),
                ),
                (
                    "programme",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.programme",
                    ),
                ),
                (
                    "token",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.credential",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "waiting")),
                        fields=("user_digest",),
                        name="one_waiting_device_login_of_a_user_code",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("scopes__len__gte", 1),
                            ("days__gte", 1),
                            ("days__lte", 90),
                            models.Q(("client_name", ""), _negated=True),
                        ),
                        name="a_device_login_asks_for_something",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("allowed_days", None),
                                ("allowed_scopes", []),
                                ("allowed_with", None),
                                ("auth_method", ""),
                                ("programme", None),
                                ("state__in", ["waiting", "denied"]),
                                ("token", None),
                            ),
                            models.Q(
                                ("allowed_days__gte", 1),
                                ("allowed_scopes__len__gte", 1),
                                ("allowed_with__isnull", False),
                                ("programme__isnull", False),
                                models.Q(("auth_method", ""), _negated=True),
                                models.Q(
                                    models.Q(("state", "allowed"), ("token", None)),
                                    models.Q(("state", "taken"), ("token__isnull", False)),
                                    _connector="OR",
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="a_device_login_is_allowed_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("allowed_scopes__contained_by", models.F("scopes")),
                            models.Q(
                                ("allowed_days", None),
                                ("allowed_days__lte", models.F("days")),
                                _connector="OR",
                            ),
                        ),
                        name="no_more_is_allowed_than_was_asked",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DeviceLoginTry",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("at", models.DateTimeField(db_default=core.clock.CoreNow())),
                (
                    "party",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.party",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["party", "at"], name="tries_of_a_party")],
            },
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
        grant(
            "GRANT UPDATE (state, interval_s, polled_at, opened_by_id, programme_id, allowed_scopes,"
            " allowed_days, allowed_with_id, auth_method, token_id), DELETE"
            " ON accounts_devicelogin TO {app}"
        ),
        grant("GRANT DELETE ON accounts_devicelogintry TO {app}"),
    ]
