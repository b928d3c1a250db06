"""How a finished take enters the film: chosen and accepted, kept waiting, or only counted."""

from __future__ import annotations

from dataclasses import dataclass

from rushes.engine.orders import Order
from rushes.engine.taking import Made
from rushes.store.shelf import Shelf
from rushes_otio.choosing import choose
from rushes_otio.film import Film
from rushes_otio.schema import Chosen


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A take on its way into the film. `waits`: a person chose another one by hand, so this one only waits."""

    made: Made
    order: Order
    waits: bool

    def apply(self, film: Film, shelf: Shelf) -> None:
        """Enter the take into a film, which may be newer than the one it was made for. A shot that is gone by
        now keeps its take in the folder.
        """
        made = self.made
        shot = film.shots.get(made.shot)
        if shot is None or made.take.startswith("k"):
            return
        following = int(made.take[1:]) + 1
        if following > shot.block.next_take:
            film.patch_shot(made.shot, next_take=following)
        if self.order.kind == "another":
            return
        if self.waits:
            film.patch_shot(made.shot, waiting=made.take)
            return
        chosen = Chosen(made.take, "render", made.motion, made.recipe)
        choose(film, made.shot, chosen, shelf.relative(made.movie), made.frames)
