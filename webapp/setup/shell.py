"""Running other programs: quietly, into the log, with one clear sentence when they fail."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from webapp.setup.place import LOG, ROOT, SetupError, environment

# What package managers print when they cannot reach their registry.
NETWORK_SIGNS = re.compile(
    r"\b(EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT)\b"
    r"|[Cc]ould not resolve|[Tt]emporary failure (in name resolution|resolving)|Name or service not known"
    r"|Network is unreachable|Failed to fetch|Failed to establish a new connection|dns error"
    r"|tcp connect error|client error \(Connect\)|[Cc]onnection timed out|Unable to connect"
)
# Our settings say in one sentence which of them is wrong.
SETTING_SIGNS = re.compile(r"ImproperlyConfigured: (.*\b(?:QUADRAT_|DATABASE_URL).*)")
TRUST_SIGNS = re.compile(r"UnknownIssuer|certificate verify failed|self[- ]signed certificate", re.IGNORECASE)
DISK_SIGNS = re.compile(r"no space left on device|\bENOSPC\b|disk quota exceeded", re.IGNORECASE)


def say(text: str) -> None:
    """Write one line to the terminal at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@contextmanager
def step(text: str) -> Iterator[None]:
    """Announce a step that takes a while, and its time when it is done."""
    say(f"-- {text} ...")
    start = time.monotonic()
    yield
    say(f"   done in {time.monotonic() - start:.0f} s")


def run(
    command: Sequence[str | Path],
    *,
    doing: str,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    user: str | None = None,
    text_in: str = "",
) -> str:
    """Run a program to its end and return what it printed; all of it goes to `var/log/setup.log`.

    Args:
        command: the program and its arguments.
        doing: what is being done, for the sentence of a failure: "installing the Python packages".
        cwd: folder to run in.
        env: the whole environment; default: `place.environment()`.
        user: system user to run as (needs root).
        text_in: its standard input.

    Raises:
        SetupError: the program is missing or failed.
    """
    LOG.parent.mkdir(parents=True, exist_ok=True)
    words = [str(word) for word in command]
    try:
        result = subprocess.run(
            words,
            cwd=cwd,
            env=dict(environment() if env is None else env),
            input=text_in,
            text=True,
            errors="replace",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            check=False,
        )
    except FileNotFoundError as error:
        raise SetupError(f"{words[0]} was not found while {doing}; install it and try again.") from error
    with LOG.open("a") as log:
        log.write(f"$ {' '.join(words)}\n{result.stdout}\n[exit {result.returncode}]\n")
    if result.returncode != 0:
        raise SetupError(sentence(doing, result.stdout))
    return result.stdout


def sentence(doing: str, output: str) -> str:
    """Return one sentence on why a program failed, from what it printed."""
    if wrong := SETTING_SIGNS.search(output):
        return wrong[1]
    if DISK_SIGNS.search(output):
        return f"The disk is full: {doing} needs more room; free some and try again."
    if TRUST_SIGNS.search(output):
        return (
            f"The registry's certificate is not trusted while {doing}: "
            f"add your proxy's certificate to the machine (update-ca-certificates) and try again (log: {LOG})."
        )
    if NETWORK_SIGNS.search(output):
        return f"The network did not answer while {doing}: check the connection or proxy and try again (log: {LOG})."
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower()] or lines or ["it printed nothing"]
    return f"Something failed while {doing}: {telling[-1][:300]} (log: {LOG})."
