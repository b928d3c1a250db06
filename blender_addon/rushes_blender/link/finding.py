"""Which program links this Blender to the daemon."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from .pipe import CannotStart

COMMAND_FILE = "command.json"
"""In the add-on's folder of the user; `rushes install blender` writes it: {"python": "/full/path/to/python"}."""

REMEDY = "pip install rushes, then rushes install blender; or name the program in the add-on's preferences"

_PROGRAM = "rushes.exe" if sys.platform == "win32" else "rushes"

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
    """A full path only: a relative one would be looked for beside a .blend that came from somebody else."""
    if not program.strip():
        return []
    path = _full_path(program.strip())
    if path is None:
        raise CannotStart(f"{program.strip()}, named in the add-on's preferences, is not there", REMEDY)
    if path.name.lower().startswith("python"):
        return [str(path), "-m", "rushes.pipe"]
    return [str(path), "client", "--pipe"]


def _installed(file: Path) -> list[str]:
    """Empty where nothing was installed, or the Python that it names is gone."""
    try:
        python = _full_path(json.loads(file.read_text(encoding="utf-8"))["python"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return []
    return [str(python), "-m", "rushes.pipe"] if python is not None else []


def _on_path() -> list[str]:
    """Not by `shutil.which`, which on Windows looks first into the folder that Blender was started in: that of the
    .blend, for who opens one with a click."""
    found = (_full_path(f"{folder}/{_PROGRAM}") for folder in _folders() if folder)
    program = next((path for path in found if path is not None and os.access(path, os.X_OK)), None)
    return [str(program), "client", "--pipe"] if program is not None else []


def _folders() -> Iterator[str]:
    yield from os.environ.get("PATH", os.defpath).split(os.pathsep)
    yield from _PLACES


def _full_path(text: str) -> Path | None:
    """The file of that name, None where there is none."""
    try:
        path = Path(text).expanduser()
        return path if path.is_absolute() and path.is_file() else None
    except (OSError, ValueError, RuntimeError):  # too long; NUL; the home of nobody
        return None
