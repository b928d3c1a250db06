"""Every difference between the versions of Blender that this add-on meets, 4.2 to 5.2, in one place.

The names of 4.2 are those of 3.4 too. What each version calls a thing was read from its own type information; what
crashes or hangs was tried out. Frames are whole frames of the scene, a right handle is the first frame that is no
longer covered.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import bpy

Strip = Any
"""A strip of any kind. What it has depends on its `type` and on the version, which no class says."""

Owner = Any
"""What has strips: a sequence editor, or a strip of type META."""

VERSION: tuple[int, int, int] = bpy.app.version
STRIP_TYPE: Any = getattr(bpy.types, "Strip" if hasattr(bpy.types, "Strip") else "Sequence")  # Strip since 4.4
_STRIPS = "strips" if "strips" in bpy.types.SequenceEditor.bl_rna.properties else "sequences"
SPEED_STEP = 1e-4
"""A difference of speeds that nobody sees, and that is more than a 32-bit frame number loses."""

_TIMES = "left_handle" in STRIP_TYPE.bl_rna.properties  # since 5.1; the old names warn there, and go in 6.0

Strips = Any
"""A collection of strips that can make and remove some."""

LEFT = "left_handle" if _TIMES else "frame_final_start"
RIGHT = "right_handle" if _TIMES else "frame_final_end"
START = "content_start" if _TIMES else "frame_start"
"""The scene frame at which the medium's first frame would be."""
LENGTH = "content_duration" if _TIMES else "frame_duration"
HEAD = "left_handle_offset" if _TIMES else "frame_offset_start"
TAIL = "right_handle_offset" if _TIMES else "frame_offset_end"
CUT_START = "content_trim_start" if _TIMES else "animation_offset_start"
"""Frames that a hard cut took off the front of the medium; all the other times do not see them."""
CUT_END = "content_trim_end" if _TIMES else "animation_offset_end"

LENGTH_IS_PLAYED = VERSION >= (4, 5, 0)
"""Whether the length of a retimed medium is counted in frames of the scene, and not in its own."""

LAST_CHANNEL = 128 if VERSION >= (4, 0, 0) else 32


def get(strip: Strip, what: str) -> int:
    """One of a strip's times: `LEFT`, `RIGHT`, `START`, `LENGTH`, `HEAD` or `TAIL`."""
    frame: int = round(getattr(strip, what))
    return frame


def put(strip: Strip, what: str, frame: int) -> None:
    """Write one of a strip's times. Where it overlaps another one then, Blender puts it on another channel."""
    setattr(strip, what, frame)


def played(strip: Strip) -> int:
    """How many frames of the scene all of the medium takes. The length is this too since 4.5; before, it counted
    the medium's own frames where these are played at their own rate or retimed."""
    return get(strip, HEAD) + get(strip, RIGHT) - get(strip, LEFT) + get(strip, TAIL)


def readable(strip: Strip) -> bool:
    """Whether Blender can show the file of a movie strip that was made or changed just now. Asks for what was
    opened then; to ask for its rate would open the file again."""
    return bool(strip.reload_if_needed())


def strips(owner: Owner) -> Strips:
    """The collection of an editor's or a meta strip's own strips."""
    return getattr(owner, _STRIPS)


def strips_all(scene: bpy.types.Scene) -> list[Strip]:
    """All strips of a scene, those inside metas too."""
    editor = scene.sequence_editor
    return list(getattr(editor, _STRIPS + "_all")) if editor is not None else []


def siblings(scene: bpy.types.Scene, strip: Strip) -> Strips:
    """The collection that the strip lies in: its meta's, or the editor's."""
    return strips(strip.parent_meta() or scene.sequence_editor)


def active_strip(scene: bpy.types.Scene) -> Strip | None:
    """The strip that was clicked last."""
    return scene.sequence_editor.active_strip if scene.sequence_editor is not None else None


