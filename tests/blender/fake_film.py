"""A film whose daemon is fake_rushes.py, and scenes that are linked to it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy

import pumping
import rushes_blender
from clips import Clips
from rushes_blender import running, scenes
from rushes_blender.edits import holding, pulling
from rushes_blender.strips import compat, marks
from rushes_blender.strips.marks import Window

FAKE = Path(__file__).with_name("fake_rushes.py")
FRAMES = 48
GREYS = (40, 80, 120, 160, 200, 240)
"""What the takes of a shot look like, t001 first."""

QUIET_S = 0.06
"""Without changes, until a sequence is pulled."""

HURRIED: tuple[tuple[Any, str, float], ...] = (
    (pulling.changes, "quiet_s", QUIET_S),
    (holding.pace, "hold_s", 0.1),
    (holding.pace, "focus_s", 0.05),
    (running, "TICK_S", 0.02),
    (running, "ASLEEP_S", 0.02),
)
"""What is waited for, and for how many seconds here."""


@dataclass
class FakeFilm:
    """Its shots, and what was asked about them."""

    folder: Path
    clip: Clips
    shots: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        return os.path.realpath(self.folder / "film.otio")

    @property
    def config(self) -> Path:
        return self.folder / "film.json"

    def make(self, count: int, takes: int = 2) -> None:
        """Shots with takes, a movie of one grey each; and the program `rushes`, in `folder`/bin."""
        self.shots = [f"sh{index:06d}" for index in range(1, count + 1)]
        media = [str(self.clip(f"take{i}", FRAMES, grey)) for i, grey in enumerate(GREYS[:takes])]
        rows = {
            f"t{i:03d}": {"path": path, "frames": FRAMES, "size": [320, 180]} for i, path in enumerate(media, 1)
        }
        shots = {shot: {"take": "t001", "takes": self._own(shot, rows)} for shot in self.shots}
        (self.folder / "film.otio").write_text("{}")
        self.config.write_text(json.dumps({"path": self.path, "shots": shots}))
        program = self.folder / "bin" / "rushes"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{FAKE}" "{self.config}"\n')
        program.chmod(0o755)

    def link(self, scene: bpy.types.Scene, frames: int = 24) -> None:
        """Link the scene, and lay the first take of each shot into it, on three channels: `frames` frames of each,
        from its 5th on."""
        scenes.link(scene, self.path)
        compat.ensure_editor(scene)
        for index, shot in enumerate(self.shots):
            self.lay(scene, index, shot, frames)
        scenes.set_known(scene, [marks.use_of(strip) for strip in compat.strips_all(scene)])
        running.refollow()
        while len(self.state.showings) < len(self.shots):  # the timer sleeps while nothing is linked
            running.session().poll(0.005)

    def lay(self, scene: bpy.types.Scene, index: int, shot: str, frames: int) -> None:
        path = str(self.take(shot, "t001"))
        new_movie = compat.strips(scene.sequence_editor).new_movie
        strip = new_movie(shot, path, 1 + index % 3, 1 + 100 * index, fit_method="FIT")
        marks.mark(strip, f"ns{index + 1:06d}", shot)
        marks.set_window(strip, Window(320, 180, 0, FRAMES))
        compat.put(strip, compat.HEAD, 5)
        compat.put(strip, compat.RIGHT, compat.get(strip, compat.LEFT) + frames)

    def take(self, shot: str, take: str) -> Path:
        """The file of a take."""
        return self.folder / f"SC010_{shot}__{shot}_{take}.mov"

    @property
    def state(self) -> Any:
        """What the add-on knows of it."""
        return running.session().film(self.path)

    def ask(self, **body: Any) -> dict[str, Any]:
        """What the daemon answers."""
        answers: list[Any] = []
        running.session().ask({"film": self.path, **body}, lambda *answer: answers.append(answer))
        pumping.pump_until(lambda: answers)
        result, error = answers[0]
        assert error is None, error
        return dict(result)

    def asked(self, kind: str) -> list[dict[str, Any]]:
        """The commands of a kind, in the order in which they came."""
        lines = self.config.with_name("film.json.asked").read_text().splitlines()
        return [body for body in map(json.loads, lines) if body["type"] == kind]

    def _own(self, shot: str, rows: dict[str, Any]) -> dict[str, Any]:
        """Each shot has files of its own."""
        for name, row in rows.items():
            self.take(shot, name).symlink_to(row["path"])
        return {name: {**row, "path": str(self.take(shot, name))} for name, row in rows.items()}


@contextmanager
def faked(folder: Path, clip: Clips, count: int, takes: int = 2) -> Iterator[FakeFilm]:
    """The add-on, switched on and in a hurry, and a film about which only the fake knows."""
    film = FakeFilm(folder, clip)
    film.make(count, takes)
    before = os.environ["PATH"]
    os.environ["PATH"] = f"{film.folder / 'bin'}{os.pathsep}{before}"
    paces = [(owner, name, getattr(owner, name)) for owner, name, _ in HURRIED]
    for owner, name, seconds in HURRIED:
        setattr(owner, name, seconds)
    try:
        rushes_blender.register()
        pumping.pump_until(lambda: running.ticks.count)
        yield film
    finally:
        rushes_blender.unregister()
        for owner, name, seconds in paces:
            setattr(owner, name, seconds)
        os.environ["PATH"] = before


def shown(scene: bpy.types.Scene) -> dict[str, str]:
    """The take that each strip shows, by the strip's name."""
    return {strip.name: Path(strip.filepath).stem[-4:] for strip in movies(scene)}


def lying(scene: bpy.types.Scene) -> dict[str, tuple[int, ...]]:
    """Where each strip lies, and what of its medium it shows, by name."""
    times = (compat.LEFT, compat.RIGHT, compat.HEAD)
    return {strip.name: (strip.channel, *(compat.get(strip, each) for each in times)) for strip in movies(scene)}


def movies(scene: bpy.types.Scene) -> list[bpy.types.Strip]:
    return [strip for strip in compat.strips_all(scene) if strip.type == "MOVIE"]


def push(label: str) -> None:
    """A step of undo, as every operator of Blender's makes one at its end."""
    bpy.context.view_layer.update()
    bpy.ops.ed.undo_push(message=label)


def first_scene() -> bpy.types.Scene:
    """Found again: after an undo every reference is dead."""
    return bpy.data.scenes[0]
