import core.clock
import core.ids
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_invitations"),
    ]

    operations = [
        migrations.AddField(
            model_name="personaldetail",
            name="credit_name",
            field=models.CharField(blank=True, max_length=120),
        ),
        migrations.CreateModel(
            name="Rate",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("release", "Release"),
                            ("bug_report", "Bug Report"),
                            ("feedback", "Feedback"),
                            ("red_team_finding", "Red Team Finding"),
                        ],
                        max_length=24,
                    ),
                ),
                ("amount_micro", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("words", models.CharField(blank=True, max_length=300)),
                ("published_at", models.DateTimeField(db_default=core.clock.CoreNow())),
                ("applies_from", models.DateTimeField()),
                (
                    "programme",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rates",
                        to="accounts.programme",
                    ),
                ),
                (
                    "published_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.party",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("programme", "kind", "applies_from"),
                        name="one_rate_begins_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["release", "bug_report", "feedback", "red_team_finding"])
                        ),
                        name="rate_is_of_a_known_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_micro__gte", 0)),
                        name="a_rate_takes_nothing_away",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("published_at__lte", models.F("applies_from"))),
                        name="a_rate_is_published_before_it_applies",
                    ),
                ],
            },
        ),
    ]
