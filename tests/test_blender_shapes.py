"""What a daemon may say to the add-on for Blender, with any part of it replaced by anything: it is taken in whole
or not at all, who asked hears of it once, and what is known afterwards can be shown."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes_blender.link.shapes import DEEPEST, MOST_ROWS, wrong_answer, wrong_event
from rushes_blender.panel import standing, words
from scripted_pipe import FILM, Desk, Json, ready, row, say_state, showing

SHOT, OTHER = "aaaaaaaa", "bbbbbbbb"

REASON = {"input": "delivery.size", "was": {"size": [1, 2]}, "now": None, "via": ["ida"]}
FAULT = {"text": "no", "where": "a", "remedy": "b"}
ROW = {**row(SHOT, "t001", "stale"), "locked": False, "waiting": "t002", "reasons": [REASON], "fault": FAULT}
JOB = {"film": FILM, "job": 1, "shot": SHOT, "name": "A"}
PROGRESS = {**JOB, "stage": "motion", "done": 1, "total": 9, "seconds_left": 4.5}
STATUS = {
    "film": FILM,
    "rate": "24/1",
    "scenes": [{"scene": "s", "code": "SC010", "name": "Quay"}],
    "shots": [ROW, row(OTHER)],
    "counts": {"stale": 1, "missing": 1},
}
EVENTS: dict[str, Json] = {
    "state": {"status": STATUS, "jobs": [JOB], "progress": [PROGRESS], "paused": False, "watched": True},
    "shots": {"rows": [ROW], "gone": [OTHER], "counts": {"fresh": 1}},
    "queued": {"jobs": [{**JOB, "state": "queued"}], "seconds_left": None},
    "progress": PROGRESS,
    "preview": {**JOB, "jpeg": "anBlZw=="},
    "ready": ready(SHOT, "t002"),
    "failed": {**JOB, "error": FAULT},
    "dropped": {**JOB, "how": "skipped", "because": "why"},
    "warned": {"text": "slow"},
    "unreadable": {"error": FAULT},
    "watched": {"on": True},
    "queue_state": {"paused": True},
}
PULLED = {
    "key": "a",
    "kind": "movie",
    "channel": 1,
    "left": 0,
    "right": 24,
    "use": OTHER,
    "shot": SHOT,
    "path": "/a.mov",
    "speed": "-1.5",
    "size": [64, 36],
}
ANSWERS: dict[str, Json] = {
    "pull": {
        "changed": True,
        "ids": [{"key": "a", "use": OTHER, "shot": SHOT}],
        "add": [PULLED],
        "dissolves": [{"key": "d", "channel": 2, "left": 1, "right": 5, "out": "a", "into": "b", "kind": "cross"}],
        "media": [showing(SHOT, "t001")],
        "known": [OTHER],
        "lacking": 1,
        "rate": "24000/1001",
        "size": [64, 36],
        "length": 24,
        "tracks": [{"label": "V1", "kind": "video", "channel": 1, "name": "", "enabled": True}],
        "scenes": [{"name": "Quay", "start": 0, "frames": 24}],
        "notes": ["a note"],
    },
    "media": {"media": [{**showing(SHOT, "t001"), "footage": ["/b.mov", 7]}]},
    "library": {
        "entries": [{"kind": "character", "name": "ida", "description": ""}],
        "scenes": [],
        "models": [{"name": "draft", "what": "quick"}],
        "cameras": ["pan"],
    },
    "fork": {"use": OTHER, "shot": SHOT, "name": "B", "of": "A", "take": "t001", "path": "/a.mov"},
    "takes": {"shot": SHOT, "takes": [{"take": "t001", "path": "/a.mov", "frames": 24, "size": None}]},
    "show": {"own": {"prompt": "a"}, "inherits": {"style": [{"level": "scene", "name": "", "value": 1}]}},
    "render": {"jobs": [1], "failed": [{"shot": SHOT, "name": "A", "error": "x", "remedy": ""}], "skipped": []},
    "daemon": {"version": "0.1.0"},
}

_SCALARS = (
    st.none()
    | st.booleans()
    | st.sampled_from(
        [0, -1, 1e400, -1e400, float("nan"), 10**30, -(2**63), 2**31, 1.5, "", "\x1b\u202e", "x" * 9000]
    )
    | st.text(max_size=4)
)
_ANYTHING = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def _places(value: Any) -> list[list[Any]]:
    """The ways to every part of it."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [[], *([key, *way] for key, part in parts for way in _places(part))]


