"""How good a network is on held-out chips: IoU and F1 by class for pixels, average precision for objects."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from faster_coco_eval import COCO, COCOeval_faster
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics.classification import MulticlassConfusionMatrix

from training.networks import IGNORE, Objects

# A detection is right when its box and the true box share this much (AP50, the measure of Pascal VOC).
RIGHT_IOU = 0.5


class PixelScores:
    """Collects predictions pixel by pixel; counts only, so memory does not grow."""

    def __init__(self, names: Sequence[str]) -> None:
        """Take the names of the classes, background (index 0) not among them."""
        self.names = list(names)
        self._matrix = MulticlassConfusionMatrix(num_classes=len(names) + 1, ignore_index=IGNORE)

    def add(self, classes: Tensor, truth: Tensor) -> None:
        """Take class indexes (n, row, col) and the truth; pixels of value `IGNORE` are left out."""
        self._matrix.to(classes.device).update(classes, truth)

    def result(self) -> dict[str, Any]:
        """Return `iou` and `f1` (means over the classes that occur), `accuracy`, and `per_class`."""
        matrix = self._matrix.compute().cpu().numpy().astype(np.float64)
        right, truth, said = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
        per_class: list[dict[str, Any]] = [
            {
                "name": name,
                "iou": ratio(right[index], truth[index] + said[index] - right[index]),
                "f1": ratio(2 * right[index], truth[index] + said[index]),
                "precision": ratio(right[index], said[index]),
                "recall": ratio(right[index], truth[index]),
                "pixels": int(truth[index]),
            }
            for index, name in enumerate(self.names, start=1)
        ]
        seen = [entry for entry in per_class if entry["pixels"]]
        return {
            "iou": mean([entry["iou"] for entry in seen]),
            "f1": mean([entry["f1"] for entry in seen]),
            "accuracy": ratio(right.sum(), matrix.sum()),
            "per_class": per_class,
        }


@dataclass(frozen=True, slots=True)
class Truth:
    """What a chip really holds: boxes (m, 4) xyxy and labels (m,), as in `Objects`."""

    boxes: NDArray[np.floating[Any]]
    labels: NDArray[np.integer[Any]]


class ObjectScores:
    """Collects the objects found in each chip."""

    def __init__(self, names: Sequence[str]) -> None:
        """Take the names of the classes in the order of the labels."""
        self.names = list(names)
        self._truth: list[Truth] = []
        self._found: list[Objects] = []

    def add(self, found: Objects, truth: Truth) -> None:
        """Take one chip."""
        self._found.append(found)
        self._truth.append(truth)

    def result(self) -> dict[str, Any]:
        """Return `ap50`, `ap` (COCO, IoU 0.5 to 0.95), `per_class`, and where F1 is best.

        `threshold` is the score at which F1 over all classes is highest; `precision`, `recall`, `f1` are there.
        """
        ap50, ap, by_class = self._average_precision()
        best = self._best_threshold()
        per_class = [{"name": name, "ap50": value} for name, value in zip(self.names, by_class, strict=True)]
        return {"ap50": ap50, "ap": ap, "per_class": per_class} | best

    def _average_precision(self) -> tuple[float, float, list[float]]:
        truth, found = self._coco()
        if not truth["annotations"] or not found:
            return 0.0, 0.0, [0.0] * len(self.names)
        reference = COCO(truth)
        evaluation = COCOeval_faster(reference, reference.loadRes(found), "bbox", print_function=lambda *_: None)
        evaluation.params.maxDets = [1, 10, max(100, max(len(objects.scores) for objects in self._found))]
        evaluation.evaluate()
        evaluation.accumulate()
        # Precision by (IoU, recall, class, size, most detections); -1 where a class does not occur.
        table = evaluation.eval["precision"][:, :, :, 0, -1]
        return (
            seen_mean(table[0]),
            seen_mean(table),
            [seen_mean(table[0, :, index]) for index in range(len(self.names))],
        )

    def _coco(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        truth: list[dict[str, Any]] = []
        found: list[dict[str, Any]] = []
        for image, (objects, real) in enumerate(zip(self._found, self._truth, strict=True), start=1):
            for box, label in zip(real.boxes, real.labels, strict=True):
                frame = coco_box(box)
                entry = {"id": len(truth) + 1, "image_id": image, "category_id": int(label) + 1, "iscrowd": 0}
                truth.append(entry | {"bbox": frame, "area": frame[2] * frame[3]})
            for box, label, score in zip(objects.boxes, objects.labels, objects.scores, strict=True):
                place = {"image_id": image, "category_id": int(label) + 1, "bbox": coco_box(box)}
                found.append(place | {"score": float(score)})
        dataset = {
            "info": {},
            "images": [{"id": number} for number in range(1, len(self._truth) + 1)],
            "categories": [{"id": number, "name": name} for number, name in enumerate(self.names, start=1)],
            "annotations": truth,
        }
        return dataset, found

    def _best_threshold(self) -> dict[str, float]:
        pairs = [hits(objects, real) for objects, real in zip(self._found, self._truth, strict=True)]
        scores = np.concatenate([np.zeros(0), *(objects.scores for objects in self._found)])
        right = np.concatenate([np.zeros(0, dtype=bool), *pairs])
        real = sum(len(truth.boxes) for truth in self._truth)
        if not len(scores) or not real:
            return {"threshold": 0.5, "precision": 0.0, "recall": 0.0, "f1": 0.0}
        order = np.argsort(-scores, kind="stable")
        hit = np.cumsum(right[order])
        f1 = 2 * hit / (np.arange(1, len(order) + 1) + real)
        at = int(f1.argmax())
        return {
            "threshold": float(scores[order][at]),
            "precision": float(hit[at] / (at + 1)),
            "recall": float(hit[at] / real),
            "f1": float(f1[at]),
        }


def hits(found: Objects, truth: Truth) -> NDArray[np.bool_]:
    """Return which objects, best first, meet a true box of their class that no better one has taken."""
    right = np.zeros(len(found.scores), dtype=bool)
    taken = np.zeros(len(truth.boxes), dtype=bool)
    if not len(truth.boxes):
        return right
    overlap = ious(found.boxes, truth.boxes)
    for index in np.argsort(-found.scores, kind="stable"):
        free = np.where(taken | (truth.labels != found.labels[index]), 0.0, overlap[index])
        best = int(free.argmax())
        if free[best] >= RIGHT_IOU:
            right[index] = taken[best] = True
    return right


def ious(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.float64]:
    """Return intersection over union (len(one), len(other)) of xyxy boxes."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (one, other)]
    result: NDArray[np.float64] = shared / np.maximum(areas[0][:, None] + areas[1][None] - shared, 1e-9)
    return result


def coco_box(box: NDArray[Any]) -> list[float]:
    """Return COCO's [x, y, width, height] of xyxy."""
    return [float(box[0]), float(box[1]), float(box[2] - box[0]), float(box[3] - box[1])]


def seen_mean(table: NDArray[Any]) -> float:
    """Return the mean of a precision table without its -1 entries; 0 where nothing is left."""
    values = table[table > -1]
    return float(values.mean()) if values.size else 0.0


def ratio(part: float, whole: float) -> float:
    """Return part / whole; 0 for an empty whole."""
    return float(part / whole) if whole else 0.0


def mean(values: Sequence[float]) -> float:
    """Return the mean; 0 of nothing."""
    return math.fsum(values) / len(values) if values else 0.0
