"""Shots rendered, cancelled, locked, and found in the sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy

from ..strips import compat, marks
from .meaning import (
    ASKS,
    CANCELLED,
    EDITS,
    FINISHED,
    InFilm,
    OnActiveShot,
    OnShots,
    active_shot,
    displayed,
    film_of,
    row,
    selected_shots,
    shot_name,
)
from .talking import Talk

if TYPE_CHECKING:
    from ..link.films import Film
    from .meaning import Outcome, Scene

STALE = frozenset({"stale", "missing", "failed"})
"""The states in which rendering would make something."""


def render(operator: bpy.types.Operator, scene: Scene, body: dict[str, Any]) -> Outcome:
    """Ask for takes as long as the cut needs them, and say what became of that."""
    with Talk(operator, scene) as talk:
        asked = {"type": "render", **body}
        talk.pull_first(scene, lambda: talk.ask(asked, lambda answer: _say_queued(talk, answer)))
    return talk.outcome


def _say_queued(talk: Talk, answer: dict[str, Any]) -> None:
    for failed in answer["failed"]:
        talk.fail({"text": f"{failed['name']}: {failed['error']}", "remedy": failed["remedy"]})
    for skipped in answer["skipped"]:
        talk.say(f"{skipped['name']} is not rendered: {skipped['because']}", "WARNING")
    jobs = len(answer["jobs"])
    talk.say(f"Shots to render: {jobs}" if jobs else "Nothing to render: every shot is fresh")


class RUSHES_OT_regenerate(OnShots):
    """Render the selected shots. One that is fresh gets another take, with another seed"""

    bl_idname = "rushes.regenerate"
    bl_label = "Regenerate"
    bl_options = ASKS

    def execute(self, context: bpy.types.Context) -> Outcome:
        scene = compat.edit_scene(context)
        return render(self, scene, {"shots": selected_shots(scene)})


class RUSHES_OT_regenerate_stale(InFilm):
    """Render every shot of the film that is stale or was never rendered"""

    bl_idname = "rushes.regenerate_stale"
    bl_label = "Regenerate Stale"
    bl_options = ASKS

    def execute(self, context: bpy.types.Context) -> Outcome:
        return render(self, compat.edit_scene(context), {})


class RUSHES_OT_another(OnShots):
    """Render variations of the selected shots with other seeds. The chosen takes stay"""

    bl_idname = "rushes.another"
    bl_label = "Another Take"
    bl_options = ASKS

    count: bpy.props.IntProperty(  # type: ignore[valid-type]
        name="Count", description="How many takes of each shot", default=1, min=1, max=99, soft_max=8
    )

    def execute(self, context: bpy.types.Context) -> Outcome:
        scene = compat.edit_scene(context)
        return render(self, scene, {"shots": selected_shots(scene), "another": self.count})


class RUSHES_OT_cancel(InFilm):
    """Drop what waits to be rendered and what renders now, of the selected shots or of the whole film"""

    bl_idname = "rushes.cancel"
    bl_label = "Cancel Rendering"
    bl_options = ASKS

    whole_film: bpy.props.BoolProperty(  # type: ignore[valid-type]
        name="Whole Film", description="Of all shots, whether they are selected or not"
    )

    @classmethod
    def why_not(cls, scene: Scene | None) -> str:
        why = super().why_not(scene)
        film = film_of(scene) if scene is not None and not why else None
        return why or ("" if film is not None and film.jobs else "Nothing of the film is queued or rendering")

    def execute(self, context: bpy.types.Context) -> Outcome:
        scene = compat.edit_scene(context)
        jobs = _jobs_of(film_of(scene), None if self.whole_film else selected_shots(scene))
        if not jobs:
            self.report({"WARNING"}, "Nothing of the selected shots is queued or rendering")
            return CANCELLED
        with Talk(self, scene) as talk:
            talk.ask({"type": "cancel", "jobs": jobs}, lambda _: talk.say("Cancelled"))
        return talk.outcome


def _jobs_of(film: Film | None, shots: list[str] | None) -> list[int]:
    """The numbers of the jobs of some shots, or of all."""
    jobs = film.jobs if film is not None else {}
    return [number for number, job in jobs.items() if shots is None or job.get("shot") in shots]


class RUSHES_OT_lock(OnShots):
    """Keep the selected shots as they are: a locked shot is never rendered. Again to unlock them"""

    bl_idname = "rushes.lock"
    bl_label = "Lock Shots"
    bl_options = EDITS

    def execute(self, context: bpy.types.Context) -> Outcome:
        scene = compat.edit_scene(context)
        shots = selected_shots(scene)
        lock = not all(row(scene, shot).get("locked") for shot in shots)
        with Talk(self, scene) as talk:
            for shot in [shot for shot in shots if bool(row(scene, shot).get("locked")) != lock]:
                body = {"type": "takes", "shot": shot}
                talk.do(scene, {**body, "lock": lock}, {**body, "lock": not lock}, self.bl_label)
            talk.say(f"{'Locked' if lock else 'Unlocked'}: {', '.join(shot_name(scene, s) for s in shots)}")
        return talk.outcome


class RUSHES_OT_select_stale(InFilm):
    """Select the strips whose shots are stale, failed, or were never rendered"""

    bl_idname = "rushes.select_stale"
    bl_label = "Select Stale"
    bl_options = EDITS

    extend: bpy.props.BoolProperty(name="Extend", description="Keep what is selected")  # type: ignore[valid-type]

    def execute(self, context: bpy.types.Context) -> Outcome:
        scene = compat.edit_scene(context)
        film = film_of(scene)
        rows = film.rows if film is not None else {}
        stale = {shot for shot, found in rows.items() if found.get("state") in STALE}
        return _select(self, scene, stale, self.extend)


class RUSHES_OT_select_uses(OnActiveShot):
    """Select every strip that shows the active strip's shot"""

    bl_idname = "rushes.select_uses"
    bl_label = "Select Uses"
    bl_options = EDITS

    extend: bpy.props.BoolProperty(name="Extend", description="Keep what is selected")  # type: ignore[valid-type]

    def execute(self, context: bpy.types.Context) -> Outcome:
        scene = compat.edit_scene(context)
        return _select(self, scene, {active_shot(scene)}, self.extend)


def _select(operator: bpy.types.Operator, scene: Scene, shots: set[str], extend: bool) -> Outcome:
    """Select the strips in sight that show one of the shots."""
    count = 0
    for strip in displayed(scene):
        is_meant = marks.shot_of(strip) in shots
        count += is_meant
        if is_meant or not extend:
            strip.select = is_meant
    operator.report({"INFO"}, f"Strips selected: {count}")
    return FINISHED


CLASSES: tuple[type, ...] = (
    RUSHES_OT_regenerate,
    RUSHES_OT_regenerate_stale,
    RUSHES_OT_another,
    RUSHES_OT_cancel,
    RUSHES_OT_lock,
    RUSHES_OT_select_stale,
    RUSHES_OT_select_uses,
)
