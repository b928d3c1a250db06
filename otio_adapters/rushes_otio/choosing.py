"""Takes in the cut: choosing one, and what people said of them. Nothing here touches a disk."""

from __future__ import annotations

from msgspec import Raw

from rushes_otio import rawjson
from rushes_otio.build import take_media
from rushes_otio.film import Film
from rushes_otio.items import DEFAULT_MEDIA, Item
from rushes_otio.schema import Chosen, ShotBlock, TakeMark
from rushes_otio.tracks import Track

ORIGINAL = "original"


def choose(film: Film, shot_id: str, chosen: Chosen, path: str, frames: int) -> None:
    """Put a take into the cut: the DEFAULT_MEDIA of every use, and the shot's accepted recipe.

    `path` is the movie's path relative to the film's folder, `frames` its length. The first time, media that
    was there before the shot had a take is kept under the key `original`; a circled take keeps a key of its own.
    """
    shot = film.shots[shot_id]
    block = shot.block
    for track, index in shot.uses:
        item = track.items[index]
        media = _raw_media(item, film.where)
        previous = media.get(DEFAULT_MEDIA)
        if previous is not None and block.chosen is None and not _empty_slot(previous, film.where):
            media.setdefault(ORIGINAL, previous)
        elif previous is not None and block.chosen and _circled(block, block.chosen.take):
            media[block.chosen.take] = previous
        media[DEFAULT_MEDIA] = rawjson.encode(take_media(path, frames, film.rate))
        _put_media(film, track, index, media)
    waiting = None if block.waiting == chosen.take else block.waiting
    film.patch_shot(shot_id, chosen=chosen, waiting=waiting)


def _raw_media(item: Item, where: str) -> dict[str, Raw]:
    return rawjson.member(rawjson.open_object(item.raw, where), "media_references", where)


def _empty_slot(raw: Raw, where: str) -> bool:
    """Whether a media reference says no more than that there is no media."""
    if bytes(raw) == b"null":
        return True
    reference = rawjson.open_object(raw, where)
    schema = rawjson.read(reference.get("OTIO_SCHEMA", Raw(b'""')), str, where)
    return schema.startswith("MissingReference.") and not rawjson.member(reference, "metadata", where)


def _put_media(film: Film, track: Track, index: int, media: dict[str, Raw]) -> None:
    changes = {
        "media_references": rawjson.encode(media),
        "active_media_reference_key": rawjson.encode(DEFAULT_MEDIA),
    }
    film.replace(track, index, rawjson.patch(track.items[index].raw, changes, film.where))


def _circled(block: ShotBlock, take: str) -> bool:
    return take in block.takes and block.takes[take].circled


def mark_take(film: Film, shot_id: str, take: str, mark: TakeMark, path: str, frames: int) -> None:
    """Record what people said of a take. A circled take is a further media reference of the clip."""
    shot = film.shots[shot_id]
    takes = {**shot.block.takes, take: mark}
    for track, index in shot.uses:
        media = _raw_media(track.items[index], film.where)
        if mark.circled:
            media[take] = rawjson.encode(take_media(path, frames, film.rate))
        else:
            media.pop(take, None)
        _put_media(film, track, index, media)
    film.patch_shot(shot_id, takes={k: t for k, t in takes.items() if t != TakeMark()})
