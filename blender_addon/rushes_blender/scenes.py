"""Which scene belongs to which film, as the .blend has it, and which of these films this user trusts.

What is written on a scene is undone and saved with it. Whom a user trusts is not: a .blend from somebody else may
name any path, so a film that this user has not linked is neither followed nor looked for, for on Windows to look
for a path may already tell another computer who asks.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress

import bpy

from . import folders

FILM = "rushes_film"
ZERO = "rushes_zero"
KNOWN = "rushes_known"
FROZEN = "rushes_frozen"

TRUST_FILE = "films.json"

_ID = re.compile(r"[0123456789abcdefghjkmnpqrstvwxyz]{8}")
_MOST_KNOWN = 100_000
_LONGEST_KNOWN = 16 * _MOST_KNOWN
_LONGEST_PATH = 4096
_LAST_FRAME = 1_048_574
"""No scene of Blender's has a frame beyond it, on either side of 0."""

_trusted: set[str] | None = None
_real: dict[str, str] = {}


# -- the link ------------------------------------------------------------------------------------------------


def link(scene: bpy.types.Scene, path: str) -> None:
    """Say that the scene's sequence is this film's cut. The user does that, so the film is trusted from now on."""
    path = trust(path)
    scene[FILM] = path
    scene[ZERO] = int(scene.frame_start)
    scene[KNOWN] = "[]"


def unlink(scene: bpy.types.Scene) -> None:
    """The scene is nobody's. Its strips stay as they are."""
    for name in (FILM, ZERO, KNOWN, FROZEN):
        if scene.get(name) is not None:
            del scene[name]


def film_of(scene: bpy.types.Scene) -> str:
    """The film's absolute path, "" where the scene has none. Of a film that is not trusted it is only read, not
    looked for."""
    stored = scene.get(FILM)
    if not isinstance(stored, str) or not 0 < len(stored) <= _LONGEST_PATH or "\0" in stored:
        return ""
    path = _plain(bpy.path.abspath(stored, library=scene.library))
    if not os.path.isabs(path):  # noqa: PTH117 (paths are text here)
        return ""  # `//…` in a file that was never saved
    return real(path) if trusted(path) else path


def store(scene: bpy.types.Scene, path: str) -> None:
    """Write down where the scene's film is, as a path that Blender reads: absolute, or relative to the file."""
    if scene.get(FILM) != path:
        scene[FILM] = path


def linked() -> list[tuple[bpy.types.Scene, str]]:
    """The scenes of this file that have a film, trusted or not, and its path. Not those of linked libraries: they
    cannot be edited here."""
    found = [(scene, film_of(scene)) for scene in bpy.data.scenes if scene.library is None]
    return [(scene, path) for scene, path in found if path]


# -- what else is written on a scene ------------------------------------------------------------------------


def zero(scene: bpy.types.Scene) -> int:
    """The scene frame that is the film's record frame 0."""
    value = scene.get(ZERO)
    return value if isinstance(value, int) and abs(value) <= _LAST_FRAME else int(scene.frame_start)


def known(scene: bpy.types.Scene) -> list[str]:
    """The uses that the film has ever given this sequence. What is no id is left out."""
    stored = scene.get(KNOWN)
    if not isinstance(stored, str) or len(stored) > _LONGEST_KNOWN:
        return []
    try:
        found = json.loads(stored)
    except (ValueError, RecursionError):
        return []
    ids = found if isinstance(found, list) else []
    return [each for each in ids[:_MOST_KNOWN] if is_id(each)]


def is_id(value: object) -> bool:
    """Whether it is an id as films give them, to uses and shots."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def set_known(scene: bpy.types.Scene, uses: list[str]) -> None:
    """Written only where it is something else: a write is a change of the file."""
    text = json.dumps(uses, separators=(",", ":"))
    if scene.get(KNOWN) != text:
        scene[KNOWN] = text


def is_frozen(scene: bpy.types.Scene) -> bool:
    """Whether the scene is to stay as it is: never swapped, never pulled."""
    return bool(scene.get(FROZEN, False))


def set_frozen(scene: bpy.types.Scene, frozen: bool) -> None:
    scene[FROZEN] = frozen


# -- trust ---------------------------------------------------------------------------------------------------


def trusted(path: str) -> bool:
    """Whether this user has linked the film, in this or another .blend. Looks at no disk but the user's own
    list."""
    return os.path.normcase(_plain(path)) in _list()


def trust(path: str) -> str:
    """Remember that this user has linked the film; its real path."""
    found = real(_plain(path))
    ours = {os.path.normcase(each) for each in (found, _plain(path))}
    if not ours <= _list():
        ours |= _read()  # another Blender may have written since
        _write(ours)
        _list().update(ours)
    return found


def real(path: str) -> str:
    """`path` without links in it, as the daemon knows the film. Only for films that are trusted."""
    if path not in _real:
        _real[path] = os.path.realpath(path)
    return _real[path]


def _list() -> set[str]:
    global _trusted
    if _trusted is None:
        _trusted = _read()
    return _trusted


def _read() -> set[str]:
    try:
        found = json.loads((folders.user() / TRUST_FILE).read_text(encoding="utf-8"))
        return {path for path in found if isinstance(path, str)}
    except (OSError, ValueError, TypeError, RecursionError):
        return set()


def _write(paths: set[str]) -> None:
    """Whole or not at all. A folder that cannot be written costs a click after the next start, and nothing now."""
    file = folders.user() / TRUST_FILE
    part = file.with_name(f"{file.name}.{os.getpid()}")
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(sorted(paths), indent=1), encoding="utf-8")
        part.replace(file)


def forget_read() -> None:
    """Read the user's list again when it is asked for next, and every film's place: another file was loaded."""
    global _trusted
    _trusted = None
    _real.clear()


# -- paths ---------------------------------------------------------------------------------------------------


def _plain(path: str) -> str:
    """Absolute and without detours, by its letters alone."""
    return os.path.normpath(path)
