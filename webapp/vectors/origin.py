"""What samples were drawn over, told in the files that have a place for it: the imagery, its date and its offset."""

from pathlib import Path
from typing import Any

from webapp.vectors.table import Task

README = "README.md"


def members(task: Task) -> dict[str, Any]:
    """Return `{"imagery_offset": {east_m, north_m, note}}` for a JSON object; nothing where nothing was moved.

    Metres by which the imagery was shown east and north of where its file says. Name and date: `Task.of_imagery`.
    """
    return {} if task.offset is None else {"imagery_offset": task.offset}


def readme(task: Task, *lines: str) -> Path:
    """Write a README for a zip: the layer, its imagery, and what else a reader should know."""
    told = [task.name, *([task.attribution] if task.attribution else []), *_sentences(task), *lines]
    path = task.folder / README
    path.write_text("\n\n".join(told) + "\n", encoding="utf-8")
    return path


def _sentences(task: Task) -> list[str]:
    if task.grid is None:
        return []
    told = [f"Imagery: {task.grid.name}", f"Taken: {task.grid.taken or 'not known'}"]
    offset = task.offset
    if offset is None:
        return [*told, "Offset: none; the imagery was shown where its file says."]
    how = f"Offset: {offset['east_m']:g} m east, {offset['north_m']:g} m north"
    note = f" ({offset['note']})" if offset["note"] else ""
    in_pixels = "Coordinates on Earth are true; pixels are counted in the image itself, the offset taken off."
    return [*told, f"{how} of where the imagery's file says{note}.", in_pixels]
