"""New scenes, new shots, and external clips or gaps that become shots. Nothing here touches a disk."""

from __future__ import annotations

import math
import re
from typing import Any

import msgspec
from msgspec import Raw

from rushes_otio import rawjson
from rushes_otio.build import missing_media, shifted, shot_clip, time_range
from rushes_otio.cut import speed, transitions
from rushes_otio.errors import BadRequest
from rushes_otio.film import Film, Shot
from rushes_otio.ids import new_id
from rushes_otio.items import DEFAULT_MEDIA, MAX_FRAMES, Item
from rushes_otio.schema import Scene, ShotBlock
from rushes_otio.text import readable_token
from rushes_otio.tracks import Track

Intent = dict[str, Any]


def add_scene(film: Film, name: str, intent: Intent | None = None) -> Scene:
    """A new scene at the end of the scene table, with the next free code (SC010, SC020 …)."""
    taken = [int(m[1]) for s in film.block.scenes if (m := re.fullmatch(r"SC(\d+)", s.code))]
    is_code = re.fullmatch(r"SC\d+", name) and not any(s.code == name for s in film.block.scenes)
    code = name if is_code else f"SC{(max(taken, default=0) // 10 + 1) * 10:03d}"
    scene = Scene(new_id(), code, name, rawjson.encode(intent or {}))
    film.patch_block(scenes=[*film.raw_scenes(), scene])
    return scene


def add_shot(film: Film, scene: Scene, frames: int, intent: Intent, after: Shot | None = None) -> Shot:
    """A new shot of `frames` frames, after another one, else after the last shot of its scene, else at the end."""
    if not 1 <= frames <= MAX_FRAMES:
        raise BadRequest(f"a shot has 1 to {MAX_FRAMES:,} frames, not {frames:,}", remedy="--frames 48")
    track, index = _place_after(film, scene, after)
    block = ShotBlock(new_id(), new_id(), next_shot_name(film, scene), scene.id, rawjson.encode(intent))
    item = film.insert(track, index, shot_clip(block, frames, film.rate))
    assert item.block is not None
    return film.shots[item.block.shot]


def _place_after(film: Film, scene: Scene, after: Shot | None) -> tuple[Track, int]:
    if after is not None:
        track, index = after.uses[-1]
        return track, index + 1
    if not film.video:
        raise BadRequest("the film has no video track", where=film.where, remedy="add one in an editor")
    track = film.video[0]
    last = [i for i, item in enumerate(track.items) if item.block and item.block.scene == scene.id]
    return track, (last[-1] + 1 if last else len(track.items))


def next_shot_name(film: Film, scene: Scene | None) -> str:
    """`SC010_SH020`: ten above the highest number among the scene's shots, those that may come back included."""
    prefix = f"{scene.code}_" if scene else ""
    pattern = re.compile(re.escape(prefix) + r"SH(\d+)")
    names = [*(shot.block.name for shot in film.shots.values()), *_omitted_names(film)]
    taken = [int(m[1]) for name in names if (m := pattern.fullmatch(name))]
    return f"{prefix}SH{(max(taken, default=0) // 10 + 1) * 10:03d}"


class _Omitted(msgspec.Struct):
    name: str = ""


def _omitted_names(film: Film) -> list[str]:
    return [
        rawjson.read(raw, _Omitted, f"{film.where}: metadata.rushes.omitted").name for raw in film.block.omitted
    ]


def make_shot(film: Film, track: Track, index: int) -> Shot:
    """The external clip or gap at this place as a shot of its own, state missing.

    Its media stays, its times and markers are moved into shot time by one constant, kept as `shift`.
    """
    item = track.items[index]
    place = f"{film.where}: {track.label} record frame {item.start:.0f}"
    if track.kind != "Video" or item.kind not in ("Clip", "Gap"):
        raise BadRequest(
            f"a {item.kind.lower()} on {track.label} cannot become a shot",
            where=place,
            remedy="point at a clip or gap on a video track",
        )
    length = round(item.length)
    if abs(item.length - length) > 1e-3 or length < 1:
        raise BadRequest(
            f"the clip is {item.length:g} frames long at {film.rate}; a shot has whole frames",
            where=place,
            remedy="trim it to whole frames",
        )
    block = ShotBlock(item.use or new_id(), new_id(), _name_for(film, item))
    raw = _gap_as_clip(film, item, length) if item.kind == "Gap" else _in_shot_time(film, track, index, block)
    made = film.replace(track, index, _with_block(raw, block, place))
    assert made.block is not None
    return film.shots[made.block.shot]


