"""Killed at every named point of writing a take, a film, the cache and the queue: nothing lost, nothing half-made,
and the next render goes on.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from daemons import workers
from rendering import Shoot, check_nothing_half_made, shoot
from rushes.store.failpoints import NAMES
from rushes.store.takes import scan
from test_kill_daemon import ONLY_IN_A_DAEMON, POINTS

RENDER_POINTS = sorted(
    n
    for n in NAMES - ONLY_IN_A_DAEMON
    if n.partition(".")[0] in ("film", "previous", "record", "take", "cache", "queue", "database")
)
SET_POINTS = sorted(n for n in NAMES if n.partition(".")[0] in ("film", "previous"))

OLD, NEW = "the sea", "a storm"


def test_every_point_is_visited() -> None:
    visited = {*RENDER_POINTS, *SET_POINTS, *POINTS}
    assert visited == NAMES
    assert len(visited) >= 30


def _cli(*args: object, failpoint: str = "") -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "RUSHES_FAILPOINT": failpoint}
    command = [sys.executable, "-m", "rushes.cli.main", *map(str, args)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _ended(process: subprocess.Popen[bytes]) -> int:
    process.communicate(timeout=120)
    return process.returncode


def _check_goes_on(film: Shoot) -> None:
    outcome = film.render()
    assert not outcome.failed
    assert set(film.states().values()) == {"fresh"}
    assert not outcome.skipped
    assert not film.render().rendered
    assert not list(film.desk.places.folder.rglob("*.part*"))
    assert not film.studio.jobs.pending(film.desk.places.key)


@pytest.mark.parametrize("point", RENDER_POINTS)
def test_a_render_that_is_killed_is_picked_up(tmp_path: Path, point: str) -> None:
    film = shoot(tmp_path, {"prompt": OLD}, {"prompt": "the land"})
    process = _cli("render", film.path, failpoint=point)
    assert _ended(process) == -signal.SIGKILL
    check_nothing_half_made(film)
    before = {(t.shot, t.take) for t in scan(film.desk.places.takes)}
    _check_goes_on(film)
    after = {(t.shot, t.take) for t in scan(film.desk.places.takes)}
    assert before <= after
    assert len(after) == 2  # what was finished was not made twice


@pytest.mark.parametrize("point", SET_POINTS)
def test_a_change_that_is_killed_happened_or_did_not(tmp_path: Path, point: str) -> None:
    film = shoot(tmp_path, {"prompt": OLD})
    process = _cli("set", film.path, "SH010", f"prompt={NEW}", failpoint=point)
    assert _ended(process) == -signal.SIGKILL
    said = bytes(film.block("SH010").intent)
    happened = point == "film.after_rename"
    assert (NEW.encode() in said, OLD.encode() in said) == (happened, not happened)
    film.set(f"prompt={NEW}", shot="SH010")
    assert NEW.encode() in bytes(film.block("SH010").intent)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_killed_at_any_moment_no_worker_is_left(tmp_path: Path, seed: int) -> None:
    film = shoot(tmp_path, *[{"prompt": f"wave {n}"} for n in range(4)], frames=24)
    film.set("delivery.size=320x180")
    process = _cli("render", film.path)
    time.sleep(random.Random(seed).uniform(0.6, 2.2))
    process.kill()
    _ended(process)
    deadline = time.monotonic() + 3
    while workers() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not workers()
    check_nothing_half_made(film)
    _check_goes_on(film)


def test_interrupted_by_a_person(tmp_path: Path) -> None:
    """Ctrl-C: exit 130, no worker left, and what was finished is in the film."""
    film = shoot(tmp_path, *[{"prompt": f"wave {n}"} for n in range(4)], frames=24)
    film.set("delivery.size=640x360")
    process = _cli("render", film.path)
    deadline = time.monotonic() + 30
    while not scan(film.desk.places.takes) and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.2)  # in the middle of the next take
    process.send_signal(signal.SIGINT)
    assert _ended(process) == 130
    assert not workers()
    check_nothing_half_made(film)
    chosen = {s.block.shot for s in film.film.shots.values() if s.block.chosen}
    finished = {t.shot for t in scan(film.desk.places.takes)}
    # A take that got its name in the moment of the interrupt is not in the film yet; the next render finds it.
    assert chosen <= finished
    assert len(finished - chosen) <= 1
    assert not film.studio.jobs.pending(film.desk.places.key)
    _check_goes_on(film)


@pytest.mark.skipif(shutil.which("mount") is None or os.geteuid() != 0, reason="needs root, to mount a small disk")
def test_a_full_disk_is_said_and_changes_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "none", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("no disk can be mounted here")
    try:
        film = shoot(disk, {"prompt": OLD}, frames=48)
        film.set("delivery.size=320x180")
        before = film.path.read_bytes()
        process = _cli("render", film.path, "--json")
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 1, out
        assert b'"failed":[{' in out
        assert film.path.read_bytes() == before
        assert not scan(film.desk.places.takes)
        (disk / "filler").write_bytes(b"x" * (shutil.disk_usage(disk).free - 4096))
        process = _cli("set", film.path, "SH010", f"prompt={'x' * 9000}", "--json")
        out, _ = process.communicate(timeout=60)
        assert (process.returncode, b"full" in out) == (2, True), out
        assert film.path.read_bytes() == before
    finally:
        subprocess.run(["umount", str(disk)], check=True)
