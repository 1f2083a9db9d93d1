import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Label sets over several dates, and which sample is a copy of which."""

    dependencies = [("labeling", "0013_places_of_blind_tasks")]

    operations = [
        migrations.AddField(
            model_name="labelset",
            name="copied_from",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="copies",
                to="labeling.labelset",
            ),
        ),
        migrations.AddConstraint(
            model_name="labelset",
            constraint=models.UniqueConstraint(fields=("copied_from", "imagery"), name="label_set_once_a_date"),
        ),
        migrations.CreateModel(
            name="CopiedSample",
            fields=[
                (
                    "feature_id",
                    models.UUIDField(
                        help_text="Made of the layer's id and the origin's.", primary_key=True, serialize=False
                    ),
                ),
                ("origin_id", models.UUIDField(help_text="The sample that somebody drew.")),
                (
                    "label_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="copied_samples",
                        to="labeling.labelset",
                    ),
                ),
            ],
        ),
    ]
