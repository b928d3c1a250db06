"""Takes chosen, compared and found on disk."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ..strips import compat
from ..texts import printable
from . import comparing, shelf
from .meaning import (
    ASKS,
    CANCELLED,
    EDITS,
    FINISHED,
    OnActiveShot,
    OnShots,
    active_shot,
    film_of,
    film_path,
    selected_shots,
    shot_name,
)
from .talking import Talk

if TYPE_CHECKING:
    from .meaning import Outcome, Scene


def choose(talk: Talk, scene: Scene, shot: str, take: str) -> None:
    """Put a take into the cut; Undo chooses the one before again. A first choice stays: a film has no way back to
    none."""
    was = shelf.chosen_of(talk.path, shot)
    body = {"type": "takes", "shot": shot}
    if was and was != take:
        talk.do(scene, {**body, "choose": take}, {**body, "choose": was}, f"{take} of {shot_name(scene, shot)}")
    elif not was:
        talk.ask({**body, "choose": take}, lambda _: None)


class RUSHES_OT_choose_take(OnActiveShot):
    """Put a take of the active strip's shot into the cut, wherever the shot is used"""

    bl_idname = "rushes.choose_take"
    bl_label = "Choose Take"
    bl_options = EDITS

    take: bpy.props.StringProperty(name="Take", description="Its name, such as t002", maxlen=16)  # type: ignore[valid-type]

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Outcome:
        if self.properties.is_property_set("take"):
            return self.execute(context)
        scene = compat.edit_scene(context)
        self.take = shelf.chosen_of(film_path(scene), active_shot(scene))
        return context.window_manager.invoke_props_dialog(self)

    def execute(self, context: bpy.types.Context) -> Outcome:
        scene = compat.edit_scene(context)
        if not self.take:
            self.report({"ERROR"}, "No take was named: takes are t001, t002 and so on")
            return CANCELLED
        with Talk(self, scene) as talk:
            choose(talk, scene, active_shot(scene), self.take)
        return talk.outcome


class _Steps(OnShots):
    """Goes through the takes of the selected shots."""

    bl_options = ASKS
    by = 0
    at_end = ""

    def execute(self, context: bpy.types.Context) -> Outcome:
        scene = compat.edit_scene(context)
        with Talk(self, scene) as talk:
            for shot in selected_shots(scene):
                talk.ask({"type": "takes", "shot": shot}, partial(self.step_to, talk, shot))
        return talk.outcome

    @classmethod
    def step_to(cls, talk: Talk, shot: str, answer: dict[str, object]) -> None:
        """Choose the take that lies beside the chosen one."""
        scene = talk.scene()
        if scene is None:
            return
        rows = shelf.keep(talk.path, shot, answer)
        take = shelf.beside(rows, shelf.chosen_of(talk.path, shot), cls.by)
        if not take:
            talk.say(
                f"{shot_name(scene, shot)} {cls.at_end}" if rows else f"{shot_name(scene, shot)} has no takes"
            )
            return
        choose(talk, scene, shot, take)
        talk.say(f"{shot_name(scene, shot)}: {take} of {len(rows)}")


class RUSHES_OT_previous_take(_Steps):
    """Choose the take before the chosen one, for each selected shot"""

    bl_idname = "rushes.previous_take"
    bl_label = "Previous Take"
    by = -1
    at_end = "shows its first take"


class RUSHES_OT_next_take(_Steps):
    """Choose the take after the chosen one, for each selected shot"""

    bl_idname = "rushes.next_take"
    bl_label = "Next Take"
    by = 1
    at_end = "shows its last take"


class RUSHES_OT_compare_take(OnActiveShot):
    """Show the take before the chosen one, without choosing it. Again to go back, as saving and rendering do"""

    bl_idname = "rushes.compare_take"
    bl_label = "Compare Takes"
    bl_options = ASKS

    take: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Take",
        description="The take to compare with, in place of the one before",
        maxlen=16,
        options={"SKIP_SAVE"},
    )

    def execute(self, context: bpy.types.Context) -> Outcome:
        scene = compat.edit_scene(context)
        shot = active_shot(scene)
        if comparing.other_take(film_path(scene), shot):
            comparing.end(film_path(scene), shot)
            return FINISHED
        with Talk(self, scene) as talk:
            talk.ask({"type": "takes", "shot": shot}, partial(self.begin, talk, shot, self.take))
        return talk.outcome

    @staticmethod
    def begin(talk: Talk, shot: str, take: str, answer: dict[str, object]) -> None:
        """Show the other take: the named one, or the chosen one's neighbour."""
        rows = shelf.keep(talk.path, shot, answer)
        chosen = shelf.chosen_of(talk.path, shot)
        other = take or shelf.beside(rows, chosen, -1) or shelf.beside(rows, chosen, 1)
        row = next((row for row in rows if row["take"] == other), None)
        if row is None:
            talk.say("There is no other take to compare with", "WARNING")
            return
        problem = comparing.begin(talk.path, shot, row)
        talk.say(problem or f"{other} is shown, {chosen or 'no take'} is chosen", "WARNING" if problem else "INFO")


class RUSHES_OT_reveal_take(OnActiveShot):
    """Show the folder that holds the chosen take"""

    bl_idname = "rushes.reveal_take"
    bl_label = "Reveal Take"
    bl_options = ASKS

    def execute(self, context: bpy.types.Context) -> Outcome:
        scene = compat.edit_scene(context)
        film = film_of(scene)
        showing = film.showings.get(active_shot(scene)) if film is not None else None
        path = Path(showing["path"]) if showing is not None else None
        if path is None or not path.is_file():
            self.report({"WARNING"}, "There is no take on disk yet")
            return CANCELLED
        self.report({"INFO"}, printable(str(path)))
        if not bpy.app.background:
            bpy.ops.wm.path_open(filepath=str(path.parent))
        return FINISHED


CLASSES: tuple[type, ...] = (
    RUSHES_OT_choose_take,
    RUSHES_OT_previous_take,
    RUSHES_OT_next_take,
    RUSHES_OT_compare_take,
    RUSHES_OT_reveal_take,
)
