"""Watching files for changes: by the system's notifications where they come, by looking where they do not.

Watched are the folders, for editors save by renaming; told of are only the files somebody wants. A change is told
when the file has been the same for a moment: one that is still being copied is waited for.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch

from rushes.server.network_drives import is_remote

DEBOUNCE_S = 0.3
"""How long a file has to be the same before a change of it is told."""

LOOK_EVERY_S = 2.0
"""How often files on network drives are looked at."""

_READING = frozenset({"opened", "closed_no_write"})

_Look = tuple[int, int, int] | None

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Changing:
    """A file that something happened to: how it looked last, and since when it looks so."""

    look: _Look
    since: float


class Watcher:
    """Calls `changed(path)` from a thread of its own, once for each burst of changes of a file that is kept. That
    call should only pass the word on."""

    def __init__(
        self, changed: Callable[[Path], None], debounce: float = DEBOUNCE_S, look_every: float = LOOK_EVERY_S
    ) -> None:
        self._tell = changed
        self._debounce = debounce
        self._look_every = look_every
        self._kept: dict[str, dict[Path, None]] = {}  # owner -> files
        self._looks: dict[Path, _Look] = {}  # of every kept file, as it was told last
        self._changing: dict[Path, _Changing] = {}
        self._folders: dict[Path, ObservedWatch | None] = {}  # None: looked at, for nobody tells
        self._stopped = False
        self._wakes = threading.Condition()
        self._observer: BaseObserver | None = None
        self._thread: threading.Thread | None = None

    def keep(self, owner: str, paths: Iterable[Path]) -> None:
        """Watch these files for `owner`, instead of those it named before. They need not be there yet."""
        wanted = dict.fromkeys(Path(os.path.realpath(path.parent)) / path.name for path in paths)
        with self._wakes:
            if self._stopped or self._kept.get(owner, {}) == wanted:
                return
            self._kept[owner] = wanted
            everything = {path for files in self._kept.values() for path in files}
            for path in everything - self._looks.keys():
                self._looks[path] = _look(path)
            self._looks = {path: look for path, look in self._looks.items() if path in everything}
            self._watch_folders({path.parent for path in everything})
            self._start()
            self._wakes.notify_all()

    def stop(self) -> None:
        """Watch nothing any more."""
        with self._wakes:
            self._stopped = True
            self._wakes.notify_all()
        if self._observer is not None:
            self._observer.stop()
            self._observer.join(2.0)

    # -- folders ---------------------------------------------------------------------------------------------

    def _watch_folders(self, wanted: set[Path]) -> None:
        for folder in self._folders.keys() - wanted:
            watch = self._folders.pop(folder)
            if watch is not None and self._observer is not None:
                self._unwatch(watch)
        for folder in wanted - self._folders.keys():
            self._folders[folder] = self._watch(folder)

    def _watch(self, folder: Path) -> ObservedWatch | None:
        """None where the system does not tell: a network drive, no such folder, no notifications left to have."""
        if is_remote(folder) or not folder.is_dir():
            return None
        try:
            if self._observer is None:
                observer = Observer()
                observer.daemon = True
                observer.start()
                self._observer = observer
            return self._observer.schedule(_Listener(self._on_event), str(folder))
        except (OSError, RuntimeError) as error:
            log.warning("%s is looked at every %g s: %s", folder, self._look_every, error)
            return None

    def _unwatch(self, watch: ObservedWatch) -> None:
        try:
            if self._observer is not None:
                self._observer.unschedule(watch)
        except (KeyError, OSError, RuntimeError) as error:
            log.info("a folder that was watched is gone: %s", error)

    def _on_event(self, event: FileSystemEvent) -> None:
        if event.event_type in _READING:
            return
        touched = {Path(os.fsdecode(p)) for p in (event.src_path, event.dest_path) if p}
        with self._wakes:
            for path in touched & self._looks.keys():
                self._note(path)
            for folder in touched & self._folders.keys():
                self._on_folder(folder)

    def _on_folder(self, folder: Path) -> None:
        """A folder itself was renamed or removed: what was watched is not what has its name now."""
        if folder.is_dir():
            return
        watch = self._folders[folder]
        self._folders[folder] = None
        if watch is not None:
            self._unwatch(watch)
        for path in self._looks:
            if path.parent == folder:
                self._note(path)

    # -- files -----------------------------------------------------------------------------------------------

    def _note(self, path: Path) -> None:
        """Something happened to a file. Lock held."""
        self._changing[path] = _Changing(_look(path), time.monotonic())
        self._wakes.notify_all()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        looked = time.monotonic()
        while True:
            with self._wakes:
                self._wakes.wait(self._patience(looked))
                if self._stopped:
                    return
                if time.monotonic() - looked >= self._look_every:
                    looked = time.monotonic()
                    self._look_around()
                settled = self._settled()
            for path in settled:
                self._say(path)

    def _patience(self, looked: float) -> float | None:
        now = time.monotonic()
        due = [changing.since + self._debounce - now for changing in self._changing.values()]
        if None in self._folders.values():
            due.append(looked + self._look_every - now)
        return max(0.01, min(due)) if due else None

    def _look_around(self) -> None:
        """Look at the files that nobody tells us of, and whether their folders can be watched by now."""
        blind = [folder for folder, watch in self._folders.items() if watch is None]
        for folder in blind:
            self._folders[folder] = self._watch(folder)
        for path, look in self._looks.items():
            if path.parent in blind and path not in self._changing and _look(path) != look:
                self._note(path)

    def _settled(self) -> list[Path]:
        """Files that have looked the same for long enough. Lock held."""
        now, settled = time.monotonic(), []
        for path, changing in list(self._changing.items()):
            if now - changing.since < self._debounce:
                continue
            look = _look(path)
            if look != changing.look:
                self._changing[path] = _Changing(look, now)
                continue
            del self._changing[path]
            if path in self._looks:
                self._looks[path] = look
                settled.append(path)
        return settled

    def _say(self, path: Path) -> None:
        try:
            self._tell(path)
        except Exception:
            log.exception("nobody heard of the change of %s", path)


class _Listener(FileSystemEventHandler):
    """watchdog's way of telling."""

    def __init__(self, heard: Callable[[FileSystemEvent], None]) -> None:
        self._heard = heard

    def on_any_event(self, event: FileSystemEvent) -> None:
        self._heard(event)


def _look(path: Path) -> _Look:
    """What changes when a file does; None for one that is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
