"""Films on disk for tests, rendered for real and small: 64x64 pixels, a few frames, the worker in this process."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rushes.engine.changing import set_intent, shot_levels
from rushes.engine.choosing import Decisions, decide
from rushes.engine.outcome import Outcome
from rushes.engine.rendering import render_film
from rushes.engine.studio import Desk, Studio
from rushes.engine.wishes import Wishes
from rushes.media.probe import probe
from rushes.messages.events import FilmEvents
from rushes.store import films
from rushes.store.places import Places
from rushes.store.takes import read_record, scan
from rushes.worker.inline import InlineWorkers
from rushes.worker.loading import BUILT_IN, Generators
from rushes_otio import rawjson
from rushes_otio.adding import add_scene, add_shot
from rushes_otio.build import new_film, time_range
from rushes_otio.film import Film
from rushes_otio.schema import Chosen, ShotBlock
from rushes_otio.setting import Level
from rushes_otio.timing import Rate

SMALL = "delivery.size=64x64"
HANDLES = 4


def nobody(event: FilmEvents) -> None:
    """Who is told nothing."""


@dataclass
class Shoot:
    """A film in the making, driven as the commands drive it."""

    path: Path
    studio: Studio = field(default_factory=Studio.of_user)

    @property
    def desk(self) -> Desk:
        return self.studio.desk(self.path)

    @property
    def film(self) -> Film:
        return self.desk.read()

    def set(self, *assignments: str, shot: str = "", level: Level | None = None) -> None:
        """On a shot, another level, or the film."""

        def targets(film: Film) -> list[Level]:
            return shot_levels(film, [shot]) if shot else [level or Level("film")]

        set_intent(self.desk, targets, list(assignments))

    def render(self, *shots: str, another: int = 0) -> Outcome:
        ids = tuple(self.block(name).shot for name in shots)
        return render_film(self.desk, Wishes(ids, another), nobody, InlineWorkers(Generators(BUILT_IN)))

    def decide(self, shot: str, **decisions: Any) -> None:
        decide(self.desk, shot, Decisions(**decisions))

    def block(self, name: str) -> ShotBlock:
        return next(s.block for s in self.film.shots.values() if s.block.name.endswith(name))

    def chosen(self, name: str) -> Chosen:
        chosen = self.block(name).chosen
        assert chosen is not None
        return chosen

    def movie(self, name: str, take: str = "") -> Path:
        block = self.block(name)
        return self.desk.shelf().find(block, take or self.chosen(name).take).movie

    def states(self) -> dict[str, str]:
        return {s.block.name[-5:]: s.state for s in self.desk.plan(self.film).shots.values()}

    def length(self, name: str, frames: int) -> None:
        """Trim or extend the shot's first use at its tail, as an editor would."""
        with self.desk.changing() as film:
            shot = next(s for s in film.shots.values() if s.block.name.endswith(name))
            track, index = shot.uses[0]
            source = track.items[index].source
            assert source is not None
            shown = rawjson.encode(time_range(round(source.start_time.value), frames, film.rate))
            film.replace(track, index, rawjson.patch(track.items[index].raw, {"source_range": shown}, "test"))


def rendered(outcome: Outcome) -> list[str]:
    """The last parts of the names of the shots that got a take, sorted."""
    assert not outcome.failed, outcome.failed
    return sorted(row.name[-5:] for row in outcome.rendered)


def shoot(folder: Path, *intents: dict[str, object], frames: int = 6, **characters: str) -> Shoot:
    """A film of one scene with a shot for each intent: SH010, SH020 …"""
    path = folder / "film.otio"
    film = new_film("film", Rate(24, 1), str(path))
    film.patch_block(
        intent={"delivery": {"size": "64x64", "handles": HANDLES}},
        library={
            "characters": {n: {"description": d} for n, d in characters.items()},
            "styles": {},
            "locations": {},
        },
    )
    scene = add_scene(film, "BEACH")
    for intent in intents:
        add_shot(film, scene, frames, dict(intent))
    films.create(Places.of_user(), path, film)
    return Shoot(path)


def check_nothing_half_made(film: Shoot) -> None:
    """The film loads, names only whole takes, and no take in the folder is cut short or there twice."""
    found = scan(film.desk.places.takes)
    assert len({(t.shot, t.take) for t in found}) == len(found)
    for take in found:
        assert take.record is not None
        assert probe(take.movie).frames == read_record(take.record).window.frames
    for shot in film.film.shots.values():
        if shot.block.chosen:
            assert any((t.shot, t.take) == (shot.block.shot, shot.block.chosen.take) for t in found)
