"""One export from beginning to end, by the suffix of its file."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rushes.engine.studio import Desk
from rushes.export.cuts import PROGRAMS, delivery_size
from rushes.store.durable import fault_of, write_atomic
from rushes.store.places import FilmPlaces
from rushes_otio.errors import BadRequest
from rushes_otio.film import Film

Lost = list[tuple[str, str]]
Progress = Callable[[int, int], None]

SUFFIXES = (".otio", ".edl", ".xml", ".mp4", ".mov", ".csv", ".png")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of an export beside its file: a program it is for ("resolve", "premiere", or none), a marker
    on each shot that says who it is, names and timecode in the picture."""

    program: str = ""
    markers: bool = False
    burn_in: bool = False


def export_film(desk: Desk, out: Path, progress: Progress, wanted: Wanted = Wanted()) -> Lost:
    """Write `out`, replacing an earlier export; returns what it does not hold as (use or name, what)."""
    suffix = out.suffix.lower()
    if suffix not in SUFFIXES:
        raise BadRequest(
            f"{out.name} is of no kind that Rushes exports",
            remedy="name it " + ", ".join(f"NAME{s}" for s in SUFFIXES) + "; a shot needs --frames",
        )
    check_wanted(suffix, wanted)
    try:
        return _exported(desk, out, progress, wanted)
    except OSError as e:
        raise fault_of(e, out) from e


def check_wanted(suffix: str, wanted: Wanted) -> None:
    """BadRequest for a wish that this kind of file cannot fulfil: silence would look like success."""
    cut, movie = (".otio", ".edl", ".xml"), (".mp4", ".mov")
    for asked, kinds, option in (
        (wanted.program, cut, f"--for {wanted.program}"),
        (wanted.markers, cut, "--markers"),
        (wanted.burn_in, movie, "--burn-in"),
    ):
        if asked and suffix not in kinds:
            raise BadRequest(f"{option} means nothing for {suffix}", remedy=f"it is for {', '.join(kinds)}")
    if wanted.program not in ("", *PROGRAMS):
        raise BadRequest(f"no program is called {wanted.program!r} here", remedy="--for " + " or ".join(PROGRAMS))


def _exported(desk: Desk, out: Path, progress: Progress, wanted: Wanted) -> Lost:
    check_place(desk, out)
    film = desk.read()
    _spare_footage(desk, film, out)
    writers = {".png": _sheet, ".csv": _table, ".mp4": _movie, ".mov": _movie}
    return writers.get(out.suffix.lower(), _timeline)(desk, film, out, progress, wanted)


def check_place(desk: Desk, out: Path) -> None:
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


def _timeline(desk: Desk, film: Film, out: Path, progress: Progress, wanted: Wanted) -> Lost:
    from rushes.export.cuts import export_timeline
    from rushes.export.otio import Shape

    shape = Shape(out.suffix.lower(), wanted.program, wanted.markers)
    lost = export_timeline(desk, film, out, delivery_size(film), shape)
    progress(1, 1)
    return lost


def _table(desk: Desk, film: Film, out: Path, progress: Progress, wanted: Wanted) -> Lost:
    del wanted
    from rushes.export.shotlist import shot_list

    # Excel takes a file without the mark for one in the code page of its country.
    write_atomic(out, shot_list(film, desk.plan(film)).encode("utf-8-sig"), label="export")
    progress(1, 1)
    return []


def _movie(desk: Desk, film: Film, out: Path, progress: Progress, wanted: Wanted) -> Lost:
    from rushes.export.burnin import BurnIn
    from rushes.export.movie import export_movie, plain
    from rushes.export.pictures import Pictures
    from rushes.export.sound import Sound

    size = delivery_size(film)
    pictures, sound = Pictures(film, desk.files, size, str(film.rate)), Sound(film, desk.files)
    finish = BurnIn(film, size) if wanted.burn_in else plain
    codec = "prores" if out.suffix.lower() == ".mov" else "view"
    export_movie(film, pictures, out, codec, progress, sound, finish)
    return [*pictures.lost.items(), *sound.lost.items()]


def _sheet(desk: Desk, film: Film, out: Path, progress: Progress, wanted: Wanted) -> Lost:
    del wanted
    from rushes.export.pictures import Pictures
    from rushes.export.sheet import contact_sheet, save

    pictures = Pictures(film, desk.files, delivery_size(film), str(film.rate))
    sheet = contact_sheet(film, desk.plan(film), pictures)
    save(sheet, out)
    progress(1, 1)
    return list(pictures.lost.items())
