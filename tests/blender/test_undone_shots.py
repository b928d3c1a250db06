"""Shots that were made, and the making undone and redone, with a real daemon."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import pytest

from clips import Clips
from editor import Editor
from filming import FilmOnDisk
from pumping import pump_until

QUIET_S = 0.05

Ids = dict[str, tuple[str, str]]
"""By the strip's name, what kind it is and which shot."""


@pytest.fixture
def editor(addon: ModuleType) -> Iterator[Editor]:
    """In whose Blender changes are taken into the film at once."""
    from rushes_blender.edits import pulling

    before, pulling.changes.quiet_s = pulling.changes.quiet_s, QUIET_S
    yield Editor()
    pulling.changes.quiet_s = before


def ids(editor: Editor) -> Ids:
    from rushes_blender.strips import marks

    return {strip.name: (strip.type, marks.shot_of(strip)) for strip in editor.strips}


def settle(editor: Editor, wanted: Ids) -> None:
    """The strips stay so, their shots become all that the film has, and another pull changes nothing."""
    from rushes_blender.edits import pulling

    shots = {shot for _, shot in wanted.values() if shot}
    assert ids(editor) == wanted
    pump_until(lambda: ids(editor) != wanted or set(editor.follows().rows) == shots, 10)
    assert ids(editor) == wanted
    answers: list[Any] = []
    pulling.request(editor.scene, lambda *answer: answers.append(answer))
    pump_until(lambda: answers)
    result, error = answers[0]
    assert error is None
    assert (result["changed"], result["ids"], result["add"]) == (False, [], [])
    assert ids(editor) == wanted


def undone(editor: Editor, do: Callable[[], object]) -> None:
    """Do it, undo it, redo it, undo it: what there was is there again each time."""
    from fake_film import push

    push("before")
    before = ids(editor)
    do()
    after = ids(editor)
    assert after != before
    settle(editor, after)
    for step, wanted in ((bpy.ops.ed.undo, before), (bpy.ops.ed.redo, after), (bpy.ops.ed.undo, before)):
        assert step() == {"FINISHED"}
        settle(editor, wanted)


def test_what_was_made_a_shot_is_what_it_was(editor: Editor, film: Callable[..., FilmOnDisk], clip: Clips) -> None:
    from rushes_blender.strips import compat

    editor.link(film("a red sky", rendered=False))
    compat.strips(editor.scene.sequence_editor).new_movie("Plate", str(clip("plate", 30)), 1, 60)
    editor.colour("Board", 100, 120)
    for name in ("Plate", "Board"):  # at once, and when both are known as clips
        editor.select(name)
        undone(editor, lambda: bpy.ops.rushes.make_shot(prompt="rain"))
    bpy.ops.ed.redo()
    settle(editor, ids(editor))
    board = ids(editor)["Board"]
    assert board[0] == "MOVIE" and editor.own(board[1]) == {"prompt": "rain"}
    editor.scene.frame_set(200)
    undone(editor, lambda: bpy.ops.rushes.new_shot_here(prompt="a harbour"))


def test_what_was_made_unique_is_a_use_again(editor: Editor, film: Callable[..., FilmOnDisk]) -> None:
    from rushes_blender.strips import compat, marks

    editor.link(film("a red sky", "a door"))
    first = editor.strips[0]
    copy = compat.strips(editor.scene.sequence_editor).new_movie("Copy", first.filepath, 1, 100)
    marks.mark(copy, marks.use_of(first), marks.shot_of(first))
    assert bpy.ops.rushes.pull() == {"FINISHED"}
    use = marks.use_of(editor.strip("Copy"))
    editor.select("Copy")
    undone(editor, bpy.ops.rushes.make_unique)
    assert marks.use_of(editor.strip("Copy")) == use


def test_a_film_that_was_made_is_left(editor: Editor, tmp_path: Path) -> None:
    from fake_film import push
    from rushes_blender import scenes

    editor.colour("Board", 1, 25)
    push("before")
    before = ids(editor)
    assert bpy.ops.rushes.make_film(filepath=str(tmp_path / "board.otio")) == {"FINISHED"}
    after = ids(editor)
    settle(editor, after)
    bpy.ops.ed.undo()
    assert (ids(editor), scenes.film_of(editor.scene)) == (before, "")
    bpy.ops.ed.redo()
    pump_until(lambda: editor.follows().is_known)
    settle(editor, after)
