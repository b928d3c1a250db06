"""What hosts are told of a film: what each shot shows, the names in it, and where a shot's intent comes from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import daemons
from cuts import RATE, Cut, footage, movie
from daemons import is_ready, wait
from films import edited, film_of, items
from rendering import Shoot, shoot
from rushes.engine.answering import answer
from rushes.engine.names import entries, models
from rushes.engine.studio import Desk
from rushes.generators.animatic import camera
from rushes.generators.models import Model
from rushes.generators.registry import Registry
from rushes.generators.traits import ANIMATIC
from rushes.hosts.showing import Showings, media
from rushes.media.probe import probe
from rushes.messages import commands
from rushes.store.takes import read_record
from rushes_otio.conforming.standins import standin_name, stands_for
from rushes_otio.errors import ShotFault
from rushes_otio.film import Film
from rushes_otio.hosts.rows import Showing
from rushes_otio.inherited import Said, inherited, own_values
from rushes_otio.mentions import replaced
from rushes_otio.resolve import Resolver, compose
from rushes_otio.setting import Level
from rushes_otio.timing import Rate

SEA = {"prompt": "the sea"}

Json = dict[str, Any]


def shown(desk: Desk, *shots: str) -> list[Showing]:
    film = desk.read()
    return Showings(desk, film).of(shots or film.shots)


# -- media ---------------------------------------------------------------------------------------------------


def test_a_shot_shows_its_chosen_take_and_else_a_slate(tmp_path: Path) -> None:
    film = shoot(tmp_path, SEA, SEA)
    film.render("SH010")
    film.set("delivery.size=128x64")
    take, slate = shown(film.desk)
    assert take == Showing(
        shot=film.block("SH010").shot, take="t001", path=str(film.movie("SH010")), frames=10, size=(64, 64)
    )
    assert (slate.shot, slate.take, slate.frames, slate.size) == (film.block("SH020").shot, "", 10, (128, 64))
    found = probe(Path(slate.path))
    assert (found.frames, found.size, found.rate, found.reel) == (10, (128, 64), "24/1", slate.shot)
    assert f"slate__{slate.shot}_" in slate.path
    assert shown(film.desk, slate.shot, "nosuchid") == [slate]
    asked = commands.Media(film=str(film.path), shots=[take.shot])
    assert [row["path"] for row in media(film.desk, asked)["media"]] == [take.path]


def test_a_slate_is_made_once_for_what_it_says_and_how_long_it_is(tmp_path: Path) -> None:
    film = shoot(tmp_path, SEA)
    (first,) = shown(film.desk)
    made = Path(first.path).stat().st_mtime_ns
    assert shown(film.desk) == [first] and Path(first.path).stat().st_mtime_ns == made
    film.set("prompt=a storm", shot="SH010")
    (other,) = shown(film.desk)
    film.length("SH010", 40)
    (longer,) = shown(film.desk)
    assert len({first.path, other.path, longer.path}) == 3
    assert (other.frames, longer.frames, probe(Path(longer.path)).frames) == (10, 44, 44)
    assert not [file for file in Path(first.path).parent.iterdir() if file.suffix != ".mov"]


@pytest.mark.parametrize("size", ["3840x2160", "256x256", "16x16", "0x-4"])
def test_slates_are_small_and_never_fail(tmp_path: Path, size: str) -> None:
    film = shoot(tmp_path, {"prompt": "@nobody \x1b[2J\u202e"})
    film.path.write_bytes(film.path.read_bytes().replace(b"64x64", size.encode()))
    (slate,) = shown(film.desk)
    width, height = slate.size
    assert (probe(Path(slate.path)).size, max(slate.size) <= 640, width % 2 + height % 2) == (slate.size, True, 0)


def test_a_take_that_is_offline_is_a_slate_until_it_is_back(tmp_path: Path) -> None:
    film = shoot(tmp_path, SEA)
    film.render()
    (take,) = shown(film.desk)
    away = tmp_path / "away.mov"
    shutil.move(take.path, away)
    (slate,) = shown(film.desk)
    assert (slate.take, "slate__" in slate.path) == ("", True)
    shutil.move(away, take.path)
    assert shown(film.desk) == [take]
    Path(take.path).with_suffix(".json").unlink()
    assert shown(film.desk) == [take]  # then the movie itself tells


@pytest.mark.parametrize(("rate", "zero"), [(RATE, 5), (Rate(48, 1), 10)])
def test_a_shot_made_of_footage_shows_it_until_it_has_a_take(tmp_path: Path, rate: Rate, zero: int) -> None:
    """Shot frame 0 is the first that the cut showed, counted as the file counts."""
    cut = Cut(tmp_path, "")
    movie(tmp_path / "plate.mov", "A", rate)
    cut.put(footage("plate.mov", 5, 12, rate))
    desk = cut.save()
    film = Shoot(cut.path)
    film.set("prompt=fog", shot="V1@3")
    (showing,) = shown(desk)
    plate = (str(tmp_path / "plate.mov"), zero)
    assert (showing.take, showing.path, showing.zero, showing.footage) == ("", *plate, plate)
    assert (showing.frames, showing.size) == (36, (256, 144))
    film.set("delivery.size=64x64")
    film.render()
    (after,) = shown(desk)
    assert (after.take, after.zero, after.size, after.footage) == ("t001", 0, (64, 64), plate)


def test_footage_that_the_film_may_not_read_is_named_and_not_opened(tmp_path: Path) -> None:
    inside, outside = tmp_path / "film", tmp_path / "disk"
    outside.mkdir()
    (outside / "plate.mov").write_bytes(b"nobody reads this")
    urls = [str(outside / "plate.mov"), "//server/share/plate.mov", "https://example.org/plate.mov", "gone.mov"]
    inside.mkdir()
    cut = Cut(inside, "")
    cut.put(*(footage(url, 0, 12) for url in urls))
    film = Shoot(cut.save().places.film)
    for number in range(4):
        film.set("prompt=fog", shot=f"V1@{12 * number}")
    found = shown(film.desk)
    assert (found[0].path, found[0].frames, found[0].size) == (urls[0], 36, (256, 144))
    assert ["slate__" in showing.path for showing in found] == [False, True, True, True]
    assert [showing.footage for showing in found[1:]] == [None, None, (str(inside / "gone.mov"), 0)]


def test_the_slate_of_an_external_clip_is_known_again(tmp_path: Path) -> None:
    cut = Cut(tmp_path, "")
    cut.put(footage("gone.mov", 0, 12))
    desk = cut.save()
    film = desk.read()
    item = film.video[0].items[0]
    slate = Showings(desk, film).slate_for(item, 20)
    assert (stands_for(slate.path), slate.frames, slate.size) == (standin_name(item), 20, (256, 144))
    assert probe(Path(slate.path)).frames == 20


# -- library -------------------------------------------------------------------------------------------------


def test_the_library_lists_what_can_be_named(tmp_path: Path) -> None:
    film = shoot(tmp_path, SEA, mara="a woman\n in a red coat " * 20)
    film.set("description=grain", level=Level("style", "noir"))
    found = answer(film.desk, commands.Library(film=str(film.path)))
    assert [(e["kind"], e["name"], len(e["description"])) for e in found["entries"]] == [
        ("character", "mara", 120),
        ("style", "noir", 5),
    ]
    assert "\n" not in found["entries"][0]["description"]
    (scene,) = film.film.block.scenes
    assert found["scenes"] == [{"scene": scene.id, "code": "SC010", "name": "BEACH"}]
    assert [model["name"] for model in found["models"]] == ["draft", "final", "animatic"]
    assert found["cameras"] == list(ANIMATIC.moves)


def test_the_camera_knows_the_moves_that_are_listed() -> None:
    assert [camera.named(move) for move in ANIMATIC.moves] == list(ANIMATIC.moves)
    assert {*ANIMATIC.moves, camera.DRIFT} == {*camera._PATHS, "handheld"}


def test_broken_entries_and_models_that_cannot_run_are_listed_too() -> None:
    film = film_of({}, characters={"mara": {"description": 7}, "MARA": {"description": "x"}})
    assert [(e.name, e.description) for e in entries(film)] == [("mara", ""), ("MARA", "")]
    listed = models(Registry({"wan": Model("diffusers", can=["i2v"], accepted=False, licence="odd")}))
    assert "i2v; not usable: its licence (odd) was not accepted" in listed["wan"]


# -- show ----------------------------------------------------------------------------------------------------


def test_show_says_what_is_the_shots_own_and_what_it_inherits(tmp_path: Path) -> None:
    film = shoot(tmp_path, {"prompt": "@mara waits", "steps": 4}, mara="a woman")
    film.set("style=noir", "prompt=on film stock", "camera=static", "steps=20")
    film.set("description=grain", level=Level("style", "noir"))
    (scene,) = film.film.block.scenes
    film.set("camera=handheld", "prompt=rain", level=Level("scene", scene.id))
    asked = commands.Show(film=str(film.path), shot="SH010")
    found = answer(film.desk, asked)
    assert (found["own"], found["seed"]) == ({"prompt": "@mara waits", "steps": 4}, "")
    rows = {name: [tuple(row.values()) for row in said] for name, said in found["inherits"].items()}
    assert rows["prompt"] == [
        ("style", "noir", "grain"),
        ("film", "", "on film stock"),
        ("scene", "SC010", "rain"),
        ("character", "mara", "a woman"),
    ]
    assert rows["camera"] == [("scene", "SC010", "handheld"), ("film", "", "static")]
    assert rows["steps"] == [("film", "", 20)]
    film.render()
    seed = read_record(film.movie("SH010").with_suffix(".json")).seed
    assert answer(film.desk, asked)["seed"] == seed


def test_show_of_an_invalid_shot_says_what_mends_it(tmp_path: Path) -> None:
    film = shoot(tmp_path, {"prompt": "@nobody waits"})
    found = answer(film.desk, commands.Show(film=str(film.path), shot="SH010"))
    assert (found["state"], found["own"], found["recipe"]) == ("invalid", {"prompt": "@nobody waits"}, {})
    assert "@nobody is not in the library" in found["fault"]["text"] and found["fault"]["remedy"]


WORDS = st.sampled_from(["", "rain.", "@mara waits", "a @pier at night", "@mara and @tom; @@home", "@TOM"])
TEXTS = st.fixed_dictionaries(
    {}, optional={"prompt": WORDS, "negative": WORDS, "camera": st.sampled_from(["static", "pan left"])}
)
PLACES = st.sampled_from(["Pier", "moon"])
NAMED = st.fixed_dictionaries({}, optional={"style": st.just("noir"), "location": PLACES})
PICTURES: list[Json] = [{"image": f"{n}.png", "as": "face"} for n in range(4)]


@given(TEXTS, st.tuples(TEXTS, NAMED), st.tuples(TEXTS, NAMED, WORDS))
def test_what_is_inherited_and_what_is_own_make_up_the_recipe(
    of_film: Json, of_scene: tuple[Json, Json], of_shot: tuple[Json, Json, str]
) -> None:
    library: Json = {
        "characters": {"mara": {"description": "a woman", "references": PICTURES[:2]}, "tom": {}},
        "styles": {"noir": {"description": "grain", "references": PICTURES[2:3]}},
        "locations": {"Pier": {"description": "a pier", "references": PICTURES[3:]}, "moon": {}},
    }
    film = film_of(of_shot[0] | of_shot[1] | {"action": of_shot[2]}, film=of_film, **library)
    scene = json.loads(bytes(film.raw_scenes()[0])) | {"intent": of_scene[0] | of_scene[1]}
    film.patch_block(scenes=[scene])
    (shot,) = film.shots.values()
    values = Resolver(film).resolve(shot.block).values
    said, own = inherited(film, shot.block), own_values(shot.block)
    held = {name: own.get(name, said[name][0].value if name in said else None) for name in ("style", "location")}
    assert values.get("prompt", "") == together(said.get("prompt", []), own.get("prompt", ""), held)
    assert values.get("camera") == own.get("camera", said["camera"][0].value if "camera" in said else None)
    assert values.get("references", []) == [row for one in said.get("references", []) for row in one.value]


def together(said: list[Said], own: str, held: dict[str, str | None]) -> str:
    """A composed prompt, from what levels say and which style and location hold."""
    described = {one.name.casefold(): one.value for one in said if one.level not in ("film", "scene")}
    texts = [one.value for one in said if one.level in ("film", "scene")] + [own]
    spoken = [replaced(text, lambda name: described[name.casefold()]) for text in texts]
    return compose([*(described[name.casefold()] for name in held.values() if name), *spoken])


@pytest.mark.parametrize("intent", ['{"prompt": 1e400}', '{"prompt": 7, "style": [1], "references": 3}', "[]"])
def test_levels_that_cannot_be_read_say_what_they_can(intent: str) -> None:
    def change(doc: Json) -> None:
        doc["metadata"]["rushes"]["intent"] = doc["metadata"]["rushes"]["scenes"][0]["intent"] = "INTENT"
        items(doc)[0]["metadata"]["rushes"]["intent"] = "INTENT"

    film = edited(film_of(SEA), change)
    film = Film(film.encode().replace(b'"INTENT"', intent.encode()), film.where)
    (shot,) = film.shots.values()
    with pytest.raises(ShotFault):
        Resolver(film).resolve(shot.block)
    own_values(shot.block)
    inherited(film, shot.block)


# -- through the daemon ----------------------------------------------------------------------------------------


def test_hosts_ask_the_daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """media, library, show and fork; a fork in the middle of a render is known to it."""
    monkeypatch.delenv("RUSHES_NO_DAEMON")
    film = shoot(tmp_path, SEA, {"prompt": "the land"})
    path = str(film.desk.places.film)
    film.render("SH010")
    doc = json.loads(film.path.read_bytes())
    items(doc).append(json.loads(json.dumps(items(doc)[0])))
    items(doc)[-1]["metadata"]["rushes"]["use"] = "aaaaaaaa"
    film.path.write_bytes(json.dumps(doc).encode())
    with daemons.daemon(), daemons.client() as client:
        client.follow(path)
        assert client.ask(commands.Library(film=path))["scenes"][0]["code"] == "SC010"
        before = client.ask(commands.Media(film=path))["media"]
        assert [row["take"] for row in before] == ["t001", ""]
        client.ask(commands.Render(film=path))
        made = client.ask(commands.Fork(film=path, use="aaaaaaaa"))
        assert (made["name"], Path(made["path"]).is_file()) == ("SC010_SH030", True)
        client.ask(commands.Set(film=path, shots=[made["shot"]], assignments=["camera=static"]))
        client.ask(commands.Render(film=path))
        wait(client, is_ready("SH030"))
        after = client.ask(commands.Media(film=path, shots=[made["shot"]]))["media"]
        assert [(row["take"], Path(row["path"]).is_file()) for row in after] == [("t002", True)]
        seeds = {client.ask(commands.Show(film=path, shot=name))["seed"] for name in ("SH010", "SH030")}
        assert len(seeds) == 1
