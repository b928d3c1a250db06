"""Stands in for the program `blender`: its command line, as far as `rushes install blender` uses it, on the module
bpy, which is the same code without a window. Run by the Python that has bpy:

    python as_blender.py --command extension …
    python as_blender.py --background [--factory-startup] --python-expr CODE
"""

from __future__ import annotations

import os
import re
import sys
import traceback
from pathlib import Path


def main(words: list[str]) -> int:

    if "--factory-startup" not in words:
        _read_preferences()
    if words[:2] == ["--command", "extension"]:
        from bl_pkg.bl_extension_cli import cli_extension_handler

        return int(cli_extension_handler(words[2:]))
    assert words[0] == "--background", words
    exec(words[words.index("--python-expr") + 1], {"__name__": "__main__"})
    return 0


def _read_preferences() -> None:
    """The module bpy starts with factory settings."""
    import bpy

    if bpy.app.version >= (4, 5):
        bpy.ops.wm.read_userpref()
        return
    import addon_utils  # only bpy makes it known

    file = Path(bpy.utils.user_resource("CONFIG")) / "userpref.blend"  # reading it crashes the module 4.2
    for module in set(re.findall(rb"bl_ext\.user_default\.\w+", file.read_bytes() if file.exists() else b"")):
        addon_utils.enable(module.decode(), default_set=True)


if __name__ == "__main__":
    status = 1
    try:
        status = main(sys.argv[1:])
    except SystemExit as end:
        status = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # 4.2 crashes and 4.5 hangs when the interpreter ends with an add-on enabled
