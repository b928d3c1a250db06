"""The state of each shot, drawn on its strips in the sequencer: a band at the foot, a word where there is room.

Colour tags of strips are the editor's and stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import blf
import bpy
import gpu
from gpu_extras.batch import batch_for_shader

from ..strips import compat, marks
from . import bands, standing, subject, words
from .faults import say_once

if TYPE_CHECKING:
    from ..link.films import Film
    from .subject import Subject

FOOT, HEAD = 0.05, 0.95
"""Where in its channel Blender draws a strip."""

SCRUB = 23.0
"""Height of the frame numbers at the top of the region, in pixels before the interface's scale."""

_SHADER = "FLAT_COLOR" if compat.VERSION >= (4, 0, 0) else "2D_FLAT_COLOR"
_OVERLAYS: Any = bpy.types.SEQUENCER_PT_sequencer_overlay
_handle: object = None


@dataclass(frozen=True)
class View:
    """The part of the timeline that a region shows: frames from `first` to `last`, channels from `lowest` to
    `highest`, on so many pixels."""

    first: float
    last: float
    lowest: float
    highest: float
    width: float
    height: float

    def box(self, left: int, right: int, channel: int) -> tuple[float, float, float, float]:
        """Left, right, bottom and top of a strip, in pixels."""
        across = self.width / max(1e-6, self.last - self.first)
        up = self.height / max(1e-6, self.highest - self.lowest)
        foot, head = channel + FOOT - self.lowest, channel + HEAD - self.lowest
        return (left - self.first) * across, (right - self.first) * across, foot * up, head * up


def view_of(region: bpy.types.Region) -> View:
    """What a region shows now."""
    to_view: Callable[[float, float], tuple[float, float]] = cast("Any", region.view2d).region_to_view
    (first, lowest), (last, highest) = to_view(0, 0), to_view(region.width, region.height)
    return View(first, last, lowest, highest, region.width, region.height)


def strips_in_sight(scene: bpy.types.Scene, view: View, film: Film) -> Iterator[bands.Placed]:
    """The strips of shots within the view, with what is known of them. Those inside of a meta are in sight while
    it is open; a closed one has the state of the shot in it that most needs a look."""
    busy, progress = standing.busy(film), film.progress
    editor = scene.sequence_editor
    entered = list(editor.meta_stack)
    left_name, right_name = compat.LEFT, compat.RIGHT
    for strip in compat.strips(entered[-1] if entered else editor):
        left = getattr(strip, left_name)
        if left > view.last or not view.lowest - 1 < strip.channel < view.highest:
            continue
        right = getattr(strip, right_name)
        if right < view.first:
            continue
        shot = standing.worst(film, busy, _shots(strip))
        row = film.rows.get(shot) if shot else None
        if row is not None:
            state = busy.get(shot) or str(row.get("state"))
            done = words.fraction(progress[shot]) if shot in progress else 0.0
            yield bands.placed(view.box(left, right, strip.channel), state, row, done)


def _shots(strip: compat.Strip) -> list[str]:
    """The shot of a strip, or those of the strips in a meta."""
    if strip.type != "META":
        return [marks.shot_of(strip)]
    return [shot for child in compat.strips(strip) for shot in _shots(child)]


def _draw() -> None:
    """Called by Blender for each sequencer that it draws. What goes wrong is printed once, and draws nothing."""
    try:
        context = bpy.context
        about = subject.of(context)
        region = context.region
        if region is not None and about.film is not None and about.scene.sequence_editor is not None:
            if _is_wanted(context):
                _draw_states(about, region)
    except Exception:
        say_once()


def _is_wanted(context: bpy.types.Context) -> bool:
    space = context.space_data
    return (
        bool(getattr(space, "show_overlays", True))
        and space.view_type != "PREVIEW"
        and bool(context.window_manager.rushes_states)
    )


def _draw_states(about: Subject, region: bpy.types.Region) -> None:
    film = about.film
    if film is None:
        return
    scale = bpy.context.preferences.system.ui_scale
    found = list(strips_in_sight(about.scene, view_of(region), film))
    ceiling = region.height - SCRUB * scale
    seen = [strip for strip in found if strip.bottom < ceiling]
    _fill(bands.rectangles(seen, scale))
    _write(
        [label for label in bands.labels(seen, scale) if label.bottom < ceiling - bands.LABEL_HEIGHT * scale],
        scale,
    )


def _fill(rectangles: list[bands.Rectangle]) -> None:
    """All rectangles in one call."""
    if not rectangles:
        return
    corners: list[tuple[float, float, float]] = []
    colours: list[bands.Colour] = []
    triangles: list[tuple[int, int, int]] = []
    for rectangle in rectangles:
        left, bottom, right, top, colour = rectangle
        at = len(corners)
        corners += ((left, bottom, 0.0), (right, bottom, 0.0), (right, top, 0.0), (left, top, 0.0))
        colours += (colour, colour, colour, colour)
        triangles += ((at, at + 1, at + 2), (at, at + 2, at + 3))
    shader = gpu.shader.from_builtin(_SHADER)
    batch = batch_for_shader(shader, "TRIS", {"pos": corners, "color": colours}, indices=triangles)
    gpu.state.blend_set("ALPHA")
    batch.draw(shader)
    gpu.state.blend_set("NONE")


def _write(labels: list[bands.Label], scale: float) -> None:
    """The words, with a shadow that keeps them clear on bright strips; those that do not fit are left out."""
    font = 0
    blf.size(font, bands.LABEL_SIZE * scale)
    blf.enable(font, blf.SHADOW)
    blf.shadow(font, 3, 0.0, 0.0, 0.0, 1.0)
    blf.shadow_offset(font, 0, -1)
    blf.color(font, 1.0, 1.0, 1.0, 1.0)
    for label in labels:
        if blf.dimensions(font, label.text)[0] <= label.width:
            blf.position(font, label.left, label.bottom, 0)
            blf.draw(font, label.text)
    blf.disable(font, blf.SHADOW)


def draw_toggle(self: bpy.types.Panel, context: bpy.types.Context) -> None:
    """A line of the sequencer's Overlays popover."""
    if subject.of(context).path:
        self.layout.prop(context.window_manager, "rushes_states")


def register() -> None:
    global _handle
    if _handle is None:
        _handle = bpy.types.SpaceSequenceEditor.draw_handler_add(_draw, (), "WINDOW", "POST_PIXEL")
    _OVERLAYS.append(draw_toggle)


def unregister() -> None:
    global _handle
    if _handle is not None:
        bpy.types.SpaceSequenceEditor.draw_handler_remove(_handle, "WINDOW")
        _handle = None
    _OVERLAYS.remove(draw_toggle)
