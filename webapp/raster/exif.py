"""What a camera wrote beside a picture: place, direction, time, camera. Read inside the sandbox only.

Tags are those of "Exchangeable image file format" (CIPA DC-008-2023), 4.6; directions of drones stand in XMP, as DJI
and others write it (`drone-dji:GimbalYawDegree`). Whatever is broken there is left out, with a note, and never guessed.
"""

import math
import re
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from PIL import Image

EXIF_IFD, GPS_IFD = 0x8769, 0x8825
MAKE, MODEL = 271, 272
EXPOSURE, F_NUMBER, ISO, TAKEN, TAKEN_OFFSET = 33434, 33437, 34855, 36867, 36881
FOCAL, FOCAL_35, LENS = 37386, 41989, 42036
LAT_REF, LAT, LON_REF, LON, ALT_REF, ALT, GPS_TIME, DIRECTION, GPS_DATE = 1, 2, 3, 4, 5, 6, 7, 17, 29
# What a damaged block makes Pillow raise; the picture itself may be whole.
DAMAGE = (struct.error, SyntaxError, ValueError, KeyError, TypeError, IndexError, OSError, OverflowError, EOFError)
MOST_XMP_BYTES = 256 * 1024
MAX_TEXT = 100


@dataclass
class Shot:
    """How a photo was taken; None or "" where the file does not say.

    Attributes:
        lon, lat: of the camera, degrees in WGS 84.
        altitude_m: above sea level, as the camera has it.
        height_m: above the place where the drone took off.
        direction_deg: where the camera looked, clockwise from north, 0 to 360.
        pitch_deg: above (+) or below (-) the horizon; -90 is straight down.
        taken_at: ISO 8601; without an offset it is the camera's own clock.
        focal_35mm: focal length that a camera of 36 mm x 24 mm would have.
        notes: what was found broken, for people.
    """

    lon: float | None = None
    lat: float | None = None
    altitude_m: float | None = None
    height_m: float | None = None
    direction_deg: float | None = None
    pitch_deg: float | None = None
    taken_at: str = ""
    camera: str = ""
    lens: str = ""
    focal_mm: float | None = None
    focal_35mm: float | None = None
    exposure_s: float | None = None
    f_number: float | None = None
    iso: float | None = None
    notes: list[str] = field(default_factory=list)


def shot_of(image: Image.Image) -> Shot:
    """Return what an open picture says of itself."""
    shot = Shot()
    base, exif, gps = _tags(image, shot)
    _place(gps, shot)
    make, model = _text(base.get(MAKE)), _text(base.get(MODEL))
    shot.camera = model if model.lower().startswith(make.lower()) else f"{make} {model}".strip()
    shot.lens = _text(exif.get(LENS))
    shot.taken_at = _moment(exif, gps)
    shot.altitude_m = _within(gps.get(ALT), -20_000, 1_000_000)
    if shot.altitude_m is not None and gps.get(ALT_REF) in (1, b"\x01"):
        shot.altitude_m = -shot.altitude_m
    shot.direction_deg = _within(gps.get(DIRECTION), 0, 360)
    shot.focal_mm = _within(exif.get(FOCAL), 0.01, 100_000)
    shot.focal_35mm = _within(exif.get(FOCAL_35), 1, 100_000)
    shot.exposure_s = _within(exif.get(EXPOSURE), 1e-7, 1e6)
    shot.f_number = _within(exif.get(F_NUMBER), 0.1, 1000)
    iso = exif.get(ISO)
    shot.iso = _within(iso[0] if isinstance(iso, tuple) and iso else iso, 1, 1e8)
    _drone(image.info.get("xmp"), shot)
    return shot


def written(shot: Shot) -> Image.Exif:
    """Return place, time and camera as EXIF for our own copy of the picture."""
    exif = Image.Exif()
    if shot.camera:
        exif[MODEL] = shot.camera
    sub: dict[int, Any] = {}
    if shot.taken_at:
        moment = datetime.fromisoformat(shot.taken_at)
        sub[TAKEN] = moment.strftime("%Y:%m:%d %H:%M:%S")
        if moment.tzinfo is not None:
            sub[TAKEN_OFFSET] = moment.isoformat()[-6:]
    for tag, value in ((FOCAL, shot.focal_mm), (EXPOSURE, shot.exposure_s), (F_NUMBER, shot.f_number)):
        if value is not None:
            sub[tag] = value
    gps: dict[int, Any] = {}
    if shot.lon is not None and shot.lat is not None:
        gps = {
            LAT_REF: "N" if shot.lat >= 0 else "S",
            LAT: _sexagesimal(abs(shot.lat)),
            LON_REF: "E" if shot.lon >= 0 else "W",
            LON: _sexagesimal(abs(shot.lon)),
        }
        if shot.altitude_m is not None:
            gps |= {ALT_REF: b"\x01" if shot.altitude_m < 0 else b"\x00", ALT: abs(shot.altitude_m)}
        if shot.direction_deg is not None:
            gps[DIRECTION] = shot.direction_deg
    if sub:
        exif[EXIF_IFD] = sub
    if gps:
        exif[GPS_IFD] = gps
    return exif


