"""What a stranger's .blend or a broken daemon may bring: it stops no tick, is not opened, and harms no strip."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pumping
import rushes_blender
from clips import Clips
from fake_film import FakeFilm, faked, shown
from rushes_blender import running, scenes
from rushes_blender.edits import pulling, swaps
from rushes_blender.strips import compat, dressing, marks, pushing, snapshot, swapping
from sequencing import movie, places, showing, starts

VALUES: tuple[Any, ...] = (
    *(
        7,
        -1,
        2**31 - 1,
        -(2**31),
        1.5,
        float("nan"),
        float("inf"),
        True,
        b"\xff",
        [1, 2],
        [1.5],
        {"a": {"b": [1]}},
    ),
    *("", "\u202e", "x" * 2_000_000, "[" * 100_000, '[["a", Infinity]]', '{"ab": 1}', "1" * 6000, "a\nb"),
    *(
        "//../../etc/passwd",
        "\\\\server\\share",
        "/dev/zero",
        "/" + "a/" * 4000,
        "//",
        "~/film.otio",
        "99999x1-1/0",
    ),
)
OF_SCENES = ("film", "zero", "known", "step", "frozen", "auto_pull", "markers")
OF_STRIPS = ("use", "shot", "window", "speed")


def test_properties_of_any_kind(
    addon: ModuleType, scene: bpy.types.Scene, capfd: pytest.CaptureFixture[str]
) -> None:
    strip = compat.new_effect(scene.sequence_editor, "colour", "COLOR", 1, 1, 20)
    where = places(scene)
    for owner, names in ((scene, OF_SCENES), (strip, OF_STRIPS)):
        for name in (f"rushes_{each}" for each in names):
            for value in VALUES:
                owner[name] = value
                snapshot.sequence(scene)
                dressing.scene_markers(scene, [{"name": "one", "start": 3}])
                swaps.reconcile_all()
                pulling.undone()
                running.refollow()
                running._tick()
                assert running.session().followed == set()
            if name in owner:
                del owner[name]
    marks.mark(strip, "1234567a", "1234567b")
    assert (marks.use_of(strip), marks.shot_of(strip), places(scene)) == ("1234567a", "1234567b", where)
    assert "Traceback" not in capfd.readouterr().err
    for base in (1e-5, 0.1, 1.001, 1e6):
        scene.render.fps_base = base
        assert snapshot.rate_of(scene) > 0


@pytest.fixture
def files(clip: Clips, tmp_path: Path) -> list[str]:
    """Names of media, of which the first one can be shown."""
    good = clip("old", 120, lambda i: i)
    for name, content in (
        ("text.mov", b"text"),
        ("empty.mov", b""),
        ('a "q" [b] \\ \n\u202e.mov', good.read_bytes()),
    ):
        (tmp_path / name).write_bytes(content)
    os.mkfifo(tmp_path / "fifo.mov")
    found = [str(good), *map(str, sorted(tmp_path.glob("*.mov"))), str(tmp_path), "/dev/zero", "/not/there.mov"]
    return [*found, "", "\udcff.mov", "x" * 5000, "concat:a|b", "//a.mov"]


def _rows(files: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    frame = st.sampled_from([0, 1_000_000, -1_000_000, 9_999_999, -9_999_999]) | st.integers(-200, 300)
    name = st.sampled_from(["a", 'n"]\\', "\u202e\x1b", "é" * 100, ""])
    kind = st.sampled_from(["movie", "image", "images", "sound", "color", "text", "meta", "what is this"])
    channel = st.sampled_from([1, 2, 3, 128, 1024])
    needed = {"key": name, "kind": kind, "channel": channel, "left": frame, "right": frame}
    size = st.sampled_from([None, [1, 1], [99_999, 99_999], [320, 180]])
    told = {"path": st.sampled_from(files), "first": frame, "length": frame.map(abs), "size": size, "zero": frame}
    told |= {"name": name, "enabled": st.booleans(), "speed": st.sampled_from(["-1", "2", "0", "", "-999999"])}
    return st.fixed_dictionaries(needed, optional=told)


def test_whatever_is_brought_in_the_editors_strips_stay(scene: bpy.types.Scene, files: list[str]) -> None:
    for name, left in (("one", 10), ("two", 60)):
        movie(scene, Path(files[0]), left, left + 40, 5, name=name)
    was, were = places(scene), starts(scene)
    collection = compat.strips(scene.sequence_editor)

    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(_rows(files), max_size=4))
    def check(rows: list[dict[str, Any]]) -> None:
        cross = {"key": "x", "channel": 2, "left": 5, "right": 9, "out": "one", "into": "a", "kind": "what"}
        pushing.bring_in(scene, {"add": rows, "dissolves": [cross]})
        snapshot.sequence(scene)
        assert {name: places(scene)[name] for name in was} == was
        assert {name: starts(scene)[name] for name in were} == were
        for name in [strip.name for strip in collection if strip.name not in was]:
            if name in collection:  # an effect goes with what it is made of
                collection.remove(collection[name])

    check()


def _frames(far: int) -> st.SearchStrategy[int]:
    return st.integers(-300, 300) | st.sampled_from([far, -far])


def test_whatever_is_shown_the_strip_stays(scene: bpy.types.Scene, clip: Clips, files: list[str]) -> None:
    """Also where it says of itself what cannot be, runs backwards, and is cropped as far as Blender takes it."""
    strips = []
    for name, channel in (("forwards", 1), ("backwards", 2)):
        strip = movie(scene, Path(files[0]), 100, 160, 30, channel, name)
        strip.use_reverse_frames, strip.crop.max_x = name == "backwards", 2**31 - 1
        strip.keyframe_insert("blend_alpha", frame=120)
        strips.append(strip)
    compat.new_effect(scene.sequence_editor, "before", "COLOR", 1, 1, 100)
    movie(scene, Path(files[0]), 160, 220, name="after")
    was, keys = places(scene), _keys(scene)
    sizes = st.sampled_from([1, 320, 99_999])
    windows = st.builds(
        "{}x{}{:+d}/{}".format, sizes, sizes, _frames(99_999_999), st.sampled_from([0, 7, 99_999_999])
    )
    media = [*files[:4], str(clip("new", 90, lambda i: 100 + i, (160, 90))), str(clip("one", 1, "red"))]

    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(strips), windows, st.sampled_from(media), st.tuples(sizes, sizes), _frames(10_000_000))
    def check(strip: Any, window: str, path: str, size: tuple[int, int], zero: int) -> None:
        strip["rushes_window"] = window
        assert "Error" not in swapping.show(scene, strip, showing(Path(path), 90, size, zero))
        assert (places(scene), _keys(scene)) == (was, keys)

    check()


NAMES = ('q"', 'b]["x"]', "back\\", '\\"both\\\\', "tab\tline\n", "ü𝄞\u202e", "x" * 63, "'", '_all["a"].', "%s{}")


def test_strips_of_any_name_keep_their_keyframes(scene: bpy.types.Scene, clip: Clips) -> None:
    old, new = clip("old", 120, lambda i: i), clip("new", 90, lambda i: 100 + i, (160, 90))
    for at, name in enumerate(NAMES):
        strip = movie(scene, old, 1 + at * 70, 61 + at * 70, 30, name=name)
        marks.set_window(strip, marks.Window(320, 180, 0, 120))
        for owner, path in ((strip, "blend_alpha"), (strip.transform, "scale_x")):
            setattr(owner, path, 0.5)
            owner.keyframe_insert(path, frame=9 + at * 70)
    was, keys = places(scene), _keys(scene)
    strips = compat.strips_all(scene)
    assert len(keys) == 2 * len(NAMES)
    take = showing(new, 90, (160, 90), zero=10)
    assert [swapping.show(scene, strip, take) for strip in strips] == [""] * len(NAMES)
    doubled = {path: (frame, value * (2 if "scale" in path else 1)) for path, (frame, value) in keys.items()}
    assert (places(scene), _keys(scene)) == (was, doubled)


def _keys(scene: bpy.types.Scene) -> dict[str, tuple[float, float]]:
    return {curve.data_path: tuple(curve.keyframe_points[0].co) for curve in compat.curves(scene)}


def test_a_scene_of_another_file_is_not_changed(scene: bpy.types.Scene, clip: Clips, tmp_path: Path) -> None:
    strip = movie(scene, clip("old", 60, "red"), 1, 41, name="shot")
    marks.mark(strip, "1234567a", "1234567b")
    scene.name, scene["rushes_film"] = "Theirs", "/some/film.otio"
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "theirs.blend"))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(str(tmp_path / "theirs.blend"), link=True) as (_, wanted):
        wanted.scenes = ["Theirs"]
    theirs = bpy.data.scenes["Theirs"]
    (strip,) = compat.strips_all(theirs)
    before = strip.filepath
    assert scenes.linked() == []
    assert "another file" in swapping.show(theirs, strip, showing(clip("new", 60, "blue"), 60))
    assert strip.filepath == before


# -- in the middle of things ----------------------------------------------------------------------------------


@pytest.fixture
def fake(scene: bpy.types.Scene, clip: Clips, tmp_path: Path) -> Iterator[FakeFilm]:
    with faked(tmp_path, clip, 3, takes=3) as film:
        film.link(scene)
        yield film


def test_scenes_strips_and_media_that_go_meanwhile(
    fake: FakeFilm, scene: bpy.types.Scene, capfd: pytest.CaptureFixture[str]
) -> None:
    """A pull of a scene that is removed, a swap of a strip that is, a take that was replaced by something else."""
    heard: list[Any] = []
    other = scene.copy()
    for _ in range(2):
        pulling.request(other, lambda result, error: heard.append(error and error["text"]))
    bpy.data.scenes.remove(other)
    pumping.pump_until(lambda: len(heard) == 2)
    assert heard == [None, "The scene is gone"]
    text, gone, kept = fake.shots
    fake.take(text, "t002").unlink()
    fake.take(text, "t002").write_text("no movie")
    fake.ask(type="render", shots=fake.shots)
    strips = compat.strips(scene.sequence_editor)
    strips.remove(strips[gone])
    pumping.pump_until(lambda: shown(scene) == {text: "t001", kept: "t002"})
    pumping.pump_until(lambda: any("cannot read" in note for note in fake.state.notes))
    fake.ask(type="render", shots=[text])
    pumping.pump_until(lambda: shown(scene)[text] == "t003")
    assert "Traceback" not in capfd.readouterr().err


def test_switched_off_while_all_is_under_way(
    fake: FakeFilm, scene: bpy.types.Scene, capfd: pytest.CaptureFixture[str]
) -> None:
    heard: list[Any] = []
    before = places(scene)
    running.session().ask({"type": "render", "film": fake.path, "shots": fake.shots})
    pulling.request(scene, lambda *answer: heard.append(answer))
    rushes_blender.unregister()
    pumping.pump_for(0.3)
    assert len(heard) == 1 and places(scene) == before
    assert not bpy.app.timers.is_registered(running._tick)
    assert "Traceback" not in capfd.readouterr().err


TOMORROW = '{"v": 2, "body": {"type": "linked"}}'
PROGRAMS: dict[str, tuple[str, Callable[[str], bool]]] = {
    "talks nonsense": ("exec yes nonsense", lambda why: "not Rushes" in why),
    "says nothing": ("exec sleep 60", lambda why: why == ""),
    "ends": ("echo no luck >&2; exit 3", lambda why: "3: no luck" in why),
    "is from tomorrow": (
        'echo \'{"v": 2, "body": {"type": "linked"}}\'; exec sleep 60',
        lambda why: "version 2" in why,
    ),
}


@pytest.mark.parametrize("manner", PROGRAMS)
def test_a_program_that_is_not_rushes(
    scene: bpy.types.Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, manner: str
) -> None:
    """It costs next to nothing, and is gone with the add-on."""
    code, is_said = PROGRAMS[manner]
    program = tmp_path / "rushes"
    program.write_text(f"#!/bin/sh\n{code}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    scenes.link(scene, str(tmp_path / "film.otio"))
    rushes_blender.register()
    try:
        pumping.pump_for(0.8)
        assert is_said(running.session().why)
        assert running.ticks.mean_ms < 20 and running.ticks.count < 60
    finally:
        rushes_blender.unregister()
    with suppress(ChildProcessError):
        assert os.waitpid(-1, os.WNOHANG) == (0, 0)  # no zombie is left
