"""Where things lie: the user's own folders, and the folder beside a film."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from rushes_otio.errors import RushesError

_POSIX = hasattr(os, "geteuid")


@dataclass(frozen=True, slots=True)
class Places:
    """The user's folders. Nothing is created by naming a place: whoever writes there calls `private` first."""

    state: Path
    config: Path
    cache: Path
    runtime: Path

    @classmethod
    def of_user(cls) -> Places:
        """The folders of the current user on this platform (XDG variables are honoured on Linux)."""
        dirs = platformdirs.PlatformDirs(appname="rushes", appauthor=False)
        return cls(dirs.user_state_path, dirs.user_config_path, dirs.user_cache_path, _runtime())

    @property
    def database(self) -> Path:
        return self.state / "rushes.db"

    @property
    def locks(self) -> Path:
        return self.state / "locks"

    @property
    def keys(self) -> Path:
        return self.state / "keys"

    @property
    def connection(self) -> Path:
        return self.state / "connection.json"

    @property
    def log(self) -> Path:
        return self.state / "rushes.log"

    @property
    def settings(self) -> Path:
        return self.config / "settings.toml"

    @property
    def models(self) -> Path:
        return self.config / "models.toml"

    def sockets(self) -> Path:
        """The runtime folder, made if need be, checked to be a real folder of this user."""
        if self.runtime.is_symlink():
            raise RushesError(
                "the folder for sockets is a link, and another user may have made it",
                where=str(self.runtime),
                remedy="remove the link, or set XDG_RUNTIME_DIR",
            )
        return private(self.runtime)


@dataclass(frozen=True, slots=True)
class FilmPlaces:
    """One film and the folder beside it. `film` is a real path: links are followed once, here."""

    film: Path

    @classmethod
    def of(cls, film: Path) -> FilmPlaces:
        """The places of the film that `film` names; it need not exist yet."""
        return cls(Path(os.path.realpath(film)))

    @property
    def key(self) -> str:
        """What the database and the locks know the film by."""
        return path_key(self.film)

    @property
    def folder(self) -> Path:
        return self.film.with_suffix(".rushes")

    @property
    def takes(self) -> Path:
        return self.folder / "takes"

    @property
    def refs(self) -> Path:
        return self.folder / "refs"

    @property
    def exports(self) -> Path:
        """What was exported, a manifest each."""
        return self.folder / "exports"

    @property
    def frozen(self) -> Path:
        """Cuts that a person keeps by name."""
        return self.folder / "frozen"

    @property
    def cuts(self) -> Path:
        """The film as it was before each cut that was conformed."""
        return self.folder / "cuts"

    @property
    def previous(self) -> Path:
        return self.folder / "previous.otio"


def path_key(path: Path) -> str:
    """The real path as text that any database takes, also where a name is not valid UTF-8."""
    return os.fsencode(os.path.realpath(path)).decode("utf-8", "backslashreplace")


def private(folder: Path) -> Path:
    """`folder`, which now exists, belongs to this user and is closed to all others (0700).

    RushesError where that cannot be had.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
    except OSError as error:
        raise RushesError(
            f"the folder cannot be made: {error.strerror}",
            where=str(folder),
            remedy="make its parent writable for you, or name another in XDG_STATE_HOME or XDG_CACHE_HOME",
        ) from error
    if _POSIX:
        _close(folder, found)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise RushesError(
            "the folder cannot be written to", where=str(folder), remedy=f"run: chmod u+rwx '{folder}'"
        )
    return folder


def _close(folder: Path, found: os.stat_result) -> None:
    if found.st_uid != os.geteuid():
        raise RushesError(
            f"the folder belongs to another user (uid {found.st_uid})",
            where=str(folder),
            remedy="run Rushes as that user, or remove the folder",
        )
    if found.st_mode & 0o077:
        folder.chmod(0o700)


def _runtime() -> Path:
    """The runtime folder of the session, or one under /tmp: macOS, containers, cron and some hosts have none, and
    a socket's path has 104 bytes at most."""
    session = os.environ.get("XDG_RUNTIME_DIR", "")
    if not _POSIX:
        return platformdirs.user_runtime_path(appname="rushes", appauthor=False)
    if session and _is_ours(Path(session)):
        return Path(session) / "rushes"
    return Path("/tmp") / f"rushes-{os.geteuid()}"  # noqa: S108 (short, and `sockets` checks its owner)


def _is_ours(folder: Path) -> bool:
    try:
        return folder.stat().st_uid == os.geteuid() and os.access(folder, os.W_OK | os.X_OK)
    except OSError:
        return False
