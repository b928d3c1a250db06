"""A scene that is a copy of one that is linked to a film."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import bpy
import pytest

from clips import Clips
from fake_film import FakeFilm, faked, first_scene, movies, push, shown
from pumping import pump_for, pump_until
from rushes_blender import scenes
from rushes_blender.edits import copies

A_WHILE_S = 0.3


@pytest.fixture
def fake(scene: bpy.types.Scene, clip: Clips, tmp_path: Path, pump: Callable[..., float]) -> Iterator[FakeFilm]:
    with faked(tmp_path, clip, 2) as film:
        film.link(scene)
        pump(lambda: copies.NAME in scene)
        push("Link")
        yield film


def copied(kind: str) -> str:
    """The name of a copy that Blender's operator makes, as a step, while the original goes on being edited."""
    bpy.ops.scene.new("EXEC_DEFAULT", True, type=kind)
    name = bpy.context.scene.name
    bpy.context.window.scene = first_scene()
    pump_until(lambda: bpy.data.scenes[name].get(copies.NAME) != first_scene()[copies.NAME])
    return str(name)


def is_frozen(name: str) -> bool:
    return scenes.is_frozen(bpy.data.scenes[name])


def test_a_copy_stays_as_it_is_until_it_is_let_go_on(fake: FakeFilm, pump: Callable[..., float]) -> None:
    copy = copied("FULL_COPY")
    assert (is_frozen(copy), scenes.is_frozen(first_scene())) == (True, False)
    assert [note.split()[0] for note in fake.state.notes] == [copy]
    fake.ask(type="render", shots=fake.shots)
    pump(lambda: set(shown(first_scene()).values()) == {"t002"})
    assert set(shown(bpy.data.scenes[copy]).values()) == {"t001"}

    scenes.set_frozen(bpy.data.scenes[copy], False)
    push("Freeze")
    pump(lambda: is_frozen(copy) or set(shown(bpy.data.scenes[copy]).values()) == {"t002"})
    movies(first_scene())[0].mute = True
    push("mute")
    for undo, frozen in ((True, False), (True, True), (False, False)):
        (bpy.ops.ed.undo if undo else bpy.ops.ed.redo)()
        pump_for(0.15)
        assert is_frozen(copy) is frozen


def test_a_copy_without_the_strips_is_nobodys(fake: FakeFilm) -> None:
    """Else a film would lose its whole cut to it."""
    for kind in ("EMPTY", "LINK_COPY"):
        name = copied(kind)
        assert scenes.film_of(bpy.data.scenes[name]) == ""
    pump_for(A_WHILE_S)
    assert all(len(each["sequence"]["rows"]) == len(fake.shots) for each in fake.asked("pull"))
    bpy.ops.ed.undo()
    pump_for(A_WHILE_S)
    assert [path for _, path in scenes.linked()] == [fake.path]


def test_what_was_saved_is_as_it_was_saved(fake: FakeFilm, tmp_path: Path) -> None:
    name = copied("FULL_COPY")
    scenes.set_frozen(bpy.data.scenes[name], False)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "two.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "two.blend"))
    pump_for(A_WHILE_S)
    assert [scenes.is_frozen(scene) for scene in bpy.data.scenes] == [False, False]

    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "other.blend"))
    with bpy.data.libraries.load(str(tmp_path / "two.blend")) as (there, here):
        here.scenes = there.scenes[:1]
    pump_for(A_WHILE_S)
    assert [scenes.is_frozen(scene) for scene in bpy.data.scenes].count(True) == 1
    assert is_frozen(here.scenes[0].name)
    bpy.data.scenes.remove(here.scenes[0])
    assert len(fake.state.notes) == 2
