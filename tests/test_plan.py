"""What is stale and why: exactly the shots that a change touches, with reasons a person can read."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from films import (
    edited,
    film_of,
    footage,
    items,
    planned,
    reasons,
    render,
    shot_ids,
    sources,
    states,
)
from rushes.engine.reasons import PICTURE, enter
from rushes_otio.film import Film
from rushes_otio.setting import Level, put_intent

Json = dict[str, Any]
FILES = {"a.png": "A", "b.png": "B", "mara.png": "M", "noir.safetensors": "N"}
KNOWN = sources(FILES, wan="final")
LIBRARY: Json = {
    "characters": {
        "mara": {"description": "a tall woman", "references": [{"image": "mara.png"}]},
        "tom": {"description": "an old man"},
    },
    "styles": {"noir": {"description": "grainy", "loras": [{"file": "noir.safetensors", "weight": 0.8}]}},
    "locations": {"pier": {"description": "a wooden pier"}},
}
SHOTS: list[Json] = [
    {"prompt": "@mara waits", "location": "pier"},
    {"prompt": "the sea", "action": "@Mara's hat floats by", "params": {"shift": 5.0, "tile": [1, 0.5]}},
    {"prompt": "@tom rows", "guidance": 5.0, "references": [{"image": "a.png", "as": "boat"}]},
    {"prompt": "a gull", "keyframe": {"image": "b.png"}},
]


def cast_film() -> Film:
    film = film_of(*SHOTS, film={"style": "noir", "delivery": {"size": "640x360"}}, **LIBRARY)
    return render(film, KNOWN)


FILM = cast_film()


def put(film: Film, level: Level, **intent: object) -> Film:
    """The film with an intent in place of what was set at that level."""
    again = Film(film.encode(), film.where)
    put_intent(again, level, {key: Raw(json.dumps(value).encode()) for key, value in intent.items()})
    return again


def scene(film: Film) -> Level:
    return Level("scene", film.block.scenes[0].id)


# -- what changes nothing ------------------------------------------------------------------------------------


def test_a_rendered_film_is_fresh_and_stays_so_after_a_save() -> None:
    assert states(FILM, KNOWN) == ["fresh"] * 4
    assert states(Film(FILM.encode(), "elsewhere.otio"), KNOWN) == ["fresh"] * 4


@given(st.randoms(use_true_random=False))
def test_nothing_but_meaning_counts(luck: random.Random) -> None:
    """Order of keys, spelling of numbers, places in the cut, names, grades, notes: all of it renders nothing."""

    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            pairs = [(key, shuffled(inner)) for key, inner in value.items()]
            luck.shuffle(pairs)
            return dict(pairs)
        return [shuffled(inner) for inner in value] if isinstance(value, list) else value

    def change(doc: Json) -> None:
        luck.shuffle(items(doc))
        items(doc).insert(luck.randrange(4), footage("plate.mov"))
        for number, clip in enumerate(items(doc)):
            clip["effects"].append({"OTIO_SCHEMA": "Effect.1", "metadata": {"grade": 0.5}, "effect_name": "look"})
            block = clip["metadata"].get("rushes", {})
            if block:
                block |= {"name": f"renamed {number}", "note": "look", "takes": {"t001": {"circled": True}}}
        row = doc["metadata"]["rushes"]["scenes"][0]
        row |= {"name": "QUAY", "code": "SC990", "theirs": 1.5}

    def respelled(found: re.Match[str]) -> str:
        whole = found[1]
        return luck.choice([f"{whole}", f"{whole}.0", f"{whole}.00", f"{whole}e0"])

    doc = json.loads(FILM.encode())
    change(doc)
    text = json.dumps(shuffled(doc))
    text = (
        re.sub(r"(?<=[ \[])(\d+)(?:\.0)?(?=[,}\]])", respelled, protect(text))
        .replace("<int ", "")
        .replace(">", "")
    )
    film = Film(text.encode(), "film.otio")
    assert states(film, KNOWN) == ["fresh"] * 4
    recipes = {s.block.shot: s.recipe for s in planned(FILM, KNOWN)}
    assert {s.block.shot: s.recipe for s in planned(film, KNOWN)} == recipes


def protect(text: str) -> str:
    """Integers that the format wants as integers, marked so that they are not spelled in another way."""
    return re.sub(r'("(?:v|next_take|shift|frame)": )(\d+)', r"\1<int \2>", text)


# -- what changes something, and how it is said --------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "name", "intent", "stale"),
    [
        (
            "character",
            "Mara",
            {**LIBRARY["characters"]["mara"], "description": "a short woman"},
            {0: "@mara", 1: "@mara"},
        ),
        ("character", "mara", {"description": "a tall woman"}, {0: "references", 1: "references"}),
        ("character", "tom", {"description": "a young man"}, {2: "@tom"}),
        ("location", "pier", {"description": "a stone pier"}, {0: "location"}),
        ("character", "new", {"description": "nobody mentions her"}, {}),
    ],
)
def test_a_library_entry_touches_exactly_who_mentions_it(kind: str, name: str, intent: Json, stale: Json) -> None:
    film = put(FILM, Level(kind, name), **intent)
    assert reasons(film, KNOWN) == [[stale[n]] if n in stale else [] for n in range(4)]


def test_reasons_say_what_was_and_what_is() -> None:
    film = put(
        FILM, Level("character", "mara"), **{**LIBRARY["characters"]["mara"], "description": "a short woman"}
    )
    reason = planned(film, KNOWN)[0].reasons[0]
    assert (reason.input, reason.was, reason.now, reason.via) == ("@mara", "a tall woman", "a short woman", ())
    assert reason.stages == PICTURE
    film = put(FILM, Level("style", "noir"), **{**LIBRARY["styles"]["noir"], "description": "clean"})
    assert reasons(film, KNOWN) == [["style"]] * 4
    assert planned(film, KNOWN)[3].reasons[0].was == "grainy"


@pytest.mark.parametrize(
    ("intent", "inputs"),
    [
        ({"prompt": "@mara runs", "location": "pier"}, ["prompt"]),
        ({"prompt": "@mara waits", "seed": "7"}, ["location", "seed"]),
        ({"prompt": "@tom waits", "location": "pier"}, ["prompt", "references"]),
        ({"prompt": "a tall woman waits", "location": "pier"}, ["caption", "references"]),
        ({"prompt": "@mara waits", "location": "pier", "camera": "pan", "steps": 20}, ["camera", "steps"]),
        ({"prompt": "@mara waits", "location": "pier", "model": "animatic"}, ["model"]),
        ({"prompt": "@mara waits", "location": "pier", "keyframe": {"image": "a.png"}}, ["keyframe"]),
        ({"prompt": "@mara waits", "location": "pier", "theirs": 5}, []),
    ],
)
def test_an_edit_of_one_shot_touches_that_shot(intent: Json, inputs: list[str]) -> None:
    assert reasons(put(FILM, Level("shot", shot_ids(FILM)[0]), **intent), KNOWN) == [inputs, [], [], []]


def test_the_codec_asks_for_no_new_picture_and_the_size_neither() -> None:
    film = put(FILM, Level("film"), style="noir", delivery={"size": "1280x720", "codec": "h264"}, fit="fit")
    for shot in planned(film, KNOWN):
        assert [r.input for r in shot.reasons] == ["fit", "delivery.codec", "delivery.size"]
        assert not enter(shot.reasons, PICTURE) and shot.settled


def test_a_name_that_changes_is_a_reason_of_its_own_also_beside_another_one() -> None:
    def rename(doc: Json, name: str) -> None:
        cast = doc["metadata"]["rushes"]["library"]["characters"]
        cast[name] = cast.pop("tom")
        prompt = items(doc)[2]["metadata"]["rushes"]["intent"]
        prompt["prompt"] = prompt["prompt"].replace("@tom", f"@{name}")

    old = edited(FILM, lambda doc: rename(doc, "thomas"))
    assert reasons(old, KNOWN)[2] == ["caption"]
    both = put(old, Level("film"), style="noir", delivery={"size": "640x360", "codec": "h264"})
    assert reasons(both, KNOWN)[2] == ["caption", "delivery.codec"]
    assert not planned(both, KNOWN)[2].settled
    assert reasons(edited(FILM, lambda doc: rename(doc, "TOM")), KNOWN)[2] in (["caption"], ["cast"])


def test_files_count_by_what_they_hold() -> None:
    moved = {**FILES, "c.png": "A"}
    intent = {**SHOTS[2], "references": [{"image": "c.png", "as": "boat"}]}
    film = put(FILM, Level("shot", shot_ids(FILM)[2]), **intent)
    assert states(film, sources(moved, wan="final")) == ["fresh"] * 4
    assert reasons(FILM, sources({**FILES, "a.png": "painted over"}, wan="final")) == [[], [], ["references"], []]


def test_a_recorded_model_stands_until_something_else_is_asked_for() -> None:
    assert {s.recipe["model"]["name"] for s in planned(FILM, KNOWN) if s.recipe} == {"wan"}
    assert states(FILM, sources(FILES)) == ["fresh"] * 4  # not installed here: nothing is said about it
    assert states(FILM, sources(FILES, wan="final", other="final")) == ["fresh"] * 4
    assert reasons(put(FILM, scene(FILM), model="draft"), KNOWN) == [["model"]] * 4

    def older(doc: Json) -> None:
        for clip in items(doc):
            clip["metadata"]["rushes"]["chosen"]["recipe"]["model"]["fingerprint"] = "0" * 64

    assert reasons(edited(FILM, older), KNOWN) == [["model.fingerprint"]] * 4
