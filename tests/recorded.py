"""Films of recorded takes, of any length, whose files are on no disk."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from cuts import RATE, ZERO, Json, gap
from rushes.export.otio import Outgoing, Shape
from rushes.store.places import FilmPlaces
from rushes_otio import rawjson
from rushes_otio.build import missing_media, new_film, take_media, time_range
from rushes_otio.film import Film
from rushes_otio.ids import ALPHABET
from rushes_otio.items import DEFAULT_MEDIA
from rushes_otio.schema import Chosen, Scene, ShotBlock

SLATE = (128, 72)
FOOTAGE = 400
_FIRST_FRAMES = (0, ZERO, 10 * ZERO, 123_456)


@dataclass
class Recorded:
    """A film of `shots` shots. Some have two uses, some still show the footage that they were made of, some share
    a name, and `slates` were never rendered. Footage lies between them, above them, and as sound below.
    """

    path: Path
    shots: int
    slates: int
    random: Random = field(default_factory=lambda: Random(1))
    _cards: int = 0
    _low: list[Json] = field(default_factory=list)
    _high: list[Json] = field(default_factory=list)
    _sound: list[Json] = field(default_factory=list)

    def film(self) -> Film:
        scene = Scene(self._id(), "SC010", "HARBOUR")
        missing = set(self.random.sample(range(self.shots), self.slates))
        for number in range(self.shots):
            self._put(number, scene.id, number in missing)
        base = new_film(self.path.stem, RATE, str(self.path))
        timeline = json.loads(base.encode())
        timeline["metadata"]["rushes"] |= {"film": self._id(), "scenes": [plain(scene)]}
        track = timeline["tracks"]["children"][0]
        kinds = (("V1", "Video", self._low), ("V2", "Video", self._high), ("A1", "Audio", self._sound))
        timeline["tracks"]["children"] = [
            {**track, "name": name, "kind": kind, "children": items} for name, kind, items in kinds
        ]
        return Film(rawjson.pretty(rawjson.encode(timeline)), str(self.path))

    def _put(self, number: int, scene: str, missing: bool) -> None:
        same = number - 1 if number % 25 == 24 else number
        intent = rawjson.encode({"prompt": f"walks along the harbour wall number {number}", "camera": "push in"})
        block = ShotBlock(self._id(), self._id(), f"SC010_SH{same * 10:03d}", scene, intent)
        shot = self._original(block) if number % 40 == 7 else self._take(block, missing)
        self._low.append(shot)
        if number % 9 == 4:
            self._low.append(gap(self.random.randint(1, 20)))
        if number % 8 == 5:
            (self._high if number % 16 == 5 else self._low).extend([gap(24), self._again(shot)])
        if number % 12 == 6:
            footage = self._footage()
            (self._high if number % 24 == 6 else self._low).append(footage)
            self._sound += [gap(30), plain(footage) | {"metadata": {}}]

    def _take(self, block: ShotBlock, missing: bool) -> Json:
        first, frames, handles = (self.random.randint(*span) for span in ((0, 12), (16, 60), (0, 24)))
        media = missing_media(first + frames, RATE)
        if not missing:
            block.chosen, block.next_take = Chosen("t001", "render", "0" * 64, {}), 3
            file = f"{self.path.stem}.rushes/takes/SC010/{block.name}__{block.shot}_t001.mov"
            media = take_media(file, first + frames + handles, RATE)
        return clip(block.name, time_range(ZERO + first, frames, RATE), media, {"rushes": plain(block)})

    def _original(self, block: ShotBlock) -> Json:
        """A shot that still shows its footage, with its times moved into shot time."""
        shot = self._footage()
        first = shot["source_range"]["start_time"]["value"]
        block.shift = ZERO - first
        for span in (shot["source_range"], media_of(shot)["available_range"]):
            span["start_time"]["value"] += block.shift
        return {**shot, "metadata": {"rushes": plain(block)}}

    def _again(self, shot: Json) -> Json:
        """A further use, of a part that may be the same."""
        use, span = plain(shot), shot["source_range"]
        use["metadata"]["rushes"]["use"] = self._id()
        frames = max(4, span["duration"]["value"] - self.random.choice((3, 5, 12)))
        first = span["start_time"]["value"] + self.random.choice((0, 0, 3))
        return use if self.random.random() < 0.3 else {**use, "source_range": time_range(first, frames, RATE)}

    def _footage(self) -> Json:
        """Cameras give their files the same names again and again. Some lies beside the film, and some is referred
        to by a use id."""
        self._cards += 1
        file = f"{'/raid/' * (self._cards % 2)}card{self._cards}/A001C{self._cards // 3:03d}.mov"
        start = self.random.choice(_FIRST_FRAMES)
        media = take_media(file, FOOTAGE, RATE) | {"available_range": time_range(start, FOOTAGE, RATE)}
        shown = time_range(start + self.random.randint(0, 200), 48, RATE)
        return clip(file_of(media), shown, media, {} if self._cards % 3 else {"rushes": {"use": self._id()}})

    def _id(self) -> str:
        return "x" + "".join(self.random.choices(ALPHABET, k=7))


def exported(film: Film) -> bytes:
    """The text of the film's export, with markers. The film is spent then."""
    return Outgoing(film, FilmPlaces(Path(film.where)), SLATE, Shape(markers=True)).timeline()


def clip(name: str, shown: Json, media: Json, metadata: Json) -> Json:
    return {
        "OTIO_SCHEMA": "Clip.2",
        "metadata": metadata,
        "name": name,
        "source_range": shown,
        "effects": [],
        "markers": [],
        "enabled": True,
        "media_references": {DEFAULT_MEDIA: media},
        "active_media_reference_key": DEFAULT_MEDIA,
    }


def media_of(item: Json) -> Json:
    found: Json = item["media_references"][DEFAULT_MEDIA]
    return found


def file_of(media: Json) -> str:
    return str(media["target_url"]).rpartition("/")[2]


def plain(thing: object) -> Json:
    """Anything as JSON of its own."""
    found: Json = json.loads(bytes(rawjson.encode(thing)))
    return found
