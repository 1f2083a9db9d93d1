"""The analysis file of a layer over HTTP, with ranges: GDAL and notebooks read the blocks that they need."""

import re
from collections.abc import Iterator
from pathlib import Path

from django.http import HttpResponse, StreamingHttpResponse
from rest_framework.request import Request

from webapp.errors import NotFound, Unavailable
from webapp.imagery.models import ImageryLayer
from webapp.imagery.selectors import analysis_file
from webapp.ogc.responses import not_modified
from webapp.ogc.stac.documents import COG

PIECE_BYTES = 256 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


def send(request: Request, layer: ImageryLayer) -> HttpResponse:
    """Return the file, or the one range that is asked for (RFC 9110, section 14); several ranges: the whole.

    Raises:
        NotFound: the layer has no file yet, or it lies on another server.
        Unavailable: the file is missing.
    """
    if layer.kind == ImageryLayer.Kind.MOSAIC:
        raise NotFound("file")  # its scenes have theirs
    if not layer.analysis_path or layer.remote:
        raise NotFound("file")
    path = analysis_file(layer)
    if not path.is_file():
        raise Unavailable(
            "The layer's file is missing.", fix="Ask the administrator to restore it.", code="layer_unavailable"
        )
    size = path.stat().st_size
    # The name is the hash of the content.
    tag = f'"{path.stem[:64]}"'
    same = not_modified(request, tag)
    if same is not None:
        return same
    span = _span(request, size, tag)
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": tag,
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f'attachment; filename="{layer.pk}.tif"',
    }
    if span is None:
        return _answer(request, path, (0, size), headers, status=200)
    first, end = span
    if first >= end:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    headers["Content-Range"] = f"bytes {first}-{end - 1}/{size}"
    return _answer(request, path, span, headers, status=206)


def _answer(
    request: Request, path: Path, span: tuple[int, int], headers: dict[str, str], *, status: int
) -> HttpResponse:
    pieces = iter(()) if request.method == "HEAD" else _pieces(path, *span)
    response = StreamingHttpResponse(pieces, status=status, content_type=COG, headers=headers)
    response["Content-Length"] = str(span[1] - span[0])
    # REST framework passes streams on as they are.
    return response  # type: ignore[return-value]


def _span(request: Request, size: int, tag: str) -> tuple[int, int] | None:
    """Return the asked bytes as (first, after the last); None: all of them."""
    found = _RANGE.fullmatch(request.headers.get("Range", ""))
    if found is None or found.groups() == ("", "") or request.headers.get("If-Range", tag) != tag:
        return None
    first, last = found.groups()
    if first == "":
        return max(0, size - int(last)), size
    if last and int(last) < int(first):
        return None
    return int(first), min(size, int(last) + 1) if last else size


def _pieces(path: Path, first: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(first)
        while first < end:
            piece = file.read(min(PIECE_BYTES, end - first))
            if not piece:
                return
            first += len(piece)
            yield piece
