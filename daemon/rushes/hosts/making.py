"""Rows of a host that become shots, with what is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rushes_otio import rawjson
from rushes_otio.adding import add_scene, make_shot, next_shot_name
from rushes_otio.errors import BadRequest
from rushes_otio.film import Film, Shot
from rushes_otio.hosts.rows import Making, Row
from rushes_otio.pointing import find_scene
from rushes_otio.schema import Scene
from rushes_otio.setting import Level, put_intent
from rushes_otio.text import printable


def make_shots(film: Film, makings: Iterable[Making], uses: Mapping[str, str], rows: Iterable[Row]) -> None:
    """Make shots of the rows that are named; `uses` says by key which clips of the film they are. A row that
    says a text is prompted with it where nothing else is. BadRequest for what can be none."""
    texts = {row.key: row.text for row in rows}
    for making in makings:
        shot = _made(film, making, uses.get(making.key, ""))
        scene = _scene(film, making.scene)
        name = making.name or (next_shot_name(film, scene) if scene else shot.block.name)
        film.patch_shot(shot.block.shot, name=printable(name, 200), scene=scene.id if scene else "")
        said = {"prompt": making.prompt or texts.get(making.key, ""), "action": making.action}
        intent = {key: rawjson.encode(text) for key, text in said.items() if text}
        put_intent(film, Level("shot", shot.block.shot), intent)


def _made(film: Film, making: Making, use: str) -> Shot:
    place = film.find_use(use) if use else None
    if place is None:
        raise BadRequest(
            f"{printable(making.key, 60)!r} cannot become a shot",
            where=film.where,
            remedy="choose a strip of picture that lies behind the film's first frame",
        )
    track, index = place
    if track.items[index].block is not None:
        raise BadRequest(f"{printable(making.key, 60)!r} is a shot already", where=film.where, remedy="prompt it")
    return make_shot(film, track, index)


def _scene(film: Film, text: str) -> Scene | None:
    """The scene with this id, code or name, made where there is none."""
    return (find_scene(film, text) or add_scene(film, text)) if text else None
