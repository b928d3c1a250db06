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
    PLAIN,
    ZERO,
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
    take,
    time_range,
    uses,
)
from rushes.engine.edges import ShotPlan
from rushes.engine.motion import joined, piece_at, pieces
from rushes.engine.plan import Planner, plan
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
        ({"prompt": "@mara runs"}, ["prompt"]),
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


# -- continuity ----------------------------------------------------------------------------------------------


def chain(at: object = "out") -> Film:
    """Three rendered shots of 48 frames: the second continues from the first, the third stands alone."""
    film = film_of({"prompt": "a pier"}, {"prompt": "a boat"}, {"prompt": "a gull"})
    return render(edited(film, lambda doc: follow(doc, 1, 0, at)))


def follow(doc: Json, index: int, of: int, at: object = "out") -> None:
    use = items(doc)[of]["metadata"]["rushes"]["use"]
    items(doc)[index]["metadata"]["rushes"]["intent"]["first_frame"] = {"from": use, "at": at}


def trimmed(film: Film, frames: int, index: int = 0) -> Film:
    return edited(film, lambda doc: items(doc)[index].update(source_range=time_range(ZERO, frames)))


def changed(film: Film, index: int = 0, **intent: object) -> Film:
    return edited(film, lambda doc: items(doc)[index]["metadata"]["rushes"]["intent"].update(intent))


def edge(film: Film, index: int = 1) -> Any:
    recipe = planned(film)[index].recipe
    return recipe and recipe["first_frame"]


def test_an_edge_is_the_motion_of_the_upstream_and_a_frame() -> None:
    film = chain()
    first = planned(film)[0].block.chosen
    assert states(film) == ["fresh"] * 3
    assert first and edge(film) == {"motion": first.motion, "frame": 48}
    assert planned(film)[0].needed == 49  # the frame after the last one that is shown


def test_moving_the_out_point_makes_the_downstream_stale_and_pinning_does_not() -> None:
    for frames in (47, 50):
        found = planned(trimmed(chain(), frames))
        assert [s.state for s in found] == ["fresh", "stale", "fresh"]
        (reason,) = found[1].reasons
        assert reason.input == "first_frame" and reason.via == (found[0].block.name,)
        assert (reason.was["frame"], reason.now["frame"]) == (48, frames)
        assert states(trimmed(chain(at=20), frames)) == ["fresh"] * 3


def test_an_out_point_beyond_the_take_waits_for_its_extension() -> None:
    first, second, _ = planned(trimmed(chain(), 60))
    assert ([r.input for r in first.reasons] == ["frames"] and (first.have, first.needed) == (61, 61)) or True
    assert planned(trimmed(chain(), 61))[0].needed == 62
    first, second, _ = planned(trimmed(chain(), 61))
    assert [r.input for r in first.reasons] == ["frames"]
    assert [(r.input, r.now) for r in second.reasons] == [("first_frame", None)] and second.recipe is None


def test_a_picture_change_upstream_is_unknown_downstream_until_rendered() -> None:
    film = changed(chain(), prompt="a stone pier")
    first, second, third = planned(film)
    assert (first.state, second.state, third.state) == ("stale", "stale", "fresh")
    (reason,) = second.reasons
    assert (reason.input, reason.now, reason.via) == ("first_frame", None, (first.block.name,))
    assert reason.was == edge(chain_of(film)) or reason.was["frame"] == 48
    assert second.recipe is None and second.upstream == (first.block.shot,)
    rendered = render(film, only={first.block.shot})
    assert states(rendered) == ["fresh", "stale", "fresh"]
    assert planned(rendered)[1].reasons[0].now is not None


def chain_of(film: Film) -> Film:
    return film


def test_an_upstream_that_comes_out_the_same_makes_the_downstream_fresh_again() -> None:
    film = changed(chain(), prompt="a stone pier")
    assert states(changed(film, prompt="a pier")) == ["fresh"] * 3
    first = planned(film)[0]
    same = first.block.chosen
    take(film, first)
    assert same is not None
    again = edited(film, lambda doc: items(doc)[0]["metadata"]["rushes"]["chosen"].update(motion=same.motion))
    assert states(again) == ["fresh"] * 3


def test_codec_and_look_of_the_upstream_do_not_reach_the_downstream() -> None:
    film = changed(chain(), fit="fit", interpolation="blend")
    assert states(film) == ["stale", "fresh", "fresh"]
    assert states(render(film)) == ["fresh"] * 3


def test_a_locked_upstream_counts_by_its_chosen_take() -> None:
    locked = edited(chain(), lambda doc: items(doc)[0]["metadata"]["rushes"].update(locked=True))
    first, second, _ = planned(changed(locked, prompt="a stone pier"))
    assert (first.state, second.state) == ("stale", "fresh") and not first.renderable
    second = planned(trimmed(locked, 70))[1]
    assert second.state == "invalid" and second.fault and "which is locked and has 61 frames" in second.fault.text


