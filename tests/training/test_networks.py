"""Networks: ImageNet weights for any number of bands, fixed shapes, decoding."""

import numpy as np
import pytest
import torch

from training.networks import IGNORE, Batch, RetinaNet, Unet, load_imagenet, network_of, soft_dice
from webapp.errors import Invalid


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)


@pytest.mark.parametrize("bands", [1, 3, 4, 12])
def test_imagenet_weights_fit_any_number_of_bands(bands: int) -> None:
    module = network_of("unet").build(bands=bands, classes=2, pretrained=True).eval()
    stem = module.get_parameter("encoder.model.conv_stem.weight")
    assert stem.shape[1] == bands
    three = network_of("unet").build(bands=3, classes=2, pretrained=True)
    # The answer to a grey picture keeps its size (about: a fourth band repeats red), so what follows still fits.
    ratio = stem.sum(dim=1).norm() / three.get_parameter("encoder.model.conv_stem.weight").sum(dim=1).norm()
    assert float(ratio.detach()) == pytest.approx(1, rel=0.1)


def test_the_encoder_of_both_networks_holds_the_same_stored_tensors() -> None:
    unet = network_of("unet").build(bands=3, classes=2, pretrained=True).state_dict()
    found = network_of("retinanet").build(bands=3, classes=2, pretrained=True).state_dict()
    name = "blocks.2.0.conv_dw.weight"
    assert torch.equal(unet[f"encoder.model.{name}"], found[f"encoder.{name}"])
    plain = network_of("unet").build(bands=3, classes=2, pretrained=False).state_dict()
    assert not torch.equal(unet[f"encoder.model.{name}"], plain[f"encoder.model.{name}"])
    assert callable(load_imagenet)


def test_pixels_come_out_as_logits_of_the_chips_size_and_as_class_indexes() -> None:
    network = Unet()
    module = network.build(bands=4, classes=3, pretrained=False).eval()
    with torch.inference_mode():
        raw = network.raw_forward(module, torch.randn(2, 4, 64, 96))
    assert raw["logits"].shape == (2, 3, 64, 96)
    arrays = {"logits": raw["logits"].numpy()}
    classes = network.decode(arrays)
    assert (classes.shape, classes.dtype) == ((2, 64, 96), np.uint8)
    assert np.array_equal(classes, raw["logits"].argmax(1).numpy())
    probability = raw["logits"].softmax(1).amax(1).numpy()
    sure = network.decode(arrays, threshold=0.5)
    assert np.array_equal(sure, np.where(probability < 0.5, 0, classes))


def test_objects_come_out_in_a_fixed_number_best_first_within_the_chip() -> None:
    network = RetinaNet(detections=50)
    module = network.build(bands=3, classes=2, pretrained=False).eval()
    with torch.inference_mode():
        raw = network.raw_forward(module, torch.randn(2, 3, 96, 128))
    assert (raw["boxes"].shape, raw["scores"].shape, raw["labels"].shape) == ((2, 50, 4), (2, 50), (2, 50))
    assert bool((raw["scores"].diff(dim=1) <= 0).all())
    assert bool((raw["boxes"] >= 0).all())
    assert bool((raw["boxes"][..., [0, 2]] <= 128).all())
    assert bool((raw["boxes"][..., [1, 3]] <= 96).all())
    arrays = {name: tensor.clone().numpy() for name, tensor in raw.items()}
    arrays["scores"][0, 10:] = 0
    found = network.decode(arrays)
    assert len(found[0].scores) == 10


@pytest.mark.parametrize(
    ("sides", "strides", "first"),
    [
        ([12.0] * 50, (4,), 12),
        ([20.0, 40.0] * 50, (8,), 20),
        ([20.0, 150.0] * 50, (8, 16, 32), 20),
        ([2.0] * 9, (4,), 8),
    ],
)
def test_anchors_are_sized_for_the_objects(sides: list[float], strides: tuple[int, ...], first: float) -> None:
    boxes = np.array([[0, 0, side, side] for side in sides])
    fitted = RetinaNet().fitted(boxes)
    assert fitted.strides == strides
    assert fitted.anchor_px == pytest.approx(first)
    assert fitted.ratios == (1.0,)


def test_every_box_of_ordinary_size_meets_an_anchor_well() -> None:
    generator = np.random.default_rng(1)
    sides = generator.uniform(18, 90, 200)
    corners = generator.uniform(0, 160, (200, 2))
    boxes = np.concatenate([corners, corners + sides[:, None]], axis=1)
    network = RetinaNet().fitted(boxes)
    module = network.build(bands=3, classes=1, pretrained=False).eval()
    with torch.inference_mode():
        _, anchors = module(torch.zeros(1, 3, 256, 256))
    from torchvision.ops import box_iou

    best = box_iou(torch.from_numpy(boxes).float(), anchors).amax(dim=1)
    assert float((best > 0.5).float().mean()) > 0.95


def test_pixels_that_nobody_labelled_do_not_move_the_loss() -> None:
    network = Unet()
    module = network.build(bands=3, classes=2, pretrained=False).eval()
    image = torch.randn(1, 3, 64, 64)
    classes = torch.zeros(1, 64, 64, dtype=torch.int64)
    classes[:, :, 32:] = IGNORE
    logits = module(image)
    changed = logits.clone()
    changed[..., 32:] = 100 * torch.randn_like(changed[..., 32:])
    assert torch.allclose(soft_dice(logits, classes), soft_dice(changed, classes))
    nothing = network.loss(module, Batch(image, torch.full_like(classes, IGNORE)))
    assert float(nothing.detach()) == 0.0


def test_a_chip_without_objects_still_teaches_a_detector() -> None:
    network = RetinaNet()
    module = network.build(bands=3, classes=1, pretrained=False)
    empty = Batch(torch.randn(1, 3, 64, 64), torch.zeros(1, 0, 0), (torch.zeros(0, 4),), (torch.zeros(0).long(),))
    loss = network.loss(module, empty)
    assert bool(torch.isfinite(loss))
    assert float(loss.detach()) > 0


@pytest.mark.parametrize("name", ["unet", "retinanet"])
def test_a_network_is_made_again_from_its_parameters(name: str) -> None:
    network = network_of(name)
    assert network_of(name, network.architecture) == network


def test_unknown_networks_and_parameters_are_refused() -> None:
    for name, architecture in (("yolo", {}), ("unet", {"depth": 9}), ("unet", {"encoder": "resnet18"})):
        with pytest.raises(Invalid):
            network_of(name, architecture)
