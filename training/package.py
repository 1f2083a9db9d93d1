"""Model packages (`.dlpk`): weights and their description in one zip file.

Content, flat but for the samples:
    <name>.emd          Esri model definition, so that readers of DLPK recognise it
    mlm.json            STAC item with the Machine Learning Model extension 1.5
    quadrat.json        `Description`, all that inference needs; the other two are made from it
    model.safetensors   tensors only, cannot run code
    metrics.json        metrics of the best epoch and of every epoch
    samples/<n>-{image,truth,prediction}.png

Reading metadata needs no torch: the web process calls `describe` and `read_file` on packages that we wrote.
"""

import hashlib
import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from training import archive
from training.archive import Archive
from webapp.errors import BadPackage

if TYPE_CHECKING:
    from torch import Tensor, nn

    from training.networks import Network

SCHEMA = 1
DESCRIPTION, MLM, METRICS, WEIGHTS = "quadrat.json", "mlm.json", "metrics.json", "model.safetensors"
MAX_JSON_BYTES = 4 * 1024**2
MAX_WEIGHTS_BYTES = 2 * 1024**3
MAX_SAMPLE_BYTES = 16 * 1024**2
MAX_TENSORS = 20_000
MODEL_TYPES = {"classify_pixels": "ImageClassification", "detect_objects": "ObjectDetection"}
MLM_TASKS = {"classify_pixels": "semantic-segmentation", "detect_objects": "object-detection"}
EMD_KEYS = ("Framework", "ModelType", "ModelFile", "ImageHeight", "ImageWidth", "ExtractBands", "Classes")
DTYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")


class PackageClass(NamedTuple):
    """One class: the value in labels and results, its name, its colour as #rrggbb."""

    value: int
    name: str
    colour: str


@dataclass(frozen=True)
class Description:
    """All that is needed to use a model, and where it comes from.

    Attributes:
        task: `classify_pixels` or `detect_objects`.
        network: name for `networks.network_of`; its parameters are `settings["architecture"]`.
        classes: in the order of the network's outputs, background not among them.
        bands: names of the imagery's bands in the order in which the network takes them.
        dtype: of the imagery it was trained on.
        resolution_m: ground size of a pixel it was trained at.
        chip_px: side of the training chips.
        halo_px: context that a pixel's answer needs; what inference should read around a window.
        mean: per band, in raw units, for `chips.normalise`.
        std: likewise.
        settings: how it was trained: `architecture`, epochs, learning_rate, seed …
        metrics: of the best epoch on the validation chips.
        data: what it was trained on: name, counts, imagery, attribution.
    """

    name: str
    task: str
    network: str
    classes: tuple[PackageClass, ...]
    bands: tuple[str, ...]
    dtype: str
    resolution_m: float
    chip_px: int
    halo_px: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def class_values(self) -> tuple[int, ...]:
        """Value of each output: for pixels index 0 is the background, value 0; for objects there is none."""
        values = tuple(entry.value for entry in self.classes)
        return (0, *values) if self.task == "classify_pixels" else values


@dataclass(frozen=True)
class Sample:
    """One validation chip as three PNG files."""

    image: bytes
    truth: bytes
    prediction: bytes


@dataclass(frozen=True)
class Loaded:
    """A package ready to use: the module is in eval mode on its device."""

    description: Description
    module: "nn.Module"
    network: "Network"


# --- reading -----------------------------------------------------------------------------------------------------


def describe(path: Path) -> Description:
    """Return what the package says of itself, checked; torch is not imported.

    Raises:
        BadPackage: unsafe archive, missing or damaged parts, or parts that contradict each other.
    """
    opened = Archive(path)
    emd = read_emd(opened)
    if DESCRIPTION not in opened.names:
        raise BadPackage(
            f"The package has no {DESCRIPTION}, so its network cannot be rebuilt (framework {emd.get('Framework')!r}).",
            fix="Only packages made by Quadrat can be installed.",
            code="framework_unsupported",
        )
    description = parse_description(read_json(opened, DESCRIPTION))
    compare_emd(emd, description)
    tensors = read_header(opened)
    compare_bands(tensors, description)
    return description


