"""A new take in the place of the old: nothing moves on the timeline, and the right frame of the medium is under
the left handle and at the end, by the pixels that Blender renders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import pytest

from clips import Clips
from rushes_blender.strips.compat import LEFT, RIGHT, new_effect, put, strips
from rushes_blender.strips.marks import Window, mark, set_window, shot_of, use_of, window_of
from rushes_blender.strips.swapping import needs, show
from sequencing import Pixel, greys, keyframes, movie, places, showing, speed, starts

USE, SHOT = "1234567a", "1234567b"


def ours(strip: bpy.types.Strip, frames: int = 120, size: tuple[int, int] = (320, 180), zero: int = 0) -> Any:
    """The strip, shown by us before."""
    mark(strip, USE, SHOT)
    set_window(strip, Window(*size, zero, frames))
    return strip


@pytest.fixture
def old(clip: Clips) -> Path:
    """120 frames, the level of frame i is i."""
    return clip("old", 120, lambda i: i)


@pytest.mark.parametrize("frames", [120, 150, 60, 20])
def test_take_of_any_length(scene: bpy.types.Scene, clip: Clips, pixel: Pixel, old: Path, frames: int) -> None:
    """Same length, longer, shorter, shorter than the head trim (the last frame is held then); packed tightly."""
    movie(scene, old, 1, 31, 5, name="before")
    strip = ours(movie(scene, old, 31, 61, 30, name="shot"))
    movie(scene, old, 61, 91, 5, name="after")
    was, before = places(scene), starts(scene)
    take = showing(clip("take", frames, lambda i: 100 + i), frames)
    assert needs(strip, take)
    assert show(scene, strip, take) == ""
    assert not needs(strip, take)
    assert (places(scene), starts(scene)) == (was, before)
    last = frames - 1
    assert greys(pixel, 30, 31, 60, 61) == [34, 100 + min(30, last), 100 + min(59, last), 5]
    assert window_of(strip) == Window(320, 180, 0, frames)
    assert (use_of(strip), shot_of(strip)) == (USE, SHOT)
    assert show(scene, strip, showing(old, 120)) == ""  # and back
    assert (places(scene), starts(scene), greys(pixel, 31, 60)) == (was, before, [30, 59])


def dressed(scene: bpy.types.Scene, strip: Any) -> None:
    """Everything that an editor may do to a strip."""
    strip.name, strip.mute, strip.color_tag, strip.blend_type = 'a "named" one', True, "COLOR_03", "ALPHA_OVER"
    strip.crop.min_x, strip.transform.rotation = 8, 0.0
    for frame, value in ((35, 0.5), (55, 1.0)):
        strip.blend_alpha = value
        strip.keyframe_insert("blend_alpha", frame=frame)
    for frame, value in ((31, 0.5), (61, 1.0)):
        strip.transform.scale_x = value
        strip.transform.keyframe_insert("scale_x", frame=frame)
    strip.modifiers.new("Bright", "BRIGHT_CONTRAST").bright = 0.1
    blur = new_effect(scene.sequence_editor, "blur", "GAUSSIAN_BLUR", 3, 31, 61, strip)
    blur.size_x = 3.0
    for frame, value in ((33, 0.2), (44, 0.9)):
        blur.blend_alpha = value
        blur.keyframe_insert("blend_alpha", frame=frame)


def looks(strip: Any) -> tuple[Any, ...]:
    kinds = [(modifier.name, modifier.type, round(modifier.bright, 4)) for modifier in strip.modifiers]
    return strip.name, strip.mute, strip.color_tag, strip.blend_type, strip.channel, kinds


def test_other_zero_moves_only_the_content(scene: bpy.types.Scene, clip: Clips, pixel: Pixel, old: Path) -> None:
    """Footage whose frame 40 was the shot's frame 0 gives way to a take that begins there."""
    movie(scene, old, 1, 41, 60, channel=2, name="before")
    strip = mark_only(movie(scene, old, 31, 61, 50, name="shot"))
    movie(scene, old, 61, 91, 5, name="after")
    new_effect(scene.sequence_editor, "cross", "CROSS", 4, 31, 41, strips(scene.sequence_editor)["before"], strip)
    dressed(scene, strip)
    was, keys, look = places(scene), keyframes(scene), looks(strip)
    assert was["cross"] == (4, 31, 41)
    take = showing(clip("take", 40, lambda i: 200 + i), 40, footage=(str(old), 40))
    assert show(scene, strip, take) == ""
    assert (places(scene), keyframes(scene), looks(strip)) == (was, keys, look)
    assert starts(scene)[strip.name] == 21
    plain(scene, strip)
    assert greys(pixel, 31, 50, 60, 61) == [210, 229, 239, 5]
    assert show(scene, strip, showing(old, 120, zero=40)) == ""
    assert greys(pixel, 31, 60) == [50, 79]


def mark_only(strip: bpy.types.Strip) -> Any:
    """Footage that was made a shot: it is ours, and was never shown by us."""
    mark(strip, USE, SHOT)
    return strip


def plain(scene: bpy.types.Scene, strip: Any) -> None:
    """Takes away what changes levels of grey, so that frames can be told."""
    scene.animation_data_clear()
    strip.modifiers.clear()
    for name in ("blur", "cross", "before"):
        strips(scene.sequence_editor).remove(strips(scene.sequence_editor)[name])
    strip.mute, strip.blend_alpha, strip.crop.min_x = False, 1.0, 0
    strip.transform.scale_x = strip.transform.scale_y


