import django.contrib.postgres.fields
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [
        ("generation", "0012_styles"),
    ]

    operations = [
        migrations.AddField(
            model_name="videomodel",
            name="words",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=64), blank=True, default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="videomodel",
            name="examples",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=2000), blank=True, default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="pricerow",
            name="enlarged_by",
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.RemoveConstraint(model_name="pricerow", name="generated_covers_the_file"),
        migrations.AddConstraint(
            model_name="pricerow",
            constraint=models.CheckConstraint(
                name="generated_covers_the_file",
                condition=Q(width__gte=2, height__gte=2)
                & (
                    Q(enlarged_by__gte=2)
                    | Q(generated_width__gte=F("width"), generated_height__gte=F("height"))
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="pricerow",
            constraint=models.CheckConstraint(
                name="an_enlarged_file_is_whole_times_as_large",
                condition=Q(enlarged_by=1)
                | Q(
                    enlarged_by__gte=2,
                    width=F("generated_width") * F("enlarged_by"),
                    height=F("generated_height") * F("enlarged_by"),
                ),
            ),
        ),
        # The model of random weights, which earlier set-ups offered, has one that was trained in
        # its place.
        migrations.RunSQL(
            "UPDATE generation_videomodel SET state = 'retired'"
            " WHERE slug = 'untrained' AND checkpoint = 'untrained-ltx' AND state = 'offered'",
            migrations.RunSQL.noop,
        ),
    ]
