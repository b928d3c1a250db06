"""The add-on linked to the daemon inside Blender: its timer, its child process, and whom it follows."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import bpy
import pytest

from filming import ROOT, FilmOnDisk
from rushes_blender import running, scenes

Pump = Callable[..., float]


def _children() -> set[int]:
    """The processes that this one has started and that still run."""
    pids: set[int] = set()
    for listed in Path("/proc/self/task").glob("*/children"):
        pids |= {int(pid) for pid in listed.read_text().split()}
    return pids


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_linked_film_is_known_and_stays_so(
    addon: ModuleType,
    scene: bpy.types.Scene,
    film: Callable[..., FilmOnDisk],
    pump: Pump,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Through a chore that fails, a file that is saved and loaded, and the death of the child."""
    made = film("a red sky", "a door", rendered=False)
    scenes.link(scene, str(made.path))
    running.refollow()
    path = scenes.film_of(scene)
    known = running.session().follow(path)
    pump(lambda: known.is_known and len(known.showings) == 2, 60)
    assert known.order == [shot["shot"] for shot in made.shots]
    turns: list[float] = []

    def fails(budget_s: float) -> bool:
        turns.append(budget_s)
        raise RuntimeError("a chore's own fault")

    running.chore(fails)
    pump(lambda: len(turns) > 2, 10)
    assert capfd.readouterr().err.count("RuntimeError: a chore's own fault") == 1
    assert all(0 <= budget <= 0.010 for budget in turns)

    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "film" / "edit.blend"))
    assert bpy.context.scene.get("rushes_film") == path
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "film" / "edit.blend"))
    turns.clear()
    pump(lambda: turns, 10)
    assert scenes.linked() == [(bpy.context.scene, path)] and running.session().followed == {path}

    (child,) = _children()
    os.kill(child, signal.SIGKILL)
    made.set(known.order[0], "prompt=a green sky")
    pump(lambda: running.session().link_state != "linked", 10)
    pump(lambda: known.rows[known.order[0]]["reasons"] or known.rows[known.order[0]]["state"] == "missing", 30)
    pump(lambda: running.session().link_state == "linked", 30)
    assert running.session().film(path) is known


def test_the_child_goes_when_the_add_on_does(
    addon: ModuleType, scene: bpy.types.Scene, film: Callable[..., FilmOnDisk], pump: Pump
) -> None:
    scenes.link(scene, str(film("a red sky", rendered=False).path))
    for _ in range(2):
        pump(lambda: running.session().link_state == "linked", 60)
        assert len(_children()) == 1
        addon.unregister()
        assert not _children() and not bpy.app.timers.is_registered(running._tick)
        addon.unregister()
        addon.register()
        addon.register()
        assert bpy.app.timers.is_registered(running._tick)


def test_what_is_registered_in_part_is_taken_back(addon: ModuleType) -> None:
    """A part that fails, after its first class: Blender hears of it, and nothing stays."""
    broken = ModuleType("rushes_blender.broken")
    first, second = (type(name, (bpy.types.Panel,), {}) for name in ("RUSHES_PT_first", "RUSHES_PT_second"))
    first.bl_space_type, first.bl_region_type, first.bl_label = "SEQUENCE_EDITOR", "UI", "First"
    broken.CLASSES = (first, second)
    everything, handlers = addon.MODULES, list(bpy.app.handlers.undo_post)
    addon.MODULES, sys.modules[broken.__name__] = (*everything, "broken"), broken
    try:
        with pytest.raises((RuntimeError, ValueError, AttributeError)):
            addon.register()
        assert not bpy.app.timers.is_registered(running._tick)
        assert not hasattr(bpy.types, "RUSHES_PT_first") and not bpy.app.handlers.undo_post
    finally:
        addon.MODULES = everything
        del sys.modules[broken.__name__]
    addon.register()
    assert bpy.app.handlers.undo_post == handlers and bpy.app.timers.is_registered(running._tick)


