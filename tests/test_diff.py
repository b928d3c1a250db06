"""`rushes diff`: each edit has its word, and nothing else is said. Cuts are made by hand, edit by edit."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from pathlib import Path

import opentimelineio as otio
import pytest

from cuts import RATE, ZERO, Cut, Json, dissolve, export, footage, gap
from rushes.engine.changing import set_intent
from rushes.engine.diffing import difference, shape, write_marked
from rushes.engine.studio import Desk
from rushes_otio.build import time_range
from rushes_otio.diffing.moves import in_order
from rushes_otio.errors import BadRequest
from rushes_otio.setting import Level

Said = list[tuple[str, str, str]]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A B C A with footage between, on one track."""
    cut = Cut(tmp_path_factory.mktemp("diff"))
    cut.put(cut.use("A", 4, 10), cut.use("B", 2, 12), footage("plate.mov", 4, 12), cut.use("C", 0, 8))
    cut.put(gap(6), cut.use("A", 16, 9))
    return cut.save()


@pytest.fixture
def timeline(film: Desk, tmp_path: Path) -> Json:
    export(film, tmp_path / "sent.otio")
    found: Json = json.loads((tmp_path / "sent.otio").read_text())
    return found


def said(film: Desk, timeline: Json, folder: Path) -> tuple[Said, int]:
    """Kind, what became of the name, and detail of each change."""
    path = folder / "back.otio"
    path.write_text(json.dumps(timeline))
    found, _ = difference(film.places.film, path, "")
    names = {shot.block.name: letter for letter, shot in zip("ABC", film.read().shots.values(), strict=True)}
    return [(c.kind, names.get(c.name, c.name), c.detail) for c in found.changes], found.same


def items(timeline: Json) -> list[Json]:
    found: list[Json] = timeline["tracks"]["children"][0]["children"]
    return found


def ranged(clip: Json, start: int, frames: int) -> None:
    clip["source_range"] = time_range(ZERO + start, frames, RATE)


def trim_in(clips: list[Json]) -> None:
    ranged(clips[0], 7, 7)


def trim_out(clips: list[Json]) -> None:
    ranged(clips[0], 4, 9)


def extend(clips: list[Json]) -> None:
    ranged(clips[1], 1, 14)


def extend_too_far(clips: list[Json]) -> None:
    ranged(clips[3], 0, 40)


def slip(clips: list[Json]) -> None:
    ranged(clips[1], 5, 12)


def swap(clips: list[Json]) -> None:
    clips.insert(0, clips.pop(3))


def take_out(clips: list[Json]) -> None:
    clips.pop(1)


def put_in(clips: list[Json]) -> None:
    clips.insert(1, footage("insert.mov", 0, 5))


def blade(clips: list[Json]) -> None:
    right = copy.deepcopy(clips[1])
    ranged(clips[1], 2, 5)
    ranged(right, 7, 7)
    clips.insert(2, right)


def faster(clips: list[Json]) -> None:
    clips[0]["effects"] = [{"OTIO_SCHEMA": "LinearTimeWarp.1", "time_scalar": 2.0}]


def freeze(clips: list[Json]) -> None:
    clips[0]["effects"] = [{"OTIO_SCHEMA": "FreezeFrame.1", "time_scalar": 0.0}]


def switch_off(clips: list[Json]) -> None:
    clips[0]["enabled"] = False


def wider_gap(clips: list[Json]) -> None:
    clips[4]["source_range"] = time_range(0, 18, RATE)


def cross(clips: list[Json]) -> None:
    clips.insert(1, dissolve(2, 4))


def other_prompt(clips: list[Json]) -> None:
    clips[1]["metadata"]["rushes"]["intent"] |= {"prompt": "a storm", "camera": "static"}


def other_take(clips: list[Json]) -> None:
    clips[1]["metadata"]["rushes"]["chosen"]["take"] = "t002"


