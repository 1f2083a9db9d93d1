"""What the machine must have."""

import shutil
import socket
import subprocess
from collections import namedtuple
from pathlib import Path

import pytest

from webapp.setup import machine
from webapp.setup.place import SetupError


@pytest.mark.parametrize(
    ("version", "fits"),
    [
        ((0,), False),
        ((18, 20, 4), False),
        ((20, 18, 1), False),
        ((20, 19, 0), True),
        ((21, 7, 0), False),
        ((22, 11, 0), False),
        ((22, 12, 0), True),
        ((24, 1, 0), True),
    ],
)
def test_only_a_node_that_vite_runs_on_fits(version: tuple[int, ...], fits: bool) -> None:
    assert machine.node_fits(version) is fits


def test_a_port_in_use_is_one_sentence_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setenv("QUADRAT_PORT", str(other.getsockname()[1]))
        with pytest.raises(SetupError, match=r"Port \d+ is in use .* QUADRAT_PORT=8001 make run"):
            machine.check_port()
    machine.check_port()


def test_a_foreign_address_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUADRAT_HOST", "192.0.2.1")
    with pytest.raises(SetupError, match=r"192\.0\.2\.1 is no address of this machine"):
        machine.check_port()


def test_a_port_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUADRAT_PORT", "http")
    with pytest.raises(SetupError, match="QUADRAT_PORT is 'http'"):
        machine.check_port()


def test_a_full_disk_stops_the_set_up_before_it_begins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(machine, "VAR", tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 10**12, 2**28))
    with pytest.raises(SetupError, match=r"0\.2 GB free .* GB are needed"):
        machine.check_room()


def test_a_folder_that_cannot_be_made_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(machine, "VAR", tmp_path / "file" / "var")
    with pytest.raises(SetupError, match=r"cannot be made .* set QUADRAT_VAR_DIR"):
        machine.check_room()


def test_without_root_and_sudo_the_sentence_is_the_command_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "missing_packages", lambda *, tests: ["bubblewrap"])
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr(shutil, "which", lambda name, path=None: "/usr/bin/apt-get" if name == "apt-get" else None)
    with pytest.raises(SetupError, match="have an administrator run `apt-get install bubblewrap`"):
        machine.install_packages(tests=False)


def test_a_sudo_that_refuses_is_the_same_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "missing_packages", lambda *, tests: ["bubblewrap"])
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr(shutil, "which", lambda name, path=None: f"/usr/bin/{name}")
    refused: subprocess.CompletedProcess[bytes] = subprocess.CompletedProcess([], 1)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: refused)
    with pytest.raises(SetupError, match="sudo refused"):
        machine.install_packages(tests=False)
