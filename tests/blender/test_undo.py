"""The editor's undo stays the editor's: one step back takes back one edit, and strips go on showing the film's
takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpy
import pytest

from clips import Clips
from fake_film import FakeFilm, faked, first_scene, lying, movies, push, shown
from pumping import pump_for
from rushes_blender import scenes
from rushes_blender.edits import journal
from rushes_blender.strips import compat, marks

TEN = 10


class TEST_OT_tell(bpy.types.Operator):  # noqa: N801 (Blender's way)
    """An operator as ours are: what it tells the film is part of its step."""

    bl_idname = "test.tell"
    bl_label = "Tell"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    told: tuple[dict[str, Any], dict[str, Any]]

    def execute(self, context: bpy.types.Context) -> set[str]:
        journal.do(context.scene, *TEST_OT_tell.told, "Tell")
        return {"FINISHED"}


@pytest.fixture
def fake(scene: bpy.types.Scene, clip: Clips, tmp_path: Path) -> Iterator[FakeFilm]:
    with faked(tmp_path, clip, TEN, takes=5) as film:
        bpy.utils.register_class(TEST_OT_tell)
        film.link(scene)
        push("Link")
        yield film
        bpy.utils.unregister_class(TEST_OT_tell)


def tell(forward: dict[str, Any], back: dict[str, Any]) -> None:
    TEST_OT_tell.told = forward, back
    bpy.ops.test.tell("EXEC_DEFAULT", True)


def choose(shot: str, take: str, before: str) -> None:
    body = {"type": "takes", "shot": shot}
    tell({**body, "choose": take}, {**body, "choose": before})


def type_in(shot: str, prompt: str, before: str) -> None:
    body = {"type": "set", "shots": [shot]}
    tell({**body, "assignments": [f"prompt={prompt}"]}, {**body, "assignments": [f"prompt={before}"]})


def prompts(fake: FakeFilm) -> list[str]:
    return [each["assignments"][0].removeprefix("prompt=") for each in fake.asked("set")]


def chosen(fake: FakeFilm) -> list[str]:
    return [each["choose"] for each in fake.asked("takes") if "choose" in each]


def test_forty_swaps_and_three_undos_take_back_three_edits(fake: FakeFilm, pump: Callable[..., float]) -> None:
    def shoot(take: str) -> None:
        fake.ask(type="render", shots=fake.shots)
        pump(lambda: set(shown(first_scene()).values()) == {take})

    states = []
    for take, edit in (("t002", _move), ("t003", _blade), ("t004", _mute)):
        shoot(take)
        states.append(_cut(first_scene()))
        edit(first_scene())
        push(edit.__name__)
    shoot("t005")
    states.append(_cut(first_scene()))
    assert len({str(state) for state in states}) == 4

    for before in reversed(states[:3]):
        assert bpy.ops.ed.undo() == {"FINISHED"}
        assert _cut(first_scene()) == before
        pump(lambda: set(shown(first_scene()).values()) == {"t005"})
        assert _cut(first_scene()) == before
    for after in states[1:]:
        assert bpy.ops.ed.redo() == {"FINISHED"}
        pump(lambda: set(shown(first_scene()).values()) == {"t005"})
        assert _cut(first_scene()) == after
    assert chosen(fake) == []


def test_a_chosen_take_is_a_step(fake: FakeFilm, pump: Callable[..., float]) -> None:
    shot = fake.shots[0]
    choose(shot, "t002", "t001")
    pump(lambda: shown(first_scene())[shot] == "t002")
    fake.ask(type="render", shots=fake.shots[1:3])
    pump(lambda: shown(first_scene())[fake.shots[2]] == "t002")
    _move(first_scene())
    push("move")
    bpy.ops.ed.undo()
    assert shown(first_scene())[shot] == "t002"  # only the move is taken back

    bpy.ops.ed.undo()
    seen = [shown(first_scene())[shot]]
    pump(lambda: seen.append(shown(first_scene())[shot]) or fake.state.rows[shot]["take"] == "t001")
    pump_for(0.3)
    assert {*seen, shown(first_scene())[shot]} == {"t001"}  # not the undone one in between
    assert [shown(first_scene())[each] for each in fake.shots[1:4]] == ["t002", "t002", "t001"]

    bpy.ops.ed.redo()
    pump(lambda: shown(first_scene())[shot] == "t002")
    assert chosen(fake) == ["t002", "t001", "t002"]


def test_an_undone_choice_shows_at_once_what_the_film_will_say(fake: FakeFilm, pump: Callable[..., float]) -> None:
    shot = fake.shots[0]
    for take in ("t002", "t003"):  # in no step, so Blender knows of t001 only
        fake.ask(type="render", shots=[shot])
        pump(lambda take=take: shown(first_scene())[shot] == take)
    choose(shot, "t002", "t003")
    pump(lambda: shown(first_scene())[shot] == "t002")
    bpy.ops.ed.undo()
    assert shown(first_scene())[shot] == "t003"
    bpy.ops.ed.redo()
    assert shown(first_scene())[shot] == "t002"
    pump(lambda: chosen(fake) == ["t002", "t003", "t002"])
    pump_for(0.2)
    assert shown(first_scene())[shot] == "t002"
    choose(shot, "t099", "t002")  # is refused, so the film shows what it did
    pump(lambda: fake.state.notes)
    pump_for(0.2)
    assert shown(first_scene())[shot] == "t002"


def test_commands_are_taken_back_newest_first_and_made_again_in_order(
    fake: FakeFilm, pump: Callable[..., float]
) -> None:
    shot = fake.shots[0]
    for before, prompt in ("ab", "bc", "cd"):
        type_in(shot, prompt, before)
    bpy.ops.ed.undo()
    bpy.ops.ed.undo()
    bpy.ops.ed.redo()
    type_in(shot, "z", "c")  # the way to d is cut off
    with pytest.raises(RuntimeError):
        bpy.ops.ed.redo()
    for _ in range(3):
        bpy.ops.ed.undo()
    pump(lambda: len(prompts(fake)) == 10)
    assert "".join(prompts(fake)) == "bcd" + "cb" + "c" + "z" + "cba"


def test_several_commands_of_one_step_are_one_step(fake: FakeFilm, pump: Callable[..., float]) -> None:
    body = {"type": "set", "shots": fake.shots[:1]}
    for before, prompt in ("ab", "bc"):  # a field that is dragged
        given = ({**body, "assignments": [f"prompt={each}"]} for each in (prompt, before))
        journal.do(first_scene(), *given, "Prompt")
    push("Prompt")
    bpy.ops.ed.undo()
    bpy.ops.ed.redo()
    pump(lambda: "".join(prompts(fake)) == "bc" + "ba" + "bc")


def test_what_cannot_be_taken_back_is_noted(fake: FakeFilm, pump: Callable[..., float]) -> None:
    type_in(fake.shots[0], "b", "impossible")
    bpy.ops.ed.undo()
    pump(lambda: list(fake.state.notes) == ["Undo of Tell: impossible"])
    choose(fake.shots[0], "t099", "t001")  # was refused, so there is nothing to take back
    pump(lambda: fake.state.notes[-1] == "Tell: there is no t099")
    bpy.ops.ed.undo()
    pump_for(0.2)
    assert chosen(fake) == ["t099"]
    assert set(shown(first_scene()).values()) == {"t001"}


def test_what_somebody_else_has_set_since_stays(fake: FakeFilm, pump: Callable[..., float]) -> None:
    first, second = fake.shots[:2]
    type_in(first, "b", "a")
    type_in(second, "b", "a")
    choose(first, "t002", "t001")
    choose(second, "t002", "t001")
    pump(lambda: shown(first_scene())[second] == "t002")
    fake.ask(type="set", shots=[first], assignments=["prompt=theirs"])
    fake.ask(type="render", shots=[first])
    pump(lambda: shown(first_scene())[first] == "t003")
    for _ in range(4):
        bpy.ops.ed.undo()
    pump(lambda: prompts(fake) == ["b", "b", "theirs", "a"] and shown(first_scene())[second] == "t001")
    pump(lambda: len(fake.state.notes) == 2)
    assert all("since, which stays" in note for note in fake.state.notes)
    for _ in range(4):
        bpy.ops.ed.redo()
    pump(lambda: chosen(fake) == ["t002", "t002", "t001", "t002"] and prompts(fake)[4:] == ["b"])
    pump_for(0.1)
    assert len(prompts(fake)) == 5
    assert (shown(first_scene())[first], shown(first_scene())[second]) == ("t003", "t002")


def test_steps_of_several_scenes(fake: FakeFilm, pump: Callable[..., float]) -> None:
    type_in(fake.shots[0], "b", "a")
    bpy.ops.scene.new("EXEC_DEFAULT", True, type="FULL_COPY")
    type_in(fake.shots[0], "c", "b")  # in the copy
    bpy.data.scenes.remove(bpy.data.scenes[0])
    push("remove")
    bpy.data.worlds.new("something else")
    push("something else")
    pump(lambda: "".join(prompts(fake)) == "bc")
    bpy.ops.ed.undo()
    pump_for(0.1)
    assert "".join(prompts(fake)) == "bc"  # that a scene is gone takes nothing back
    for said, scenes_left in (("bc", 2), ("bcb", 2), ("bcb", 1), ("bcba", 1)):
        bpy.ops.ed.undo()
        assert len(bpy.data.scenes) == scenes_left
        pump(lambda said=said: "".join(prompts(fake)) == said)
    bpy.ops.ed.undo() if bpy.ops.ed.undo.poll() else None
    pump_for(0.1)
    assert "".join(prompts(fake)) == "bcba"


def test_many_steps_at_once_and_over_the_link(fake: FakeFilm, pump: Callable[..., float]) -> None:
    type_in(fake.shots[0], "b", "a")
    scenes.unlink(first_scene())
    push("Unlink")
    scenes.link(first_scene(), fake.path)
    push("Link again")
    type_in(fake.shots[0], "c", "b")
    type_in(fake.shots[0], "d", "c")
    said = "bcd"
    pump(lambda: "".join(prompts(fake)) == said)
    for item, more in ((2, "cb"), (4, "c"), (0, "ba"), (5, "bcd")):  # to Unlink, to c, to Link, to d
        bpy.ops.ed.undo_history(item=item)
        said += more
        pump(lambda said=said: "".join(prompts(fake)) == said)


def test_a_loaded_file_begins_anew(fake: FakeFilm, tmp_path: Path, pump: Callable[..., float]) -> None:
    type_in(fake.shots[0], "b", "a")
    choose(fake.shots[1], "t002", "t001")
    pump(lambda: shown(first_scene())[fake.shots[1]] == "t002")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    fake.ask(type="render", shots=fake.shots[1:2])
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    pump(lambda: shown(first_scene())[fake.shots[1]] == "t003")  # what was rendered meanwhile
    push("Original")
    type_in(fake.shots[0], "c", "b")
    bpy.ops.ed.undo()
    pump(lambda: "".join(prompts(fake)) == "bcb")
    assert first_scene()[journal.STEP] == 2
    first_scene()[journal.STEP] = 2**31 - 1  # a number that somebody else wrote
    push("odd")
    type_in(fake.shots[0], "d", "b")
    bpy.ops.ed.undo()
    pump(lambda: "".join(prompts(fake)) == "bcbdb")


def _move(scene: bpy.types.Scene) -> None:
    strip = movies(scene)[4]
    compat.put(strip, compat.START, compat.get(strip, compat.START) + 7)


def _blade(scene: bpy.types.Scene) -> None:
    strip = movies(scene)[5]
    strip.split(frame=compat.get(strip, compat.LEFT) + 9, split_method="SOFT")


def _mute(scene: bpy.types.Scene) -> None:
    movies(scene)[6].mute = True


def _cut(scene: bpy.types.Scene) -> dict[str, Any]:
    """All that an editor sees to, whatever take is shown."""
    return {strip.name: (lying(scene)[strip.name], strip.mute, marks.shot_of(strip)) for strip in movies(scene)}
