"""`make chaos`: people label over real sockets while processes die; then every invariant is checked.

Run it: `make chaos`, `make chaos PROFILE=long`, or `python -m tests.chaos.run --profile smoke --seed 1`. It makes a
PostGIS server of its own in a temporary folder, which it may kill, and touches no other. It ends with status 1 where an
invariant is broken; figures and every client's memory are kept in `var/chaos/`.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType

from tests.chaos.postgres import OwnPostgres

KEPT = Path(__file__).resolve().parents[2] / "var" / "chaos"


def main() -> None:
    """Run one profile and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--profile", choices=("smoke", "long"), default="smoke")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    sys.stdout.write(f"seed {options.seed}\n")
    postgres = OwnPostgres()
    try:
        with tempfile.TemporaryDirectory(prefix="quadrat-chaos-site-") as folder:
            os.environ |= {"DATABASE_URL": postgres.url, "QUADRAT_READ_DATABASE_URL": "", "QUADRAT_VAR_DIR": folder}
            os.environ |= {"QUADRAT_LOG_LEVEL": "ERROR"}
            os.environ.setdefault("QUADRAT_SECRET_KEY", "of a chaos run")
            broken = _run(postgres, options, Path(folder))
    finally:
        postgres.remove()
    sys.exit(1 if broken else 0)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """End the run once: a second signal (Ctrl-C, then that of `make test`) would leave server and site behind."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def _run(postgres: OwnPostgres, options: argparse.Namespace, folder: Path) -> bool:
    os.environ["DJANGO_SETTINGS_MODULE"] = "webapp.settings"
    import django

    django.setup()
    from django.core.management import call_command

    from tests.chaos.driver import PROFILES, Run

    call_command("migrate", verbosity=0)
    profile = PROFILES[options.profile]
    run = Run(profile, seed=options.seed, folder=folder, database=postgres.url, port=options.port)
    outcome = run.go(postgres)
    KEPT.mkdir(parents=True, exist_ok=True)
    memory = [journal.as_json() for journal in outcome.journals]
    (KEPT / f"{options.profile}.json").write_text(json.dumps(outcome.as_json(), indent=2) + "\n")
    (KEPT / f"{options.profile}-journals.json").write_text(json.dumps(memory))
    sys.stdout.write(outcome.markdown() + "\n")
    return bool(outcome.findings)


if __name__ == "__main__":
    main()
