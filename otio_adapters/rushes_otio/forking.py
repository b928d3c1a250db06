"""A use of a shot that becomes a shot of its own. Nothing here touches a disk."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from rushes_otio import rawjson
from rushes_otio.adding import next_shot_name
from rushes_otio.errors import BadRequest
from rushes_otio.film import Film, Shot, patch_block
from rushes_otio.items import DEFAULT_MEDIA
from rushes_otio.pointing import find_place, find_shot
from rushes_otio.schema import Chosen, ShotBlock
from rushes_otio.text import printable
from rushes_otio.tracks import Track


def find_shared_use(film: Film, text: str) -> tuple[Track, int]:
    """The use of a shot that `text` means: a use id, `V1@120`, or a shot. BadRequest for what is no shot's, for
    a shot with several uses, and for a shot's only use."""
    place = find_place(film, text) or film.find_use(text.casefold())
    if place is None:
        place = _only_use(film, find_shot(film, text))
    item = place[0].items[place[1]]
    if item.block is None:
        raise BadRequest(
            f"{printable(text, 60)} is no shot yet",
            where=film.where,
            remedy=f'give it intent, and it becomes one: rushes set FILM {_at(place)} prompt="…"',
        )
    if len(film.shots[item.block.shot].uses) < 2:
        raise BadRequest(
            f"{printable(item.block.name, 60)} is a shot of its own already: this is its only use",
            where=film.where,
            remedy="copy or blade its clip in an editor first",
        )
    return place


def _only_use(film: Film, shot: Shot) -> tuple[Track, int]:
    if len(shot.uses) == 1:
        return shot.uses[0]
    uses = ", ".join(f"{track.items[index].use} ({_at((track, index))})" for track, index in shot.uses[:8])
    raise BadRequest(
        f"{printable(shot.block.name, 60)} has {len(shot.uses)} uses",
        where=film.where,
        remedy=f"say one of: {uses}",
    )


def _at(place: tuple[Track, int]) -> str:
    track, index = place
    return f"{track.label}@{round(track.items[index].start)}"


def own_block(film: Film, block: ShotBlock, shot_id: str) -> ShotBlock:
    """What a use says once it is the shot `shot_id`: its intent, scene and note, under the next free name of the
    scene. It is not locked, and has no takes."""
    return msgspec.structs.replace(
        block,
        shot=shot_id,
        name=next_shot_name(film, film.scene(block.scene)),
        locked=False,
        next_take=1,
        chosen=None,
        waiting=None,
        takes={},
    )


def make_own(film: Film, place: tuple[Track, int], own: ShotBlock, chosen: Chosen | None) -> Shot:
    """Give the use at this place the block `own`, with the take `chosen`. Media of takes of the shot that it was a
    use of goes; `choosing.choose` puts the new take's in."""
    track, index = place
    item, where = track.items[index], film.where
    assert item.block is not None
    names = ("shot", "name", "locked", "waiting", "takes")
    changes: dict[str, Raw | None] = {name: rawjson.encode(getattr(own, name)) for name in names}
    changes["next_take"] = rawjson.encode(2 if chosen else 1)
    changes["chosen"] = rawjson.encode(chosen)
    clip = rawjson.open_object(patch_block(item.raw, changes, where), where)
    if item.name == item.block.name:
        clip["name"] = rawjson.encode(own.name)
    media = rawjson.member(clip, "media_references", where)
    gone = item.block.takes.keys() - {DEFAULT_MEDIA}
    clip["media_references"] = rawjson.encode({key: raw for key, raw in media.items() if key not in gone})
    film.replace(track, index, rawjson.encode(clip))
    return film.shots[own.shot]
