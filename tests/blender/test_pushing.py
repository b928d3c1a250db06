"""The film brought into the sequencer: by the pixels that Blender renders, and by what is left alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import pytest

from clips import Clips
from filming import FilmOnDisk
from rushes_blender import running, scenes
from rushes_blender.strips.compat import new_effect, strips
from rushes_blender.strips.marks import Window, shot_of, use_of, window_of
from rushes_blender.strips.pushing import bring_in, bringing_in, fit_scene, scene_markers, set_ids
from rushes_blender.strips.snapshot import sequence
from rushes_blender.strips.swapping import show
from sequencing import Pixel, greys, movie, places, showing

TAKE = {"use": "1234567a", "shot": "1234567b"}


def row(path: Path | str, left: int, right: int, channel: int = 1, **more: Any) -> dict[str, Any]:
    found = {"key": f"{left} {channel}", "kind": "movie", "path": str(path), "left": left, "right": right}
    return {**found, "channel": channel, "name": "SC010_SH010", "length": 120, "size": [320, 180], **more}


@pytest.fixture
def counting(clip: Clips) -> Path:
    """120 frames, the level of frame i is 2i."""
    return clip("counting", 120, lambda i: 2 * i)


@pytest.mark.parametrize(
    ("speed", "first", "seen"),
    [
        ("1", 20, [20, 21, 22, 23, 29, 39]),
        ("2", 20, [20, 22, 24, 26, 38, 58]),
        ("0.5", 20, [20, 20, 21, 21, 24, 29]),
        ("1.5", 20, [20, 21, 23, 24, 33, 48]),
        ("-1", 60, [60, 59, 58, 57, 51, 41]),
        ("-2", 60, [60, 58, 56, 54, 42, 22]),
        ("0", 33, [33, 33, 33, 33, 33, 33]),
    ],
)
def test_speeds(
    scene: bpy.types.Scene, pixel: Pixel, counting: Path, speed: str, first: int, seen: list[int]
) -> None:
    brought = bring_in(scene, {"add": [row(counting, 10, 30, speed=speed, first=first)]})
    assert brought.problems == []
    assert [level / 2 for level in greys(pixel, 11, 12, 13, 14, 20, 30)] == seen
    assert greys(pixel, 10, 31) == [0, 0]


def test_dissolves_between_all_speeds(scene: bpy.types.Scene, pixel: Pixel, clip: Clips) -> None:
    """The dissolve lies above both sides and the effects on them, and nothing else is seen through."""
    red, blue = clip("red", 120, "red"), clip("blue", 120, "blue")
    for at, (out, into) in enumerate((a, b) for a in ("1", "2") for b in ("1", "0.5")):
        left = 100 * at
        rows = [row(red, left, left + 40, 1, speed=out), row(blue, left + 30, left + 70, 2, speed=into)]
        dissolve = {"key": f"d{at}", "channel": 3, "left": left + 30, "right": left + 40}
        dissolve |= {"out": rows[0]["key"], "into": rows[1]["key"]}
        assert bring_in(scene, {"add": rows, "dissolves": [dissolve]}).problems == []
        colours = [pixel(left + frame) for frame in (30, 36, 41)]
        assert colours[0][0] > 250 and colours[2][2] > 250
        assert 90 < colours[1][0] < 165 and 90 < colours[1][2] < 165


def _footage(path: Path, frames: int, speed: float = 1.0) -> dict[str, Any]:
    """A clip of a film's cut."""
    start, lasts = (
        {"OTIO_SCHEMA": "RationalTime.1", "value": each, "rate": 24.0} for each in (0.0, float(frames))
    )
    span = {"OTIO_SCHEMA": "TimeRange.1", "start_time": start, "duration": lasts}
    warp = {"OTIO_SCHEMA": "LinearTimeWarp.1", "name": "", "metadata": {}, "time_scalar": speed}
    return {
        "OTIO_SCHEMA": "Clip.2", "name": path.stem, "metadata": {}, "markers": [], "enabled": True,
        "source_range": span, "effects": [warp], "active_media_reference_key": "DEFAULT_MEDIA",
        "media_references": {
            "DEFAULT_MEDIA": {"OTIO_SCHEMA": "ExternalReference.1", "target_url": str(path), "metadata": {}}
        },
    }  # fmt: skip


