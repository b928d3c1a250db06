"""Rows about cuts that come back: diff and conform, against OpenTimelineIO's own read of the same file.

The returned cut is the film's export after an editor's day: a twentieth of its clips trimmed, slipped, cut in two,
moved or taken out. It is a film's own export, so its block says so; one from Resolve is read in a child process.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import opentimelineio as otio

from benchmarks.measure import Row, best_of
from benchmarks.sizes import film_of
from rushes.engine.cuts import open_cut
from rushes.engine.studio import Desk
from rushes.export.otio import Outgoing, Shape
from rushes_otio.conforming.applying import conformed
from rushes_otio.conforming.carried import CARRIED
from rushes_otio.conforming.matching import match
from rushes_otio.conforming.returned import Cut
from rushes_otio.diffing.compare import compare
from rushes_otio.film import Film
from rushes_otio.paths import MediaPaths


def rows(folder: Path, shots: int, rounds: int) -> list[Row]:
    folder = folder / "compared"
    folder.mkdir()
    desk = film_of(folder, shots)
    path = desk.places.film
    back, resolve = path.with_name("back.otio"), path.with_name("resolve.otio")
    back.write_bytes(_edited(desk, Shape()))
    resolve.write_bytes(_without_ours(_edited(desk, Shape(".otio", "resolve"))))
    data = path.read_bytes()
    film = desk.read()
    old = Cut.of_film(film)
    folders = MediaPaths(path.parent, path.parent)

    def reference() -> object:
        return otio.adapters.read_from_file(str(back))

    def diff_cold() -> object:
        return compare(Cut.read(data, "old"), Cut.read(back.read_bytes(), "new"))

    def diff_warm() -> object:
        return compare(old, Cut.read(back.read_bytes(), "new"))

    def conform_warm() -> object:
        matching = match(Cut.of_film(film), Cut.read(back.read_bytes(), "new"))
        return conformed(film, matching, CARRIED[".otio"], folders)

    def conform_cold() -> object:
        opened = Film(data, "old")
        matching = match(Cut.of_film(opened), Cut.read(back.read_bytes(), "new"))
        return conformed(opened, matching, CARRIED[".otio"], folders)

    def from_resolve() -> object:
        cut, _ = open_cut(resolve, film.rate)
        return conformed(film, match(Cut.of_film(film), cut), CARRIED[".otio"], folders)

    works = [reference, diff_cold, diff_warm, conform_cold, conform_warm, from_resolve]
    read, *times = best_of(works, rounds)
    names = (
        "diff, cold",
        "diff, old cut open",
        "conform, cold",
        "conform, film open",
        "conform from Resolve's file",
    )
    targets = (1.0, 0.6, 1.0, 0.6, None) if shots >= 10_000 else (None,) * 5
    said = f"OTIO reads the cut in {read * 1000:.0f} ms"
    return [
        Row(f"{name}, against OTIO's read", shots, time / read, target, detail=said)
        for name, time, target in zip(names, times, targets, strict=True)
    ]


def _edited(desk: Desk, shape: Shape) -> bytes:
    """The export of a film, edited."""
    timeline = json.loads(Outgoing(desk.read(), desk.places, (1920, 1080), shape).timeline())
    items = timeline["tracks"]["children"][0]["children"]
    chance = random.Random(7)
    for _ in range(len(items) // 20):
        at = chance.randrange(len(items))
        span = items[at]["source_range"]
        match chance.randrange(5):
            case 0:
                span["duration"]["value"] -= 3
            case 1:
                span["start_time"]["value"] += 2
            case 2:
                items.insert(at, json.loads(json.dumps(items[at])))
                items[at]["source_range"]["duration"]["value"] = 10
            case 3:
                items.insert(chance.randrange(len(items)), items.pop(at))
            case 4:
                items.pop(at)
    return json.dumps(timeline, indent=2).encode()


def _without_ours(text: bytes) -> bytes:
    """What Resolve leaves of the metadata."""
    timeline = json.loads(text)
    timeline["metadata"] = {"Resolve_OTIO": {"Resolve OTIO Meta Version": "1.0"}}
    for track in timeline["tracks"]["children"]:
        for item in track["children"]:
            item["metadata"] = {"Resolve_OTIO": {}}
    return json.dumps(timeline, indent=4).encode()
