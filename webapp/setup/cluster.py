"""The private PostGIS cluster: on a unix socket only, for one operating-system user, durable.

Whoever uses it holds a shared lock on `var/cluster.lock`; the last to leave stops it. The kernel drops the
locks of a killed process, so a dead supervisor never keeps a cluster from being stopped or used again.
"""

import fcntl
import getpass
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from webapp.setup import stamps, vault
from webapp.setup.machine import postgis_versions, server_programs
from webapp.setup.place import VAR, SetupError
from webapp.setup.shell import run, step

NOTE = VAR / "cluster.json"
ADMIN = "quadrat_admin"
START_TIMEOUT_S = 60.0
# A unix socket's path has 108 bytes with its end; PostgreSQL adds "/.s.PGSQL.5432".
SOCKET_FOLDER_LONGEST = 90

# fsync and synchronous_commit are PostgreSQL's defaults; they are written down because "acknowledged means
# committed" rests on them. JIT costs more than it gives on queries of milliseconds.
CONFIGURATION = """
listen_addresses = ''
fsync = on
synchronous_commit = on
full_page_writes = on
max_connections = 200
shared_buffers = 256MB
max_wal_size = 2GB
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_min_duration_statement = 2000
"""


@dataclass(frozen=True)
class Cluster:
    """One private cluster.

    Attributes:
        data: PostgreSQL's data folder.
        socket: folder of the unix socket.
        user: operating-system user it runs as; None: the one who starts it.
    """

    data: Path
    socket: Path
    user: str | None

    @property
    def programs(self) -> Path:
        """Folder of the server's programs, of the version that made the data."""
        version = int((self.data / "PG_VERSION").read_text())
        folder = server_programs(version)
        if not (folder / "pg_ctl").exists():
            raise SetupError(
                f"{self.data} was made by PostgreSQL {version}, which is gone; install postgresql-{version} again."
            )
        return folder

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.data.parent / "postgres.log"


def locate() -> Cluster:
    """Return the cluster of this checkout, deciding where it lies the first time."""
    if not NOTE.exists():
        user = _unprivileged_user() if os.geteuid() == 0 else None
        base = VAR if user is None or _can_enter(user, VAR) else Path("/var/lib") / _name()
        NOTE.write_text(json.dumps({"base": str(base), "user": user}))
    note = json.loads(NOTE.read_text())
    base = Path(note["base"])
    if (note["user"] or getpass.getuser()) != getpass.getuser() and os.geteuid() != 0:
        raise SetupError(f"The database in {base} runs as {note['user']}; start as root, who made it.")
    socket = base / "run"
    if len(str(socket).encode()) > SOCKET_FOLDER_LONGEST:
        socket = Path(tempfile.gettempdir()) / f"{_name()}-{os.geteuid()}"
    return Cluster(data=base / "pg", socket=socket, user=note["user"])


def _name() -> str:
    return "quadrat-" + hashlib.sha256(str(VAR).encode()).hexdigest()[:12]


def _unprivileged_user() -> str:
    """Return the user for a cluster that root starts: PostgreSQL refuses to run as root."""
    return "postgres"


def _can_enter(user: str, folder: Path) -> bool:
    probe = subprocess.run(
        ["/usr/bin/test", "-x", str(folder)], cwd="/", user=user, group=user, extra_groups=[], check=False
    )
    return probe.returncode == 0


def _server_run(cluster: Cluster, command: list[str | Path], *, doing: str) -> str:
    """Run one of the server's programs as the cluster's user, with nothing of our environment."""
    env = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "HOME": "/"}
    return run(command, doing=doing, cwd=Path("/"), env=env, user=cluster.user)


