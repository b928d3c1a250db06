"""Files of the store: written whole or not at all, named safely, found again."""

from __future__ import annotations

import os
import resource
import signal
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processes import run
from rushes.store import failpoints
from rushes.store.canonical import canonical, digest_of
from rushes.store.db import Database
from rushes.store.digests import FileDigests
from rushes.store.durable import publish, tidy, tidy_parts, write_atomic
from rushes.store.places import FilmPlaces, Places, private
from rushes_otio.errors import BadRequest, FileFault, RushesError

OLD, NEW = b"old " * 500, b"new content " * 700


WRITE = """
import sys; from pathlib import Path; from rushes.store.durable import write_atomic
write_atomic(Path(sys.argv[1]), b"new content " * 700, label="film")
"""
PUBLISH = """
import sys; from pathlib import Path; from rushes.store.durable import publish
publish(Path(sys.argv[1]), Path(sys.argv[2]), label="take")
"""


@pytest.mark.parametrize("step", failpoints.WRITE_STEPS)
def test_a_killed_write_leaves_the_old_or_the_new(tmp_path: Path, step: str) -> None:
    film = tmp_path / "film.otio"
    film.write_bytes(OLD)
    assert run(WRITE, film, failpoint=f"film.{step}")[0] == -signal.SIGKILL
    assert film.read_bytes() == (NEW if step == "after_rename" else OLD)
    left = tidy(tmp_path)
    assert len(left) == (1 if step in ("half_written", "before_rename") else 0)
    assert list(tmp_path.iterdir()) == [film]


@pytest.mark.parametrize("step", failpoints.PUBLISH_STEPS)
def test_a_killed_publish_names_the_whole_file_or_none(tmp_path: Path, step: str) -> None:
    folder = tmp_path / "SC010"
    folder.mkdir()
    part, final = folder / "a.mov.part", folder / "a.mov"
    part.write_bytes(NEW)
    assert run(PUBLISH, part, final, failpoint=f"take.{step}")[0] == -signal.SIGKILL
    named = step in ("linked", "after_rename")
    assert (final.read_bytes() if final.exists() else None) == (NEW if named else None)
    tidy_parts(tmp_path)
    assert list(folder.iterdir()) == ([final] if named else [])


def test_an_unknown_failpoint_does_nothing(tmp_path: Path) -> None:
    assert run(WRITE, tmp_path / "film.otio", failpoint="film.no_such_step") == (0, "", "")
    assert (tmp_path / "film.otio").read_bytes() == NEW


def test_a_take_is_never_overwritten(tmp_path: Path) -> None:
    part, final = tmp_path / "a.mov.part", tmp_path / "a.mov"
    part.write_bytes(NEW)
    final.write_bytes(OLD)
    with pytest.raises(FileFault) as fault:
        publish(part, final, label="take")
    assert (final.read_bytes(), part.read_bytes()) == (OLD, NEW)
    assert fault.value.remedy


def test_tidy_leaves_what_it_cannot_judge(tmp_path: Path) -> None:
    own = run("from rushes.store import alive; print(alive.mark())")[1].strip()
    machine, pid, start = own.split("-")
    dead = tmp_path / f".rushes-{own}-0.tmp"
    reused = tmp_path / f".rushes-{machine}-{os.getpid()}-{int(start) - 1}-0.tmp"
    elsewhere = tmp_path / f".rushes-{'0' * 6}-{pid}-{start}-0.tmp"
    foreign = tmp_path / "notes.tmp"
    for file in (dead, reused, elsewhere, foreign):
        file.touch()
    assert sorted(tidy(tmp_path)) == sorted([dead, reused])
    assert tidy(tmp_path / "missing") == []


