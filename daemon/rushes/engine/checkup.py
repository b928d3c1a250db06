"""What `rushes doctor` looks at. Each check says what it found and, where that is not enough, the remedy."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from rushes.connection import read_connection
from rushes.engine.checks import Check
from rushes.engine.gpus import Machine, ThisMachine, gpu_checks
from rushes.engine.studio import Studio
from rushes.generators.registry import Registry
from rushes.store.alive import exists
from rushes.store.db import Database
from rushes.store.places import Places, private
from rushes.store.settings import read_settings
from rushes_otio.errors import RushesError

LEAST_GIB = 5
"""A minute of 1080p ProRes 422 HQ is about 2 GiB, and takes are never overwritten."""


def examine(places: Places, machine: Machine | None = None) -> list[Check]:
    """Every check, in the order a person would look. `machine` is whose GPUs are looked at: this one."""
    checks: list[tuple[str, Callable[[], list[Check]]]] = [
        ("python", lambda: [_python()]),
        ("settings", lambda: [_settings(places)]),
        ("ffmpeg", lambda: [_ffmpeg()]),
        ("codecs", lambda: [_codecs()]),
        ("state", lambda: [_folder("state", places.state)]),
        ("cache", lambda: [_folder("cache", places.cache)]),
        ("disk", lambda: [_disk(places)]),
        ("database", lambda: [_database(places)]),
        ("models", lambda: [_models(places)]),
        ("daemon", lambda: [_daemon(places)]),
        ("gpu", lambda: gpu_checks(_registry(places), machine or ThisMachine(), _workers(places))),
    ]
    return [found for name, check in checks for found in _guarded(name, check)]


def _guarded(name: str, check: Callable[[], list[Check]]) -> list[Check]:
    try:
        return check()
    except RushesError as e:
        return [Check(name, False, e.text, e.remedy)]
    except OSError as e:
        return [Check(name, False, str(e), "check the path and its permissions")]


def _python() -> Check:
    return Check(
        "python", True, f"{platform.python_version()} on {platform.platform(terse=True)}, {sys.executable}"
    )


def _settings(places: Places) -> Check:
    found = read_settings(places.settings)
    if found.ffmpeg:
        os.environ.setdefault("RUSHES_FFMPEG", found.ffmpeg)
    there = "" if places.settings.exists() else " (not there: all defaults)"
    return Check("settings", True, f"{places.settings}{there}")


def _ffmpeg() -> Check:
    from rushes.media import ffmpeg

    return Check("ffmpeg", True, f"{ffmpeg.version()}, {ffmpeg.binary()}")


def _codecs() -> Check:
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
    registry = Studio(places).registry
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


def _registry(places: Places) -> Registry:
    """Without the user's models where their file is at fault: the check `models` says so."""
    try:
        return Studio(places).registry
    except RushesError:
        return Registry({})


def _workers(places: Places) -> set[int]:
    """PIDs of the processes that hold a device for Rushes, or held it last."""
    found = (path.read_text(errors="replace").strip() for path in places.locks.glob("device-*.pid"))
    return {int(pid) for pid in found if pid.isdecimal()}
