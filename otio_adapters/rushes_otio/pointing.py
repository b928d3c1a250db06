"""How people point at shots: an id, a name, a unique part of one, or `V1@120`: what stands at a record frame."""

from __future__ import annotations

import re
from difflib import get_close_matches

from rushes_otio.errors import BadRequest
from rushes_otio.film import Film, Shot
from rushes_otio.schema import Scene
from rushes_otio.text import printable
from rushes_otio.tracks import Track

_PLACE = re.compile(r"([VA][0-9]{1,3})@([0-9]{1,9})", re.IGNORECASE)


def find_place(film: Film, text: str) -> tuple[Track, int] | None:
    """The item that `V1@120` points at, None when `text` is no such thing; BadRequest when nothing is there."""
    match = _PLACE.fullmatch(text)
    if match is None:
        return None
    track = next((t for t in film.tracks if t.label == match[1].upper()), None)
    if track is None:
        labels = ", ".join(t.label for t in film.tracks)
        raise BadRequest(f"there is no track {match[1].upper()}", where=film.where, remedy=f"tracks: {labels}")
    at = int(match[2])
    for index, item in enumerate(track.items):
        if item.length > 0 and item.start <= at < item.start + item.length:
            return track, index
    raise BadRequest(
        f"{track.label} is {track.end:.0f} frames long; nothing stands at record frame {at}",
        where=film.where,
        remedy="record frames count from 0",
    )


def find_shot(film: Film, text: str) -> Shot:
    """The one shot that `text` means; BadRequest, with near names, when it is none or several."""
    place = find_place(film, text)
    if place is not None:
        block = place[0].items[place[1]].block
        if block is None:
            raise BadRequest(
                f"{text} is no shot yet",
                where=film.where,
                remedy=f'give it intent first: rushes set FILM {text} prompt="…"',
            )
        return film.shots[block.shot]
    wanted = text.casefold()
    if wanted in film.shots:
        return film.shots[wanted]
    named = [s for s in film.shots.values() if s.block.name.casefold() == wanted]
    used = [s for s in film.shots.values() if any(i.use == wanted for i in s.items)]
    partly = [s for s in film.shots.values() if _partly(wanted, s)]
    found = named or used or partly
    if len(found) == 1:
        return found[0]
    raise _none(film, text) if not found else _several(film, text, found)


def _partly(wanted: str, shot: Shot) -> bool:
    return bool(wanted) and (wanted in shot.block.name.casefold() or wanted in shot.block.shot)


def _none(film: Film, text: str) -> BadRequest:
    names = [s.block.name for s in film.shots.values()]
    close = get_close_matches(text, names, n=3, cutoff=0.4)
    remedy = "near: " + ", ".join(printable(n, 40) for n in close) if close else "see rushes status FILM"
    return BadRequest(f"no shot is called {printable(text, 60)!r}", where=film.where, remedy=remedy)


def _several(film: Film, text: str, found: list[Shot]) -> BadRequest:
    listed = ", ".join(f"{printable(s.block.name, 40)} ({s.block.shot})" for s in found[:6])
    return BadRequest(
        f"{printable(text, 60)!r} means {len(found)} shots: {listed}",
        where=film.where,
        remedy="say more of the name, or the id in brackets",
    )


def find_scene(film: Film, text: str) -> Scene | None:
    """The scene with this id, code or name (any case), or None."""
    wanted = text.casefold()
    for key in ("id", "code", "name"):
        found = [s for s in film.block.scenes if getattr(s, key).casefold() == wanted]
        if len(found) == 1:
            return found[0]
        if len(found) > 1:
            codes = ", ".join(s.code for s in found)
            raise BadRequest(
                f"{printable(text, 60)!r} means {len(found)} scenes",
                where=film.where,
                remedy=f"say one of: {codes}",
            )
    return None
