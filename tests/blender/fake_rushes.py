"""A program that speaks as `rushes client --pipe` does, about a film that is nothing but a list of takes.

    fake_rushes.py FILM.json [client --pipe]

FILM.json holds "path" and "shots": {shot: {"take": name, "takes": {name: {"path", "frames", "size"}}}}. `render`
makes the next of a shot's takes ready, round and round. What is asked is written to FILM.json.asked, a line each.
Of a `pull` it knows one thing: a use that two rows bear is a new use in the row that begins first.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Json = dict[str, Any]


class Refused(Exception):
    """What is answered with an error."""


class FakeDaemon:
    def __init__(self, config: Path) -> None:
        film = json.loads(config.read_text())
        self.path: str = film["path"]
        self.shots: dict[str, Json] = film["shots"]
        self.asked = config.with_name(config.name + ".asked").open("a")
        self.events = 0
        self.uses = 0
        self.jobs = 0

    def answer(self, line: str) -> None:
        """Carry out a command. Events come before its answer, as it is with the daemon."""
        message = json.loads(line)
        body, parent = message["body"], message["id"]
        print(json.dumps(body), file=self.asked, flush=True)
        do: Callable[[Json], Json] = getattr(self, "on_" + body["type"], lambda body: {})
        try:
            result = do(body)
        except Refused as why:
            error = {"type": "error", "kind": "request", "text": str(why), "where": "", "remedy": ""}
            self.say(error, parent)
        else:
            self.say(result if body["type"] == "snapshot" else {"type": "answer", "result": result}, parent)

    def say(self, body: Json, parent: str = "") -> None:
        self.events += not parent
        print(json.dumps({"v": 1, "id": "x", "parent": parent, "seq": self.events, "body": body}), flush=True)

    def on_snapshot(self, body: Json) -> Json:
        status = {"film": self.path, "rate": "24/1", "shots": [self.row(shot) for shot in self.shots]}
        return {"type": "state", "film": self.path, "seq": self.events, "status": {**status, "counts": {}}}

    def on_media(self, body: Json) -> Json:
        return {"media": [self.showing(shot) for shot in body["shots"] or self.shots]}

    def on_takes(self, body: Json) -> Json:
        shot = self.shots[body["shot"]]
        if body.get("choose"):
            if body["choose"] not in shot["takes"]:
                raise Refused(f"there is no {body['choose']}")
            shot["take"] = body["choose"]
            self.changed(body["shot"])
        return {"shot": body["shot"], "takes": []}

    def on_set(self, body: Json) -> Json:
        if any("impossible" in text for text in body["assignments"]):
            raise Refused("impossible")
        shot = self.shots[body["shots"][0]]
        shot["own"] = dict(text.split("=", 1) for text in body["assignments"])
        return {"changed": [], "stale": 0}

    def on_show(self, body: Json) -> Json:
        return {"own": self.shots[body["shot"]].get("own", {}), "inherits": {}, "seed": ""}

    def on_render(self, body: Json) -> Json:
        for shot in body["shots"]:
            names = list(self.shots[shot]["takes"])
            take = names[(names.index(self.shots[shot]["take"]) + 1) % len(names)]
            self.shots[shot]["take"] = take
            self.jobs += 1
            row = {**self.showing(shot), "job": self.jobs, "chosen": True, "name": shot}
            self.say({"type": "ready", "film": self.path, **row})
            self.changed(shot)
        return {"film": self.path, "jobs": []}

    def on_pull(self, body: Json) -> Json:
        sequence = body["sequence"]
        rows, taken = sequence["rows"], set()
        if any(row["key"] == "impossible" for row in rows):
            raise Refused("impossible")
        ids = []
        for row in sorted(rows, key=lambda row: -row["left"]):
            if row.get("use") in taken:
                self.uses += 1
                ids.append({"key": row["key"], "use": f"nw{self.uses:06d}", "shot": row["shot"]})
            taken.add(row.get("use"))
        known = [
            *sequence["known"],
            *(row["use"] for row in rows if row.get("use")),
            *(each["use"] for each in ids),
        ]
        said = {"changed": True, "ids": ids, "known": sorted(set(known)), "notes": []}
        return {**said, "lacking": 0, "add": [], "media": []}

    def changed(self, shot: str) -> None:
        self.say({"type": "shots", "film": self.path, "rows": [self.row(shot)], "gone": [], "counts": {}})

    def row(self, shot: str) -> Json:
        return {"shot": shot, "name": shot, "state": "fresh", "take": self.shots[shot]["take"], "uses": []}

    def showing(self, shot: str) -> Json:
        take = self.shots[shot]["take"]
        return {"shot": shot, "take": take, **self.shots[shot]["takes"][take], "zero": 0, "footage": None}


def main() -> None:
    daemon = FakeDaemon(Path(sys.argv[1]))
    daemon.say({"type": "linked", "daemon": "fake", "again": False})
    for line in sys.stdin:
        daemon.answer(line)


if __name__ == "__main__":
    main()
