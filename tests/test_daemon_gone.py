"""The daemon while a film is deleted, renamed, put back, or lies on a disk that is full."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import daemons
from daemons import is_ready, wait
from rendering import Shoot, shoot
from rushes.messages import answers, commands, events
from rushes.store.takes import scan
from rushes_otio.errors import FileFault

SEA = {"prompt": "the sea"}


@pytest.fixture(autouse=True)
def with_daemon(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("RUSHES_NO_DAEMON")
    yield
    daemons.stop()


def is_fresh(film: Shoot) -> bool:
    return set(film.states().values()) == {"fresh"}


def test_a_film_that_is_deleted_while_it_renders(tmp_path: Path) -> None:
    film = shoot(tmp_path, *[{"prompt": f"wave {n}"} for n in range(3)], frames=48)
    other = shoot(tmp_path / "b", SEA) if (tmp_path / "b").mkdir() is None else film
    film.set("delivery.size=640x360")
    with daemons.daemon(), daemons.client() as client:
        client.follow(str(film.path))
        client.ask(commands.Render(film=str(film.path)))
        wait(client, lambda b: isinstance(b, events.Progress))
        kept = film.path.read_bytes()
        film.path.unlink()
        wait(client, lambda b: isinstance(b, events.Unreadable))
        client.follow(str(other.path))
        client.ask(commands.Render(film=str(other.path)))
        wait(client, is_ready())
        film.path.write_bytes(kept)  # an editor that saves slowly, or a backup
        wait(client, lambda _: is_fresh(film))


def test_a_film_that_comes_back_as_it_was_is_said_to_be_there(tmp_path: Path) -> None:
    film = shoot(tmp_path, SEA)
    with daemons.daemon(), daemons.client() as client:
        client.follow(str(film.path))
        wait(client, lambda b: isinstance(b, answers.State))
        film.path.rename(tmp_path / "away")
        wait(client, lambda b: isinstance(b, events.Unreadable))
        (tmp_path / "away").rename(film.path)
        wait(client, lambda b: isinstance(b, events.Shots))


def test_a_folder_that_is_renamed_while_it_renders(tmp_path: Path) -> None:
    """Its films are there under another name; nobody else notices, and nothing is made twice."""
    folder = tmp_path / "project"
    folder.mkdir()
    film = shoot(folder, *[{"prompt": f"wave {n}"} for n in range(3)], frames=48)
    film.set("delivery.size=640x360")
    with daemons.daemon(), daemons.client() as client:
        client.follow(str(film.path))
        client.ask(commands.Render(film=str(film.path)))
        wait(client, is_ready())
        folder.rename(tmp_path / "renamed")
        wait(client, lambda b: isinstance(b, events.Unreadable))
        moved = Shoot(tmp_path / "renamed" / film.path.name)
        client.follow(str(moved.path))
        client.ask(commands.Render(film=str(moved.path)))
        wait(client, lambda _: is_fresh(moved), seconds=60)
        assert len(list(scan(moved.desk.places.takes))) == 3


@pytest.mark.skipif(shutil.which("mount") is None or os.geteuid() != 0, reason="needs root, to mount a small disk")
def test_a_full_disk_is_said_and_the_daemon_goes_on(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "none", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        film, other = shoot(disk, SEA, frames=48), shoot(tmp_path, SEA)
        film.set("delivery.size=320x180")
        with daemons.daemon(), daemons.client() as client:
            client.follow(str(film.path))
            client.ask(commands.Render(film=str(film.path)))
            heard = wait(client, lambda b: isinstance(b, events.Failed))
            assert "full" in str([b.error for b in heard if isinstance(b, events.Failed)])
            (disk / "filler").write_bytes(b"x" * (shutil.disk_usage(disk).free - 4096))
            before = film.path.read_bytes()
            with pytest.raises(FileFault, match="full"):
                long = ["prompt=" + "x" * 9000]
                client.ask(commands.Set(film=str(film.path), shots=["SH010"], assignments=long))
            assert film.path.read_bytes() == before
            client.follow(str(other.path))
            client.ask(commands.Render(film=str(other.path)))
            wait(client, is_ready())
            (disk / "filler").unlink()
            client.ask(commands.Set(film=str(film.path), shots=["SH010"], assignments=["prompt=a storm"]))
            assert b"a storm" in bytes(film.block("SH010").intent)
    finally:
        subprocess.run(["umount", str(disk)], check=True)
