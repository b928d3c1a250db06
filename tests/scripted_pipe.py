"""The pipe of a host as a test writes it: says what it is told to, remembers what it was asked, dies when it is
to."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from rushes_blender.link.session import Session
from rushes_blender.texts import printable

FILM = "/films/harbour.otio"

Json = dict[str, Any]


@dataclass
class Clock:
    """Seconds, as a test lets them pass; each look costs `cost`."""

    now: float = 100.0
    cost: float = 0.0

    def __call__(self) -> float:
        self.now += self.cost
        return self.now


@dataclass
class Scripted:
    """A `Link`. Its first child is there from the start."""

    children: int = 1
    why: str = ""
    is_up: bool = True
    is_writing: bool = False
    is_closed: bool = False
    lines: deque[bytes] = field(default_factory=deque)
    asked: list[Json] = field(default_factory=list)

    def look_after(self, until: float) -> None: ...

    def next_line(self, until: float) -> bytes | None:
        return self.lines.popleft() if self.lines else None

    def send(self, line: bytes) -> None:
        assert self.is_up and line.endswith(b"\n") and b"\n" not in line[:-1]
        self.asked.append(json.loads(line))

    def give_up(self, why: str) -> None:
        self.lines.clear()
        self.die(printable(why))

    def close(self) -> None:
        self.is_closed = True

    def die(self, why: str) -> None:
        self.is_up, self.why = False, why

    def start_again(self) -> None:
        self.is_up, self.children = True, self.children + 1

    def say(self, type: str, parent: str = "", v: int = 1, **body: Any) -> None:
        message = {"v": v, "id": "x", "session": "d", "parent": parent, "body": {"type": type, **body}}
        self.lines.append(json.dumps(message).encode())

    def answer(self, command: str, **result: Any) -> None:
        self.say("answer", self.take(command)["id"], result=result)

    def refuse(self, command: str, kind: str, text: str = "no") -> None:
        self.say("error", self.take(command)["id"], kind=kind, text=text, where="", remedy="")

    def take(self, command: str) -> Json:
        """The first command of that type that was asked, which then is dealt with."""
        found = next(message for message in self.asked if message["body"]["type"] == command)
        self.asked.remove(found)
        return found

    def types(self) -> list[str]:
        """Of what was asked, and not dealt with."""
        return [message["body"]["type"] for message in self.asked]


def row(shot: str, take: str | None = None, state: str = "fresh") -> Json:
    """Of `status`."""
    return {"shot": shot, "name": shot.upper(), "scene": "", "state": state, "take": take, "uses": [f"use{shot}"]}


def showing(shot: str, take: str = "") -> Json:
    """Of `media`."""
    path = f"/films/harbour.rushes/{shot}_{take}.mov"
    return {"shot": shot, "take": take, "path": path, "frames": 24, "size": [64, 36], "zero": 0, "footage": None}


def ready(shot: str, take: str, job: int = 1, chosen: bool = True) -> Json:
    """The body of a `ready`, but for its type."""
    shown = showing(shot, take)
    return {**shown, "film": FILM, "job": job, "name": shot, "chosen": chosen, "waiting": not chosen}


def say_state(pipe: Scripted, *rows: Json, **more: Any) -> None:
    status = {"film": FILM, "rate": "24/1", "scenes": [], "shots": list(rows), "counts": {"fresh": len(rows)}}
    pipe.say("state", film=FILM, seq=1, status=status, **more)


@dataclass
class Told:
    """What listeners were told."""

    media: list[tuple[str, set[str]]] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)


@dataclass
class Desk:
    """A session about one film over a scripted pipe, linked; what its listeners hear."""

    pipe: Scripted = field(default_factory=Scripted)
    clock: Clock = field(default_factory=Clock)
    told: Told = field(default_factory=Told)
    session: Session = field(init=False)

    def __post_init__(self) -> None:
        self.session = Session(lambda: self.pipe, self.clock)
        self.session.on_media(lambda path, shots: self.told.media.append((path, shots)))
        self.session.on_change(self.told.changes.append)

    def poll(self, seconds: float = 0.0) -> int:
        self.clock.now += seconds
        return self.session.poll(1.0)

    def link(self, *rows: Json) -> Desk:
        """Follow the film and hear how it stands; what the session asks of itself is answered."""
        self.session.follow(FILM)
        self.pipe.say("linked", daemon="d")
        say_state(self.pipe, *rows)
        self.poll()
        self.pipe.answer("daemon", version="0.1.0", pid=1)
        self.pipe.answer("library", entries=[])
        if rows:
            self.pipe.answer("media", media=[showing(each["shot"], each["take"] or "") for each in rows])
        self.poll()
        self.pipe.asked.clear()
        self.told.media.clear()
        self.told.changes.clear()
        return self
