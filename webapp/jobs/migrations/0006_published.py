from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0005_interruptions")]

    operations = [
        migrations.AddField(
            model_name="job",
            name="published",
            field=models.BooleanField(default=False, help_text="Its result is stored: it can only succeed."),
        ),
    ]
