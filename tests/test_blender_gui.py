"""The add-on in a Blender with a real window, on a screen of its own, with the real daemon: the timer runs, strips
are swapped, and what the window shows follows by itself.

Debian's Blender, 3.4, is too old to be supported; its event loop, windows and drawing are what is tried here.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import daemons
from rendering import rendered, shoot
from source_tree import ROOT

PROGRAMS = ("blender", "Xvfb")
LIMIT_S = 60
AMBER, GREEN = (255, 178, 41), (92, 199, 107)
"""Of a band that says stale, and of one that says fresh, before it is laid over a strip."""

Pixels = NDArray[np.int16]


@pytest.fixture
def screen() -> Iterator[str]:
    """The name of a screen that nobody sees."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {' '.join(missing)} (apt-get install blender xvfb libgl1-mesa-dri)")
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp", "+extension", "GLX"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    with server:
        assert server.stdout is not None
        yield f":{server.stdout.readline().strip()}"
        server.terminate()


@pytest.fixture
def seen(screen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What happened in the window; pictures of it are in "out"."""
    film = shoot(tmp_path, {"prompt": "a red door"}, {"prompt": "the sea"}, frames=48)
    film.set("delivery.size=320x180", "delivery.codec=h264")
    assert rendered(film.render()) == ["SH010", "SH020"]
    monkeypatch.delenv("RUSHES_NO_DAEMON")
    wanted = {
        "addon": str(ROOT / "blender_addon"),
        "film": str(film.path),
        "prompt": "a green field under a white sky",
        "out": str(tmp_path),
    }
    (tmp_path / "wanted.json").write_text(json.dumps(wanted))
    try:
        yield run(tmp_path, screen) | {"out": tmp_path}
    finally:
        daemons.stop()


def run(folder: Path, screen: str) -> dict[str, Any]:
    """The story of in_window.py, told by a Blender that knows nothing of the user."""
    script = ROOT / "tests" / "blender" / "in_window.py"
    window = ["--factory-startup", "--window-geometry", "0", "0", "1280", "800"]
    words = ["blender", *window, "--python", str(script), "--", str(folder / "wanted.json")]
    own = {f"BLENDER_USER_{name}": str(folder / "blender" / name.lower()) for name in ("CONFIG", "SCRIPTS")}
    path = os.pathsep.join([str(program(folder).parent), os.environ["PATH"]])
    env = {**os.environ, **own, "PATH": path, "DISPLAY": screen, "LIBGL_ALWAYS_SOFTWARE": "1"}
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=LIMIT_S)
    answer = folder / "result.json"
    assert answer.exists(), done.stdout[-2000:] + done.stderr[-2000:]
    found: dict[str, Any] = json.loads(answer.read_text())
    assert "error" not in found, found["error"]
    return found | {"said": done.stdout + done.stderr}


def program(folder: Path) -> Path:
    """The program `rushes`, which runs from this checkout."""
    path = folder / "bin" / "rushes"
    path.parent.mkdir()
    packages = os.pathsep.join(str(ROOT / name) for name in ("otio_adapters", "daemon"))
    path.write_text(f'#!/bin/sh\nPYTHONPATH={packages} exec "{sys.executable}" -m rushes.cli.main "$@"\n')
    path.chmod(0o755)
    return path


@pytest.mark.slow
def test_the_window_follows_a_shot_that_is_told_differently(seen: dict[str, Any]) -> None:
    before, after = seen["before"], seen["after"]
    assert [row["times"] for row in before] == [[1, 49, 0], [49, 97, 0]] == [row["times"] for row in after]
    assert [Path(row["path"]).stem[-4:] for row in before + after] == ["t001", "t001", "t002", "t001"]
    assert seen["swapped_s"] < 1.0  # a tick is 0.1 s; here eight renderers share the machine
    assert seen["notes"] == []
    assert "Traceback" not in seen["said"]
    assert seen["ticks"] > 20
    assert seen["panels"] > 5
    assert seen["draws while it renders"] >= 2

    fresh, stale, rendering, swapped = (
        pixels(seen["out"] / f"{name}.png") for name in ("fresh", "stale", "rendering", "swapped")
    )
    assert has(fresh, GREEN) and not has(fresh, AMBER)
    assert has(stale, GREEN) and has(stale, AMBER)
    assert not has(rendering, AMBER)
    assert has(swapped, GREEN) and not has(swapped, AMBER)
    left, top, right, bottom = seen["preview"]
    shown = [picture[top:bottom, left:right] for picture in (fresh, stale, swapped)]
    assert np.abs(shown[0] - shown[1]).mean() < 0.5
    assert np.abs(shown[1] - shown[2]).mean() > 3.0


def pixels(path: Path) -> Pixels:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"), dtype=np.int16)


def has(picture: Pixels, colour: tuple[int, int, int]) -> bool:
    """Whether a band of the colour is there: a band is laid over a strip, so nearly."""
    return int((np.abs(picture - np.array(colour)).max(axis=2) < 24).sum()) > 100
