"""What runs inside the sandbox for label files."""

from webapp.errors import BadVectors
from webapp.raster.sandbox import Program

VECTORS = Program(
    "webapp.vectors.child",
    BadVectors,
    "Split the file, or simplify its outlines.",
    "Export it again, in another format if it fails again.",
)
