"""Layers of a map stand in named groups."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("maps", "0003_place_on_a_map")]

    operations = [
        migrations.AddField(
            model_name="maplayer",
            name="group",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Name of its group; layers of one stand together.",
                max_length=100,
            ),
            preserve_default=False,
        ),
    ]
