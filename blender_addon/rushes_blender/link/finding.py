"""Which program links this Blender to the daemon."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from .pipe import CannotStart

COMMAND_FILE = "command.json"
"""In the add-on's folder of the user; `rushes install blender` writes it: {"python": "/full/path/to/python"}."""

REMEDY = "pip install rushes, then rushes install blender; or name the program in the add-on's preferences"

_PLACES = ("~/.local/bin", "/opt/homebrew/bin", "/usr/local/bin")
"""Where programs lie that a desktop, which starts Blender without the user's shell, has not on its path."""


def command(preferred: str, folder: Path) -> list[str]:
    """The command line of the link: what the user says in the preferences, else what was installed with the
    add-on, else `rushes` as it is found. CannotStart where there is none."""
    found = _preferred(preferred) or _installed(folder / COMMAND_FILE) or _on_path()
    if not found:
        raise CannotStart("Rushes was not found on this computer", REMEDY)
    return found


def _preferred(program: str) -> list[str]:
    if not program.strip():
        return []
    path = Path(program.strip()).expanduser()
    if not path.is_file():
        raise CannotStart(f"{path}, named in the add-on's preferences, is not there", REMEDY)
    if path.name.lower().startswith("python"):
        return [str(path), "-m", "rushes.pipe"]
    return [str(path), "client", "--pipe"]


def _installed(file: Path) -> list[str]:
    """Empty where nothing was installed, or the Python that it names is gone."""
    try:
        python = json.loads(file.read_text(encoding="utf-8"))["python"]
        return [python, "-m", "rushes.pipe"] if Path(python).is_file() else []
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return []


def _on_path() -> list[str]:
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), *(str(Path(p).expanduser()) for p in _PLACES)])
    found = shutil.which("rushes", path=places)
    return [found, "client", "--pipe"] if found else []
