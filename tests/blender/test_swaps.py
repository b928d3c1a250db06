"""New takes are swapped into an open sequence: soon, a little at a time, and in no wrong moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import bpy
import pytest

from clips import Clips
from fake_film import FakeFilm, faked, lying, movies, shown
from pumping import pump_for
from rushes_blender import running, scenes
from rushes_blender.edits import moments, swaps
from rushes_blender.strips import compat

FOUR = 4


@pytest.fixture
def fake(scene: bpy.types.Scene, clip: Clips, tmp_path: Path) -> Iterator[FakeFilm]:
    with faked(tmp_path, clip, FOUR, takes=3) as film:
        film.link(scene)
        yield film


def test_a_take_is_shown_wherever_its_shot_is_used(
    fake: FakeFilm, scene: bpy.types.Scene, pump: Callable[..., float], pixel: Callable[..., tuple[int, int, int]]
) -> None:
    bpy.ops.scene.new(type="FULL_COPY")
    bpy.ops.scene.new(type="FULL_COPY")
    _, second, frozen = bpy.data.scenes
    scenes.set_frozen(frozen, True)
    inside = compat.strips(second.sequence_editor)[fake.shots[0]]
    meta = compat.strips(second.sequence_editor).new_meta("meta", 7, 1000)
    inside.move_to_meta(meta)
    before = {each.name: lying(each) for each in (scene, second, frozen)}
    swaps.seconds.clear()

    fake.ask(type="render", shots=fake.shots[:2])
    pump(lambda: len(swaps.seconds) == 4)

    expected = dict(zip(fake.shots, ("t002", "t002", "t001", "t001"), strict=True))
    assert (shown(scene), shown(second)) == (expected, expected)
    assert set(shown(frozen).values()) == {"t001"}
    assert {each.name: lying(each) for each in (scene, second, frozen)} == before
    bpy.context.window.scene = scene
    assert pixel(10) == (80, 80, 80)
    assert max(swaps.seconds) < 1.0  # one tick, as a rule; the machine may be busy
    holds = {(shot, take) for each in (expected, shown(frozen)) for shot, take in each.items()}
    pump(lambda: {tuple(pair) for pair in fake.asked("hold")[-1]["takes"]} == holds)


def test_a_tick_swaps_one_strip_at_least_and_stops_when_its_time_is_up(
    fake: FakeFilm, scene: bpy.types.Scene
) -> None:
    running.session().poll(0.0)
    fake.state.showings.update((shot, _showing(fake, shot, "t002")) for shot in fake.shots)
    swaps.told(fake.path, set(fake.shots))
    left = []
    while swaps.work(0.0):
        left.append(list(shown(scene).values()).count("t001"))
    assert left == [3, 2, 1, 0]
    assert not swaps.work(0.0)


def test_nothing_is_swapped_while_the_file_is_saved(
    fake: FakeFilm, scene: bpy.types.Scene, tmp_path: Path, pump: Callable[..., float]
) -> None:
    seen: list[dict[str, str]] = []
    pumped_hold(fake, pump, ["sh000001", "t001"])

    def meanwhile(*_: object) -> None:
        fake.ask(type="render", shots=fake.shots)
        pump_for(0.3)
        seen.append(shown(scene))

    bpy.app.handlers.save_pre.append(meanwhile)
    try:
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "film.blend"))
    finally:
        bpy.app.handlers.save_pre.remove(meanwhile)
    assert set(seen[0].values()) == {"t001"}
    pump(lambda: set(shown(scene).values()) == {"t002"})
    hold = pumped_hold(fake, pump, ["sh000001", "t002"])
    assert hold["host"] == f"blender:{tmp_path / 'film.blend'}"
    assert any(not each["takes"] for each in fake.asked("hold"))  # the file without a name holds nothing any more


class _RunsOn(bpy.types.Operator):
    bl_label = "Runs On"

    def execute(self, context: bpy.types.Context) -> set[str]:
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return {"PASS_THROUGH"}


class SEQUENCER_OT_drag(_RunsOn):  # noqa: N801 (Blender's way)
    """As Blender's own do while something is dragged."""

    bl_idname = "sequencer.drag"


class SEQUENCER_OT_browse(_RunsOn):  # noqa: N801
    """As Blender's own do while a file is chosen."""

    bl_idname = "sequencer.browse"
    filepath: bpy.props.StringProperty()  # type: ignore[valid-type]


def test_nothing_is_read_or_swapped_while_something_is_dragged(fake: FakeFilm, scene: bpy.types.Scene) -> None:
    running = SEQUENCER_OT_browse, SEQUENCER_OT_drag
    window = bpy.context.window_manager.windows[0]
    for each in running:
        assert moments.may_read()
        bpy.utils.register_class(each)
        with bpy.context.temp_override(window=window):
            assert getattr(bpy.ops.sequencer, each.bl_idname.partition(".")[2])() == {"RUNNING_MODAL"}
    assert {each.bl_idname for each in window.modal_operators} == {each.__name__ for each in running}
    fake.ask(type="render", shots=fake.shots)
    pump_for(0.3)
    assert not moments.may_read() and set(shown(scene).values()) == {"t001"}
    bpy.ops.wm.read_factory_settings(use_empty=True)  # no event ends it here, but another file does
    for each in running:
        bpy.utils.unregister_class(each)
    assert moments.may_read()


def test_what_cannot_be_shown_is_said_once_and_holds_up_nothing(
    fake: FakeFilm, scene: bpy.types.Scene, pump: Callable[..., float]
) -> None:
    fake.take(fake.shots[0], "t002").unlink()
    fake.ask(type="render", shots=fake.shots)
    pump(lambda: list(shown(scene).values()) == ["t001", "t002", "t002", "t002"])
    pump_for(0.3)
    assert len(fake.state.notes) == 1 and "is not there" in fake.state.notes[0]
    fake.ask(type="render", shots=fake.shots[:1])
    pump(lambda: shown(scene)[fake.shots[0]] == "t003")


def test_what_is_before_the_editor_is_said_when_it_changes(
    fake: FakeFilm, scene: bpy.types.Scene, pump: Callable[..., float]
) -> None:
    for strip in movies(scene):
        strip.select = strip.name == fake.shots[2]
    scene.frame_current = 110
    wanted = {"type": "focus", "film": fake.path, "playhead": fake.shots[1:2], "selection": fake.shots[2:3]}
    pump(lambda: wanted in fake.asked("focus"))
    count = len(fake.asked("focus"))
    pump_for(0.4)
    assert len(fake.asked("focus")) == count


def pumped_hold(fake: FakeFilm, pump: Callable[..., float], pair: list[str]) -> dict[str, list[list[str]]]:
    """What the daemon is told as soon as it has this pair of shot and take."""
    pump(lambda: any(pair in each["takes"] for each in fake.asked("hold")))
    return dict(fake.asked("hold")[-1])


def _showing(fake: FakeFilm, shot: str, take: str) -> dict[str, object]:
    size, path = (320, 180), str(fake.take(shot, take))
    return {"shot": shot, "take": take, "path": path, "frames": 48, "size": size, "zero": 0, "footage": None}
