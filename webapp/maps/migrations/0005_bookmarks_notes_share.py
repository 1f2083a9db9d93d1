"""Bookmarks and notes of maps; maps that are private, or public."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("maps", "0004_layer_group")]

    operations = [
        migrations.AddField(
            model_name="map",
            name="bookmarks",
            field=models.JSONField(blank=True, default=list, help_text='[{"name", "lon", "lat", "zoom"}]'),
        ),
        migrations.AddField(
            model_name="map",
            name="notes",
            field=models.JSONField(blank=True, default=list, help_text='[{"id", "geometry", "text", "colour"}]'),
        ),
        migrations.AlterField(
            model_name="map",
            name="share",
            field=models.CharField(
                choices=[("private", "Private"), ("members", "Members"), ("link", "Link"), ("public", "Public")],
                default="members",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="map",
            name="view",
            field=models.JSONField(
                blank=True,
                default=dict,
                help_text='{"lon", "lat", "zoom", "compare"?: {"mode", "left", "right", "at"}, "time"?};'
                " empty: all layers.",
            ),
        ),
    ]
