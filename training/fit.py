"""The training loop: epochs with live losses, a checkpoint after each, resume, early stopping, best weights.

Everything random hangs on (seed, epoch, chip), never on how often the run was interrupted: a resumed run ends in the
same weights, bit for bit on one thread, as an undisturbed one.
"""

import logging
import math
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.utilities.exceptions import SIGTERMException
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Sampler

from training import formats
from training.chips import normalise
from training.formats import ChipFile, Folder
from training.metrics import ObjectScores, PixelScores, Truth
from training.networks import CLASSIFY_PIXELS, IGNORE, Batch, Network, RetinaNet
from training.settings import MONITOR, Settings
from webapp.errors import Invalid

# Decoded chips are kept in memory up to this many bytes.
CACHE_BYTES = 1024**3
# Points of the loss curve within an epoch.
STEPS_SHOWN = 40
CHECKPOINT, BEST = "checkpoint.pt", "best.pt"
# Detections below this score change no metric but its cost.
LEAST_SCORE = 0.05


@dataclass(frozen=True)
class EpochResult:
    """One finished epoch.

    Attributes:
        number: from 1.
        metrics: train_loss, validation_loss, learning_rate and the task's metrics.
        steps: (step, loss) within the epoch, at most `STEPS_SHOWN`.
        best: it is the best so far.
    """

    number: int
    metrics: dict[str, Any]
    steps: tuple[tuple[int, float], ...]
    seconds: float
    best: bool


@dataclass(frozen=True)
class Fitted:
    """A finished training.

    Attributes:
        module: with the best weights, in eval mode, on the CPU.
        metrics: of the best epoch.
        stopped_early: before the last epoch, for want of progress.
    """

    module: nn.Module
    network: Network
    best_epoch: int
    metrics: dict[str, Any]
    history: tuple[EpochResult, ...]
    stopped_early: bool


StepHook = Callable[[int, int, int, float], None]
EpochHook = Callable[[EpochResult], None]


@dataclass(frozen=True)
class Hooks:
    """What the caller wants to hear; a hook may raise to stop the run.

    Attributes:
        step: epoch (from 1), step (from 1), steps of an epoch, loss.
        epoch: each finished epoch, before its checkpoint: hearing one twice is possible, missing one is not.
        terminated: the process was told to end (SIGTERM); the loop ends after the batch.
    """

    step: StepHook = lambda epoch, step, steps, loss: None
    epoch: EpochHook = lambda result: None
    terminated: Callable[[], None] = lambda: None


# --- chips -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Item:
    """A decoded chip: raw pixels, valid mask, and either class indexes or boxes with labels."""

    array: NDArray[Any]
    valid: NDArray[np.bool_]
    classes: NDArray[np.int64]
    boxes: NDArray[np.float32]
    labels: NDArray[np.int64]

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return self.array.nbytes + self.valid.nbytes + self.classes.nbytes + self.boxes.nbytes


class ChipSet(Dataset[Batch]):
    """Chips of one side as batches of one; the sampler gives (epoch, index), so that augmentation needs no state."""

    def __init__(self, folder: Folder, chips: Sequence[ChipFile], *, augment: bool, seed: int) -> None:
        self.folder = folder
        self.chips = tuple(chips)
        self.augment = augment
        self.seed = seed
        self._kept: dict[int, Item] = {}
        self._kept_bytes = 0

    def __len__(self) -> int:
        return len(self.chips)

    def item(self, index: int) -> Item:
        """Return a chip as it lies on disk."""
        found = self._kept.get(index)
        if found is None:
            found = read_item(self.folder, self.chips[index])
            if self._kept_bytes + found.nbytes <= CACHE_BYTES:
                self._kept[index] = found
                self._kept_bytes += found.nbytes
        return found

    def __getitem__(self, key: Any) -> Batch:
        epoch, index = key
        item = self.item(index)
        image = normalise(item.array, item.valid, self.folder.mean, self.folder.std)
        boxes, classes = item.boxes, item.classes
        if self.augment:
            generator = np.random.default_rng((self.seed, epoch, index))
            image = lit(image, item.valid, generator)
            image, classes, boxes = turned(image, classes, boxes, int(generator.integers(8)))
        return Batch(
            images=torch.from_numpy(np.ascontiguousarray(image))[None],
            classes=torch.from_numpy(np.ascontiguousarray(classes))[None],
            boxes=(torch.from_numpy(np.ascontiguousarray(boxes)),),
            labels=(torch.from_numpy(item.labels),),
        )


