"""What an editor does with the shots of a film, in a real Blender with a real daemon behind the real pipe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import pytest

from editor import Editor
from filming import FilmOnDisk

Pump = Callable[..., float]


@pytest.fixture
def editor(addon: ModuleType) -> Editor:
    return Editor()


def test_a_prompt_is_changed_and_the_strip_shows_the_new_take(
    editor: Editor, film: Callable[..., FilmOnDisk], pump: Pump, pixel: Callable[..., Any], tmp_path: Path
) -> None:
    made = film("a red sky", "a door")
    editor.link(made)
    first = editor.strips[0].name
    _cut_with(editor, first)
    before = editor.place(editor.strip(first)), _keys(editor), pixel(12)
    bpy.ops.ed.undo_push(message="as the editor left it")

    editor.select(first)
    bpy.ops.rushes.set_intent(field="prompt", value="an unknown @name")  # invalid now, and mended by the next one
    assert bpy.ops.rushes.set_intent(field="prompt", value="a green meadow = {5}") == {"FINISHED"}
    assert editor.own(made.shots[0]["shot"])["prompt"] == "a green meadow = {5}"
    assert bpy.ops.rushes.regenerate() == {"FINISHED"}
    pump(lambda: "_t002" in editor.shown()[0])

    strip = editor.strip(first)
    assert _keys(editor) and (editor.place(strip), _keys(editor)) == before[:2]
    assert [modifier.type for modifier in strip.modifiers] == ["BRIGHT_CONTRAST"]
    assert pixel(12) != before[2]
    assert "_t001" in editor.shown()[1]
    _compare(editor, pixel, tmp_path / "cut.blend")
    assert editor.takes(made.shots[0]["shot"]) == [("t001", False), ("t002", True)]


def _compare(editor: Editor, pixel: Callable[..., Any], blend: Path) -> None:
    """Look at t001 beside t002, and find t002 wherever it counts."""
    chosen = pixel(12)
    bpy.ops.rushes.compare_take()
    assert "_t001" in editor.shown()[0]
    bpy.ops.rushes.compare_take()
    assert "_t002" in editor.shown()[0]
    bpy.ops.rushes.compare_take()
    assert pixel(12) == chosen
    bpy.ops.rushes.compare_take(take="t001")
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    assert "_t002" in editor.shown()[0]


def _cut_with(editor: Editor, name: str) -> None:
    from rushes_blender.strips import compat

    strip = editor.strip(name)
    compat.put(strip, compat.LEFT, compat.get(strip, compat.LEFT) + 5)
    strip.blend_alpha = 0.5
    strip.keyframe_insert("blend_alpha", frame=8)
    strip.modifiers.new("Brighter", "BRIGHT_CONTRAST")


def _keys(editor: Editor) -> list[tuple[float, float]]:
    from rushes_blender.strips import compat

    return [tuple(point.co) for curve in compat.curves(editor.scene) for point in curve.keyframe_points]


def test_undo_takes_back_a_chosen_take_and_a_prompt(
    editor: Editor, film: Callable[..., FilmOnDisk], pump: Pump
) -> None:
    made = film("a red sky", "a door")
    shot = made.shots[0]["shot"]
    editor.link(made)
    editor.select(editor.strips[0].name)
    bpy.ops.rushes.another(count=1)
    pump(lambda: len(editor.takes(shot)) == 2)
    assert "_t001" in editor.shown()[0]  # variations are never chosen
    bpy.ops.ed.undo_push(message="linked")

    bpy.ops.rushes.set_intent("EXEC_DEFAULT", True, field="prompt", value="a blue sky")
    bpy.ops.rushes.choose_take("EXEC_DEFAULT", True, take="t002")
    pump(lambda: "_t002" in editor.shown()[0])
    bpy.ops.ed.undo()
    pump(lambda: "_t001" in editor.shown()[0] and editor.takes(shot) == [("t001", True), ("t002", False)])
    assert editor.own(shot)["prompt"] == "a blue sky"
    bpy.ops.ed.undo()
    pump(lambda: editor.own(shot)["prompt"] == "a red sky")
    bpy.ops.ed.redo()
    pump(lambda: editor.own(shot)["prompt"] == "a blue sky")

    assert bpy.ops.rushes.next_take() == {"FINISHED"}
    pump(lambda: "_t002" in editor.shown()[0])
    assert bpy.ops.rushes.previous_take() == {"FINISHED"}
    pump(lambda: "_t001" in editor.shown()[0])


def test_fields_of_many_shots(editor: Editor, film: Callable[..., FilmOnDisk], pump: Pump) -> None:
    made = film("a red sky", "a door")
    editor.link(made)
    names = [strip.name for strip in editor.strips]
    editor.select(*names)
    bpy.ops.rushes.set_intent(field="camera", value="push in")
    bpy.ops.rushes.apply_to_selected(field="camera")
    bpy.ops.rushes.roll_seed()
    bpy.ops.rushes.lock()
    own = [editor.own(shot["shot"]) for shot in made.shots]
    assert [each["camera"] for each in own] == ["push in"] * 2
    assert own[0]["seed"].isdecimal() and own[0]["seed"] != own[1]["seed"]
    assert all(editor.ask("takes", shot["shot"])["locked"] for shot in made.shots)

    bpy.ops.rushes.lock_seed()
    bpy.ops.rushes.set_intent(field="negative", value="people", level="FILM")
    shown = [editor.ask("show", shot["shot"]) for shot in made.shots]
    assert all("seed" not in each["own"] for each in shown)
    assert shown[1]["inherits"]["negative"] == [{"level": "film", "name": "", "value": "people"}]
    bpy.ops.rushes.lock_seed()
    assert all(each["seed"] for each in shown)
    assert [editor.own(each["shot"])["seed"] for each in shown] == [each["seed"] for each in shown]

    pump(lambda: all(row["locked"] for row in editor.follows().rows.values()))
    bpy.ops.rushes.select_stale()
    assert {strip.name for strip in editor.strips if strip.select} == set(names)


def test_what_cannot_be_done_says_why(editor: Editor, film: Callable[..., FilmOnDisk], pump: Pump) -> None:
    editor.colour("Red", 1, 25)
    with pytest.raises(RuntimeError, match="not linked to a film"):
        bpy.ops.rushes.push()
    with pytest.raises(RuntimeError, match="is no film"):
        bpy.ops.rushes.link_film(filepath="/nowhere/film.otio")
    bpy.ops.rushes.link_film(filepath=str(film("a red sky", rendered=False).path))
    editor.select("Red")
    with pytest.raises(RuntimeError, match="is no shot"):
        bpy.ops.rushes.choose_take(take="t001")
    with pytest.raises(RuntimeError, match="no field 'colour'"):
        bpy.ops.rushes.set_intent(field="colour", value="red", level="FILM", shot=editor.follows().order[0])
