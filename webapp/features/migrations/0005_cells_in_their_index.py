"""The index of cells holds their counts too: a dense tile reads some pages of it instead of a page a cell."""

from django.db import migrations

KEY = "ALTER TABLE features_cell DROP CONSTRAINT features_cell_pkey, ADD CONSTRAINT features_cell_pkey PRIMARY KEY"
COLUMNS = "(layer_id, z, x, y, cell, class_value)"


class Migration(migrations.Migration):
    dependencies = [("features", "0004_tile_ladder")]

    operations = [
        migrations.RunSQL(
            f"{KEY} {COLUMNS} INCLUDE (count, score_sum, scored)",
            f"{KEY} {COLUMNS}",
        ),
    ]
