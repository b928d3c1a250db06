"""How the panel in Blender reads: states, reasons and times in words, mentions completed, bands on strips, and
what is asked of a shot. Plain Python: no Blender is needed.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes_blender.panel import bands, mentions, words
from rushes_blender.panel.details import Detail, Details

PALE, RED = "a girl in a yellow coat", "a girl in a red coat"


@pytest.mark.parametrize(
    ("reason", "line"),
    [
        (
            {"input": "@ida", "was": "red raincoat", "now": "green raincoat", "via": []},
            "@ida: red raincoat → green raincoat",
        ),
        ({"input": "@ida", "was": PALE, "now": RED}, "@ida: yellow coat → red coat"),
        ({"input": "action", "was": "he now walks", "now": "he now walks slowly"}, "action: walks → walks slowly"),
        (
            {
                "input": "prompt",
                "was": f"{PALE} by the sea, alone",
                "now": f"{RED} by the sea, alone now",
            },
            "prompt: yellow coat → red coat; alone → alone now",
        ),
        ({"input": "frames", "was": 48, "now": 60}, "The cut shows 60 frames, the take has 48"),
        ({"input": "camera", "was": "static", "now": None}, "camera: static → nothing"),
        ({"input": "delivery.size", "was": "1280x720", "now": "1920x1080"}, "size: 1280x720 → 1920x1080"),
        ({"input": "model.fingerprint", "was": "ab", "now": "cd"}, "The files of the model changed"),
        (
            {"input": "references", "was": [{"image": "a.png"}], "now": [{"image": "b.png"}]},
            "references: another one",
        ),
        ({"input": "keyframe", "was": None, "now": {"image": "refs/a.png"}}, "keyframe: nothing → a.png"),
        (
            {"input": "first_frame", "was": {}, "now": None, "via": ["SC010_SH010"]},
            "first frame: comes from SC010_SH010, which is to be rendered first",
        ),
    ],
)
def test_a_reason_is_a_line_in_plain_words(reason: dict[str, Any], line: str) -> None:
    assert words.reasons({"reasons": [reason]}) == [line]


def test_long_values_show_where_they_differ() -> None:
    (line,) = words.reasons(
        {"reasons": [{"input": "prompt", "was": "the sea " * 40 + "at dusk", "now": "the sea " * 40 + "at dawn"}]}
    )
    assert line == "prompt: dusk → dawn"
    (line,) = words.reasons({"reasons": [{"input": "prompt", "was": "x" * 400, "now": "y" * 400}]})
    assert len(line) < 120


def test_times_and_counts_read_as_people_say_them() -> None:
    assert [words.time_left(s) for s in (0.2, 40, 200, 5000, None, -1, float("nan"))] == [
        "1 s left", "40 s left", "3 min left", "1 h 23 min left", "", "", "",
    ]  # fmt: skip
    assert words.counts({"fresh": 12, "missing": 1, "stale": 3}) == "12 fresh · 3 stale · 1 not rendered"
    assert words.counts({}) == "no shots"
    assert words.take_of([{}, {}, {}], "t002") == "t002 of 3"
    assert words.rendering({"stage": "motion", "done": 3, "total": 9}) == "motion 3/9"
    assert words.fraction({"done": 3, "total": 9}) == pytest.approx(1 / 3)
    assert words.fraction({"done": 3, "total": 0}) == 0


def test_what_is_inherited_says_from_where() -> None:
    told = [
        {"level": "style", "name": "ink", "value": "loose lines"},
        {"level": "film", "name": "", "value": "at night"},
        {"level": "character", "name": "ida", "value": "a girl"},
    ]
    assert words.inherited(told) == ["Style ink: loose lines", "Film: at night", "@ida: a girl"]


@given(st.text(), st.integers(0, 80), st.integers(1, 9))
def test_wrapped_texts_fit(text: str, columns: int, most: int) -> None:
    lines = words.wrapped(text, columns, most)
    assert len(lines) <= most
    assert all(len(line) <= max(1, columns) for line in lines)


@given(st.dictionaries(st.text(), st.none() | st.text() | st.integers() | st.lists(st.text())))
def test_no_row_is_too_odd_to_be_read(row: dict[str, Any]) -> None:
    words.state_of(row)
    words.value(row)
    words.reasons({"reasons": [row]})


LIBRARY = [
    {"kind": "character", "name": "ida", "description": "a girl of eight"},
    {"kind": "character", "name": "old_tom", "description": "a tall man"},
    {"kind": "location", "name": "harbour", "description": ""},
]


@pytest.mark.parametrize(
    ("typed", "proposed"),
    [
        ("a boat", []),
        ("a boat and @", ["a boat and @harbour", "a boat and @ida", "a boat and @old_tom"]),
        ("@i", ["@ida"]),
        ("@tom", ["@old_tom"]),
        ("@IDA looks at @ha", ["@IDA looks at @harbour"]),
        ("@ol looks at @ida.", ["@old_tom looks at @ida."]),
        ("@ida looks up", []),
        ("mail@i", []),
        ("@@i", []),
        ("@zoe", []),
    ],
)
def test_mentions_are_completed(typed: str, proposed: list[str]) -> None:
    assert [text for text, _ in mentions.completions(typed, LIBRARY)] == proposed


def test_who_is_mentioned_is_told() -> None:
    assert mentions.completions("@i", LIBRARY) == [("@ida", "character: a girl of eight")]
    assert mentions.completions("@h", LIBRARY) == [("@harbour", "location")]


def test_bands_lie_in_their_strips_and_words_have_room() -> None:
    wide = bands.placed((100, 300, 50, 110), "rendering", {"locked": True}, 0.5)
    thin = bands.placed((400, 404, 50, 110), "stale", {})
    found = bands.rectangles([wide, thin], 1.0)
    assert found
    assert all(100 <= one.left <= one.right <= 404 and 50 <= one.bottom < one.top < 80 for one in found)
    done = next(one for one in found if one.colour == bands.COLOURS["rendering"])
    assert done.right == pytest.approx(200, abs=2)
    assert [label.text for label in bands.labels([wide], 1.0)] == ["50% · locked"]
    assert not bands.labels([bands.placed((0, 99, 0, 20), "stale", {})], 1.0)
    assert bands.label(bands.placed((0, 9, 0, 9), "fresh", {})) == ""
    assert not bands.rectangles([bands.placed((0, 99, 0, 99), "of the future", {})], 1.0)


class Daemon:
    """Answers `show` when it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []

    def ask(self, body: dict[str, Any], done: Any) -> None:
        self.asked.append((body["shot"], done))

    def answer(self, *given: dict[str, Any] | None) -> str:
        shot, done = self.asked.pop(0)
        done(*given)
        return shot


