"""What happens to a film's jobs, as events for whoever follows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from rushes.engine.backlog import Waiting
from rushes.engine.recipe import size_of
from rushes.engine.taking import Made
from rushes.messages import events
from rushes.messages.answers import JobRow
from rushes.messages.faults import error_of
from rushes.worker import protocol
from rushes_otio.errors import RushesError
from rushes_otio.film import Film

How = Literal["skipped", "cancelled", "fresh"]
Tell = Callable[[events.FilmEvents], None]


class Telling:
    """Tells of one film, by the key that it is known by."""

    def __init__(self, film: str, tell: Tell) -> None:
        self._film = film
        self._tell = tell

    def queued(self, jobs: list[JobRow], picked_up: int, seconds_left: float | None) -> None:
        self._tell(events.Queued(film=self._film, jobs=jobs, picked_up=picked_up, seconds_left=seconds_left))

    def progress(self, of: Waiting, said: protocol.Progress, seconds_left: float | None) -> None:
        job = self._job(of)
        stage = "encode" if said.stage == "film" else said.stage  # what a worker calls the pass is its own affair
        done, total = said.done, said.total
        self._tell(events.Progress(**job, stage=stage, done=done, total=total, seconds_left=seconds_left))

    def preview(self, of: Waiting, jpeg: bytes) -> None:
        self._tell(events.Preview(**self._job(of), jpeg=jpeg))

    def ready(self, of: Waiting, made: Made, film: Film) -> None:
        """`film` is on disk and names the take."""
        shot = film.shots.get(made.shot)
        chosen = shot.block.chosen if shot else None
        self._tell(
            events.Ready(
                **self._job(of),
                take=made.take,
                path=str(made.movie),
                frames=made.frames,
                rate=str(film.rate),
                size=size_of(made.recipe),
                timecode=film.rate.timecode(film.rate.shot_zero),
                chosen=chosen is not None and chosen.take == made.take,
                waiting=shot is not None and shot.block.waiting == made.take,
                uses=[item.use or "" for item in shot.items] if shot else [],
                stages=made.stages,
                seconds=made.seconds,
            )
        )

    def failed(self, of: Waiting, error: RushesError) -> None:
        self._tell(events.Failed(**self._job(of), error=error_of(error)))

    def dropped(self, of: Waiting, how: How, because: str) -> None:
        self._tell(events.Dropped(**self._job(of), how=how, because=because))

    def warned(self, text: str) -> None:
        self._tell(events.Warned(film=self._film, text=text))

    def _job(self, of: Waiting) -> dict[str, Any]:
        return {"film": self._film, "job": of.job.id, "shot": of.job.shot, "name": of.name}
