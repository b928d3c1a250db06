"""rushes.db outlives its versions, damage and a full disk."""

from __future__ import annotations

import os
import resource
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from rushes.store.db import SCHEMA, Database
from rushes.store.jobs import Jobs, State
from rushes_otio.errors import FileFault

FILM = "/films/a.otio"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "state" / "rushes.db")
    yield made
    made.close()


def test_an_older_database_is_copied_then_brought_up(tmp_path: Path) -> None:
    path = tmp_path / "state" / "rushes.db"
    older = Database(path)
    Jobs(older).add(FILM, "7kq3m9ab", "{}")
    newer = Database(path, (*SCHEMA, ("ALTER TABLE timings ADD COLUMN device TEXT", "CREATE TABLE later (id)")))
    assert newer.read("SELECT count(*) FROM later") == [(0,)]
    assert newer.read("SELECT shot FROM jobs") == [("7kq3m9ab",)]
    newer.close()
    older.close()
    with pytest.raises(FileFault, match=f"version {len(SCHEMA) + 1}"):
        older.read("SELECT 1")
    copy = sqlite3.connect(path.with_name(f"rushes.db.v{len(SCHEMA)}"))
    assert copy.execute("SELECT shot FROM jobs").fetchall() == [("7kq3m9ab",)]
    copy.close()


def test_an_upgrade_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state" / "rushes.db"
    older = Database(path)
    Jobs(older).add(FILM, "7kq3m9ab", "{}")
    with pytest.raises(FileFault):
        Database(path, (*SCHEMA, ("CREATE TABLE undo (id)", "no sql"))).read("SELECT 1")
    assert older.read("SELECT count(*) FROM sqlite_master WHERE name = 'undo'") == [(0,)]
    older.close()


def damaged_copies(whole: bytes) -> Iterator[bytes]:
    """Cut short anywhere, or a stretch overwritten."""
    yield from (whole[:end] for end in range(1, len(whole), 2111))
    yield from (whole[:at] + b"\xa5" * 512 + whole[at + 512 :] for at in range(0, len(whole), 3967))
    yield b"not a database, but as long as a page" * 200


def test_a_damaged_database_is_kept_aside_and_replaced(tmp_path: Path) -> None:
    source = Database(tmp_path / "source" / "rushes.db")
    jobs = Jobs(source)
    for n in range(40):
        jobs.add(FILM, str(n), "x" * 500)
    source.close()
    whole = source.path.read_bytes()
    for number, damaged in enumerate(damaged_copies(whole)):
        database = Database(tmp_path / str(number) / "rushes.db")
        database.path.parent.mkdir()
        database.path.write_bytes(damaged)
        database.check()
        aside = [file for file in database.path.parent.iterdir() if "damaged" in file.name]
        assert (len(database.warnings) == 1) == (len(aside) == 1)
        if aside:
            assert aside[0].read_bytes() == damaged and "queued" in database.warnings[0]
            assert Jobs(database).pending(FILM) == []
        assert Jobs(database).add(FILM, "new", "{}") in Jobs(database).pending(FILM)
        database.close()


def test_damage_met_while_running_is_told_once(database: Database) -> None:
    jobs = Jobs(database)
    for n in range(200):
        jobs.add(FILM, str(n), "x" * 500)
    database.close()
    whole = database.path.read_bytes()
    database.path.write_bytes(whole[:8192] + os.urandom(len(whole) - 8192))
    with pytest.raises(FileFault, match="kept as"):
        jobs.pending(FILM)
    assert jobs.pending(FILM) == [] and len(database.warnings) == 1
    assert jobs.add(FILM, "7kq3m9ab", "{}").state is State.QUEUED


def test_a_full_disk_is_a_fault_and_what_was_there_stays(database: Database) -> None:
    jobs = Jobs(database)
    job = jobs.add(FILM, "a", "{}")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(FileFault) as fault:
            jobs.add(FILM, "b", "x" * 500_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert fault.value.remedy and not database.warnings
    assert jobs.pending(FILM) == [job]
    assert jobs.add(FILM, "c", "{}").shot == "c"
