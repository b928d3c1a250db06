"""What a person sees and does in the sequencer, for tests."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import bpy

from filming import FilmOnDisk


class Editor:
    """What a person sees and does in the sequencer."""

    @property
    def scene(self) -> bpy.types.Scene:
        return bpy.context.scene  # every undo makes another one

    @property
    def strips(self) -> list[Any]:
        """By time and channel."""
        from rushes_blender.strips import compat

        found = compat.strips_all(self.scene)
        return sorted(found, key=lambda strip: (compat.get(strip, compat.LEFT), strip.channel))

    def strip(self, name: str) -> Any:
        return next(strip for strip in self.strips if strip.name == name)

    def select(self, *names: str) -> None:
        """Select these alone; the last one is active."""
        for strip in self.strips:
            strip.select = strip.name in names
        self.scene.sequence_editor.active_strip = self.strip(names[-1])

    def colour(self, name: str, left: int, right: int, channel: int = 1) -> Any:
        return self._effect("COLOR", name, left, right, channel)

    def text(self, said: str, left: int, right: int, channel: int = 2) -> Any:
        strip = self._effect("TEXT", "Text", left, right, channel)
        strip.text = said
        return strip

    def _effect(self, kind: str, name: str, left: int, right: int, channel: int) -> Any:
        from rushes_blender.strips import compat

        return compat.new_effect(self.scene.sequence_editor, name, kind, channel, left, right)

    def place(self, strip: Any) -> tuple[int, ...]:
        from rushes_blender.strips import compat

        return (*(compat.get(strip, each) for each in (compat.LEFT, compat.RIGHT, compat.HEAD)), strip.channel)

    def shown(self) -> list[str]:
        """The names of the files that movie strips show."""
        return [Path(bpy.path.abspath(strip.filepath)).name for strip in self.strips if strip.type == "MOVIE"]

    def follows(self) -> Any:
        """What is known of the scene's film."""
        from rushes_blender.operators import meaning

        return meaning.film_of(self.scene)

    def ask(self, kind: str, shot: str) -> Any:
        """What the daemon answers: about a shot of the scene's film."""
        from rushes_blender import running

        answers: list[Any] = []
        body = {"type": kind, "film": self.follows().path, "shot": shot}
        running.session().ask(body, lambda result, error: answers.append((result, error)))
        ends = time.monotonic() + 20
        while not answers and time.monotonic() < ends:
            running.session().poll(0.05)
        assert answers and answers[0][1] is None, answers
        return answers[0][0]

    def own(self, shot: str) -> Any:
        """What is asked of the shot itself."""
        return self.ask("show", shot)["own"]

    def takes(self, shot: str) -> list[tuple[str, bool]]:
        """The names of its takes, and whether they are chosen."""
        return [(row["take"], row["chosen"]) for row in self.ask("takes", shot)["takes"]]

    def link(self, film: FilmOnDisk) -> None:
        """Linked, and all its shots brought in."""
        assert bpy.ops.rushes.link_film(filepath=str(film.path)) == {"FINISHED"}
        assert self.follows().is_known
        assert bpy.ops.rushes.push() == {"FINISHED"}
