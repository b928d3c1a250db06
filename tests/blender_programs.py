"""Programs that say that they are Blender, and behave as badly as real ones do."""

from __future__ import annotations

import sys
from pathlib import Path

PROGRAM = """#!{python}
import json, pathlib, shutil, subprocess, sys, time, zipfile
here, version, manner = pathlib.Path({folder!r}), {version!r}, {manner!r}
extensions, on = here / "extensions", here / "enabled"

def install(archive):
    folder = extensions / "user_default" / "rushes"
    if manner == "hangs":
        print(subprocess.Popen(["sleep", "60"]).pid, file=(here / "child").open("w"), flush=True)
        time.sleep(60)
    if manner == "fails":
        print("Error: no repository of that name")
        sys.exit(1)
    if manner == "loses the files":
        shutil.rmtree(folder)
        sys.exit(9)
    if manner == "does nothing":
        print("FINISHED")
        sys.exit(0)
    shutil.rmtree(folder)
    zipfile.ZipFile(archive).extractall(folder)
    on.touch()

def asked(expression):
    if "user_resource" not in expression:
        print("RUSHES ON" if on.exists() else "off")
    elif manner == "is mute":
        print("Segmentation fault")
        sys.exit(139)
    elif manner == "talks nonsense":
        print("RUSHES [4, null]")
    else:
        print("Blender quits soon")
        print("RUSHES " + json.dumps([*version, str(extensions) if version >= (4, 2) else ""]))

words = sys.argv[1:]
if words[:2] == ["--command", "extension"]:
    assert words[2:6] == ["install-file", "-r", "user_default", "-e"], words
    install(words[6])
else:
    asked(words[words.index("--python-expr") + 1])
"""


def blender(folder: Path, version: tuple[int, int] = (5, 0), manner: str = "behaves") -> Path:
    """A program `blender` in `folder`, whose extensions lie there too. `manner` is a word of PROGRAM's."""
    folder.mkdir(parents=True)
    path = folder / "blender"
    path.write_text(PROGRAM.format(python=sys.executable, folder=str(folder), version=version, manner=manner))
    path.chmod(0o755)
    return path
