"""What an editor does in the sequencer is taken into the film, and nothing in the sequencer moves by it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import bpy
import pytest

import cutting
from clips import Clips
from fake_film import QUIET_S, FakeFilm, faked, first_scene, lying, movies, push
from filming import FilmOnDisk
from pumping import pump_for
from rushes_blender import running, scenes
from rushes_blender.edits import pulling
from rushes_blender.strips import compat, marks, pushing

SEED = int(os.environ.get("RUSHES_SEED", "1"))
"""Of the edits. Any will do."""

A_WHILE_S = QUIET_S + 0.14
"""In which what is pulled by itself has been pulled."""


@pytest.fixture
def fake(
    scene: bpy.types.Scene,
    clip: Clips,
    tmp_path: Path,
    pump: Callable[..., float],
) -> Iterator[FakeFilm]:
    """Linked, and pulled once."""
    with faked(tmp_path, clip, 3) as film:
        film.link(scene)
        push("Link")
        pump(lambda: film.asked("pull"))
        pump_for(0.12)
        yield film


# -- a real film --------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("addon")
def test_whatever_is_cut_stays_where_it_is(scene: bpy.types.Scene, film: Callable[..., FilmOnDisk]) -> None:
    path = str(film("a red sky", "a door", "a boat", frames=48).path)
    _link(scene, path)
    pushed(scene)
    random = Random(SEED)
    for _ in range(24):
        edit = random.choice(cutting.EDITS)
        edit(scene, random)
        before = cut_of(scene)
        answer = pushed(scene)
        assert (answer["add"], cut_of(scene)) == ([], before), edit.__name__
        uses = [marks.use_of(strip) for strip in movies(scene)]
        assert "" not in uses and len(set(uses)) == len(uses), edit.__name__
    again = pushed(scene)
    assert (again["changed"], again["ids"]) == (False, [])

    other = bpy.data.scenes.new("other")
    other.render.fps = 24
    _link(other, path)
    pushed(other)
    assert sorted(seen_of(other)) == sorted(seen_of(scene))


def _link(scene: bpy.types.Scene, path: str) -> None:
    scenes.link(scene, path)
    scenes.set_frozen(scene, False)
    running.refollow()


def pushed(scene: bpy.types.Scene) -> dict[str, Any]:
    """Pull, and bring in what the film has beside: what Push does."""
    answers: list[Any] = []
    pulling.request(scene, lambda *answer: answers.append(answer), bring=True)
    while not answers:
        running.session().poll(0.01)
    result, error = answers[0]
    assert error is None, error
    assert pushing.bring_in(scene, result).problems == []
    scenes.set_known(scene, result["known"])
    return dict(result)


def cut_of(scene: bpy.types.Scene) -> dict[str, Any]:
    """All that must not move."""
    lies = lying(scene)
    return {each.name: (each.type, lies.get(each.name), each.mute) for each in compat.strips_all(scene)}


def seen_of(scene: bpy.types.Scene) -> list[tuple[Any, ...]]:
    """What is seen of the film's shots: which use, from where to where, from which of its frames on."""
    lies, zero = lying(scene), scenes.zero(scene)
    found = []
    for strip in movies(scene):
        if marks.shot_of(strip):
            _, left, right, head = lies[strip.name]
            found.append((marks.use_of(strip), left - zero, right - zero, head, strip.mute))
    return found


# -- when, and what is written back --------------------------------------------------------------------------


def test_an_edit_is_pulled_by_itself_once_and_not_at_once(fake: FakeFilm) -> None:
    for left in (10, 11, 12):
        compat.put(movies(first_scene())[0], compat.LEFT, left)
        push("trim")
        pump_for(QUIET_S / 2)
    assert len(fake.asked("pull")) == 1
    pump_for(2 * A_WHILE_S)
    assert len(fake.asked("pull")) == 2

    fake.ask(type="render", shots=fake.shots)  # a swap is no edit
    pump_for(A_WHILE_S)
    assert len(fake.asked("pull")) == 2

    movies(first_scene())[0].name = "impossible"  # what fails is noted, and not tried again before the next edit
    push("rename")
    pump_for(A_WHILE_S)
    pulling.touch()
    pump_for(A_WHILE_S)
    assert (len(fake.asked("pull")), list(fake.state.notes)) == (3, ["impossible"])
    movies(first_scene())[0].name = "possible"

    for switch in (pulling.set_automatic, lambda scene, is_on: scenes.set_frozen(scene, not is_on)):
        switch(first_scene(), False)
        movies(first_scene())[1].mute ^= True
        push("mute")
        pump_for(A_WHILE_S)
        assert len(fake.asked("pull")) == 3
        switch(first_scene(), True)
    movies(first_scene())[1].mute = True
    push("mute")
    pump_for(A_WHILE_S)
    assert len(fake.asked("pull")) == 4