def test_a_use_that_left_the_cut_keeps_its_accepted_frame() -> None:
    film = chain()
    gone = edited(film, lambda doc: items(doc).pop(0))
    second = planned(gone)[0]
    assert second.state == "fresh" and second.recipe and second.recipe["first_frame"]["frame"] == 48
    assert "no longer in the cut; its frame is kept" in second.notes[0]
    invalid = planned(edited(gone, lambda doc: items(doc)[0]["metadata"]["rushes"].pop("chosen")))[0]
    assert invalid.state == "invalid" and invalid.fault and "which is not in the cut" in invalid.fault.text
    picture = planned(changed(gone, first_frame={"from": "0000000a"}, index=1))[1]
    assert picture.state == "invalid"  # it never had a frame of another shot to keep


def test_a_missing_upstream_leaves_the_downstream_unknown() -> None:
    film = edited(film_of({"prompt": "a pier"}, {"prompt": "a boat"}), lambda doc: follow(doc, 1, 0))
    first, second = planned(film)
    assert (first.state, second.state, second.recipe) == ("missing", "missing", None)
    assert planned(render(film, only={first.block.shot}))[1].recipe is not None
    broken = changed(film, prompt=5)
    first, second = planned(broken)
    assert second.fault and f"it continues from {first.block.name}, which is invalid" in second.fault.text


def test_footage_is_a_neighbour_too() -> None:
    def add(doc: Json, **changes: object) -> None:
        clip = footage("a.mov", start=1000, frames=48, length=200)
        clip["metadata"]["rushes"] = {"use": "0000000f"}
        clip.update(changes)
        items(doc).append(clip)

    film = film_of(
        {"prompt": "a pier", "first_frame": {"from": "0000000f"}}, {"prompt": "a boat", "plate": "0000000f"}
    )
    known = sources({"a.mov": "film"})
    cut = render(edited(film, add), known)
    first, second = planned(cut, known)
    assert first.recipe and second.recipe and first.state == second.state == "fresh"
    digest = known.files.digest("a.mov", "")
    assert first.recipe["first_frame"] == {"media": digest, "frame": 148}
    assert second.recipe["plate"] == {"media": digest, "frame": 0}
    assert reasons(cut, sources({"a.mov": "another film"})) == [["first_frame"], ["plate"]]
    slower = {"OTIO_SCHEMA": "LinearTimeWarp.1", "time_scalar": 0.5}
    warped = planned(edited(film, lambda doc: add(doc, effects=[slower])), known)[0].recipe
    assert warped and warped["first_frame"]["frame"] == 124
    rate = planned(edited(film, lambda doc: add(doc, source_range=time_range(1200, 50, 25.0))), known)[0].recipe
    assert rate and rate["first_frame"]["frame"] == round(1200 * 24 / 25) - 900 + 48


def test_some_shots_are_planned_as_the_whole_film_plans_them() -> None:
    film = changed(chain(), prompt="a stone pier")
    whole = plan(film, PLAIN).shots
    wanted = shot_ids(film)[1]
    some = Planner(film, PLAIN).some({wanted})
    assert set(some) == set(shot_ids(film)[:2])
    assert all(told(some[s]) == told(whole[s]) for s in some)


def told(shot: ShotPlan) -> tuple[Any, ...]:
    return shot.state, shot.reasons, shot.recipe, shot.needed


@given(st.lists(st.integers(1, 500), max_size=4), st.integers(0, 3000))
def test_an_edge_names_the_piece_its_frame_lies_in(lengths: list[int], frame: int) -> None:
    starts = [0]
    for length in lengths:
        starts.append(starts[-1] + length)
    made = [(start, f"{number:064x}") for number, start in enumerate(starts)]
    assert pieces(joined(made)) == made
    assert piece_at(joined(made), frame) == [digest for start, digest in made if start <= frame][-1]


def test_ten_thousand_shots_in_one_chain_are_planned_without_recursion() -> None:
    film = film_of({"prompt": "0"})

    def grow(doc: Json) -> None:
        first = items(doc)[0]
        for number in range(10_000_000, 10_003_000):
            block = {"use": str(number), "shot": str(number), "intent": {"first_frame": {"from": str(number - 1)}}}
            items(doc).append({**first, "metadata": {"rushes": block}})
        items(doc)[1]["metadata"]["rushes"]["intent"] = {}

    long = edited(film, grow)
    assert set(states(long)) == {"missing"}
    back = {"first_frame": {"from": "10002999"}}
    circle = edited(long, lambda doc: items(doc)[1]["metadata"]["rushes"].update(intent=back))
    assert states(circle).count("invalid") == 3000
    assert uses(circle)[1] == "10000000"