def test_a_shot_is_asked_for_once_and_again_when_its_row_comes_anew() -> None:
    daemon, changes = Daemon(), []
    details = Details(daemon.ask, lambda: changes.append(1))
    rows: dict[str, Any] = {"a": {"state": "stale"}}
    for _ in range(3):
        details.keep("f", ["a", "b"], rows)
    assert details.of("f", "a") is None
    assert (
        daemon.answer(
            {"own": {"prompt": "sea"}, "inherits": {"camera": [{"level": "scene"}, {"level": "film"}]}}, None
        )
        == "a"
    )
    assert not daemon.asked and changes == [1]
    detail = details.of("f", "a")
    assert detail is not None and detail.own == {"prompt": "sea"}
    assert detail.inherited("camera") == [{"level": "scene"}]
    rows["a"] = {"state": "stale"}
    details.keep("f", ["a"], rows)
    daemon.answer(None, {"kind": "lost", "text": "the daemon is gone"})
    assert details.of("f", "a") == Detail(
        rows["a"], 2, 2, True, {"prompt": "sea"}, detail.inherits, "", "the daemon is gone"
    )


def test_a_daemon_that_does_not_say_what_is_own_is_no_ground_to_edit_on() -> None:
    daemon = Daemon()
    details = Details(daemon.ask, lambda: None)
    details.refresh("f", "a")
    assert details.fault("f", "a") == ""
    daemon.answer({"recipe": {}}, None)
    assert details.of("f", "a") is None
    assert "pip install -U rushes" in details.fault("f", "a")


def test_what_was_typed_stays_until_the_last_answer() -> None:
    daemon = Daemon()
    details = Details(daemon.ask, lambda: None)
    details.refresh("f", "a")
    daemon.answer({"own": {"prompt": "sea", "seed": "7"}}, None)
    details.refresh("f", "a")
    details.assume("f", "a", "prompt", "a storm")
    details.refresh("f", "a")
    daemon.answer({"own": {"prompt": "sea"}}, None)
    detail = details.of("f", "a")
    assert detail is not None and detail.own == {"prompt": "a storm", "seed": "7"}
    daemon.answer({"own": {"prompt": "a storm"}}, None)
    assert details.of("f", "a").own == {"prompt": "a storm"}  # type: ignore[union-attr]
    details.assume("f", "a", "prompt", "")
    assert detail.own == {}