@pytest.mark.usefixtures("addon")
def test_an_upper_track_hides_what_is_retimed_below_it(
    scene: bpy.types.Scene, pixel: Pixel, clip: Clips, film: Callable[..., FilmOnDisk]
) -> None:
    """Also where that dissolves into something else."""
    path = film("a door", rendered=False).path
    below, above = (clip(name, 120, name) for name in ("red", "blue"))
    offset = {"OTIO_SCHEMA": "RationalTime.1", "value": 4.0, "rate": 24.0}
    dissolve = {"OTIO_SCHEMA": "Transition.1", "name": "", "metadata": {}, "transition_type": "SMPTE_Dissolve"}
    dissolve |= {"in_offset": offset, "out_offset": offset}
    text = json.loads(path.read_text())
    (track,) = text["tracks"]["children"]
    lower = [_footage(below, 20, 2.0), _footage(below, 20), dissolve, _footage(below, 20, 0.5)]
    text["tracks"]["children"] = [{**track, "children": lower}, {**track, "children": [_footage(above, 60)]}]
    path.write_text(json.dumps(text))
    scenes.link(scene, str(path))
    scenes.set_frozen(scene, False)
    running.refollow()
    assert bpy.ops.rushes.push() == {"FINISHED"}
    assert len(sequence(scene)["rows"]) == 4 and len(sequence(scene)["dissolves"]) == 1
    assert [pixel(frame)[2] > 250 for frame in (5, 25, 40, 55)] == [True] * 4
    strips(scene.sequence_editor)["blue"].mute = True
    assert [pixel(frame)[0] > 250 for frame in (5, 25, 40, 55)] == [True] * 4


def test_the_picture_fills_the_scene(scene: bpy.types.Scene, pixel: Pixel, clip: Clips) -> None:
    """Of any size; a wide one has black above it, as in the film's delivery."""
    wide = clip("wide", 30, "red", (640, 180))
    small = clip("small", 30, "blue", (32, 18))
    rows = [row(wide, 0, 20, size=[640, 180], name="wide"), row(small, 20, 40, size=[32, 18])]
    assert bring_in(scene, {"add": rows}).problems == []
    assert [sum(pixel(5, *at)) > 0 for at in ((2, 90), (317, 90), (160, 40))] == [True, True, False]
    assert [sum(pixel(25, *at)) > 0 for at in ((2, 2), (317, 177))] == [True, True]
    assert window_of(strips(scene.sequence_editor)["wide"]) == Window(640, 180, 0, 120)


def test_every_kind_and_every_fault(scene: bpy.types.Scene, pixel: Pixel, clip: Clips, counting: Path) -> None:
    """What cannot be made is said, and keeps nothing else out."""
    still = counting.with_name("p_0001.png")
    for number in range(1, 4):
        image = bpy.data.images.new("p", 32, 18)
        image.generated_color = (1, 0, 0, 1)
        image.filepath_raw, image.file_format = str(still.with_name(f"p_{number:04d}.png")), "PNG"
        image.save()
    mine = movie(scene, counting, 1, 21, 60, name="mine")
    junk = counting.with_name("junk.mov")
    junk.write_bytes(b"junk" * 50)
    rows = [
        row(counting, 10, 30, name="in the way"),
        row(still, 30, 50, kind="image", name="still"),
        row(still, 50, 53, kind="images", length=3, name="images"),
        row("", 60, 70, kind="text", text="A title", name="", **TAKE),
        row("", 70, 80, kind="color", name="colour", enabled=False),
        row("/gone/away.mov", 80, 90, name="gone", speed="-2", first=33, **TAKE),
        row(clip.tone("tone", 2), 0, 24, 5, kind="sound", name="sound"),
        row(junk, 90, 99, name="junk"),
        row(counting, 100, 110, name="last", speed="", **TAKE),
    ]
    states = list(bringing_in(scene, {"add": rows, "dissolves": []}))
    assert (len(states), states[-1].total) == (len(rows), len(rows))
    found, wrong = places(scene), dict(problem.split(": ", 1) for problem in states[-1].problems)
    assert {"in the way", "gone", "junk", "last"} <= set(wrong) <= {"in the way", "gone", "junk", "last", "sound"}
    assert (wrong["gone"], "cannot read" in wrong["junk"]) == ("/gone/away.mov is not there", True)
    assert found["mine"] == (1, 1, 21) and mine.name == "mine" and "in the way" not in found
    assert (found["still"], found["images"], found["A title"]) == ((1, 31, 51), (1, 51, 54), (1, 61, 71))
    assert found["last"] == (1, 101, 111)
    every = strips(scene.sequence_editor)
    assert (every["gone"].type, use_of(every["gone"]), every["colour"].mute) == ("MOVIE", TAKE["use"], True)
    kept = next(row for row in sequence(scene)["rows"] if row["key"] == "gone")
    assert (kept["first"], kept["speed"], kept["left"], kept["right"]) == (33, "-2", 80, 90)
    assert pixel(40)[0] > 250 and pixel(53)[0] > 250
    again = bring_in(scene, {"add": rows})
    assert len(again.problems) == len(rows) and places(scene) == found
    assert again.known({"known": ["abcdefgh", TAKE["use"]]}) == ["abcdefgh"]


