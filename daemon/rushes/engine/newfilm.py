"""New films: empty, from a Fountain script, from a cut."""

from __future__ import annotations

from pathlib import Path

from msgspec import Raw

from rushes.limited.foreign import read_cut
from rushes.store import films
from rushes.store.places import Places
from rushes_otio import rawjson
from rushes_otio.adding import add_scene, add_shot
from rushes_otio.build import film_from_cut, new_film
from rushes_otio.errors import BadRequest
from rushes_otio.film import Film
from rushes_otio.formats.reading import SUFFIXES
from rushes_otio.fountain import Script, parse_script, read_script
from rushes_otio.setting import Level, put_intent
from rushes_otio.timing import Rate

_SCRIPTS = (".fountain", ".txt", ".spmd")


def create_film(path: Path, source: Path | None, rate: str) -> tuple[Film, list[str]]:
    """Write a new film and return it with what its maker should know. BadRequest when the file exists."""
    if path.suffix != ".otio":
        raise BadRequest(f"a film is an .otio file, not {path.name!r}", remedy=f"rushes new {path.stem}.otio")
    if not path.parent.is_dir():
        raise BadRequest(f"there is no folder {path.parent}", remedy="make it first")
    film, warnings = _made(path, source, rate)
    films.create(Places.of_user(), path, film)
    return film, warnings


def _made(path: Path, source: Path | None, rate: str) -> tuple[Film, list[str]]:
    if source is None:
        return new_film(path.stem, Rate.parse(rate), str(path)), []
    suffix = source.suffix.lower()
    if suffix in _SCRIPTS:
        script = read_script(source, Rate.parse(rate))
        return film_of_script(script, path, Rate.parse(rate)), list(script.warnings)
    if suffix not in SUFFIXES:
        raise BadRequest(
            f"{source.name} cannot be read: Rushes reads .fountain scripts and cuts ({', '.join(SUFFIXES)})",
            where=str(source),
            remedy="export the cut as OpenTimelineIO (.otio)",
        )
    cut = read_cut(source, Rate.parse(rate))
    return film_from_cut(cut.text, str(source)), cut.notes


def film_of_text(text: str, path: Path, rate: Rate) -> Film:
    """A film of a script's text, not written to disk."""
    return film_of_script(parse_script(text, rate), path, rate)


def film_of_script(script: Script, path: Path, rate: Rate) -> Film:
    """A film of a parsed script: its scenes, its library, and a shot for each action paragraph."""
    film = new_film(script.title or path.stem, rate, str(path))
    put_intent(film, Level("film"), _raw(dict(script.film_intent)))
    for kind in ("character", "location", "style"):
        for name, entry in getattr(script, f"{kind}s").items():
            put_intent(film, Level(kind, name), _raw({"description": entry.description}))
    previous: str | None = None
    for written in script.scenes:
        scene = add_scene(film, written.name, dict(written.intent))
        for shot in written.shots:
            intent = {"prompt": shot.prompt, **shot.intent}
            if shot.continues and previous is not None:
                intent["first_frame"] = {"from": previous, "at": "out"}
            made = add_shot(film, scene, shot.frames, intent)
            previous = made.items[0].use
            if shot.note:
                film.patch_shot(made.block.shot, note=shot.note)
    return film


def _raw(intent: dict[str, object]) -> dict[str, Raw]:
    return {key: rawjson.encode(value) for key, value in intent.items()}
