"""The Python environment from the lock file, Node, and the front end's build."""

import shutil
import sys
from pathlib import Path

from webapp.setup import machine, stamps
from webapp.setup.place import FRONTEND, PYTHON, ROOT, TOOLS, VENV, SetupError, environment
from webapp.setup.shell import run, step

LOCK = ROOT / "requirements.txt"
HERE = Path(__file__).parent


def ensure_python() -> None:
    """Make `.venv` hold exactly what the lock file names, hashes checked."""
    stamp = stamps.digest([LOCK], sys.version)
    if PYTHON.exists() and stamps.is_done("python", stamp):
        return
    with step("Installing the Python packages of requirements.txt into .venv (6 GB the first time)"):
        program = uv()
        if not _works(PYTHON):
            run([program, "venv", "--clear", "--python", sys.executable, VENV], doing="making .venv")
        run(
            [program, "pip", "sync", "--require-hashes", "--python", PYTHON, LOCK],
            doing="installing the Python packages",
        )
    stamps.mark_done("python", stamp)


def _works(python: Path) -> bool:
    """Return False for an environment that is not there or whose Python was removed under it."""
    try:
        run([python, "-c", "import sys; assert sys.version_info >= (3, 11)"], doing="trying .venv")
    except SetupError:
        return False
    return True


def uv() -> str:
    """Return uv's path: the machine's own, else ours, installed from hashes into `var/tools`."""
    found = shutil.which("uv", path=environment()["PATH"])
    if found is None:
        _install_tool("uv.txt", doing="installing uv")
        found = str(TOOLS / "bin" / "uv")
    return found


def _install_tool(lock: str, *, doing: str) -> None:
    python = TOOLS / "bin" / "python"
    if not _works(python):
        run([sys.executable, "-m", "venv", "--clear", TOOLS], doing=doing)
    run([python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", HERE / lock], doing=doing)


def ensure_node() -> None:
    """Make a Node that Vite runs on be on our PATH."""
    if machine.node_fits(machine.node_version()) and shutil.which("npm", path=environment()["PATH"]):
        return
    with step("Installing Node into var/tools (the machine has none that is new enough)"):
        _install_tool("node.txt", doing="installing Node")


def ensure_node_modules() -> None:
    """Make `frontend/node_modules` hold exactly what package-lock.json names."""
    stamp = stamps.digest([FRONTEND / "package-lock.json"])
    if (FRONTEND / "node_modules").is_dir() and stamps.is_done("node_modules", stamp):
        return
    ensure_node()
    with step("Installing the front end's packages"):
        run(
            ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
            doing="installing the front end's packages",
            cwd=FRONTEND,
        )
    stamps.mark_done("node_modules", stamp)


def ensure_build() -> None:
    """Make `frontend/dist` and the collected static files be built from the sources as they are."""
    sources = [path for path in (FRONTEND / "src").rglob("*") if path.is_file()]
    shared = [FRONTEND / name for name in ("vite.config.ts", "package-lock.json", "tsconfig.json")]
    stamp = stamps.digest([*sources, *shared, LOCK])
    if (FRONTEND / "dist" / "manifest.json").exists() and stamps.is_done("build", stamp):
        return
    ensure_node_modules()
    with step("Building the front end"):
        run(["npx", "vite", "build"], doing="building the front end", cwd=FRONTEND)
        run([PYTHON, "manage.py", "collectstatic", "--noinput", "--clear"], doing="collecting static files")
    stamps.mark_done("build", stamp)
