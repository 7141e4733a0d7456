from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0004_signing_key_rules")]

    operations = [
        migrations.AddIndex(
            model_name="outboxmessage",
            index=models.Index(
                fields=["party_id", "xid", "id"],
                name="outbox_of_one_party",
                condition=models.Q(party_id__isnull=False),
            ),
        ),
    ]
