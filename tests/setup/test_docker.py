"""Compose file and entry scripts: what can be checked without a container engine."""

import itertools
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

DOCKER = Path(__file__).resolve().parents[2] / "docker"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    return parsed


def test_compose_has_the_services_that_code_uses_and_no_other(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {"postgis", "prepare", "web", "worker", "nginx"}


def test_every_variable_that_the_services_get_is_a_setting_or_of_the_entry_scripts(compose: dict[str, Any]) -> None:
    read = (DOCKER.parent / "webapp" / "settings.py").read_text() + "".join(
        path.read_text() for path in DOCKER.glob("*.sh")
    )
    given = {name for service in ("prepare", "web", "worker") for name in compose["services"][service]["environment"]}
    assert [name for name in given if name not in read] == []


def test_every_service_has_an_image_and_waits_for_services_that_exist(compose: dict[str, Any]) -> None:
    services, volumes = compose["services"], compose["volumes"]
    for name, service in services.items():
        assert "image" in service, name
        assert set(service.get("depends_on", {})) <= set(services), name
        named = [mount.split(":")[0] for mount in service.get("volumes", []) if not mount.startswith((".", "/"))]
        assert set(named) <= set(volumes), name
        for waited, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy" and waited != "web":
                assert "healthcheck" in services[waited], f"{name} waits for the health of {waited}"


def test_only_nginx_is_reachable_from_outside(compose: dict[str, Any]) -> None:
    assert [name for name, service in compose["services"].items() if "ports" in service] == ["nginx"]


def test_built_images_are_stages_of_the_dockerfile_and_copy_what_is_there(compose: dict[str, Any]) -> None:
    text = (DOCKER / "web.Dockerfile").read_text()
    stages = set(re.findall(r"^FROM \S+ AS (\S+)", text, re.MULTILINE))
    for service in compose["services"].values():
        if "build" in service:
            assert (DOCKER / service["build"]["context"] / service["build"]["dockerfile"]).exists()
            assert service["build"]["target"] in stages
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        for source in line.split()[:-1]:
            assert list(DOCKER.parent.glob(source.rstrip("/"))), f"{source} is not there to be copied"


def test_every_variable_of_the_compose_file_is_in_the_example(compose: dict[str, Any]) -> None:
    used = set(re.findall(r"\$\{([A-Z_]+)", (DOCKER / "compose.yaml").read_text()))
    offered = set(re.findall(r"^([A-Z_]+)=", (DOCKER / ".env.example").read_text(), re.MULTILINE))
    assert used == offered


def _run(script: str, folder: Path, **environment: str) -> list[list[str]]:
    """Run an entry script with stand-ins for its programs; return the commands that it ran."""
    log = folder / "commands"
    for program in ("python", "uvicorn"):
        stand_in = folder / program
        stand_in.write_text(f'#!/bin/sh\necho {program} "$@" >> {log}\n')
        stand_in.chmod(0o755)
    env = {"PATH": f"{folder}:{os.defpath}", **environment}
    subprocess.run(["sh", DOCKER / script], env=env, check=True, cwd=folder)
    return [shlex.split(line) for line in log.read_text().splitlines()]


def test_the_web_entry_serves_with_bounded_frames(tmp_path: Path) -> None:
    ((program, application, *words),) = _run("web.sh", tmp_path, QUADRAT_WEB_PROCESSES="3")
    options = dict(itertools.pairwise(words))
    assert (program, application) == ("uvicorn", "webapp.asgi:application")
    assert (options["--workers"], options["--ws-max-size"], options["--host"]) == ("3", "262144", "0.0.0.0")


def test_uvicorn_knows_every_option_of_the_web_entry(tmp_path: Path) -> None:
    ((_, _, *words),) = _run("web.sh", tmp_path)
    known = subprocess.run(
        [sys.executable, "-m", "uvicorn", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert [word for word in words if word.startswith("--") and word not in known] == []


def test_the_prepare_entry_migrates_first_and_loads_the_demo_where_wanted(tmp_path: Path) -> None:
    (tmp_path / "no").mkdir()
    commands = [words[2] for words in _run("prepare.sh", tmp_path)]
    assert commands == ["migrate", "collectstatic", "demo"]
    assert [words[2] for words in _run("prepare.sh", tmp_path / "no", QUADRAT_DEMO="no")] == [
        "migrate",
        "collectstatic",
    ]


def test_the_worker_entry_runs_the_worker(tmp_path: Path) -> None:
    assert _run("worker.sh", tmp_path) == [["python", "manage.py", "worker"]]
