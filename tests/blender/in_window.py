"""Runs inside of a Blender that has a window: links a film, changes a prompt, renders, and looks at what happens.

    blender --factory-startup --python in_window.py -- WANTED.json

WANTED.json holds "addon" (the folder of the package), "film", "prompt" and "out", a folder. Pictures of the window
are written there, and result.json when all is done: what was seen, or "error".
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpy

WANTED: dict[str, Any] = json.loads(Path(sys.argv[-1]).read_text())
OUT = Path(WANTED["out"])
PATIENCE_S = 30.0
PAUSE_S = 0.02
sys.path.insert(0, WANTED["addon"])

result: dict[str, Any] = {"draws": 0, "panels": 0}
Waiting = Iterator[float]
"""Seconds that Blender is left alone, so that events are handled and the window is drawn."""


def story() -> Waiting:
    """What happens, from an empty window to a take that was swapped under the eyes of the editor."""
    import rushes_blender

    area = sequencer()
    yield 0.3
    rushes_blender.register()
    from rushes_blender import running, scenes
    from rushes_blender.strips import compat

    count_draws()
    bpy.ops.rushes.link_film(filepath=WANTED["film"])
    path = scenes.film_of(bpy.context.scene)
    film = running.session().film(path)
    yield from until(lambda: film.is_known)
    bpy.ops.rushes.push()
    yield from until(lambda: len(compat.strips_all(bpy.context.scene)) == len(film.rows))
    look_at_first(area)
    yield from until(lambda: bpy.context.scene.rushes.prompt != "")
    yield from picture("fresh.png")
    result["before"] = lies()
    bpy.context.scene.rushes.prompt = WANTED["prompt"]
    yield from until(lambda: "stale" in states(film))
    yield from picture("stale.png")
    yield from rendered(film)
    yield from picture("swapped.png")
    result["after"] = lies()
    result["notes"] = list(film.notes)
    result["ticks"] = running.ticks.count
    result["preview"] = box(area, "PREVIEW")
    rushes_blender.unregister()


def rendered(film: Any) -> Waiting:
    """Render the stale shot. How long it takes from when its take is announced until the strip shows it."""
    from rushes_blender import running

    ready: list[float] = []
    running.session().on_media(lambda path, shots: ready.append(time.perf_counter()))
    before = lies()
    bpy.ops.rushes.regenerate()
    yield from until(lambda: film.progress or ready)
    result["draws while it renders"] = -result["draws"]
    yield from picture("rendering.png")
    yield from until(lambda: lies()[0]["path"] != before[0]["path"])
    result["swapped_s"] = time.perf_counter() - ready[0]
    yield from until(lambda: not film.jobs)
    result["draws while it renders"] += result["draws"]


def sequencer() -> Any:
    """The largest editor becomes a sequencer with its preview and its sidebar, and only our panels in that."""
    area = max(bpy.context.window_manager.windows[0].screen.areas, key=lambda each: each.width * each.height)
    area.type = "SEQUENCE_EDITOR"
    area.spaces.active.view_type = "SEQUENCER_PREVIEW"
    area.spaces.active.show_region_ui = True
    for panel in bpy.types.Panel.__subclasses__():
        where = getattr(panel, "bl_space_type", ""), getattr(panel, "bl_region_type", "")
        if where == ("SEQUENCE_EDITOR", "UI") and panel.is_registered:
            bpy.utils.unregister_class(panel)  # else their tab is the one that is open
    return area


def count_draws() -> None:
    def count(name: str) -> Callable[..., None]:
        return lambda *_: result.update({name: result[name] + 1})

    bpy.types.SpaceSequenceEditor.draw_handler_add(count("draws"), (), "WINDOW", "POST_PIXEL")
    bpy.types.RUSHES_PT_film.append(count("panels"))


def look_at_first(area: Any) -> None:
    from rushes_blender.strips import compat

    scene = bpy.context.scene
    strips = sorted(compat.strips_all(scene), key=lambda strip: compat.get(strip, compat.LEFT))
    for strip in strips:
        strip.select = strip == strips[0]
    scene.sequence_editor.active_strip = strips[0]
    scene.frame_current = compat.get(strips[0], compat.LEFT) + 2
    window = bpy.context.window_manager.windows[0]
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.sequencer.view_all()


def lies() -> list[dict[str, Any]]:
    """Where each strip lies, and what it shows, in the order of the cut."""
    from rushes_blender.strips import compat

    times = (compat.LEFT, compat.RIGHT, compat.HEAD)
    strips = sorted(compat.strips_all(bpy.context.scene), key=lambda strip: compat.get(strip, compat.LEFT))
    return [{"path": s.filepath, "times": [compat.get(s, each) for each in times]} for s in strips]


def states(film: Any) -> list[str]:
    return [row["state"] for row in film.rows.values()]


def box(area: Any, kind: str) -> list[int]:
    """Left, top, right and bottom of a region, from the upper left of the window."""
    height = bpy.context.window_manager.windows[0].height
    region = next(region for region in area.regions if region.type == kind)
    return [region.x, height - region.y - region.height, region.x + region.width, height - region.y]


def picture(name: str) -> Waiting:
    """The window, as it was drawn by itself: nothing here asks for that."""
    yield 0.4
    bpy.ops.screen.screenshot(filepath=str(OUT / name))
    yield 0.05


def until(is_so: Callable[[], object]) -> Waiting:
    ends = time.monotonic() + PATIENCE_S
    while not is_so():
        if time.monotonic() > ends:
            raise TimeoutError(f"line {is_so.__code__.co_firstlineno}, seen until then: {result}")
        yield PAUSE_S


def tick() -> float:
    try:
        return next(telling)
    except StopIteration:
        pass
    except BaseException:
        result["error"] = traceback.format_exc()
    (OUT / "result.json").write_text(json.dumps(result))
    os._exit(0)


telling = story()
bpy.context.preferences.view.show_splash = False
bpy.app.timers.register(tick, first_interval=0.5, persistent=True)
