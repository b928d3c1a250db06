"""The picture stages of one shot as coroutines: they yield requests for a worker and are sent its answers.

Before anything is asked for, the cache is looked at. Sent None, a stage looks again: somebody else made it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from rushes.generators.base import KeyframeRequest, MotionRequest
from rushes.generators.traits import Traits
from rushes.stages import keys
from rushes.store.cache import Entry, StageCache
from rushes.store.takes import StageMark
from rushes.worker import protocol
from rushes.worker.protocol import MOVIE, Done, Work


@dataclass(frozen=True, slots=True)
class Ask:
    """One stage to be run for a model, and its key: of two shots that ask for one key, one waits for the other."""

    key: str
    stage: str
    model: str
    work: Work


Answer = Done | None
Outputs = Generator[Ask, Answer, Entry]
Layout = Sequence[tuple[int, int]]
"""Pieces of motion as (first shot frame, frames), at the generator's rate."""


class Pictures(Protocol):
    """Where pictures of a recipe lie."""

    def holding(self, digest: str) -> Path:
        """The file with this content; ShotFault when it is not at hand."""

    def motion(self, digest: str) -> Generator[Ask, Answer, tuple[Entry, int]]:
        """The stored motion of another shot with this digest, and the shot frame it begins at."""


@dataclass(slots=True)
class Notes:
    """What happened to each stage: kept with the take and shown to people."""

    status: dict[str, str] = field(default_factory=dict)  # stage -> "ran" | "cached"
    seconds: dict[str, float] = field(default_factory=dict)
    marks: dict[str, StageMark] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def note(self, stage: str, entry: Entry, seconds: float | None) -> None:
        """`seconds` is None for an output that was found in the cache."""
        ran = seconds is not None or self.status.get(stage) == "ran"
        self.status[stage] = "ran" if ran else "cached"
        self.seconds[stage] = self.seconds.get(stage, 0.0) + (seconds or 0.0)
        self.marks[stage] = StageMark(entry.key, entry.digest)
        if entry.warning:
            self.warnings.append(entry.warning)


@dataclass(frozen=True, slots=True)
class StageWork:
    """The picture stages of one recipe with one seed."""

    cache: StageCache
    pictures: Pictures
    scratch: Path
    traits: Traits
    recipe: dict[str, Any]
    seed: int
    notes: Notes

    @property
    def fingerprint(self) -> str:
        return str(self.recipe["model"]["fingerprint"])

    def keyframe(self) -> Outputs:
        """The still: drawn, or the picture that stands for it."""
        wanted = self.recipe.get("keyframe", {})
        image = wanted.get("image")
        recipe = {**self.recipe, "prompt": wanted["prompt"]} if "prompt" in wanted else self.recipe
        fields = keys.fields_for(recipe, "keyframe", self.traits)
        key = keys.keyframe_key(self.fingerprint, fields, self.seed, image)

        def work(out: str) -> Work:
            path = str(self.pictures.holding(image)) if image else None
            return protocol.Keyframe(
                generator=self.traits.name, request=KeyframeRequest(fields, self.seed, path), out=out
            )

        return (yield from self._output(key, "keyframe", work))

    def motion(self, layout: Layout) -> Generator[Ask, Answer, list[Entry]]:
        """The stored motion, piece by piece: the first starts from a picture, each further one continues."""
        made: list[Entry] = []
        last = None
        if "last_frame" in self.recipe:
            last = yield from self._edge(self.recipe["last_frame"])
        for position, (_, frames) in enumerate(layout):
            is_last = position == len(layout) - 1
            start, paths = yield from self._start(made[-1] if made else None)
            if last is not None and is_last:
                paths["last_frame"] = str(last)
            made.append((yield from self._piece(frames, start, paths, is_last)))
        return made

    def _start(self, before: Entry | None) -> Generator[Ask, Answer, tuple[keys.Start, dict[str, str]]]:
        """What a piece starts from, as it enters the key, and as a path for the request."""
        if before is not None:
            return {"after": before.digest}, {"after": str(before.path)}
        if "first_frame" in self.recipe:
            edge = self.recipe["first_frame"]
            return {"first_frame": edge}, {"first_frame": str((yield from self._edge(edge)))}
        still = yield from self.keyframe()
        return {"keyframe": still.digest}, {"keyframe": str(still.path)}

    def _piece(self, frames: int, start: keys.Start, paths: dict[str, str], is_last: bool) -> Outputs:
        fields = keys.fields_for(self.recipe, "motion", self.traits)
        rate = str(self.recipe["rate"])
        last = self.recipe.get("last_frame") if is_last else None
        key = keys.motion_key(self.fingerprint, fields, self.seed, rate, frames, start, last)

        def work(out: str) -> Work:
            request = MotionRequest(fields, self.seed, rate, frames, **paths)
            return protocol.Motion(generator=self.traits.name, request=request, out=out)

        return (yield from self._output(key, "motion", work))

    def _edge(self, edge: dict[str, Any]) -> Generator[Ask, Answer, Path]:
        """The picture at an edge, as a PNG: a file, a frame of footage, or a frame of another shot's motion."""
        if "image" in edge:
            return self.pictures.holding(edge["image"])
        frame = int(edge["frame"])
        if "media" in edge:
            source, generator, digest = self.pictures.holding(edge["media"]), MOVIE, edge["media"]
        else:
            entry, begins = yield from self.pictures.motion(edge["motion"])
            source, generator, digest = entry.path, self.traits.name, edge["motion"]
            frame -= begins

        def work(out: str) -> Work:
            return protocol.Picture(generator=generator, motion=str(source), frame=frame, out=out)

        entry = yield from self._output(keys.picture_key(digest, frame), "picture", work)
        return entry.path

    def _output(self, key: str, stage: str, work: Callable[[str], Work]) -> Outputs:
        while True:
            entry = self.cache.get(key)
            if entry is not None:
                self.notes.note(stage, entry, None)
                return entry
            out = self.scratch / f"{stage}-{key}"
            done = yield Ask(key, stage, str(self.recipe["model"]["name"]), work(str(out)))
            if done is not None:
                entry = self.cache.put(key, out, stage)
                self.notes.note(stage, entry, done.seconds)
                return entry
