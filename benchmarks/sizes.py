"""Films of any size for measuring: every shot has one recorded take, made for the recipe that it has today."""

from __future__ import annotations

from pathlib import Path

from rushes.engine.studio import Desk, Studio
from rushes_otio import rawjson
from rushes_otio.adding import add_scene
from rushes_otio.build import new_film, shot_clip
from rushes_otio.choosing import choose
from rushes_otio.film import Film
from rushes_otio.ids import new_id
from rushes_otio.items import read_item
from rushes_otio.schema import Chosen, ShotBlock
from rushes_otio.setting import Level, put_intent
from rushes_otio.timing import Rate

FRAMES, HANDLES = 48, 12


def film_of(folder: Path, shots: int) -> Desk:
    """A film of `shots` shots in `folder`, all fresh. A third of them mention a character."""
    path = folder / f"film{shots}.otio"
    path.write_bytes(_unrendered(path, shots).encode())
    desk = Studio.of_user().desk(path)
    film = desk.read()
    for shot_id, planned in desk.plan(film).shots.items():
        chosen = Chosen("t001", "render", "0" * 64, planned.recipe or {})
        movie = f"{path.stem}.rushes/takes/SC010/{planned.block.name}__{shot_id}_t001.mov"
        choose(film, shot_id, chosen, movie, FRAMES + HANDLES)
    path.write_bytes(film.encode())
    assert desk.plan(desk.read()).counts() == {"fresh": shots}
    return desk


def _unrendered(path: Path, shots: int) -> Film:
    film = new_film(path.stem, Rate(24, 1), str(path))
    put_intent(film, Level("character", "mara"), {"description": rawjson.encode("a woman in a long red coat")})
    scene = add_scene(film, "EXT. HARBOUR - DAWN")
    track = film.video[0]
    for number in range(shots):
        who = "@mara" if number % 3 == 0 else "Nobody"
        prompt = f"{who} walks along the harbour wall number {number}, gulls over the boats, a cold morning light"
        intent = rawjson.encode({"prompt": prompt, "camera": "push in"})
        block = ShotBlock(new_id(), new_id(), f"SC010_SH{number * 10}", scene.id, intent, next_take=2)
        track.items.append(read_item(shot_clip(block, FRAMES, film.rate), str(path), 24.0))
    track.changed = True
    track.place()
    return Film(film.encode(), str(path))
