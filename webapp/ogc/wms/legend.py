"""GetLegendGraphic: the classes of a class raster in their colours."""

import io

from PIL import Image, ImageDraw, ImageFont

from webapp.errors import NotFound
from webapp.imagery.models import ImageryLayer

ROW_PX = 22
BOX_PX = 14
MARGIN_PX = 6
MAX_ROWS = 256
MAX_LETTERS = 60


def draw(layer: ImageryLayer) -> bytes:
    """Return the legend as PNG.

    Raises:
        NotFound: the layer has no classes.
    """
    if not layer.classes:
        raise NotFound("legend")
    rows = [(str(row["colour"]), str(row["name"])[:MAX_LETTERS]) for row in layer.classes[:MAX_ROWS]]
    font = ImageFont.load_default(13)
    width = round(max(font.getlength(name) for _, name in rows)) + BOX_PX + 3 * MARGIN_PX
    image = Image.new("RGB", (width, len(rows) * ROW_PX + MARGIN_PX), "white")
    pen = ImageDraw.Draw(image)
    for number, (colour, name) in enumerate(rows):
        top = MARGIN_PX + number * ROW_PX
        pen.rectangle((MARGIN_PX, top, MARGIN_PX + BOX_PX, top + BOX_PX), fill=colour, outline="#555555")
        pen.text((BOX_PX + 2 * MARGIN_PX, top + BOX_PX // 2), name, fill="black", font=font, anchor="lm")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
