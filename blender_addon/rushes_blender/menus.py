"""Where the operators are found: in the sequencer's own menus."""

from __future__ import annotations

from typing import Any

import bpy

from . import scenes
from .operators import meaning
from .strips import compat, marks


class RUSHES_MT_strip(bpy.types.Menu):
    """Everything, as a part of the menu Strip"""

    bl_idname = "RUSHES_MT_strip"
    bl_label = "Rushes"

    def draw(self, _: bpy.types.Context | None) -> None:
        layout: Any = self.layout
        for group in _GROUPS:
            for name, icon in group:
                layout.operator(name, icon=icon)
            layout.separator()
        layout.menu(RUSHES_MT_film.bl_idname)


class RUSHES_MT_film(bpy.types.Menu):
    """What is about the whole film"""

    bl_idname = "RUSHES_MT_film"
    bl_label = "Film"

    def draw(self, context: bpy.types.Context | None) -> None:
        layout: Any = self.layout
        layout.operator("rushes.link_film", text="Link Film...")
        layout.operator("rushes.unlink_film")
        layout.operator("rushes.new_film", text="New Film...")
        layout.operator("rushes.make_film", text="Make Film of Sequence...")
        layout.separator()
        for name in ("push", "pull", "scene_markers", "standard_view"):
            layout.operator(f"rushes.{name}")
        layout.separator()
        scene = compat.edit_scene(context)
        film = meaning.film_of(scene) if scene is not None else None
        watched = film is not None and film.watched
        layout.operator("rushes.watch", icon="CHECKBOX_HLT" if watched else "CHECKBOX_DEHLT")
        frozen = scene is not None and scenes.is_frozen(scene)
        layout.operator("rushes.freeze", icon="CHECKBOX_HLT" if frozen else "CHECKBOX_DEHLT")
        layout.operator("rushes.cancel").whole_film = True


_GROUPS = (
    (
        ("rushes.regenerate", "FILE_REFRESH"),
        ("rushes.another", "DUPLICATE"),
        ("rushes.regenerate_stale", "NONE"),
        ("rushes.cancel", "NONE"),
    ),
    (
        ("rushes.previous_take", "TRIA_LEFT"),
        ("rushes.next_take", "TRIA_RIGHT"),
        ("rushes.compare_take", "NONE"),
        ("rushes.reveal_take", "NONE"),
    ),
    (
        ("rushes.roll_seed", "NONE"),
        ("rushes.lock_seed", "NONE"),
        ("rushes.continue_from_before", "NONE"),
        ("rushes.lock", "NONE"),
    ),
    (
        ("rushes.make_shot", "NONE"),
        ("rushes.make_unique", "NONE"),
        ("rushes.select_uses", "NONE"),
        ("rushes.select_stale", "NONE"),
    ),
)


def _in_strip(self: bpy.types.Menu, _: bpy.types.Context) -> None:
    self.layout.separator()
    self.layout.menu(RUSHES_MT_strip.bl_idname)


def _in_add(self: bpy.types.Menu, _: bpy.types.Context) -> None:
    self.layout.separator()
    self.layout.operator("rushes.new_shot_here", text="Shot...")


def _in_context_menu(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    scene = compat.edit_scene(context)
    strip = compat.active_strip(scene) if scene is not None else None
    if strip is None:
        return
    self.layout.separator()
    names = ("regenerate", "another", "compare_take", "select_uses") if marks.shot_of(strip) else ("make_shot",)
    for name in names:
        self.layout.operator(f"rushes.{name}")
    self.layout.menu(RUSHES_MT_strip.bl_idname)


CLASSES: tuple[type, ...] = (RUSHES_MT_strip, RUSHES_MT_film)

_PLACES = (
    ("SEQUENCER_MT_strip", _in_strip),
    ("SEQUENCER_MT_add", _in_add),
    ("SEQUENCER_MT_context_menu", _in_context_menu),
)


def register() -> None:
    for name, draw in _PLACES:
        getattr(bpy.types, name).append(draw)


def unregister() -> None:
    for name, draw in _PLACES:
        getattr(bpy.types, name).remove(draw)
