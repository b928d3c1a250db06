"""The film for other programs: absolute paths, the chosen take alone, slates for what has no picture yet.

Everything foreign stays as it is, byte for byte; our own blocks stay too, for programs that keep metadata.
"""

from __future__ import annotations

import hashlib
import math
from pathlib import Path, PurePosixPath, PureWindowsPath

from msgspec import Raw

from rushes.export.slates import slate
from rushes.stages.encode import Encoder, EncodeSpec
from rushes.store.durable import replace_with
from rushes.store.places import FilmPlaces
from rushes_otio import rawjson
from rushes_otio.adding import out_of_shot_time
from rushes_otio.build import take_media, time_range
from rushes_otio.cut import needed_frames
from rushes_otio.errors import ShotFault
from rushes_otio.film import Film, Shot
from rushes_otio.items import DEFAULT_MEDIA, Item

_HOLDERS = ("Clip", "Stack", "Track")


def export_otio(film: Film, places: FilmPlaces, size: tuple[int, int]) -> tuple[bytes, list[tuple[str, str]]]:
    """The text of the exported timeline, and what it does not hold as (use, what)."""
    lost: list[tuple[str, str]] = []
    folder = places.film.parent
    for shot in list(film.shots.values()):
        _export_shot(film, shot, places, size, lost)
    for track in film.tracks:
        for index, item in enumerate(track.items):
            if item.kind in _HOLDERS and (raw := _absolute(item.raw, folder, film.where)) is not item.raw:
                film.replace(track, index, raw)
    return film.encode(_scene_markers(film)), lost


def _export_shot(
    film: Film, shot: Shot, places: FilmPlaces, size: tuple[int, int], lost: list[tuple[str, str]]
) -> None:
    """Every use with one media reference: the chosen take, else the original it still shows, else a slate."""
    chosen, frames = shot.block.chosen, _slate_length(film, shot)
    for track, index in shot.uses:
        item = track.items[index]
        media, use = item.default_media, item.use or ""
        if chosen is None and (media is None or media.OTIO_SCHEMA.startswith("MissingReference.")):
            reference = take_media(str(_slate_movie(film, item, places, size, frames)), frames, film.rate)
            film.replace(track, index, _with_media(item, rawjson.encode(reference), film.where))
            lost.append((use, "it was never rendered; a slate stands in for it"))
            continue
        if chosen and media and not (places.film.parent / (media.target_url or "")).is_file():
            lost.append((use, f"its take {chosen.take} is offline; its path is kept"))
        if chosen is None and shot.block.shift:
            item = film.replace(track, index, out_of_shot_time(film, track, index))
        film.replace(track, index, _with_one_media(item, film.where))


def _slate_length(film: Film, shot: Shot) -> int:
    """Frames that a slate needs: those the film knows of, and those the cut asks for."""
    ranges = [item.default_media.available_range for item in shot.items if item.default_media]
    known = [math.ceil(r.duration.frames_at(float(film.rate))) for r in ranges if r is not None]
    try:
        return max(1, needed_frames(film, shot), *known)
    except ShotFault:  # an invalid shot has a slate too
        return max(1, *known, *(math.ceil(item.length) for item in shot.items))


def _with_one_media(item: Item, where: str) -> Raw:
    """The clip without its other media references; as it is when it has one."""
    if len(item.media) < 2:
        return item.raw
    media = rawjson.member(rawjson.open_object(item.raw, where), "media_references", where)
    return _with_media(item, media[item.active], where)


def _with_media(item: Item, reference: Raw, where: str) -> Raw:
    media = {"media_references": {DEFAULT_MEDIA: reference}, "active_media_reference_key": DEFAULT_MEDIA}
    return rawjson.patch(item.raw, {key: rawjson.encode(value) for key, value in media.items()}, where)


def _absolute(raw: Raw, folder: Path, where: str) -> Raw:
    """An item, whatever is nested in it included, with its relative media paths made absolute; the same object
    when there are none.
    """
    opened = rawjson.open_object(raw, where)
    changes: dict[str, Raw] = {}
    if _has(opened, "media_reference"):  # Clip.1
        changes["media_reference"] = _absolute_media(opened["media_reference"], folder, where)
    media = rawjson.member(opened, "media_references", where)
    moved = {key: _absolute_media(reference, folder, where) for key, reference in media.items()}
    if any(moved[key] is not media[key] for key in media):
        changes["media_references"] = rawjson.encode(moved)
    if _has(opened, "children"):
        children = rawjson.read(opened["children"], list[Raw], where)
        inner = [_absolute(child, folder, where) for child in children]
        if any(new is not old for new, old in zip(inner, children, strict=True)):
            changes["children"] = rawjson.encode(inner)
    changed = {key: value for key, value in changes.items() if value is not opened[key]}
    return rawjson.patch(raw, changed, where) if changed else raw


def _absolute_media(raw: Raw, folder: Path, where: str) -> Raw:
    if bytes(raw) == b"null":
        return raw
    reference = rawjson.open_object(raw, where)
    changes: dict[str, Raw] = {}
    for key in ("target_url", "target_url_base"):  # the second names the folder of an image sequence
        url = rawjson.read(reference[key], str, where) if _has(reference, key) else ""
        if url and "://" not in url and not PurePosixPath(url).is_absolute() and not PureWindowsPath(url).drive:
            changes[key] = rawjson.encode(f"{folder}/{url}")  # `/` of Path would drop a final one
    return rawjson.patch(raw, changes, where) if changes else raw


def _has(opened: rawjson.RawObject, key: str) -> bool:
    return bytes(opened.get(key, b"null")) != b"null"


def _scene_markers(film: Film) -> list[dict[str, object]]:
    """A marker with a duration for each scene: from its first to its last clip on the lowest video track. Its
    times are those of the stack it stands on, which count from 0 whatever the start timecode is.
    """
    found: list[dict[str, object]] = []
    for scene in film.block.scenes:
        items = [i for t in film.video[:1] for i in t.items if i.block and i.block.scene == scene.id]
        if items:
            start, end = round(items[0].start), round(items[-1].start + items[-1].length)
            found.append(
                {
                    "OTIO_SCHEMA": "Marker.2",
                    "metadata": {"rushes": {"scene": scene.id}},
                    "name": f"{scene.code} {scene.name}",
                    "color": "GREEN",
                    "marked_range": time_range(start, end - start, film.rate),
                    "comment": "",
                }
            )
    return found


def _slate_movie(film: Film, item: Item, places: FilmPlaces, size: tuple[int, int], frames: int) -> Path:
    """A slate as long as the clip, made once for the same words, length and size."""
    block = item.block
    assert block is not None
    picture = slate(film, item, size)
    token = hashlib.sha256(picture.tobytes() + f"{frames} {film.rate}".encode()).hexdigest()[:8]
    folder = places.folder / "slates"
    movie = folder / f"slate__{block.shot}_{token}.mov"
    if movie.exists():
        return movie
    folder.mkdir(parents=True, exist_ok=True)
    timecode = film.rate.timecode(film.rate.shot_zero)
    part = movie.with_name(f".{movie.name}.part")
    with Encoder(part, EncodeSpec(size, str(film.rate), "prores", timecode, block.shot, {})) as encoder:
        for _ in range(frames):
            encoder.write(picture)
    replace_with(part, movie)
    return movie
