from core.sql.operations import grant
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0010_password_letters")]
    operations = [
        migrations.AddField(
            model_name="personaldetail",
            name="country",
            field=models.CharField(blank=True, max_length=2, default=""),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="personaldetail",
            constraint=models.CheckConstraint(
                condition=models.Q(country__regex=r"^([A-Z]{2})?$"),
                name="a_country_is_two_letters",
            ),
        ),
        grant("GRANT UPDATE (country) ON accounts_personaldetail TO {app}"),
    ]
