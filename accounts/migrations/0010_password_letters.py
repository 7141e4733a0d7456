from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0009_one_at_a_time")]
    operations = [
        migrations.RemoveConstraint(model_name="mail", name="a_mail_has_one_reader"),
        migrations.AlterField(
            model_name="mail",
            name="kind",
            field=models.CharField(
                choices=[
                    ("invitation", "Invitation"),
                    ("notice", "Notice"),
                    ("digest", "Digest"),
                    ("password", "Password"),
                ],
                max_length=16,
            ),
        ),
        migrations.AddConstraint(
            model_name="mail",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("invitation__isnull", False),
                        ("invitation_number__isnull", False),
                        ("kind", "invitation"),
                        ("party", None),
                    ),
                    models.Q(
                        ("invitation", None),
                        ("invitation_number", None),
                        ("kind__in", ["notice", "digest", "password"]),
                        ("party__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="a_mail_has_one_reader",
            ),
        ),
    ]
