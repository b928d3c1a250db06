"""What the add-on costs inside a Blender: a program of a Python that has bpy.

    python benchmarks/inblender.py cost|wait FOLDER

`cost` lays 500 strips of a film of which only a stand-in for the daemon knows, and measures ticks, swaps and undo.
`wait` links FOLDER/film.otio by the real daemon and notes when strips show new takes, until FOLDER/end is there.
What was found goes to FOLDER/found.json: milliseconds, or moments in seconds since 1970.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy

import pumping
from clips import Clips
from fake_film import FakeFilm, faked, push, shown
from rushes_blender import running, scenes
from rushes_blender.edits import holding, pulling, telling
from rushes_blender.strips import compat, snapshot

STRIPS, SWAPPED, EVENTS = 500, 50, 300
ROUNDS = 9
IDLE_S = 5.0
LIMIT_S = 120.0

Found = dict[str, float]


def main(act: str, folder: Path) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.fps = 24
    compat.ensure_editor(scene)
    found = {"cost": cost, "wait": wait}[act](folder)
    (folder / "found.json").write_text(json.dumps({"version": bpy.app.version_string, **found}))


# -- what it costs --------------------------------------------------------------------------------------------


def cost(folder: Path) -> Found:
    """Milliseconds, how many ticks, and a ratio."""
    paces = pulling.changes.quiet_s, holding.pace.hold_s, holding.pace.focus_s
    clip = Clips(os.environ["RUSHES_FFMPEG"], folder, folder)
    with faked(folder, clip, STRIPS, takes=5) as fake:
        pulling.changes.quiet_s, holding.pace.hold_s, holding.pace.focus_s = paces
        fake.link(bpy.context.scene)
        push("Link")
        pumping.pump_for(3.0)
        return {**_reading(), **_idle(), **_pulled(fake), **_swapped(fake), **_undone(fake), **_told(fake)}


def _reading() -> Found:
    scene = bpy.context.scene
    return {
        "snapshot": _median(lambda: snapshot.sequence(scene)),
        "snapshot and digest": _median(lambda: telling.digest(snapshot.sequence(scene))),
        "takes held": _median(lambda: holding.takes_of(scene)),
    }


def _idle() -> Found:
    with _ticks() as took:
        pumping.pump_until(lambda: took.see() >= IDLE_S)
    return {"idle tick": took.median, "worst idle tick": took.worst}


def _pulled(fake: FakeFilm) -> Found:
    """One strip moved: it is noticed, sent, answered."""
    pulls = len(fake.asked("pull"))
    strip = compat.strips_all(bpy.context.scene)[7]
    with _ticks() as took:
        compat.put(strip, compat.START, compat.get(strip, compat.START) + 3)
        push("Move")
        pumping.pump_until(lambda: took.see() and len(fake.asked("pull")) > pulls)
        ends = time.monotonic() + 1
        pumping.pump_until(lambda: took.see() and time.monotonic() > ends)
    return {"worst tick of a pull": took.worst}


def _swapped(fake: FakeFilm) -> Found:
    scene, shots = bpy.context.scene, fake.shots[:SWAPPED]
    with _ticks() as took:
        running.session().ask({"type": "render", "film": fake.path, "shots": shots})
        pumping.pump_until(lambda: took.see() and _all_show(scene, shots, "t002"))
    one = sum(took.all) / SWAPPED
    return {
        "swap of one": one,
        "against Blender": one / _by_blender(fake),
        "worst tick of swaps": took.worst,
        "ticks of swaps": len(took.all),
    }


def _by_blender(fake: FakeFilm) -> float:
    """What Blender takes to show another file in a strip, and nothing besides, on average."""
    strips = {strip.name: strip for strip in compat.strips_all(bpy.context.scene)}
    took = 0.0
    for take in ("t002", "t001"):
        for shot in fake.shots[-SWAPPED:]:
            path, began = str(fake.take(shot, take)), time.perf_counter()
            strips[shot].filepath = path
            took += time.perf_counter() - began
    return took * 1000 / (2 * SWAPPED)


def _undone(fake: FakeFilm) -> Found:
    """The handler, where nothing has to be put right; then where 50 strips have, in it and in the ticks after."""
    push("Swapped")
    strip = compat.strips_all(bpy.context.scene)[9]
    compat.put(strip, compat.START, compat.get(strip, compat.START) + 3)
    push("Move")
    with _handler() as plain:
        bpy.ops.ed.undo()
    fake.ask(type="render", shots=fake.shots[:SWAPPED])
    pumping.pump_until(lambda: _all_show(bpy.context.scene, fake.shots[:SWAPPED], "t003"))
    with _handler() as swapping:
        bpy.ops.ed.undo()
    began = time.perf_counter()
    pumping.pump_until(lambda: _all_show(bpy.context.scene, fake.shots[:SWAPPED], "t003"))
    after = (time.perf_counter() - began) * 1000
    return {"undo handler": plain[0], "undo handler, 50 to put right": swapping[0], "and the rest of them": after}


def _told(fake: FakeFilm) -> Found:
    """Takes become ready in a scene in which nothing is swapped: two events for each."""
    scenes.set_frozen(bpy.context.scene, True)
    pumping.pump_for(1.5)
    shots = fake.shots[SWAPPED : SWAPPED + EVENTS // 2]
    with _ticks() as took:
        running.session().ask({"type": "render", "film": fake.path, "shots": shots})
        pumping.pump_until(lambda: took.see() and all(fake.state.rows[shot]["take"] == "t002" for shot in shots))
    return {"worst tick of 300 events": took.worst}


def _all_show(scene: bpy.types.Scene, shots: list[str], take: str) -> bool:
    found = shown(scene)
    return all(found[shot] == take for shot in shots)


class _Took:
    """Milliseconds of each tick."""

    def __init__(self) -> None:
        self.all: list[float] = []
        self._count = running.ticks.count
        self._began = time.monotonic()

    def see(self) -> float:
        """To be called after each turn; for how many seconds it has been."""
        if running.ticks.count > self._count:
            self._count = running.ticks.count
            self.all.append(running.ticks.last_ms)
        return time.monotonic() - self._began

    @property
    def median(self) -> float:
        return statistics.median(self.all)

    @property
    def worst(self) -> float:
        return max(self.all)


@contextmanager
def _ticks() -> Iterator[_Took]:
    yield _Took()


@contextmanager
def _handler() -> Iterator[list[float]]:
    """What the add-on's handler of undo takes: those before and after it look at the clock."""
    took: list[float] = []
    handlers = bpy.app.handlers.undo_post

    def before(*_: object) -> None:
        took[:] = [time.perf_counter()]

    def after(*_: object) -> None:
        took[:] = [(time.perf_counter() - took[0]) * 1000]

    handlers.insert(0, before)
    handlers.append(after)
    try:
        yield took
    finally:
        handlers.remove(before)
        handlers.remove(after)


