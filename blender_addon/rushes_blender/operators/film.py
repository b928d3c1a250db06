"""The film of a scene: linked, made, brought in, watched, frozen."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from .. import running, scenes
from ..strips import compat, pushing
from ..texts import printable
from .linking import default_film, follow, new_film
from .meaning import ASKS, CANCELLED, EDITS, FINISHED, InFilm, InSequence, film_of
from .talking import Talk

if TYPE_CHECKING:
    from .meaning import Outcome, Scene


class _ChoosesFile(InSequence):
    """Asks for a file where no path was given."""

    filepath: bpy.props.StringProperty(name="File Path", subtype="FILE_PATH", options={"SKIP_SAVE"})  # type: ignore[valid-type]
    filter_glob: bpy.props.StringProperty(default="*.otio", options={"HIDDEN"})  # type: ignore[valid-type]

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Outcome:
        if self.filepath:
            return self.execute(context)
        self.filepath = self.proposed(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def proposed(self, context: bpy.types.Context) -> str:
        """Where the file browser begins."""
        return f"{default_film().parent}{os.sep}"


class RUSHES_OT_link_film(_ChoosesFile):
    """Link the sequence to a film, and follow that from now on. Nothing in the sequence is changed"""

    bl_idname = "rushes.link_film"
    bl_label = "Link Film"
    bl_options = EDITS

    def execute(self, context: bpy.types.Context) -> Outcome:
        path = Path(bpy.path.abspath(self.filepath))
        if path.suffix != ".otio" or not path.is_file():
            self.report({"ERROR"}, printable(f"{path} is no film: films are files that end in .otio"))
            return CANCELLED
        scene = compat.edit_scene(context)
        follow(scene, str(path))
        with Talk(self, scene) as talk:  # a film that cannot be read says so; linked it is
            talk.ask({"type": "status"}, lambda _: None)
        return FINISHED


class RUSHES_OT_unlink_film(InSequence):
    """Follow the film no more. Its strips stay as they are, and know their shots when it is linked again"""

    bl_idname = "rushes.unlink_film"
    bl_label = "Unlink Film"
    bl_options = EDITS

    @classmethod
    def why_not(cls, scene: Scene | None) -> str:
        linked = scene is not None and scenes.film_of(scene)
        return "" if linked else "The scene is not linked to a film"

    def execute(self, context: bpy.types.Context) -> Outcome:
        scene = compat.edit_scene(context)
        scenes.unlink(scene)
        running.refollow()
        return FINISHED


class RUSHES_OT_new_film(_ChoosesFile):
    """Make a film beside this file, link it, and bring its shots in"""

    bl_idname = "rushes.new_film"
    bl_label = "New Film"
    bl_options = ASKS

    script: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Script",
        description="A screenplay (.fountain) whose scenes and shots the film begins with",
        subtype="FILE_PATH",
    )

    def proposed(self, context: bpy.types.Context) -> str:
        return str(default_film())

    def execute(self, context: bpy.types.Context) -> Outcome:
        scene = compat.edit_scene(context)
        path = str(Path(bpy.path.abspath(self.filepath) if self.filepath else default_film()).with_suffix(".otio"))
        source = bpy.path.abspath(self.script) if self.script else ""
        with Talk(self, scene, path) as talk:
            new_film(talk, source, lambda linked: bring_in(talk, linked))
        return talk.outcome


class RUSHES_OT_push(InFilm):
    """Bring the film's new shots into the sequence. Strips that are there are not moved, trimmed or removed"""

    bl_idname = "rushes.push"
    bl_label = "Bring In Shots"
    bl_options = ASKS

    def execute(self, context: bpy.types.Context) -> Outcome:
        scene = compat.edit_scene(context)
        with Talk(self, scene) as talk:
            bring_in(talk, scene)
        return talk.outcome


def bring_in(talk: Talk, scene: Scene) -> None:
    """Pull, then make strips of what the sequence lacks, as one step."""
    talk.pull(scene, lambda answer: _brought(talk, answer), bring=True)


