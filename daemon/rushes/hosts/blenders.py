"""The Blenders of a user: where their extensions lie, and the programs that can be asked about it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rushes_otio.errors import BadRequest
from rushes_otio.text import printable

PATIENCE_S = 60.0
"""A Blender that starts from a cold network disk takes half of it."""

_SAYS = "RUSHES "
_WHO = (
    "import bpy, json; v = bpy.app.version; "
    "e = bpy.utils.user_resource('EXTENSIONS') if v >= (4, 2) else ''; "
    f"print('{_SAYS}' + json.dumps([v[0], v[1], e]), flush=True)"
)
_PROGRAM = re.compile(r"blender(-\d+\.\d+)?(\.exe)?", re.IGNORECASE)
_VERSION = re.compile(r"(\d+)\.(\d+)")

USUAL = {
    "linux": (
        "/opt/blender*/blender",
        "/snap/bin/blender",
        "~/blender*/blender",
        "~/Applications/blender*/blender",
        "~/.local/share/Steam/steamapps/common/Blender/blender",
    ),
    "darwin": (
        "/Applications/Blender*.app/Contents/MacOS/Blender",
        "~/Applications/Blender*.app/Contents/MacOS/Blender",
    ),
    "win32": (
        "/Program Files/Blender Foundation/Blender*/blender.exe",
        "/Program Files (x86)/Steam/steamapps/common/Blender/blender.exe",
    ),
}
"""Where people put the program, by platform."""

Version = tuple[int, int]


def dotted(version: Version) -> str:
    return f"{version[0]}.{version[1]}"


@dataclass(frozen=True, slots=True)
class Blender:
    """One version, its folder `extensions`, which need not exist, and a program of it where one was found."""

    version: Version
    extensions: Path
    program: Path | None = None

    @property
    def label(self) -> str:
        return dotted(self.version)


@dataclass(frozen=True, slots=True)
class Mute:
    """A program that looks like Blender and did not say which one it is."""

    program: Path
    because: str


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a user's Blenders are looked for. `root` is where the system begins."""

    platform: str
    env: Mapping[str, str]
    home: Path
    root: Path

    @classmethod
    def here(cls) -> Machine:
        return cls(sys.platform, os.environ, Path.home(), Path(Path.home().anchor))

    def settings(self) -> Path:
        """The folder that holds one folder for each version that this user has started."""
        if self.platform == "darwin":
            return self.home / "Library" / "Application Support" / "Blender"
        if self.platform == "win32":
            roaming = self.env.get("APPDATA") or self.home / "AppData" / "Roaming"
            return Path(roaming) / "Blender Foundation" / "Blender"
        return Path(self.env.get("XDG_CONFIG_HOME") or self.home / ".config") / "blender"

    def programs(self) -> list[Path]:
        """Those on the path and in the usual places, each once."""
        found: dict[Path, Path] = {}
        for program in (*self._on_path(), *self._usual()):
            if program.is_file() and os.access(program, os.X_OK):
                found.setdefault(program.resolve(), program)
        return list(found.values())

    def _on_path(self) -> Iterator[Path]:
        for folder in filter(None, self.env.get("PATH", "").split(os.pathsep)):
            with suppress(OSError):
                yield from sorted(path for path in Path(folder).iterdir() if _PROGRAM.fullmatch(path.name))

    def _usual(self) -> Iterator[Path]:
        for pattern in USUAL.get(self.platform, USUAL["linux"]):
            top = self.home if pattern.startswith("~") else self.root
            with suppress(OSError):
                yield from sorted(top.glob(pattern.lstrip("~/")), reverse=True)  # the newest first


def known(machine: Machine) -> list[Blender]:
    """The versions that this user has started at least once, without asking a program, oldest first."""
    folders: list[Path] = []
    with suppress(OSError):
        folders += (folder for folder in machine.settings().iterdir() if folder.is_dir())
    matches = ((_VERSION.fullmatch(folder.name), folder) for folder in folders)
    found = (Blender((int(m[1]), int(m[2])), folder / "extensions") for m, folder in matches if m)
    return sorted(found, key=lambda blender: blender.version)


def all_of(machine: Machine) -> tuple[list[Blender], list[Mute]]:
    """Every Blender of this user, oldest first, and the programs that did not answer."""
    asked = [ask(program) for program in machine.programs()]
    found: dict[Path, Blender] = {}
    for blender in (*(one for one in asked if isinstance(one, Blender)), *known(machine)):
        found.setdefault(blender.extensions.resolve() / blender.label, blender)
    ordered = sorted(found.values(), key=lambda blender: blender.version)
    return ordered, [one for one in asked if isinstance(one, Mute)]


def named(program: Path) -> Path:
    """The program that a person means: on macOS its bundle is one file to them. BadRequest if it is none."""
    inside = program / "Contents" / "MacOS" / "Blender"
    found = inside if inside.is_file() else program
    if not found.is_file() or not os.access(found, os.X_OK):
        raise BadRequest(
            "there is no program of that name", where=str(program), remedy="name the program blender itself"
        )
    return found.absolute()


def ask(program: Path, seconds: float = PATIENCE_S) -> Blender | Mute:
    """Which version `program` is and where its user's extensions lie, by its own word: environment variables and
    portable installations move them."""
    output, problem = run(program, "--background", "--factory-startup", "--python-expr", _WHO, seconds=seconds)
    for line in output.splitlines():
        if line.startswith(_SAYS):
            with suppress(ValueError, TypeError):
                major, minor, extensions = json.loads(line.removeprefix(_SAYS))
                return Blender((int(major), int(minor)), Path(extensions).absolute(), program)
    return Mute(program, problem or "it does not answer as Blender does")


def run(program: Path, *words: str, seconds: float = PATIENCE_S) -> tuple[str, str]:
    """What the program printed, and what went wrong: empty where it ended well."""
    with tempfile.TemporaryFile() as out:
        try:
            process = subprocess.Popen(
                [str(program), *words],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            return "", f"it does not start: {error.strerror}"
        problem = _ended(process, seconds)
        out.seek(0)
        said = out.read(1 << 20).decode("utf-8", "replace")
    last = next((line for line in reversed(said.splitlines()) if line.strip()), "")
    return said, f"{problem}: {printable(last, 200)}" if problem and last else problem


def _ended(process: subprocess.Popen[bytes], seconds: float) -> str:
    """Wait for it, and end it with all that it has started when it takes longer."""
    try:
        status = process.wait(seconds)
    except subprocess.TimeoutExpired:
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return f"it took longer than {seconds:.0f} s"
    if status < 0:
        return f"it crashed (signal {-status})"
    return f"it ended with code {status}" if status else ""