def read_item(folder: Folder, chip: ChipFile) -> Item:
    """Return a chip with its labels as class indexes."""
    array, valid = formats.read_image(folder.path / chip.image)
    size = array.shape[-1]
    if array.shape != (len(folder.bands), size, size) or size % 32:
        raise Invalid(
            f"Chip {chip.image} is {array.shape}; chips are square with {len(folder.bands)} bands.",
            fix="Export the training data again, with chips of a multiple of 32 px.",
        )
    index_of = {entry.value: index for index, entry in enumerate(folder.classes)}
    if folder.task == CLASSIFY_PIXELS:
        values, labelled = formats.read_classes(folder.path / chip.label)
        table = np.full(65_536, IGNORE, dtype=np.int64)
        table[0] = 0
        for value, index in index_of.items():
            table[value] = index + 1
        classes = np.where(labelled & valid, table[values], IGNORE)
        return Item(array, valid, classes, np.zeros((0, 4), np.float32), np.zeros(0, np.int64))
    names = {entry.name: entry.value for entry in folder.classes}
    boxes, values = formats.read_boxes(folder.path / chip.label, names)
    known = np.isin(values, list(index_of))
    labels = np.array([index_of[int(value)] for value in values[known]], dtype=np.int64)
    return Item(array, valid, np.zeros((0, 0), np.int64), boxes[known], labels)


def turned(
    image: NDArray[np.float32], classes: NDArray[np.int64], boxes: NDArray[np.float32], view: int
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
    """Return one of the eight views of a square chip: quarter turns (view % 4), then mirrored left to right (>= 4).

    Args:
        image: (band, row, col).
        classes: (row, col), or (0, 0).
        boxes: (m, 4) xyxy.
        view: 0 to 7; 0 changes nothing.
    """
    size = image.shape[-1]
    for _ in range(view % 4):
        # A quarter turn against the clock takes (x, y) to (y, size - x).
        boxes = np.stack([boxes[:, 1], size - boxes[:, 2], boxes[:, 3], size - boxes[:, 0]], axis=1)
    image, classes = np.rot90(image, view % 4, axes=(1, 2)), np.rot90(classes, view % 4)
    if view >= 4:
        image, classes = image[:, :, ::-1], classes[:, ::-1]
        boxes = np.stack([size - boxes[:, 2], boxes[:, 1], size - boxes[:, 0], boxes[:, 3]], axis=1)
    return image, classes, boxes


def lit(image: NDArray[np.float32], valid: NDArray[np.bool_], generator: np.random.Generator) -> NDArray[np.float32]:
    """Return the chip with another brightness and contrast, the same for all bands; no-data pixels stay 0."""
    contrast = np.float32(generator.uniform(0.8, 1.25))
    brightness = np.float32(generator.uniform(-0.3, 0.3))
    result: NDArray[np.float32] = np.where(valid, image * contrast + brightness, np.float32(0))
    return result


def collate(items: Sequence[Batch]) -> Batch:
    """Return one batch of several."""
    return Batch(
        images=torch.cat([item.images for item in items]),
        classes=torch.cat([item.classes for item in items]),
        boxes=tuple(item.boxes[0] for item in items),
        labels=tuple(item.labels[0] for item in items),
    )


class EpochSampler(Sampler[tuple[int, int]]):
    """Chips in an order that depends on seed and epoch only; Lightning calls `set_epoch`."""

    def __init__(self, count: int, *, seed: int, shuffle: bool) -> None:
        self.count = count
        self.seed = seed
        self.shuffle = shuffle
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Take the epoch that begins."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[tuple[int, int]]:
        order = np.arange(self.count)
        if self.shuffle:
            order = np.random.default_rng((self.seed, self.epoch)).permutation(self.count)
        return iter([(self.epoch, int(index)) for index in order])


# --- loop --------------------------------------------------------------------------------------------------------


class Learner(L.LightningModule):
    """What Lightning needs: one step, one validation, the optimiser."""

    def __init__(self, network: Network, module: nn.Module, names: Sequence[str], plan: "Plan") -> None:
        super().__init__()
        self.network = network
        self.module = module
        self.names = list(names)
        self.plan = plan
        self.scores: PixelScores | ObjectScores = PixelScores(names)
        self.losses: list[Tensor] = []
        self.validation: list[tuple[float, int]] = []

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        """Move a batch."""
        return batch.to(device)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of a batch."""
        weights = None if self.plan.weights is None else self.plan.weights.to(batch.images.device)
        loss = self.network.loss(self.module, batch, weights)
        self.losses.append(loss.detach())
        return loss

    def on_validation_epoch_start(self) -> None:
        """Begin to count."""
        pixels = self.network.task == CLASSIFY_PIXELS
        self.scores = PixelScores(self.names) if pixels else ObjectScores(self.names)
        self.validation = []

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Count one batch."""
        loss = float(self.network.loss(self.module, batch))
        self.validation.append((loss, len(batch.images)))
        raw = self.network.raw_forward(self.module, batch.images)
        if isinstance(self.scores, PixelScores):
            self.scores.add(raw["logits"].argmax(dim=1), batch.classes)
            return
        arrays = {name: tensor.float().cpu().numpy() for name, tensor in raw.items()}
        found = self.network.decode(arrays, threshold=LEAST_SCORE)
        for objects, boxes, labels in zip(found, batch.boxes, batch.labels, strict=True):
            self.scores.add(objects, Truth(boxes.cpu().numpy(), labels.cpu().numpy()))

    def configure_optimizers(self) -> Any:
        """Return AdamW with a one-cycle schedule over all steps."""
        settings = self.plan.settings
        optimizer = torch.optim.AdamW(
            self.module.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        total = settings.epochs * self.plan.steps
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: share_of_rate(step, total))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def share_of_rate(step: int, total: int) -> float:
    """Return the learning rate of a step as a share of the highest: up in a straight line over the first quarter,
    then down along a cosine (one-cycle, Smith 2018); any number of steps has one."""
    warm = max(1.0, total / 4)
    if step < warm:
        return 0.04 + 0.96 * step / warm
    return 0.001 + 0.999 * 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warm) / max(1.0, total - warm))))


