"""One holder of a film at a time, across real processes; free when the holder dies."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from processes import all_ended, started
from rushes.store.locks import film_lock, hold, render_lock
from rushes.store.places import Places
from rushes_otio.errors import Busy

HOLD = """
import sys, time; from pathlib import Path
from rushes.store.locks import film_lock, render_lock; from rushes.store.places import Places
state = Path(sys.argv[1])
lock = {"film": film_lock, "render": render_lock}[sys.argv[3]]
with lock(Places(state, state, state, state), Path(sys.argv[2])):
    print("held", flush=True)
    sys.stdin.read()
"""
COUNT = """
import sys, time; from pathlib import Path
from rushes.store.locks import film_lock; from rushes.store.places import Places
state, film = Path(sys.argv[1]), Path(sys.argv[2])
for _ in range(20):
    with film_lock(Places(state, state, state, state), film, wait=20):
        count = int(film.read_text()); time.sleep(0.001); film.write_text(str(count + 1))
"""


@contextmanager
def holder(state: Path, film: Path, kind: str) -> Iterator[subprocess.Popen[str]]:
    with started(HOLD, state, film, kind) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path, tmp_path, tmp_path, tmp_path)


def test_a_held_film_names_its_holder_and_waits_as_long_as_told(places: Places, tmp_path: Path) -> None:
    film = tmp_path / "film.otio"
    with holder(tmp_path, film, "film") as process:
        begun = time.monotonic()
        with pytest.raises(Busy) as busy, film_lock(places, film, wait=0.3):
            pass
        assert 0.3 <= time.monotonic() - begun < 2
        assert str(process.pid) in busy.value.text and str(process.pid) in busy.value.remedy
        with render_lock(places, film), film_lock(places, tmp_path / "other.otio"):
            pass  # rendering is another right, and another film another lock


def test_a_link_to_a_film_is_the_film(places: Places, tmp_path: Path) -> None:
    (tmp_path / "link.otio").symlink_to("film.otio")
    with (
        holder(tmp_path, tmp_path / "film.otio", "render"),
        pytest.raises(Busy, match="being rendered"),
        render_lock(places, tmp_path / "link.otio"),
    ):
        pass


def test_a_killed_holder_leaves_the_film_free(places: Places, tmp_path: Path) -> None:
    film = tmp_path / "film.otio"
    with holder(tmp_path, film, "render") as process:
        process.kill()
        process.wait()
    with render_lock(places, film):
        pass


def test_a_waiter_gets_the_film_when_it_is_free(places: Places, tmp_path: Path) -> None:
    film = tmp_path / "film.otio"
    film.write_text("0")
    assert all_ended([started(COUNT, tmp_path, film) for _ in range(3)]) == [(0, "", "")] * 3
    assert film.read_text() == "60"


def test_an_error_inside_frees_the_lock_and_the_lock_is_not_re_entrant(places: Places) -> None:
    with pytest.raises(KeyError), hold(places, "daemon", 0, "the daemon is run"):
        raise KeyError
    with (
        hold(places, "daemon", 0, "the daemon is run"),
        pytest.raises(Busy, match=f"the daemon is run by process {os.getpid()}"),
        hold(places, "daemon", 0, "the daemon is run"),
    ):
        pass
