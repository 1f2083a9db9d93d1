"""Where everything lies, and the one error of the set-up. Standard library only: this runs before `.venv` is there."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VAR = Path(os.environ.get("QUADRAT_VAR_DIR") or ROOT / "var").resolve()
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
FRONTEND = ROOT / "frontend"
TOOLS = VAR / "tools"
STAMPS = VAR / "stamps"
LOG = VAR / "log" / "setup.log"
SECRETS = Path(os.environ.get("QUADRAT_SECRETS_FILE") or VAR / "secrets.json")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
SITE_LOCK = VAR / "site.lock"


class SetupError(Exception):
    """The set-up cannot go on; the message is one sentence that says why and what to do."""


def host() -> str:
    """Return the address that the site listens on."""
    return os.environ.get("QUADRAT_HOST", "127.0.0.1")


def port() -> int:
    """Return the port that the site listens on."""
    value = os.environ.get("QUADRAT_PORT", "8000")
    if not value.isdigit() or not 0 < int(value) < 65536:
        raise SetupError(f"QUADRAT_PORT is {value!r}; set it to a number from 1 to 65535.")
    return int(value)


def web_processes() -> int:
    """Return how many web processes serve: QUADRAT_WEB_PROCESSES, else one per core and at most four."""
    value = os.environ.get("QUADRAT_WEB_PROCESSES", "0")
    if not value.isdigit():
        raise SetupError(f"QUADRAT_WEB_PROCESSES is {value!r}; set it to a number, or to 0 for one per core.")
    return int(value) or min(os.cpu_count() or 1, 4)


def url() -> str:
    """Return the address to type into a browser on this machine."""
    name = "localhost" if host() in ("127.0.0.1", "0.0.0.0", "::", "::1") else host()
    return f"http://{name}:{port()}"


def own_database() -> bool:
    """Return True where the site uses its private cluster, False where DATABASE_URL names another."""
    return not os.environ.get("DATABASE_URL")


def environment() -> dict[str, str]:
    """Return the environment of every program that the set-up starts: our tools first on PATH."""
    found = [VENV / "bin", TOOLS / "bin"]
    # Package managers trust what the machine trusts: many sites have a proxy with a certificate of its own.
    trust = {"UV_SYSTEM_CERTS": "true", "UV_NATIVE_TLS": "true"}
    if CERTIFICATES.exists():
        trust["NODE_EXTRA_CA_CERTS"] = str(CERTIFICATES)
    # Compiled code is kept whatever the shell says: without it a start takes 5 seconds of CPU instead of 2.
    outside = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {
        **trust,
        **outside,
        "PATH": os.pathsep.join([*map(str, found), os.environ.get("PATH", os.defpath)]),
        "QUADRAT_VAR_DIR": str(VAR),
        "QUADRAT_SECRETS_FILE": str(SECRETS),
        "PYTHONUNBUFFERED": "1",
    }
