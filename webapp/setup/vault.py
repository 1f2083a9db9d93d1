"""The generated secrets: one JSON file that only its owner can read. `webapp/settings.py` reads it too."""

import json
import os
import secrets

from webapp.setup.place import SECRETS


def load() -> dict[str, str]:
    """Return the stored secrets; none before the first set-up."""
    if not SECRETS.exists():
        return {}
    stored: dict[str, str] = json.loads(SECRETS.read_text())
    return stored


def store(values: dict[str, str]) -> None:
    """Add secrets to the file, which is replaced whole and never readable by others, not even for a moment."""
    SECRETS.parent.mkdir(parents=True, exist_ok=True)
    fresh = SECRETS.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({**load(), **values}, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(SECRETS)


def ensure(*names: str) -> dict[str, str]:
    """Return all secrets after generating those of `names` that are not there yet."""
    stored = load()
    # 96 bits are enough for the one secret that people type.
    missing = {
        name: secrets.token_urlsafe(12 if name.endswith("DEMO_PASSWORD") else 32)
        for name in names
        if name not in stored
    }
    if missing:
        store(missing)
    return {**stored, **missing}
