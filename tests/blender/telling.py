"""A film about which the daemon says what a test tells it to, and the strips of its shots."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

import pumping

TOLD = Path(__file__).with_name("told_rushes.py")
SHOTS = ("aaaaaaaa", "bbbbbbbb", "cccccccc")
SHOWN = {
    "own": {"prompt": "@ida under the lamp", "camera": "static"},
    "inherits": {
        "prompt": [
            {"level": "scene", "name": "SC010", "value": "dusk"},
            {"level": "character", "name": "ida", "value": "a girl"},
        ],
        "model": [{"level": "film", "name": "", "value": "draft"}],
    },
    "seed": "4711",
}


@dataclass
class Told:
    """A film of three shots, each on a strip of the scene, about which the daemon says what it is told to."""

    scene: bpy.types.Scene
    path: str
    answers: Path

    @property
    def film(self) -> Any:
        from rushes_blender import running

        return running.session().film(self.path)

    def tell(self, **answers: Any) -> None:
        known = json.loads(self.answers.read_text()) if self.answers.exists() else {}
        self.answers.write_text(json.dumps(known | answers))

    def say(self, **body: Any) -> None:
        """An event."""
        self.film.hear({"film": self.path, **body})

    def asked(self, kind: str) -> list[dict[str, Any]]:
        file = self.answers.with_name("answers.json.asked")
        bodies = map(json.loads, file.read_text().splitlines()) if file.exists() else ()
        return [body for body in bodies if body["type"] == kind]

    def select(self, *shots: str) -> None:
        """Select the strips of these, the first active, and wait until the shot is read."""
        from rushes_blender.panel import subject
        from rushes_blender.strips import compat, marks

        scene = bpy.context.scene
        for strip in compat.strips_all(scene):
            strip.select = marks.shot_of(strip) in shots
            if marks.shot_of(strip) == shots[0]:
                scene.sequence_editor.active_strip = strip
        pumping.pump_until(lambda: all(subject.details.of(self.path, shot) for shot in shots))

    def wait(self, kind: str, count: int) -> list[dict[str, Any]]:
        pumping.pump_until(lambda: len(self.asked(kind)) >= count)
        return self.asked(kind)


def row(shot: str, **more: Any) -> dict[str, Any]:
    """A row of `status`."""
    known = {
        "shot": shot,
        "name": f"SC010_{shot[:2]}",
        "scene": "s",
        "state": "fresh",
        "take": "t002",
        "uses": ["u"],
    }
    return known | {"locked": False, "waiting": None, "reasons": []} | more


def strips(scene: bpy.types.Scene) -> None:
    """A strip for each shot, and one of none; nothing is selected."""
    from rushes_blender.strips import compat, marks

    editor = compat.ensure_editor(scene)
    for index, shot in enumerate((*SHOTS, "")):
        strip = compat.new_effect(editor, f"strip{index}", "COLOR", 1, 1 + index * 24, 25 + index * 24)
        marks.mark(strip, f"use0000{index}" if shot else "", shot)
        strip.select = False
    editor.active_strip = None


def told_film(scene: bpy.types.Scene, folder: Path) -> Told:
    """A film of the three shots, with the program `rushes` that is told about it in `folder`/bin."""
    program, film = folder / "bin" / "rushes", folder / "harbour.otio"
    told = Told(scene, os.path.realpath(film), folder / "answers.json")
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{TOLD}" "{told.answers}"\n')
    program.chmod(0o755)
    film.write_text("{}")
    scenes = [{"scene": "s", "code": "SC010", "name": "Harbour"}]
    status = {"scenes": scenes, "shots": [row(shot) for shot in SHOTS], "counts": {"fresh": 3}}
    entries = [{"kind": "character", "name": "ida", "description": "a girl"}]
    told.tell(
        snapshot={"type": "state", "film": told.path, "seq": 0, "status": status},
        show=SHOWN,
        takes={"takes": [{"take": "t001"}, {"take": "t002"}, {"take": "t003"}]},
        library={"entries": entries, "models": [], "cameras": []},
    )
    return told


def link(told: Told) -> None:
    """Link the scene, and wait until all is known."""
    from rushes_blender import running, scenes

    strips(told.scene)
    scenes.link(told.scene, told.path)
    running.refollow()
    while not (told.film.is_known and told.film.library):
        running.session().poll(0.01)  # the timer sleeps for half a second while there is no link
