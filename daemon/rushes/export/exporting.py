"""One export from beginning to end, by the suffix of its file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from rushes.engine.studio import Desk
from rushes.store.durable import fault_of, replace_with, write_atomic
from rushes.store.places import FilmPlaces
from rushes_otio.errors import BadRequest
from rushes_otio.film import Film
from rushes_otio.resolve import Resolver

Lost = list[tuple[str, str]]
Progress = Callable[[int, int], None]

SUFFIXES = (".otio", ".mp4", ".mov", ".png")


def export_film(desk: Desk, out: Path, progress: Progress) -> Lost:
    """Write `out`, replacing an earlier export; returns what it does not hold as (use or name, what)."""
    if out.suffix.lower() not in SUFFIXES:
        raise BadRequest(
            f"{out.name} is of no kind that Rushes exports",
            remedy="name it " + ", ".join(f"NAME{s}" for s in SUFFIXES),
        )
    try:
        return _exported(desk, out, progress)
    except OSError as e:
        raise fault_of(e, out) from e


def _exported(desk: Desk, out: Path, progress: Progress) -> Lost:
    _check_place(desk, out)
    film = desk.read()
    _spare_footage(desk, film, out)
    width, _, height = str(Resolver(film).delivery()["size"]).partition("x")
    writers = {".otio": _otio, ".png": _sheet, ".mp4": _movie, ".mov": _movie}
    return writers[out.suffix.lower()](desk, film, out, (int(width), int(height)), progress)


def _check_place(desk: Desk, out: Path) -> None:
    """BadRequest where an export would replace something that is none, or could not be written at all."""
    real, places = Path(os.path.realpath(out)), desk.places
    if real == places.film:
        raise BadRequest("the export would replace the film itself", where=str(out), remedy="name another file")
    if real.is_relative_to(places.folder):
        raise BadRequest(
            f"{places.folder.name} holds the takes of the film, which are never replaced",
            where=str(out),
            remedy="export to another folder",
        )
    if real.suffix.lower() == ".otio" and FilmPlaces.of(real).folder.is_dir():
        raise BadRequest("a film of its own is there", where=str(out), remedy="name another file")
    if out.is_dir():
        raise BadRequest("a folder has that name", where=str(out), remedy="name another file")
    if not out.parent.is_dir():
        raise BadRequest(f"there is no folder {out.parent}", remedy="make it first")


def _spare_footage(desk: Desk, film: Film, out: Path) -> None:
    """BadRequest when `out` is media of the cut."""
    real, folder = os.path.realpath(out), desk.places.film.parent
    media = (m for track in film.tracks for item in track.items for m in item.media.values())
    urls = {m.target_url.removeprefix("file://") for m in media if m.target_url} if out.exists() else set()
    if any(os.path.realpath(folder / url) == real for url in urls):
        raise BadRequest("the export would replace media of the cut", where=str(out), remedy="name another file")


def _otio(desk: Desk, film: Film, out: Path, size: tuple[int, int], progress: Progress) -> Lost:
    from rushes.export.otio import export_otio

    text, lost = export_otio(film, desk.places, size)
    write_atomic(out, text, label="export")
    progress(1, 1)
    return lost


def _movie(desk: Desk, film: Film, out: Path, size: tuple[int, int], progress: Progress) -> Lost:
    from rushes.export.movie import export_movie
    from rushes.export.pictures import Pictures

    pictures = Pictures(film, desk.files, size, str(film.rate))
    export_movie(film, pictures, out, "prores" if out.suffix.lower() == ".mov" else "view", progress)
    silent = [t.label for t in film.tracks if t.kind == "Audio" and any(i.kind == "Clip" for i in t.items)]
    said = [("", f"the movie is silent; the cut has sound on {', '.join(silent)}")] if silent else []
    return [*pictures.lost.items(), *said]


def _sheet(desk: Desk, film: Film, out: Path, size: tuple[int, int], progress: Progress) -> Lost:
    from rushes.export.pictures import Pictures
    from rushes.export.sheet import contact_sheet

    pictures = Pictures(film, desk.files, size, str(film.rate))
    sheet = contact_sheet(film, desk.plan(film), pictures)
    part = out.with_name(f".{out.name}.part")
    try:
        sheet.save(part, "PNG", optimize=True)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    replace_with(part, out)
    progress(1, 1)
    return list(pictures.lost.items())
