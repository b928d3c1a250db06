"""Films on disk whose cut leaves and comes back, and what an editor does to it in between."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from cuts import RATE, ZERO, Cut, Json, export, movie
from rushes.engine.conforming import conform
from rushes.engine.studio import Desk
from rushes.store.takes import MadeBy, StageMark, TakeRecord, Window, write_record
from rushes_otio.build import time_range

LENGTH = 36


def film_at(folder: Path, *items: Json, cut: Cut | None = None) -> Desk:
    folder.mkdir(exist_ok=True)
    cut = cut or Cut(folder)
    cut.put(*items)
    desk = cut.save()
    for shot in desk.read().shots.values():
        record(desk, shot.block.shot, "t001")
    return desk


def record(desk: Desk, shot: str, take: str) -> Path:
    """The record beside a take, and the take where there is none yet: a copy of the first one."""
    first = next(desk.places.takes.rglob(f"*__{shot}_t001.mov"))
    path = first.with_name(first.name.replace("t001", take))
    if path != first:
        movie(path, "C", frames=LENGTH)
    block = desk.read().shots[shot].block
    made = TakeRecord(
        shot=shot, take=take, name=block.name, movie=path.name, recipe=block.chosen.recipe if block.chosen else {},
        seed="1", n=0, asked={}, stages={"motion": StageMark("0" * 64, take.encode().hex().ljust(64, "0"))},
        window=Window(LENGTH, str(RATE), (256, 144)), codec="prores", frames_digest="",
        made="2026-01-01T00:00:00Z", generator=MadeBy("animatic", 1),
    )  # fmt: skip
    write_record(path.with_suffix(".json"), made)
    return path


def sent(desk: Desk, name: str = "sent.otio") -> Json:
    out = desk.places.film.with_name(name)
    export(desk, out)
    found: Json = json.loads(out.read_text())
    return found


def returned(desk: Desk, timeline: Json, *, accept: bool = False, name: str = "back.otio") -> dict[str, Any]:
    path = desk.places.film.with_name(name)
    path.write_text(json.dumps(timeline))
    return conform(desk, path, None, accept=accept)


def video(timeline: Json, track: int = 0) -> list[Json]:
    items: list[Json] = timeline["tracks"]["children"][track]["children"]
    return items


def drop_metadata(timeline: Json) -> Json:
    timeline["metadata"] = {}
    for track in timeline["tracks"]["children"]:
        for item in track["children"]:
            item["metadata"] = {}
    return timeline


def cut_at(clip: Json, frame: int) -> tuple[Json, Json]:
    """A blade: two clips of everything, `frame` frames into the clip."""
    left, right = copy.deepcopy(clip), copy.deepcopy(clip)
    start, length = (clip["source_range"][key]["value"] for key in ("start_time", "duration"))
    left["source_range"] = time_range(start, frame, RATE)
    right["source_range"] = time_range(start + frame, length - frame, RATE)
    return left, right


def shown(desk: Desk, track: int = 0) -> list[tuple[str, int, int]]:
    """Shot name (or clip name), first shot frame and length of each clip."""
    film = desk.read()
    return [
        (
            i.block.name if i.block else i.name,
            round(i.source.start_time.value) - (ZERO if i.block else 0),
            round(i.length),
        )
        for i in film.video[track].items
        if i.kind == "Clip" and i.source
    ]


def uses(desk: Desk) -> list[str]:
    return [i.use or "" for t in desk.read().video for i in t.items if i.kind == "Clip"]