def _median(work: Callable[[], object]) -> float:
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


# -- how long it takes ----------------------------------------------------------------------------------------


def wait(folder: Path) -> Found:
    """When the strip of each take was seen to show it, by the name of its file."""
    import rushes_blender

    rushes_blender.register()
    bpy.ops.rushes.link_film(filepath=str(folder / "film.otio"))
    bpy.ops.rushes.push()
    _fill()
    pumping.pump_for(3.0)
    found: Found = {}
    (folder / "begun").touch()
    pumping.pump_until(lambda: _look(found) or (folder / "end").exists(), LIMIT_S)
    rushes_blender.unregister()
    return found


def _fill() -> None:
    """Strips of the editor's own, up to 500."""
    editor = bpy.context.scene.sequence_editor
    for index in range(STRIPS - len(compat.strips_all(bpy.context.scene))):
        left = 1 + 30 * (index // 3)
        compat.new_effect(editor, f"own{index}", "COLOR", 10 + index % 3, left, left + 24)


def _look(found: Found) -> None:
    for strip in compat.strips_all(bpy.context.scene):
        if strip.type == "MOVIE":
            found.setdefault(Path(strip.filepath).name, time.time())


if __name__ == "__main__":
    status = 1
    try:
        main(sys.argv[1], Path(sys.argv[2]))
        status = 0
    finally:
        sys.stdout.flush()
        if status:
            import traceback

            traceback.print_exc()
        sys.stderr.flush()
        os._exit(status)  # 4.2 crashes and 4.5 hangs when the interpreter ends with an add-on enabled
