"""What is asked of shots: fields of their intent set, on a shot, its scene or the film.

What was set before is asked for first, so that Undo can set it again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from secrets import randbelow
from typing import TYPE_CHECKING, Any

import bpy

from ..strips import compat, marks
from .meaning import ASKS, CANCELLED, InFilm, OnActiveShot, OnShots, active_shot, film_of, row, selected_shots
from .talking import Talk

if TYPE_CHECKING:
    from .meaning import Outcome, Scene, Strip

Shown = dict[str, Any]
"""The answer to `show`."""

Change = Callable[[Talk, "Scene", str, Shown], None]
"""Called with a shot of the scene and what it is made from."""

_SEEDS = 2**32
_PATHS = frozenset({"image", "plate", "mask", "file"})

LEVELS = [
    ("SHOT", "Shot", "The active strip's shot"),
    ("SCENE", "Scene", "All shots of its scene"),
    ("FILM", "Film", "All shots of the film"),
]


def assignment(field: str, value: object) -> str:
    """`KEY=VALUE` as `rushes set` takes it. None unsets."""
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"{field}={text}"


def set_field(talk: Talk, scene: Scene, target: Shown, field: str, value: object, was: object) -> None:
    """Set a field where `target` says, as `set` has it; Undo sets what was there before."""
    root = field.partition(".")[0]
    body = {"type": "set", "folder": str(Path(bpy.data.filepath).parent) if bpy.data.filepath else "", **target}
    forward = {**body, "assignments": [assignment(field, value)]}
    back = {**body, "assignments": [assignment(root, was)]}
    talk.do(scene, forward, back, f"Set {root.replace('_', ' ')}")


def with_shots(operator: bpy.types.Operator, scene: Scene, shots: list[str], change: Change) -> Outcome:
    """Ask what each shot is made from, then change it."""
    with Talk(operator, scene) as talk:
        for shot in shots:
            talk.ask({"type": "show", "shot": shot}, partial(_changed, talk, shot, change))
    return talk.outcome


def _changed(talk: Talk, shot: str, change: Change, shown: Shown) -> None:
    scene = talk.scene()
    if scene is not None:
        change(talk, scene, shot, shown)


def _own(shown: Shown, field: str) -> object:
    return shown["own"].get(field.partition(".")[0])


def _inherited(shown: Shown, field: str, level: str) -> object:
    told = shown["inherits"].get(field.partition(".")[0], [])
    return next((each["value"] for each in told if each["level"] == level), None)


class RUSHES_OT_set_intent(InFilm):
    """Say what is asked for: of the active strip's shot, of its scene, or of the whole film"""

    bl_idname = "rushes.set_intent"
    bl_label = "Set Field"
    bl_options = ASKS

    field: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Field",
        description="Such as prompt, action, camera, model, seed or first_frame.image",
        maxlen=64,
        options={"SKIP_SAVE"},
    )
    value: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Value", description="Empty to ask for nothing on this level", options={"SKIP_SAVE"}
    )
    level: bpy.props.EnumProperty(name="Level", description="Where it is set", items=LEVELS)  # type: ignore[valid-type]
    shot: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Shot", description="The id of another shot than the active strip's", maxlen=8, options={"SKIP_SAVE"}
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Outcome:
        if self.properties.is_property_set("field") and self.properties.is_property_set("value"):
            return self.execute(context)
        return context.window_manager.invoke_props_dialog(self, width=480)

    def execute(self, context: bpy.types.Context) -> Outcome:
        scene = compat.edit_scene(context)
        film = film_of(scene)
        shot = self.shot or active_shot(scene)
        if not shot and self.level == "FILM" and film is not None and film.order:
            shot = film.order[0]  # any: each knows what the film says
        if not self.field or not shot:
            self.report({"ERROR"}, "The active strip is no shot" if self.field else "No field was named")
            return CANCELLED
        is_path = self.field.rpartition(".")[2] in _PATHS
        value = bpy.path.abspath(self.value) if is_path else self.value
        return with_shots(self, scene, [shot], partial(self.change, self.field, value, self.level))

    @staticmethod
    def change(field: str, value: str, level: str, talk: Talk, scene: Scene, shot: str, shown: Shown) -> None:
        if level == "SHOT":
            set_field(talk, scene, {"shots": [shot]}, field, value, _own(shown, field))
        elif level == "SCENE":
            target = {"scene": row(scene, shot).get("scene", "")}
            set_field(talk, scene, target, field, value, _inherited(shown, field, "scene"))
        else:
            set_field(talk, scene, {"whole_film": True}, field, value, _inherited(shown, field, "film"))


