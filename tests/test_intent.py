"""What people ask for: inherited, composed, normalised; and what is wrong in one shot stays with that shot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from films import PLAIN, edited, film_of, footage, items, planned, render, sources, time, uses
from rushes.engine.recipe import Sources
from rushes.generators.registry import Registry
from rushes.store.db import Database
from rushes.store.digests import FileDigests
from rushes.store.mentioned import MentionedFiles
from rushes.store.places import FilmPlaces
from rushes_otio.errors import ShotFault
from rushes_otio.film import Film
from rushes_otio.intent import FIELDS, FILM, LIBRARY, SCENE, SHOT, read_value
from rushes_otio.mentions import mentioned, replaced
from rushes_otio.resolve import Resolved, Resolver
from rushes_otio.setting import Level, put_intent
from rushes_otio.values import MAX_SEED, decimal

Json = dict[str, Any]
MARA = {"description": "a tall woman in a red coat", "references": [{"image": "mara.png", "as": "face"}]}
LIBRARY_OF = {
    "characters": {"mara": MARA, "old_tom": {}},
    "styles": {"noir": {"description": "grainy", "loras": [{"file": "noir.safetensors", "weight": 0.80}]}},
    "locations": {"pier": {"description": "a wooden pier"}},
}


def resolved(shot: Json, scene: Json | None = None, film: Json | None = None, **library: Json) -> Resolved:
    made = film_of(shot, film=film, **(library or LIBRARY_OF))
    raw = {key: Raw(json.dumps(value).encode()) for key, value in (scene or {}).items()}
    put_intent(made, Level("scene", made.block.scenes[0].id), raw)
    return Resolver(made).resolve(next(iter(made.shots.values())).block)


# -- inheritance ---------------------------------------------------------------------------------------------


def test_the_nearest_level_wins_and_each_field_says_where_it_came_from() -> None:
    found = resolved(
        {"camera": "push in", "params": {"shift": 3}},
        scene={"camera": "pan", "model": "draft", "params": {"tile": True, "shift": 2}},
        film={"camera": "static", "model": "final", "guidance": 5.0, "params": {"shift": 1, "eta": 0.5}},
    )
    assert found.values == {
        "camera": "push in",
        "model": "draft",
        "guidance": "5",
        "params": {"shift": 3, "tile": True, "eta": "0.5"},
    }
    assert found.origin == {
        "camera": "shot",
        "model": "scene",
        "guidance": "film",
        "params.shift": "shot",
        "params.tile": "scene",
        "params.eta": "film",
    }


def test_prompts_compose_in_a_fixed_order_with_mentions_replaced() -> None:
    found = resolved(
        {"prompt": "@MARA's umbrella turns over, @@noon", "action": "@old_tom waves", "negative": "text"},
        scene={"prompt": "at night.", "negative": "blur"},
        film={"prompt": "35mm film", "style": "Noir", "location": "pier"},
    )
    coat = MARA["description"]
    assert found.values["prompt"] == (
        f"grainy. a wooden pier. 35mm film. at night. {coat}'s umbrella turns over, @noon"
    )
    assert found.values["action"] == "Old Tom waves"
    assert found.values["negative"] == "blur, text"
    assert found.values["caption"] == "Mara's umbrella turns over, @noon"
    assert found.origin["prompt"] == "film + scene + shot"
    assert set(found.cast) == {"mara", "old_tom"}
    assert found.cast_of_prompt == {"mara"}


def test_mentioning_attaches_references_and_loras_once_and_not_mentioning_does_not() -> None:
    own = {"image": "sea.png"}
    found = resolved({"prompt": "@mara and @Mara", "references": [own], "style": "noir"})
    assert found.values["references"] == [{"image": "mara.png", "as": "face"}, own]
    assert found.values["loras"] == [{"file": "noir.safetensors", "weight": "0.8"}]
    assert found.origin["references"] == "library + shot"
    alone = resolved({"prompt": "the sea, mail me at tom@mara.org"})
    assert alone.cast == {} and "references" not in alone.values


@pytest.mark.parametrize(
    ("text", "names", "becomes"),
    [
        ("@mara, @Mara's and @mara", ["mara", "Mara"], "<mara>, <Mara>'s and <mara>"),
        ("@@mara", [], "@mara"),
        ("a@mara and @ mara", [], "a@mara and @ mara"),
        ("(@zoë_2)", ["zoë_2"], "(<zoë_2>)"),
        ("@@", [], "@"),
    ],
)
def test_a_mention_is_an_at_sign_before_a_name(text: str, names: list[str], becomes: str) -> None:
    assert mentioned(text) == names
    assert replaced(text, lambda name: f"<{name}>") == becomes


# -- values --------------------------------------------------------------------------------------------------


@given(st.integers(-(10**9), 10**9), st.integers(0, 6))
def test_a_decimal_has_one_spelling(digits: int, places: int) -> None:
    number = digits / 10**places
    spelled = decimal(number)
    text = f"{digits / 10**places:.{places}f}"
    assert (
        decimal(text) == decimal(text + ("0" if "." in text else ".0")) == decimal(f" +{text} ".replace("+-", "-"))
    )
    assert decimal(spelled) == spelled and float(spelled) == number
    assert "e" not in spelled.lower() and not spelled.endswith(".") and spelled != "-0"


def test_values_that_mean_the_same_are_the_same() -> None:
    def same(name: str, *spellings: object, level: str = SHOT) -> None:
        assert len({json.dumps(read_value(name, value, level, "")) for value in spellings}) == 1

    same("guidance", 5, 5.0, "5", "5.00", " 5.0 ", "0.5e1")
    same("strength", 0.5, "0.50", ".5")
    same("steps", 20, 20.0)
    same("seed", "7", "007")
    same("prompt", "a pier", "  a pier\n")
    same("params", {"a": 5.0, "b": 0.5}, {"b": 0.50, "a": 5})
    same("first_frame", {"from": "0000000a"}, {"at": "out", "from": "0000000a"})
    same("first_frame", {"from": "0000000a", "at": 12}, {"from": "0000000a", "at": "12"})
    same("delivery", {"size": "640x360"}, {"size": "640 X 360"}, {"size": "640×360"}, level=FILM)


LONG = "9" * 5000
REFUSED: dict[str, list[object]] = {
    "prompt": [5, None, ["a"], "a" * 20_001],
    "style": ["", "no ir", "@noir", 5],
    "model": ["", "a b", "../x y", 5],
    "seed": [7, "-1", "1.0", str(MAX_SEED + 1), 2**70, LONG, "٣"],
    "keyframe": ["a.png", {"image": "a", "model": "b"}, {"image": ""}, {"picture": "a"}],
    "first_frame": ["a.png", {}, {"from": "x"}, {"from": "0000000a", "at": -1}, {"from": "0000000a", "at": LONG}],
    "plate": ["", "a\0b", 5, {"image": "a"}],
    "strength": [-0.1, "1.01", True, "half"],
    "references": [{"image": "a"}, ["a"], [{"as": "face"}], [{"image": "a"}] * 65],
    "steps": [0, 1001, "20", 1.5, True],
    "guidance": ["", "NaN", "Infinity", "1e999", True, LONG, 10**400, []],
    "params": [[], {"a": {}}, {str(n): n for n in range(65)}, {"a": [{}]}],
    "interpolation": ["none", None, []],
    "delivery": [
        {"size": "1919x1080"},
        {"size": "8x8"},
        {"codec": "hevc"},
        {"handles": -1},
        {"handles": LONG},
        "x",
    ],
    "loras": [[{"file": "a", "weight": 11}], [{"weight": 1}]],
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_value_says_what_was_expected(name: str) -> None:
    level = next(iter(FIELDS[name].levels))
    for value in REFUSED[name]:
        with pytest.raises(ShotFault, match=f"^{name} is .*; expected ") as raised:
            read_value(name, value, level, "here")
        assert raised.value.where == "here" and raised.value.remedy and len(raised.value.text) < 400


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_is_refused_on_a_level_where_it_does_not_exist(name: str) -> None:
    for level in {FILM, SCENE, LIBRARY, SHOT} - FIELDS[name].levels:
        with pytest.raises(ShotFault, match=f"{name} cannot be set on a {level}"):
            read_value(name, "a", level, "here")


# -- one shot is invalid, the others are not -----------------------------------------------------------------

NEAR = {"characters": {"mara": {}, "marta": {}, "bob": {"description": 5}}, "styles": {"noir": {}, "NOIR": {}}}


@pytest.mark.parametrize(
    ("intent", "text", "remedy"),
    [
        ({"prompt": 5}, "prompt is '5'; expected text", "set prompt again"),
        ({"prompt": "@marra waits"}, "@marra is not in the library", "@mara or @marta"),
        ({"prompt": "@xyzzy"}, "@xyzzy is not in the library", "write @@ for a plain @"),
        ({"prompt": "@bob"}, "description is '5'; expected text", "set description again"),
        ({"style": "noir"}, "has 'noir' twice", "rename one of the two"),
        ({"style": "mara"}, "style is 'mara', but the library has that name as a character", "define it"),
        ({"model": "wam"}, "no model called 'wam' is registered", "use wan"),
        ({"seed": 2**70}, "seed is '1180591620717411303424'; expected digits in a string", "set seed again"),
        ({"keyframe": {"image": "no.png"}}, "there is no file 'no.png'", "no.png"),
        ({"first_frame": {"from": "0000000a"}}, "the use 0000000a, which is not in the cut", "first_frame="),
        ({"loras": []}, "loras cannot be set on a shot", "film, library"),
        ([], "the intent is no JSON object", '{"prompt": "…"}'),
    ],
)
def test_an_invalid_shot_says_why_beside_a_healthy_one(intent: Json, text: str, remedy: str) -> None:
    known = sources(wan="final")
    film = render(film_of({"prompt": "a"}, {"prompt": "a pier"}, **NEAR), known)
    broken = edited(film, lambda doc: items(doc)[0]["metadata"]["rushes"].update(intent=intent))
    invalid, healthy = planned(broken, known)
    assert (invalid.state, healthy.state) == ("invalid", "fresh")
    assert invalid.fault is not None
    assert text in invalid.fault.text and remedy in invalid.fault.remedy
    assert invalid.fault.where.startswith("film.otio")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda clip: clip["metadata"]["rushes"].update(scene="gone"), "the scene 'gone' is not in the film"),
        (lambda clip: clip["source_range"].update(start_time=time(86400.5)), "starts or ends between two frames"),
        (lambda clip: clip["source_range"].update(duration=time(25, 25.0)), ""),
        (lambda clip: clip["source_range"].update(duration=time(24, 25.0)), "starts or ends between two frames"),
        (
            lambda clip: clip["source_range"].update(start_time=time(86390)),
            "shows 10 frames before the shot's first",
        ),
        (lambda clip: clip["metadata"]["rushes"]["chosen"]["recipe"].pop("model"), "chosen take is damaged"),
    ],
)
def test_a_clip_that_no_take_can_fill_is_invalid_alone(change: Any, text: str) -> None:
    film = render(film_of({"prompt": "a pier"}, {"prompt": "a boat"}, frames=24))
    invalid, healthy = planned(edited(film, lambda doc: change(items(doc)[0])))
    assert healthy.state == "fresh"
    assert invalid.state == ("invalid" if text else "fresh")
    if invalid.fault:
        assert text in invalid.fault.text and "film.otio: " in invalid.fault.where and invalid.fault.remedy


def test_uses_that_say_different_things_are_both_named() -> None:
    film = render(film_of({"prompt": "a pier"}, {"prompt": "a boat"}))

    def copy(doc: Json, **changes: object) -> None:
        clip = json.loads(json.dumps(items(doc)[0]))
        clip["metadata"]["theirs"] = "1e400"
        clip["metadata"]["rushes"] |= {"use": "0000000a", **changes}
        items(doc).append(clip)

    same = edited(film, copy)
    assert [s.state for s in planned(Film(same.encode().replace(b'"1e400"', b"1e400"), "film.otio"))] == [
        "fresh"
    ] * 2
    invalid, healthy = planned(edited(film, lambda doc: copy(doc, intent={"prompt": "a pier at night"}, note="x")))
    assert (invalid.state, healthy.state) == ("invalid", "fresh")
    assert invalid.fault is not None
    assert invalid.fault.text == f"its uses {uses(film)[0]} and 0000000a say different things: intent, note"
    assert "rushes fork" in invalid.fault.remedy


def circle(*points_at: int) -> Film:
    """A film whose shot n continues from shot `points_at[n]`; a last one stands apart."""
    film = film_of(*({"prompt": str(n)} for n in range(len(points_at) + 1)))
    ids = uses(film)

    def link(doc: Json) -> None:
        for clip, target in zip(items(doc), points_at, strict=False):
            clip["metadata"]["rushes"]["intent"]["first_frame"] = {"from": ids[target]}

    return edited(film, link)


@pytest.mark.parametrize(
    ("points_at", "groups"),
    [
        ((1, 0), [{0, 1}]),
        ((1, 2, 0), [{0, 1, 2}]),
        ((0,), [{0}]),
        ((1, 2, 1), [{1, 2}]),
        ((1, 0, 3, 2, 0), [{0, 1}, {2, 3}]),
    ],
)
@pytest.mark.parametrize("backwards", [False, True])
def test_a_circle_names_all_its_members_whatever_their_order(
    points_at: tuple[int, ...], groups: list[set[int]], backwards: bool
) -> None:
    film = circle(*points_at)
    names = [s.block.name for s in film.shots.values()]
    if backwards:
        film = edited(film, lambda doc: items(doc).reverse())
    by_name = {s.block.name: s for s in planned(film)}
    for number, name in enumerate(names):
        shot = by_name[name]
        group = next((g for g in groups if number in g), None)
        if group:
            assert shot.state == "invalid" and shot.fault
            text = shot.fault.text.partition("circle: ")[2]
            assert set(text.split(", ")) == {names[n] for n in group}
    assert by_name[names[-1]].state == "missing"


def test_circles_that_share_a_shot_are_one() -> None:
    film = circle(1, 0, 1)
    ids = uses(film)

    def also(doc: Json) -> None:
        items(doc)[1]["metadata"]["rushes"]["intent"]["last_frame"] = {"from": ids[2]}

    for change in (lambda d: None, lambda d: items(d).reverse()):
        found = planned(edited(edited(film, also), change))
        circles = {s.fault.text for s in found if s.fault}
        assert sum(s.state == "invalid" for s in found) == 3 and len(circles) == 1


def test_an_escaped_key_does_not_hide_an_edge() -> None:
    film = circle(1)
    hidden = Film(film.encode().replace(b'"from"', b'"\\u0066rom"'), "film.otio")
    first, second = planned(hidden)
    assert first.upstream == (second.block.shot,)


def test_a_path_outside_the_roots_is_refused_with_the_line_that_allows_it(tmp_path: Path) -> None:
    (tmp_path / "film").mkdir()
    for name in ("secret.png", "film/near.png"):
        (tmp_path / name).write_bytes(b"png")
    database = Database(tmp_path / "rushes.db")
    folder, settings = FilmPlaces.of(tmp_path / "film" / "film.otio"), tmp_path / "settings.toml"

    def known(*roots: str) -> Sources:
        return Sources(Registry({}), MentionedFiles(folder, list(roots), FileDigests(database), settings))

    film = film_of(
        {"plate": "../secret.png"}, {"plate": str(tmp_path / "film/near.png")}, {"plate": "https://a/b.png"}
    )
    out, near, remote = planned(film, known())
    assert (out.state, near.state, remote.state) == ("invalid", "missing", "invalid")
    assert out.fault and out.fault.remedy == f'allow it in {settings}: roots = ["{tmp_path}"]'
    assert remote.fault and "no file of this machine" in remote.fault.text
    assert planned(film, known(str(tmp_path)))[0].state == "missing"


def test_footage_that_is_offline_makes_what_continues_from_it_invalid() -> None:
    film = film_of({"prompt": "a", "first_frame": {"from": "0000000f"}}, {"prompt": "b"})

    def add(doc: Json) -> None:
        clip = footage("plate.mov")
        clip["metadata"]["rushes"] = {"use": "0000000f"}
        clip["media_references"]["DEFAULT_MEDIA"]["OTIO_SCHEMA"] = "MissingReference.1"
        items(doc).append(clip)

    invalid, healthy = planned(edited(film, add), PLAIN)
    assert (invalid.state, healthy.state) == ("invalid", "missing")
    assert invalid.fault and invalid.fault.remedy == "relink the footage in the cut"
