"""Who keeps a take from being cleaned: cuts beside the film, intents, hosts, doubt."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaning import SEA, cleaned, freed, there, why, with_takes
from rendering import nobody, shoot
from rushes.engine.needed import named_in
from rushes.engine.rendering import render_film
from rushes.engine.wishes import Wishes
from rushes.store.held import HeldTakes
from rushes.store.takes import take_stem
from rushes.worker.inline import InlineWorkers
from rushes.worker.loading import BUILT_IN, Generators
from rushes_otio import rawjson
from rushes_otio.errors import FileFault
from rushes_otio.film import patch_block
from rushes_otio.ids import new_id


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("copy.otio", b'"target_url": "film.rushes/takes/SC010/SC010_SH010__%b_%b.mov"'),
        ("film.rushes/cuts/monday/frozen.otio", b'{"x": "SC010_SH010__%b_%b"}'),
        ("cut.OTIO", b'"x__%b\\u005f%b"'),
        ("REEL.EDL", b"* FROM CLIP NAME: SC010_SH010__%b_%b.MOV"),
    ],
)
def test_another_cut_protects_the_takes_it_names(tmp_path: Path, place: str, text: bytes) -> None:
    film = with_takes(tmp_path, 2)
    cut = tmp_path / place
    cut.parent.mkdir(parents=True, exist_ok=True)
    named = text % (film.block("SH010").shot.encode(), b"t002")
    cut.write_bytes(named.upper() if place.isupper() else named)
    assert freed(cleaned(film)) == ["t003"]
    assert there(film) == ["t001", "t002"]
    cut.unlink()
    assert freed(cleaned(film)) == ["t002"]


def test_a_cut_that_cannot_be_read_stops_everything(tmp_path: Path) -> None:
    film = with_takes(tmp_path, 1)
    with (tmp_path / "huge.otio").open("wb") as file:
        file.truncate(600 * 1024 * 1024)
    with pytest.raises(FileFault, match="limit"):
        cleaned(film)
    assert there(film) == ["t001", "t002"]


def test_the_version_before_the_last_save_keeps_its_takes(tmp_path: Path) -> None:
    film = with_takes(tmp_path, 1)
    film.decide("SH010", choose="t002")
    assert why(cleaned(film)) == {"t001": "named in previous.otio", "t002": "chosen"}
    shutil.copy(film.desk.places.previous, film.path)
    assert film.states() == {"SH010": "fresh"}
    assert film.chosen("SH010").take == "t001"


def test_stills_stay_while_an_intent_names_them(tmp_path: Path) -> None:
    """That of the shot, or that of a take that can be restored; and the newest, by which the next is numbered."""
    film = shoot(tmp_path, SEA)
    shot = film.block("SH010").shot
    stills = Wishes((shot,), another=4, until="keyframe")
    render_film(film.desk, stills, nobody, InlineWorkers(Generators(BUILT_IN)))
    film.decide("SH010", choose="k001")
    film.render()
    film.decide("SH010", choose="k002")
    film.render()
    film.decide("SH010", circle="t001")
    done = cleaned(film)
    assert freed(done) == ["k003"]
    assert why(done) == {
        "k001": "named by a take that stays: t001",
        "k002": "named in the film",
        "k004": "the newest keyframe",
        "t001": "circled",
        "t002": "chosen",
    }
    film.decide("SH010", choose="t001", restore=True)
    assert film.states() == {"SH010": "fresh"}


def test_uses_that_differ_keep_all_takes_of_their_shot(tmp_path: Path) -> None:
    """Which of the two will hold is for a person to say."""
    film = with_takes(tmp_path, 2)
    with film.desk.changing() as cut:
        (shot,) = cut.shots.values()
        track, index = shot.uses[0]
        raw = track.items[index].raw
        other = {"use": rawjson.encode(new_id()), "locked": rawjson.encode(value=True)}
        cut.insert(track, index + 1, patch_block(raw, other, "test"))
    assert film.states() == {"SH010": "invalid"}
    assert why(cleaned(film)) == {
        "t001": "chosen",
        "t002": "the uses of its shot differ",
        "t003": "the uses of its shot differ",
    }


def test_a_host_says_all_it_holds_each_time(tmp_path: Path) -> None:
    held = HeldTakes(shoot(tmp_path, SEA).studio.database)
    held.say("a", "resolve", [("7kq3m9ab", "t001"), ("7kq3m9ab", "t002"), ("7kq3m9ab", "t002")])
    held.say("a", "blender", [("7kq3m9ab", "t002")])
    held.say("b", "blender", [("7kq3m9ab", "t009")])
    held.say("a", "resolve", [("7kq3m9ab", "t002")])
    assert held.of("a") == {("7kq3m9ab", "t002"): ["blender", "resolve"]}
    held.forget("a", "resolve")
    assert held.of("a") == {("7kq3m9ab", "t002"): ["blender"]}
    assert held.of("b") == {("7kq3m9ab", "t009"): ["blender"]}


@given(st.binary(), st.text(), st.text(), st.integers(0, 999_999), st.binary())
def test_a_take_is_found_in_whatever_text_names_it(
    before: bytes, scene: str, name: str, number: int, after: bytes
) -> None:
    take = f"t{number:03d}"
    stem = take_stem(scene, name, "7kq3m9ab", take).encode()
    assert ("7kq3m9ab", take) in named_in(before + stem + b"." + after)
    assert ("7kq3m9ab", take) in named_in(before + stem.upper() + b"." + after)
