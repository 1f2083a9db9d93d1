"""Model packages: what goes in comes out, and what does not fit is refused."""

import json
import math
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from training import archive, package
from training.archive import Archive
from training.networks import network_of
from training.package import Description, PackageClass, Sample
from webapp.errors import BadPackage

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
UNET = Description(
    name="Dächer & roofs",
    task="classify_pixels",
    network="unet",
    classes=(PackageClass(7, "Roof <b>", "#d95f02"), PackageClass(2, "Road", "#333333")),
    bands=("red", "green", "blue", "nir"),
    dtype="uint16",
    resolution_m=0.3,
    chip_px=128,
    halo_px=32,
    mean=(1.5, 2.0, 3.0, 4.0),
    std=(1.0, 2.0, 3.0, 4.0),
    settings={"architecture": network_of("unet").architecture, "pretrained": True},
    metrics={"iou": 0.5},
)


@pytest.fixture(scope="module")
def module() -> torch.nn.Module:
    torch.manual_seed(0)
    return network_of("unet").build(bands=4, classes=3, pretrained=False)


@pytest.fixture
def made(module: torch.nn.Module, tmp_path: Path) -> Path:
    path = tmp_path / "made.dlpk"
    package.write(path, description=UNET, module=module, samples=[Sample(PNG, PNG, PNG)], history=[{"epoch": 1}])
    return path


def changed(path: Path, files: dict[str, bytes | None]) -> Path:
    """Return a copy with files replaced, added, or (None) removed."""
    opened = Archive(path)
    content: dict[str, bytes] = {name: opened.read(name, limit=10**9) for name in opened.names}
    for name, value in files.items():
        content.pop(name, None)
        if value is not None:
            content[name] = value
    archive.write(path.with_name("changed.dlpk"), content)
    return path.with_name("changed.dlpk")


def edited(path: Path, name: str, **values: Any) -> Path:
    stored = json.loads(Archive(path).read(name, limit=10**7))
    for key, value in values.items():
        if value is None:
            del stored[key]
        else:
            stored[key] = value
    return changed(path, {name: json.dumps(stored).encode()})


def refused(path: Path) -> BadPackage:
    with pytest.raises(BadPackage) as caught:
        package.load(path)
    assert caught.value.message
    return caught.value


EMD = "D_cher___roofs.emd"


def test_a_package_comes_back_as_it_was_written(made: Path, module: torch.nn.Module) -> None:
    loaded = package.load(made)
    assert loaded.description == UNET
    assert loaded.description.class_values == (0, 7, 2)
    assert not loaded.module.training
    weights = loaded.module.state_dict()
    assert all(torch.equal(weights[name], tensor) for name, tensor in module.state_dict().items())
    assert package.sample_count(made) == 1
    assert package.read_file(made, "samples/0-image.png") == PNG


def test_detectors_have_no_background_value() -> None:
    assert replace(UNET, task="detect_objects").class_values == (7, 2)


def test_a_rewritten_package_is_the_same_file(made: Path, tmp_path: Path) -> None:
    package.rewrite(made, tmp_path / "again.dlpk")
    assert package.sha256(made) == package.sha256(tmp_path / "again.dlpk")


def test_a_package_unpacked_and_packed_by_a_stock_tool_loads_alike(made: Path, tmp_path: Path) -> None:
    subprocess.run(["unzip", "-q", str(made), "-d", str(tmp_path / "out")], check=True)
    subprocess.run(["zip", "-q", "-r", str(tmp_path / "stock.zip"), "."], check=True, cwd=tmp_path / "out")
    package.rewrite(tmp_path / "stock.zip", tmp_path / "again.dlpk")
    assert package.sha256(made) == package.sha256(tmp_path / "again.dlpk")


