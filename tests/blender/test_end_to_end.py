"""An afternoon in the sequencer, with the real daemon behind the real pipe: what is pushed, cut, pulled, typed,
rendered, swapped, undone, saved and opened again is seen in the pixels that Blender renders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import pytest

from editor import Editor
from filming import FilmOnDisk
from rushes_blender.strips import compat, marks
from sequencing import keyframes

Pump = Callable[..., float]
Pixel = Callable[..., tuple[int, int, int]]

BLACK = [(0, 0, 0)] * 4
ALPHA = [(8.0, 0.25), (20.0, 1.0)]


@pytest.fixture
def editor(addon: ModuleType) -> Editor:
    return Editor()


def test_an_afternoon(
    editor: Editor, film: Callable[..., FilmOnDisk], pump: Pump, pixel: Pixel, tmp_path: Path
) -> None:
    made = film("a red sky", "a door", "a boat")
    shot = made.shots[0]["shot"]
    editor.link(made)
    assert [_pictures(pixel, strip) != BLACK for strip in editor.strips] == [True] * 3
    _cut(editor)
    assert bpy.ops.rushes.pull() == {"FINISHED"}
    uses = [marks.use_of(strip) for strip in editor.strips]
    assert [marks.shot_of(strip) for strip in editor.strips] == [shot, *_shots(made)]
    assert len(set(uses)) == 4
    cut, first = _seen(editor), _taken(editor, shot)
    before = [_pictures(pixel, strip) for strip in editor.strips]
    bpy.ops.ed.undo_push(message="Cut")

    editor.select(editor.strips[0].name)
    pump(lambda: editor.scene.rushes.prompt == "a red sky")  # the panel has read it
    editor.scene.rushes.prompt = "a green meadow"
    bpy.ops.ed.undo_push(message="Prompt")  # as Blender does of a field that is edited
    assert editor.own(shot)["prompt"] == "a green meadow"
    assert bpy.ops.rushes.regenerate() == {"FINISHED"}
    pump(lambda: _taken(editor, shot) == {"t002"})
    after = [_pictures(pixel, strip) for strip in editor.strips]
    assert _seen(editor) == cut
    assert [one != other for one, other in zip(before, after, strict=True)] == [True, True, False, False]
    assert made.states()[shot] == "fresh"

    bpy.ops.ed.undo()
    pump(lambda: editor.own(shot)["prompt"] == "a red sky")
    assert (_seen(editor), _taken(editor, shot)) == (cut, {"t002"})  # what was rendered is no step of the editor's
    assert [_pictures(pixel, strip) for strip in editor.strips] == after
    bpy.ops.ed.redo()
    pump(lambda: editor.own(shot)["prompt"] == "a green meadow")
    assert bpy.ops.rushes.push() == {"FINISHED"}
    assert (_seen(editor), [marks.use_of(strip) for strip in editor.strips]) == (cut, uses)

    file = str(tmp_path / "cut.blend")
    bpy.ops.wm.save_as_mainfile(filepath=file)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    made.rushes("takes", shot, "--choose", "t001")
    bpy.ops.wm.open_mainfile(filepath=file)
    pump(lambda: _taken(editor, shot) == first)
    assert _seen(editor) == cut
    assert [_pictures(pixel, strip) for strip in editor.strips] == before


def _cut(editor: Editor) -> None:
    """The first shot: cut in two, trimmed, faded by keyframes, brightened."""
    second = editor.strips[0].split(frame=13, split_method="SOFT")
    compat.put(second, compat.RIGHT, compat.get(second, compat.RIGHT) - 3)
    strip = editor.strips[0]
    compat.put(strip, compat.LEFT, compat.get(strip, compat.LEFT) + 5)
    for frame, value in ALPHA:
        strip.blend_alpha = value
        strip.keyframe_insert("blend_alpha", frame=frame)
    strip.modifiers.new("Brighter", "BRIGHT_CONTRAST").bright = 0.2
    strip.transform.offset_x = 12


def _shots(made: FilmOnDisk) -> list[str]:
    return [row["shot"] for row in made.shots]


def _taken(editor: Editor, shot: str) -> set[str]:
    """The takes that the strips of a shot show."""
    return {Path(strip.filepath).stem[-4:] for strip in editor.strips if marks.shot_of(strip) == shot}


def _seen(editor: Editor) -> Any:
    """All that an editor sees to, whatever take is shown."""
    modifiers = [[(each.name, round(each.bright, 4)) for each in strip.modifiers] for strip in editor.strips]
    places = {strip.name: editor.place(strip) for strip in editor.strips}
    offsets = [strip.transform.offset_x for strip in editor.strips]
    return places, modifiers, offsets, keyframes(editor.scene)


def _pictures(pixel: Pixel, strip: Any) -> list[tuple[int, int, int]]:
    """Colours under the left handle and of the last frame: in the middle, and off it."""
    frames = compat.get(strip, compat.LEFT), compat.get(strip, compat.RIGHT) - 1
    return [pixel(frame, x, 90) for frame in frames for x in (60, 160)]