@pytest.mark.parametrize(
    ("edit", "changes"),
    [
        (trim_in, [("trimmed", "A", "in by 3 frames")]),
        (trim_out, [("trimmed", "A", "out by 1 frame")]),
        (
            extend,
            [
                ("extended", "B", "at the head by 1 frame, within its handles"),
                ("extended", "B", "at the tail by 1 frame, within its handles"),
            ],
        ),
        (extend_too_far, [("extended", "C", "at the tail by 32 frames, 4 more than its media has")]),
        (slip, [("slipped", "B", "by +3 frames")]),
        (swap, [("moved", "C", "to the head of the track, from 01:00:01:10")]),
        (take_out, [("omitted", "B", "was 0:12 long")]),
        (put_in, [("new", "insert.mov", "0:05 long")]),
        (
            blade,
            [("new", "B", "another piece of B, 0:05 long"), ("trimmed", "B", "in by 5 frames")],
        ),
        (faster, [("retimed", "A", "100 % → 200 %")]),
        (freeze, [("retimed", "A", "100 % → a freeze")]),
        (switch_off, [("disabled", "A", "")]),
        (wider_gap, [("moved", "A", "the gap before it is 0:18, was 0:06")]),
        (
            cross,
            [
                ("transition", "A", "0:06 at the tail, was a cut"),
                ("transition", "B", "0:06 at the head, was a cut"),
            ],
        ),
        (other_prompt, [("changed", "B", "prompt, camera")]),
        (other_take, [("switched", "B", "t001 → t002")]),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_each_edit_has_its_word(
    film: Desk, timeline: Json, tmp_path: Path, edit: Callable[[list[Json]], None], changes: Said
) -> None:
    edit(items(timeline))
    found, same = said(film, timeline, tmp_path)
    names = {shot.block.name: letter for letter, shot in zip("ABC", film.read().shots.values(), strict=True)}
    for name, letter in names.items():
        found = [(kind, clip, detail.replace(name, letter)) for kind, clip, detail in found]
    assert found == changes
    touched = {clip for kind, clip, _ in changes if kind not in ("new", "omitted")}
    assert same == 5 - len(touched) - sum(kind == "omitted" for kind, _, _ in changes)


def test_the_same_cut_has_no_changes_in_any_format(film: Desk, tmp_path: Path) -> None:
    for name in ("cut.otio", "cut.edl", "cut.xml"):
        export(film, tmp_path / name)
        found, _ = difference(film.places.film, tmp_path / name, "")
        assert (found.changes, found.same) == ([], 5), name


def test_two_exports_of_one_film_have_the_same_shots(film: Desk, tmp_path: Path) -> None:
    """Neither is a film, and a take was switched in between."""
    for name in ("cut.edl", "cut.xml"):
        export(film, tmp_path / name)
        text = (tmp_path / name).read_text()
        shot = list(film.read().shots)[1]
        later = tmp_path / f"later_{name}"
        later.write_text(text.replace(f"{shot}_t001", f"{shot}_t002"))
        found, _ = difference(tmp_path / name, later, "24/1")
        assert [(c.kind, c.name, c.detail) for c in found.changes] == [("switched", "B", "t001 → t002")]
        assert found.same == 4


def test_a_take_that_is_seen_counts_by_its_file(film: Desk, tmp_path: Path) -> None:
    export(film, tmp_path / "cut.edl")
    text = (tmp_path / "cut.edl").read_text()
    second = text.split("\n002 ")[1].split("\n003 ")[0]
    (tmp_path / "back.edl").write_text(text.replace(second, second.replace("_t001.", "_t007.")))
    found, _ = difference(film.places.film, tmp_path / "back.edl", "")
    assert [(c.kind, c.detail) for c in found.changes] == [("switched", "t001 → t007")]


def test_what_all_shots_inherit_is_told_once(film: Desk, tmp_path: Path) -> None:
    other = tmp_path / "film.otio"
    other.write_bytes(film.places.film.read_bytes())
    desk = film.studio.desk(other)
    set_intent(desk, lambda _: [Level("film")], ["camera=static"])
    set_intent(desk, lambda _: [Level("character", "mara")], ["description=a tall woman"])
    found, _ = difference(film.places.film, other, "")
    assert [(c.kind, c.name, c.detail) for c in found.changes] == [
        ("changed", "film", "camera"),
        ("changed", "character mara", "description"),
    ]


def test_a_shot_that_was_omitted_is_reinstated(film: Desk, timeline: Json, tmp_path: Path) -> None:
    from rushes.engine.conforming import conform

    other = tmp_path / "film.otio"
    other.write_bytes(film.places.film.read_bytes())
    desk = film.studio.desk(other)
    whole = tmp_path / "whole.otio"
    whole.write_text(json.dumps(timeline))
    items(timeline).pop(1)
    (tmp_path / "short.otio").write_text(json.dumps(timeline))
    conform(desk, tmp_path / "short.otio", None, accept=False)
    found, _ = difference(other, whole, "")
    assert [(c.kind, c.detail) for c in found.changes] == [("reinstated", "back in the cut, 0:12 long")]


def test_the_marked_up_cut_opens_and_shows_the_changes(film: Desk, timeline: Json, tmp_path: Path) -> None:
    trim_in(items(timeline))
    take_out(items(timeline))
    (tmp_path / "back.otio").write_text(json.dumps(timeline))
    found, _ = difference(film.places.film, tmp_path / "back.otio", "")
    write_marked(found, tmp_path / "marked.otio")
    opened = otio.adapters.read_from_file(str(tmp_path / "marked.otio"))
    first = opened.find_clips()[0]
    assert [(m.name, m.color, m.comment) for m in first.markers] == [("TRIMMED", "YELLOW", "in by 3 frames")]
    gone = [m for m in opened.tracks.markers if m.name == "OMITTED"]
    assert [(m.color, m.marked_range.start_time.value) for m in gone] == [("RED", 10)]
    with pytest.raises(BadRequest):
        write_marked(found, tmp_path / "back.otio")


def test_two_versions_of_a_real_cut(samples: Path) -> None:
    """Eight names are there more than once, and every clip behind the first change lies elsewhere."""
    found, _ = difference(samples / "edl/079_HA_V05.edl", samples / "edl/079_HA_006.edl", "24/1")
    assert [(c.kind, c.name.rstrip("*"), c.detail) for c in found.changes] == [
        ("new", "V8033-14_SC65 NB MOS", "6:08 long"),
        ("omitted", "BOAT TRAVELLING ALONG RIVER", "was 4:00 long"),
        ("trimmed", "V496-1B_SC79", "in by 10 frames"),
        ("omitted", "V815-3D_SC83-89 EB", "was 0:20 long"),
        ("extended", "V818-2_SC83-89 NB", "at the tail by 5 frames"),
    ]
    assert found.same == 53
    assert set(shape(found, [])) == {"changes", "same", "notes"}


@pytest.mark.parametrize("seed", range(20))
def test_moves_are_as_few_as_can_be(seed: int) -> None:
    """Against every subset, for short cuts."""
    chance = random.Random(seed)
    places = chance.sample(range(9), 9)
    kept = in_order(places)
    assert [places[i] for i in sorted(kept)] == sorted(places[i] for i in kept)
    longest = max(
        bin(mask).count("1")
        for mask in range(1 << 9)
        if (picked := [p for i, p in enumerate(places) if mask >> i & 1]) == sorted(picked)
    )
    assert len(kept) == longest
