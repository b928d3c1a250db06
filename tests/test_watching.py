"""The file watch, on real files: each burst of changes is told once, however an editor saves."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rushes.server.network_drives import file_system
from rushes.server.watching import Watcher

DEBOUNCE = 0.08


class Told:
    """What was told, and a watcher that tells it."""

    def __init__(self) -> None:
        self.paths: list[Path] = []
        self.watcher = Watcher(self.paths.append, DEBOUNCE, look_every=0.15)

    def settled(self, count: int, seconds: float = 5.0) -> list[Path]:
        """What was told once so much was, and a moment later, so that what is too much is seen."""
        deadline = time.monotonic() + seconds
        while len(self.paths) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(4 * DEBOUNCE)
        found, self.paths[:] = list(self.paths), []
        return found


@pytest.fixture
def told() -> Iterator[Told]:
    made = Told()
    yield made
    made.watcher.stop()


def rename_over(path: Path) -> None:
    beside = path.with_name(f".{path.name}.swp")
    beside.write_text("new, by a rename")
    beside.replace(path)


def delete_and_make(path: Path) -> None:
    path.unlink()
    path.write_text("new, made again")


def backup_and_make(path: Path) -> None:
    path.rename(path.with_name(f"{path.name}~"))
    path.write_text("new, with a backup")


def in_place(path: Path) -> None:
    path.write_text("new, in place")


def slowly(path: Path) -> None:
    """As a copy over a slow wire."""
    with path.open("w") as file:
        for number in range(12):
            file.write(f"part {number}\n")
            file.flush()
            time.sleep(DEBOUNCE / 3)


def many_times(path: Path) -> None:
    for number in range(40):
        path.write_text(str(number))


def gone_and_back(path: Path) -> None:
    """The folder is renamed away and back."""
    away = path.parent.with_name("away")
    path.parent.rename(away)
    time.sleep(DEBOUNCE / 4)
    away.rename(path.parent)
    path.write_text("after")


SAVES = [rename_over, delete_and_make, backup_and_make, in_place, slowly, many_times]


@pytest.mark.parametrize("save", SAVES, ids=lambda save: save.__name__)
def test_each_save_is_told_once(tmp_path: Path, told: Told, save: Callable[[Path], None]) -> None:
    film = tmp_path / "film.otio"
    other = tmp_path / "other.otio"
    film.write_text("old")
    told.watcher.keep("film", [film])
    other.write_text("nobody asked for this one")
    save(film)
    assert told.settled(1) == [film]
    save(film)
    assert told.settled(1) == [film]
    film.unlink()
    assert told.settled(1) == [film]
    film.write_text("back")
    assert told.settled(1) == [film]


def test_a_file_and_a_folder_that_are_not_there_yet(tmp_path: Path, told: Told) -> None:
    picture = tmp_path / "refs" / "mara.png"
    told.watcher.keep("film", [picture])
    time.sleep(0.2)
    assert told.paths == []
    picture.parent.mkdir()
    picture.write_bytes(b"a picture")
    assert told.settled(1) == [picture]
    picture.write_bytes(b"another picture")
    assert told.settled(1) == [picture]


def test_a_folder_that_is_renamed_away_and_back(tmp_path: Path, told: Told) -> None:
    film = tmp_path / "project" / "film.otio"
    film.parent.mkdir()
    film.write_text("old")
    told.watcher.keep("film", [film])
    gone_and_back(film)
    assert set(told.settled(1)) == {film}
    time.sleep(0.4)  # the folder is watched again
    told.paths.clear()
    film.write_text("and again")
    assert set(told.settled(1)) == {film}
    shutil.rmtree(film.parent)
    assert set(told.settled(1)) == {film}


def test_owners_share_a_folder_and_forget(tmp_path: Path, told: Told) -> None:
    one, two = tmp_path / "one.otio", tmp_path / "two.otio"
    told.watcher.keep("a", [one])
    told.watcher.keep("b", [one, two])
    told.watcher.keep("a", ())
    one.write_text("x")
    two.write_text("x")
    assert sorted(told.settled(2)) == [one, two]
    told.watcher.keep("b", ())
    one.write_text("y")
    assert told.settled(1, seconds=0.5) == []


def test_a_link_is_watched_where_it_leads(tmp_path: Path, told: Told) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "linked").symlink_to("real")
    told.watcher.keep("film", [tmp_path / "linked" / "film.otio"])
    (tmp_path / "real" / "film.otio").write_text("x")
    assert told.settled(1) == [tmp_path / "real" / "film.otio"]


def test_who_fails_to_listen_ends_nothing(tmp_path: Path) -> None:
    heard: list[Path] = []

    def listen(path: Path) -> None:
        heard.append(path)
        raise ZeroDivisionError

    watcher = Watcher(listen, DEBOUNCE)
    film = tmp_path / "film.otio"
    watcher.keep("film", [film])
    for text in "ab":
        film.write_text(text * 3)
        time.sleep(5 * DEBOUNCE)
    watcher.stop()
    assert heard == [film, film]


def test_nothing_happens_for_nothing(tmp_path: Path, told: Told) -> None:
    for number in range(20):
        (tmp_path / f"{number}.otio").touch()
    told.watcher.keep("films", [*tmp_path.iterdir(), tmp_path / "nowhere" / "x.otio"])
    time.sleep(0.3)
    before, threads = time.process_time(), threading.active_count()
    time.sleep(1.5)
    assert time.process_time() - before < 0.2
    assert threading.active_count() <= threads
    assert told.paths == []


MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw
40 22 0:35 / /mnt/my\\040films rw,relatime shared:2 - nfs4 server:/films rw
41 22 0:36 / /mnt rw,relatime - tmpfs none rw
42 22 0:37 / /media/nas rw - fuse.sshfs me@nas:/ rw
a line that means nothing
"""


def test_network_drives_are_known_by_their_mount() -> None:
    kinds = {
        place: file_system(Path(place), MOUNTS) for place in ("/home", "/mnt/my films/a", "/mnt/x", "/media/nas")
    }
    assert kinds == {"/home": "ext4", "/mnt/my films/a": "nfs4", "/mnt/x": "tmpfs", "/media/nas": "fuse.sshfs"}
