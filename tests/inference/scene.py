"""Scenes and packages for the tests of inference jobs: real imagery, real networks with random weights."""

import tempfile
from functools import cache
from pathlib import Path

import torch
from django.conf import settings

from tests.factories import make_imagery, make_project
from training import package
from training.jobs import fields_of
from training.models import ModelPackage
from training.networks import RetinaNet, Unet
from training.package import Description, PackageClass
from webapp.imagery.models import ImageryLayer
from webapp.projects.models import Project
from webapp.raster.read import Reader, info

TREE, ROOF = PackageClass(1, "Tree", "#1b9e77"), PackageClass(7, "Roof", "#d95f02")
MEAN, STD = (120.0, 118.0, 110.0), (50.0, 48.0, 45.0)
# Small chips and blocks, so that a small scene has many.
SMALL = {"core_px": 64, "block_px": 128, "halo_px": 32}


def scene_path(data: Path) -> Path:
    """Return a real scene of 400 x 400 px with 0.1 m pixels."""
    return sorted((data / "neon_trees").glob("SJER_*.tif"))[0]


def scene(data: Path, project: Project | None = None) -> ImageryLayer:
    """Return an imagery layer of a real scene."""
    return make_imagery(project or make_project(), scene_path(data))


def unet(path: Path) -> torch.nn.Module:
    """Return a U-Net with random weights that finds every class in the scene at `path`."""
    torch.manual_seed(5)
    module = Unet().build(bands=3, classes=3, pretrained=False).eval()
    with Reader(path) as reader:
        array = torch.from_numpy(reader.read(reader.whole).array[:, :384, :384].astype("float32"))
    x = (array - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
    with torch.inference_mode():
        logits = module(x[None])
        last = module.segmentation_head[0]
        last.bias.sub_(logits.mean(dim=(0, 2, 3)))
    return module


@cache
def packed(path: Path, task: str) -> tuple[Description, bytes]:
    """Return a package with random weights for the scene at `path`, made once."""
    pixels = task == "classify_pixels"
    torch.manual_seed(5)
    network = Unet() if pixels else RetinaNet(detections=40)
    module = unet(path) if pixels else network.build(bands=3, classes=2, pretrained=False).eval()
    description = Description(
        name=f"Random {network.name}",
        task=task,
        network=network.name,
        classes=(TREE, ROOF),
        bands=tuple(info(path).descriptions),
        dtype="uint8",
        resolution_m=0.1,
        chip_px=128,
        halo_px=32,
        mean=MEAN,
        std=STD,
        settings={"architecture": network.architecture},
    )
    with tempfile.TemporaryDirectory() as folder:
        package.write(Path(folder) / "package.dlpk", description=description, module=module)
        return description, (Path(folder) / "package.dlpk").read_bytes()


def make_package(project: Project, path: Path, task: str = "classify_pixels") -> ModelPackage:
    """Return an installed package with random weights for the scene at `path`."""
    description, data = packed(path, task)
    file = Path(settings.MEDIA_DIR) / "packages" / f"{task}.dlpk"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return ModelPackage.objects.create(project=project, **fields_of(description, file))