def test_metadata_is_read_without_torch(made: Path) -> None:
    script = f"""
import sys
from pathlib import Path
from training import package
assert package.describe(Path({str(made)!r})).bands == ("red", "green", "blue", "nir")
assert not {{"torch", "django", "safetensors"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[2])


def test_the_emd_has_the_keys_of_esri_and_the_mlm_item_those_of_stac(made: Path) -> None:
    opened = Archive(made)
    emd = json.loads(opened.read(EMD, limit=10**6))
    assert emd["ModelType"] == "ImageClassification"
    assert emd["Classes"] == [
        {"Value": 7, "Name": "Roof <b>", "Color": [217, 95, 2]},
        {"Value": 2, "Name": "Road", "Color": [51, 51, 51]},
    ]
    assert (emd["ImageHeight"], emd["ImageWidth"], emd["ExtractBands"]) == (128, 128, [0, 1, 2, 3])
    item = json.loads(opened.read("mlm.json", limit=10**6))
    model_input = item["properties"]["mlm:input"][0]
    assert model_input["bands"] == ["red", "green", "blue", "nir"]
    assert model_input["value_scaling"][0] == {"type": "z-score", "mean": 1.5, "stddev": 1.0}
    assert item["assets"]["weights"]["href"] == "model.safetensors"


def test_code_in_a_package_is_left_out_and_never_runs(made: Path, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    with_code = changed(made, {"evil.py": f"open({str(marker)!r}, 'w')".encode()})
    package.rewrite(with_code, tmp_path / "clean.dlpk")
    assert not marker.exists()
    assert package.sha256(tmp_path / "clean.dlpk") == package.sha256(made)


def test_no_or_two_model_definitions_are_refused(made: Path) -> None:
    assert refused(changed(made, {EMD: None})).code == "emd_missing"
    assert refused(changed(made, {"other.emd": b"{}"})).code == "emd_ambiguous"


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b'{"a": 1, "a": 2}', b"\xff", b"[" * 100_000])
def test_a_definition_that_is_no_json_object_is_refused(made: Path, raw: bytes) -> None:
    assert refused(changed(made, {EMD: raw})).code == "emd_invalid"


@pytest.mark.parametrize("key", ["Framework", "ModelType", "ImageHeight", "Classes", "ExtractBands"])
def test_a_missing_key_is_named(made: Path, key: str) -> None:
    error = refused(edited(made, EMD, **{key: None}))
    assert error.code == "emd_invalid"
    assert key in error.message


def test_weights_outside_the_package_are_refused(made: Path) -> None:
    for path in ("../../../etc/passwd", "/etc/passwd", "https://example.org/a.pth"):
        assert refused(edited(made, EMD, ModelFile=path)).code == "emd_path"


def test_a_package_of_another_framework_says_what_can_be_installed(made: Path) -> None:
    error = refused(changed(made, {"quadrat.json": None}))
    assert error.code == "framework_unsupported"
    assert "Quadrat" in error.fix


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"schema": 99}, "schema_unsupported"),
        ({"dtype": "complex64"}, "description_invalid"),
        ({"task": "mind_reading"}, "description_invalid"),
        ({"bands": []}, "description_invalid"),
        ({"mean": [1.0]}, "description_invalid"),
        ({"std": [1.0, 2.0, 0.0, 4.0]}, "description_invalid"),
        ({"chip_px": 100}, "description_invalid"),
        ({"resolution_m": "fine"}, "description_invalid"),
        ({"resolution_m": 10**400}, "description_invalid"),
        ({"metrics": {"iou": math.nan}}, "emd_invalid"),
        ({"data": {"name": "a\x00b"}}, "emd_invalid"),
        ({"classes": [{"value": 7, "name": "a", "colour": "red;}"}]}, "description_invalid"),
        ({"classes": [{"value": 300, "name": "a", "colour": "#ffffff"}]}, "description_invalid"),
        ({"bands": ["a", "b", "c"], "mean": [1.0] * 3, "std": [1.0] * 3}, "bands_mismatch"),
        ({"chip_px": 256}, "emd_mismatch"),
    ],
)
def test_an_impossible_description_is_refused(made: Path, values: dict[str, Any], code: str) -> None:
    assert refused(edited(made, "quadrat.json", **values)).code == code


def safetensors(header: bytes, data: bytes = b"", length: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header + data


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"short",
        safetensors(b"{}", length=2**60),
        safetensors(b"{", b""),
        safetensors(b'{"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}', bytes(4)),
        safetensors(b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 8]}}', bytes(4)),
        safetensors(
            b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},'
            b'"b": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}',
            bytes(4),
        ),
        safetensors(b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0]}}', bytes(4)),
        b"\x80\x04cos\nsystem\n.",
    ],
)
def test_damaged_weights_are_refused(made: Path, raw: bytes) -> None:
    assert refused(changed(made, {"model.safetensors": raw})).code == "weights_damaged"


def test_weights_of_another_network_are_refused_by_name(made: Path, tmp_path: Path) -> None:
    from safetensors.torch import save

    assert refused(changed(made, {"model.safetensors": save({"x": torch.zeros(1)})})).code == "weights_mismatch"
    wider = network_of("unet", {"decoder_channels": [128, 64, 48, 32, 24]}).build(bands=4, classes=3, pretrained=False)
    error = refused(
        changed(
            made,
            {"model.safetensors": save({name: tensor.contiguous() for name, tensor in wider.state_dict().items()})},
        )
    )
    assert error.code == "weights_mismatch"
    assert "decoder" in error.message


def test_weights_that_are_not_numbers_are_refused(made: Path, module: torch.nn.Module) -> None:
    from safetensors.torch import save

    weights = {name: tensor.clone().contiguous() for name, tensor in module.state_dict().items()}
    weights["segmentation_head.0.bias"][0] = float("nan")
    assert refused(changed(made, {"model.safetensors": save(weights)})).code == "weights_damaged"


def test_class_count_must_fit_the_outputs(made: Path) -> None:
    one = [{"value": 7, "name": "Roof", "colour": "#d95f02"}]
    fewer = edited(made, "quadrat.json", classes=one)
    fewer.rename(made)
    emd = edited(made, EMD, Classes=[{"Value": 7, "Name": "Roof", "Color": [1, 2, 3]}])
    assert refused(emd).code == "weights_mismatch"


def test_an_unknown_architecture_is_refused(made: Path) -> None:
    from webapp.errors import Invalid

    with pytest.raises(Invalid):
        package.load(edited(made, "quadrat.json", settings={"architecture": {"encoder": "evil"}}))
    with pytest.raises(Invalid):
        package.load(edited(made, "quadrat.json", settings={"architecture": {"__class__": 1}}))
