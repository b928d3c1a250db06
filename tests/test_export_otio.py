"""The exported timeline: what other programs find in it, and that what is foreign stays as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import opentimelineio as otio
import pytest

from cuts import LENGTH, RATE, SIZE, ZERO, Cut, Json, export, footage, gap
from rushes.engine.studio import Studio
from rushes.media.probe import probe
from rushes_otio.adding import add_scene, add_shot, make_shot
from rushes_otio.build import film_from_cut, time_range
from rushes_otio.choosing import mark_take
from rushes_otio.ids import new_id
from rushes_otio.schema import TakeMark


def clips(timeline: otio.schema.Timeline) -> Iterator[otio.schema.Clip]:
    return (clip for clip in timeline.find_clips() if clip.metadata.get("rushes", {}).get("shot"))


def test_the_timeline_has_the_chosen_take_alone_at_its_absolute_path(tmp_path: Path) -> None:
    cut = Cut(tmp_path, "AB")
    cut.put(cut.use("A", 3, 10), cut.use("B", 0, 8, 2.0), cut.use("A", 13, 5))
    shot = next(iter(cut.film.shots))
    mark_take(cut.film, shot, "t000", TakeMark(circled=True), "film.rushes/takes/old.mov", 10)
    before = [(i.source, i.use) for i in cut.film.video[0].items]
    assert export(cut.save(), tmp_path / "out.otio") == []
    made = list(clips(otio.adapters.read_from_file(str(tmp_path / "out.otio"))))
    assert len(made) == 3
    for clip, (source, use) in zip(made, before, strict=True):
        assert list(clip.media_references()) == ["DEFAULT_MEDIA"]
        assert Path(clip.media_reference.target_url).is_absolute()
        assert probe(Path(clip.media_reference.target_url)).frames == LENGTH
        assert clip.available_range() == otio.opentime.TimeRange(*_times(ZERO, LENGTH))
        assert source is not None and clip.source_range.start_time.value == source.start_time.value
        assert clip.metadata["rushes"]["use"] == use


def test_a_take_that_is_gone_is_said(tmp_path: Path) -> None:
    cut = Cut(tmp_path, "A")
    cut.put(cut.use("A", 3, 10))
    next(tmp_path.rglob("*.mov")).unlink()
    ((use, what),) = export(cut.save(), tmp_path / "out.otio")
    assert use == cut.film.video[0].items[0].use and "t001 is offline" in what


def _times(start: int, frames: int) -> tuple[otio.opentime.RationalTime, otio.opentime.RationalTime]:
    return otio.opentime.RationalTime(start, 24), otio.opentime.RationalTime(frames, 24)


def test_a_shot_that_was_never_rendered_has_a_slate_of_full_length(tmp_path: Path) -> None:
    """Both halves of a bladed shot lie inside one slate, which is made once."""
    cut = Cut(tmp_path, "A")
    shot = add_shot(cut.film, cut.film.block.scenes[0], 20, {"prompt": "a storm"})
    clip = json.loads(bytes(cut.film.video[0].items[0].raw))
    cut.film.remove(cut.film.video[0], 0)
    right = json.loads(json.dumps(clip))
    right["metadata"]["rushes"]["use"] = new_id()
    cut.put({**clip, "source_range": time_range(ZERO, 8, RATE)})
    cut.put({**right, "source_range": time_range(ZERO + 8, 17, RATE)})
    lost = export(cut.save(), tmp_path / "out.otio")
    assert [use for use, _ in lost] == [shot.block.use, right["metadata"]["rushes"]["use"]]
    first, second = clips(otio.adapters.read_from_file(str(tmp_path / "out.otio")))
    slate = Path(first.media_reference.target_url)
    assert first.media_reference.target_url == second.media_reference.target_url
    assert first.available_range() == otio.opentime.TimeRange(*_times(ZERO, 25))
    assert (probe(slate).frames, probe(slate).size, probe(slate).timecode) == (25, SIZE, "01:00:00:00")
    made = slate.stat().st_mtime_ns
    export(Studio.of_user().desk(cut.path), tmp_path / "again.otio")
    assert slate.stat().st_mtime_ns == made
    assert [p.name for p in slate.parent.iterdir()] == [slate.name]


def foreign_cut(folder: Path) -> bytes:
    """Somebody's cut: numbers nobody decodes, a proxy, an image sequence, a nested stack, markers."""
    plain = footage("media/a.mov", 107, 20, available=300)
    plain["markers"] = [{"OTIO_SCHEMA": "Marker.2", "name": "m", "marked_range": time_range(110, 1, RATE)}]
    absolute, url = footage("/mnt/b.mov", 0, 5), footage("file:///mnt/c d.mov", 0, 5)
    windows = footage("C:\\media\\d.mov", 0, 5)
    sequence = footage("", 1001, 5)
    sequence["media_references"]["DEFAULT_MEDIA"] = {
        "OTIO_SCHEMA": "ImageSequenceReference.1",
        "available_range": time_range(1001, 50, RATE),
        "target_url_base": "plates/",
        "name_prefix": "p.",
        "name_suffix": ".exr",
        "start_frame": 1001,
        "frame_step": 1,
        "rate": 24.0,
        "frame_zero_padding": 4,
        "missing_frame_policy": "error",
    }
    inner = {"OTIO_SCHEMA": "Track.1", "name": "", "kind": "Video", "children": [footage("media/e.mov", 0, 5)]}
    stack = {"OTIO_SCHEMA": "Stack.1", "name": "nest", "source_range": time_range(0, 5, RATE), "children": [inner]}
    items = [plain, absolute, url, windows, sequence, stack]
    track = {"OTIO_SCHEMA": "Track.1", "name": "V", "kind": "Video", "children": items}
    tracks = {"OTIO_SCHEMA": "Stack.1", "name": "tracks", "children": [track], "markers": plain["markers"]}
    timeline = {"OTIO_SCHEMA": "Timeline.1", "name": "cut", "metadata": {"odd": "NUMBERS"}, "tracks": tracks}
    return json.dumps(timeline).replace('"NUMBERS"', "[1.10, 1e-7, 1180591620717411303424, NaN]").encode()


