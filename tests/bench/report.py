"""How every measurement ends: its figures on the terminal, and in `var/bench` with the command that made them."""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "var" / "bench"


def report(figures: dict[str, Any], folder: Path = FOLDER) -> Path:
    """Print figures as JSON and keep them; return the file, one a command, overwritten by its next run."""
    script = Path(sys.argv[0]).stem
    words = sys.argv[1:]
    told = {
        "command": " ".join(["python", "-m", f"tests.bench.{script}", *words]),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "load": [round(load, 1) for load in os.getloadavg()],
        "figures": figures,
    }
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / ("-".join([script, *(Path(word).stem.lstrip("-") for word in words)])[:120] + ".json")
    text = json.dumps(told, indent=2) + "\n"
    kept.write_text(text)
    sys.stdout.write(text)
    return kept
