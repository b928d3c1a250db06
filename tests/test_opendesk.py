"""A film that stays open is planned piece by piece; it must come to the same as planning the whole anew."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest

from films import items, transition
from rendering import Shoot, shoot
from rushes.engine.edges import ShotPlan
from rushes.engine.opendesk import Arrival, OpenDesk
from rushes.engine.plan import Plan
from rushes.store.films import read_film
from rushes_otio.errors import RushesError
from rushes_otio.film import Film
from rushes_otio.setting import Level

TEXTS = ["prompt=@mara waits", "prompt=the sea", "prompt=", "camera=static", "camera=", "negative=blur", "seed=7"]


def open_desk(film: Shoot) -> OpenDesk:
    return OpenDesk(film.studio, film.desk.places)


def look(plan: Plan) -> list[object]:
    """Everything that a plan says; the blank space of an intent says nothing."""
    return [_look(shot) for shot in plan.shots.values()]


def _look(s: ShotPlan) -> list[object]:
    block = msgspec.structs.asdict(s.block) | {"intent": json.loads(bytes(s.block.intent))}
    return [block, s.uses, s.state, s.needed, s.have, s.reasons, s.today, s.upstream, str(s.fault), s.notes]


def test_planned_piece_by_piece_is_planned_whole(tmp_path: Path) -> None:
    for seed in range(8):
        folder = tmp_path / str(seed)
        folder.mkdir()
        _edits(shoot(folder, *[{"prompt": f"wave {n}"} for n in range(6)], mara="a woman"), random.Random(seed))


def _edits(film: Shoot, rng: random.Random) -> None:
    desk = open_desk(film)
    desk.plan(desk.read())
    film.render("SH010", "SH030")
    for step in range(25):
        with_desk = rng.choice([film.desk, desk])
        act = rng.choice([_set, _set, _level, _pin, _outside, _outside, _picture])
        act(film, with_desk, rng)
        if act is _picture:
            desk.replan()  # whoever watches the files says so
        assert look(desk.plan(desk.read())) == look(film.desk.plan(film.film)), step


def _set(film: Shoot, desk: Any, rng: random.Random) -> None:
    from rushes.engine.changing import set_intent, shot_levels

    shot = rng.choice(list(film.film.shots))
    set_intent(desk, lambda read: shot_levels(read, [shot]), [rng.choice(TEXTS)])


def _level(film: Shoot, desk: Any, rng: random.Random) -> None:
    from rushes.engine.changing import set_intent

    level = rng.choice([Level("film"), Level("character", "mara")])
    text = "negative=grain" if level.kind == "film" else f"description=coat {rng.random()}"
    set_intent(desk, lambda _: [level], [text])


def _pin(film: Shoot, desk: Any, rng: random.Random) -> None:
    """A shot that continues from another, or no more; circles too."""
    from rushes.engine.changing import set_intent, shot_levels

    one, other = rng.sample(list(film.film.shots), 2)
    text = rng.choice([f"first_frame.from={other}", f'first_frame={{"from": "{other}", "at": 3}}', "first_frame="])
    try:
        set_intent(desk, lambda read: shot_levels(read, [one]), [text])
    except RushesError:
        return  # nothing was set that could be unset


def _picture(film: Shoot, desk: Any, rng: random.Random) -> None:
    """A picture beside the film that changes under its name."""
    from rushes.engine.changing import set_intent, shot_levels

    picture = film.path.parent / "ref.png"
    picture.write_bytes(str(rng.random()).encode())
    shot = rng.choice(list(film.film.shots))
    set_intent(desk, lambda read: shot_levels(read, [shot]), ['references=[{"image": "ref.png", "as": "style"}]'])


def _outside(film: Shoot, desk: Any, rng: random.Random) -> None:
    """Another program cuts: moves, trims, copies, deletes, dissolves, renames."""
    doc = json.loads(film.film.encode())
    children = items(doc)
    index = rng.randrange(len(children))
    match rng.randrange(6):
        case 0:
            children.insert(rng.randrange(len(children)), children.pop(index))
        case 1:
            if children[index]["OTIO_SCHEMA"].startswith("Clip."):
                children[index]["source_range"]["duration"]["value"] = float(rng.randrange(2, 14))
        case 2:
            if 0 < index < len(children) and len(children) < 12:
                children.insert(index, transition(1, 1))
        case 3:
            children[:] = [child for child in children if not child["OTIO_SCHEMA"].startswith("Transition.")]
        case 4:
            if len([c for c in children if c["OTIO_SCHEMA"].startswith("Clip.")]) > 4:
                del children[index]
        case 5:
            block = children[index].get("metadata", {}).get("rushes")
            if block:
                block["name"] = f"renamed {rng.random()}"
    try:
        film.path.write_bytes(Film(json.dumps(doc).encode(), "test").encode())
    except RushesError:
        return


def test_what_arrived_is_in_the_film_whatever_others_write(tmp_path: Path) -> None:
    """A take that is not saved yet survives an edit by another program and a command that fails."""
    film = shoot(tmp_path, {"prompt": "the sea"}, {"prompt": "the land"})
    desk = open_desk(film)
    (first, second) = film.film.shots
    saved: list[str] = []
    desk.read()
    note = Arrival(lambda read: read.patch_shot(first, note="arrived"), lambda: saved.append(first))
    desk.arrive(note)
    film.set("prompt=a storm", shot="SH020")
    assert (desk.read().shots[first].block.note, saved) == ("arrived", [])
    with pytest.raises(ZeroDivisionError), desk.changing() as changing:
        changing.patch_shot(second, note="by half")
        raise ZeroDivisionError
    assert desk.read().shots[second].block.note == ""
    desk.flush()
    on_disk = read_film(film.path)
    assert (on_disk.shots[first].block.note, on_disk.shots[second].block.note) == ("arrived", "")
    assert b"a storm" in bytes(on_disk.shots[second].block.intent)
    assert saved == [first]
    assert not desk.arrivals