def test_what_was_not_there_is_shown_when_it_is(scene: bpy.types.Scene, pixel: Pixel, clip: Clips) -> None:
    """A strip of a file that is away has its place, trims, speed and framing all the same."""
    lost = row("/gone/away.mov", 0, 20, first=10, speed="-2", size=[640, 180], **TAKE)
    bring_in(scene, {"add": [{**lost, "length": 60}]})
    strip = strips(scene.sequence_editor)["SC010_SH010"]
    take = clip("take", 60, lambda i: 3 * i, (320, 90))
    assert show(scene, strip, showing(take, 60, (320, 90))) == ""
    assert [level / 3 for level in greys(pixel, 1, 2, 5)] == [10, 8, 2]
    assert [sum(pixel(1, *at)) > 0 for at in ((2, 90), (317, 90), (160, 40))] == [True, True, False]
    found = sequence(scene)["rows"][0]
    assert (found["first"], found["speed"], found["path"]) == (10, "-2", str(take))


def test_channels_ids_and_markers(scene: bpy.types.Scene, counting: Path) -> None:
    """What the editor named, muted or marked is his."""
    editor = scene.sequence_editor
    movie(scene, counting, 1, 21, channel=2, name="mine")
    tracks = [{"label": "V1", "channel": 1, "name": "", "enabled": False}]
    tracks += [{"label": "V2", "channel": 2, "name": "Titles", "enabled": False}]
    bring_in(scene, {"add": [], "tracks": tracks})
    assert (editor.channels[1].name, editor.channels[1].mute) == ("V1", True)
    assert (editor.channels[2].name, editor.channels[2].mute) == ("Channel 2", False)
    ids = [{"key": "mine", **TAKE}, {"key": "not there", **TAKE}]
    assert (set_ids(scene, ids), set_ids(scene, ids)) == (1, 0)
    assert shot_of(strips(editor)["mine"]) == TAKE["shot"]
    assert set_ids(scene, [{"key": "mine", "use": "", "shot": ""}]) == 1
    assert use_of(strips(editor)["mine"]) == ""
    scene.timeline_markers.new("SC010 A door", frame=40)
    scenes = [{"name": "SC010 A door", "start": 0, "frames": 40}, {"name": "SC020", "start": 40, "frames": 10}]
    for _ in range(2):
        assert scene_markers(scene, scenes) == 2
        marked = sorted((marker.frame, marker.name) for marker in scene.timeline_markers)
        assert marked == [(1, "SC010 A door"), (40, "SC010 A door"), (41, "SC020")]
    scene["rushes_markers"] = '[["x"], 3]'
    assert scene_markers(scene, []) == 0


def test_an_empty_scene_is_fitted(scene: bpy.types.Scene) -> None:
    film = {"rate": "30000/1001", "size": [1280, 720], "length": 100}
    scene.view_settings.view_transform, scene.frame_start = "Raw", 11
    assert fit_scene(scene, film) == ""
    render = scene.render
    assert (render.fps, round(render.fps_base, 4), scene.frame_end) == (30, 1.001, 110)
    assert (render.resolution_x, render.resolution_y) == (1280, 720)
    assert scene.view_settings.view_transform == "Standard"
    new_effect(scene.sequence_editor, "mine", "COLOR", 1, 1, 11)
    assert fit_scene(scene, film) == ""
    assert "24" in fit_scene(scene, {**film, "rate": "24/1"}) and render.fps == 30