@dataclass(frozen=True)
class Plan:
    """What the loop must know: settings, steps of an epoch, class weights."""

    settings: Settings
    steps: int
    weights: Tensor | None
    folder: Path
    hooks: Hooks


@dataclass
class State:
    """What a checkpoint holds beside Lightning's own: how far, how good."""

    history: list[EpochResult] = field(default_factory=list)
    best: float = float("-inf")
    best_epoch: int = 0
    # Early stopping forgives progress below `min_delta`; the best weights do not.
    mark: float = float("-inf")
    waited: int = 0
    stopped_early: bool = False


class Keeper(Callback):
    """Tells each step and epoch, keeps the best weights, writes the checkpoint, stops when progress ends."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.state = State()
        self._began = 0.0

    @property
    def state_key(self) -> str:
        """Name in the checkpoint."""
        return "keeper"

    def state_dict(self) -> dict[str, Any]:
        """Return the state as plain values: checkpoints are read without running code."""
        return asdict(self.state)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the state of a checkpoint."""
        history = [
            EpochResult(**(entry | {"steps": tuple(tuple(step) for step in entry["steps"])}))
            for entry in state_dict["history"]
        ]
        self.state = State(**(state_dict | {"history": history}))

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Seed what may still be random, by epoch."""
        assert isinstance(pl_module, Learner)
        torch.manual_seed(self.plan.settings.seed + trainer.current_epoch)
        pl_module.losses = []
        self._began = time.monotonic()

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Tell a step, about `STEPS_SHOWN` times an epoch: on a GPU each look at a loss waits for it."""
        assert isinstance(pl_module, Learner)
        every = max(1, self.plan.steps // STEPS_SHOWN)
        if (batch_idx + 1) % every == 0:
            loss = float(pl_module.losses[-1])
            if not np.isfinite(loss):
                raise Invalid(
                    f"The loss became {loss} in epoch {trainer.current_epoch + 1}.",
                    fix="Train with a lower learning rate.",
                    code="diverged",
                )
            self.plan.hooks.step(trainer.current_epoch + 1, batch_idx + 1, self.plan.steps, loss)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Judge the epoch, tell it, then write the checkpoint: in that order nothing is missed after a kill."""
        assert isinstance(pl_module, Learner)
        state, settings = self.state, self.plan.settings
        metrics = pl_module.scores.result()
        reached = float(metrics[MONITOR[pl_module.network.task]])
        better = reached > state.best
        if better:
            state.best, state.best_epoch = reached, trainer.current_epoch + 1
            replace_file(self.plan.folder / BEST, pl_module.module.state_dict())
        if reached > state.mark + settings.min_delta:
            state.mark, state.waited = reached, 0
        else:
            state.waited += 1
        losses = torch.stack(pl_module.losses).float().cpu().numpy()
        every = max(1, len(losses) // STEPS_SHOWN)
        count = sum(size for _, size in pl_module.validation)
        result = EpochResult(
            number=trainer.current_epoch + 1,
            metrics={
                "train_loss": float(losses.mean()),
                "validation_loss": sum(loss * size for loss, size in pl_module.validation) / max(1, count),
                "learning_rate": float(trainer.optimizers[0].param_groups[0]["lr"]),
            }
            | metrics,
            steps=tuple((step, float(losses[step - 1])) for step in range(every, len(losses) + 1, every)),
            seconds=time.monotonic() - self._began,
            best=better,
        )
        state.history.append(result)
        if settings.patience and state.waited >= settings.patience and result.number < settings.epochs:
            state.stopped_early = True
            trainer.should_stop = True
        self.plan.hooks.epoch(result)
        draft = self.plan.folder / f"{CHECKPOINT}.draft"
        trainer.save_checkpoint(draft)
        publish(draft, self.plan.folder / CHECKPOINT)


def fit(
    folder: Folder,
    network: Network,
    settings: Settings,
    *,
    scratch: Path,
    hooks: Hooks | None = None,
    weights: Mapping[str, Tensor] | None = None,
) -> Fitted:
    """Train a network on a folder of training data and return it with its best weights.

    Args:
        folder: with chips on both sides of the split.
        network: from `networks.network_of`; a detector's anchors are fitted to the boxes.
        settings: how.
        scratch: where checkpoints lie; a run that was cut off goes on from the last finished epoch there.
        hooks: see `Hooks`.
        weights: to go on from; the network is then taken as it is.

    Raises:
        Invalid: a side without chips, no box at all, or a loss that is no number.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    device = device_of(settings.device)
    torch.set_num_threads(settings.threads or os.cpu_count() or 1)
    train = ChipSet(folder, folder.side("train"), augment=settings.augment, seed=settings.seed)
    held = ChipSet(folder, folder.side("validation"), augment=False, seed=settings.seed)
    for side, chips in (("training", train), ("validation", held)):
        if not len(chips):
            raise Invalid(
                f"There is no chip for {side}.", fix="Export more area, smaller chips, or another validation share."
            )
    network = network if weights is not None else fitted(network, train)
    torch.manual_seed(settings.seed)
    classes = len(folder.classes) + (1 if folder.task == CLASSIFY_PIXELS else 0)
    module = network.build(bands=len(folder.bands), classes=classes, pretrained=settings.pretrained and weights is None)
    if weights is not None:
        module.load_state_dict(weights)
    # A last batch of one chip would spoil the batch statistics, so it is left out (another one each epoch).
    drop = len(train) > settings.batch_size and len(train) % settings.batch_size == 1
    loader = loader_of(train, settings, shuffle=True, drop_last=drop, device=device)
    weighed = settings.class_weights and folder.task == CLASSIFY_PIXELS
    plan = Plan(settings, len(loader), class_weights(train, classes) if weighed else None, scratch, hooks or Hooks())
    keeper = Keeper(plan)
    learner = Learner(network, module, [entry.name for entry in folder.classes], plan)
    checkpoint = scratch / CHECKPOINT
    if checkpoint.exists():
        stored = torch.load(checkpoint, map_location="cpu", weights_only=True)["callbacks"]["keeper"]
        keeper.load_state_dict(stored)
    if not keeper.state.stopped_early and len(keeper.state.history) < settings.epochs:
        held_loader = loader_of(held, settings, shuffle=False, drop_last=False, device=device)
        with warnings.catch_warnings():
            # Lightning's advice (more workers, shuffling in validation) does not fit chips kept in memory.
            warnings.simplefilter("ignore")
            try:
                trainer_of(settings, keeper, device).fit(
                    learner, loader, held_loader, ckpt_path=str(checkpoint) if checkpoint.exists() else None
                )
            except SIGTERMException:
                # Lightning would end the process here; the caller may have a better word for it.
                plan.hooks.terminated()
                raise
    module.load_state_dict(torch.load(scratch / BEST, map_location="cpu", weights_only=True))
    state = keeper.state
    return Fitted(
        module=module.to("cpu").eval(),
        network=network,
        best_epoch=state.best_epoch,
        metrics=state.history[state.best_epoch - 1].metrics,
        history=tuple(state.history),
        stopped_early=state.stopped_early,
    )


def device_of(wanted: str) -> torch.device:
    """Return the device; `auto` takes a GPU where there is one.

    Raises:
        Invalid: cuda is wanted and absent.
    """
    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise Invalid("There is no CUDA device.", fix="Train on the cpu, or set QUADRAT_COMPUTE_DEVICE to auto.")
    return torch.device("cuda" if there and wanted != "cpu" else "cpu")


def fitted(network: Network, train: ChipSet) -> Network:
    """Return the network with anchors for the training boxes; pixel networks stay as they are."""
    if not isinstance(network, RetinaNet):
        return network
    boxes = np.concatenate([train.item(index).boxes for index in range(len(train))])
    if not len(boxes):
        raise Invalid("The training chips hold no object.", fix="Label more objects, or choose another seed.")
    return network.fitted(boxes)


def class_weights(train: ChipSet, classes: int) -> Tensor:
    """Return weights by the root of inverse frequency, mean 1 over the pixels; unseen classes get 1."""
    counts = np.zeros(classes)
    for index in range(len(train)):
        found = train.item(index).classes
        counts += np.bincount(found[found != IGNORE], minlength=classes)
    share = counts / counts.sum()
    weights = np.where(share > 0, 1 / np.sqrt(np.maximum(share, 1e-6)), 0)
    weights = weights / (weights * share).sum()
    return torch.tensor(np.where(share > 0, weights, 1.0), dtype=torch.float32)


def loader_of(
    chips: ChipSet, settings: Settings, *, shuffle: bool, drop_last: bool, device: torch.device
) -> "DataLoader[Batch]":
    """Return the batches of an epoch. A CPU has no core to spare for loading; a GPU gets some that run ahead."""
    workers = min(8, (os.cpu_count() or 1) - 1) if device.type == "cuda" else 0
    return DataLoader(
        chips,
        batch_size=settings.batch_size,
        sampler=EpochSampler(len(chips), seed=settings.seed, shuffle=shuffle),
        collate_fn=collate,
        drop_last=drop_last,
        num_workers=workers,
        persistent_workers=workers > 0,
        multiprocessing_context="spawn" if workers else None,
    )


def trainer_of(settings: Settings, keeper: Keeper, device: torch.device) -> L.Trainer:
    """Return Lightning's loop with everything of its own switched off."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    return L.Trainer(
        accelerator="gpu" if device.type == "cuda" else "cpu",
        devices=1,
        max_epochs=settings.epochs,
        precision="bf16-mixed" if device.type == "cuda" else "32-true",
        callbacks=[keeper],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        gradient_clip_val=5.0,
    )


def replace_file(path: Path, value: Any) -> None:
    """Store with torch.save under a draft name, then publish."""
    draft = path.with_name(f"{path.name}.draft")
    torch.save(value, draft)
    publish(draft, path)


def publish(draft: Path, path: Path) -> None:
    """Sync a finished file and rename it: after a kill there is the old one or the new one, whole."""
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(path)
