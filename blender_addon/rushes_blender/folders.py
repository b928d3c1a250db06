"""Where this add-on keeps what belongs to the user: beside no film and in no .blend."""

from __future__ import annotations

from pathlib import Path

import bpy


def user() -> Path:
    """The add-on's folder of the user's Blender. It outlives updates of the extension. It may not be there yet."""
    extension = getattr(bpy.utils, "extension_path_user", None)
    try:
        if extension is not None:
            return Path(extension(__package__))
    except ValueError:  # no extension: registered from a folder of scripts
        pass
    return Path(bpy.utils.user_resource("CONFIG", path="rushes"))