def test_a_film_that_a_strangers_blend_names_is_not_even_looked_for(
    addon: ModuleType,
    scene: bpy.types.Scene,
    film: Callable[..., FilmOnDisk],
    pump: Pump,
) -> None:
    path = str(film("a red sky", rendered=False).path)
    seen: list[str] = []
    sys.addaudithook(lambda event, given: seen.append(f"{event} {given}") if event == "open" else None)
    for named in (
        path,
        "//server/share/film.otio",
        "\\\\server\\share\\film.otio",
        7,
        "",
        "//",
        "film.otio",
        "\0",
    ):
        try:
            scene["rushes_film"] = named
        except ValueError:
            continue  # Blender takes no such text
        running.refollow()
        assert running.session().followed == set()
        scenes.linked()
    assert running.session().link_state == "off" and not _children()
    assert not [event for event in seen if "film.otio" in event]
    scene["rushes_film"] = path
    assert scenes.linked() == [(scene, path)] and not scenes.trusted(path)
    scenes.link(scene, scenes.film_of(scene))  # the user's click
    running.refollow()
    assert running.session().followed == {path}
    scenes.unlink(scene)
    running.refollow()
    assert running.session().followed == set() and scenes.linked() == []
    scenes.forget_read()
    assert scenes.trusted(path)  # also after a start


def test_in_the_file_a_film_is_where_the_file_is(
    addon: ModuleType, scene: bpy.types.Scene, tmp_path: Path
) -> None:
    """Read by a Blender without the add-on, saved elsewhere, undone after that, moved together."""
    film = scenes.trust(str(tmp_path / "a" / "film.otio"))
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    scenes.link(scene, film)
    save, read = bpy.ops.wm.save_as_mainfile, bpy.ops.wm.open_mainfile
    for folder, stored in (("a", "//film.otio"), ("b", "//../a/film.otio")):
        save(filepath=str(tmp_path / folder / "edit.blend"))
        assert scenes.linked() == [(scene, film)]
        addon.unregister()
        read(filepath=str(tmp_path / folder / "edit.blend"))
        scene = bpy.context.scene
        assert scene["rushes_film"] == stored
        assert scenes.film_of(scene) == film
        addon.register()
        read(filepath=str(tmp_path / folder / "edit.blend"))
        scene = bpy.context.scene
        assert scene["rushes_film"] == film
    bpy.ops.ed.undo_push(message="as it is")
    scene["something"] = 1
    bpy.ops.ed.undo_push(message="something else")
    save(filepath=str(tmp_path / "edit.blend"))
    bpy.ops.ed.undo()
    scene = bpy.context.scene
    assert "something" not in scene and scenes.linked() == [(scene, film)]
    save(filepath=str(tmp_path / "copy.blend"), copy=True)
    assert scene["rushes_film"] == film
    (tmp_path / "a").rename(tmp_path / "c")
    read(filepath=str(tmp_path / "c" / "edit.blend"))
    assert scenes.linked() == [(bpy.context.scene, str(tmp_path / "c" / "film.otio"))]
    assert not scenes.trusted(str(tmp_path / "c" / "film.otio"))


def test_what_a_strangers_scene_holds_is_read_with_care(scene: bpy.types.Scene) -> None:
    for known in (7, "[", "[" * 10_000, '{"a": 1}', '[1, null, "../../etc", "abc"]', [1, 2], {"a": 1}):
        scene["rushes_known"] = known
        assert scenes.known(scene) == []
    scene["rushes_zero"] = "one"
    assert scenes.zero(scene) == scene.frame_start
    scenes.set_known(scene, ["abcdefgh"])
    assert scenes.known(scene) == ["abcdefgh"]


def test_the_child_ends_with_a_blender_that_is_killed(rushes_daemon: Path, tmp_path: Path) -> None:
    code = f"""
import os, sys, time
sys.path.insert(0, {str(ROOT / "blender_addon")!r})
import bpy, rushes_blender
from rushes_blender import running
rushes_blender.register()
running.session().start()
while running.session().link_state != "linked":
    running._tick(); time.sleep(0.02)
(listed,) = open(f"/proc/self/task/{{os.getpid()}}/children").read().split()
print("child", listed, flush=True)
time.sleep(60)
"""
    blender = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert blender.stdout is not None
    child = next(int(line.split()[1]) for line in blender.stdout if line.startswith("child"))
    assert _runs(child)
    blender.kill()
    blender.wait()
    blender.stdout.close()
    deadline = time.monotonic() + 10
    while _runs(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(child)
