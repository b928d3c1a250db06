"""Shots that start from a frame of another shot, or of footage: what reaches them and what does not."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

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
from rushes_otio.film import Film

Json = dict[str, Any]


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
    assert states(trimmed(chain(), 60)) == ["fresh", "stale", "fresh"]
    first, second, _ = planned(trimmed(chain(), 61))
    assert [(r.input, r.was, r.now) for r in first.reasons] == [("frames", 61, 62)]
    assert [(r.input, r.now) for r in second.reasons] == [("first_frame", None)] and second.recipe is None


def test_a_picture_change_upstream_is_unknown_downstream_until_rendered() -> None:
    film = changed(chain(), prompt="a stone pier")
    first, second, third = planned(film)
    assert (first.state, second.state, third.state) == ("stale", "stale", "fresh")
    (reason,) = second.reasons
    assert (reason.input, reason.now, reason.via) == ("first_frame", None, (first.block.name,))
    assert first.block.chosen and reason.was == {"motion": first.block.chosen.motion, "frame": 48}
    assert second.recipe is None and second.upstream == (first.block.shot,)
    rendered = render(film, only={first.block.shot})
    assert states(rendered) == ["fresh", "stale", "fresh"]
    assert planned(rendered)[1].reasons[0].now is not None


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
    picture = {"first_frame": {"image": "a.png"}}
    known = sources({"a.png": "a picture"})
    never = changed(render(film_of(picture), known), first_frame={"from": "0000000a"})
    assert states(never, known) == ["invalid"]  # a picture is no frame of a use that left


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
    assert second.recipe["plate"] == {"media": digest, "frame": 100}, "from where it is shown"
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
