"""Which frames of a take the cut shows: trims, speeds, freezes, reversals, transitions, several uses."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from films import (
    ZERO,
    edited,
    film_of,
    footage,
    items,
    planned,
    reasons,
    render,
    states,
    time,
    time_range,
    transition,
    warp,
)
from rushes_otio.adding import make_shot
from rushes_otio.build import film_from_cut
from rushes_otio.cut import Span, shown
from rushes_otio.film import Film
from rushes_otio.timing import Rate

Json = dict[str, Any]
HAVE = 60  # 48 frames in the cut and 12 at the tail
FRESH = render(film_of({"prompt": "a pier"}, frames=48))


def cut_of(first: int, frames: int, *effects: Json, before: float = 0, after: float = 0) -> Film:
    """The rendered shot with another range in the cut, with effects, and with dissolves beside it."""

    def change(doc: Json) -> None:
        clip = items(doc)[0]
        clip["source_range"] = time_range(ZERO + first, frames)
        clip["effects"] = list(effects)
        if before:
            items(doc)[:0] = [footage("a.mov"), transition(before, before)]
        if after:
            items(doc).extend([transition(after, after), footage("b.mov")])

    return edited(FRESH, change)


DOUBLE, HALF = warp("LinearTimeWarp.1", 2.0), warp("LinearTimeWarp.1", 0.5)
REVERSED, FREEZE = warp("LinearTimeWarp.1", -1.0), warp("FreezeFrame.1", 0.0)
RAMP, LOOK = warp("TimeEffect.1"), warp("Effect.1")


@pytest.mark.parametrize(
    ("film", "needed"),
    [
        (cut_of(0, 48), 48),
        (cut_of(0, 60), 60),
        (cut_of(12, 48), 60),
        (cut_of(13, 48), 61),
        (cut_of(0, 61), 61),
        (cut_of(0, 30, DOUBLE), 59),
        (cut_of(0, 31, DOUBLE), 61),
        (cut_of(0, 120, HALF), 60),
        (cut_of(0, 121, HALF), 61),
        (cut_of(0, 60, DOUBLE, HALF), 60),
        (cut_of(59, 1000, FREEZE), 60),
        (cut_of(60, 1000, FREEZE), 61),
        (cut_of(0, 60, REVERSED), 60),
        (cut_of(0, 60, RAMP, LOOK), 60),
        (cut_of(0, 48, after=12), 60),
        (cut_of(0, 48, after=13), 61),
        (cut_of(0, 24, DOUBLE, after=6), 59),
        (cut_of(12, 36, before=12, after=12), 60),
        (cut_of(0, 48, REVERSED, before=12), 60),
    ],
)
def test_a_take_is_good_while_it_covers_what_the_cut_shows(film: Film, needed: int) -> None:
    (shot,) = planned(film)
    assert (shot.needed, shot.have) == (needed, HAVE)
    assert shot.state == ("fresh" if needed <= HAVE else "stale")
    assert [(r.input, r.was, r.now) for r in shot.reasons] == (
        [] if needed <= HAVE else [("frames", HAVE, needed)]
    )
    assert not any(r.stages for r in shot.reasons)  # a length alone changes no picture


@pytest.mark.parametrize(
    ("film", "early"),
    [
        (cut_of(-1, 48), 1),
        (cut_of(0, 48, before=6), 6),
        (cut_of(11, 24, DOUBLE, before=6), 1),
        (cut_of(0, 48, REVERSED, after=6), 6),
    ],
)
def test_frames_before_the_first_make_the_shot_invalid(film: Film, early: int) -> None:
    (shot,) = planned(film)
    assert shot.state == "invalid" and shot.fault
    assert f"the cut shows {early} frames before the shot's first frame (V1, record frame" in shot.fault.text
    assert "rushes fork" in shot.fault.remedy


def test_two_uses_are_covered_together() -> None:
    def again(doc: Json, first: int, frames: int) -> None:
        clip = json.loads(json.dumps(items(doc)[0]))
        clip["metadata"]["rushes"]["use"] = "0000000b"
        clip["source_range"] = time_range(ZERO + first, frames)
        items(doc).append(clip)

    (shot,) = planned(edited(FRESH, lambda doc: again(doc, 40, 20)))
    assert (shot.state, shot.needed, len(shot.uses)) == ("fresh", 60, 2)
    assert reasons(edited(FRESH, lambda doc: again(doc, 40, 21))) == [["frames"]]
    assert states(edited(FRESH, lambda doc: again(doc, -1, 5))) == ["invalid"]


def test_a_clip_without_a_range_shows_all_of_its_media() -> None:
    (shot,) = planned(edited(FRESH, lambda doc: items(doc)[0].update(source_range=None)))
    assert (shot.state, shot.needed) == ("fresh", HAVE)


@given(st.integers(0, 200), st.integers(1, 200), st.sampled_from([0.25, 0.5, 1.0, 1.5, 2.0, 4.0]))
def test_a_speed_shows_the_frames_it_says_one_by_one(first: int, frames: int, speed: float) -> None:
    film = cut_of(first, frames, warp("LinearTimeWarp.1", speed))
    frames_shown = [first + int(i * Fraction(speed)) for i in range(frames)]
    assert shown(film, film.video[0], 0) == Span(frames_shown[0], frames_shown[-1] + 1)
    assert film.length == frames


@pytest.mark.parametrize("rate", [23.976, 23.98, 24000 / 1001, 24.0, 25, 29.97, 59.94])
@pytest.mark.parametrize("own", [None, 25.0])
def test_a_clip_that_becomes_a_shot_shows_the_same_frames_of_its_media(rate: float, own: float | None) -> None:
    doc = json.loads(film_of({}).encode())
    del doc["metadata"]["rushes"]
    doc["global_start_time"] = time(0, rate)
    clip = footage("plate.mov", start=1000, frames=48)
    clip["source_range"] = time_range(1000, 48, rate)
    media = clip["media_references"]["DEFAULT_MEDIA"]
    media["available_range"] = time_range(900 * (own or rate) / rate, 200 * (own or rate) / rate, own or rate)
    clip["markers"] = [{"OTIO_SCHEMA": "Marker.2", "marked_range": time_range(1010, 1, rate), "name": "look"}]
    fade = transition(6, 6)
    fade["in_offset"]["rate"] = fade["out_offset"]["rate"] = rate
    items(doc)[:] = [footage("a.mov"), fade, clip]
    items(doc)[0]["source_range"] = time_range(0, 48, rate)
    film = film_from_cut(json.dumps(doc).encode(), "film.otio")
    assert str(film.rate) == str(Rate.from_float(rate))
    shot = make_shot(film, film.video[0], 2)
    made = items(json.loads(film.encode()))[2]
    moved = made["source_range"]["start_time"]["value"]
    assert moved == film.rate.shot_zero + 6  # the dissolve's first frame is shot frame 0
    assert shot.block.shift == moved - 1000
    start = made["media_references"]["DEFAULT_MEDIA"]["available_range"]["start_time"]
    exact = start["value"] if own is None else start["value"] * float(film.rate) / own
    assert exact == pytest.approx(moved - 100, abs=1e-3 if own is None else 0.2)
    assert made["markers"][0]["marked_range"]["start_time"]["value"] == moved + 10
    assert planned(film)[0].needed == 54
