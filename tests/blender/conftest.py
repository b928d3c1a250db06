"""Tests inside a real Blender: the module bpy in this Python, `rushes` in another one, which RUSHES_PYTHON names.

Where this Python has no bpy, tests/conftest.py passes this folder over.
"""

from __future__ import annotations

import faulthandler
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

os.environ["BLENDER_USER_RESOURCES"] = tempfile.mkdtemp(prefix="rushes-blender-")  # read when bpy is imported

import bpy

import pumping
from clips import Clips
from filming import ROOT, FilmOnDisk, Shop, new_film
from frames import pixel as pixel_of

SECONDS = float(os.environ.get("RUSHES_BLENDER_SECONDS", "90"))
"""No test takes longer. Blender 4.5 can run in a circle for ever, and nothing in Python ends that."""

_stderr = pytest.StashKey[int]()
_status = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_stderr] = os.dup(2)  # before pytest takes it


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    faulthandler.dump_traceback_later(SECONDS, exit=True, file=item.config.stash[_stderr])
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[_status] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """The interpreter does not end: with anything of ours still registered 4.2 crashes then, and 4.5 hangs."""
    shutil.rmtree(os.environ["BLENDER_USER_RESOURCES"], ignore_errors=True)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(config.stash.get(_status, 1))


@pytest.fixture
def scene() -> bpy.types.Scene:
    """The one scene of a new file: 24 fps, 320x180, Standard, and the one that the sequencer edits."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = 24, 1.0
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 320, 180, 100
    scene.view_settings.view_transform = "Standard"
    if hasattr(bpy.context.workspace, "sequencer_scene"):
        bpy.context.workspace.sequencer_scene = scene  # without it 5.0 and 5.1 crash on new modifiers
    scene.sequence_editor_create()
    return scene


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Where films come from."""
    python = Path(os.environ.get("RUSHES_PYTHON") or ROOT / ".venv" / "bin" / "python")
    if not python.exists():
        pytest.fail(f"{python} is not there: name a Python that has what `rushes` needs in RUSHES_PYTHON")
    return Shop(python.absolute(), tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="session")
def ffmpeg(shop: Shop) -> str:
    named = os.environ.get("RUSHES_FFMPEG")
    asking = "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())"
    return named or subprocess.check_output([shop.python, "-c", asking], text=True, timeout=30).strip()


@pytest.fixture
def clip(ffmpeg: str, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Clips:
    """`clip(name, frames, picture, size, rate)` is the path of a movie, `clip.tone(name, seconds)` of a sound."""
    return Clips(ffmpeg, _kept(tmp_path_factory), tmp_path)


@pytest.fixture
def film(shop: Shop, tmp_path: Path) -> Callable[..., FilmOnDisk]:
    """`film("a red sky", "a door")` is a film of a shot for each prompt, rendered by the animatic generator."""

    def make(
        *prompts: str, frames: int = 24, size: str = "320x180", rendered: bool = True, **characters: str
    ) -> FilmOnDisk:
        wanted: dict[str, Any] = {"frames": frames, "size": size, "rendered": rendered, "characters": characters}
        wanted["intents"] = [{"prompt": prompt} for prompt in prompts]
        return new_film(shop, tmp_path / "film", wanted)

    return make


@pytest.fixture
def rushes_daemon(shop: Shop, user_folders: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The program `rushes`, on the path, which may start a daemon; that is stopped at the end."""
    monkeypatch.delenv("RUSHES_NO_DAEMON")
    monkeypatch.setenv("PATH", str(shop.command.parent), prepend=os.pathsep)
    yield shop.command
    if any((user_folders / "state").rglob("connection*")):
        subprocess.run([shop.command, "daemon", "stop"], timeout=30, capture_output=True)


@pytest.fixture
def addon(scene: bpy.types.Scene, rushes_daemon: Path) -> Iterator[ModuleType]:
    """The add-on, registered from the checkout; it finds `rushes` on the path."""
    import rushes_blender

    rushes_blender.register()
    yield rushes_blender
    rushes_blender.unregister()


@pytest.fixture
def pump() -> Callable[..., float]:
    """`pump(until, seconds)` runs Blender's timers until something is true, or fails."""
    return pumping.pump_until


@pytest.fixture
def pixel(tmp_path: Path) -> Callable[..., tuple[int, int, int]]:
    """`pixel(frame, x, y)` is the colour there, from the upper left, as the scene renders it."""

    def of(frame: int, x: int = 160, y: int = 90, scene: bpy.types.Scene | None = None) -> tuple[int, int, int]:
        return pixel_of(scene or bpy.context.scene, frame, x, y, tmp_path)

    return of


def _kept(factory: pytest.TempPathFactory) -> Path:
    folder = factory.getbasetemp() / "clips"
    folder.mkdir(exist_ok=True)
    return folder
