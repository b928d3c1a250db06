"""Films on disk: read, and changed under a lock with the previous version kept.

A film is read, changed and saved while its lock is held, so two writers follow each other and neither overwrites
what the other did. The file is replaced as a whole or not at all.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from rushes.store.durable import fault_of, tidy, tidy_parts, write_atomic
from rushes.store.locks import film_lock
from rushes.store.places import FilmPlaces, Places
from rushes_otio.errors import BadRequest, FileFault, Overtaken
from rushes_otio.film import Film
from rushes_otio.rawjson import MAX_BYTES


def read_bytes(path: Path) -> bytes:
    """A film's or cut's text; FileFault when it is missing, unreadable, or over the limit before it is read."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise FileFault("this is not a file", where=str(path), remedy="name an .otio file")
        size = found.st_size
        if size > MAX_BYTES:
            raise FileFault(
                f"the file has {size:,} bytes; the limit is {MAX_BYTES:,}",
                where=str(path),
                remedy="split the film, or remove what other programs stored in its metadata",
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise FileFault(
            "there is no such file", where=str(path), remedy="make a film: rushes new FILM.otio"
        ) from None
    except OSError as e:
        raise FileFault(
            f"the file cannot be read: {os.strerror(e.errno or 0)}", where=str(path), remedy="check the path"
        ) from None


def read_film(path: Path) -> Film:
    """The film in a file."""
    return Film(read_bytes(path), str(path))


@contextmanager
def changing(places: Places, path: Path) -> Iterator[Film]:
    """The film, to be changed: saved at the end of the block if it was, left alone if the block raises."""
    with film_lock(places, path):
        data = read_bytes(path)
        film = Film(data, str(path))
        yield film
        if film.changed:
            save(path, film.encode(), data)


def create(places: Places, path: Path, film: Film) -> None:
    """Write a new film; BadRequest when the file is there already."""
    with film_lock(places, path):
        if path.exists():
            raise BadRequest(
                "the file is there already", where=str(path), remedy="choose another name, or delete it first"
            )
        write_atomic(path, film.encode(), label="film")


def tidy_film(places: FilmPlaces) -> None:
    """Sweep what killed processes left unfinished of a film and its takes. For who holds its render lock."""
    tidy(places.film.parent)
    tidy(places.folder)
    tidy_parts(places.takes)


def save(path: Path, data: bytes, previous: bytes) -> None:
    """Replace a film's text, its last one kept beside it. The film's lock is held by the caller. Overtaken when
    another program, which knows no locks, has written it since `previous` was read.
    """
    kept = FilmPlaces.of(path).previous
    try:
        kept.parent.mkdir(exist_ok=True)
    except OSError as e:
        raise fault_of(e, kept.parent) from None
    write_atomic(kept, previous, label="previous")
    write_atomic(path, data, label="film", check=partial(_still, path, previous))


def _still(path: Path, previous: bytes) -> None:
    if path.read_bytes() != previous:
        raise Overtaken(
            "another program changed the film in the same moment", where=str(path), remedy="do it again"
        )