def selected_strips(scene: bpy.types.Scene) -> list[Strip]:
    """The selected strips, those of an opened meta too."""
    return [strip for strip in strips_all(scene) if strip.select]


def edit_scene(context: bpy.types.Context | None = None) -> bpy.types.Scene:
    """The scene whose sequence the person sees. Since 5.0 a workspace can pin another than the window shows."""
    context = context or bpy.context
    pinned: bpy.types.Scene | None = getattr(getattr(context, "workspace", None), "sequencer_scene", None)
    return pinned or cast(bpy.types.Scene, context.scene)


def ensure_editor(scene: bpy.types.Scene) -> bpy.types.SequenceEditor:
    """The scene's sequence editor, made where there is none.

    A workspace that pins no scene is given this one: without it 5.0 and 5.1 crash when a modifier is added.
    """
    workspace = getattr(bpy.context, "workspace", None)
    if hasattr(workspace, "sequencer_scene") and workspace.sequencer_scene is None:
        workspace.sequencer_scene = scene
    return scene.sequence_editor or scene.sequence_editor_create()


def new_effect(owner: Owner, name: str, kind: str, channel: int, left: int, right: int, *inputs: Strip) -> Strip:
    """A new effect strip in an editor or meta, over up to two inputs."""
    collection = strips(owner)
    known = collection.bl_rna.functions["new_effect"].parameters.keys()
    names = ("input1", "input2") if "input1" in known else ("seq1", "seq2")
    given: dict[str, Any] = dict(zip(names, inputs, strict=False))
    given.update({"length": right - left} if "length" in known else {"frame_end": right})
    return collection.new_effect(name=name, type=kind, channel=channel, frame_start=left, **given)


def set_speed(effect: Strip, factor: float) -> None:
    """Let a speed effect show frame floor(i * factor) of its input i frames in, without blending frames.

    Since 4.5 frames are rounded: a little less than a half goes down, for some thousand frames. Of other fractions
    a part of the frames is one ahead. 5.2 repeats a frame where an effect asks for the one that the scene comes to
    next; it does not when that is no whole number.
    """
    effect.speed_control = "MULTIPLY"
    effect.use_frame_interpolate = False
    less = SPEED_STEP if factor % 1 == 0.5 else factor * 1e-6
    effect.speed_factor = factor - less if VERSION >= (4, 5, 0) else factor


def inputs(strip: Strip) -> list[Strip]:
    """What an effect is made of, in order."""
    given = (getattr(strip, "input_1", None), getattr(strip, "input_2", None))
    return [one for one in given if one is not None]


def curves(scene: bpy.types.Scene) -> list[bpy.types.FCurve]:
    """The scene's animation curves. Since 5.0 an action keeps them in layers, one bag a slot."""
    data = scene.animation_data
    if data is None or data.action is None:
        return []
    if hasattr(data.action, "fcurves"):
        return list(data.action.fcurves)
    keyed: list[Any] = [strip for layer in data.action.layers for strip in layer.strips]
    bags = (strip.channelbag(data.action_slot) for strip in keyed)
    return [curve for bag in bags if bag is not None for curve in bag.fcurves]


def curve_path(strip: Strip) -> str:
    """What the data paths of the strip's animation curves begin with."""
    return f'sequence_editor.{_STRIPS}_all["{bpy.utils.escape_identifier(strip.name)}"].'


@contextmanager
def quiet_cache(scene: bpy.types.Scene) -> Iterator[None]:
    """Without prefetching: its thread reads the strips that are being changed."""
    editor = scene.sequence_editor
    was = editor is not None and editor.use_prefetch
    if was:
        editor.use_prefetch = False
    try:
        yield
    finally:
        if was:
            editor.use_prefetch = True


def rendering() -> bool:
    """Whether Blender renders to a file now."""
    return bool(bpy.app.is_job_running("RENDER")) if hasattr(bpy.app, "is_job_running") else False


def linked(block: bpy.types.ID) -> bool:
    """Whether a data block comes from another .blend, and cannot be edited here."""
    return block.library is not None
