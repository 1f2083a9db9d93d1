"""A photo that lies nowhere as a raster: checked, turned upright and written anew. Runs inside the sandbox only."""

import io
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from webapp.errors import BadRaster, TooLarge
from webapp.raster.exif import DAMAGE, Shot, shot_of, written

# Of pixels: the largest cameras have 150 million.
MOST_PIXELS = 400_000_000
# Browsers draw no larger pictures everywhere.
LONGEST_PX = 8192
THUMBNAIL_PX = 480
FIX = "Upload the JPEG file as the camera wrote it."


def rewrite_photo(source: Path, out: Path, *, name: str) -> dict[str, Any]:
    """Write `picture.jpg` and `thumbnail.jpg` into a folder and return what is known of the photo.

    Args:
        source: a JPEG file.
        out: an empty folder.
        name: of the file, for people.

    Returns:
        The fields of `Shot`, and `width`, `height` of the picture as it stands upright, in pixels.

    Raises:
        BadRaster: it is no JPEG, or damaged.
        TooLarge: more pixels than are taken.
    """
    with source.open("rb") as file:
        if file.read(3) != b"\xff\xd8\xff":
            raise BadRaster(f"'{name}' is no JPEG photo.", fix=FIX, code="not_an_image")
    Image.MAX_IMAGE_PIXELS = None  # ours is stricter, and an error of its own
    try:
        with Image.open(source, formats=("JPEG",)) as image:
            if image.width * image.height > MOST_PIXELS:
                pixels = f"{image.width:,} x {image.height:,} pixels"
                raise TooLarge(f"'{name}' has {pixels}.", fix=f"At most {MOST_PIXELS:,} are taken.")
            shot = shot_of(image)
            upright = _upright(image, shot)
    except UnidentifiedImageError as error:
        raise BadRaster(
            f"'{name}' is damaged: it begins as a JPEG, but is none.", fix=FIX, code="file_damaged"
        ) from error
    except DAMAGE as error:
        raise BadRaster(f"'{name}' is damaged: {str(error)[:100]}.", fix=FIX, code="file_damaged") from error
    # Only what we understood is written: whatever else the file held stays in quarantine and goes with it.
    upright.save(out / "picture.jpg", "JPEG", quality=88, progressive=True, exif=written(shot))
    size = upright.size
    upright.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    upright.save(out / "thumbnail.jpg", "JPEG", quality=82)
    return {**asdict(shot), "width": size[0], "height": size[1]}


def _upright(image: Image.Image, shot: Shot) -> Image.Image:
    """Return the pixels in sRGB, turned as the camera was held, at most 8192 long."""
    width, height = image.size
    # The decoder halves as it reads: a tenth of the time and memory for pictures that are too long anyway.
    image.draft("RGB", (LONGEST_PX, LONGEST_PX))
    profile = image.info.get("icc_profile")
    try:
        turned = ImageOps.exif_transpose(image)
    except DAMAGE:
        turned = image.copy()
    if profile and turned.mode in ("RGB", "L", "CMYK"):
        try:
            shown = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            turned = (
                ImageCms.profileToProfile(turned, shown, ImageCms.createProfile("sRGB"), outputMode="RGB") or turned
            )
        except (ImageCms.PyCMSError, OSError):
            shot.notes.append("Its colour profile is damaged; the colours are taken as sRGB.")
    turned = turned.convert("RGB")
    turned.info.clear()
    if max(turned.size) > LONGEST_PX:
        turned.thumbnail((LONGEST_PX, LONGEST_PX), Image.Resampling.LANCZOS)
    if max(width, height) > LONGEST_PX:
        shot.notes.append(f"It has {width:,} x {height:,} pixels and is kept smaller.")
    return turned
