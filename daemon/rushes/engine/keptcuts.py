"""Cuts of a film as they were before and after each conform or fork, so that it can be undone.

A kept cut is brought back by conforming the film to it: intent and takes stay as they are today.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress

from rushes.engine.studio import Desk
from rushes.store.durable import fault_of, write_atomic
from rushes_otio.conforming.applying import conformed
from rushes_otio.conforming.carried import CARRIED
from rushes_otio.conforming.matching import match
from rushes_otio.conforming.omitted import omitted_rows
from rushes_otio.conforming.returned import Cut
from rushes_otio.errors import BadRequest
from rushes_otio.film import Film
from rushes_otio.paths import MediaPaths

KEPT = 12
"""Each is as large as the film."""


def name_of(film: Film) -> str:
    """What the film's cut is called here: `12 clips, 3fa94c…`. The same places, ranges and uses, and the same uses
    of one shot, the same name."""
    sha = hashlib.sha256()
    clips = 0
    firsts: dict[str, str | None] = {}
    for track in film.tracks:
        sha.update(f"{track.kind}\n".encode())
        for item in track.items:
            source = (item.source.start_time, item.source.duration) if item.source else ()
            first = firsts.setdefault(item.block.shot, item.use) if item.block else item.use
            said = (
                item.kind,
                item.use if item.use == first else (item.use, first),
                item.length,
                source,
                item.enabled,
                item.warps,
                item.in_offset,
                item.out_offset,
            )
            sha.update(f"{said}\n".encode())
            clips += item.kind == "Clip"
    return f"{clips} clips, {sha.hexdigest()[:16]}"


def keep(desk: Desk, film: Film) -> str:
    """Keep the film as it is; returns the name of its cut. FileFault when it cannot be written."""
    name = name_of(film)
    folder = desk.places.cuts
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise fault_of(error, folder) from error
    write_atomic(folder / _file(name), film.encode(), label="cut")
    with suppress(OSError):
        files = sorted(folder.glob("*.otio"), key=lambda file: file.stat().st_mtime, reverse=True)
        for old in files[KEPT:]:
            old.unlink(missing_ok=True)
    return name


def bring_back(desk: Desk, film: Film, name: str) -> None:
    """Give the film the kept cut of that name. BadRequest when it is kept no more."""
    path = desk.places.cuts / _file(name)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadRequest(
            "the cut of that time is not kept any more",
            where=os.fspath(path),
            remedy="rushes undo FILM --skip (or redo) passes over this change",
        ) from error
    matching = match(Cut.of_film(film), Cut.read(data, str(path)), omitted_rows(film))
    folder = desk.places.film.parent
    film.become(conformed(film, matching, CARRIED[".otio"], MediaPaths(folder, folder)).text)


def _file(name: str) -> str:
    return f"{name.rpartition(' ')[2]}.otio"
