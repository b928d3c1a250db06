"""What `rushes doctor` looks at. Each check says what it found and, where that is not enough, the remedy."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rushes.connection import read_connection
from rushes.generators.registry import Registry
from rushes.store.alive import exists
from rushes.store.db import Database
from rushes.store.places import Places, private
from rushes.store.settings import read_settings
from rushes_otio.errors import RushesError

LEAST_GIB = 5
"""A minute of 1080p ProRes 422 HQ is about 2 GiB, and takes are never overwritten."""


@dataclass(frozen=True, slots=True)
class Check:
    """One finding."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def examine(places: Places) -> list[Check]:
    """Every check, in the order a person would look."""
    checks: list[tuple[str, Callable[[Places], Check]]] = [
        ("python", _python),
        ("settings", _settings),
        ("ffmpeg", _ffmpeg),
        ("codecs", _codecs),
        ("state", lambda p: _folder("state", p.state)),
        ("cache", lambda p: _folder("cache", p.cache)),
        ("disk", _disk),
        ("database", _database),
        ("models", _models),
        ("daemon", _daemon),
        ("gpu", _gpu),
    ]
    return [_guarded(name, check, places) for name, check in checks]


def _guarded(name: str, check: Callable[[Places], Check], places: Places) -> Check:
    try:
        return check(places)
    except RushesError as e:
        return Check(name, False, e.text, e.remedy)
    except OSError as e:
        return Check(name, False, str(e), "check the path and its permissions")


def _python(_: Places) -> Check:
    return Check(
        "python", True, f"{platform.python_version()} on {platform.platform(terse=True)}, {sys.executable}"
    )


def _settings(places: Places) -> Check:
    found = read_settings(places.settings)
    if found.ffmpeg:
        os.environ.setdefault("RUSHES_FFMPEG", found.ffmpeg)
    there = "" if places.settings.exists() else " (not there: all defaults)"
    return Check("settings", True, f"{places.settings}{there}")


def _ffmpeg(_: Places) -> Check:
    from rushes.media import ffmpeg

    return Check("ffmpeg", True, f"{ffmpeg.version()}, {ffmpeg.binary()}")


def _codecs(_: Places) -> Check:
    from rushes.media import ffmpeg
    from rushes.stages.encode import CODECS

    lacking = [codec.label for codec in CODECS.values() if codec.encoder not in ffmpeg.encoders()]
    if lacking:
        return Check("codecs", False, f"this ffmpeg cannot write {', '.join(lacking)}", "use the bundled ffmpeg")
    return Check("codecs", True, ", ".join(codec.label for codec in CODECS.values()))


def _folder(name: str, folder: Path) -> Check:
    probe = private(folder) / f".doctor-{os.getpid()}"
    probe.write_bytes(b"")
    probe.unlink()
    return Check(name, True, str(folder))


def _disk(places: Places) -> Check:
    free = shutil.disk_usage(private(places.cache)).free / 1024**3
    remedy = f"free some: takes and stages need room; {LEAST_GIB} GiB is little"
    return Check("disk", free >= LEAST_GIB, f"{free:.0f} GiB free below {places.cache}", remedy)


def _database(places: Places) -> Check:
    database = Database(private(places.state) / places.database.name)
    database.check()
    notes = "; ".join(database.warnings)
    database.close()
    return Check("database", True, f"{places.database}{' (' + notes + ')' if notes else ''}")


def _models(places: Places) -> Check:
    registry = Registry.read(places.models)
    lacking = [name for name, model in registry.models.items() if model.traits is None]
    if lacking:
        said = f"no generator here for: {', '.join(lacking)}"
        return Check("models", False, said, f"remove them from {places.models}, or install their generator")
    return Check("models", True, ", ".join(registry.models))


def _daemon(places: Places) -> Check:
    """None is no fault: commands start one."""
    if not places.connection.exists():
        return Check("daemon", True, "none runs; commands start it when they need it")
    found = read_connection(places.connection)
    if not exists(found.pid):
        return Check("daemon", True, f"process {found.pid} was killed; the next command starts another")
    return Check("daemon", True, f"process {found.pid}, version {found.version}, {found.commands}")


def _gpu(_: Places) -> Check:
    """No GPU is no fault: the animatic needs none."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return Check("gpu", True, "none found; the animatic needs none")
    asked = [tool, "--query-gpu=name,memory.free,driver_version", "--format=csv,noheader"]
    try:
        found = subprocess.run(asked, capture_output=True, text=True, timeout=10, check=True)
    except (subprocess.SubprocessError, OSError) as e:
        return Check("gpu", True, f"nvidia-smi does not answer ({e}); the animatic needs no GPU")
    return Check("gpu", True, found.stdout.strip().replace("\n", "; "))