def test_other_size_keeps_the_framing(scene: bpy.types.Scene, clip: Clips, pixel: Pixel) -> None:
    """The picture keeps its place on the screen, keyframes of the scale and the crop too."""
    small, large = clip("small", 60, "red"), clip("large", 60, "blue", (640, 360))
    strip = ours(movie(scene, small, 1, 61, name="shot"), 60)
    strip.transform.scale_y, strip.crop.max_y = 0.5, 20
    for frame, value in ((11, 0.25), (51, 0.75)):
        strip.transform.scale_x = value
        strip.transform.keyframe_insert("scale_x", frame=frame)
    spots = ((125, 90), (115, 90), (45, 100), (35, 100), (160, 56))
    edges = [(frame, *spot) for frame in (11, 31, 51) for spot in spots]
    seen = [sum(pixel(*at)) > 0 for at in edges]
    assert show(scene, strip, showing(large, 60, (640, 360))) == ""
    assert [sum(pixel(*at)) > 0 for at in edges] == seen
    assert True in seen and False in seen and pixel(31)[2] > 250
    assert keyframes(scene)["transform.scale_x"] == [(11, 0.125), (51, 0.375)]
    assert show(scene, strip, showing(small, 60)) == ""
    assert keyframes(scene)["transform.scale_x"] == [(11, 0.25), (51, 0.75)]
    assert (strip.transform.scale_y, strip.crop.max_y) == (0.5, 20)


def test_retimed_reversed_and_cut_hard(scene: bpy.types.Scene, clip: Clips, pixel: Pixel, old: Path) -> None:
    """A speed effect follows; backwards, the same frame stays under the handle; a hard cut becomes a trim."""
    fast = ours(movie(scene, old, 1, 21, 50, name="fast"), zero=40)
    speed(scene, fast, 2.0, 2)
    backwards = movie(scene, old, 31, 51, name="backwards")
    backwards.use_reverse_frames = True
    ours(backwards)
    hard = ours(movie(scene, old, 61, 121, 10, name="hard")).split(frame=80, split_method="HARD")
    assert greys(pixel, 1, 20, 31, 50, 80, 100) == [50, 88, 119, 100, 29, 49]
    was = places(scene)
    take = showing(clip("take", 110, lambda i: 100 + i), 110)
    assert [show(scene, strip, take) for strip in (fast, hard)] == ["", ""]
    longer = showing(clip("longer", 140, lambda i: 100 + i), 140)
    assert show(scene, backwards, longer) == ""
    assert places(scene) == was
    assert greys(pixel, 1, 20, 31, 50, 80, 100) == [110, 148, 219, 200, 129, 149]


def test_inside_a_meta(scene: bpy.types.Scene, clip: Clips, pixel: Pixel, old: Path) -> None:
    """Neither the meta nor what lies beside the strip in it moves."""
    inner = ours(movie(scene, old, 11, 41, 20, name="inner"), zero=15)
    meta = strips(scene.sequence_editor).new_meta("meta", 3, 11)
    for strip in (inner, movie(scene, old, 41, 61, name="beside")):
        strip.move_to_meta(meta)
    put(meta, RIGHT, 56)  # since Python made it, it has one frame at first
    put(meta, LEFT, 16)
    for frame in (21, 51):
        meta.blend_alpha = 1.0
        meta.keyframe_insert("blend_alpha", frame=frame)
    was, keys = places(scene), keyframes(scene)
    assert show(scene, inner, showing(clip("take", 90, lambda i: 100 + i), 90)) == ""
    assert (places(scene), keyframes(scene), inner.parent_meta()) == (was, keys, meta)
    assert was["meta"] == (3, 16, 56)
    assert greys(pixel, 15, 16, 40, 41, 55) == [0, 110, 134, 0, 14]


def test_a_colour_becomes_a_movie(scene: bpy.types.Scene, clip: Clips, pixel: Pixel) -> None:
    """A storyboard's colour that was made a shot: its place, name, marks, keyframes and effects stay."""
    editor = scene.sequence_editor
    strip = new_effect(editor, "board", "COLOR", 2, 21, 41)
    mark(strip, USE, SHOT)
    strip.color_tag = "COLOR_05"
    for frame, value in ((21, 0.5), (31, 1.0)):
        strip.blend_alpha = value
        strip.keyframe_insert("blend_alpha", frame=frame)
    new_effect(editor, "blur", "GAUSSIAN_BLUR", 3, 21, 41, strip).size_x = 0.0
    was, keys = places(scene), keyframes(scene)
    take = showing(clip("take", 30, lambda i: 100 + i), 30)
    assert show(scene, strip, take) == ""
    new = strips(editor)["board"]
    assert (new.type, use_of(new), shot_of(new), new.color_tag) == ("MOVIE", USE, SHOT, "COLOR_05")
    assert (places(scene), keyframes(scene), strips(editor)["blur"].input_1) == (was, keys, new)
    assert greys(pixel, 31, 40) == [110, 119]
    assert not needs(new, take)


def test_what_cannot_be_shown_is_said(scene: bpy.types.Scene, clip: Clips, pixel: Pixel, old: Path) -> None:
    """And the strip shows what it showed."""
    strip = ours(movie(scene, old, 31, 61, 30, name="shot"))
    junk = old.with_name("junk.mov")
    junk.write_bytes(b"no movie" * 100)
    was = places(scene), starts(scene)
    assert show(scene, strip, showing(old.with_name("gone.mov"), 120)).endswith("gone.mov is not there")
    assert "cannot read" in show(scene, strip, showing(junk, 120))
    assert "KeyError" in show(scene, strip, {"path": str(junk)})
    assert (places(scene), starts(scene)) == was
    assert greys(pixel, 31, 60) == [30, 59]
    strips(scene.sequence_editor).remove(strip)
    assert "removed" in show(scene, strip, showing(old, 120))
