"""Use ids for external clips: a host can only name a clip that has one."""

from __future__ import annotations

from collections.abc import Container

from msgspec import Raw

from rushes_otio import rawjson
from rushes_otio.adding import use_of
from rushes_otio.errors import RushesError
from rushes_otio.film import Film
from rushes_otio.hosts.lanes import NESTS
from rushes_otio.ids import is_id, new_id
from rushes_otio.items import read_item
from rushes_otio.timing import Rate
from rushes_otio.tracks import Track


def give_uses(film: Film) -> None:
    """Give every external clip that has no use id one, those in nested stacks included."""
    for track in film.tracks:
        for index, item in enumerate(track.items):
            if item.kind == "Clip" and item.use is None:
                use_of(film, track, index)
            elif item.kind in NESTS:
                named = _named(item.raw, film.rate, film.where)
                if named is not item.raw:
                    film.replace(track, index, named)


def name_use(film: Film, place: tuple[Track, int], wanted: str, taken: Container[str]) -> str:
    """The use id of the clip at a place. One that has none gets the `wanted` one, unless that is none or
    `taken`."""
    track, index = place
    item = track.items[index]
    if item.use is None and is_id(wanted) and wanted not in taken:
        item = film.replace(track, index, _with_use(item.raw, wanted, film.where))
    return item.use or use_of(film, track, index)


def _named(raw: Raw, rate: Rate, where: str) -> Raw:
    """A nested item with use ids for all clips in it; the same object where none is needed, or it is
    unreadable."""
    try:
        item = read_item(raw, where, float(rate))
    except RushesError:
        return raw
    if item.kind == "Clip":
        return raw if item.use else _with_use(raw, new_id(), where)
    opened = rawjson.open_object(raw, where)
    if item.kind not in NESTS or bytes(opened.get("children", b"null")) == b"null":
        return raw
    children = rawjson.read(opened["children"], list[Raw], where)
    named = [_named(child, rate, where) for child in children]
    if all(new is old for new, old in zip(named, children, strict=True)):
        return raw
    return rawjson.patch(raw, {"children": rawjson.encode(named)}, where)


def _with_use(raw: Raw, use: str, where: str) -> Raw:
    metadata = rawjson.member(rawjson.open_object(raw, where), "metadata", where)
    metadata["rushes"] = rawjson.encode({"use": use})
    return rawjson.patch(raw, {"metadata": rawjson.encode(metadata)}, where)
