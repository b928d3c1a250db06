"""Undo and redo of intent: everything back, everything again, and nobody's edit overwritten."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from films import edited
from rendering import Shoot, shoot
from rushes.engine.undoing import redo, undo
from rushes_otio.errors import BadRequest
from rushes_otio.film import Film
from rushes_otio.setting import Level


def intent(film: Shoot) -> object:
    """All intent of a film, as data."""
    read = film.film
    block = read.block
    library = json.loads(bytes(read.raw_block))["library"]
    scenes = [json.loads(bytes(scene.intent)) for scene in block.scenes]
    shots = {shot: json.loads(bytes(s.block.intent)) for shot, s in read.shots.items()}
    return json.loads(bytes(block.intent)), scenes, {k: v for k, v in library.items() if v}, shots


def outside(film: Shoot, old: str, new: str) -> None:
    """An edit by another program."""

    def change(doc: dict[str, object]) -> None:
        text = json.dumps(doc)
        assert old in text
        doc.clear()
        doc.update(json.loads(text.replace(old, new)))

    film.path.write_bytes(edited(film.film, change).encode())


@pytest.mark.parametrize("seed", range(6))
def test_everything_is_taken_back_and_made_again(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    film = shoot(tmp_path, {"prompt": "the sea"}, {"prompt": "the land"}, mara="a woman")
    (scene,) = film.film.block.scenes
    levels = [Level("film"), Level("scene", scene.id), Level("character", "mara"), Level("style", "noir")]
    texts = ["prompt=one", "prompt=", "negative=blur", "description=old", "camera=static", "camera=", "seed=7"]
    before, marks = intent(film), [intent(film)]
    for _ in range(24):
        kind = rng.choice(["shot", *range(len(levels))])
        try:
            if kind == "shot":
                film.set(rng.choice(texts), shot=rng.choice(["SH010", "SH020"]))
            else:
                film.set(rng.choice(texts), level=levels[int(kind)])
        except BadRequest:
            continue  # not a field of that level
        if intent(film) != marks[-1]:
            marks.append(intent(film))
    assert len(marks) > 3
    for mark in reversed(marks[:-1]):
        undo(film.desk, skip=False)
        assert intent(film) == mark
    assert intent(film) == before
    with pytest.raises(BadRequest, match="nothing to undo"):
        undo(film.desk, skip=False)
    for mark in marks[1:]:
        redo(film.desk, skip=False)
        assert intent(film) == mark


def test_what_another_program_has_changed_since_is_not_overwritten(tmp_path: Path) -> None:
    film = shoot(tmp_path, {"prompt": "the sea"})
    film.set("camera=static", shot="SH010")
    film.set("prompt=a storm", "negative=blur", shot="SH010")
    outside(film, "a storm", "a calm")
    held = film.path.read_bytes()
    with pytest.raises(BadRequest, match="prompt of SC010_SH010 was changed since"):
        undo(film.desk, skip=False)
    assert film.path.read_bytes() == held
    undo(film.desk, skip=True)
    label, _, changes = undo(film.desk, skip=False)
    assert (label, [(c.field, c.was, c.now) for c in changes]) == (
        "camera of SC010_SH010",
        [("camera", "static", None)],
    )
    assert b"a calm" in bytes(film.block("SH010").intent)


def test_a_new_change_ends_redo_and_nothing_changed_is_nothing_to_undo(tmp_path: Path) -> None:
    film = shoot(tmp_path, {"prompt": "the sea"})
    film.set("prompt=one", shot="SH010")
    film.set("prompt=one", shot="SH010")
    undo(film.desk, skip=False)
    film.set("prompt=two", shot="SH010")
    with pytest.raises(BadRequest, match="nothing to redo"):
        redo(film.desk, skip=False)
    undo(film.desk, skip=False)
    assert b"the sea" in bytes(film.block("SH010").intent)


def test_restoring_a_take_is_undone(tmp_path: Path) -> None:
    film = shoot(tmp_path, {"prompt": "the sea"})
    film.render()
    film.set("prompt=a storm", shot="SH010")
    film.decide("SH010", choose="t001", restore=True)
    assert b"the sea" in bytes(film.block("SH010").intent)
    undo(film.desk, skip=False)
    assert b"a storm" in bytes(film.block("SH010").intent)
    assert film.chosen("SH010").take == "t001"


def test_a_shot_that_is_gone_is_named(tmp_path: Path) -> None:
    film = shoot(tmp_path, {"prompt": "the sea"}, {"prompt": "the land"})
    film.set("prompt=a storm", shot="SH020")

    def delete(doc: dict[str, object]) -> None:
        del doc["tracks"]["children"][0]["children"][1]  # type: ignore[index]

    film.path.write_bytes(edited(film.film, delete).encode())
    assert isinstance(film.film, Film)
    with pytest.raises(BadRequest, match="not in the film any more"):
        undo(film.desk, skip=False)