def test_permissions_are_kept_and_read_only_is_respected(tmp_path: Path) -> None:
    film = tmp_path / "film.otio"
    write_atomic(film, OLD, label="film", mode=0o600)
    assert film.stat().st_mode & 0o777 == 0o600
    film.chmod(0o664)
    write_atomic(film, NEW, label="film")
    assert film.stat().st_mode & 0o777 == 0o664
    with pytest.raises(FileFault, match="folder is not there"):
        write_atomic(tmp_path / "gone" / "film.otio", NEW, label="film")
    if os.geteuid() != 0:
        film.chmod(0o444)
        with pytest.raises(FileFault, match="not allowed"):
            write_atomic(film, OLD, label="film")
    assert film.read_bytes() == NEW


def test_no_room_keeps_the_old_file_and_leaves_nothing(tmp_path: Path) -> None:
    film = tmp_path / "film.otio"
    film.write_bytes(OLD)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(FileFault) as fault:
            write_atomic(film, NEW, label="film")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "free some space" in fault.value.remedy
    assert film.read_bytes() == OLD
    assert list(tmp_path.iterdir()) == [film]


def test_folders_are_private_and_refusals_have_remedies(tmp_path: Path) -> None:
    folder = private(tmp_path / "a" / "b")
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o755)
    assert private(folder).stat().st_mode & 0o777 == 0o700
    (tmp_path / "file").touch()
    with pytest.raises(RushesError) as refusal:
        private(tmp_path / "file" / "below")
    assert refusal.value.remedy
    planted = tmp_path / "link"
    planted.symlink_to(folder)
    with pytest.raises(RushesError, match="link"):
        Places(folder, folder, folder, planted).sockets()


def test_a_film_is_known_by_its_real_path(tmp_path: Path) -> None:
    (tmp_path / "film.otio").touch()
    (tmp_path / "other.otio").symlink_to("film.otio")
    there = FilmPlaces.of(tmp_path / "x" / ".." / "other.otio")
    assert there == FilmPlaces.of(tmp_path / "film.otio")
    assert there.takes == Path(os.path.realpath(tmp_path)) / "film.rushes" / "takes"
    odd = FilmPlaces.of(Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.otio")))
    assert odd.key.encode().endswith(rb"/\xff.otio")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("aé\U0001f600b", max_size=3), inner),
    max_leaves=12,
)


@given(JSON)
def test_canonical_depends_on_the_value_only(value: object) -> None:
    def shuffled(part: object) -> object:
        if isinstance(part, dict):
            return {key: shuffled(part[key]) for key in reversed(part)}
        return [shuffled(inner) for inner in part] if isinstance(part, list) else part

    assert digest_of(value) == digest_of(shuffled(value))
    assert b" " not in canonical({"a": [1, 2], "b": 2**70})


@pytest.mark.parametrize("value", [1.0, {"a": [float("nan")]}, {1: "a"}, {"a": b"b"}, "\ud800", {"a": {1, 2}}])
def test_canonical_refuses_what_has_no_one_form(value: object) -> None:
    with pytest.raises(BadRequest):
        canonical(value)


def test_canonical_refuses_a_deep_value() -> None:
    value: object = 0
    for _ in range(100_000):
        value = [value]
    with pytest.raises(BadRequest, match="64 levels"):
        canonical(value)


def test_digests_are_remembered_but_never_stale(tmp_path: Path) -> None:
    database = Database(tmp_path / "state" / "rushes.db")
    digests, file = FileDigests(database), tmp_path / "a.png"
    file.write_bytes(b"one")
    first = digests.of(file)
    file.write_bytes(b"two")  # the same size within the same tick of a coarse clock
    os.utime(file, ns=(0, time.time_ns()))
    assert digests.of(file) != first
    assert database.read("SELECT count(*) FROM digests") == [(0,)]
    os.utime(file, (0, time.time() - 10))
    settled = digests.of(file)
    assert database.read("SELECT digest FROM digests") == [(settled,)]
    assert digests.of(file) == settled
    file.write_bytes(b"three")
    assert digests.of(file) != settled
    os.mkfifo(tmp_path / "pipe")
    for bad in (tmp_path, tmp_path / "missing", tmp_path / "pipe"):
        with pytest.raises(FileFault):
            digests.of(bad)
    database.close()
