"""Rows about Blender: pulls, and what the add-on costs in each Blender that is here.

Blenders are those of `make test-blender`, .blender/VERSION, or the Pythons with bpy that RUSHES_BPY names, with a
colon between them.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import imageio_ffmpeg

from benchmarks import pulls
from benchmarks.measure import Row
from rushes import starting
from rushes.client import Client
from rushes.connection import default_path
from rushes.engine.changing import add_to_film, set_intent
from rushes.engine.newfilm import create_film
from rushes.engine.studio import Desk, Studio
from rushes.messages import commands, events
from rushes_otio.setting import Level

ROOT = Path(__file__).parents[1]
STRIPS = 500
TURNS = 20
POLL_MS, MORE_MS = 100, 50
LIMIT_S = 240

ROWS = {
    "snapshot": "snapshot of 500 strips",
    "snapshot and digest": "the same, and whether it is news",
    "takes held": "looking which takes are used",
    "idle tick": "a tick of the timer, idle, median",
    "worst idle tick": "the worst of 5 s",
    "worst tick of a pull": "worst tick when a strip was moved and is pulled",
    "swap of one": "swap of 50 strips, for each",
    "against Blender": "the same, against Blender's own change of the file",
    "worst tick of swaps": "worst tick of these",
    "ticks of swaps": "ticks that they were spread over",
    "worst tick of 300 events": "worst tick of 300 events",
    "undo handler": "handler of undo, nothing to put right",
    "undo handler, 50 to put right": "the same with 50 takes to put right",
    "and the rest of them": "and from then until all were right",
}
"""What benchmarks/inblender.py found, as rows."""

UNITS = {"ticks of swaps": "", "against Blender": "x"}
"""Of those that are no milliseconds."""


def rows(folder: Path, shots: int, rounds: int) -> list[Row]:
    folder = folder / "blender"
    folder.mkdir()
    found = pulls.rows(folder / "pulls", shots, rounds)
    pythons = _pythons()
    if not pythons:
        print("no Blender is measured: `make test-blender` makes some, or name Pythons with bpy in RUSHES_BPY")
    for number, python in enumerate(pythons):
        found += _of_blender(folder / str(number), python)
    return found


def _pythons() -> list[Path]:
    named = os.environ.get("RUSHES_BPY", "")
    found = map(Path, named.split(":")) if named else sorted((ROOT / ".blender").glob("*/bin/python"))
    return [python for python in found if python.exists()]


def _of_blender(folder: Path, python: Path) -> list[Row]:
    folder.mkdir()
    with _running(folder / "cost", python, "cost") as process:
        found = _found(process, folder / "cost")
    took = _waits(folder / "wait", python)
    version = found.pop("version")
    said = f"Blender {version}"
    measured = [
        Row(text, STRIPS, found[name], unit=UNITS.get(name, "ms"), detail=said) for name, text in ROWS.items()
    ]
    return [
        *measured,
        Row("take ready to swapped, median", STRIPS, statistics.median(took), unit="ms", detail=said),
        Row("take ready to swapped, the longest", STRIPS, max(took), POLL_MS + MORE_MS, "ms", detail=said),
    ]


@contextmanager
def _running(folder: Path, python: Path, act: str) -> Iterator[subprocess.Popen[bytes]]:
    """inblender.py, in a Blender of its own."""
    folder.mkdir(exist_ok=True)
    environment = {
        **os.environ,
        "BLENDER_USER_RESOURCES": str(folder / "user"),
        "PYTHONPATH": os.pathsep.join(str(ROOT / name) for name in ("blender_addon", "tests/blender")),
        "PATH": f"{_program(folder).parent}{os.pathsep}{os.environ['PATH']}",
        "RUSHES_FFMPEG": imageio_ffmpeg.get_ffmpeg_exe(),
    }
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            [python, Path(__file__).with_name("inblender.py"), act, folder],
            env=environment,
            stdout=said,
            stderr=said,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _found(process: subprocess.Popen[bytes], folder: Path) -> dict[str, Any]:
    if process.wait(LIMIT_S):
        raise RuntimeError((folder / "said").read_text(errors="replace")[-2000:])
    found: dict[str, Any] = json.loads((folder / "found.json").read_text())
    return found


def _program(folder: Path) -> Path:
    """`rushes`, as the add-on finds it."""
    path = folder / "program" / "rushes"
    path.parent.mkdir(exist_ok=True)
    packages = os.pathsep.join(str(ROOT / name) for name in ("otio_adapters", "daemon"))
    path.write_text(f'#!/bin/sh\nPYTHONPATH={packages} exec "{sys.executable}" -m rushes.cli.main "$@"\n')
    path.chmod(0o755)
    return path


def _waits(folder: Path, python: Path) -> list[float]:
    """Milliseconds from when a client hears of a take until a strip shows it, for takes one after the other."""
    folder.mkdir()
    path = str(_small(folder).places.film)
    with starting.linked(default_path(), "benchmark") as client, _running(folder, python, "wait") as process:
        client.follow(path)
        client.ask(commands.Render(film=path))
        while not (folder / "begun").exists():
            client.poll(0.1)
            assert process.poll() is None, (folder / "said").read_text(errors="replace")[-2000:]
        ready = dict(_shot(client, path, turn) for turn in range(TURNS))
        time.sleep(1.0)
        (folder / "end").touch()
        shown = _found(process, folder)
    starting.stop(default_path())
    return [(shown[name] - at) * 1000 for name, at in ready.items()]


def _small(folder: Path) -> Desk:
    """A film of four shots that are made in no time."""
    path = folder / "film.otio"
    create_film(path, None, "24/1")
    desk = Studio.of_user().desk(path)
    set_intent(desk, lambda _: [Level("film")], ["delivery.size=64x64", "delivery.handles=4"])
    for number in range(4):
        add_to_film(desk, "SC010", "", 24, [f"prompt=wave {number}"])
    return desk


def _shot(client: Client, path: str, turn: int) -> tuple[str, float]:
    """The file of the next take, and the moment in which it was said to be ready: any one of a poll's."""
    time.sleep(random.Random(turn).uniform(0.3, 0.5))
    shots = client.ask(commands.Status(film=path))["shots"]
    shot = shots[turn % len(shots)]["shot"]
    client.ask(commands.Set(film=path, shots=[shot], assignments=[f"prompt=again {turn}"]))
    client.ask(commands.Render(film=path, shots=[shot]))
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for told in client.poll(1.0):
            if isinstance(told.body, events.Ready) and told.body.shot == shot:
                return Path(told.body.path).name, time.time()
    raise TimeoutError("no take became ready")