def _own(cluster: Cluster, folder: Path) -> None:
    """Make a folder that only the cluster's user may enter."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if cluster.user is not None:
        shutil.chown(folder, cluster.user, cluster.user)
    elif folder.stat().st_uid != os.geteuid():
        raise SetupError(f"{folder} belongs to somebody else; remove it and try again.")


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the lock under which a cluster is made, started and stopped."""
    VAR.mkdir(parents=True, exist_ok=True)
    with (VAR / "cluster.starting.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def enter() -> IO[str]:
    """Have the cluster made and running, and return our lock on it for `leave`.

    Raises:
        SetupError: it cannot be made or started.
    """
    with _alone():
        cluster = locate()
        if not cluster.data.exists():
            _create(cluster)
        if not is_running(cluster):
            _start(cluster)
        _wait_until_ready(cluster)
        _prepare(cluster)
        use = (VAR / "cluster.lock").open("w")
        fcntl.flock(use, fcntl.LOCK_SH)
    return use


def leave(use: IO[str]) -> None:
    """Give our lock back; stop the cluster if nobody else uses it."""
    with _alone():
        try:
            fcntl.flock(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            use.close()
            return
        cluster = locate()
        if is_running(cluster):
            _stop(cluster)
        use.close()


def stop_unused() -> bool:
    """Stop a cluster that nobody uses any more (its supervisor was killed); return whether it is stopped now."""
    if not NOTE.exists():
        return True
    use = (VAR / "cluster.lock").open("w")
    fcntl.flock(use, fcntl.LOCK_SH)
    leave(use)
    return not is_running(locate())


def is_running(cluster: Cluster) -> bool:
    """Return whether the postmaster of this data folder lives; a stale pid file is removed.

    PostgreSQL takes any living process of its user with that number for a postmaster, and in containers
    numbers come again soon.
    """
    note = cluster.data / "postmaster.pid"
    if not note.exists():
        return False
    lines = note.read_text().splitlines()
    if not lines:
        return False
    try:
        folder = Path(f"/proc/{int(lines[0])}/cwd").readlink()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        folder = Path()
    if folder == cluster.data.resolve():
        return True
    note.unlink(missing_ok=True)
    return False


def _create(cluster: Cluster) -> None:
    """Make the cluster under a temporary name; it gets its own when it is whole."""
    versions = postgis_versions()
    if not versions:
        raise SetupError("PostgreSQL with PostGIS is not installed; install postgresql-postgis and try again.")
    base = cluster.data.parent
    base.mkdir(parents=True, exist_ok=True)
    fresh = base / "pg.new"
    shutil.rmtree(fresh, ignore_errors=True)
    _own(cluster, fresh)
    password = vault.ensure("QUADRAT_DATABASE_ADMIN_PASSWORD")["QUADRAT_DATABASE_ADMIN_PASSWORD"]
    with step("Making the private PostGIS cluster"):
        with tempfile.NamedTemporaryFile("w", prefix="quadrat-") as file:
            file.write(password)
            file.flush()
            if cluster.user is not None:
                shutil.chown(file.name, cluster.user)
            _server_run(
                cluster,
                [
                    server_programs(versions[-1]) / "initdb",
                    *("--pgdata", fresh, "--data-checksums", "--username", ADMIN, "--pwfile", file.name),
                    *("--auth-local", "scram-sha-256", "--auth-host", "reject"),
                    *("--encoding", "UTF8", "--locale", "C.UTF-8"),
                ],
                doing="making the database cluster",
            )
        with (fresh / "postgresql.conf").open("a") as file:
            file.write(CONFIGURATION)
        fresh.rename(cluster.data)
    stamps.forget("database")
    stamps.forget("migrate")
    stamps.forget("demo")


def _start(cluster: Cluster) -> None:
    _own(cluster, cluster.socket)
    # Locks of a server that was killed: their process number may be somebody else's by now.
    for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
        (cluster.socket / name).unlink(missing_ok=True)
    cluster.log.touch()
    if cluster.user is not None:
        shutil.chown(cluster.log, cluster.user, cluster.user)
    command: list[str | Path] = [cluster.programs / "pg_ctl", "start", "--silent", "--no-wait"]
    options = f"-k {shlex.quote(str(cluster.socket))}"
    _server_run(
        cluster,
        [*command, "--pgdata", cluster.data, "--log", cluster.log, "--options", options],
        doing="starting the database",
    )


def _wait_until_ready(cluster: Cluster) -> None:
    """Wait until the server takes connections; start it again where a dead one still held its memory."""
    ready = [str(cluster.programs / "pg_isready"), "-q", "-h", str(cluster.socket)]
    deadline = time.monotonic() + START_TIMEOUT_S
    while subprocess.run(ready, check=False).returncode != 0:
        if time.monotonic() > deadline:
            tail = cluster.log.read_text(errors="replace").splitlines()[-1:]
            raise SetupError(f"The database does not start: {' '.join(tail)} (log: {cluster.log}).")
        time.sleep(0.1)
        if not is_running(cluster):
            time.sleep(0.5)
            if not is_running(cluster):
                _start(cluster)


def _stop(cluster: Cluster) -> None:
    _server_run(
        cluster,
        [cluster.programs / "pg_ctl", "stop", "--silent", "--mode", "fast", "--wait", "--pgdata", cluster.data],
        doing="stopping the database",
    )


def psql(cluster: Cluster, database: str, sql: str) -> str:
    """Run SQL as the cluster's administrator; the first error stops it."""
    stored = vault.load()
    if "QUADRAT_DATABASE_ADMIN_PASSWORD" not in stored:
        raise SetupError(f"The secrets file is gone but {cluster.data} is there; put the file back from a backup.")
    env = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "PGPASSWORD": stored["QUADRAT_DATABASE_ADMIN_PASSWORD"]}
    command: list[str | Path] = [cluster.programs / "psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-f", "-"]
    where: list[str | Path] = ["-h", cluster.socket, "-U", ADMIN, "-d", database]
    return run([*command, *where], doing="preparing the database", cwd=Path("/"), env=env, text_in=sql)


def is_prepared() -> bool:
    """Return True where the cluster was made and has what the site needs, whether it runs or not."""
    if not NOTE.exists():
        return False
    cluster = locate()
    return cluster.data.exists() and stamps.is_done("database", _address(cluster)) and "DATABASE_URL" in vault.load()


def _address(cluster: Cluster) -> str:
    return str(cluster.socket)


def _prepare(cluster: Cluster) -> None:
    """Have roles, database and PostGIS be there, and the site's secrets hold their addresses."""
    if is_prepared():
        return
    stamp = _address(cluster)
    stored = vault.ensure("QUADRAT_DATABASE_PASSWORD", "QUADRAT_DATABASE_READ_PASSWORD")
    roles = {
        "quadrat": ("CREATEDB", stored["QUADRAT_DATABASE_PASSWORD"]),
        "quadrat_read": ("NOCREATEDB", stored["QUADRAT_DATABASE_READ_PASSWORD"]),
    }
    for role, (right, password) in roles.items():
        if not psql(cluster, "postgres", f"SELECT 1 FROM pg_roles WHERE rolname = '{role}'").strip():
            psql(cluster, "postgres", f"CREATE ROLE {role}")
        psql(cluster, "postgres", f"ALTER ROLE {role} LOGIN {right} PASSWORD '{password}'")
    # In template1, so that the test database has it too: CREATE EXTENSION postgis needs a superuser.
    psql(cluster, "template1", "CREATE EXTENSION IF NOT EXISTS postgis")
    if not psql(cluster, "postgres", "SELECT 1 FROM pg_database WHERE datname = 'quadrat'").strip():
        psql(cluster, "postgres", "CREATE DATABASE quadrat OWNER quadrat")
    psql(cluster, "postgres", "REVOKE ALL ON DATABASE quadrat FROM PUBLIC")
    psql(cluster, "postgres", "GRANT CONNECT ON DATABASE quadrat TO quadrat_read")
    place = str(cluster.socket).replace("%", "%25").replace("/", "%2F")
    addresses = {name: f"postgis://{role}:{roles[role][1]}@{place}/quadrat" for name, role in ADDRESSES.items()}
    vault.store(addresses)
    stamps.mark_done("database", stamp)


def scratch_database(name: str) -> str:
    """Return the address of a database of our cluster that holds nothing of the site, made where it is missing."""
    cluster = locate()
    if not psql(cluster, "postgres", f"SELECT 1 FROM pg_database WHERE datname = '{name}'").strip():
        psql(cluster, "postgres", f"CREATE DATABASE {name} OWNER quadrat")
    return vault.load()["DATABASE_URL"].rsplit("/", 1)[0] + f"/{name}"


ADDRESSES = {"DATABASE_URL": "quadrat", "QUADRAT_READ_DATABASE_URL": "quadrat_read"}
# All that the queries of tiles and OGC name; a hole in a filter parser reaches no account, token or session.
READ_TABLES = (
    "features_cell",
    "features_feature",
    "features_featureclass",
    "features_featurelayer",
    "features_tilechange",
)
READ_TIMEOUT_S = 60


def reader_grants(role: str) -> str:
    """Return the SQL that leaves a role nothing but reading what tiles and OGC show."""
    return (
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role};"
        f"GRANT USAGE ON SCHEMA public TO {role};"
        f"GRANT SELECT ON {', '.join(READ_TABLES)} TO {role};"
    )


def grant_reader() -> None:
    """Give the read-only role its rights; the site itself asks for a shorter time than the role's own."""
    limits = (
        "ALTER ROLE quadrat_read SET default_transaction_read_only = on;"
        f"ALTER ROLE quadrat_read SET statement_timeout = '{READ_TIMEOUT_S}s';"
    )
    psql(locate(), "quadrat", reader_grants("quadrat_read") + limits)
