"""A film on disk whose takes say in their colours which frame is seen, and the items a cut of it is made of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from rushes.engine.studio import Desk, Studio
from rushes.export.exporting import export_film
from rushes.media.frames import iter_frames
from rushes.stages.encode import Encoder, EncodeSpec
from rushes_otio import rawjson
from rushes_otio.adding import add_scene, add_shot
from rushes_otio.build import new_film, time_range
from rushes_otio.choosing import choose
from rushes_otio.film import Film
from rushes_otio.ids import new_id
from rushes_otio.schema import Chosen
from rushes_otio.timing import Rate

RATE = Rate(24, 1)
ZERO = RATE.shot_zero
SIZE = (256, 144)
LENGTH = 36
BLACK = (0, 0, 0)
BLUE = {"A": 40, "B": 120, "C": 200}

Json = dict[str, Any]
Colour = tuple[float, float, float]


def colour(name: str, number: int) -> Colour:
    """Red says which frame of a take it is, blue which take."""
    return (12 + 6 * number, 20, BLUE[name])


def between(left: Colour, right: Colour, part: float) -> Colour:
    red, green, blue = (a + (b - a) * part for a, b in zip(left, right, strict=True))
    return (red, green, blue)


def movie(path: Path, name: str, rate: Rate = RATE, codec: str = "prores", frames: int = LENGTH) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with Encoder(path, EncodeSpec(SIZE, str(rate), codec, "01:00:00:00", "", {})) as encoder:
        for number in range(frames):
            encoder.write(np.full((SIZE[1], SIZE[0], 3), colour(name, number), np.uint8))


def seen(path: Path) -> list[Colour]:
    return [tuple(frame[20:-20, 20:-20].mean(axis=(0, 1))) for frame in iter_frames(path)]


def assert_shows(path: Path, wanted: list[Colour]) -> None:
    found = seen(path)
    assert len(found) == len(wanted)
    wrong = [
        (at, f, w)
        for at, (f, w) in enumerate(zip(found, wanted, strict=True))
        if np.abs(np.subtract(f, w)).max() > 2.9
    ]
    assert wrong == []


class Cut:
    """A film on disk with takes A, B and C, whose tracks a test fills item by item."""

    def __init__(self, folder: Path, names: str = "ABC") -> None:
        self.path = folder / "film.otio"
        self.film = new_film("The Film", RATE, str(self.path))
        self.film.patch_block(intent={"delivery": {"size": f"{SIZE[0]}x{SIZE[1]}"}})
        scene = add_scene(self.film, "BEACH")
        for name in names:
            shot = add_shot(self.film, scene, 10, {"prompt": f"shot {name} by the sea"}).block.shot
            take = f"film.rushes/takes/{scene.code}/{name}__{shot}_t001.mov"
            movie(folder / take, name)
            choose(self.film, shot, Chosen("t001", "hand", "0" * 64, {}), take, LENGTH)
        track = self.film.video[0]
        self.clips = dict(zip(names, [json.loads(bytes(i.raw)) for i in track.items], strict=True))
        while track.items:
            self.film.remove(track, 0)

    def use(self, name: str, first: int, frames: int, *scalars: float, enabled: bool = True) -> Json:
        """A use of a shot that shows `frames` frames from shot frame `first`, with time warps; 0 freezes."""
        clip: Json = json.loads(json.dumps(self.clips[name]))
        clip["metadata"]["rushes"]["use"] = new_id()
        clip["effects"] = [_warp(scalar) for scalar in scalars]
        return {**clip, "source_range": time_range(ZERO + first, frames, RATE), "enabled": enabled}

    def put(self, *items: Json, track: int = 0) -> None:
        for item in items:
            self.film.insert(self.film.video[track], len(self.film.video[track].items), rawjson.encode(item))

    def save(self) -> Desk:
        self.path.write_bytes(self.film.encode())
        return Studio.of_user().desk(self.path)

    def add_track(self, kind: str = "Video") -> None:
        data = json.loads(self.film.encode())
        data["tracks"]["children"].append({**data["tracks"]["children"][0], "kind": kind, "children": []})
        self.film = Film(json.dumps(data).encode(), str(self.path))


def _warp(scalar: float) -> Json:
    kind = "LinearTimeWarp.1" if scalar else "FreezeFrame.1"
    return {"OTIO_SCHEMA": kind, "metadata": {}, "name": "", "effect_name": "", "time_scalar": scalar}


def gap(frames: int) -> Json:
    return {"OTIO_SCHEMA": "Gap.1", "metadata": {}, "name": "", "source_range": time_range(0, frames, RATE)}


def dissolve(before: int, after: int) -> Json:
    times = {k: time_range(0, n, RATE)["duration"] for k, n in (("in_offset", before), ("out_offset", after))}
    kind = "SMPTE_Dissolve"
    return {"OTIO_SCHEMA": "Transition.1", "metadata": {}, "name": "", "transition_type": kind, **times}


def footage(url: str, start: int, frames: int, rate: Rate = RATE, available: int = LENGTH) -> Json:
    """An external clip whose media begins at frame 0 of `rate`, trimmed in the film's rate."""
    reference = {
        "OTIO_SCHEMA": "ExternalReference.1",
        "metadata": {"odd": "kept"},
        "name": "",
        "available_range": time_range(0, available, rate),
        "target_url": url,
    }
    return {
        "OTIO_SCHEMA": "Clip.2",
        "metadata": {},
        "name": url.rpartition("/")[2],
        "source_range": time_range(start, frames, RATE),
        "effects": [],
        "markers": [],
        "enabled": True,
        "media_references": {"DEFAULT_MEDIA": reference},
        "active_media_reference_key": "DEFAULT_MEDIA",
    }


def export(desk: Desk, out: Path) -> list[tuple[str, str]]:
    return export_film(desk, out, lambda done, total: None)
