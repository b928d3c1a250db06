"""What all panels are drawn with. Whatever is shown of a film passes `printable` here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import blf
import bpy

from ..texts import printable
from . import subject, words
from .faults import say_once

if TYPE_CHECKING:
    from .subject import Subject

MARGIN = 58.0
"""Pixels of a sidebar's width that no text can use, before the interface's scale."""

ICON = 26.0
BOX = 18.0
"""Pixels that an icon takes, and a box around."""

_PROP: list[str] = cast("Any", bpy.types.UILayout).bl_rna.functions["prop"].parameters.keys()

Layout = bpy.types.UILayout


class RushesPanel(bpy.types.Panel):
    """Where all our panels are, and that none of them breaks the sidebar."""

    bl_space_type = "SEQUENCE_EDITOR"
    bl_region_type = "UI"
    bl_category = "Rushes"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        try:
            return context.scene is not None and cls.is_wanted(subject.of(context))
        except Exception:
            say_once()
            return False

    def draw(self, context: bpy.types.Context) -> None:
        try:
            layout = cast("Layout", self.layout)
            layout.use_property_decorate = False
            self.fill(layout, subject.of(context))
        except Exception:
            say_once()
            self.layout.label(text="This cannot be drawn: the console says why", icon="ERROR")

    @classmethod
    def is_wanted(cls, about: Subject) -> bool:
        """Whether the panel has something to say."""
        return about.scene is not None

    def fill(self, layout: Layout, about: Subject) -> None:
        """Lay it out: what the panel is for. Nothing, where it does not say."""


def room(less: float = 0.0) -> float:
    """How many pixels a line of the sidebar has for a text."""
    region = bpy.context.region
    scale = bpy.context.preferences.system.ui_scale or 1.0
    return max(100.0, region.width - (MARGIN + less) * scale) if region is not None else 240.0


def width(text: str) -> float:
    """How many pixels a text takes, in the interface's font."""
    points = bpy.context.preferences.ui_styles[0].widget.points * (bpy.context.preferences.system.ui_scale or 1.0)
    blf.size(0, points)
    return blf.dimensions(0, text)[0] or 0.55 * points * len(text)  # where no font is loaded


def lines(layout: Layout, text: object, icon: str = "NONE", most: int = 6, less: float = 0.0) -> None:
    """A text in as many lines as it needs, close together; the icon is before the first. `less` pixels of the
    sidebar's width are not free."""
    column = layout.column(align=True)
    column.scale_y = 0.8
    indent = "NONE" if icon == "NONE" else "BLANK1"
    free = room(less + (0.0 if icon == "NONE" else ICON))
    for number, line in enumerate(words.wrapped(printable(text, 2000), free, most, width)):
        cast("Any", column).label(text=line, icon=icon if number == 0 else indent)


def greyed(layout: Layout) -> Layout:
    """Where something stands that only explains."""
    column = layout.column(align=True)
    column.active = False
    return column


def warning(layout: Layout, text: object, remedy: object = "") -> Layout:
    """A box that says what is wrong and what helps; a button can follow in it."""
    column = layout.box().column(align=True)
    lines(column, text, "ERROR", less=BOX)
    if remedy:
        lines(greyed(column), remedy, "BLANK1", less=BOX)
    return column


def progress(layout: Layout, done: float, text: str) -> None:
    """A bar; before Blender 4.0 a text."""
    if hasattr(layout, "progress"):
        layout.progress(factor=done, text=printable(text))
    else:
        layout.label(text=f"{f'{done:.0%} ' if done else ''}{printable(text)}", icon="RENDER_ANIMATION")


def field(layout: Layout, data: object, name: str, inherited: str = "", **given: Any) -> None:  # noqa: ANN401
    """A text field; while it is empty it says, in grey, what counts instead."""
    if inherited and "placeholder" in _PROP:
        given["placeholder"] = printable(inherited, 120)
    layout.prop(data, name, **given)
