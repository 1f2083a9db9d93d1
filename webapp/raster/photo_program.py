"""What reads photos in the sandbox, and its advice."""

from webapp.errors import BadRaster
from webapp.raster.sandbox import Program

PHOTOS = Program(
    "webapp.raster.child",
    BadRaster,
    "Export it with fewer pixels and send it again.",
    "Open it in a photo program, save it as a JPEG anew and send that.",
)
