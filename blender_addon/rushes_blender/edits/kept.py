"""Handlers of Blender that outlive the loading of a file, and fail without ending what Blender is doing."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from functools import wraps

from bpy.app.handlers import persistent


def kept(do: Callable[[object], None]) -> Callable[..., None]:
    """`do` as such a handler. It gets what Blender names first: the scene, or the file that is saved or loaded."""

    @wraps(do)
    def handler(about: object = None, *_: object) -> None:
        try:
            do(about)
        except Exception:
            traceback.print_exc()

    persistent(handler)
    return handler
