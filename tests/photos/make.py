"""JPEG photos with the EXIF of good and bad cameras."""

from pathlib import Path
from typing import Any

from PIL import Image, TiffImagePlugin

# How a picture lies in the file, for it to stand upright by the orientation tag (EXIF 4.6.5.1).
STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def sexagesimal(degrees: float) -> tuple[TiffImagePlugin.IFDRational, ...]:
    """Return degrees, minutes and seconds as cameras write them."""
    seconds = round(abs(degrees) * 3_600_000)
    parts = (seconds // 3_600_000, seconds % 3_600_000 // 60_000, seconds % 60_000)
    return tuple(TiffImagePlugin.IFDRational(part, unit) for part, unit in zip(parts, (1, 1, 1000), strict=True))


def jpeg(
    path: Path,
    *,
    lat: float = 27.63,
    lon: float = 85.52,
    lat_ref: str | None = None,
    raw_lat: Any = None,
    no_gps: bool = False,
    altitude: Any = 1500,
    direction: Any = None,
    taken: str = "2024:05:06 07:08:09",
    exposure: Any = None,
    orientation: int = 1,
    xmp: bytes | None = None,
    size: tuple[int, int] = (64, 48),
) -> Path:
    """Write a small photo, red in its upper left quarter, and return its path."""
    image = Image.new("RGB", size, (40, 90, 60))
    image.paste((230, 20, 20), (0, 0, size[0] // 2, size[1] // 2))
    if orientation in STORED:
        image = image.transpose(STORED[orientation])
    exif = Image.Exif()
    exif[271], exif[272], exif[274] = "Maker", "One", orientation
    exif[0x8769] = {36867: taken, 36881: "+02:00"} | ({} if exposure is None else {33434: exposure})
    if not no_gps:
        below = isinstance(altitude, int | float) and altitude < 0
        gps: dict[int, Any] = {
            1: lat_ref if lat_ref is not None else ("N" if lat >= 0 else "S"),
            2: sexagesimal(lat) if raw_lat is None else raw_lat,
            3: "E" if lon >= 0 else "W",
            4: sexagesimal(lon),
            5: b"\x01" if below else b"\x00",
            6: abs(altitude) if isinstance(altitude, int | float) else altitude,
            7: (TiffImagePlugin.IFDRational(5), TiffImagePlugin.IFDRational(8), TiffImagePlugin.IFDRational(9)),
            29: "2024:05:06",
        }
        exif[0x8825] = gps | ({} if direction is None else {17: direction})
    image.save(path, "JPEG", quality=92, exif=exif, **({} if xmp is None else {"xmp": xmp}))
    return path
