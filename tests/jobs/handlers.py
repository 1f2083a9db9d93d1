"""Functions that run test jobs; found through the setting EXTRA_JOB_KINDS."""

import os
import signal
import time
from pathlib import Path
from typing import Any

from webapp.errors import Invalid
from webapp.jobs.context import JobContext

KINDS = {
    "count": "tests.jobs.handlers:count",
    "refuse": "tests.jobs.handlers:refuse",
    "break": "tests.jobs.handlers:break_",
    "die": "tests.jobs.handlers:die",
    "wait": "tests.jobs.handlers:wait",
    "deaf": "tests.jobs.handlers:deaf",
    "freeze": "tests.jobs.handlers:freeze",
}


def count(context: JobContext) -> dict[str, Any]:
    """Take `steps` steps, remembering each in the scratch folder, so that the next attempt goes on."""
    done = context.scratch / "done"
    start = len(done.read_text()) if done.exists() else 0
    for step in range(start, context.spec["steps"]):
        context.progress(step / context.spec["steps"], f"step {step}")
        time.sleep(context.spec.get("seconds", 0.0))
        with done.open("a") as file:
            file.write("x")
    with context.publish():
        context.log(f"counted {context.spec['steps']}")
    return {"steps": len(done.read_text()), "started_at": start, "attempt": context.attempt}


def refuse(context: JobContext) -> dict[str, Any]:
    """Fail as a job fails that cannot use its input."""
    raise Invalid("The scene has no bands.", fix="Take another scene.", code="no_bands")


def break_(context: JobContext) -> dict[str, Any]:
    """Fail as nobody foresaw."""
    raise ZeroDivisionError("by zero")


def die(context: JobContext) -> dict[str, Any]:
    """Kill the own process in the first `deaths` attempts."""
    context.log("about to die" if context.attempt <= context.spec["deaths"] else "alive")
    if context.attempt <= context.spec["deaths"]:
        os.kill(os.getpid(), signal.SIGKILL)
    return {"attempt": context.attempt}


def wait(context: JobContext) -> dict[str, Any]:
    """Write the own process id to `pid_file`, then wait until told to stop."""
    Path(context.spec["pid_file"]).write_text(str(os.getpid()))
    while True:
        context.progress(0.5, "waiting")
        time.sleep(0.05)


def deaf(context: JobContext) -> dict[str, Any]:
    """Write the own process id to `pid_file`, then never look up again."""
    Path(context.spec["pid_file"]).write_text(str(os.getpid()))
    while True:
        time.sleep(1.0)


def freeze(context: JobContext) -> dict[str, Any]:
    """Freeze the worker and the own process while the job's row is locked; the second attempt goes through."""
    if context.attempt == 1:
        with context.guard():
            Path(context.spec["pid_file"]).write_text(str(os.getpid()))
            os.kill(os.getppid(), signal.SIGSTOP)
            os.kill(os.getpid(), signal.SIGSTOP)
    return {"attempt": context.attempt}