def _brought(talk: Talk, answer: dict[str, Any]) -> None:
    scene = talk.scene()
    if scene is None:
        return
    was_empty = not compat.strips_all(scene)
    problem = pushing.fit_scene(scene, answer)
    if problem:
        talk.say(problem, "WARNING" if was_empty else "ERROR")
    if problem and not was_empty:
        return
    brought = _with_progress(scene, answer)
    scenes.set_known(scene, brought.known(answer))
    film = running.session().film(scenes.film_of(scene))
    if film is not None:
        film.to_bring = brought.total - len(brought.added)
    talk.changed()
    for text in brought.problems:
        talk.say(text, "WARNING")
    talk.say(f"Strips brought in: {len(brought.added)}" if brought.total else "Every shot of the film is there")


def _with_progress(scene: Scene, answer: dict[str, Any]) -> pushing.Brought:
    manager = bpy.context.window_manager
    brought = pushing.Brought()
    manager.progress_begin(0, max(1, len(answer["add"])))
    try:
        for brought in pushing.bringing_in(scene, answer):
            manager.progress_update(len(brought.added))
    finally:
        manager.progress_end()
    return brought


class RUSHES_OT_pull(InFilm):
    """Take the cut of this sequence into the film now"""

    bl_idname = "rushes.pull"
    bl_label = "Update Film"
    bl_options = ASKS

    def execute(self, context: bpy.types.Context) -> Outcome:
        scene = compat.edit_scene(context)

        def told(answer: dict[str, Any]) -> None:
            for text in answer.get("notes", []):
                talk.say(text, "WARNING")
            talk.say("The film has this cut now" if answer["changed"] else "The film had this cut already")

        with Talk(self, scene) as talk:
            talk.pull(scene, told)
        return talk.outcome


class RUSHES_OT_watch(InFilm):
    """Render shots of the film as they become stale, for as long as Blender is open; again to stop that"""

    bl_idname = "rushes.watch"
    bl_label = "Watch"
    bl_options = ASKS

    def execute(self, context: bpy.types.Context) -> Outcome:
        scene = compat.edit_scene(context)
        film = film_of(scene)
        on = not (film is not None and film.watched)
        with Talk(self, scene) as talk:
            talk.ask(
                {"type": "watch", "on": on}, lambda _: talk.say("Watching" if on else "Not watching any more")
            )
        return talk.outcome


class RUSHES_OT_freeze(InFilm):
    """Keep this scene as it is: it shows no new takes, and its cut is not taken into the film. Again to go on"""

    bl_idname = "rushes.freeze"
    bl_label = "Freeze"
    bl_options = EDITS

    def execute(self, context: bpy.types.Context) -> Outcome:
        scene = compat.edit_scene(context)
        scenes.set_frozen(scene, not scenes.is_frozen(scene))
        return FINISHED


class RUSHES_OT_scene_markers(InFilm):
    """Mark where the film's scenes begin. Your own markers stay"""

    bl_idname = "rushes.scene_markers"
    bl_label = "Mark Scenes"
    bl_options = ASKS

    def execute(self, context: bpy.types.Context) -> Outcome:
        scene = compat.edit_scene(context)

        def told(answer: dict[str, Any]) -> None:
            found = talk.scene()
            if found is not None:
                count = pushing.scene_markers(found, answer["scenes"])
                talk.changed()
                talk.say(f"{count} scenes marked")

        with Talk(self, scene) as talk:
            talk.pull(scene, told)
        return talk.outcome


class RUSHES_OT_standard_view(InSequence):
    """Show takes with the colours they were made in: view transform Standard, no look, exposure 0, gamma 1"""

    bl_idname = "rushes.standard_view"
    bl_label = "Use Standard View"
    bl_options = EDITS

    def execute(self, context: bpy.types.Context) -> Outcome:
        view = compat.edit_scene(context).view_settings
        view.view_transform = "Standard"
        view.look = "None"
        view.exposure, view.gamma = 0.0, 1.0
        return FINISHED


CLASSES: tuple[type, ...] = (
    RUSHES_OT_link_film,
    RUSHES_OT_unlink_film,
    RUSHES_OT_new_film,
    RUSHES_OT_push,
    RUSHES_OT_pull,
    RUSHES_OT_watch,
    RUSHES_OT_freeze,
    RUSHES_OT_scene_markers,
    RUSHES_OT_standard_view,
)