def _tags(image: Image.Image, shot: Shot) -> tuple[dict[int, Any], dict[int, Any], dict[int, Any]]:
    """Return the tags of the picture, of the camera and of its receiver; {} for what is damaged."""
    found: list[dict[int, Any]] = [{}, {}, {}]
    try:
        exif = image.getexif()
        found[0] = dict(exif)
        found[1] = dict(exif.get_ifd(EXIF_IFD))
        found[2] = dict(exif.get_ifd(GPS_IFD))
    except DAMAGE:
        shot.notes.append("What the camera wrote into the file (EXIF) is damaged.")
    return found[0], found[1], found[2]


def _place(gps: dict[int, Any], shot: Shot) -> None:
    if LAT not in gps and LON not in gps:
        return
    lat, lon = _degrees(gps.get(LAT)), _degrees(gps.get(LON))
    south, east = _text(gps.get(LAT_REF)).upper(), _text(gps.get(LON_REF)).upper()
    if lat is None or lon is None or south not in ("N", "S") or east not in ("E", "W"):
        shot.notes.append("Its GPS position cannot be read.")
    elif lat > 90 or lon > 180:
        shot.notes.append(f"Its GPS position {lat:g}° {south}, {lon:g}° {east} is not on Earth.")
    elif lat == 0 and lon == 0:
        shot.notes.append("Its GPS position is 0°, 0°: the receiver had none.")
    else:
        shot.lat = round(-lat if south == "S" else lat, 8)
        shot.lon = round(-lon if east == "W" else lon, 8)


def _degrees(value: Any) -> float | None:
    """Return degrees of (degrees, minutes, seconds); None where one is no number (0/0, say)."""
    parts = value if isinstance(value, tuple | list) else (value,)
    numbers = [_number(part) for part in parts[:3]]
    if not numbers or any(number is None or number < 0 for number in numbers):
        return None
    return sum((number / 60.0**power for power, number in enumerate(numbers) if number is not None), 0.0)


def _sexagesimal(degrees: float) -> tuple[float, float, float]:
    whole, rest = divmod(degrees * 60, 60)
    minutes, part = divmod(rest, 1)
    return (whole, minutes, round(part * 60, 6))


def _moment(exif: dict[int, Any], gps: dict[int, Any]) -> str:
    """Return when it was taken: by the camera's clock with its offset, else by the receiver, else without offset."""
    try:
        local = datetime.strptime(_text(exif.get(TAKEN)), "%Y:%m:%d %H:%M:%S")
    except ValueError:
        local = None
    offset = _text(exif.get(TAKEN_OFFSET))
    if local is not None and re.fullmatch(r"[+-]\d\d:\d\d", offset):
        with suppress(ValueError):  # an offset of 24 hours and more
            return datetime.fromisoformat(f"{local.isoformat()}{offset}").isoformat()
    clock = gps.get(GPS_TIME)
    numbers = [_number(part) for part in clock] if isinstance(clock, tuple | list) else []
    try:
        hour, minute, second = (int(number) for number in numbers if number is not None)
        day = datetime.strptime(_text(gps.get(GPS_DATE)), "%Y:%m:%d").replace(tzinfo=UTC)
        return day.replace(hour=hour, minute=minute, second=second).isoformat()
    except ValueError:
        return local.isoformat() if local is not None else ""


def _drone(xmp: Any, shot: Shot) -> None:
    if not isinstance(xmp, bytes) or len(xmp) > MOST_XMP_BYTES:
        return
    text = xmp.decode("utf-8", "replace")
    yaw, pitch = _xmp(text, "GimbalYawDegree"), _xmp(text, "GimbalPitchDegree")
    if yaw is not None and abs(yaw) <= 360:
        shot.direction_deg = yaw % 360
    if pitch is not None and abs(pitch) <= 180:
        shot.pitch_deg = pitch
    height = _xmp(text, "RelativeAltitude")
    if height is not None and abs(height) < 100_000:
        shot.height_m = height


def _xmp(text: str, name: str) -> float | None:
    found = re.search(rf'drone-dji:{name}(?:="|>)\s*([+-]?\d{{1,7}}(?:\.\d{{1,12}})?)\s*["<]', text)
    return float(found.group(1)) if found else None


def _within(value: Any, low: float, high: float) -> float | None:
    number = _number(value)
    return round(number, 9) if number is not None and low <= number <= high else None


def _number(value: Any) -> float | None:
    """Return a finite number, None for what is none: a rational of 0/0 or 1/0, a text, bytes."""
    if isinstance(value, str | bytes) or value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        return ""
    return "".join(letter for letter in value.split("\0")[0] if letter.isprintable()).strip()[:MAX_TEXT]