def load(path: Path, device: str = "cpu") -> Loaded:
    """Return the package's network with its weights on `device`, in eval mode. No code of the package runs.

    Raises:
        BadPackage: as `describe`, or weights that do not fit the network, or are not finite numbers.
    """
    import torch
    from safetensors.torch import load as parse

    from training.networks import network_of

    description = describe(path)
    network = network_of(description.network, description.settings.get("architecture"))
    if network.task != description.task:
        raise BadPackage(f"Network {network.name} does not {description.task.replace('_', ' ')}.")
    module = network.build(bands=len(description.bands), classes=len(description.class_values), pretrained=False)
    weights = parse(Archive(path).read(WEIGHTS, limit=MAX_WEIGHTS_BYTES))
    compare_weights(weights, module.state_dict())
    module.load_state_dict(weights)
    return Loaded(description, module.to(torch.device(device)).eval(), network)


def read_file(path: Path, name: str) -> bytes:
    """Return one small file of the package (a sample picture, metrics)."""
    return Archive(path).read(name, limit=MAX_SAMPLE_BYTES)


def sample_count(path: Path) -> int:
    """Return the number of sample results in the package."""
    return sum(name.startswith("samples/") and name.endswith("-image.png") for name in Archive(path).names)


def sha256(path: Path) -> str:
    """Return the hex SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_json(opened: Archive, name: str) -> dict[str, Any]:
    """Return a JSON object of the package; doubled keys and anything but an object are refused."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        if len(set(keys)) < len(keys):
            raise ValueError("a key occurs twice")
        return dict(pairs)

    try:
        value = json.loads(opened.read(name, limit=MAX_JSON_BYTES).decode("utf-8"), object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise BadPackage(f"{name} of the package is not valid JSON: {error}.", code="emd_invalid") from error
    if not isinstance(value, dict):
        raise BadPackage(f"{name} of the package is not a JSON object.", code="emd_invalid")
    if not is_plain(value):
        raise BadPackage(f"{name} of the package holds a number or a text that cannot be stored.", code="emd_invalid")
    return value


def is_plain(value: Any) -> bool:
    """Return whether a JSON value holds finite numbers and text without NUL and half surrogate pairs only."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, float) and not math.isfinite(item):
            return False
        if isinstance(item, str) and ("\x00" in item or any("\ud800" <= letter <= "\udfff" for letter in item)):
            return False
        if isinstance(item, dict):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, list):
            waiting += item
    return True


def read_emd(opened: Archive) -> dict[str, Any]:
    """Return the one Esri model definition, with the keys that every reader needs."""
    names = [name for name in opened.names if name.lower().endswith(".emd")]
    if len(names) != 1:
        code = "emd_ambiguous" if names else "emd_missing"
        raise BadPackage(f"The package holds {len(names)} .emd files instead of one.", code=code)
    emd = read_json(opened, names[0])
    missing = [key for key in EMD_KEYS if key not in emd]
    if missing:
        raise BadPackage(f"{names[0]} lacks {', '.join(missing)}.", code="emd_invalid")
    if emd["ModelFile"] != WEIGHTS and emd["ModelFile"] not in opened.names:
        raise BadPackage(
            f"{names[0]} names weights that are not in the package: {emd['ModelFile']!r}.", code="emd_path"
        )
    return emd


def parse_description(values: Mapping[str, Any]) -> Description:
    """Return the description of `quadrat.json`, each value checked for type and range."""
    if values.get("schema") != SCHEMA:
        raise BadPackage(
            f"The package has schema {values.get('schema')!r}; this Quadrat reads {SCHEMA}.",
            fix="Update Quadrat, or export the package again.",
            code="schema_unsupported",
        )
    try:
        description = Description(
            name=text(values["name"], 200),
            task=text(values["task"], 20),
            network=text(values["network"], 80),
            classes=tuple(
                PackageClass(int(item["value"]), text(item["name"], 100), text(item["colour"], 7))
                for item in values["classes"]
            ),
            bands=tuple(text(band, 100) for band in values["bands"]),
            dtype=text(values["dtype"], 20),
            resolution_m=float(values["resolution_m"]),
            chip_px=int(values["chip_px"]),
            halo_px=int(values["halo_px"]),
            mean=tuple(float(number) for number in values["mean"]),
            std=tuple(float(number) for number in values["std"]),
            settings=dict(values["settings"]),
            metrics=dict(values["metrics"]),
            data=dict(values["data"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise BadPackage(f"{DESCRIPTION} is incomplete or wrong: {error!r}.", code="description_invalid") from error
    problems = list(problems_of(description))
    if problems:
        raise BadPackage(f"{DESCRIPTION} is wrong: {'; '.join(problems)}.", code="description_invalid")
    return description


def text(value: Any, limit: int) -> str:
    """Return a string of the package, at most `limit` characters."""
    if not isinstance(value, str) or not 0 < len(value) <= limit or not value.isprintable():
        raise ValueError(f"{value!r} is no text of 1 to {limit} characters")
    return value


def problems_of(description: Description) -> Sequence[str]:
    """Return what is impossible in a description."""
    values = [entry.value for entry in description.classes]
    numbers = (*description.mean, *description.std, description.resolution_m)
    # Class rasters are 8 bit, 0 is background and 255 no data.
    highest = 254 if description.task == "classify_pixels" else 65_535
    checks = {
        f"task {description.task!r} is unknown": description.task in MODEL_TYPES,
        f"dtype {description.dtype!r} is unknown": description.dtype in DTYPES,
        "it has no class": bool(values),
        f"class values are not distinct numbers from 1 to {highest}": len(set(values)) == len(values)
        and all(1 <= value <= highest for value in values),
        "colours are not #rrggbb": all(is_colour(entry.colour) for entry in description.classes),
        "it has no band": bool(description.bands),
        "mean and std are not one per band": len(description.mean) == len(description.std) == len(description.bands),
        "numbers are not finite": all(math.isfinite(number) for number in numbers),
        "std and resolution are not positive": min((*description.std, description.resolution_m), default=0) > 0,
        "chip_px is not a multiple of 32 from 32 to 4096": description.chip_px % 32 == 0
        and 32 <= description.chip_px <= 4096,
        "halo_px is not from 0 to half a chip": 0 <= description.halo_px * 2 < description.chip_px,
    }
    return [problem for problem, fine in checks.items() if not fine]


def is_colour(value: str) -> bool:
    """Return whether the value is #rrggbb."""
    return len(value) == 7 and value[0] == "#" and all(letter in "0123456789abcdefABCDEF" for letter in value[1:])


def compare_emd(emd: Mapping[str, Any], description: Description) -> None:
    """Refuse an EMD that says otherwise than the description."""
    try:
        values = [int(item["Value"]) for item in emd["Classes"]]
        size, bands = (int(emd["ImageHeight"]), int(emd["ImageWidth"])), len(emd["ExtractBands"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise BadPackage(f"The .emd is wrong: {error!r}.", code="emd_invalid") from error
    pairs = {
        "ModelType": (emd["ModelType"], MODEL_TYPES[description.task]),
        "Classes": (values, [entry.value for entry in description.classes]),
        "ImageHeight, ImageWidth": (size, (description.chip_px, description.chip_px)),
        "ExtractBands": (bands, len(description.bands)),
    }
    for key, (found, expected) in pairs.items():
        if found != expected:
            code = "bands_mismatch" if key == "ExtractBands" else "emd_mismatch"
            raise BadPackage(f"{key} of the .emd is {found}, of {DESCRIPTION} {expected}.", code=code)


def read_header(opened: Archive) -> dict[str, Any]:
    """Return the tensors that the weights file says it holds, after checking that they fill it exactly."""
    raw = opened.read(WEIGHTS, limit=MAX_WEIGHTS_BYTES)
    damaged = BadPackage("The weights are damaged.", code="weights_damaged")
    if len(raw) < 8:
        raise damaged
    (length,) = struct.unpack_from("<Q", raw)
    if length > min(len(raw) - 8, MAX_JSON_BYTES):
        raise damaged
    try:
        header = json.loads(raw[8 : 8 + length])
        header.pop("__metadata__", None)
        spans = sorted((start, end) for start, end in (item["data_offsets"] for item in header.values()))
        sane = all(isinstance(side, int) and side >= 0 for item in header.values() for side in item["shape"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise damaged from error
    ends = [0, *(end for _, end in spans)]
    if not sane or len(header) > MAX_TENSORS or [start for start, _ in spans] != ends[:-1]:
        raise damaged
    if ends[-1] != len(raw) - 8 - length:
        raise damaged
    return dict(header)


def compare_bands(tensors: Mapping[str, Any], description: Description) -> None:
    """Refuse weights whose first layer takes another number of bands than the description names."""
    for name, tensor in tensors.items():
        if name.endswith("conv_stem.weight") and tensor["shape"][1:2] != [len(description.bands)]:
            raise BadPackage(
                f"The weights take {tensor['shape'][1]} bands, the description names {len(description.bands)}.",
                code="bands_mismatch",
            )


def compare_weights(weights: Mapping[str, "Tensor"], expected: Mapping[str, "Tensor"]) -> None:
    """Refuse weights that lack, add or reshape tensors, or are not finite."""
    import torch

    missing, extra = sorted(expected.keys() - weights.keys()), sorted(weights.keys() - expected.keys())
    wrong = [
        name
        for name in sorted(expected.keys() & weights.keys())
        if weights[name].shape != expected[name].shape or weights[name].dtype != expected[name].dtype
    ]
    for what, names in (("lack", missing), ("add", extra), ("have another shape or type of", wrong)):
        if names:
            raise BadPackage(
                f"The weights {what} {len(names)} tensors: {', '.join(names[:3])}.", code="weights_mismatch"
            )
    bad = [name for name, tensor in weights.items() if not bool(torch.isfinite(tensor).all())]
    if bad:
        raise BadPackage(f"The weights are not finite numbers in {', '.join(bad[:3])}.", code="weights_damaged")


# --- writing -----------------------------------------------------------------------------------------------------


def write(
    path: Path,
    *,
    description: Description,
    module: "nn.Module",
    samples: Sequence[Sample] = (),
    history: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Write a package; equal input gives equal bytes.

    Args:
        path: of the new `.dlpk`.
        module: whose weights are stored.
        samples: pictures of validation chips.
        history: metrics of every epoch, oldest first.
    """
    from safetensors.torch import save

    problems = problems_of(description)
    if problems:
        raise BadPackage(f"The package cannot be written: {'; '.join(problems)}.", code="description_invalid")
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in module.state_dict().items()}
    files = {
        f"{file_name(description.name)}.emd": dump(emd_of(description)),
        MLM: dump(mlm_of(description)),
        DESCRIPTION: dump({"schema": SCHEMA} | as_json(description)),
        METRICS: dump({"best": description.metrics, "epochs": list(history)}),
        WEIGHTS: save(weights),
    }
    for number, sample in enumerate(samples):
        files[f"samples/{number}-image.png"] = sample.image
        files[f"samples/{number}-truth.png"] = sample.truth
        files[f"samples/{number}-prediction.png"] = sample.prediction
    archive.write(path, files)


def rewrite(source: Path, path: Path) -> Loaded:
    """Check a foreign package by loading it, and write it again as our own file.

    What is not part of a package (raster functions, pages) is left out; it never ran.

    Raises:
        BadPackage: as `load`.
    """
    loaded = load(source)
    opened = Archive(source)
    samples = []
    for number in range(min(sample_count(source), 12)):
        pictures = [
            opened.read(f"samples/{number}-{what}.png", limit=MAX_SAMPLE_BYTES)
            for what in ("image", "truth", "prediction")
        ]
        if not all(picture.startswith(b"\x89PNG\r\n\x1a\n") for picture in pictures):
            raise BadPackage(f"Sample {number} of the package is no PNG.", code="sample_invalid")
        samples.append(Sample(*pictures))
    metrics = read_json(opened, METRICS) if METRICS in opened.names else {}
    history = metrics.get("epochs", [])
    write(path, description=loaded.description, module=loaded.module, samples=samples, history=history)
    return loaded


def dump(value: Mapping[str, Any]) -> bytes:
    """Return JSON bytes with a fixed order and spacing; NaN is refused."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False).encode()


def as_json(description: Description) -> dict[str, Any]:
    """Return the description JSON-ready, classes as objects."""
    return asdict(description) | {"classes": [entry._asdict() for entry in description.classes]}


def file_name(name: str) -> str:
    """Return a safe stem for the name of a package."""
    stem = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name).strip("_")
    return stem[:80] or "model"


def emd_of(description: Description) -> dict[str, Any]:
    """Return the Esri model definition (keys as in Esri's raster-deep-learning wiki)."""
    return {
        "Framework": "PyTorch",
        "ModelType": MODEL_TYPES[description.task],
        "ModelName": description.name,
        "ModelFile": WEIGHTS,
        "ModelConfiguration": {"Name": "Quadrat", "Architecture": description.network, "Config": DESCRIPTION},
        "ModelFormat": "NCHW",
        "ImageHeight": description.chip_px,
        "ImageWidth": description.chip_px,
        "ImageSpaceUsed": "MAP_SPACE",
        "ExtractBands": list(range(len(description.bands))),
        "Bands": list(description.bands),
        "MinCellSize": {"x": description.resolution_m, "y": description.resolution_m},
        "MaxCellSize": {"x": description.resolution_m, "y": description.resolution_m},
        "ModelPadding": description.halo_px,
        "SupportsVariableTileSize": True,
        "NormalizationStats": {"band_mean_values": list(description.mean), "band_std_values": list(description.std)},
        "Classes": [
            {"Value": entry.value, "Name": entry.name, "Color": rgb_of(entry.colour)} for entry in description.classes
        ],
        "Version": "1",
    }


def rgb_of(colour: str) -> list[int]:
    """Return [red, green, blue] of #rrggbb."""
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]


def mlm_of(description: Description) -> dict[str, Any]:
    """Return the STAC item of the model (MLM extension 1.5.1: input, output and weights of one model)."""
    task, chip, bands = MLM_TASKS[description.task], description.chip_px, list(description.bands)
    shape = [-1, len(description.class_values), chip, chip] if description.task == "classify_pixels" else [-1, -1, 6]
    dimensions = ["batch", "class", "height", "width"] if len(shape) == 4 else ["batch", "object", "box_score_label"]
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": ["https://stac-extensions.github.io/mlm/v1.5.1/schema.json"],
        "id": file_name(description.name),
        "geometry": None,
        "properties": {
            "datetime": None,
            "start_datetime": "1970-01-01T00:00:00Z",
            "end_datetime": "9999-12-31T23:59:59Z",
            "mlm:name": description.name,
            "mlm:architecture": description.network,
            "mlm:tasks": [task],
            "mlm:framework": "pytorch",
            "mlm:pretrained": bool(description.settings.get("pretrained", False)),
            "mlm:pretrained_source": "ImageNet" if description.settings.get("pretrained") else None,
            "mlm:hyperparameters": description.settings,
            "mlm:input": [
                {
                    "name": "chip",
                    "bands": bands,
                    "input": {
                        "shape": [-1, len(bands), chip, chip],
                        "dim_order": ["batch", "bands", "height", "width"],
                        "data_type": "float32",
                    },
                    "value_scaling": [
                        {"type": "z-score", "mean": mean, "stddev": std}
                        for mean, std in zip(description.mean, description.std, strict=True)
                    ],
                    "resize_type": None,
                }
            ],
            "mlm:output": [
                {
                    "name": "result",
                    "tasks": [task],
                    "result": {"shape": shape, "dim_order": dimensions, "data_type": "float32"},
                    "classification:classes": [
                        {"value": entry.value, "name": entry.name, "color_hint": entry.colour[1:].upper()}
                        for entry in description.classes
                    ],
                }
            ],
        },
        "links": [],
        "assets": {
            "weights": {
                "href": WEIGHTS,
                "type": "application/octet-stream; application=safetensors",
                "title": "Weights",
                "roles": ["mlm:model", "mlm:weights"],
                "mlm:artifact_type": "safetensors",
            }
        },
    }
