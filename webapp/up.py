"""Everything on one machine: database, web and worker, started, watched and stopped together.

Without Django, which would cost each start a second and a half. Both `make run` and `manage.py up` come here.
"""

import fcntl
import http.client
import os
import signal
import socket
import sys
import time
from typing import IO

from webapp.setup import cluster, machine, vault
from webapp.setup.place import ROOT, SITE_LOCK, SetupError, environment, host, own_database, port, url, web_processes
from webapp.supervisor import Program, Supervisor

BACKLOG = 512
# Longer than a web process gives its last requests (webapp/web.py).
WEB_GRACE_S = 20.0
# A killed site's web processes die with it, but not in the same instant.
BIND_PATIENCE_S = 3.0
CLUSTER_LOOK_S = 5.0


def serve() -> None:
    """Start all, wait for a stop signal, stop all.

    Raises:
        SetupError: the site runs already, its address is taken, or the database does not start.
    """
    lock = take_site_lock()
    listener = listen()
    site = Site(listener)
    # The first web process loads its code while the database starts.
    site.start()
    use = cluster.enter() if own_database() else None
    try:
        site.run()
    finally:
        listener.close()
        if use is not None:
            cluster.leave(use)
        lock.close()
        sys.stdout.write("Quadrat is stopped.\n")


def take_site_lock() -> IO[str]:
    """Return the lock that says that this checkout's site runs, holding our process number.

    Raises:
        SetupError: it runs already.
    """
    SITE_LOCK.parent.mkdir(parents=True, exist_ok=True)
    lock = SITE_LOCK.open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise SetupError(machine.say_running()) from error
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def listen() -> socket.socket:
    """Return the listening socket of the site.

    Raises:
        SetupError: the address is taken or not ours.
    """
    family = socket.AF_INET6 if ":" in host() else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    deadline = time.monotonic() + BIND_PATIENCE_S
    while True:
        try:
            listener.bind((host(), port()))
            listener.listen(BACKLOG)
        except OSError as error:
            if time.monotonic() > deadline:
                raise SetupError(machine.address_sentence(error)) from error
            time.sleep(0.1)
        else:
            return listener


class Site:
    """The supervised programs, and the greeting once a page answers."""

    def __init__(self, listener: socket.socket) -> None:
        web = Program(
            "web",
            [sys.executable, "-m", "webapp.web", str(listener.fileno())],
            pass_fds=(listener.fileno(),),
            grace_s=WEB_GRACE_S,
        )
        count = web_processes()
        webs = [Program(f"web{number}", web.command, web.pass_fds, web.grace_s) for number in range(1, count + 1)]
        # A worker puts its jobs back before it goes, so it is asked where web processes are ended.
        worker = Program(
            "worker", [sys.executable, str(ROOT / "manage.py"), "worker"], grace_s=30.0, death_signal=signal.SIGTERM
        )
        # All but one web process wait for the first page: together they would take twice as long to it.
        first, *later = webs
        self._later = [*later, worker]
        self._supervisor = Supervisor([first], environment(), on_tick=self._tick)
        self._greeted = False
        self._looked_at = time.monotonic()

    def start(self) -> None:
        """Start the first web process."""
        self._supervisor.start()

    def run(self) -> None:
        """Run until a stop signal."""
        self._supervisor.run()

    def _tick(self) -> None:
        if not self._greeted and answers():
            self._greet()
            for program in self._later:
                self._supervisor.add(program)
        if own_database() and time.monotonic() - self._looked_at > CLUSTER_LOOK_S:
            self._looked_at = time.monotonic()
            self._mend_cluster()

    def _mend_cluster(self) -> None:
        """Start the database again after a crash; our lock on it still holds."""
        if cluster.is_running(cluster.locate()):
            return
        self._supervisor.say("the database has ended; starting it again")
        try:
            cluster.enter().close()
        except SetupError as error:
            self._supervisor.say(str(error))

    def _greet(self) -> None:
        self._greeted = True
        self._supervisor.say(f"Quadrat answers on {url()}")
        password = vault.load().get("QUADRAT_DEMO_PASSWORD")
        if password and own_database():
            self._supervisor.say(f"demo log-in: demo / {password}")
        self._supervisor.say("Ctrl-C stops everything.")


def answers() -> bool:
    """Return whether the site answers now; looks for at most half a second."""
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host(), host())
    connection = http.client.HTTPConnection(near, port(), timeout=0.5)
    try:
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        return connection.getresponse().status < http.client.INTERNAL_SERVER_ERROR
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    try:
        serve()
    except SetupError as error:
        sys.exit(f"\n{error}")
