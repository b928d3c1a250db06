"""An editor who cuts the export of a film at random, by a seed.

The editor remembers of every clip which clip of the film it was made of. That is the truth which a conform of the
cut is held against.
"""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass
from random import Random

from cuts import RATE, ZERO, Json, gap
from recorded import clip, file_of, media_of, plain
from rushes_otio.build import take_media, time_range

_WORDS = ("bestcut1", "proxy123", "dayn1ght", "r3shoot7", "p1ate004", "vfxshot9")
_NAMES = ("{}", "{}_t001", "the {} one, please", "v2", "")
_FILES = ("{}.mov", "{}_t001.mov", "SC010__{}_t002.mov", "A001C003.mov")
_TRACKS = 6


@dataclass
class Piece:
    """An item of the cut, and what is true of it: `origin` is the clip of the film that it was made of, by its
    order there, or -1; a `copied` one was made by copying, or was copied."""

    item: Json
    origin: int = -1
    copied: bool = False

    @property
    def is_clip(self) -> bool:
        return bool(self.item["OTIO_SCHEMA"] == "Clip.2")

    @property
    def file(self) -> str:
        return file_of(media_of(self.item))

    @property
    def start(self) -> int:
        """Where it starts in its file, as the timecode of the film's file counts."""
        return int(self.item["source_range"]["start_time"]["value"])

    @property
    def frames(self) -> int:
        return int(self.item["source_range"]["duration"]["value"])

    @property
    def speed(self) -> float:
        return float(self.item["effects"][0]["time_scalar"]) if self.item["effects"] else 1.0

    @property
    def end(self) -> float:
        """The end of the frames of its file that it shows."""
        return self.start + self.frames * abs(self.speed)

    def show(self, start: int, frames: int) -> None:
        """Show another part of the file, if the file has it."""
        known = media_of(self.item)["available_range"]
        first = known["start_time"]["value"]
        if (
            frames >= 2
            and first <= start
            and start + frames * abs(self.speed) <= first + known["duration"]["value"]
        ):
            self.item["source_range"] = time_range(start, frames, RATE)

    def twin(self) -> Piece:
        return Piece(plain(self.item), self.origin, self.copied)


Track = list[Piece]


