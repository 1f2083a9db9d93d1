"""How to train: settings that a form, a command and a run share. Known without torch: the web process checks them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from webapp.errors import Invalid

# Task of each network.
NETWORKS = {"unet": "classify_pixels", "retinanet": "detect_objects"}
# What people call it.
TITLES = {"unet": "U-Net", "retinanet": "RetinaNet"}
# The metric that is to rise, by task.
MONITOR = {"classify_pixels": "iou", "detect_objects": "ap50"}


@dataclass(frozen=True)
class Settings:
    """How to train; frozen with the run.

    Attributes:
        learning_rate: highest rate of the one-cycle schedule.
        patience: epochs without a better metric before the run stops early; 0 for never.
        min_delta: what counts as better.
        pretrained: start from ImageNet weights.
        augment: flips, quarter turns, brightness and contrast.
        class_weights: weigh rare classes up (pixel classification).
        threads: of one operation; 0 for one a core. Sums depend on it, so it is recorded.
        device: cpu, cuda or auto.
    """

    epochs: int = 20
    batch_size: int = 8
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    patience: int = 5
    min_delta: float = 1e-3
    seed: int = 42
    pretrained: bool = True
    augment: bool = True
    class_weights: bool = False
    threads: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        ranges = {
            "epochs": (1, 10_000),
            "batch_size": (1, 1024),
            "learning_rate": (1e-7, 1.0),
            "weight_decay": (0.0, 1.0),
            "patience": (0, 10_000),
            "min_delta": (0.0, 1.0),
            "seed": (0, 2**31 - 1),
            "threads": (0, 1024),
        }
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise Invalid(f"{name} is {value!r}.", fix=f"Use {low:g} to {high:g}.")
        if self.device not in ("auto", "cpu", "cuda"):
            raise Invalid(f"Device {self.device!r} is unknown.", fix="Use auto, cpu or cuda.")

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> "Settings":
        """Return the settings of a JSON object; what is absent takes its default.

        Raises:
            Invalid: an unknown name, or a value of another type or out of range.
        """
        kinds = {entry.name: type(entry.default) for entry in fields(cls)}
        unknown = sorted(set(values) - set(kinds))
        if unknown:
            raise Invalid(f"The setting {unknown[0]!r} is unknown.", fix=f"Use {', '.join(kinds)}.")
        found: dict[str, Any] = {}
        for name, value in values.items():
            wanted = kinds[name]
            fine = isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool))
            if wanted is float and isinstance(value, int) and not isinstance(value, bool):
                fine, value = True, float(value)
            if not fine:
                raise Invalid(f"{name} is {value!r}.", fix=f"Give a value of type {wanted.__name__}.")
            found[name] = value
        return cls(**found)

    def as_json(self) -> dict[str, Any]:
        """Return the settings as a JSON object."""
        return asdict(self)
