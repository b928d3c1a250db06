"""The film for other programs: absolute paths, the chosen take alone, slates for what has no picture yet.

Everything foreign stays as it is, byte for byte; our own blocks stay too, for programs that keep metadata.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
from msgspec import Raw

from rushes.export.slates import slate
from rushes.stages.encode import Encoder, EncodeSpec
from rushes.store.durable import replace_with
from rushes.store.places import FilmPlaces
from rushes_otio import rawjson
from rushes_otio.adding import out_of_shot_time
from rushes_otio.build import take_media, time_range
from rushes_otio.film import Film, Track
from rushes_otio.items import DEFAULT_MEDIA, Item


def export_otio(film: Film, places: FilmPlaces, size: tuple[int, int]) -> tuple[bytes, list[tuple[str, str]]]:
    """The text of the exported timeline, and what it does not hold as (use, what)."""
    lost: list[tuple[str, str]] = []
    folder = places.film.parent
    for track in film.tracks:
        for index, item in enumerate(track.items):
            if item.kind != "Clip":
                continue
            if item.block is not None:
                _export_shot(film, track, index, places, size, lost)
            elif any(media.target_url for media in item.media.values()):
                film.replace(track, index, _absolute(item, folder, film.where, list(item.media)))
    return film.encode(_scene_markers(film)), lost


def _export_shot(
    film: Film, track: Track, index: int, places: FilmPlaces, size: tuple[int, int], lost: list[tuple[str, str]]
) -> None:
    item = track.items[index]
    block, media = item.block, item.default_media
    assert block is not None
    if block.chosen is None and media is not None and media.online:
        raw = out_of_shot_time(film, track, index)
        item = film.replace(track, index, raw)
    elif block.chosen is None:
        frames = max(1, round(item.length))
        movie = _slate_movie(film, item, places, size, frames)
        lost.append((item.use or "", "it was never rendered; a slate stands in for it"))
        reference = rawjson.encode(take_media(str(movie), frames, film.rate))
        raw = rawjson.patch(item.raw, {"media_references": rawjson.encode({DEFAULT_MEDIA: reference})}, film.where)
        item = film.replace(track, index, raw)
    film.replace(track, index, _absolute(item, places.film.parent, film.where, [item.active]))


def _absolute(item: Item, folder: Path, where: str, keep: list[str]) -> Raw:
    """The clip with only some of its media references, their relative paths made absolute."""
    clip = rawjson.open_object(item.raw, where)
    key = "media_reference" if "media_reference" in clip else "media_references"
    if key == "media_reference":  # Clip.1
        clip[key] = _absolute_url(clip[key], folder, where)
    else:
        media = rawjson.member(clip, key, where)
        clip[key] = rawjson.encode({k: _absolute_url(m, folder, where) for k, m in media.items() if k in keep})
    return rawjson.encode(clip)


def _absolute_url(raw: Raw, folder: Path, where: str) -> Raw:
    if bytes(raw) == b"null":
        return raw
    reference = rawjson.open_object(raw, where)
    url = msgspec.json.decode(reference.get("target_url", Raw(b"null")))
    if not isinstance(url, str) or not url or "://" in url or Path(url).is_absolute():
        return raw
    return rawjson.patch(raw, {"target_url": rawjson.encode(str(folder / url))}, where)


def _scene_markers(film: Film) -> list[dict[str, object]]:
    """A marker with a duration for each scene: from its first to its last clip on the lowest video track."""
    found: list[dict[str, object]] = []
    zero = round(film.global_start.frames_at(float(film.rate))) if film.global_start else 0
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
                    "marked_range": time_range(zero + start, end - start, film.rate),
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