def test_what_is_foreign_stays_but_for_its_relative_paths(tmp_path: Path) -> None:
    path = tmp_path / "film.otio"
    path.write_bytes(film_from_cut(foreign_cut(tmp_path), str(path)).encode())
    assert export(Studio.of_user().desk(path), tmp_path / "out.otio") == []
    text = (tmp_path / "out.otio").read_text()
    assert text.replace(f'"{tmp_path}/', '"') == path.read_text()
    assert text.count(f'"{tmp_path}/') == 3


@pytest.mark.parametrize("index", [0, 4])
def test_a_shot_on_its_original_media_goes_back_to_its_times(tmp_path: Path, index: int) -> None:
    """Shot time is ours: another program must find the frames of the original where its file has them."""
    path = tmp_path / "film.otio"
    film = film_from_cut(foreign_cut(tmp_path), str(path))
    before = json.loads(bytes(film.video[0].items[index].raw))
    make_shot(film, film.video[0], index)
    assert json.loads(bytes(film.video[0].items[index].raw))["source_range"] != before["source_range"]
    path.write_bytes(film.encode())
    export(Studio.of_user().desk(path), tmp_path / "out.otio")
    after = _children(tmp_path / "out.otio")[index]
    for key in ("source_range", "markers"):
        assert after[key] == before[key]
    was, now = before["media_references"]["DEFAULT_MEDIA"], after["media_references"]["DEFAULT_MEDIA"]
    assert now["available_range"] == was["available_range"]
    assert now["OTIO_SCHEMA"] == was["OTIO_SCHEMA"]
    assert after["metadata"]["rushes"]["shot"] in film.shots


def _children(path: Path) -> list[Json]:
    text = path.read_text().replace("NaN", "null")
    found: list[Json] = json.loads(text)["tracks"]["children"][0]["children"]
    return found


def test_scenes_are_markers_from_their_first_to_their_last_clip(tmp_path: Path) -> None:
    cut = Cut(tmp_path, "A")
    cut.put(gap(7), cut.use("A", 0, 10), gap(3), cut.use("A", 2, 5))
    forest = add_scene(cut.film, "FOREST")
    add_shot(cut.film, forest, 6, {"prompt": "trees"})
    export(cut.save(), tmp_path / "out.otio")
    timeline = otio.adapters.read_from_file(str(tmp_path / "out.otio"))
    stack, items = timeline.tracks, list(clips(timeline))
    beach, wood = stack.markers
    assert [m.name for m in stack.markers] == ["SC010 BEACH", "SC020 FOREST"]
    first, last = (item.transformed_time_range(item.trimmed_range(), stack) for item in items[:2])
    assert beach.marked_range == first.extended_by(last)
    assert wood.marked_range == items[2].transformed_time_range(items[2].trimmed_range(), stack)
