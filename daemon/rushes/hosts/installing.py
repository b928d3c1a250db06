"""Blender's add-on put into the Blenders of a user, and told which Python has this Rushes.

The files are put in place by us, so they are there whatever Blender does. Where the program was found it installs
them once more itself, for only that enables the add-on, and is asked afterwards whether it did: it says that it
has finished also when it has not.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rushes.engine.checks import Check
from rushes.hosts.blenders import PATIENCE_S, Blender, Machine, Mute, dotted, known, run
from rushes.hosts.extension import MANIFEST, Extension, bundled, names
from rushes.store.durable import fault_of, write_atomic
from rushes_otio.errors import FileFault

REPOSITORY = "user_default"
"""Blender's own name for what its user installed from files."""

COMMAND = "command.json"

CLICK = 'in Blender, open Edit > Preferences > Add-ons and tick "Rushes"'

_ON = "RUSHES ON"
_ENABLED = "import bpy; print('{said}' if '{module}' in bpy.context.preferences.addons else 'off', flush=True)"


@dataclass(frozen=True, slots=True)
class Installed:
    """Into one Blender. `was` is the version that was there before, `next` what is left to do for a person."""

    version: str
    where: str
    was: str
    enabled: bool
    program: str
    next: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A Blender that it could not be put into."""

    version: str
    where: str
    error: str
    remedy: str


@dataclass(slots=True)
class Report:
    """What was done where. `passed` are Blenders that are none for it: what, because."""

    python: str
    installed: list[Installed] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    passed: list[dict[str, str]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def install(
    extension: Extension, blenders: Sequence[Blender], mute: Sequence[Mute] = (), seconds: float = PATIENCE_S
) -> Report:
    """Put it into each of these that can take it. `seconds` is how long a program may take to enable it."""
    report = Report(sys.executable)
    for silent in mute:
        report.passed.append({"what": str(silent.program), "because": silent.because})
    for blender in blenders:
        if blender.version < extension.least:
            because = f"the add-on needs {dotted(extension.least)} or later"
            report.passed.append({"what": f"Blender {blender.label}", "because": because})
            continue
        try:
            report.installed.append(_into(blender, extension, seconds))
        except FileFault as fault:
            report.failed.append(Failed(blender.label, fault.where, fault.text, fault.remedy))
    return report


def in_blender(machine: Machine) -> Check:
    """For `rushes doctor`: which of the user's Blenders have it, and whether it is this one."""
    try:
        extension = bundled()
    except FileFault as fault:
        return Check("blender", False, fault.text, fault.remedy)
    there = [(one.label, home(one.extensions, extension)) for one in known(machine)]
    installed = [(label, folder) for label, folder in there if (folder / MANIFEST).is_file()]
    if not installed:
        return Check("blender", True, "the add-on is not installed: rushes install blender")
    said = f"the add-on is installed for {', '.join(label for label, _ in installed)}"
    others = [label for label, folder in installed if not is_current(folder, extension)]
    if others:
        said += f"; that for {', '.join(others)} is not of this Rushes: rushes install blender"
    return Check("blender", True, said)


def home(extensions: Path, extension: Extension) -> Path:
    """Where its files lie."""
    return extensions / REPOSITORY / extension.id


def own(extensions: Path, extension: Extension) -> Path:
    """Where Blender has it keep files of its own: they outlive an update."""
    return extensions / ".user" / REPOSITORY / extension.id


def is_current(folder: Path, extension: Extension) -> bool:
    """Whether exactly its files lie in `folder`."""
    try:
        return {name: (folder / name).read_bytes() for name in names(folder)} == extension.files
    except OSError:
        return False


def _into(blender: Blender, extension: Extension, seconds: float) -> Installed:
    folder = home(blender.extensions, extension)
    was = _version(folder)
    place(extension, folder)
    _tell(own(blender.extensions, extension))
    problem = _enable(blender, extension, seconds)
    if not is_current(folder, extension):  # Blender removes the old files first, and may fail at the new ones
        place(extension, folder)
    next_step = f"{CLICK} ({problem})" if problem else ""
    return Installed(blender.label, str(folder), was, not problem, str(blender.program or ""), next_step)


def place(extension: Extension, folder: Path) -> None:
    """Make `folder` hold its files and nothing else: at any moment it holds the old ones, none, or the new ones.
    FileFault when the system refuses; then the old ones are back."""
    fresh, old = (folder.with_name(f".{folder.name}.{word}") for word in ("new", "old"))
    try:
        _remove(fresh)
        _remove(old)
        for name, data in extension.files.items():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            (fresh / name).write_bytes(data)
        with suppress(FileNotFoundError):
            folder.rename(old)
        try:
            fresh.rename(folder)
        except OSError:
            old.rename(folder)
            raise
    except OSError as error:
        raise fault_of(error, folder) from error
    with suppress(OSError):  # a file that Windows holds open for a running Blender
        _remove(old)


def _tell(folder: Path) -> None:
    """Say which Python has this Rushes."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise fault_of(error, folder) from error
    write_atomic(folder / COMMAND, json.dumps({"python": sys.executable}).encode(), label="install")


def _enable(blender: Blender, extension: Extension, seconds: float) -> str:
    """Have Blender install and enable it; why that was not to be had, or nothing."""
    if blender.program is None:
        return "no program of this version was found"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / extension.zip_name
        path.write_bytes(extension.zipped())
        words = ("--command", "extension", "install-file", "-r", REPOSITORY, "-e", str(path))
        _, problem = run(blender.program, *words, seconds=seconds)
    if problem:
        return problem
    asking = _ENABLED.format(said=_ON, module=f"bl_ext.{REPOSITORY}.{extension.id}")
    said, problem = run(blender.program, "--background", "--python-expr", asking, seconds=seconds)
    return problem or ("" if _ON in said.splitlines() else "Blender did not enable it")


def _version(folder: Path) -> str:
    """What the manifest of the installed one says, or nothing."""
    try:
        return str(tomllib.loads((folder / MANIFEST).read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError):
        return ""


def _remove(path: Path) -> None:
    """A folder with all that is in it; of a link the link alone."""
    if path.is_symlink():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)
