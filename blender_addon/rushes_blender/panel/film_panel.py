"""The panel of the film: whether it is linked, how it stands, what is rendering."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING

import bpy

from .. import running, scenes
from ..texts import printable
from . import standing, words
from .drawing import BOX, RushesPanel, greyed, lines, progress, warning
from .subject import of, shot_name

if TYPE_CHECKING:
    from ..link.films import Film
    from ..operators.meaning import Outcome
    from .drawing import Layout
    from .subject import Subject

RUNNING = 3
"""So many of the shots that are made are shown with how far they are; the others are counted."""

NOTES = 5


class RUSHES_PT_film(RushesPanel):
    bl_idname = "RUSHES_PT_film"
    bl_label = "Film"

    def fill(self, layout: Layout, about: Subject) -> None:
        if not about.path:
            _offer_film(layout)
        elif not about.is_trusted:
            _ask_trust(layout, about.path)
        else:
            _say_linked(layout, about)


def _offer_film(layout: Layout) -> None:
    greyed(layout).label(text="This sequence has no film")
    column = layout.column(align=True)
    column.operator("rushes.make_film", text="Make Film of Sequence...", icon="SEQUENCE")
    column.operator("rushes.link_film", text="Link Film...", icon="FILE_MOVIE")
    column.operator("rushes.new_film", text="New Film...", icon="FILE_NEW")


def _ask_trust(layout: Layout, path: str) -> None:
    """The .blend may be a stranger's: nothing of the path is touched until a person has read it."""
    box = layout.box().column(align=True)
    lines(box, "This file names a film that you have not linked:", "QUESTION", less=BOX)
    lines(box, path, "BLANK1", less=BOX)
    layout.operator("rushes.link_film", text="Link", icon="LINKED").filepath = path


def _say_linked(layout: Layout, about: Subject) -> None:
    row = layout.row()
    row.label(text=printable(PurePath(about.path).stem, 60), icon="FILE_MOVIE")
    row.operator("rushes.unlink_film", text="", icon="X", emboss=False)
    _say_link(layout, about)
    film = about.film
    if film is not None:
        if film.fault:
            _say_fault(layout, film.fault)
        _say_state(layout, film)
        if film.jobs and running.session().link_state == "linked":
            _say_jobs(layout, film)
    _exchange(layout, about)
    _warn_of_view(layout, about.scene)


def _say_link(layout: Layout, about: Subject) -> None:
    session = running.session()
    if session.link_state == "linked":
        fault = getattr(session.film(about.path), "fault", None)
        if about.film is None and fault:
            _say_fault(layout, fault)
        elif about.film is None:
            layout.label(text="Reading the film…", icon="TIME")
    elif session.link_state == "starting":
        layout.label(text="Starting Rushes…", icon="TIME")
    else:
        warning(layout, session.why or "Rushes is not running", session.remedy)


def _say_fault(layout: Layout, fault: Mapping[str, str]) -> None:
    """Why the film cannot be followed. It may lie elsewhere by now."""
    box = warning(layout, fault.get("text"), fault.get("remedy"))
    box.operator("rushes.link_film", text="Link Film...", icon="FILE_FOLDER")


def _say_state(layout: Layout, film: Film) -> None:
    column = layout.column(align=True)
    lines(column, words.counts(standing.counts_of(film)))
    todo = standing.to_render(film)
    row = column.row(align=True)
    row.enabled = todo > 0
    row.operator("rushes.regenerate_stale", text=f"Regenerate Stale ({todo})", icon="FILE_REFRESH")


def _say_jobs(layout: Layout, film: Film) -> None:
    column = layout.column(align=True)
    running_now = list(film.progress.items())
    for shot, body in running_now[:RUNNING]:
        text = f"{shot_name(film, shot)}: {words.rendering(body)}"
        progress(column, words.fraction(body), text)
    waiting = len(film.jobs) - len(running_now[:RUNNING])
    said = ["paused" if film.paused else "", f"{waiting} waiting" if waiting > 0 else ""]
    said.append(words.time_left(film.seconds_left))
    row = column.row()
    row.label(text=" · ".join(text for text in said if text) or "Rendering")
    row.operator("rushes.cancel", text="", icon="CANCEL", emboss=False).whole_film = True


def _exchange(layout: Layout, about: Subject) -> None:
    film = about.film
    column = layout.column(align=True)
    if film is not None and film.to_bring:
        count = "1 shot" if film.to_bring == 1 else f"{film.to_bring} shots"
        column.label(text=f"{count} to bring in", icon="INFO")
    row = column.row(align=True)
    row.operator("rushes.push", icon="IMPORT")
    row.operator("rushes.pull", icon="EXPORT")
    row = column.row(align=True)
    watched = film is not None and film.watched
    row.operator("rushes.watch", icon="HIDE_OFF", depress=watched)
    row.operator("rushes.freeze", icon="FREEZE", depress=scenes.is_frozen(about.scene))


def _warn_of_view(layout: Layout, scene: bpy.types.Scene) -> None:
    found = scene.view_settings.view_transform
    if found != "Standard":
        box = warning(layout, f"The view transform is {found}: takes show other colours than they have")
        box.operator("rushes.standard_view")


class RUSHES_PT_film_notes(RushesPanel):
    bl_idname = "RUSHES_PT_film_notes"
    bl_label = "Notes"
    bl_parent_id = "RUSHES_PT_film"

    @classmethod
    def is_wanted(cls, about: Subject) -> bool:
        return about.film is not None and bool(about.film.notes)

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        self.layout.operator("rushes.clear_notes", text="", icon="X", emboss=False)

    def fill(self, layout: Layout, about: Subject) -> None:
        if about.film is not None:
            for note in reversed(list(about.film.notes)[-NOTES:]):
                lines(layout, note, "DOT")


class RUSHES_PT_film_options(RushesPanel):
    bl_idname = "RUSHES_PT_film_options"
    bl_label = "Sequence"
    bl_parent_id = "RUSHES_PT_film"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def is_wanted(cls, about: Subject) -> bool:
        return about.is_trusted

    def fill(self, layout: Layout, about: Subject) -> None:
        column = layout.column()
        column.prop(about.fields, "auto_pull")
        column.prop(bpy.context.window_manager, "rushes_states")
        column = layout.column(align=True)
        column.operator("rushes.select_stale", icon="RESTRICT_SELECT_OFF")
        column.operator("rushes.scene_markers", icon="MARKER_HLT")


class RUSHES_OT_clear_notes(bpy.types.Operator):
    """Take away the notes of this film that were read"""

    bl_idname = "rushes.clear_notes"
    bl_label = "Clear Notes"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> Outcome:
        film = of(context).film
        if film is not None:
            film.notes.clear()
        return {"FINISHED"}


CLASSES: tuple[type, ...] = (
    RUSHES_OT_clear_notes,
    RUSHES_PT_film,
    RUSHES_PT_film_notes,
    RUSHES_PT_film_options,
)