def _name_for(film: Film, item: Item) -> str:
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", item.name)
    return readable_token(stem) or next_shot_name(film, None)


def _gap_as_clip(film: Film, item: Item, length: int) -> Raw:
    rate = film.rate
    return rawjson.patch(
        item.raw,
        {
            "OTIO_SCHEMA": rawjson.encode("Clip.2"),
            "source_range": rawjson.encode(time_range(rate.shot_zero, length, rate)),
            "media_references": rawjson.encode({DEFAULT_MEDIA: missing_media(length, rate)}),
            "active_media_reference_key": rawjson.encode(DEFAULT_MEDIA),
        },
        film.where,
    )


def _in_shot_time(film: Film, track: Track, index: int, block: ShotBlock) -> Raw:
    rate, item, where = film.rate, track.items[index], film.where
    first, start = _first_shown(film, track, index)
    block.shift = rate.shot_zero - first
    clip = rawjson.open_object(item.raw, where)
    clip["source_range"] = rawjson.encode(time_range(start + block.shift, round(item.length), rate))
    if "media_reference" in clip:  # Clip.1
        clip["OTIO_SCHEMA"] = rawjson.encode("Clip.2")
        clip["media_references"] = rawjson.encode({DEFAULT_MEDIA: clip.pop("media_reference")})
        clip["active_media_reference_key"] = rawjson.encode(DEFAULT_MEDIA)
    _move_media_and_markers(clip, block.shift, film)
    return rawjson.encode(clip)


def out_of_shot_time(film: Film, track: Track, index: int) -> Raw:
    """The text of a shot's clip that still shows its original media, with its times as the media counts them."""
    item, where = track.items[index], film.where
    assert item.block is not None
    clip = rawjson.open_object(item.raw, where)
    clip["source_range"] = shifted(clip["source_range"], -item.block.shift, film.rate, where)
    _move_media_and_markers(clip, -item.block.shift, film)
    return rawjson.encode(clip)


def _move_media_and_markers(clip: rawjson.RawObject, shift: int, film: Film) -> None:
    where = film.where
    media = rawjson.member(clip, "media_references", where)
    clip["media_references"] = rawjson.encode(
        {key: _moved(raw, "available_range", shift, film) for key, raw in media.items()}
    )
    if "markers" in clip:
        markers = rawjson.read(clip["markers"], list[Raw], where) if bytes(clip["markers"]) != b"null" else []
        clip["markers"] = rawjson.encode([_moved(m, "marked_range", shift, film) for m in markers])


def _first_shown(film: Film, track: Track, index: int) -> tuple[int, int]:
    """The first media frame an item shows, a transition before it included, and its in-point."""
    item = track.items[index]
    source = item.source or (item.default_media.available_range if item.default_media else None)
    assert source is not None  # the reader refuses a clip without a length
    start = math.floor(source.start_time.frames_at(float(film.rate)))
    before, _ = transitions(track, index)
    return start - math.ceil(before * speed(item)), start


def _moved(raw: Raw, key: str, shift: int, film: Film) -> Raw:
    if bytes(raw) == b"null":
        return raw
    opened = rawjson.open_object(raw, film.where)
    if key in opened and bytes(opened[key]) != b"null":
        opened[key] = shifted(opened[key], shift, film.rate, film.where)
    return rawjson.encode(opened)


def _with_block(raw: Raw, block: ShotBlock | dict[str, str], where: str) -> Raw:
    clip = rawjson.open_object(raw, where)
    metadata = rawjson.member(clip, "metadata", where)
    metadata["rushes"] = rawjson.encode(block)
    clip["metadata"] = rawjson.encode(metadata)
    return rawjson.encode(clip)


def use_of(film: Film, track: Track, index: int) -> str:
    """The use id of the item at this place; an external clip gets one, so that it can be referred to."""
    item = track.items[index]
    if item.use is None:
        if item.kind != "Clip":
            raise BadRequest(
                f"a {item.kind.lower()} has no picture to start from",
                where=f"{film.where}: {track.label} record frame {item.start:.0f}",
                remedy="point at a clip",
            )
        item = film.replace(track, index, _with_block(item.raw, {"use": new_id()}, film.where))
    assert item.use is not None
    return item.use
