"""What the machine must have: Debian packages, room on the disk, a free port."""

import errno
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from webapp.setup.place import PYTHON, ROOT, VAR, SetupError, environment, host, own_database, port, url
from webapp.setup.shell import run, step

# Vite 8 runs on these: ^20.19 or >= 22.12.
NODE_OLDEST = (20, 19)
# Measured: .venv 6 GB, node_modules 0.3 GB, packages 1 GB, demo and room to work.
ROOM_FIRST_GB = 12.0
ROOM_LATER_GB = 1.0


def check_room() -> None:
    """Raise SetupError where the disk has no room for the set-up (first time) or for running."""
    try:
        VAR.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(
            f"{VAR} cannot be made ({error.strerror}); start as the user who owns {ROOT}, or set QUADRAT_VAR_DIR to a "
            "folder of yours."
        ) from error
    if not os.access(VAR, os.W_OK):
        raise SetupError(
            f"{VAR} belongs to another user; start as that user, or set QUADRAT_VAR_DIR to a folder of yours."
        )
    for folder, needed in ((ROOT, ROOM_LATER_GB if PYTHON.exists() else ROOM_FIRST_GB), (VAR, ROOM_LATER_GB)):
        free = shutil.disk_usage(folder).free / 1024**3
        if free < needed:
            raise SetupError(
                f"The disk of {folder} has {free:.1f} GB free and {needed:.0f} GB are needed; free some and try again."
            )


def check_port() -> None:
    """Raise SetupError where another program listens on the site's address."""
    family = socket.AF_INET6 if ":" in host() else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host(), port()))
        except OSError as error:
            raise SetupError(address_sentence(error)) from error


def check_database_address() -> None:
    """Raise SetupError where DATABASE_URL is no address of a PostGIS database; whether one answers is seen later."""
    scheme, _, rest = os.environ.get("DATABASE_URL", "").partition("://")
    if not own_database() and (scheme not in {"postgis", "postgres", "postgresql"} or "/" not in rest):
        raise SetupError("DATABASE_URL must name a PostGIS database: postgis://user:password@host:port/name.")


def check_settings() -> None:
    """Raise SetupError naming the first setting whose value cannot be used."""
    # Reading the settings takes a third of a second: only where somebody has set one.
    if any(name.startswith(("QUADRAT_", "DATABASE_URL")) and name != "QUADRAT_PORT" for name in os.environ):
        run([PYTHON, "-c", "import webapp.settings"], doing="reading the settings")


def address_sentence(error: OSError) -> str:
    """Return one sentence on why the site cannot listen on its address."""
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port()} is in use by another program; stop it, or choose another with QUADRAT_PORT=8001 make run."
        )
    if error.errno == errno.EACCES:
        return f"Port {port()} may only be used by root; choose one above 1023 with QUADRAT_PORT."
    return f"{host()} is no address of this machine ({error.strerror}); set QUADRAT_HOST to one that is."


def postgis_versions() -> list[int]:
    """Return the PostgreSQL versions on this machine that have PostGIS, oldest first."""
    found = Path("/usr/share/postgresql").glob("*/extension/postgis.control")
    return sorted(int(path.parts[-3]) for path in found if (server_programs(int(path.parts[-3])) / "initdb").exists())


def server_programs(version: int) -> Path:
    """Return the folder of initdb, pg_ctl and psql of a PostgreSQL version."""
    return Path(f"/usr/lib/postgresql/{version}/bin")


def node_version() -> tuple[int, ...]:
    """Return Node's version, (0,) where there is none that starts."""
    found = shutil.which("node", path=environment()["PATH"])
    if found is None:
        return (0,)
    printed = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    return tuple(int(part) for part in re.findall(r"\d+", printed)[:3]) or (0,)


def node_fits(version: tuple[int, ...]) -> bool:
    """Return True for a Node that Vite runs on."""
    return version[:2] >= NODE_OLDEST and version[0] != 21 and not (22, 0) <= version[:2] < (22, 12)


def missing_packages(*, tests: bool) -> list[str]:
    """Return the Debian packages that are needed and not there, by what they bring and not by their names."""
    wanted: list[str] = []
    if own_database() and not postgis_versions():
        wanted += ["postgresql", "postgresql-postgis"]
    libraries = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=False).stdout
    if "libgdal.so" not in libraries:
        wanted.append("gdal-bin")
    if shutil.which("bwrap") is None:
        wanted.append("bubblewrap")
    if not PYTHON.exists() and not _makes_venvs():
        wanted.append("python3-venv")
    if tests:
        if shutil.which("chromium") is None:
            wanted.append("chromium")
        if not any(Path("/usr/share/fonts").glob("truetype/*/*.ttf")):
            wanted.append("fonts-dejavu-core")
    return wanted


def _makes_venvs() -> bool:
    probe = subprocess.run([sys.executable, "-c", "import ensurepip, venv"], capture_output=True, check=False)
    return probe.returncode == 0


def install_packages(*, tests: bool) -> None:
    """Install what is missing with apt-get, through sudo where needed.

    Raises:
        SetupError: there is no way to install; the sentence holds the command that an administrator types.
    """
    names = missing_packages(tests=tests)
    if not names:
        return
    apt = [*_as_root(names), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    with step(f"Installing Debian packages: {' '.join(names)}"):
        run([*apt, "update"], doing="reading the list of Debian packages")
        if "postgresql" in names:
            _keep_system_cluster_off(apt)
        run(
            [*apt, "install", "--yes", "--no-install-recommends", *names],
            doing=f"installing the Debian packages {' '.join(names)}",
        )
    left = missing_packages(tests=tests)
    if left:
        raise SetupError(
            f"These are still missing after apt-get installed them: {' '.join(left)}; install them by hand."
        )


def _as_root(names: list[str]) -> list[str]:
    command = f"apt-get install {' '.join(names)}"
    if shutil.which("apt-get") is None:
        raise SetupError(f"This machine has no apt-get; install what Debian calls {' '.join(names)} and try again.")
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        raise SetupError(
            f"Some packages are missing and you are not root: have an administrator run `{command}`, then try again."
        )
    asks = [] if sys.stdin.isatty() else ["--non-interactive"]
    if subprocess.run(["sudo", *asks, "true"], capture_output=not sys.stdin.isatty(), check=False).returncode != 0:
        raise SetupError(
            f"Some packages are missing and sudo refused: have an administrator run `sudo {command}`, then try again."
        )
    return ["sudo", *asks]


def _keep_system_cluster_off(apt: list[str]) -> None:
    """Stop Debian's package from starting a server of its own beside our private one."""
    folder = "/etc/postgresql-common/createcluster.d"
    prefix = apt[: apt.index("env")]
    run([*prefix, "mkdir", "-p", folder], doing="preparing PostgreSQL")
    run(
        [*prefix, "tee", f"{folder}/quadrat.conf"],
        doing="preparing PostgreSQL",
        text_in="create_main_cluster = false\n",
    )


def say_running() -> str:
    """Return the sentence for a second start beside a running site."""
    return f"Quadrat is already running on {url()}; stop it with `make stop` first."
