"""What the add-on for Blender knows of films: its session over a scripted pipe, and over the real one with a real
daemon. Plain Python: no Blender is needed."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import daemons
from rendering import shoot
from rushes_blender.link.pipe import Pipe
from rushes_blender.link.session import Session
from scripted_pipe import FILM, Desk, Json, ready, row, say_state, showing

# -- a daemon as it should be --------------------------------------------------------------------------------


def test_a_film_is_followed_and_its_media_asked_for() -> None:
    desk = Desk()
    film = desk.session.follow(FILM)
    assert (desk.session.link_state, film.is_known, desk.pipe.asked) == ("starting", False, [])
    desk.pipe.say("linked", daemon="d")
    desk.poll()
    assert desk.session.link_state == "linked"
    assert desk.pipe.types() == ["snapshot", "daemon"]
    say_state(desk.pipe, row("aaaaaaaa", "t001"), row("bbbbbbbb"))
    desk.poll()
    assert (film.is_known, film.order, film.rate) == (True, ["aaaaaaaa", "bbbbbbbb"], "24/1")
    assert desk.pipe.take("media")["body"]["shots"] == ["aaaaaaaa", "bbbbbbbb"]
    desk.pipe.asked.append({"id": "7", "body": {"type": "media"}})
    assert desk.told.media == []
    desk.pipe.say(
        "answer", desk.session.ask({"type": "media", "film": FILM}), result={"media": [showing("aaaaaaaa")]}
    )
    desk.poll()
    assert desk.told.media == [(FILM, {"aaaaaaaa"})]


def test_a_take_that_is_ready_is_shown_at_once_and_asked_for_no_more() -> None:
    desk = Desk().link(row("aaaaaaaa", "t001"), row("bbbbbbbb", "t001"))
    desk.pipe.say("ready", **ready("aaaaaaaa", "t002"))
    desk.pipe.say("ready", **ready("bbbbbbbb", "t002", chosen=False))
    desk.pipe.say("shots", film=FILM, rows=[row("aaaaaaaa", "t002")])
    desk.poll()
    film = desk.session.film(FILM)
    assert film and film.showings["aaaaaaaa"]["take"] == "t002" and film.showings["bbbbbbbb"]["take"] == "t001"
    assert desk.told.media == [(FILM, {"aaaaaaaa"})]
    assert desk.pipe.types() == []


def test_another_take_that_somebody_chose_is_asked_for_once() -> None:
    """Also where the answer does not say what was expected: the next change will."""
    desk = Desk().link(row("aaaaaaaa", "t002"))
    desk.pipe.say("shots", film=FILM, rows=[row("aaaaaaaa", "t001")])
    desk.poll()
    desk.pipe.answer("media", media=[showing("aaaaaaaa", "t002")])
    desk.poll()
    desk.poll()
    assert desk.pipe.types() == []
    desk.pipe.say("shots", film=FILM, rows=[row("aaaaaaaa", "t003")])
    desk.poll()
    desk.pipe.answer("media", media=[showing("aaaaaaaa", "t003")])
    desk.poll()
    assert desk.told.media == [(FILM, {"aaaaaaaa"})]


def test_what_is_being_made_is_known_until_it_ends() -> None:
    desk = Desk().link(row("aaaaaaaa"), row("bbbbbbbb"), row("cccccccc"))
    film = desk.session.film(FILM)
    assert film
    about: list[Json] = [{"film": FILM, "job": n, "shot": shot} for n, shot in enumerate(film.order)]
    desk.pipe.say("queued", film=FILM, jobs=[{**each, "state": "queued"} for each in about], seconds_left=None)
    for each in about:
        desk.pipe.say("progress", **each, name="A", stage="motion", done=1, total=9, seconds_left=4.0)
        desk.pipe.say("preview", **each, name="A", jpeg="anBlZw==")
    desk.pipe.say("queue_state", paused=True)
    desk.poll()
    assert film.previews == dict.fromkeys(film.order, b"jpeg")
    assert [job["state"] for job in film.jobs.values()] == ["running"] * 3
    assert (film.seconds_left, film.paused) == (4.0, True)
    desk.pipe.say("ready", **{**ready("aaaaaaaa", "t001"), "job": 0})
    desk.pipe.say(
        "failed", **about[1], name="B", error={"kind": "media", "text": "no\x1b[2J room", "remedy": "make some"}
    )
    desk.pipe.say("dropped", **about[2], name="C", how="skipped", because="it continues from B")
    desk.pipe.say("warned", film=FILM, text="slow disk")
    desk.poll()
    assert (film.jobs, film.progress, film.previews, film.seconds_left) == ({}, {}, {}, None)
    assert list(film.notes) == ["B: no·[2J room (make some)", "C: skipped: it continues from B", "slow disk"]


def test_answers_go_to_who_asked() -> None:
    desk, heard = Desk().link(), list[tuple[Any, Any]]()
    desk.session.ask({"type": "render", "film": FILM}, lambda result, error: heard.append((result, error)))
    desk.session.ask(
        {"type": "show", "film": FILM, "shot": "X"}, lambda result, error: heard.append((result, error))
    )
    desk.pipe.refuse("show", "request", "no shot X")
    desk.pipe.answer("render", jobs=[])
    desk.pipe.say("answer", "nobody asked", result={})
    desk.poll()
    error = {"type": "error", "kind": "request", "text": "no shot X", "where": "", "remedy": ""}
    assert heard == [(None, error), ({"jobs": []}, None)]


def test_a_pull_says_how_much_there_is_to_bring_and_what_it_shows() -> None:
    desk = Desk().link(row("aaaaaaaa", "t001"))
    desk.session.ask({"type": "pull", "film": FILM})
    media = [showing("bbbbbbbb", "t001")]
    desk.pipe.answer("pull", changed=False, ids=[], lacking=2, add=[], media=media, known=[])
    desk.poll()
    film = desk.session.film(FILM)
    assert film and film.to_bring == 2 and "bbbbbbbb" in film.showings


def test_a_listener_that_fails_harms_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    desk, heard = Desk().link(), list[Any]()

    def fails(*given: object) -> None:
        raise RuntimeError("my fault")

    desk.session.on_change(fails)
    desk.session.on_change(heard.append)
    desk.session.ask({"type": "show", "film": FILM, "shot": "X"}, fails)
    desk.pipe.answer("show")
    desk.pipe.say("warned", film=FILM, text="something")
    desk.poll()
    assert heard == [FILM] and capsys.readouterr().err.count("RuntimeError: my fault") == 2


# -- the real pipe and the real daemon -----------------------------------------------------------------------


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.delenv("RUSHES_NO_DAEMON")
    path = f"PYTHONPATH={os.pathsep.join(sys.path)}"  # which the add-on's child does not get from Blender
    made = Session(lambda: Pipe(["/usr/bin/env", path, sys.executable, "-m", "rushes.pipe"]))
    yield made
    made.stop()
    daemons.stop()


def _until(session: Session, is_so: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, (session.link_state, session.why)
        session.poll(0.01)
        time.sleep(0.01)


def test_a_take_comes_and_a_daemon_that_is_killed_is_survived(tmp_path: Path, session: Session) -> None:
    shot = shoot(tmp_path, {"prompt": "the sea"}, {"prompt": "a door"})
    media, answers = list[set[str]](), list[Any]()
    session.on_media(lambda path, shots: media.append(shots))
    film = session.follow(os.path.realpath(shot.path))
    _until(session, lambda: film.is_known and len(film.showings) == 2)
    first, second = film.order
    assert [film.rows[each]["state"] for each in film.order] == ["missing", "missing"]
    assert film.showings[first]["take"] == "" and Path(film.showings[first]["path"]).is_file()
    assert session.daemon_version and "entries" in film.library
    session.ask({"type": "set", "film": film.path, "shots": [first], "assignments": ["prompt=a storm"]})
    session.ask({"type": "render", "film": film.path}, lambda result, error: answers.append((result, error)))
    _until(session, lambda: [film.showings[each]["take"] for each in film.order] == ["t001", "t001"])
    assert set().union(*media) == {first, second} and Path(film.showings[first]["path"]).is_file()
    _until(session, lambda: answers and film.rows[first]["state"] == "fresh" and not film.jobs)
    assert len(answers[0][0]["jobs"]) == 2
    os.kill(daemons.pid(), signal.SIGKILL)
    session.ask({"type": "status", "film": film.path}, lambda result, error: answers.append(result))
    _until(session, lambda: session.link_state == "lost")
    shot.set("prompt=calm", shot=second)
    _until(session, lambda: session.link_state == "linked" and film.rows[second]["state"] == "stale")
    _until(session, lambda: len(answers) == 2)
    assert {each["take"] for each in answers[1]["shots"]} == {"t001"}


def test_lines_are_what_docs_say(session: Session, tmp_path: Path) -> None:
    """An unknown command is answered with an error of kind protocol, by the pipe itself."""
    heard = list[Any]()
    session.ask({"type": "no such thing"}, lambda result, error: heard.append(error))
    _until(session, lambda: heard)
    assert (heard[0]["kind"], heard[0]["remedy"]) == ("protocol", "pip install -U rushes")
    assert json.dumps(heard[0])
