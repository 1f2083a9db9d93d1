"""Tasks that were settled before decided on all of their answers."""

from django.db import migrations

DECIDED = """UPDATE labeling_answer a SET decided = true FROM labeling_blindtask b
    WHERE b.task_id = a.blind_id AND b.state = 'settled' AND a.labelling_id IS NOT NULL"""


class Migration(migrations.Migration):
    dependencies = [("labeling", "0010_answers_in_each_task")]

    operations = [migrations.RunSQL(DECIDED, migrations.RunSQL.noop)]
