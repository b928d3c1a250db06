"""The film for other programs: absolute paths, the chosen take alone, slates for what has no picture yet, and
marks of who each clip is wherever the format keeps any.

Everything foreign stays as it is, byte for byte; our own blocks stay too, for programs that keep metadata.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import Raw

from rushes.export.forresolve import ForResolve
from rushes.export.identity import marked
from rushes.export.slates import Card, SlateMovie, slates_of
from rushes.store.manifests import Sent
from rushes.store.places import FilmPlaces
from rushes_otio import rawjson
from rushes_otio.adding import out_of_shot_time
from rushes_otio.build import rational_time, take_media, time_range
from rushes_otio.conforming.applying import scene_marker
from rushes_otio.cut import needed_frames
from rushes_otio.errors import ShotFault
from rushes_otio.film import Film, Shot
from rushes_otio.items import DEFAULT_MEDIA, Item, read_item
from rushes_otio.paths import is_relative, rebased
from rushes_otio.resolve import Resolver

Lost = list[tuple[str, str]]

_HOLDERS = ("Clip", "Stack", "Track")


@dataclass(frozen=True, slots=True)
class Shape:
    """How a timeline is made up: for which kind of file (its ending) and program ("" for none in particular), and
    whether each shot gets a marker that says who it is."""

    suffix: str = ".otio"
    program: str = ""
    markers: bool = False


@dataclass
class Outgoing:
    """A film made ready to leave, changed in memory. `lost` is what it will not show, `sent` are its clips."""

    film: Film
    places: FilmPlaces
    size: tuple[int, int]
    shape: Shape
    lost: Lost = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)

    def timeline(self) -> bytes:
        """The text of the exported timeline."""
        film, folder = self.film, self.places.film.parent
        for_resolve = ForResolve(film, slates_of(self.places), self._slate_file, self._lose)
        for shot in list(film.shots.values()):
            self._shot(shot)
        for track in film.tracks:
            for index, item in enumerate(track.items):
                if item.kind in _HOLDERS:
                    raw = rebased(item.raw, _absolute(folder), film.where)
                    if raw is not item.raw:
                        item = film.replace(track, index, raw)
                    if self.shape.suffix != ".otio":
                        item = film.replace(track, index, self._without_effects(item.raw))
                    elif self.shape.program == "resolve":
                        item = film.replace(track, index, for_resolve.shaped(item.raw, track.kind))
                if item.kind == "Clip":
                    self.sent.append(_sent(track.label, item, film))
        text = film.encode(_scene_markers(film))
        return _with_start(text, film) if self.shape.program == "resolve" else text

    def _shot(self, shot: Shot) -> None:
        """Every use with one media reference: the chosen take, else the original it still shows, else a slate."""
        film, chosen, frames = self.film, shot.block.chosen, slate_length(self.film, shot)
        for track, index in shot.uses:
            item = track.items[index]
            media, use = item.default_media, item.use or ""
            if chosen is None and (media is None or media.OTIO_SCHEMA.startswith("MissingReference.")):
                raw = _with_media(item, self._slate(item, frames), film.where)
                self.lost.append((use, "it was never rendered; a slate stands in for it"))
            else:
                if chosen and media and not (self.places.film.parent / (media.target_url or "")).is_file():
                    self.lost.append((use, f"its take {chosen.take} is offline; its path is kept"))
                if chosen is None and shot.block.shift:
                    item = film.replace(track, index, out_of_shot_time(film, track, index))
                raw = _with_one_media(item, film.where)
            film.replace(track, index, marked(film.replace(track, index, raw), self.shape, film))

    def _without_effects(self, raw: Raw) -> Raw:
        """A nested stack, and those inside it, without effects of its own, which only OpenTimelineIO keeps: with
        them it could not be taken apart. One that has a speed stays as it is."""
        where = self.film.where
        opened = rawjson.open_object(raw, where)
        if not rawjson.read(opened["OTIO_SCHEMA"], str, where).startswith(("Stack.", "Track.")):
            return raw
        held = opened.get("children", Raw(b"null"))
        children = [] if bytes(held) == b"null" else rawjson.read(held, list[Raw], where)
        changes: dict[str, Raw | None] = {"children": rawjson.encode([self._without_effects(c) for c in children])}
        item = read_item(raw, where, float(self.film.rate))
        if not item.warps and not item.bare:
            self._lose(item.use or item.name, "effects and markers of the nested stack itself")
            changes |= {"effects": rawjson.encode([]), "markers": rawjson.encode([])}
        return rawjson.patch(raw, changes, where)

    def _slate(self, item: Item, frames: int) -> Raw:
        return rawjson.encode(take_media(str(self._slate_file(item, frames)), frames, self.film.rate))

    def _slate_file(self, item: Item, frames: int) -> Path:
        card = Card.of(item, Resolver(self.film), self.size)
        return SlateMovie.of(item, card, frames, self.film, self.places).made()

    def _lose(self, whose: str, what: str) -> None:
        self.lost.append((whose, what))


def _with_start(text: bytes, film: Film) -> bytes:
    """Resolve wants a start timecode."""
    if film.global_start is not None:
        return text
    start = {"global_start_time": rawjson.encode(rational_time(0, film.rate))}
    return rawjson.unshield(rawjson.pretty(rawjson.patch(rawjson.shield(text), start, film.where)))


def _absolute(folder: Path) -> Callable[[str], str]:
    return lambda url: f"{folder}/{url}" if is_relative(url) else url  # `/` of Path would drop a final one


def _sent(label: str, item: Item, film: Film) -> Sent:
    media, block, rate = item.default_media, item.block, float(film.rate)
    url = (media.target_url or "") if media else ""
    shown = item.source or (media.available_range if media else None)
    return Sent(
        use=item.use or "",
        shot=block.shot if block else "",
        take=block.chosen.take if block and block.chosen else "",
        name=item.name,
        file=url.replace("\\", "/").rpartition("/")[2],
        track=label,
        record=round(item.start),
        first=round(shown.start_time.frames_at(rate)) if shown else 0,
        frames=round(item.length),
    )


def slate_length(film: Film, shot: Shot) -> int:
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
    changes: dict[str, Raw | None] = {key: rawjson.encode(value) for key, value in media.items()}
    changes["OTIO_SCHEMA"] = rawjson.encode("Clip.2")  # a Clip.1 knows one reference, under another key
    return rawjson.patch(item.raw, changes | {"media_reference": None}, where)


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
                    "metadata": {},
                    "name": scene_marker(scene.code, scene.name),
                    "color": "GREEN",
                    "marked_range": time_range(start, end - start, film.rate),
                    "comment": "",
                }
            )
    return found
