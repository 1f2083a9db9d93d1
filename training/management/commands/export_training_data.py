"""`manage.py export_training_data LABEL_SET`: cut chips from a label set, through the same job as the page."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from labeling.models import LabelSet
from training import services
from training.management.looking import by_id_or_name, owner_of
from training.models import TrainingData
from training.selectors import folder_of
from training.specs import FORMATS, ExportSpec
from webapp.errors import QuadratError
from webapp.jobs.follow import follow


class Command(BaseCommand):
    """Export training data."""

    help = "Cut a label set into chips, in Esri's folder layouts."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("label_set", help="id or name of the label set")
        parser.add_argument("--name", default="", help="of the training data")
        parser.add_argument("--format", choices=FORMATS, default=FORMATS[0])
        parser.add_argument("--chip", type=int, default=256, help="side of a chip in pixels, a multiple of 32")
        parser.add_argument("--stride", type=int, help="pixels from chip to chip (default: no overlap)")
        parser.add_argument(
            "--resolution", type=float, help="ground size of a pixel in metres (default: the imagery's)"
        )
        parser.add_argument("--bands", help="band numbers, such as 1,2,3 (default: all)")
        parser.add_argument("--validation", type=float, default=0.2, help="share held out, 0 to 0.5")
        parser.add_argument("--seed", type=int, default=42)
        parser.add_argument("--extent", help="GeoJSON polygon in EPSG:4326 inside which everything is labelled")
        parser.add_argument("--features-only", action="store_true", help="leave out chips without labels")
        parser.add_argument("--json", action="store_true", help="JSON lines instead of a progress bar")

    def handle(self, *args: Any, **options: Any) -> None:
        """Export and say where the folder is."""
        found = by_id_or_name(LabelSet.objects.select_related("project", "imagery", "layer"), options["label_set"])
        try:
            values = {
                "metadata_format": options["format"],
                "chip_px": options["chip"],
                "stride_px": options["stride"] or options["chip"],
                "resolution_m": options["resolution"],
                "bands": [int(band) for band in options["bands"].split(",")] if options["bands"] else None,
                "validation": options["validation"],
                "seed": options["seed"],
                "extent": json.loads(options["extent"]) if options["extent"] else None,
                "features_only": options["features_only"],
            }
            spec = ExportSpec.parse(values)
            data = services.export(label_set=found, user=owner_of(found.project), spec=spec, name=options["name"])
            assert data.job is not None
            follow(data.job, as_json=options["json"], write=self.stdout.write)
        except ValueError as error:
            raise CommandError(f"An option is wrong: {error}.") from error
        except QuadratError as error:
            raise CommandError(str(error)) from error
        done = TrainingData.objects.get(pk=data.pk)
        result = {"training_data": str(done.pk), "folder": str(folder_of(done)), "chips": done.statistics["chips"]}
        if options["json"]:
            self.stdout.write(json.dumps(result))
        else:
            chips = done.statistics["chips"]
            held = f"{chips['train']} to train, {chips['validation']} held out"
            self.stdout.write(f"{done.name} ({done.pk}): {held}, in {result['folder']}")
