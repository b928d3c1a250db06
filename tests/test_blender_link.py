"""What the session of the add-on for Blender makes of a daemon that misbehaves and of a link that breaks. Plain
Python: no Blender is needed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes_blender import texts
from rushes_blender.link.asking import PATIENCE_S
from rushes_blender.link.pipe import CannotStart
from rushes_blender.link.session import MOST_LINE, MOST_NONSENSE, Session
from rushes_otio import text as text_of_films
from scripted_pipe import FILM, Clock, Desk, Json, Scripted, ready, row, say_state, showing

# -- a daemon as it should not be ----------------------------------------------------------------------------


def test_hundreds_of_events_in_one_poll_are_one_call() -> None:
    desk = Desk().link(*(row(f"{n:08}", "t001") for n in range(300)))
    for n in range(300):
        desk.pipe.say("ready", **ready(f"{n:08}", "t002", n))
        desk.pipe.say("progress", film=FILM, job=n, shot=f"{n:08}", name="", stage="motion", done=1, total=2)
    assert desk.poll() == 600
    assert desk.told.media == [(FILM, {f"{n:08}" for n in range(300)})]
    assert desk.told.changes == [FILM]


def test_a_poll_keeps_to_its_time() -> None:
    desk = Desk().link(row("aaaaaaaa"))
    for n in range(100):
        desk.pipe.say("warned", film=FILM, text=str(n))
    desk.clock.cost = 0.1
    assert 0 < desk.poll() < 12 and desk.session.has_more
    desk.clock.cost = 0.0
    assert desk.poll() > 80 and not desk.session.has_more


NONSENSE = [
    b"",
    b"nonsense",
    b"[1, 2]",
    b'"text"',
    b"null",
    b"{}",
    b'{"body": null}',
    b'{"body": {"type": "state"}}',
    b'{"v": 1, "body": {"type": "state", "film": "%s", "status": {"shots": [1]}}}' % FILM.encode(),
    b'{"v": 1, "body": {"type": "shots", "film": "%s", "rows": [{}]}}' % FILM.encode(),
    b'{"v": 1, "body": {"type": "ready", "film": "%s", "job": 1, "shot": "a", "chosen": true}}' % FILM.encode(),
    b'{"v": 1, "body": {"type": "preview", "film": "%s", "shot": "a", "jpeg": "%%"}}' % FILM.encode(),
    b'{"v": 1, "body": {"type": "what is this", "film": "%s"}}' % FILM.encode(),
    b'{"v": "one", "body": {"type": 7}}',
    b'{"v": 1, "parent": [], "body": {"type": "answer"}}',
    b"[" * 100_000,
    b'{"body": ' * 50_000,
    b"\xff\xfe\x00",
]


@pytest.mark.parametrize("line", NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_is_passed_over(line: bytes) -> None:
    desk = Desk().link(row("aaaaaaaa", "t001"))
    desk.pipe.lines.append(line)
    desk.pipe.say("shots", film=FILM, rows=[row("aaaaaaaa", "t001", "stale")])
    desk.poll()
    film = desk.session.film(FILM)
    assert film and film.rows["aaaaaaaa"]["state"] == "stale"
    assert desk.session.link_state == "linked"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["aaaaaaaa", "t001", FILM]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_TYPES = "state shots queued progress preview ready failed dropped warned unreadable watched queue_state unlinked"
_FIELDS = (
    "status rows gone counts jobs progress shot job take path frames size error text on paused why jpeg chosen"
)


@given(st.sampled_from(_TYPES.split()), st.dictionaries(st.sampled_from(_FIELDS.split()), _JSON, max_size=6))
def test_whatever_a_message_holds_it_ends_nothing(kind: str, fields: Json) -> None:
    desk = Desk().link(row("aaaaaaaa", "t001"))
    desk.pipe.say(kind, **{"film": FILM, **fields})
    desk.poll()
    desk.pipe.say("linked", daemon="d")
    say_state(desk.pipe, row("cccccccc", "t001"))
    desk.poll()
    film = desk.session.film(FILM)
    assert film and film.order == ["cccccccc"]


def test_what_says_nothing_but_nonsense_is_given_up() -> None:
    desk = Desk().link(row("aaaaaaaa"))
    for count in (MOST_NONSENSE - 1, MOST_NONSENSE - 1, MOST_NONSENSE):
        assert desk.session.link_state == "linked"
        desk.pipe.lines.extend([b"\xffa warning \x1b"] * count)
        desk.pipe.say("leaving", why="a message all the same")
        desk.poll()
    assert (desk.session.link_state, desk.pipe.is_up) == ("lost", False)
    assert desk.session.why.endswith("is not Rushes: it said \N{REPLACEMENT CHARACTER}a warning \N{MIDDLE DOT}")


def test_a_newer_protocol_asks_for_a_newer_add_on() -> None:
    desk, heard = Desk().link(row("aaaaaaaa")), list[Any]()
    desk.session.ask({"type": "render", "film": FILM}, lambda result, error: heard.append(error["remedy"]))
    desk.pipe.say("shots", v=2, film=FILM, rows=[])
    desk.poll()
    film = desk.session.film(FILM)
    assert film and film.fault == {"text": desk.session.why, "remedy": "update the add-on"}
    assert (desk.session.link_state, heard) == ("lost", ["update the add-on"])


def test_an_older_daemon_is_asked_once_for_what_it_does_not_know() -> None:
    desk = Desk()
    film = desk.session.follow(FILM)
    desk.pipe.say("linked", daemon="d")
    say_state(desk.pipe, row("aaaaaaaa", "t001"))
    desk.poll()
    desk.pipe.refuse("media", "protocol", "no command: Invalid value 'media'")
    desk.pipe.refuse("library", "protocol", "no command: Invalid value 'library'")
    desk.poll()
    assert [note.endswith("(pip install -U rushes)") for note in film.notes] == [True, True]
    desk.pipe.say("shots", film=FILM, rows=[row("aaaaaaaa", "t002")])
    say_state(desk.pipe, row("aaaaaaaa", "t003"))
    desk.poll()
    assert "media" not in desk.pipe.types() and "library" not in desk.pipe.types()
    heard = list[Any]()
    desk.session.ask({"type": "pull", "film": FILM}, lambda result, error: heard.append(error["remedy"]))
    desk.pipe.refuse("pull", "protocol")
    desk.poll()
    assert heard == ["pip install -U rushes"]


def test_a_film_that_cannot_be_opened_is_asked_for_again() -> None:
    desk = Desk()
    film = desk.session.follow(FILM)
    desk.pipe.say("linked", daemon="d")
    desk.poll()
    desk.pipe.refuse("snapshot", "file", "there is no film")
    desk.poll()
    assert film.fault == {"text": "there is no film", "remedy": ""} and "snapshot" not in desk.pipe.types()
    desk.poll(6.0)
    assert "snapshot" in desk.pipe.types()
    say_state(desk.pipe, row("aaaaaaaa"))
    desk.poll()
    assert film.fault is None and film.is_known
    desk.pipe.say(
        "unreadable", film=FILM, error={"kind": "file", "text": "line 7", "where": "film", "remedy": "mend it"}
    )
    desk.poll()
    assert film.fault == {"text": "film: line 7", "remedy": "mend it"}


_ODD = st.characters() | st.sampled_from("\r\n\t\u202e\x1b")


@given(st.text(_ODD, max_size=40), st.integers(1, 20))
def test_text_is_made_as_harmless_as_everywhere(text: str, limit: int) -> None:
    assert texts.printable(text, limit) == text_of_films.printable(text, limit)


# -- a link that breaks --------------------------------------------------------------------------------------


def test_what_is_asked_before_there_is_a_link_waits_for_it() -> None:
    desk, heard = Desk(), list[Any]()
    desk.session.ask({"type": "status", "film": FILM}, lambda result, error: heard.append(result))
    desk.poll(PATIENCE_S - 1)
    assert (desk.pipe.asked, heard) == ([], [])
    desk.pipe.say("linked", daemon="d")
    desk.poll()
    desk.pipe.answer("status", shots=[])
    desk.poll()
    assert heard == [{"shots": []}]


def test_what_is_never_answered_is_given_up() -> None:
    """Unsent, half a minute after it was asked; sent, half a minute after the link was lost, for the pipe asks
    again by itself; at once when the pipe has died."""
    desk, heard = Desk(), list[str]()

    def ask(name: str) -> None:
        desk.session.ask(
            {"type": "status", "film": FILM}, lambda result, error: heard.append(name + error["kind"])
        )

    ask("unsent: ")
    desk.poll(PATIENCE_S + 1)
    assert heard == ["unsent: lost"]
    desk.link()
    ask("sent: ")
    desk.poll(10 * PATIENCE_S)
    desk.pipe.say("unlinked", why="it ended")
    desk.poll()
    assert (desk.session.link_state, desk.session.why, len(heard)) == ("lost", "it ended", 1)
    desk.poll(PATIENCE_S + 1)
    assert heard == ["unsent: lost", "sent: lost"]
    desk.pipe.say("linked", daemon="d", again=True)
    desk.poll()
    ask("died: ")
    desk.pipe.die("the link ended with 1: no rushes here")
    desk.poll()
    assert heard[2:] == ["died: lost"] and desk.session.why.endswith("no rushes here")


def test_a_new_child_is_told_everything_again() -> None:
    desk = Desk().link(row("aaaaaaaa", "t001"))
    desk.pipe.die("killed")
    desk.poll()
    desk.pipe.start_again()
    desk.session.follow("/films/other.otio")
    desk.session.leave("/films/other.otio")
    desk.poll()
    assert (desk.session.link_state, desk.pipe.asked) == ("starting", [])
    desk.pipe.say("linked", daemon="e")
    desk.poll()
    assert desk.pipe.types() == ["snapshot", "daemon"]
    say_state(desk.pipe, row("aaaaaaaa", "t002"))
    desk.poll()
    desk.pipe.answer("media", media=[showing("aaaaaaaa", "t002")])
    desk.poll()
    assert desk.told.media == [(FILM, {"aaaaaaaa"})]


def test_a_film_followed_while_the_daemon_was_away_is_asked_for() -> None:
    desk = Desk().link()
    desk.pipe.say("unlinked", why="it ended")
    desk.poll()
    desk.session.follow("/films/other.otio")
    desk.pipe.say("linked", daemon="e", again=True)
    desk.poll()
    assert desk.pipe.take("snapshot")["body"]["film"] == "/films/other.otio"
    desk.session.leave("/films/other.otio")
    assert desk.pipe.types() == ["daemon", "leave"]


def test_without_a_program_it_says_so_and_looks_again() -> None:
    pipes, heard, clock = list[Scripted](), list[Any](), Clock()

    def make() -> Scripted:
        if not pipes:
            raise CannotStart("Rushes was not found", "pip install rushes")
        return pipes[0]

    session = Session(make, clock)
    session.follow(FILM)
    session.ask({"type": "render", "film": FILM}, lambda result, error: heard.append(error["remedy"]))
    session.poll(1.0)
    assert (session.link_state, session.why, heard) == ("off", "Rushes was not found", ["pip install rushes"])
    pipes.append(Scripted())
    session.poll(1.0)
    clock.now += 11
    session.poll(1.0)
    assert session.link_state == "starting"
    session.stop()
    assert (pipes[0].is_closed, session.link_state, session.followed) == (True, "off", set())


def test_who_is_told_something_may_stop_it_all() -> None:
    desk = Desk().link(row("aaaaaaaa"))
    desk.session.ask({"type": "show", "film": FILM, "shot": "X"}, lambda result, error: desk.session.stop())
    desk.pipe.answer("show")
    desk.poll()
    assert (desk.session.link_state, desk.pipe.is_closed) == ("off", True)


def test_a_message_that_is_too_long_is_not_sent() -> None:
    desk, heard = Desk().link(), list[Any]()
    desk.session.ask(
        {"type": "set", "assignments": ["x" * MOST_LINE]}, lambda result, error: heard.append(error["kind"])
    )
    assert (desk.pipe.asked, heard) == ([], ["limit"])
