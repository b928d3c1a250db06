"""The panel of the active strip's shot: how it is and why, and its takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..operators import comparing, shelf
from ..texts import printable
from . import previews, standing, words
from .drawing import RushesPanel, greyed, lines, progress, warning
from .subject import scene_name, shot_name

if TYPE_CHECKING:
    from ..link.films import Film
    from .drawing import Layout
    from .subject import Subject

REASONS = 8
LOCK = 28.0
"""Pixels of the button beside the name."""

PICTURE = 6.5
"""Size of the picture of what is coming, in buttons."""

Row = dict[str, Any]


class RUSHES_PT_shot(RushesPanel):
    bl_idname = "RUSHES_PT_shot"
    bl_label = "Shot"

    @classmethod
    def is_wanted(cls, about: Subject) -> bool:
        return about.film is not None

    def fill(self, layout: Layout, about: Subject) -> None:
        film = about.film
        if film is None:
            return
        if len(about.shots) > 1 or (about.shots and not about.shot):
            _say_several(layout, film, about.shots)
        if not about.shot:
            _say_other(layout, about)
            return
        if not about.row:
            warning(layout, f"The film has no shot {about.shot}", "Update the film, or make the strip a new shot")
            return
        _say_shot(layout, film, about)
        _regenerate(layout)
        _say_takes(layout, about)
        _say_why(layout, about.row)  # below the buttons, which so stay under the pointer
        _say_making(layout, film, about)
        _say_uses(layout, about.row)


def _regenerate(layout: Layout) -> None:
    row = layout.row(align=True)
    row.operator("rushes.regenerate", icon="FILE_REFRESH")
    row.operator("rushes.another", text="Another", icon="ADD")


def _say_other(layout: Layout, about: Subject) -> None:
    """The active strip is no shot; others that are selected may be, and those in a meta strip."""
    if about.shots:
        _regenerate(layout)
    if not about.shots or (about.strip is not None and about.strip.type != "META"):
        _offer_shot(layout, about)


def _offer_shot(layout: Layout, about: Subject) -> None:
    if about.strip is None:
        greyed(layout).label(text="No strip is active")
    else:
        lines(greyed(layout), f"{about.strip.name} is no shot of the film")
        layout.operator("rushes.make_shot", text="Make Shot...", icon="RENDER_ANIMATION")
    layout.operator("rushes.new_shot_here", text="New Shot...", icon="ADD")


def _say_several(layout: Layout, film: Film, shots: list[str]) -> None:
    found: dict[str, int] = {}
    for shot in shots:
        state = str(standing.row_of(film, shot).get("state", "unknown"))
        found[state] = found.get(state, 0) + 1
    how_many = "1 shot" if len(shots) == 1 else f"{len(shots)} shots"
    lines(layout, f"{how_many}: {words.counts(found)}", "RESTRICT_SELECT_OFF")


def _say_shot(layout: Layout, film: Film, about: Subject) -> None:
    row, state = about.row, words.state_of(about.row)
    head = layout.row()
    names = head.column(align=True)
    lines(names, shot_name(film, about.shot), state.icon, most=1, less=LOCK)
    below = greyed(names)
    for text in (state.word, scene_name(film, row)):
        lines(below, text, "BLANK1", most=1, less=LOCK)
    locked = bool(row.get("locked"))
    head.operator("rushes.lock", text="", icon="LOCKED" if locked else "UNLOCKED", depress=locked)


def _say_why(layout: Layout, row: Row) -> None:
    reasons = words.reasons(row)
    if reasons:
        column = layout.column(align=True)
        for reason in reasons[:REASONS]:
            lines(column, reason, "DOT", most=3)
        if len(reasons) > REASONS:
            column.label(text=f"and {len(reasons) - REASONS} more", icon="BLANK1")
    text, remedy = words.fault(row)
    if text:
        warning(layout, text, remedy)
    for note in row.get("notes") or ():
        lines(greyed(layout), note, "INFO", most=3)
    if row.get("waiting"):
        take = printable(row["waiting"], 16)
        layout.operator("rushes.choose_take", text=f"Use New Take {take}", icon="IMPORT").take = str(
            row["waiting"]
        )


def _say_making(layout: Layout, film: Film, about: Subject) -> None:
    body = film.progress.get(about.shot)
    if body is None:
        return
    column = layout.column(align=True)
    picture = previews.icon(about.path, about.shot)
    if picture:
        column.template_icon(icon_value=picture, scale=PICTURE)
    row = column.row()
    progress(row, words.fraction(body), words.rendering(body))
    row.operator("rushes.cancel", text="", icon="CANCEL", emboss=False)


def _say_takes(layout: Layout, about: Subject) -> None:
    other = comparing.other_take(about.path, about.shot)
    row = layout.row(align=True)
    row.operator("rushes.previous_take", text="", icon="TRIA_LEFT")
    said = row.row(align=True)
    said.alignment = "CENTER"
    said.label(
        text=f"{other}, to compare"
        if other
        else words.take_of(about.takes, shelf.chosen_of(about.path, about.shot))
    )
    row.operator("rushes.next_take", text="", icon="TRIA_RIGHT")
    row.separator()
    row.operator("rushes.compare_take", text="", icon="ARROW_LEFTRIGHT", depress=bool(other))
    row.operator("rushes.reveal_take", text="", icon="FILE_FOLDER")


def _say_uses(layout: Layout, row: Row) -> None:
    uses = len(row.get("uses") or ())
    if uses > 1:
        line = layout.row(align=True)
        line.label(text=f"Used {uses} times")
        line.operator("rushes.select_uses", text="", icon="RESTRICT_SELECT_OFF")
        line.operator("rushes.make_unique", text="", icon="DUPLICATE")


CLASSES: tuple[type, ...] = (RUSHES_PT_shot,)