@st.composite
def _spoilt(draw: st.DrawFn, of: dict[str, Json]) -> tuple[str, Json]:
    """A body and its name, with one to three parts replaced, or taken out."""
    name = draw(st.sampled_from(sorted(of)))
    body = deepcopy(of[name])
    for _ in range(draw(st.integers(1, 3))):
        ways = [way for way in _places(body) if way]
        if ways:
            *way, last = draw(st.sampled_from(ways))
            part: Any = body
            for each in way:
                part = part[each]
            if isinstance(part, dict) and draw(st.booleans()):
                del part[last]
            else:
                part[last] = draw(_ANYTHING)
    return name, body


def _look_at(desk: Desk) -> None:
    """As the panel does when it draws."""
    film = desk.session.film(FILM)
    assert film
    for each in film.rows.values():
        assert words.state_of(each).word and words.reasons(each) is not None and len(words.fault(each)) == 2
    for each in film.progress.values():
        assert 0 <= words.fraction(each) <= 1 and words.rendering(each)
    counts = standing.counts_of(film)
    assert words.counts(counts) and standing.to_render(film) >= 0
    assert words.time_left(film.seconds_left) is not None
    for shown in film.showings.values():
        width, height = shown["size"]
        assert width > 0 and height > 0 and shown["frames"] >= 0 and isinstance(shown["zero"], int)
    json.dumps([film.rows, film.jobs, film.showings, film.library], allow_nan=True)


def test_what_the_daemon_says_is_as_it_should_be() -> None:
    assert [wrong_event({"type": kind, **body}) for kind, body in EVENTS.items()] == [""] * len(EVENTS)
    assert [wrong_answer(command, result) for command, result in ANSWERS.items()] == [""] * len(ANSWERS)


@given(_spoilt(EVENTS))
def test_any_event(spoilt: tuple[str, Json]) -> None:
    desk = Desk().link(row(SHOT, "t001"))
    kind, body = spoilt
    desk.pipe.say(**{**body, "film": FILM, "type": kind})
    desk.poll()
    _look_at(desk)
    say_state(desk.pipe, row(OTHER, "t001"))
    desk.poll()
    film = desk.session.film(FILM)
    assert film and film.order == [OTHER] and desk.session.link_state == "linked"


@given(_spoilt(ANSWERS))
def test_any_answer(spoilt: tuple[str, Json]) -> None:
    desk, heard = Desk().link(row(SHOT, "t001")), list[Any]()
    command, result = spoilt
    desk.session.ask({"type": command, "film": FILM}, lambda *answer: heard.append(answer))
    desk.pipe.answer(command, **result)
    desk.poll()
    ((told, error),) = heard
    assert (told is None) != (error is None)
    assert error is None or (error["remedy"] and f"answers to {command}" in error["text"])
    _look_at(desk)


@pytest.mark.parametrize("result", [None, [], "text", 7, {"media": [showing(SHOT)] * (MOST_ROWS + 1)}])
def test_an_answer_that_is_none_is_an_error(result: Any) -> None:
    assert wrong_answer("media", result)


def test_what_is_wrong_is_named() -> None:
    spoilt = deepcopy(ANSWERS["pull"])
    spoilt["add"][0]["size"] = [64, 0]
    assert wrong_answer("pull", spoilt) == ".add[0].size is no whole number from 1 to 99999"
    deep: Any = 1
    for _ in range(DEEPEST + 1):
        deep = {"a": [deep]}
    assert "nested" in wrong_event({"type": "shots", "rows": [{**ROW, "reasons": [{**REASON, "was": deep}]}]})