class RUSHES_OT_roll_seed(OnShots):
    """Ask for another seed, picked by chance, for each selected shot"""

    bl_idname = "rushes.roll_seed"
    bl_label = "Roll Seed"
    bl_options = ASKS

    def execute(self, context: bpy.types.Context) -> Outcome:
        scene = compat.edit_scene(context)

        def change(talk: Talk, scene: Scene, shot: str, shown: Shown) -> None:
            set_field(talk, scene, {"shots": [shot]}, "seed", str(randbelow(_SEEDS)), _own(shown, "seed"))

        return with_shots(self, scene, selected_shots(scene), change)


class RUSHES_OT_lock_seed(OnShots):
    """Ask for the seed of the chosen take from now on, for each selected shot; again to leave the seed open"""

    bl_idname = "rushes.lock_seed"
    bl_label = "Lock Seed"
    bl_options = ASKS

    def execute(self, context: bpy.types.Context) -> Outcome:
        scene = compat.edit_scene(context)

        def change(talk: Talk, scene: Scene, shot: str, shown: Shown) -> None:
            was = _own(shown, "seed")
            set_field(talk, scene, {"shots": [shot]}, "seed", None if was else shown.get("seed") or None, was)

        return with_shots(self, scene, selected_shots(scene), change)


class RUSHES_OT_continue_from_before(OnActiveShot):
    """Let the shot begin where the strip before it on its channel ends; again to let it begin by itself"""

    bl_idname = "rushes.continue_from_before"
    bl_label = "Continue From Strip Before"
    bl_options = ASKS

    @classmethod
    def why_not(cls, scene: Scene | None) -> str:
        why = super().why_not(scene)
        if why or scene is None:
            return why
        strip = compat.active_strip(scene)
        return "" if strip is not None and before(scene, strip) else "There is no strip before it on its channel"

    def execute(self, context: bpy.types.Context) -> Outcome:
        scene = compat.edit_scene(context)
        shot = active_shot(scene)
        with Talk(self, scene) as talk:  # a pull first: by it the strip before has its use
            talk.pull(scene, lambda _: talk.ask({"type": "show", "shot": shot}, partial(self.change, talk, shot)))
        return talk.outcome

    @staticmethod
    def change(talk: Talk, shot: str, shown: Shown) -> None:
        scene = talk.scene()
        strip = compat.active_strip(scene) if scene is not None else None
        if scene is None or strip is None or marks.shot_of(strip) != shot:
            return
        was = _own(shown, "first_frame")
        previous = before(scene, strip)
        use = marks.use_of(previous) if previous is not None else ""
        if not was and not use:
            talk.say("The film does not know the strip before", "WARNING")
            return
        set_field(talk, scene, {"shots": [shot]}, "first_frame", None if was else {"from": use, "at": "out"}, was)


def before(scene: Scene, strip: Strip) -> Strip | None:
    """The picture that ends last before the strip begins, on its channel."""
    left = compat.get(strip, compat.LEFT)
    beside = [s for s in compat.siblings(scene, strip) if s.channel == strip.channel and s.type != "SOUND"]
    earlier = [s for s in beside if compat.get(s, compat.RIGHT) <= left and s != strip]
    return max(earlier, key=lambda s: compat.get(s, compat.RIGHT), default=None)


class RUSHES_OT_apply_to_selected(OnActiveShot):
    """Ask for the same as the active strip's shot does, in one field, of all selected shots"""

    bl_idname = "rushes.apply_to_selected"
    bl_label = "Apply to Selected"
    bl_options = ASKS

    field: bpy.props.StringProperty(name="Field", default="prompt", maxlen=64)  # type: ignore[valid-type]

    def execute(self, context: bpy.types.Context) -> Outcome:
        scene = compat.edit_scene(context)
        first, field = active_shot(scene), self.field
        others = [shot for shot in selected_shots(scene) if shot != first]
        if not others:
            self.report({"WARNING"}, "No other shot is selected")
            return CANCELLED
        wanted: list[object] = []

        def change(talk: Talk, scene: Scene, shot: str, shown: Shown) -> None:
            if shot == first:
                wanted.append(_own(shown, field))
            elif wanted:  # else it could not be asked, which was said
                set_field(talk, scene, {"shots": [shot]}, field.partition(".")[0], wanted[0], _own(shown, field))

        return with_shots(self, scene, [first, *others], change)


CLASSES: tuple[type, ...] = (
    RUSHES_OT_set_intent,
    RUSHES_OT_roll_seed,
    RUSHES_OT_lock_seed,
    RUSHES_OT_continue_from_before,
    RUSHES_OT_apply_to_selected,
)