class Editor:
    """Cuts the timeline in the text of an export."""

    def __init__(self, text: bytes, seed: int) -> None:
        self._timeline: Json = json.loads(text)
        self._random = Random(seed)
        self._folders = itertools.count(1)
        order = itertools.count()
        tracks = [[Piece(item) for item in track["children"]] for track in self._timeline["tracks"]["children"]]
        for piece in (piece for track in tracks for piece in track if piece.is_clip):
            piece.origin = next(order)
        *self._video, self._sound = tracks
        self._names = [p.item["metadata"]["rushes"]["name"] for p in self.pieces if _is_shot(p)]
        self._edits = (
            *(self._trim, self._trim, self._trim, self._slip, self._slip, self._blade, self._blade, self._copy),
            *(self._move, self._move, self._lift, self._delete, self._delete, self._rename, self._name_as_another),
            *(self._retime, self._switch, self._switch, self._disable, self._bring, self._mimic, self._listen),
        )

    @property
    def pieces(self) -> Track:
        """The clips, in the order of the cut."""
        return [piece for track in (*self._video, self._sound) for piece in track if piece.is_clip]

    def text(self) -> str:
        """The cut as it is now."""
        first = self._timeline["tracks"]["children"][0]
        tracks = [(f"V{number}", "Video", track) for number, track in enumerate(self._video, 1)]
        self._timeline["tracks"]["children"] = [
            {**first, "name": name, "kind": kind, "children": [piece.item for piece in track]}
            for name, kind, track in (*tracks, ("A1", "Audio", self._sound))
        ]
        return json.dumps(self._timeline)

    def edit(self, times: int) -> None:
        for _ in range(times):
            tracks = (*self._video, self._sound)
            track = self._random.choices(tracks, [len(each) for each in tracks])[0]
            index = self._random.randrange(len(track))
            if track[index].is_clip:
                self._random.choice(self._edits)(track, index)

    # -- ranges ----------------------------------------------------------------------------------------------

    def _trim(self, track: Track, index: int) -> None:
        piece, head, tail = track[index], self._random.randint(-6, 8), self._random.randint(-8, 6)
        piece.show(piece.start + round(head * abs(piece.speed)), piece.frames - head + tail)

    def _slip(self, track: Track, index: int) -> None:
        piece = track[index]
        piece.show(piece.start + self._random.randint(-10, 10), piece.frames)

    def _blade(self, track: Track, index: int) -> None:
        """A marker stays with the half that has its frame; everything else is on both."""
        left, right = track[index], track[index].twin()
        at = 2 * self._random.randint(1, 20)
        if at >= left.frames or left.speed < 0:
            return
        cut = left.start + round(at * left.speed)
        right.item["source_range"] = time_range(cut, left.frames - at, RATE)
        left.item["source_range"] = time_range(left.start, at, RATE)
        left.item["markers"] = [m for m in left.item["markers"] if _frame_of(m) < cut]
        right.item["markers"] = [m for m in right.item["markers"] if _frame_of(m) >= cut]
        track.insert(index + 1, right)

    def _retime(self, track: Track, index: int) -> None:
        piece, speed = track[index], self._random.choice((2.0, 0.5, -1.0, 1.5))
        frames = int(piece.frames / abs(speed))
        if not piece.item["effects"] and frames >= 2:
            warp = {"OTIO_SCHEMA": "LinearTimeWarp.1", "metadata": {}, "name": "", "effect_name": ""}
            piece.item["effects"] = [warp | {"time_scalar": speed}]
            piece.item["source_range"] = time_range(piece.start, frames, RATE)

    # -- places ----------------------------------------------------------------------------------------------

    def _copy(self, track: Track, index: int) -> None:
        track[index].copied = True
        self._paste(track[index].twin(), track)

    def _move(self, track: Track, index: int) -> None:
        self._paste(track.pop(index), track)

    def _lift(self, track: Track, index: int) -> None:
        """To another track, at times a new one. A gap is left."""
        if track is self._sound:
            return
        if len(self._video) < _TRACKS and self._random.random() < 0.2:
            self._video.append([Piece(gap(100))])
        piece, track[index] = track[index], Piece(gap(track[index].frames))
        target = self._random.choice([each for each in self._video if each is not track])
        target.insert(self._random.randint(0, len(target)), piece)

    def _delete(self, track: Track, index: int) -> None:
        track[index : index + 1] = self._random.choice(([], [Piece(gap(track[index].frames))]))

    def _paste(self, piece: Piece, track: Track) -> None:
        target = track if track is self._sound else self._random.choice(self._video)
        target.insert(self._random.randint(0, len(target)), piece)

    # -- names and files -------------------------------------------------------------------------------------

    def _rename(self, track: Track, index: int) -> None:
        track[index].item["name"] = self._random.choice(_NAMES).format(self._random.choice(_WORDS))

    def _name_as_another(self, track: Track, index: int) -> None:
        track[index].item["name"] = self._random.choice(self._names)

    def _switch(self, track: Track, index: int) -> None:
        """To the other take. A clip that has the name of its file gets the new one's."""
        item, media, old = track[index].item, media_of(track[index].item), track[index].file
        media["target_url"] = re.sub(
            r"_t00([12])\.mov$", lambda m: f"_t00{3 - int(m[1])}.mov", media["target_url"]
        )
        media["name"] = track[index].file
        if item["name"] == old:
            item["name"] = media["name"]

    def _disable(self, track: Track, index: int) -> None:
        track[index].item["enabled"] = False

    # -- clips of the editor's own ---------------------------------------------------------------------------

    def _bring(self, track: Track, index: int) -> None:
        file = self._random.choice(_FILES).format(self._random.choice(_WORDS))
        track.insert(index, self._own(file, file))

    def _mimic(self, track: Track, index: int) -> None:
        """Somebody's version of a shot, called by the shot's name; at times in its place."""
        name = self._random.choice(self._names)
        if _is_shot(track[index]) and self._random.random() < 0.5:
            name = track.pop(index).item["metadata"]["rushes"]["name"]
        file = self._random.choice((f"{name}.mov", "comp.mov"))
        track.insert(index, self._own(file, name))

    def _own(self, file: str, name: str) -> Piece:
        start, length = self._random.choice((0, ZERO)), self._random.randint(60, 200)
        url = f"/editor/{next(self._folders)}/{file}"
        media = take_media(url, length, RATE) | {"available_range": time_range(start, length, RATE)}
        first, frames = start + self._random.randint(0, 10), self._random.randint(10, 50)
        return Piece(clip(name, time_range(first, frames, RATE), media, {}))

    def _listen(self, track: Track, index: int) -> None:
        """The sound of a take's file: it has the shot's id, and is no picture of the shot."""
        if _is_shot(track[index]):
            sound = track[index].twin()
            sound.item["metadata"], sound.item["markers"], sound.origin = {}, [], -1
            self._sound.append(sound)


def _is_shot(piece: Piece) -> bool:
    return "name" in piece.item["metadata"].get("rushes", {})


def _frame_of(marker: Json) -> int:
    return int(marker["marked_range"]["start_time"]["value"])
