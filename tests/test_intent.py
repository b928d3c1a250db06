"""What people ask for: inherited, composed, normalised; and what is wrong in one shot stays with that shot."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from films import film_of
from rushes_otio.errors import ShotFault
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
    assert found.values["caption"] == "Mara's umbrella turns over, @noon\nOld Tom waves"
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
