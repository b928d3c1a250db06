"""rushes.db: one SQLite file per user, on the local disk, for what films need not carry.

It holds the queue, the timings, the index of takes, the memo of file digests, what can be undone and what hosts
hold. A damaged one is moved aside and a new one made: the index is rebuilt from films and takes, timings and memo
come back by use, hosts say again what they hold, the queue and the undo are lost, and `Database.warnings` says so.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rushes.store.failpoints import reach
from rushes.store.places import private
from rushes_otio.errors import Busy, FileFault, RushesError

if TYPE_CHECKING:
    from sqlite3 import Connection, Error

Value = str | int | float | None
Step = Sequence[str]

SCHEMA: tuple[Step, ...] = (
    (
        """CREATE TABLE jobs (
            id INTEGER PRIMARY KEY AUTOINCREMENT, film TEXT NOT NULL, shot TEXT NOT NULL, request TEXT NOT NULL,
            state TEXT NOT NULL, attempts INTEGER NOT NULL, priority INTEGER NOT NULL, pid INTEGER,
            error TEXT NOT NULL, remedy TEXT NOT NULL, created INTEGER NOT NULL)""",
        "CREATE INDEX jobs_by_film ON jobs (film, state)",
        """CREATE TABLE timings (
            id INTEGER PRIMARY KEY, generator TEXT NOT NULL, stage TEXT NOT NULL, per_frame REAL NOT NULL)""",
        "CREATE INDEX timings_by_stage ON timings (generator, stage)",
        """CREATE TABLE takes (
            film TEXT NOT NULL, shot TEXT NOT NULL, take TEXT NOT NULL, path TEXT NOT NULL, key TEXT NOT NULL,
            recipe TEXT NOT NULL, motion TEXT NOT NULL, seed TEXT NOT NULL, n INTEGER NOT NULL,
            frames INTEGER NOT NULL, made TEXT NOT NULL, PRIMARY KEY (film, shot, take)) WITHOUT ROWID""",
        "CREATE INDEX takes_by_key ON takes (film, key)",
        "CREATE TABLE digests (path TEXT PRIMARY KEY, stamp TEXT NOT NULL, digest TEXT NOT NULL) WITHOUT ROWID",
    ),
    (
        # What came of a job, as JSON, for whoever asked and was cut off meanwhile.
        "ALTER TABLE jobs ADD COLUMN result TEXT NOT NULL DEFAULT ''",
        # Changes to intent that can be taken back (state 'done') or made again ('undone').
        """CREATE TABLE changes (
            id INTEGER PRIMARY KEY AUTOINCREMENT, film TEXT NOT NULL, label TEXT NOT NULL, levels TEXT NOT NULL,
            state TEXT NOT NULL)""",
        "CREATE INDEX changes_by_film ON changes (film, state)",
        # Takes that a host's project uses, as the host said last.
        """CREATE TABLE held (
            film TEXT NOT NULL, host TEXT NOT NULL, shot TEXT NOT NULL, take TEXT NOT NULL,
            PRIMARY KEY (film, host, shot, take)) WITHOUT ROWID""",
        "CREATE TABLE switches (name TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID",
    ),
)
"""Statement lists; list `i` takes a database of `user_version` i to i + 1. Lists are added, never changed."""

_WAIT_SECONDS = 5.0
_LARGEST_LOG = 16 * 1024 * 1024
_BUSY, _LOCKED, _CORRUPT, _FULL, _NOTADB = 5, 6, 11, 13, 26  # primary result codes of SQLite


class Database:
    """One connection, opened at first use, shared by the threads of this process one transaction at a time."""

    def __init__(self, path: Path, schema: Sequence[Step] = SCHEMA) -> None:
        self.path = path
        self.warnings: list[str] = []
        self._schema = schema
        self._connection: Connection | None = None
        self._inode = 0
        self._lock = threading.RLock()

    def read(self, sql: str, values: Sequence[Value] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self._lock, self._faults():
            return self._open().execute(sql, values).fetchall()

    @property
    def changes(self) -> int:
        """A number that is another one after each transaction, in this process or another."""
        with self._lock, self._faults():
            connection = self._open()
            return int(connection.execute("PRAGMA data_version").fetchone()[0]) + connection.total_changes

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is on disk when the block ends; undone when the block raises."""
        with self._transaction("FULL") as connection:
            yield connection

    @contextmanager
    def noting(self) -> Iterator[Connection]:
        """A transaction that a power cut may take back, for what can be found out again. Several times faster."""
        with self._transaction("NORMAL") as connection:
            yield connection

    def check(self) -> None:
        """Look through the whole file (5 ms for 10,000 takes) and start anew if it is damaged. For who
        starts up to stay: a damage that goes unnoticed here is met, once, as a FileFault later."""
        import sqlite3

        with self._lock, self._faults():
            try:
                sound = self._open().execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
            except sqlite3.DatabaseError as error:
                if _code(error) not in (_CORRUPT, _NOTADB):
                    raise
                sound = False
            if not sound:
                self._set_aside()
                self._open()

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def _transaction(self, synchronous: str) -> Iterator[Connection]:
        with self._lock, self._faults():
            connection = self._open()
            connection.execute(f"PRAGMA synchronous={synchronous}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                reach("database.before_commit")
                connection.commit()
                reach("database.after_commit")
            except BaseException:
                connection.rollback()
                raise

    def _open(self) -> Connection:
        if self._connection is None:
            import sqlite3

            private(self.path.parent)
            try:
                self._connection = self._connect()
            except sqlite3.DatabaseError as error:
                if _code(error) not in (_CORRUPT, _NOTADB):
                    raise
                self._set_aside()
                self._connection = self._connect()
        return self._connection

    def _connect(self) -> Connection:
        import sqlite3

        connection = sqlite3.connect(
            self.path, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            self._inode = self.path.stat().st_ino
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA journal_size_limit={_LARGEST_LOG}")
            self._upgrade(connection)
        except BaseException:
            connection.close()
            raise
        weakref.finalize(self, connection.close)  # whoever forgets to close leaves nothing open
        return connection

    def _upgrade(self, connection: Connection) -> None:
        found = _version(connection)
        if found == len(self._schema):
            return
        if found > len(self._schema):
            raise FileFault(
                f"the database is of version {found}, and this Rushes knows versions up to {len(self._schema)}",
                where=str(self.path),
                remedy="use the newer Rushes that wrote it",
            )
        if found:
            self._back_up(connection, found)
        connection.execute("BEGIN IMMEDIATE")
        # Read again: another process may have upgraded it meanwhile.
        for step in self._schema[_version(connection) :]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version={len(self._schema)}")
        connection.commit()

    def _back_up(self, connection: Connection, version: int) -> None:
        import sqlite3

        copy = sqlite3.connect(self.path.with_name(f"{self.path.name}.v{version}"))
        try:
            connection.backup(copy)
        finally:
            copy.close()

    def _set_aside(self) -> None:
        """Move the damaged file away, with its log: kept, for somebody may want to rescue the queue."""
        self.close()
        aside = self.path.with_name(f"{self.path.name}.damaged-{time.time_ns() // 1_000_000}")
        with suppress(FileNotFoundError):
            # Another process that met the same damage has put a sound file here already.
            if self.path.stat().st_ino != self._inode:
                return
            self.path.rename(aside)
        for ending in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                Path(f"{self.path}{ending}").rename(f"{aside}{ending}")
        self.warnings.append(
            f"the database was damaged and is kept as {aside}; a new one was made: shots that were queued are "
            "no longer, ask for them again; everything else is found again"
        )

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """SQLite's errors as ours."""
        import sqlite3

        try:
            yield
        except sqlite3.DatabaseError as error:
            raise self._fault(error) from error

    def _fault(self, error: Error) -> RushesError:
        code, where = _code(error), str(self.path)
        if code in (_CORRUPT, _NOTADB):
            self._set_aside()
            return FileFault(self.warnings[-1], where=where, remedy="run the command again")
        if code in (_BUSY, _LOCKED):
            return Busy("another process holds the database", where=where, remedy="run the command again")
        remedy = "free some space" if code == _FULL else "check the disk it is on and who may write there"
        return FileFault(f"the database cannot be used: {error}", where=where, remedy=remedy)


def _version(connection: Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _code(error: Error) -> int:
    """SQLite's primary result code; 0 for an error of the Python module itself."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
