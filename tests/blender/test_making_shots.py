"""Films and shots made in a real Blender, with a real daemon behind the real pipe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import pytest

from clips import Clips
from editor import Editor
from filming import FilmOnDisk

Pump = Callable[..., float]


@pytest.fixture
def editor(addon: ModuleType) -> Editor:
    return Editor()


def test_a_storyboard_becomes_a_film(
    editor: Editor, pump: Pump, tmp_path: Path, pixel: Callable[..., Any]
) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "board.blend"))
    said = ["a quay at dawn\n", "=cmd|' /C calc'!A0 {__import__('os')} \N{SNOWMAN}", ""]
    for at, text in enumerate(said):
        editor.colour(f"Board {at}", 1 + 24 * at, 25 + 24 * at)
        if text:
            editor.text(text, 1 + 24 * at, 27 + 24 * at, channel=2 + at)  # a little into the next one
    places = [editor.place(strip)[:2] for strip in editor.strips if strip.type == "COLOR"]

    assert bpy.ops.rushes.make_film() == {"FINISHED"}

    movies = [strip for strip in editor.strips if strip.type == "MOVIE"]
    assert [editor.place(strip)[:2] for strip in movies] == places
    assert [strip.name for strip in movies] == ["Board 0", "Board 1", "Board 2"]
    assert all(strip.mute for strip in editor.strips if strip.type == "TEXT")
    pump(lambda: len(editor.follows().order) == len(said))
    shots = editor.follows().order
    prompts = [editor.own(shot).get("prompt", "") for shot in shots]
    assert prompts == [" ".join(text.split()) for text in said]

    slates = pixel(10)
    bpy.ops.rushes.regenerate_stale()
    pump(lambda: all("_t001" in name for name in editor.shown()), 40)
    assert pixel(10) != slates
    assert [editor.place(strip)[:2] for strip in editor.strips if strip.type == "MOVIE"] == places


def test_shots_are_made_where_there_were_none(
    editor: Editor, film: Callable[..., FilmOnDisk], pump: Pump, clip: Clips
) -> None:
    from rushes_blender.strips import compat, marks

    made = film("a red sky", rendered=False)
    editor.link(made)
    footage = compat.strips(editor.scene.sequence_editor).new_movie("Plate", str(clip("plate", 30)), 1, 60)
    editor.scene.frame_set(40)
    editor.select(editor.strips[0].name)

    assert bpy.ops.rushes.new_shot_here(prompt="a harbour") == {"FINISHED"}
    new = editor.strip("New Shot")
    assert editor.place(new) == (25, 60, 0, 1)  # all of the gap
    assert (new.type, new.select, len(marks.shot_of(new))) == ("MOVIE", True, 8)
    assert editor.own(marks.shot_of(new))["prompt"] == "a harbour"
    assert editor.scene.sequence_editor.active_strip == new  # what the panel is about

    editor.select("Plate")
    place, path = editor.place(footage), footage.filepath
    assert bpy.ops.rushes.make_shot(prompt="rain over it") == {"FINISHED"}
    plate = editor.strip("Plate")
    assert (editor.place(plate), plate.filepath) == (place, path)
    assert editor.ask("show", marks.shot_of(plate))["state"] == "missing"

    editor.select("Plate")
    assert bpy.ops.rushes.continue_from_before() == {"FINISHED"}
    own = editor.own(marks.shot_of(plate))
    assert own["first_frame"] == {"from": marks.use_of(new), "at": "out"}
    assert bpy.ops.rushes.continue_from_before() == {"FINISHED"}
    assert "first_frame" not in editor.own(marks.shot_of(plate))

    bpy.ops.rushes.freeze()
    count = len(editor.strips)
    with pytest.raises(RuntimeError, match="frozen"):
        bpy.ops.rushes.new_shot_here(prompt="no more")
    assert len(editor.strips) == count


def test_a_copy_is_made_unique_and_a_film_is_left(
    editor: Editor, film: Callable[..., FilmOnDisk], pump: Pump
) -> None:
    from rushes_blender import running
    from rushes_blender.strips import compat, marks

    made = film("a red sky", "a door")
    editor.link(made)
    first = editor.strips[0]
    copy = compat.strips(editor.scene.sequence_editor).new_movie("Copy", first.filepath, 1, 100)
    marks.mark(copy, marks.use_of(first), marks.shot_of(first))
    editor.select(first.name, "Copy")

    assert bpy.ops.rushes.make_unique() == {"FINISHED"}
    shots = [marks.shot_of(strip) for strip in editor.strips]
    assert len(set(shots)) == 3 and shots[:2] == [shot["shot"] for shot in made.shots]
    pump(lambda: shots[2] in editor.shown()[2])
    assert [editor.ask("show", shot)["state"] for shot in shots] == ["fresh"] * 3
    assert bpy.ops.rushes.make_unique() == {"CANCELLED"}

    bpy.ops.rushes.scene_markers()
    bpy.ops.rushes.scene_markers()
    assert [marker.frame for marker in editor.scene.timeline_markers] == [1]
    bpy.ops.rushes.watch()
    pump(lambda: editor.follows().watched)
    assert bpy.ops.rushes.reveal_take() == {"FINISHED"}
    bpy.ops.rushes.unlink_film()
    assert not running.session().followed
    assert [marks.shot_of(strip) for strip in editor.strips] == shots
    bpy.ops.rushes.link_film(filepath=str(made.path))
    assert bpy.ops.rushes.pull() == {"FINISHED"}
    assert [marks.shot_of(strip) for strip in editor.strips] == shots


def test_a_film_of_a_script(editor: Editor, tmp_path: Path) -> None:
    script = tmp_path / "quay.fountain"
    script.write_text("EXT. QUAY - DAWN\n\nMARA ties a rope.\n\nINT. CABIN - NIGHT\n\nShe sleeps.\n")
    editor.scene.render.fps = 25
    assert bpy.ops.rushes.new_film(filepath=str(tmp_path / "quay"), script=str(script)) == {"FINISHED"}
    assert len(editor.shown()) >= 2 and not any("_t0" in name for name in editor.shown())
    assert editor.follows().rate == "25/1"
    with pytest.raises(RuntimeError, match="there already"):
        bpy.ops.rushes.new_film(filepath=str(tmp_path / "quay"))


def test_where_a_new_shot_goes(scene: bpy.types.Scene) -> None:
    from rushes_blender.operators import spots
    from rushes_blender.strips import compat

    def strip(kind: str, channel: int, left: int, right: int) -> Any:
        return compat.new_effect(scene.sequence_editor, kind, kind, channel, left, right)

    scene.frame_set(10)
    assert spots.find(scene, 48) == (1, 10, 58)  # nothing ends it
    first, _ = strip("COLOR", 1, 20, 30), strip("COLOR", 1, 50, 60)
    assert spots.find(scene, 48) == (1, 1, 20)  # from the first frame of the scene
    scene.frame_set(35)
    assert spots.find(scene, 48) == (1, 30, 50)
    scene.frame_set(25)
    assert spots.find(scene, 48) == (2, 25, 73)  # the next channel
    strip("COLOR", 3, 200, 210)
    scene.sequence_editor.active_strip = strip("TEXT", 3, 0, 5)
    assert spots.find(scene, 48) == (3, 5, 200)
    scene.sequence_editor.active_strip = first
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 100, 119
    assert spots.find(scene, 48) == (1, 100, 120)
    scene.frame_preview_start = 55
    assert spots.find(scene, 48) == (2, 55, 120)
