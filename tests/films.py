"""Small films for tests, made and rendered through the public functions, and the sources they are planned with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from rushes.engine.edges import ShotPlan
from rushes.engine.plan import plan
from rushes.engine.recipe import Sources
from rushes.generators.registry import Model, Registry
from rushes.store.canonical import digest_of
from rushes_otio.adding import add_scene, add_shot
from rushes_otio.build import new_film
from rushes_otio.choosing import choose
from rushes_otio.errors import ShotFault
from rushes_otio.film import Film
from rushes_otio.schema import Chosen
from rushes_otio.timing import Rate

WHERE = "film.otio"
RATE = Rate(24, 1)
ZERO = RATE.shot_zero
HANDLES = 12

Json = dict[str, Any]


@dataclass
class Contents:
    """Files as a dict of path -> content; the fake of what a film may mention."""

    of: dict[str, str] = field(default_factory=dict)

    def digest(self, path: str, where: str) -> str:
        if path not in self.of:
            raise ShotFault(f"there is no file {path!r}", where=where, remedy=f"put it at {path}")
        return hashlib.sha256(self.of[path].encode()).hexdigest()


def sources(files: dict[str, str] | None = None, **qualities: str) -> Sources:
    """Sources with these files and, beside the animatic, models of these names and qualities."""
    models = {name: Model("animatic", quality) for name, quality in qualities.items()}
    return Sources(Registry(models), Contents(files or {}))


PLAIN = sources()


def film_of(*intents: Json, frames: int = 48, film: Json | None = None, **library: Json) -> Film:
    """A film of one scene with a shot for each intent. `library` is characters, styles and locations."""
    made = new_film("film", RATE, WHERE)
    made.patch_block(intent=film or {}, library={"characters": {}, "styles": {}, "locations": {}, **library})
    scene = add_scene(made, "BEACH")
    for intent in intents:
        add_shot(made, scene, frames, intent)
    return made


def shot_ids(film: Film) -> list[str]:
    return list(film.shots)


def uses(film: Film) -> list[str]:
    """The use ids of the first video track."""
    return [item.use or "" for item in film.video[0].items]


def planned(film: Film, known: Sources = PLAIN) -> list[ShotPlan]:
    return list(plan(film, known).shots.values())


def states(film: Film, known: Sources = PLAIN) -> list[str]:
    return [shot.state for shot in planned(film, known)]


def reasons(film: Film, known: Sources = PLAIN) -> list[list[str]]:
    """For each shot the inputs that changed."""
    return [[r.input for r in shot.reasons] for shot in planned(film, known)]


def render(film: Film, known: Sources = PLAIN, only: set[str] | None = None) -> Film:
    """Give every shot that a render would make a take, upstream first, as a render does: another film."""
    film = Film(film.encode(), film.where)
    for _ in film.shots:
        ready = [s for s in plan(film, known).shots.values() if s.renderable and s.recipe and _asked(s, only)]
        for shot in ready:
            take(film, shot)
        if not ready:
            break
    return Film(film.encode(), film.where)


def _asked(shot: ShotPlan, only: set[str] | None) -> bool:
    return only is None or shot.block.shot in only


def take(film: Film, shot: ShotPlan, frames: int | None = None) -> None:
    """Choose a take of the shot as planned. Its motion depends on the picture fields of its recipe only."""
    assert shot.recipe is not None
    name = f"t{shot.block.next_take:03d}"
    picture = {k: v for k, v in shot.recipe.items() if k not in ("delivery", "fit", "interpolation")}
    motion = digest_of([shot.block.shot, picture])
    film.patch_shot(shot.block.shot, next_take=shot.block.next_take + 1)
    path = f"film.rushes/takes/{shot.block.shot}_{name}.mov"
    chosen = Chosen(name, "render", motion, shot.recipe)
    choose(film, shot.block.shot, chosen, path, shot.needed + HANDLES if frames is None else frames)


def edited(film: Film, change: Callable[[Json], object]) -> Film:
    """The film as a script leaves it that loads it as JSON, changes it and writes it back."""
    doc = json.loads(film.encode())
    change(doc)
    return Film(json.dumps(doc).encode(), film.where)


def items(doc: Json, track: int = 0) -> list[Json]:
    """The children of a track of a film that was loaded as JSON."""
    children: list[Json] = doc["tracks"]["children"][track]["children"]
    return children


def clips(doc: Json) -> Iterator[Json]:
    for track in doc["tracks"]["children"]:
        yield from (item for item in track["children"] if item["OTIO_SCHEMA"].startswith("Clip."))


def time(value: float, rate: float = 24.0) -> Json:
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": rate, "value": value}


def time_range(start: float, frames: float, rate: float = 24.0) -> Json:
    return {"OTIO_SCHEMA": "TimeRange.1", "start_time": time(start, rate), "duration": time(frames, rate)}


def footage(name: str, start: int = 1000, frames: int = 48, length: int = 200) -> Json:
    """An external clip: `length` frames of a file from frame 900, `frames` of them from `start` in the cut."""
    return {
        "OTIO_SCHEMA": "Clip.2",
        "metadata": {},
        "name": name,
        "source_range": time_range(start, frames),
        "effects": [],
        "markers": [],
        "enabled": True,
        "media_references": {
            "DEFAULT_MEDIA": {
                "OTIO_SCHEMA": "ExternalReference.1",
                "metadata": {},
                "name": name,
                "available_range": time_range(900, length),
                "available_image_bounds": None,
                "target_url": name,
            }
        },
        "active_media_reference_key": "DEFAULT_MEDIA",
    }


def transition(before: float, after: float) -> Json:
    """A dissolve that starts `before` frames before the cut and ends `after` frames after it."""
    return {
        "OTIO_SCHEMA": "Transition.1",
        "metadata": {},
        "name": "",
        "in_offset": time(before),
        "out_offset": time(after),
        "transition_type": "SMPTE_Dissolve",
    }


def warp(schema: str, scalar: float | None = None) -> Json:
    effect = {"OTIO_SCHEMA": schema, "metadata": {}, "name": "", "effect_name": schema, "enabled": True}
    return effect if scalar is None else {**effect, "time_scalar": scalar}
