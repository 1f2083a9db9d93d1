"""Photos by their EXIF: what good, odd and broken cameras write, and what comes of it."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image, TiffImagePlugin

from tests.photos.make import jpeg
from webapp.errors import BadRaster
from webapp.raster.photo import rewrite_photo

R = TiffImagePlugin.IFDRational


def read(path: Path, tmp_path: Path) -> dict[str, Any]:
    out = tmp_path / "out"
    out.mkdir()
    return rewrite_photo(path, out, name=path.name)


def test_place_direction_time_and_camera_are_read_and_kept_in_our_copy(tmp_path: Path) -> None:
    found = read(jpeg(tmp_path / "a.jpg", lat=-27.5, lon=-48.25, direction=R(1262, 10), altitude=-3.5), tmp_path)
    assert (found["lat"], found["lon"], found["direction_deg"], found["altitude_m"]) == (-27.5, -48.25, 126.2, -3.5)
    assert (found["taken_at"], found["camera"]) == ("2024-05-06T07:08:09+02:00", "Maker One")
    with Image.open(tmp_path / "out" / "picture.jpg") as copy:
        gps = copy.getexif().get_ifd(0x8825)
        assert [float(part) for part in gps[2]] == [27, 30, 0]
        assert (gps[1], gps[3], float(gps[17])) == ("S", "W", 126.2)
        assert copy.getexif().get_ifd(0x8769)[36867] == "2024:05:06 07:08:09"


def test_drones_tell_where_the_camera_looked_apart_from_the_drone(tmp_path: Path) -> None:
    xmp = b'<x:xmpmeta><rdf:Description drone-dji:GimbalYawDegree="-33.80" drone-dji:RelativeAltitude="+119.80">' \
        b"<drone-dji:GimbalPitchDegree>-40.90</drone-dji:GimbalPitchDegree></rdf:Description>"  # fmt: skip
    found = read(jpeg(tmp_path / "a.jpg", direction=R(90), xmp=xmp), tmp_path)
    assert (found["direction_deg"], found["pitch_deg"], found["height_m"]) == (326.2, -40.9, 119.8)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_stands_upright_however_the_camera_was_held(tmp_path: Path, orientation: int) -> None:
    found = read(jpeg(tmp_path / "a.jpg", orientation=orientation), tmp_path)
    assert (found["width"], found["height"]) == (64, 48)
    with Image.open(tmp_path / "out" / "picture.jpg") as copy:
        # The upper left quarter of the scene is red, whatever way its rows are stored.
        red, green, blue = copy.convert("RGB").getpixel((8, 8))  # type: ignore[misc]
        assert (red > 180, green < 80, blue < 80) == (True, True, True)
        assert copy.getexif().get(274, 1) == 1


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"lat": 999.0}, "not on Earth"),
        ({"lon": 181.0}, "not on Earth"),
        ({"lat": 0.0, "lon": 0.0}, "had none"),
        ({"raw_lat": (R(0, 0), R(0, 0), R(0, 0))}, "cannot be read"),
        ({"raw_lat": (R(27, 1), R(1, 0), R(0, 1))}, "cannot be read"),
        ({"raw_lat": ()}, "cannot be read"),
        ({"lat_ref": ""}, "cannot be read"),
        ({"lat_ref": "Q"}, "cannot be read"),
        ({"no_gps": True}, ""),
    ],
)
def test_a_place_that_cannot_be_is_none_and_the_picture_is_taken(
    tmp_path: Path, given: dict[str, Any], says: str
) -> None:
    found = read(jpeg(tmp_path / "a.jpg", **given), tmp_path)
    assert (found["lon"], found["lat"]) == (None, None)
    assert says in " ".join(found["notes"])
    assert bool(found["notes"]) == bool(says)


def test_damaged_exif_costs_what_it_says_not_the_picture(tmp_path: Path) -> None:
    whole = jpeg(tmp_path / "a.jpg").read_bytes()
    start = whole.index(b"Exif\0\0") + 6
    for number, harm in enumerate((b"\xff" * 40, b"II*\0\xff\xff\xff\xff", b"")):
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(whole[:start] + harm + whole[start + len(harm) :] if harm else whole)
        (tmp_path / str(number)).mkdir()
        found = rewrite_photo(path, tmp_path / str(number), name=path.name)
        assert (found["width"], found["height"]) == (64, 48)
        assert (found["lat"] is None) == bool(harm)


def test_numbers_that_are_none_are_left_out(tmp_path: Path) -> None:
    path = jpeg(tmp_path / "a.jpg", altitude=R(1, 0), direction=R(720), taken="not a date", exposure=R(0, 0))
    found = read(path, tmp_path)
    keys = ("altitude_m", "direction_deg", "exposure_s", "taken_at")
    assert [found[key] for key in keys] == [None, None, None, "2024-05-06T05:08:09+00:00"]  # the receiver's clock


def test_a_huge_embedded_thumbnail_and_foreign_blocks_stay_outside_our_copy(tmp_path: Path) -> None:
    secret = b"SECRET" * 9_000
    whole = jpeg(tmp_path / "a.jpg").read_bytes()
    block = b"\xff\xed" + (len(secret) + 2).to_bytes(2, "big") + secret
    path = tmp_path / "b.jpg"
    path.write_bytes(whole[:2] + block + whole[2:] + secret)
    read(path, tmp_path)
    assert b"SECRET" not in (tmp_path / "out" / "picture.jpg").read_bytes()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not_an_image"),
        (b"GIF89a" + bytes(100), "not_an_image"),
        (b"\xff\xd8\xff\xe0" + bytes(200), "file_damaged"),
        ("truncated", "file_damaged"),
    ],
)
def test_what_is_no_whole_jpeg_is_refused(tmp_path: Path, content: bytes | str, code: str) -> None:
    path = tmp_path / "a.jpg"
    if isinstance(content, str):
        whole = jpeg(path, size=(640, 480)).read_bytes()
        content = whole[: len(whole) // 2]
    path.write_bytes(content)
    with pytest.raises(BadRaster) as error:
        read(path, tmp_path)
    assert error.value.code == code
    assert list((tmp_path / "out").iterdir()) == []
