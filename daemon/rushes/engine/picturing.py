"""The picture stages of one recipe with one seed: its still, its motion piece by piece, and the pictures that it
takes from elsewhere.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rushes.engine.crew import Crew
from rushes.engine.lengths import Layout, Span
from rushes.engine.makers import Prepared
from rushes.engine.recipe import size_of
from rushes.engine.stagework import Answer, Ask, Outputs, Pictures, Stages
from rushes.generators.base import KeyframeRequest, MotionRequest
from rushes.stages import keys
from rushes.store.cache import Entry
from rushes.worker import protocol
from rushes.worker.plates import Layer, Plate
from rushes.worker.protocol import MOVIE, Work
from rushes_otio.errors import ShotFault

_FRAMED_WIDTH = 1920
"""Pixels. A plate is framed at this width before it is brought to a model's size."""


@dataclass(frozen=True, slots=True)
class _Start:
    """What a piece starts from: as it enters the key, and as paths in the request."""

    key: keys.Start
    paths: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Picturing:
    """`needed` is how many frames of a plate there must be."""

    stages: Stages
    pictures: Pictures
    crew: Crew
    seed: int
    needed: int

    @property
    def recipe(self) -> dict[str, Any]:
        return self.crew.recipe

    def keyframe(self) -> Outputs:
        """The still: made, or the picture that stands for it."""
        image = (self.recipe.get("keyframe") or {}).get("image")
        drawer = self.crew.drawer
        if drawer is None:
            raise ShotFault(
                "its model starts from words alone and draws no still",
                remedy="register an image model: rushes models add; or give it a picture: keyframe=PATH",
            )
        ready = drawer.given() if image else (yield from drawer.prepared("keyframe", self.stages))
        key = keys.keyframe_key(ready.key, self.seed, image)

        def work(out: str) -> Work:
            path = str(self.pictures.holding(image)) if image else None
            request = KeyframeRequest(ready.fields, self.seed, path, ready.run)
            return protocol.Keyframe(generator=drawer.generator, request=request, out=out)

        return (yield from self.stages.output(key, "keyframe", drawer.name, work))

    def motion(self, layout: Layout, kept: Sequence[Entry] = ()) -> Generator[Ask, Answer, list[Entry]]:
        """The stored motion, piece by piece: the first starts from a picture, words or a plate, each further one
        goes on from the one before. Those that are `kept` are the first of the layout."""
        made = list(kept)
        if len(made) == len(layout):
            return made
        last = None
        if "last_frame" in self.recipe:
            last = yield from self._edge(self.recipe["last_frame"])
        start = _Start({}) if made else (yield from self._start())
        ready = yield from self.crew.mover.prepared("motion", self.stages)
        for span in layout[len(made) :]:
            if made:
                start = _Start({"after": made[-1].digest}, {"after": str(made[-1].path)})
            made.append((yield from self._piece(span, start, last if span.ends else None, ready)))
        return made

    def _start(self) -> Generator[Ask, Answer, _Start]:
        if "plate" in self.recipe:
            return _Start({})
        if "first_frame" in self.recipe:
            edge = self.recipe["first_frame"]
            return _Start({"first_frame": edge}, {"first_frame": str((yield from self._edge(edge)))})
        if self.crew.drawer is None:
            return _Start({})
        still = yield from self.keyframe()
        return _Start({"keyframe": still.digest}, {"keyframe": str(still.path)})

    def _piece(self, span: Span, start: _Start, last: Path | None, ready: Prepared) -> Outputs:
        begins, frames, overlap, _ = span
        more: dict[str, Any] = {"overlap": overlap} if overlap else {}
        paths = dict(start.paths)
        if last is not None:
            more["last_frame"], paths["last_frame"] = self.recipe["last_frame"], str(last)
        strength = None
        if "plate" in self.recipe:
            over: dict[str, Any] = {
                name: self.recipe[name] for name in ("plate", "mask", "fit") if name in self.recipe
            }
            strength = self.recipe.get("strength")
            more |= {**over, "strength": strength, "framing": list(self._framing), "from": begins - overlap}
        key = keys.motion_key(ready.key, self.seed, self.crew.rate, frames, start.key, more)

        def work(out: str) -> Work:
            request = MotionRequest(
                ready.fields,
                self.seed,
                self.crew.rate,
                frames,
                overlap=overlap,
                strength=strength,
                run=ready.run,
                **paths,
            )
            plate = self.plate(self._framing, begins - overlap)
            return protocol.Motion(generator=self.crew.mover.generator, request=request, plate=plate, out=out)

        return (yield from self.stages.output(key, "motion", self.crew.mover.name, work))

    # -- pictures from elsewhere -----------------------------------------------------------------------------

    def plate(self, size: tuple[int, int], frame: int = 0) -> Plate | None:
        """The footage under the shot from its frame `frame` on, framed as `size`, with its mask."""
        if "plate" not in self.recipe:
            return None
        mask = self._layer(self.recipe["mask"]) if "mask" in self.recipe else None
        return Plate(self._layer(self.recipe["plate"]), size, self.recipe["fit"], mask, frame, self.needed)

    @property
    def _framing(self) -> tuple[int, int]:
        """How the delivery frames a plate for the model: by its shape alone, so that a delivery of another size
        makes nothing anew."""
        width, height = size_of(self.recipe)
        return _FRAMED_WIDTH, max(2, round(_FRAMED_WIDTH * height / width))

    def _layer(self, edge: dict[str, Any]) -> Layer:
        """The movie, or picture, behind a field."""
        if "motion" in edge:
            return Layer(str(self.pictures.movie(edge["motion"])), int(edge["frame"]))
        return Layer(str(self.pictures.holding(edge.get("media") or edge["image"])), int(edge.get("frame", 0)))

    def _edge(self, edge: dict[str, Any]) -> Generator[Ask, Answer, Path]:
        """The picture at an edge, as a PNG: a file, a frame of footage, or a frame of another shot's motion."""
        if "image" in edge:
            return self.pictures.holding(edge["image"])
        frame = int(edge["frame"])
        if "media" in edge:
            source, generator, model, card = self.pictures.holding(edge["media"]), MOVIE, MOVIE, None
            key = keys.picture_key(edge["media"], frame)
        else:
            stored = yield from self.pictures.motion(edge["motion"])
            source, generator, model, card = stored.entry.path, stored.generator, stored.model, stored.card
            frame -= stored.begins
            key = keys.picture_key(edge["motion"], frame)

        def work(out: str) -> Work:
            return protocol.Picture(generator=generator, motion=str(source), frame=frame, card=card, out=out)

        entry = yield from self.stages.output(key, "picture", model, work)
        return entry.path
