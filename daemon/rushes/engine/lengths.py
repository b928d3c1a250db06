"""Frames of a shot, counted at the film's rate and at its model's, and how a model makes them piece by piece.

Frame i at rate r is the picture of the moment i/r. A take shows every moment up to its last native frame and none
beyond it, so no picture has to stand still at its end: n native frames at r1 make floor((n - 1) * r2 / r1) + 1
frames at r2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from rushes.generators.models import Model
from rushes_otio.errors import ShotFault


class Span(NamedTuple):
    """A piece of motion, counted at the generator's rate: its first frame, how many new ones it has, how many of
    the piece before it goes over once more, and whether a take ended with it when it was made."""

    begins: int
    frames: int
    overlap: int = 0
    ends: bool = True


Layout = Sequence[Span]


def native_frame(frame: int, film: str, native: str) -> int:
    """The native frame that a shot starts from which continues at a film's frame: the first that is not earlier,
    so that no picture is seen twice."""
    return -(-(frame * Fraction(native)) // Fraction(film))


@dataclass(frozen=True, slots=True)
class Lengths:
    """`film` and `native` are rates ("24/1"); `model` is None for a generator that makes any number of frames."""

    film: str
    native: str
    model: Model | None = None

    def native_for(self, frames: int) -> int:
        """The fewest native frames that a take of `frames` can be made of."""
        return native_frame(frames - 1, self.film, self.native) + 1

    def film_for(self, natives: int) -> int:
        """How long a take of so many native frames is."""
        return int((natives - 1) * Fraction(self.film) // Fraction(self.native)) + 1

    def layout(self, frames: int, kept: Layout = ()) -> Layout:
        """The pieces of a take of at least `frames`; the pieces in `kept` are there already. ShotFault for what
        is longer than a model can make that goes on from nothing."""
        pieces, needed = list(kept), self.native_for(frames)
        have = sum(piece.frames for piece in pieces)
        while have < needed:
            pieces.append(self._next(have, needed - have, pieces[-1] if pieces else None))
            have += pieces[-1].frames
        return pieces

    def _next(self, begins: int, missing: int, before: Span | None) -> Span:
        """The next piece: what is missing, by the model's frame rule, and at most what it can."""
        if self.model is None:
            return Span(begins, missing)
        rule = self.model.rule
        most = (self.model.max_frames - 1) // rule * rule + 1
        overlap = 0
        if before is not None:
            if not 0 < self.model.overlap < most:
                raise ShotFault(
                    f"the model makes at most {most} frames at once and does not go on from them",
                    remedy="shorten the shot, use another model, or register an overlap for this one",
                )
            # A take may have ended with a few frames: of those, as many as the rule allows.
            overlap = min(self.model.overlap, (before.frames - 1) // rule * rule + 1)
        frames = min(self.model.fitting(missing + overlap), most) - overlap
        return Span(begins, frames, overlap, ends=frames >= missing)
