"""The panels of what a shot asks for: its texts, its look, what it continues from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..texts import printable
from . import words
from .drawing import RushesPanel, field, greyed, lines, room, warning, width
from .subject import shot_name

if TYPE_CHECKING:
    from .details import Detail
    from .drawing import Layout
    from .subject import Subject


BUTTON = 30.0
"""Pixels that a text field needs for itself."""


class _OfShot(RushesPanel):
    """Needs a shot that the film has."""

    @classmethod
    def is_wanted(cls, about: Subject) -> bool:
        return about.film is not None and bool(about.row)


class RUSHES_PT_intent(_OfShot):
    bl_idname = "RUSHES_PT_intent"
    bl_label = "Intent"

    def fill(self, layout: Layout, about: Subject) -> None:
        detail = about.detail
        if detail is None and about.fault:
            warning(layout, about.fault)
        elif detail is None:
            layout.label(text="Reading the shot…", icon="TIME")
        if detail is None:
            return
        if len(about.shots) > 1 and about.film is not None:
            lines(greyed(layout), f"Prompt and action of {shot_name(about.film, about.shot)}")
            layout.operator("rushes.apply_to_selected", text="Prompt to Selected").field = "prompt"
        _text(layout, about, detail, "prompt")
        _text(layout, about, detail, "action")


def _text(layout: Layout, about: Subject, detail: Detail, name: str) -> None:
    """A field to type in; below it all of its text where it is too short, and what the film adds to that."""
    column = layout.column(align=True)
    column.label(text=name.capitalize())
    field(column, about.fields, name, text="")
    own = str(detail.own.get(name) or "")
    if width(own) > room(BUTTON):
        lines(column, own, most=12)
    for said in words.inherited(detail.inherited(name)):
        lines(greyed(column), said, "DOT", most=3)


class RUSHES_PT_intent_look(_OfShot):
    bl_idname = "RUSHES_PT_intent_look"
    bl_label = "Look and Model"
    bl_parent_id = "RUSHES_PT_intent"

    def fill(self, layout: Layout, about: Subject) -> None:
        detail = about.detail
        if detail is None:
            return
        layout.use_property_split = True
        column = layout.column()
        for name in ("camera", "model", "style", "location"):
            field(column, about.fields, name, _inherited(detail, name))
        _seed(layout, about, detail)


def _seed(layout: Layout, about: Subject, detail: Detail) -> None:
    row = layout.row(align=True)
    field(row, about.fields, "seed", detail.seed)
    locked = bool(detail.own.get("seed"))
    row.operator("rushes.roll_seed", text="", icon="MOD_NOISE")
    row.operator("rushes.lock_seed", text="", icon="LOCKED" if locked else "UNLOCKED", depress=locked)


class RUSHES_PT_intent_continuity(_OfShot):
    bl_idname = "RUSHES_PT_intent_continuity"
    bl_label = "Continuity"
    bl_parent_id = "RUSHES_PT_intent"
    bl_options = {"DEFAULT_CLOSED"}

    def fill(self, layout: Layout, about: Subject) -> None:
        detail = about.detail
        if detail is None:
            return
        told = _continues(about, detail.own.get("first_frame"))
        if told:
            lines(layout, told, "LINKED")
        row = layout.row(align=True)
        row.operator("rushes.continue_from_before", depress=bool(told))


def _continues(about: Subject, first: Any) -> str:  # noqa: ANN401
    """What the shot's first frame is, "" where it is nothing given."""
    if not isinstance(first, dict) or about.film is None:
        return ""
    if "image" in first:
        return f"Begins with {words.value(first)}"
    use = first.get("from")
    before = next((row for row in about.film.rows.values() if use in (row.get("uses") or ())), None)
    name = printable(before["name"], 60) if before else "a strip that is not in the film any more"
    return f"Goes on from {name}" if first.get("at") == "out" else f"Begins with frame {first.get('at')} of {name}"


def _inherited(detail: Detail, name: str) -> str:
    found = detail.inherited(name)
    if not found:
        return ""
    row = found[0]
    return f"{words.value(row.get('value'))} ({row.get('level')})"


CLASSES: tuple[type, ...] = (RUSHES_PT_intent, RUSHES_PT_intent_look, RUSHES_PT_intent_continuity)