def test_a_file_that_is_opened_is_not_pulled_before_it_is_changed(fake: FakeFilm, tmp_path: Path) -> None:
    file = str(tmp_path / "old.blend")
    bpy.ops.wm.save_as_mainfile(filepath=file)
    movies(first_scene())[0].mute = True
    push("mute")
    pump_for(A_WHILE_S)
    bpy.ops.wm.open_mainfile(filepath=file)
    bpy.context.view_layer.update()
    pump_for(A_WHILE_S)
    assert len(fake.asked("pull")) == 2
    movies(first_scene())[1].mute = True
    bpy.context.view_layer.update()
    pump_for(A_WHILE_S)
    assert len(fake.asked("pull")) == 3


def test_halves_of_a_blade_keep_their_own_use_whatever_is_undone(fake: FakeFilm) -> None:
    movies(first_scene())[0].split(frame=15, split_method="SOFT")
    push("blade")
    pump_for(A_WHILE_S)
    halves = uses_of(first_scene())
    assert sorted(halves.values()) == ["ns000001", "ns000002", "ns000003", "nw000001"]
    compat.put(movies(first_scene())[2], compat.LEFT, 120)
    push("trim")
    pump_for(A_WHILE_S)

    bpy.ops.ed.undo()  # to the blade, of which the film had heard nothing then
    assert uses_of(first_scene()) == halves
    bpy.ops.ed.undo()
    assert sorted(uses_of(first_scene()).values()) == ["ns000001", "ns000002", "ns000003"]
    pump_for(A_WHILE_S)
    assert "nw000001" in fake.asked("pull")[-1]["sequence"]["known"]  # so its absence is a deletion
    bpy.ops.ed.redo()
    assert uses_of(first_scene()) == halves


def test_an_answer_that_comes_late_is_written_only_where_it_fits(
    fake: FakeFilm, pump: Callable[..., float]
) -> None:
    answers: list[Any] = []
    scene = first_scene()
    strips = compat.strips(scene.sequence_editor)
    for name, frame in zip(fake.shots, (15, 115), strict=False):
        strips[name].split(frame=frame, split_method="SOFT")
    pulling.request(scene, lambda *answer: answers.append(answer))
    strips.remove(strips[fake.shots[0]])
    strips[fake.shots[2]].name = fake.shots[0]  # another strip is called so now
    before = uses_of(scene)
    pump(lambda: answers)
    assert {each["key"] for each in answers[0][0]["ids"]} == set(fake.shots[:2])
    after = uses_of(scene)
    assert [each for each in after if after[each] != before[each]] == fake.shots[1:2]
    pump(lambda: len(fake.asked("pull")) == 3, 5)  # it looks again


def test_pulls_of_a_film_come_one_after_the_other(fake: FakeFilm, pump: Callable[..., float]) -> None:
    answers: list[Any] = []
    for _ in range(3):
        pulling.request(first_scene(), lambda *answer: answers.append(answer))
    make = [{"key": fake.shots[0], "prompt": "a boat"}]
    pulling.request(first_scene(), lambda *answer: answers.append(answer), make)
    scenes.set_frozen(first_scene(), True)
    pump(lambda: len(answers) == 4)
    assert [error and error["text"] for _, error in answers] == [None, *3 * ["The scene is frozen"]]
    assert len(fake.asked("pull")) == 2


def uses_of(scene: bpy.types.Scene) -> dict[str, str]:
    return {strip.name: marks.use_of(strip) for strip in movies(scene)}


def test_a_blade_and_a_slip_are_pulled_though_blender_tells_nobody_of_them(
    fake: FakeFilm, pump: Callable[..., float]
) -> None:
    first, second, *_ = movies(first_scene())
    pulls = len(fake.asked("pull"))
    first.split(frame=15, split_method="SOFT")
    pump(lambda: len(fake.asked("pull")) == pulls + 1, 10)
    compat.put(second, compat.START, compat.get(second, compat.START) + 3)
    pump(lambda: len(fake.asked("pull")) == pulls + 2, 10)
