"""The add-on's preferences."""

from __future__ import annotations

import bpy


class RushesPreferences(bpy.types.AddonPreferences):
    """Shown in Blender's preferences, below the add-on."""

    bl_idname = __package__

    program: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Program",
        description="The program rushes, or a Python that has it. Empty: what rushes install blender wrote down, "
        "else rushes as it is found on the path",
        subtype="FILE_PATH",
    )

    def draw(self, context: bpy.types.Context) -> None:
        from . import running
        from .texts import printable

        self.layout.prop(self, "program")
        session = running.session()
        row = self.layout.row()
        is_linked = session.link_state == "linked"
        row.label(text=f"Link: {session.link_state}", icon="LINKED" if is_linked else "UNLINKED")
        if session.daemon_version:
            row.label(text=f"Rushes {printable(session.daemon_version, 40)}")
        if session.why:
            self.layout.label(text=printable(session.why, 200), icon="INFO")


CLASSES = (RushesPreferences,)


def program() -> str:
    """What the user named; "" where nothing, or where the add-on has no preferences."""
    preferences = bpy.context.preferences
    addon = preferences.addons.get(__package__ or "") if preferences is not None else None
    return str(getattr(getattr(addon, "preferences", None), "program", "") or "")
