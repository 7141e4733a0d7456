from pathlib import Path

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("generation", "0006_a_lease_ends_soon")]
    operations = [
        migrations.RemoveConstraint(
            model_name="rendition", name="one_master_poster_and_sprite_per_clip"
        ),
        migrations.AlterField(
            model_name="rendition",
            name="kind",
            field=models.CharField(
                choices=[
                    ("master", "Master"),
                    ("poster", "Poster"),
                    ("sprite", "Sprite"),
                    ("index", "Index"),
                    ("proxy", "Proxy"),
                    ("waveform", "Waveform"),
                ],
                max_length=16,
            ),
        ),
        migrations.AddConstraint(
            model_name="rendition",
            constraint=models.UniqueConstraint(
                fields=("clip", "kind"), name="one_file_of_a_kind_per_clip"
            ),
        ),
        migrations.AddConstraint(
            model_name="rendition",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind__in", ["master", "proxy"]), ("media_type", "video/mp4")),
                    models.Q(
                        ("kind__in", ["poster", "sprite", "waveform"]),
                        ("media_type", "image/webp"),
                    ),
                    models.Q(("kind", "index"), ("media_type", "text/vtt")),
                    _connector="OR",
                ),
                name="a_file_has_the_type_of_its_kind",
            ),
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
    ]
